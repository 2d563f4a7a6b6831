"""CSV and TSV, as spreadsheets, exports and people write them."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple, TextIO

from ..errors import Failure
from ..rows import Row, Target, clean_name
from .assemble import Assembler, malformed
from .columns import GROUPS, PARENTS, near_miss
from .header import TITLES, Header, Lines, header_again, header_and_rest, score
from .oddities import is_plain
from .source import MOST_CHARACTERS

if TYPE_CHECKING:
    from .source import Source

DELIMITERS = ",;\t|"
NO_QUOTE = "none"
"""What `--quote` says where cells are enclosed in nothing."""
_HEAD = 1 << 16
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


def read_csv(source: Source, make: Assembler, quote: str | None = None) -> Iterator[Row]:
    """Rows of a CSV file whose delimiter (`,` `;` tab `|`) is found by its header.

    `quote` is what cells are enclosed in; None: found.
    """
    return _read(source, make, None, quote)


def read_tsv(source: Source, make: Assembler, quote: str | None = None) -> Iterator[Row]:
    """Rows of a file separated by tabs."""
    return _read(source, make, "\t", quote)


def csv_records(
    source: Source, make: Assembler, quote: str | None
) -> Generator[tuple[int, list[str]], None, None]:
    """The records that are not blank, each with its first line from 1. Raises ManifestError. Close it."""
    with _opened(source, make, None, quote) as records:
        for line, cells in records:
            if "".join(cells).strip():
                yield line, cells


def _records(source: Source, make: Assembler, text: TextIO, form: _Form) -> Lines:
    """The records of a text.

    Raises `_RecordError` where one cannot be read, ManifestError where it is too long to be one.
    """
    room, at = MOST_CHARACTERS, form.skip
    begins = at + 1

    def lines() -> Iterator[str]:
        nonlocal room, at
        readline = text.readline
        while line := readline(MOST_CHARACTERS + 1):
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
                yield from _parted(line, make, form)
            elif line[-1] == _END_OF_FILE or line[0] == _END_OF_FILE:
                # What DOS ended files with, and `copy` on Windows still does.
                yield line.replace(_END_OF_FILE, "")
            else:
                yield line

    csv.field_size_limit(_LONGEST_CELL)
    reader = csv.reader(lines(), _Strict, delimiter=form.delimiter, **_quoting(form.quote))
    try:
        for cells in reader:
            line, begins, room = begins, at + 1, MOST_CHARACTERS
            if at > line and any(_swallowed(cell, form.delimiter) for cell in cells):
                begins = line
                raise csv.Error("a cell that holds what looks like rows")
            yield line, cells
    except csv.Error as error:
        raise _RecordError(str(error), begins, at) from None


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


def _read(source: Source, make: Assembler, delimiter: str | None, quote: str | None) -> Iterator[Row]:
    with _opened(source, make, delimiter, quote) as records:
        header, rest = header_and_rest(source, make, records)
        yield from _rows(source, make, rest, header)


@contextmanager
def _opened(source: Source, make: Assembler, delimiter: str | None, quote: str | None) -> Iterator[Lines]:
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


def _rows(source: Source, make: Assembler, records: Lines, header: Header) -> Iterator[Row]:
    """Every record after the header, and after each further header of files that were joined."""
    repeated = 0
    following: Header | None = header
    while following is not None:
        header, following = following, None
        key = header.known.get("file", 0)
        short = _short_way(make, header)
        for line, cells in records:
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
                        following = again
                        break
                yield row_of(make, header, line, cells)
    if repeated:
        make.left_out(repeated, "a header again, as in files that were joined")


def _short_way(make: Assembler, header: Header) -> Callable[[int, list[str]], Row | None] | None:
    """Makes the ordinary rows quickly, if the header allows one kind of target and nothing fills.

    It returns None for a line in which anything is unusual: that is for the assembler.
    """
    known = header.known
    columns = [column for column in GROUPS if column in known]
    kinds = {GROUPS[column] for column in columns}
    if make.fills or make.has_beside or len(kinds) != 1 or "file" not in known or "attribute" not in known:
        return None
    kind = kinds.pop()
    above_column, own_column = PARENTS.get(kind, (None, columns[0]))
    if own_column not in known or (above_column is not None and above_column not in known):
        return None
    manifest, extra, width, words = make.manifest, header.extra, len(header.names), header.words
    own, file_at, attribute_at = known[own_column], known["file"], known["attribute"]
    parent = known[above_column] if above_column is not None else None
    locale_at, scope_at, name_at = known.get("locale"), known.get("scope"), known.get("filename")

    def short(line: int, cells: list[str]) -> Row | None:
        if len(cells) != width:
            return None
        file, code, attribute = cells[file_at].strip(), cells[own].strip(), cells[attribute_at].strip()
        above = cells[parent].strip() if parent is not None else ""
        if not (file and code and attribute and (above or parent is None)):
            return None
        locale = (cells[locale_at].strip() or None) if locale_at is not None else None
        scope = (cells[scope_at].strip() or None) if scope_at is not None else None
        if file in words or file[:5] == "file:" or not is_plain(code, attribute, locale, scope):
            return None
        name = cells[name_at].strip() if name_at is not None else None
        return Row(
            manifest,
            line,
            file,
            Target(kind, code, above),
            attribute,
            locale,
            scope,
            clean_name(name) if name else None,
            None,
            {name: cells[at] for name, at in extra} if extra else {},
        )

    return short


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
    """A line with more cells than the header: nobody knows which column each is for."""
    if len(cells) <= width or not any(cell.strip() for cell in cells[width:]):
        return None
    quotes = ' If cells are enclosed in another character, name it: --quote "\'"' if _quoted(cells) else ""
    return malformed(
        f"the line has {len(cells)} cells, the header {width}",
        f"Put cells that contain the delimiter in quotes, or remove the extra cells.{quotes}",
    )


def _quoted(cells: list[str]) -> bool:
    return any(cell.lstrip()[:1] == "'" for cell in cells)
