"""The formats that people write, read to one `Row`.

Decisions where formats differ: in CSV and TSV the cells of known columns are trimmed, in YAML, JSON and
JSONL values are taken as written; numbers stay as they are written everywhere. A row's own value overrides
`--set`, which overrides the manifest's `defaults`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import PurePath
from typing import IO, TYPE_CHECKING

from ..errors import Failure, Kind, UsageError
from ..frozen import frozen
from ..link import hidden, is_link, presentable
from ..rows import Row, RowBatch, single
from ..secret import Secret
from .assemble import Assembler, Note
from .columns import Renamed
from .source import SUFFIXES, Source
from .template import Setting, parse_settings

if TYPE_CHECKING:
    from .layout import Identifiers, Media

__all__ = ["FORMATS", "Reading", "read_batches", "read_manifests"]


@frozen
class Reading:
    """How manifests are to be read, where they do not say so themselves.

    `sheet`: which one of a spreadsheet; None: the first. `columns` of the PIM's own layout that hold media,
    by name or attribute; where none is named, `media` is asked. `identifiers` gives the attributes that
    identify products in the PIM, the main one first. `maps` are `--map` options as typed. `quote` encloses
    cells of a CSV, and `encoding` is that of a CSV; None: found.
    """

    sheet: str | None = None
    columns: Sequence[str] = ()
    media: Media | None = None
    identifiers: Identifiers | None = None
    maps: Sequence[str] = ()
    quote: str | None = None
    encoding: str | None = None


def _csv(source: Source, make: Assembler, how: Reading) -> Iterator[Row | RowBatch]:
    from .delimited import read_csv

    return read_csv(source, make, how.quote)


def _tsv(source: Source, make: Assembler, how: Reading) -> Iterator[Row | RowBatch]:
    from .delimited import read_tsv

    return read_tsv(source, make, how.quote)


def _yaml(source: Source, make: Assembler, how: Reading) -> Iterator[Row]:
    from .documents.yaml_stream import read_yaml

    return read_yaml(source, make)


def _json(source: Source, make: Assembler, how: Reading) -> Iterator[Row]:
    from .documents.json_stream import read_json

    return read_json(source, make)


def _jsonl(source: Source, make: Assembler, how: Reading) -> Iterator[Row]:
    from .documents.json_stream import read_jsonl

    return read_jsonl(source, make)


def _xlsx(source: Source, make: Assembler, how: Reading) -> Iterator[Row]:
    from .sheets.reading import read_sheet

    return read_sheet(source, make, how.sheet)


def _akeneo(source: Source, make: Assembler, how: Reading) -> Iterator[Row]:
    from .layout import read_layout

    return read_layout(source, make, how)


_READERS: dict[str, Callable[[Source, Assembler, Reading], Iterator[Row | RowBatch]]] = {
    "csv": _csv,
    "tsv": _tsv,
    "yaml": _yaml,
    "json": _json,
    "jsonl": _jsonl,
    "xlsx": _xlsx,
    "akeneo": _akeneo,
}
_SHEETS = ("xlsx", "akeneo")
_ENCODED = ("csv", "tsv", "akeneo")
_PACKED: dict[str, bool | None] = {"xlsx": True, "akeneo": None}

_NAME_ONE = f"Name one: --format {', --format '.join(_READERS)}"

_PLAINLY = Reading()

FORMATS = tuple(_READERS)
"""What `--format` may name."""


def read_manifests(
    sources: Sequence[str],
    *,
    format: str | None,
    sets: Sequence[str],
    stdin: IO[bytes],
    note: Note,
    how: Reading = _PLAINLY,
) -> Iterator[Row]:
    """`read_batches`, row by row."""
    return single(read_batches(sources, format=format, sets=sets, stdin=stdin, note=note, how=how))


def read_batches(
    sources: Sequence[str],
    *,
    format: str | None,
    sets: Sequence[str],
    stdin: IO[bytes],
    note: Note,
    how: Reading = _PLAINLY,
) -> Iterator[Row | RowBatch]:
    """The rows of all manifests, in their order, streamed: memory does not grow with rows.

    `sources` are paths, or "-" for `stdin`, whose format is recognized by its beginning where `format` is
    None; `sets` are `--set` options as typed; `note` takes a message and a hint for whatever is odd about a
    manifest but no error. What is wrong with one row is its `problem`. Spreadsheets are read up to a limit.

    Raises:
        UsageError: an unknown format, a malformed option, or standard input named twice; raised at once. And
            an extra that a format needs is not installed, or the format of standard input is not recognized.
        ManifestError: a manifest as a whole cannot be used. Raised when the manifest, or the mistake in it,
            is reached: read everything before sending anything.
    """
    if format is not None and format not in _READERS:
        raise UsageError(f"unknown format {format!r}", f"Known formats: {', '.join(FORMATS)}.")
    if sum(name == "-" for name in sources) > 1:
        raise UsageError("standard input (-) is named twice", "It can be read once: name it once.")
    unknown = format is None and "-" in sources
    if how.sheet is not None and not (unknown or any(_format_of(n, format) in _SHEETS for n in sources)):
        raise _no_sheet()
    if how.quote is not None:
        from .delimited import is_quote

        if not is_quote(how.quote):
            raise UsageError(
                f"--quote {how.quote!r} is not a quote", 'Name one character, such as --quote "\'"'
            )
    if how.encoding is not None:
        from .encodings import checked

        how = replace(how, encoding=checked(how.encoding))
    return _read_all(sources, format, parse_settings(sets), Renamed(how.maps), stdin, note, how)


def _format_of(name: str, chosen: str | None) -> str:
    """The format to read a manifest as; "" where it is not known."""
    return chosen or SUFFIXES.get(PurePath(name).suffix.lower(), "")


def _no_sheet() -> UsageError:
    return UsageError("--sheet is given, but no manifest is a spreadsheet", "Leave it out, or add --format.")


def _read_all(
    names: Sequence[str],
    chosen: str | None,
    settings: Sequence[Setting],
    named: Renamed,
    stdin: IO[bytes],
    note: Note,
    how: Reading,
) -> Iterator[Row | RowBatch]:
    for name in names:
        format = _format_of(name, chosen)
        by_content = name == "-" and not format
        source = Source(
            name,
            stdin,
            note,
            packed=None if by_content else _PACKED.get(format, False),
            encoding=how.encoding if by_content or format in _ENCODED else None,
        )
        try:
            if by_content:
                from .sniff import sniffed

                format = sniffed(source, named, _NAME_ONE)
                if how.sheet is not None and format not in _SHEETS:
                    raise _no_sheet()
            read = _READERS.get(format)
            if read is None:
                raise source.unusable(
                    f"cannot infer the format from the file extension (known: {', '.join(SUFFIXES)})",
                    _NAME_ONE,
                )
            with source.trouble():
                yield from _noted(name, read(source, Assembler(name, settings, note, named), how), note)
        finally:
            source.close()
    for column in named.unmet:
        note(
            f"--map {column}=...: no manifest has a column {column}", "Check how it is spelled in the header."
        )


def _noted(name: str, rows: Iterator[Row | RowBatch], note: Note) -> Iterator[Row | RowBatch]:
    row = None
    for row in rows:
        if isinstance(row, RowBatch):
            yield row
            continue
        if "://" in row.file and row.archive is None and is_link(row.file):
            # The one place that all rows come through: what is secret about links goes no further.
            row.file, whole = presentable(row.file)
            row.link = Secret(whole) if whole else None
        elif (visible := hidden(row.file)) != row.file:
            row.file = visible
            row.problem = row.problem or Failure(
                Kind.LINK_REFUSED,
                f"{visible} looks like a link, but not like one that can be followed",
                "Write the link alone, as https://host/path, and not in a table inside a ZIP.",
            )
        if row.filename:
            row.filename = hidden(row.filename)
        yield row
    if row is None:
        note(f"{name}: has no rows", "Nothing to do for this manifest.")
