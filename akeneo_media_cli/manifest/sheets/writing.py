"""XLSX to be filled in or corrected by people: one sheet, every cell text, the header bold and frozen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO

from ...errors import UsageError

LAST_ROW = 1_048_576
"""Rows of a sheet, the header included: Excel's own limit."""
_WIDTHS = {"file": 40, "error": 80}
_WIDTH = 18


def library() -> Any:
    """XlsxWriter. Raises UsageError without the extra `xlsx`."""
    try:
        import xlsxwriter
    except ImportError:
        raise UsageError(
            "writing .xlsx needs the extra `xlsx`",
            "Install it: pip install 'akeneo-media-cli[xlsx]' (or pipx inject, uv tool install --with); "
            "or write .csv.",
        ) from None
    return xlsxwriter


def write_sheet(rows: Iterable[Mapping[str, Any]], stream: BinaryIO, columns: Sequence[str]) -> None:
    """Write a header and the rows. Nothing is a number, a date, a link or a formula, whatever it looks like.

    Rows go to a temporary file as they come, so that memory does not grow. Raises UsageError without the
    extra, and for more rows or longer text than a sheet can hold; OSError if it cannot be written. What the
    rows raise passes through; the stream then holds those that came before.
    """
    xlsxwriter = library()
    try:
        with (
            TemporaryDirectory(prefix="akeneo-media-", ignore_cleanup_errors=True) as folder,
            xlsxwriter.Workbook(stream, {"constant_memory": True, "tmpdir": folder}) as book,
        ):
            _fill(book, rows, columns)
    except xlsxwriter.exceptions.XlsxWriterException as error:
        cause = error.args[0] if error.args else error
        raise (cause if isinstance(cause, OSError) else OSError(str(error))) from None


def _fill(book: Any, rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> None:
    sheet = book.add_worksheet("media")
    # Also for what is typed later: a SKU keeps its leading zeros.
    text = book.add_format({"num_format": "@"})
    bold = book.add_format({"num_format": "@", "bold": True})
    for n, name in enumerate(columns):
        sheet.set_column(n, n, _WIDTHS.get(name, _WIDTH), text)
        _write(sheet, 0, n, name, bold)
    sheet.freeze_panes(1, 0)
    # No green corner at every SKU made of digits.
    sheet.ignore_errors({"number_stored_as_text": f"A1:XFD{LAST_ROW}"})
    at = {name: n for n, name in enumerate(columns)}
    for line, row in enumerate(rows, 1):
        if line >= LAST_ROW:
            raise UsageError(f"a sheet holds no more than {LAST_ROW:,} rows", "Write .csv instead.")
        for name, value in row.items():
            if name not in at:
                raise ValueError(f"{name!r} is none of the columns {', '.join(columns)}")
            if value is not None and value != "":
                _write(sheet, line, at[name], str(value), text)


def _write(sheet: Any, line: int, column: int, value: str, form: Any) -> None:
    if sheet.write_string(line, column, value, form) != 0:
        raise UsageError(
            f"a cell holds no more than 32,767 characters, and one would have {len(value):,}",
            "Write .csv instead.",
        )
