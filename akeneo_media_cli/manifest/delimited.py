"""CSV and TSV, as spreadsheets, exports and people write them."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TextIO

from ..errors import Failure
from ..rows import Row, Target, TargetType, clean_name
from .assemble import Assembler, malformed
from .columns import GROUPS, PARENTS, canonical, near_miss
from .source import MOST_CHARACTERS

if TYPE_CHECKING:
    from .source import Source

DELIMITERS = ",;\t|"
_HEAD = 1 << 16
_MOST_IN_NAMES = 1 << 18  # characters of all columns' names: each row carries those of unknown ones
_COMPARED = 200  # cells of a header are enough to tell the delimiter by
_LONGEST_CELL = MOST_CHARACTERS
"""Characters that the csv module is to take: the whole record has fewer."""
_LONG_CELL = 1 << 17
"""Characters of a cell that is looked at for rows that it swallowed."""


class _Strict(csv.excel):
    # A quote that never closes would swallow the rest of the file in silence: let the csv module say so.
    strict = True
    skipinitialspace = True


class _RecordError(csv.Error):
    """A record that cannot be read: `begins` is its first line, `line` the last that was read of it."""

    def __init__(self, why: str, begins: int, line: int) -> None:
        super().__init__(why)
        self.begins = begins
        self.line = line


Records = Iterator[tuple[int, list[str]]]
"""Records, each with its first line from 1."""


@dataclass(frozen=True)
class Header:
    """What the header line says: known columns by place, and the others by place; `names` without those
    that are empty at the end."""

    names: tuple[str, ...]
    known: dict[str, int]
    extra: tuple[tuple[str, int], ...]


def read_csv(source: Source, make: Assembler) -> Iterator[Row]:
    """Rows of a CSV file whose delimiter (`,` `;` tab `|`) is found in its header line."""
    return _read(source, make, None)


def read_tsv(source: Source, make: Assembler) -> Iterator[Row]:
    """Rows of a file separated by tabs."""
    return _read(source, make, "\t")


def csv_records(source: Source) -> Generator[tuple[int, list[str]], None, None]:
    """The records that are not blank, each with its first line from 1. Raises ManifestError. Close it."""
    with _opened(source, None) as records:
        for line, cells in records:
            if "".join(cells).strip():
                yield line, cells


def _records(source: Source, text: TextIO, delimiter: str, before: int) -> Records:
    """The records of a text that `before` lines stand before.

    Raises `_RecordError` where one cannot be read, ManifestError where it is too long to be one.
    """
    room, begins = MOST_CHARACTERS, before + 1

    def lines() -> Iterator[str]:
        nonlocal room
        readline = text.readline
        while line := readline(MOST_CHARACTERS + 1):
            room -= len(line)
            if room < 0:
                raise source.unusable(
                    f"line {begins}: the record that begins there has more than {MOST_CHARACTERS:,} "
                    "characters",
                    f'Look from line {begins} on for a quote (") that is not closed, or a line with no end.',
                )
            yield line

    csv.field_size_limit(_LONGEST_CELL)
    reader = csv.reader(lines(), _Strict, delimiter=delimiter)
    try:
        for cells in reader:
            line, begins, room = begins, before + reader.line_num + 1, MOST_CHARACTERS
            if begins > line + 1 and any(_swallowed(cell, delimiter) for cell in cells):
                begins = line
                raise csv.Error("a cell that holds what looks like rows")
            yield line, cells
    except csv.Error as error:
        raise _RecordError(str(error), begins, before + reader.line_num) from None


def _swallowed(cell: str, delimiter: str) -> bool:
    """Do most lines of a long cell look like rows? In a column that is only carried none would be missed."""
    if len(cell) <= _LONG_CELL:
        return False
    counts = Counter(line.count(delimiter) for line in cell.splitlines())
    delimiters, lines = counts.most_common(1)[0]
    # A row has a target, a file and the cell itself.
    return delimiters > 1 and lines * 2 > counts.total()


def _read(source: Source, make: Assembler, delimiter: str | None) -> Iterator[Row]:
    with _opened(source, delimiter) as records:
        header = header_of(source, make, (cells for _, cells in records))
        yield from _rows(make, records, header)


@contextmanager
def _opened(source: Source, delimiter: str | None) -> Iterator[Records]:
    """The records of a manifest; the mistakes in it become ManifestErrors."""
    with source.text() as text:
        head = text.read(_HEAD)
    skip = 0
    first = head.split("\n", 1)[0].strip().lower()
    if len(first) == len("sep=;") and first.startswith("sep="):  # Excel's own way to name the delimiter
        skip, delimiter = 1, delimiter or first[-1]
        head = head.partition("\n")[2]
    if delimiter is None:
        delimiter = _find_delimiter(head)
    with source.text() as text:
        for _ in range(skip):
            text.readline()
        try:
            yield _records(source, text, delimiter, skip)
        except _RecordError as error:
            raise source.unusable(
                f"line {error.line}: {error}",
                'Look for a quote (") that is not closed, or not doubled inside a quoted cell, from line '
                f"{error.begins} on.",
            ) from None


def _find_delimiter(head: str) -> str:
    """The delimiter that makes the most known columns of the header, then the most columns."""

    text = head.lstrip(DELIMITERS + " \r\n")  # blank lines, be they of spaces or of empty cells

    def quality(delimiter: str) -> tuple[int, int, int]:
        records = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True)
        cells = next(records, [])[:_COMPARED]
        known = sum(canonical(cell) is not None for cell in cells)
        return known, sum(near_miss(cell) is not None for cell in cells if len(cells) > 1), len(cells)

    return max(DELIMITERS, key=quality)


def header_of(source: Source, make: Assembler, reader: Iterable[list[str]]) -> Header:
    """The header in the first record that is not blank.

    Raises ManifestError where there is none, two columns mean one, or nothing names the files.
    """
    cells: list[str] = next((cells for cells in reader if "".join(cells).strip()), [])
    names = [cell.strip() for cell in cells]
    while names and not names[-1]:
        names.pop()
    if not names:
        raise source.unusable("is empty", "Write a header line such as: product,attribute,file")
    if sum(map(len, names)) > _MOST_IN_NAMES:
        raise source.unusable(
            f"the names of its columns have more than {_MOST_IN_NAMES:,} characters",
            "Is the first line the header? It names each column in a word or two.",
        )
    known: dict[str, int] = {}
    extra: dict[str, int] = {}
    for place, name in enumerate(names):
        column = canonical(name)
        if column is None:
            name = name or f"column {place + 1}"  # noqa: PLW2901
            extra[name if name not in extra else f"{name} ({place + 1})"] = place
        elif column in known:
            raise source.unusable(
                f"the columns `{names[known[column]]}` and `{name}` both mean `{column}`",
                "Keep one of them.",
            )
        else:
            known[column] = place
    for name in extra:
        make.unknown_column(name, known)
    if "file" not in known and not make.fills_file():
        raise make.no_file_column(names)
    return Header(tuple(names), known, tuple(extra.items()))


def _rows(make: Assembler, records: Records, header: Header) -> Iterator[Row]:
    """Every record after the header. Most take the short way; whatever is unusual goes to the assembler."""
    plan = _short_way(make, header)
    extra, width = header.extra, len(header.names)
    manifest = make.manifest
    if plan is None:
        for line, cells in records:
            if "".join(cells).strip():
                yield row_of(make, header, line, cells)
        return
    kind, own, parent, file_at, attribute_at, locale_at, scope_at, name_at = plan
    for line, cells in records:
        if len(cells) == width:
            file, code, attribute = cells[file_at].strip(), cells[own].strip(), cells[attribute_at].strip()
            above = cells[parent].strip() if parent is not None else ""
            if file and code and attribute and file[:5] != "file:" and (above or parent is None):
                name = cells[name_at].strip() if name_at is not None else None
                yield Row(
                    manifest,
                    line,
                    file,
                    Target(kind, code, above),
                    attribute,
                    (cells[locale_at].strip() or None) if locale_at is not None else None,
                    (cells[scope_at].strip() or None) if scope_at is not None else None,
                    clean_name(name) if name else None,
                    None,
                    {name: cells[at] for name, at in extra} if extra else {},
                )
                continue
        if "".join(cells).strip():
            yield row_of(make, header, line, cells)


_Plan = tuple[TargetType, int, "int | None", int, int, "int | None", "int | None", "int | None"]


def _short_way(make: Assembler, header: Header) -> _Plan | None:
    """Where the cells of an ordinary row are, if the header allows one kind of target and nothing fills."""
    known = header.known
    columns = [column for column in GROUPS if column in known]
    kinds = {GROUPS[column] for column in columns}
    if make.fills or len(kinds) != 1 or "file" not in known or "attribute" not in known:
        return None
    kind = kinds.pop()
    parent, own = PARENTS.get(kind, (None, columns[0]))
    if own not in known or (parent is not None and parent not in known):
        return None
    return (
        kind,
        known[own],
        known[parent] if parent is not None else None,
        known["file"],
        known["attribute"],
        known.get("locale"),
        known.get("scope"),
        known.get("filename"),
    )


def row_of(make: Assembler, header: Header, line: int, cells: list[str]) -> Row:
    """A row with cells too few or too many, something left out or filled, or several kinds of target."""
    width = len(header.names)
    problem: Failure | None = None
    if any(cell.strip() for cell in cells[width:]):
        problem = malformed(
            f"the line has {len(cells)} cells, the header {width}",
            "Put cells that contain the delimiter in quotes, or take out what is too much.",
        )
    cells += [""] * (width - len(cells))
    values: dict[str, str | None] = {
        column: value for column, at in header.known.items() if (value := cells[at].strip())
    }
    extra: dict[str, Any] = {name: cells[at] for name, at in header.extra}
    return make.row(line, values, extra, problem)
