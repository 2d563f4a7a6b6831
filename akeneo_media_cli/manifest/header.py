"""The header of a table, CSV or spreadsheet: where it is, and what its columns are called."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, islice
from typing import TYPE_CHECKING

from ..frozen import frozen
from .advice import meant
from .assemble import Assembler
from .columns import SPELLINGS, canonical

if TYPE_CHECKING:
    from .source import Source

TITLES = 50
"""This many lines may be above the header."""
_MOST_IN_NAMES = 1 << 18  # characters of all columns' names: each row carries those of unknown ones
_COMPARED = 200  # cells of a line are enough to recognize a header by
_SAMPLE = 20

Lines = Iterator[tuple[int, list[str]]]
"""Lines that are not blank, each with its number from 1."""


@frozen
class Header:
    """What the header says: known columns by place, and the others by place.

    `names` has no empty ones at the end. `words` are texts that, as a file's name, make a later line look
    like a header.
    """

    names: tuple[str, ...]
    known: dict[str, int]
    extra: tuple[tuple[str, int], ...]
    words: frozenset[str]


def score(make: Assembler, cells: Sequence[str]) -> tuple[int, int]:
    """How much a line looks like a header: its known columns, then those that probably stand for one."""
    if len(cells) > _COMPARED:
        cells = cells[:_COMPARED]
    names = [make.named(cell) for cell in cells if cell.strip()]
    known = {column for name in names if (column := canonical(name))}
    # A title of one cell, such as "Bild", is not a header.
    likely = {column for name in names if (column := meant(name))} if len(names) > 1 else set()
    return len(known), len(likely - known)


def header_and_rest(source: Source, make: Assembler, lines: Lines) -> tuple[Header, Lines]:
    """The header, which may be below titles, and the lines below it. Raises as `header_of`."""
    lines = ((line, cells) for line, cells in lines if "".join(cells).strip())
    first = list(islice(lines, TITLES))
    if not first:
        raise source.unusable("is empty", "Write a header line such as: product,attribute,file")
    at = max(range(len(first)), key=lambda n: (score(make, first[n][1]), -n))
    line, cells = first[at]
    sample = [below for _, below in first[at + 1 : at + 1 + _SAMPLE]]
    header = header_of(source, make, cells, sample)
    if at:
        make.left_out(at, f"above the header, which is line {line}")
    return header, chain(first[at + 1 :], lines)


def header_of(
    source: Source, make: Assembler, cells: Sequence[str], sample: Sequence[Sequence[str]] = ()
) -> Header:
    """The header that a line is; `sample` are some lines below it, for advice.

    Raises ManifestError where two columns mean one, or nothing names the files.
    """
    written = [cell.strip() for cell in cells]
    while written and not written[-1]:
        written.pop()
    if sum(map(len, written)) > _MOST_IN_NAMES:
        raise source.unusable(
            f"the names of its columns have more than {_MOST_IN_NAMES:,} characters",
            "Is the first line the header? It names each column in a word or two.",
        )
    names = [make.named(name) for name in written]
    known: dict[str, int] = {}
    extra: dict[str, int] = {}
    for place, name in enumerate(names):
        column = canonical(name)
        if column is None:
            name = name or f"column {place + 1}"  # noqa: PLW2901
            extra[name if name not in extra else f"{name} ({place + 1})"] = place
        elif column in known:
            raise source.unusable(
                f"the columns `{written[known[column]]}` and `{written[place]}` both mean `{column}`",
                "Keep one of them, or give the other a name of its own: --map COLUMN=NAME",
            )
        else:
            known[column] = place
    make.columns(names, known)
    if "file" not in known and not make.fills_file():
        raise make.no_file_column(written, {column: written[at] for column, at in known.items()}, sample)
    words = frozenset(form for name in (*written, *names) for form in _forms(name)) | _KNOWN_FORMS
    return Header(tuple(names), known, tuple(extra.items()), words)


def _forms(name: str) -> tuple[str, ...]:
    return (name, name.lower(), name.upper(), name.title(), name.capitalize()) if name else ()


_KNOWN_FORMS = frozenset(form for name in SPELLINGS for form in _forms(name))


def header_again(source: Source, make: Assembler, header: Header, cells: Sequence[str]) -> Header | None:
    """The header that a later line is, as in joined files; None for a row. Raises as `header_of`."""
    names = [make.named(cell) for cell in cells[:_COMPARED] if cell.strip()]
    columns = [canonical(name) for name in names]
    found = {column for column in columns if column}
    if len(found) < 2 or not ("file" in found or make.fills_file()):
        return None
    if [name for name in header.names if name] == names:
        return header
    return header_of(source, make, cells)
