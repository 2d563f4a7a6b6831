"""A manifest whose `file` is empty, filled from a folder: `scan DIR --for todo.csv`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from ...rows import Row

_BETWEEN = re.compile(r"[ _.\-()]+")


@dataclass(frozen=True)
class Unfilled:
    """A row without a file, and why."""

    row: Row
    reason: str


def fill(rows: Iterable[Row], files: Iterable[str], base: str) -> Iterator[Row | Unfilled]:
    """Each row with the file whose name or folder begins with its product's code.

    `files` are paths below the folder, `base` what goes before them in the manifest. `00123.jpg`,
    `00123_front.jpg` and `00123/a.jpg` belong to 00123, whatever the case; `001234.jpg` does not. A file goes
    to the product with the longest code that fits. Of several the one whose name holds the row's attribute is
    taken, else the one whose name is the code alone; else none is.
    """
    known = list(rows)
    codes = {_folded(row.target.code) for row in known if row.target is not None}
    found: dict[str, list[str]] = {}
    for path in files:
        code = _code_of(path, codes)
        if code is not None:
            found.setdefault(code, []).append(path)
    for row in known:
        candidates = found.get(_folded(row.target.code), []) if row.target is not None else []
        chosen = _choice(row, candidates)
        if isinstance(chosen, str):
            yield replace(row, file=f"{base}/{chosen}" if base else chosen)
        elif not candidates:
            yield Unfilled(row, "no file with its name")
        else:
            shown = ", ".join(candidates[:3]) + (", ..." if len(candidates) > 3 else "")
            yield Unfilled(row, f"{len(candidates)} files fit: {shown}")


def _folded(text: str) -> str:
    return text.casefold()


def _code_of(path: str, codes: set[str]) -> str | None:
    """The longest code that the file's stem, or one of its folders, begins with or is."""
    *folders, name = path.split("/")
    stem = _folded(name.rpartition(".")[0] or name)
    while stem:
        if stem in codes:
            return stem
        cut = [match.start() for match in _BETWEEN.finditer(stem) if match.start()]
        stem = stem[: cut[-1]] if cut else ""
    return next((_folded(folder) for folder in reversed(folders) if _folded(folder) in codes), None)


def _choice(row: Row, candidates: list[str]) -> str | None:
    if len(candidates) == 1:
        return candidates[0]
    assert row.target is not None or not candidates
    stems = {path: _folded(path.rpartition("/")[2].rpartition(".")[0]) for path in candidates}
    alone = [path for path, stem in stems.items() if row.target and stem == _folded(row.target.code)]
    named = [path for path, stem in stems.items() if _folded(row.attribute) in _BETWEEN.split(stem)]
    for chosen in (named, alone):
        if len(chosen) == 1:
            return chosen[0]
    return None
