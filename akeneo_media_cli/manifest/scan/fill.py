"""A manifest whose `file` is empty, filled from a folder: `scan DIR --for todo.csv`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from ...frozen import frozen
from ...rows import Row

_BETWEEN = re.compile(r"[ _.\-()]+")


@frozen
class Unfilled:
    """A row without a file, and why."""

    row: Row
    reason: str
    several: bool = False
    """More than one file fits."""


def fill(
    rows: Iterable[Row], files: Iterable[str], base: str, column: str | None = None
) -> Iterator[Row | Unfilled]:
    """Each row with the file whose name or folder begins with its product's code.

    With `column` it is what the row's other column of that name holds, such as an EAN. `files` are paths
    below the folder, `base` is put before them. `00123.jpg`, `00123_front.jpg` and `00123/a.jpg` belong to
    00123, whatever the case; `001234.jpg` does not. A file goes to the product with the longest code that
    fits. Of several the one whose name holds the row's attribute is taken, else the one whose name is the
    code alone; else none is.
    """
    known = [(row, _key(row, column)) for row in rows]
    codes = {key for _, key in known if key}
    found: dict[str, list[str]] = {}
    for path in files:
        code = _code_of(path, codes)
        if code is not None:
            found.setdefault(code, []).append(path)
    for row, key in known:
        candidates = found.get(key, [])
        chosen = _choice(row, key, candidates)
        if isinstance(chosen, str):
            yield replace(row, file=f"{base}/{chosen}" if base else chosen)
        elif not candidates:
            yield Unfilled(row, "no file with its name" if key else f"{column} is empty")
        else:
            shown = ", ".join(candidates[:3]) + (", ..." if len(candidates) > 3 else "")
            yield Unfilled(row, f"{len(candidates)} files fit: {shown}", several=True)


def _key(row: Row, column: str | None) -> str:
    """What the names of a row's files begin with."""
    if column is not None:
        return _folded(str(row.extra.get(column) or "").strip())
    return "" if row.target is None else _folded(row.target.code)


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


def _choice(row: Row, key: str, candidates: list[str]) -> str | None:
    if len(candidates) == 1:
        return candidates[0]
    stems = {path: _folded(path.rpartition("/")[2].rpartition(".")[0]) for path in candidates}
    alone = [path for path, stem in stems.items() if stem == key]
    named = [path for path, stem in stems.items() if _folded(row.attribute) in _BETWEEN.split(stem)]
    for chosen in (named, alone):
        if len(chosen) == 1:
            return chosen[0]
    return None
