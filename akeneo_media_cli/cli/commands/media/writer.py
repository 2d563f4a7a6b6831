"""How a list of media files is written: as a table, JSON lines or CSV."""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable, Iterable
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Any, TextIO, cast

if TYPE_CHECKING:
    from ....pim.answers.types import MediaFile

FIELDS = ("code", "original_filename", "mime_type", "size", "extension")


class ListFormat(StrEnum):
    """How a list is written."""

    table = "table"
    jsonl = "jsonl"
    csv = "csv"


def data_out() -> TextIO:
    """Standard output for data: UTF-8, whatever the terminal takes; no line ends but our own."""
    out = cast(Any, sys.stdout)
    if hasattr(out, "reconfigure"):
        out.reconfigure(encoding="utf-8", errors="backslashreplace", newline="")
    return sys.stdout


def writer(format: ListFormat, out: TextIO) -> Callable[[Iterable[MediaFile]], None]:
    if format is ListFormat.jsonl:
        return partial(_write_jsonl, out)
    if format is ListFormat.csv:
        return _csv_writer(out)
    out.write(f"{'SIZE':>9}  {'TYPE':<24}  {'NAME':<40}  CODE\n")
    return partial(_write_table, out)


def _write_jsonl(out: TextIO, files: Iterable[MediaFile]) -> None:
    from ....report.encode import dumps

    out.writelines(dumps({field: getattr(file, field) for field in FIELDS}) + "\n" for file in files)


def _csv_writer(out: TextIO) -> Callable[[Iterable[MediaFile]], None]:
    from ....report.csv_ import cell

    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(FIELDS)

    def write(files: Iterable[MediaFile]) -> None:
        writer.writerows([cell(getattr(file, field)) for field in FIELDS] for file in files)

    return write


def _write_table(out: TextIO, files: Iterable[MediaFile]) -> None:
    from ....wording import one_line, size

    for file in files:
        name = one_line(file.original_filename, 120)
        out.write(
            f"{size(file.size):>9}  {one_line(file.mime_type, 40):<24}  {name:<40}  {one_line(file.code)}\n"
        )
