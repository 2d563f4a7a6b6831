"""CSV and TSV, as spreadsheets, exports and people write them."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, NamedTuple, TextIO

from ..errors import Failure
from ..rows import Row, RowBatch
from .assemble import Assembler, batch_way, malformed, short_way
from .columns import near_miss
from .header import TITLES, Header, Lines, header_again, header_and_rest, score
from .source import MOST_CHARACTERS

if TYPE_CHECKING:
    from .source import Source

DELIMITERS = ",;\t|"
NO_QUOTE = "none"
"""What `--quote` says where cells are enclosed in nothing."""
_HEAD = 1 << 16
_BLOCK = 1 << 16
_Batch = tuple[Sequence[int], list[list[str]]]
"""The numbers of the first lines of some records, from 1, and their cells."""
_COMPARED = 200  # cells of a header are enough to find the delimiter by
_NAMED = re.compile(r"""["']?sep=([^\w\s"'\\]|\t|\\t)["']?[,;|\t ]*(?:\r\n|\r|\n|$)""", re.IGNORECASE)
_BOM, _END_OF_FILE = "\ufeff", "\x1a"
_LONGEST_CELL = MOST_CHARACTERS
"""Characters that the csv module takes in one cell: the whole record has fewer."""
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


class _Form(NamedTuple):
    """How records are written."""

    delimiter: str
    quote: str
    skip: int
    """Lines before the first record."""


def _quoting(quote: str) -> dict[str, Any]:
    if quote == NO_QUOTE:
        return {"quoting": csv.QUOTE_NONE, "quotechar": None}
    return {"quotechar": quote}


def is_quote(text: str) -> bool:
    """Can cells be enclosed in this?"""
    if text == NO_QUOTE:
        return True
    return (
        len(text) == 1 and text.isascii() and text.isprintable() and not text.isalnum() and text not in ",; "
    )


def read_csv(source: Source, make: Assembler, quote: str | None = None) -> Iterator[Row | RowBatch]:
    """Rows of a CSV file whose delimiter (`,` `;` tab `|`) is found by its header.

    `quote` is what cells are enclosed in; None: found.
    """
    return _read(source, make, None, quote)


def read_tsv(source: Source, make: Assembler, quote: str | None = None) -> Iterator[Row | RowBatch]:
    """Rows of a file separated by tabs."""
    return _read(source, make, "\t", quote)


def csv_records(
    source: Source, make: Assembler, quote: str | None
) -> Generator[tuple[int, list[str]], None, None]:
    """The records that are not blank, each with its first line from 1. Raises ManifestError. Close it."""
    with _opened(source, make, None, quote) as batches:
        for line, cells in _each(batches):
            if "".join(cells).strip():
                yield line, cells


def _records(source: Source, make: Assembler, text: TextIO, form: _Form) -> Iterator[_Batch]:
    """The records of a text, a block of it at a time.

    Raises `_RecordError` where one cannot be read, ManifestError where it is too long to be one.
    """
    csv.field_size_limit(_LONGEST_CELL)
    at = form.skip
    special = [mark for mark in (_BOM, _END_OF_FILE, form.quote) if len(mark) == 1]
    while block := text.read(_BLOCK):
        # To the end of a line; one that is too long is told by who looks closer.
        block += text.readline(MOST_CHARACTERS + 1)
        if len(block) <= MOST_CHARACTERS and not any(mark in block for mark in special):
            # Each line is a record.
            records = list(_reader(io.StringIO(block, newline=""), form))
            yield range(at + 1, at + 1 + len(records)), records
            at += len(records)
        else:
            at = yield from _carefully(source, make, text, form, block, at)


def _reader(lines: Iterable[str], form: _Form) -> Any:
    return csv.reader(lines, _Strict, delimiter=form.delimiter, **_quoting(form.quote))


def _carefully(
    source: Source, make: Assembler, text: TextIO, form: _Form, block: str, at: int
) -> Generator[_Batch, None, int]:
    """The records of a block, the last of which may go on behind it. Returns the number of the last line.

    `at` is the number of the line before it. Raises as `_records`.
    """
    left = io.StringIO(block, newline="")
    room, begins = MOST_CHARACTERS, at + 1
    parts: list[str] = []

    def lines() -> Iterator[str]:
        nonlocal room, at
        while line := left.readline() or text.readline(MOST_CHARACTERS + 1):
            at += 1
            room -= len(line)
            if room < 0:
                raise source.unusable(
                    f"line {begins}: the record that begins there has more than {MOST_CHARACTERS:,} "
                    "characters",
                    f"Look from line {begins} on for a quote ({form.quote}) that is not closed, or a line "
                    "with no end.",
                )
            if _BOM in line:
                parts.extend(_parted(line, make, form))
                while parts:
                    yield parts.pop(0)
            elif line[-1] == _END_OF_FILE or line[0] == _END_OF_FILE:
                # What DOS ended files with, and `copy` on Windows still does.
                yield line.replace(_END_OF_FILE, "")
            else:
                yield line

    numbers: list[int] = []
    records: list[list[str]] = []
    try:
        for cells in _reader(lines(), form):
            line, begins, room = begins, at + 1, MOST_CHARACTERS
            if at > line and any(_swallowed(cell, form.delimiter) for cell in cells):
                begins = line
                raise csv.Error("a cell that holds what looks like rows")
            numbers.append(line)
            records.append(cells)
            if left.tell() >= len(block) and not parts:
                break
    except csv.Error as error:
        raise _RecordError(str(error), begins, at) from None
    yield numbers, records
    return at


def _parted(line: str, make: Assembler, form: _Form) -> Iterator[str]:
    """The lines in one where files were joined, the first of which had no line break at its end.

    A byte order mark begins a file; elsewhere it is a character of the text.
    """
    own = ""
    for n, part in enumerate(line.split(_BOM)):
        if n and own and score(make, part.split(form.delimiter)[:_COMPARED])[0] < 2:
            own += _BOM
        elif own:
            yield f"{own}\n"
            own = ""
        own += part
    yield own


def _swallowed(cell: str, delimiter: str) -> bool:
    """Do most lines of a long cell look like rows? In a column that is only carried none would be missed."""
    if len(cell) <= _LONG_CELL:
        return False
    counts = Counter(line.count(delimiter) for line in cell.splitlines())
    delimiters, lines = counts.most_common(1)[0]
    # A row has a target, a file and the cell itself.
    return delimiters > 1 and lines * 2 > counts.total()


def _each(batches: Iterable[_Batch]) -> Lines:
    for batch in batches:
        yield from zip(*batch, strict=True)


def _read(
    source: Source, make: Assembler, delimiter: str | None, quote: str | None
) -> Iterator[Row | RowBatch]:
    with _opened(source, make, delimiter, quote) as batches:
        numbers: list[int] = []
        records: list[list[str]] = []
        for more_numbers, more in batches:
            numbers += more_numbers
            records += more
            if sum(any(cells) for cells in records) > TITLES:
                break
        header, rest = header_and_rest(source, make, zip(numbers, records, strict=True))
        yield from _rows(source, make, chain([_parted_off(rest)], batches), header)


def _parted_off(lines: Lines) -> _Batch:
    some = list(lines)
    return [line for line, _ in some], [cells for _, cells in some]


@contextmanager
def _opened(
    source: Source, make: Assembler, delimiter: str | None, quote: str | None
) -> Iterator[Iterator[_Batch]]:
    """The records of a manifest; the mistakes in it become ManifestErrors."""
    with source.text() as text:
        head = text.read(_HEAD)
    form = _form(head, make, delimiter, quote, whole=len(head) < _HEAD)
    if form.quote != '"' and quote is None:
        make.note(
            f"{source.name}: its cells are taken to be enclosed in {form.quote}",
            "If that is wrong, say --quote '\"'.",
        )
    with source.text() as text:
        for _ in range(form.skip):
            text.readline()
        try:
            yield _records(source, make, text, form)
        except _RecordError as error:
            raise source.unusable(
                f"line {error.line}: {error}",
                f"Look for a quote ({form.quote}) that is not closed, or not doubled inside a quoted cell, "
                f"from line {error.begins} on. If cells are enclosed in another character, add --quote.",
            ) from None


def _form(head: str, make: Assembler, delimiter: str | None, quote: str | None, *, whole: bool) -> _Form:
    """How the records of a text are written that begins with `head`; `whole`: that is all of it."""
    skip = 0
    named = _NAMED.match(head)
    if named:  # Excel's own way to name the delimiter
        skip, delimiter = 1, delimiter or named[1].replace("\\t", "\t")
        head = head[named.end() :]
    if delimiter is None:
        delimiter = _find_delimiter(head, make, quote or '"')
    if quote is None:
        quote = "'" if _has_apostrophes(head, make, delimiter, whole=whole) else '"'
    return _Form(delimiter, quote, skip)


def _find_delimiter(head: str, make: Assembler, quote: str) -> str:
    """The delimiter that makes the best header, then the most columns."""
    text = head.lstrip(DELIMITERS + _BOM + " \r\n")  # blank lines, be they of spaces or of empty cells

    def quality(delimiter: str) -> tuple[tuple[int, int], int, int]:
        lines = list(islice(_loosely(text, delimiter, quote), TITLES))
        best = max(lines, key=lambda cells: score(make, cells), default=[])
        slips = [near_miss(cell) for cell in best[:_COMPARED]] if len(best) > 1 else []
        return score(make, best), sum(slip is not None for slip in slips), len(best)

    return max(DELIMITERS, key=quality)


def _loosely(text: str, delimiter: str, quote: str, *, strict: bool = False) -> Iterator[list[str]]:
    """The records of a text that are not blank, whatever is wrong with them unless `strict`."""
    records = csv.reader(
        io.StringIO(text, newline=""),
        delimiter=delimiter,
        skipinitialspace=True,
        strict=strict,
        **_quoting(quote),
    )
    return (cells for cells in records if "".join(cells).strip())


def _has_apostrophes(head: str, make: Assembler, delimiter: str, *, whole: bool) -> bool:
    """Are cells enclosed in `'`, as the PIM's own jobs may write them?

    That is so where a cell begins with one, none is enclosed in `"`, and all lines below the header have as
    many cells as it.
    """
    if not re.search(rf"(?:^|{re.escape(delimiter)}) *'", head, re.MULTILINE):
        return False
    if re.search(rf'(?:^|{re.escape(delimiter)}) *"', head, re.MULTILINE):
        return False
    if not whole:
        head = head[: head.rfind("\n") + 1]
    records: list[list[str]] = []
    try:
        records.extend(_loosely(head.replace(_BOM, ""), delimiter, "'", strict=True))
    except csv.Error:
        if whole:
            return False
    if not records:
        return False
    at = max(range(min(len(records), TITLES)), key=lambda n: (score(make, records[n]), -n))
    return all(len(cells) == len(records[at]) for cells in records[at:])


def _rows(
    source: Source, make: Assembler, batches: Iterator[_Batch], header: Header
) -> Iterator[Row | RowBatch]:
    """Every record after the header, and after each further header of files that were joined."""
    repeated = 0
    ways = short_way(make, header), batch_way(make, header)
    for numbers, records in batches:
        short, whole = ways
        batch = whole(numbers, records) if whole is not None else None
        if batch is not None:
            yield batch
            continue
        key = header.known.get("file", 0)
        for line, cells in zip(numbers, records, strict=True):
            row = short(line, cells) if short is not None else None
            if row is not None:
                yield row
            elif "".join(cells).strip():
                if len(cells) > key and cells[key].strip() in header.words:
                    again = header_again(source, make, header, cells)
                    repeated += again is not None
                    if again is header:
                        continue
                    if again is not None:
                        header, key = again, again.known.get("file", 0)
                        short, whole = ways = short_way(make, header), batch_way(make, header)
                        continue
                yield row_of(make, header, line, cells)
    if repeated:
        make.left_out(repeated, "a header again, as in files that were joined")


def row_of(
    make: Assembler, header: Header, line: int, cells: list[str], problem: Failure | None = None
) -> Row:
    """A row with cells too few or too many, something left out or filled, or several kinds of target."""
    width = len(header.names)
    problem = problem or too_many(cells, width)
    cells += [""] * (width - len(cells))
    values: dict[str, str | None] = {
        column: value for column, at in header.known.items() if (value := cells[at].strip())
    }
    extra: dict[str, Any] = {name: cells[at] for name, at in header.extra}
    return make.row(line, values, extra, problem)


def too_many(cells: list[str], width: int) -> Failure | None:
    """A line with more cells than the header: it is unknown which column each is for."""
    if len(cells) <= width or not any(cell.strip() for cell in cells[width:]):
        return None
    quotes = ' If cells are enclosed in another character, name it: --quote "\'"' if _quoted(cells) else ""
    return malformed(
        f"the line has {len(cells)} cells, the header {width}",
        f"Put cells that contain the delimiter in quotes, or remove the extra cells.{quotes}",
    )


def _quoted(cells: list[str]) -> bool:
    return any(cell.lstrip()[:1] == "'" for cell in cells)
