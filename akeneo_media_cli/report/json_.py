"""The report as JSON, whole or a row a line."""

from __future__ import annotations

from typing import TextIO

from .encode import dumps
from .items import Report


def write_json(report: Report, out: TextIO, *, ascii_only: bool = False) -> None:
    """One object as docs/reports.md has it, a row a line within, so that `grep` and `diff` work on it too.

    With `ascii_only` the text passes through any encoding: standard output may have another than UTF-8.
    """
    before = "{"
    for key, value in report.header().items():
        out.write(f"{before}{dumps(key)}: {dumps(value, ascii_only=ascii_only)}")
        before = ",\n "
    out.write(',\n "items": [')
    before = "\n  "
    for item in report.items():
        out.write(before + dumps(item, ascii_only=ascii_only))
        before = ",\n  "
    out.write("]}\n" if before == "\n  " else "\n ]}\n")


def write_jsonl(report: Report, out: TextIO) -> None:
    """The items alone, each on a line: every line has one shape, as pandas, BigQuery and `jq` take it."""
    out.writelines(dumps(item) + "\n" for item in report.items())
