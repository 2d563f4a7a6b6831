"""Manifests written so that `read_manifests` reads the same rows back."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from typing import Any, TextIO

from ..rows import Row
from .columns import COLUMNS, canonical, file_as_text, target_columns
from .sheets import writing
from .source import SUFFIXES

# Readers drop a space after a delimiter, and what may begin or end a file; they look for cells enclosed in '.
# And not every Python's csv module quotes a lone carriage return.
_NEEDS_QUOTES = re.compile("^[ '\ufeff\x1a]|\r|\x1a$")
_UNWRITABLE = re.compile("[\x00\ud800-\udfff]")


def write_rows(
    rows: Iterable[Row], format: str, stream: TextIO, *, columns: Sequence[str] | None = None
) -> None:
    """Write `rows` as csv, tsv, yaml, json, jsonl or xlsx to `stream`, opened as UTF-8 with `newline=""`.

    XLSX goes to the stream's `buffer`.

    A file name that text cannot carry (bytes that are not UTF-8, control characters, spaces at its ends)
    is written as `file:` and percent-encoded. `columns` are the header of a table (csv, tsv, xlsx); without
    them all rows are held in memory to find out which columns they need. Other formats stream in any case.

    Raises:
        ValueError: an unknown format; a row with a problem or without target; a value outside `columns`;
            or text that no manifest can carry (NUL, or half a surrogate pair outside a file name).
        UsageError: what a sheet cannot hold, or XLSX without the extra `xlsx`.
    """
    write_values((_values(row) for row in rows), format, stream, columns)


def write_values(
    rows: Iterable[dict[str, Any]], format: str, stream: TextIO, columns: Sequence[str] | None = None
) -> None:
    """As `write_rows`, from the values of each row by column. Raises ValueError for an unknown format."""
    write = _WRITERS.get(format)
    if write is None:
        raise ValueError(f"cannot write {format!r}; known: {', '.join(_WRITERS)}")
    write(rows, stream, columns)


def columns_of(rows: Iterable[Row]) -> list[str]:
    """The columns that a table of these rows has, in their order. Raises ValueError as `write_rows` does."""
    return _used(map(_values, rows))


def check_writable(format: str) -> None:
    """Raise UsageError where the extra that writes a format is not installed."""
    if format == "xlsx":
        writing.library()


def suffixes() -> dict[str, str]:
    """The file extensions that a manifest can be written with, and their formats."""
    return {
        suffix: format
        for suffix, format in SUFFIXES.items()
        if format in WRITABLE and suffix not in _READ_ONLY
    }


def _values(row: Row) -> dict[str, Any]:
    """What a manifest says of a row: only what it has, in the order of `COLUMNS`, then the others."""
    if row.target is None or row.problem is not None:
        raise ValueError(f"line {row.line} of {row.manifest} has a problem and cannot be written")
    known = {
        **target_columns(row.target),
        "attribute": row.attribute,
        "locale": row.locale,
        "scope": row.scope,
        "file": file_as_text(row.file),
        "filename": row.filename,
    }
    values: dict[str, Any] = {name: value for name in COLUMNS if (value := known.get(name))}
    values.update((name, value) for name, value in row.extra.items() if canonical(name) is None)
    for name, value in values.items():
        if _UNWRITABLE.search(name) or (isinstance(value, str) and _UNWRITABLE.search(value)):
            raise ValueError(f"`{name}` of {row.file!r} holds text that no manifest can carry")
    return values


def _write_csv(rows: Iterable[dict[str, Any]], stream: TextIO, columns: Sequence[str] | None) -> None:
    _write_table(rows, stream, columns, ",")


def _write_tsv(rows: Iterable[dict[str, Any]], stream: TextIO, columns: Sequence[str] | None) -> None:
    _write_table(rows, stream, columns, "\t")


def _write_table(
    rows: Iterable[dict[str, Any]], stream: TextIO, columns: Sequence[str] | None, delimiter: str
) -> None:
    rows, columns = _with_columns(rows, columns)
    plain = csv.DictWriter(stream, columns, delimiter=delimiter, lineterminator="\n")
    quoted = csv.DictWriter(stream, columns, delimiter=delimiter, lineterminator="\n", quoting=csv.QUOTE_ALL)
    header = {name: name for name in columns}
    for row in chain((header,), rows):
        odd = any(_NEEDS_QUOTES.search(str(value)) for value in row.values())
        (quoted if odd else plain).writerow(row)


def _write_xlsx(rows: Iterable[dict[str, Any]], stream: TextIO, columns: Sequence[str] | None) -> None:
    rows, columns = _with_columns(rows, columns)
    writing.write_sheet(rows, stream.buffer, columns)


def _with_columns(
    rows: Iterable[dict[str, Any]], columns: Sequence[str] | None
) -> tuple[Iterable[dict[str, Any]], Sequence[str]]:
    if columns is not None:
        return rows, columns
    rows = list(rows)
    return rows, _used(rows)


def _used(rows: Iterable[dict[str, Any]]) -> list[str]:
    used = dict.fromkeys(name for row in rows for name in row)
    return [name for name in COLUMNS if name in used] + [n for n in used if n not in COLUMNS]


def _write_yaml(rows: Iterable[dict[str, Any]], stream: TextIO, columns: Sequence[str] | None) -> None:
    import yaml

    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    empty = True
    for row in rows:
        yaml.dump([row], stream, dumper, allow_unicode=True, sort_keys=False, width=1 << 30)
        empty = False
    if empty:
        stream.write("[]\n")


def _write_json(rows: Iterable[dict[str, Any]], stream: TextIO, columns: Sequence[str] | None) -> None:
    before = "[\n"
    for row in rows:
        stream.write(before + json.dumps(row, ensure_ascii=False))
        before = ",\n"
    stream.write("[]\n" if before == "[\n" else "\n]\n")


def _write_jsonl(rows: Iterable[dict[str, Any]], stream: TextIO, columns: Sequence[str] | None) -> None:
    stream.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


_WRITERS: dict[str, Callable[[Iterable[dict[str, Any]], TextIO, Sequence[str] | None], None]] = {
    "csv": _write_csv,
    "tsv": _write_tsv,
    "yaml": _write_yaml,
    "json": _write_json,
    "jsonl": _write_jsonl,
    "xlsx": _write_xlsx,
}

WRITABLE = tuple(_WRITERS)
"""The formats that `write_rows` knows."""
_READ_ONLY = (".xlsm", ".ods")
"""Spreadsheets of other kinds, which are read as xlsx."""
