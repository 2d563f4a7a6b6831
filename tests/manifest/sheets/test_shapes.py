"""Numbers as spreadsheets show them."""

from __future__ import annotations

import io
import tracemalloc
import zipfile

import pytest
import xlsxwriter

from akeneo_media_cli.manifest.sheets.shapes import shape_of
from akeneo_media_cli.manifest.sheets.xlsx import check, look_at

from ..reading import Reader


@pytest.mark.parametrize(
    ("format", "value", "seen"),
    [
        ("00000", 12, "00012"),
        ("00000", 1234567, "1234567"),
        ('"SKU-"0000', 12, "SKU-0012"),
        ('"SKU-"0000', 123456, "SKU-123456"),
        ("00-000", 12, "00-012"),
        ("00-000", 1234567, "1234-567"),
        ('000"-X"', 12, "012-X"),
        (r"\A0\.00", 12, "A0.12"),
        ("[$-409]00000", 12, "00012"),
        ("[$€-407] 00", 1, "€ 01"),
        ("0000", -5, "-0005"),
        ('"SKU-"0000', -5, "-SKU-0005"),
        ("0000;[Red]-0000", -5, "-0005"),
        ('0000;"minus "00;"none "0', -5, "minus 05"),
        ('0000;"minus "00;"none "0', 0, "none 0"),
        ("0000;0000", 0, "0000"),
        ('00_);"a;b"00', -3, "a;b03"),
        ("0.00", 10.1, "10.10"),
        ("0.00", 12, "12.00"),
        ("000.0", -1.5, "-001.5"),
        ('"v"0.00', 0, "v0.00"),
        ("0.00", 1 / 3, None),
        ("00000", 12.5, None),
        ("00000", 1e15, None),
        ("00000;General", -5, None),
        ('00000;"none"', -5, None),
    ],
)
def test_what_is_seen(format: str, value: float, seen: str | None) -> None:
    shape = shape_of(format)
    assert shape is not None
    assert shape.text(float(value)) == seen


@pytest.mark.parametrize(
    "format",
    ["", "0", "General", "#,##0", ".00", "0.0.0", "0.00E+00", "0%", "yyyy-mm-dd", "@", "# ?/?", "0;0",
     "[>9]000", '"text"', '"0', "00 EUR"],
)  # fmt: skip
def test_formats_of_anything_else_change_nothing(format: str) -> None:
    assert shape_of(format) is None


def test_a_sheet_is_read_as_it_looks(read: Reader) -> None:
    out = io.BytesIO()
    formats = ['"SKU-"0000', "00-000", '000"-X"', "[$-409]00000", "0000", "General"]
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        sheet.write_row(2, 1, ["sku", "attribute", "file"])
        for n, format in enumerate(formats, 3):
            sheet.write_number(n, 1, -5 if format == "0000" else 12, book.add_format({"num_format": format}))
            sheet.write_row(n, 2, ["picture", "a.jpg"])
    found = read(out.getvalue(), ".xlsx")
    codes = [row.target.code for row in found.rows if row.target]
    assert codes == ["SKU-0012", "00-012", "012-X", "00012", "-0005", "12"]


def test_what_is_remembered_of_a_cell_is_two_bytes() -> None:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        sheet, padded = book.add_worksheet("s"), book.add_format({"num_format": "00000"})
        for row in range(5000):
            for column in range(4):
                sheet.write_number(row, column, row, padded)
    with zipfile.ZipFile(out) as archive:
        shared = check(archive)
        tracemalloc.start()
        found = look_at(archive, "s", shared)
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert found.marked(5000) == [(column, 2) for column in (1, 2, 3, 4)]
    assert found.seen(2, 7.0) == "00007"
    assert held < 20_000 * 8
