"""XLSX and ODS, as Excel, LibreOffice and bad luck write them."""

from __future__ import annotations

import datetime
import io
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from akeneo_media_cli.errors import Kind, ManifestError, UsageError
from akeneo_media_cli.manifest import Reading, read_manifests
from akeneo_media_cli.manifest.sheets.cells import text_of

from ..reading import Reader

HEADER = ["sku", "attribute", "file", "note"]


def workbook(fill: Callable[[Any, Any], None], **options: Any) -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True, **options}) as book:
        fill(book, book.add_worksheet("Bilder"))
    return out.getvalue()


def rows_in(rows: list[list[Any]], at: tuple[int, int] = (0, 0)) -> bytes:
    def fill(book: Any, sheet: Any) -> None:
        for n, cells in enumerate(rows):
            for m, value in enumerate(cells):
                sheet.write(at[0] + n, at[1] + m, value)

    return workbook(fill)


def replaced(content: bytes, part: str, change: Callable[[bytes], bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for info in old.infolist():
            body = old.read(info)
            new.writestr(info.filename, change(body) if info.filename == part else body)
    return out.getvalue()


def ods(table: str) -> bytes:
    out = io.BytesIO()
    names = " ".join(
        f'xmlns:{n}="urn:oasis:names:tc:opendocument:xmlns:{n}:1.0"' for n in ("office", "table", "text")
    )
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("mimetype"), kind)
        archive.writestr(
            "META-INF/manifest.xml",
            '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
            f'<manifest:file-entry manifest:full-path="/" manifest:media-type="{kind}"/></manifest:manifest>',
        )
        archive.writestr(
            "content.xml",
            f"<office:document-content {names}><office:body><office:spreadsheet>"
            f'<table:table table:name="Bilder">{table}</table:table>'
            "</office:spreadsheet></office:body></office:document-content>",
        )
    return out.getvalue()


def ods_row(*cells: str, more: str = "") -> str:
    inner = "".join(
        f'<table:table-cell office:value-type="string"><text:p>{cell}</text:p></table:table-cell>'
        for cell in cells
    )
    return f"<table:table-row{more}>{inner}</table:table-row>"


def test_a_plain_sheet(read: Reader) -> None:
    found = read(rows_in([HEADER, ["a", "picture", "a.jpg", "x"], ["b", "picture", "b.jpg", ""]]), ".xlsx")
    assert [(r.target and r.target.code, r.attribute, r.file, r.line) for r in found.rows] == [
        ("a", "picture", "a.jpg", 2),
        ("b", "picture", "b.jpg", 3),
    ]
    assert found.rows[0].extra == {"note": "x"}
    assert found.notes == []


def test_numbers_stay_what_is_seen(read: Reader) -> None:
    def fill(book: Any, sheet: Any) -> None:
        padded = book.add_format({"num_format": "00000"})
        sheet.write_row(0, 0, HEADER)
        seen = [
            (1234567890123, None, "1234567890123"),
            (123, padded, "00123"),
            (1234567, padded, "1234567"),
            (1e15, None, "1000000000000000"),
            (12.5, None, "12.5"),
            (0.1 + 0.2, None, "0.3"),
            (0.0000001, None, "0.0000001"),
            (-7, None, "-7"),
        ]
        for n, (value, form, text) in enumerate(seen, 1):
            sheet.write_number(n, 0, value, form)
            sheet.write_row(n, 1, ["picture", "a.jpg", text])
        sheet.write_string(len(seen) + 1, 0, "00123")
        sheet.write_row(len(seen) + 1, 1, ["picture", "a.jpg", "00123"])
        # A text in a cell whose format would pad a number stays as it is.
        sheet.write_string(len(seen) + 2, 0, "7", padded)
        sheet.write_row(len(seen) + 2, 1, ["picture", "a.jpg", "7"])

    found = read(workbook(fill), ".xlsx")
    assert len(found.rows) == 10
    assert [r.target and r.target.code for r in found.rows] == [r.extra["note"] for r in found.rows]


def test_dates_formulas_and_truths_are_values(read: Reader) -> None:
    def fill(book: Any, sheet: Any) -> None:
        sheet.write_row(0, 0, HEADER)
        sheet.write_formula(1, 0, '=CONCATENATE("a","-1")', None, "a-1")
        sheet.write_row(1, 1, ["picture", "a.jpg"])
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        sheet.write_datetime(1, 3, datetime.datetime(2026, 11, 23), day)
        sheet.write_boolean(2, 0, True)
        sheet.write_row(2, 1, ["picture", "a.jpg"])
        sheet.write_formula(3, 0, "=1/0", None, "#DIV/0!")
        sheet.write_row(3, 1, ["picture", "a.jpg"])

    found = read(workbook(fill), ".xlsx")
    assert [r.target and r.target.code for r in found.rows] == ["a-1", "true", None]
    assert found.rows[0].extra == {"note": "2026-11-23"}
    assert found.kinds == [None, None, Kind.ROW_MALFORMED]
    assert found.rows[2].problem is not None and "the cell A4" in found.rows[2].problem.message


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (datetime.datetime(2026, 1, 2, 3, 4, 5), "2026-01-02 03:04:05"),
        (datetime.date(2026, 1, 2), "2026-01-02"),
        (datetime.time(3, 4), "03:04:00"),
        (datetime.timedelta(hours=30), "1 day, 6:00:00"),
        (1e300, "1" + "0" * 300),
        (12, "12"),
        (0.0, "0"),
    ],
)
def test_cells_as_text(value: object, text: str) -> None:
    assert text_of(value) == text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_has_never_an_exponent(value: float) -> None:
    text = text_of(value)
    assert "e" not in text.lower()
    assert float(text) == float(f"{value:.15g}")


def test_the_header_is_found_below_titles_and_beside_margins(read: Reader) -> None:
    content = rows_in(
        [
            ["Spring pictures", "", ""],
            ["", "", ""],
            ["made by", "me", ""],
            HEADER,
            ["a", "p", "a.jpg", "", "remark"],
        ],
        at=(3, 2),
    )
    found = read(content, ".xlsx")
    assert [(r.line, r.file, r.problem) for r in found.rows] == [(8, "a.jpg", None)]


def test_padded_numbers_are_found_wherever_the_table_is(read: Reader) -> None:
    def fill(book: Any, sheet: Any) -> None:
        sheet.write_row(4, 3, HEADER)
        sheet.write_number(6, 3, 42, book.add_format({"num_format": "0000;[Red]-0000"}))
        sheet.write_row(6, 4, ["picture", "a.jpg"])

    (row,) = read(workbook(fill), ".xlsx").rows
    assert (row.target and row.target.code, row.line) == ("0042", 7)


def test_blank_rows_between_are_passed_over(read: Reader) -> None:
    found = read(rows_in([HEADER, [], ["a", "p", "a.jpg"], [" "], ["b", "p", "b.jpg"]]), ".xlsx")
    assert [r.line for r in found.rows] == [3, 5]


def test_sheets_that_are_not_read_are_named(read: Reader) -> None:
    def fill(book: Any, sheet: Any) -> None:
        for each in (sheet, book.add_worksheet("Herbst"), book.add_worksheet("alt")):
            each.write_row(0, 0, HEADER)
            each.write_row(1, 0, ["p", "picture", "a.jpg"])
        each.hide()

    (note,) = read(workbook(fill), ".xlsx").notes
    assert "only the sheet Bilder is read, not Herbst |" in note
    assert read(workbook(fill), ".xlsx", sheet="Herbst").notes == []


def test_the_first_visible_sheet_or_the_one_named(read: Reader) -> None:
    def fill(book: Any, sheet: Any) -> None:
        sheet.write_row(0, 0, HEADER)
        sheet.write_row(1, 0, ["hidden", "p", "a.jpg"])
        other = book.add_worksheet("Über uns")
        other.write_row(0, 0, HEADER)
        other.write_row(1, 0, ["shown", "p", "a.jpg"])
        other.activate()
        other.set_first_sheet()
        sheet.hide()

    path = read.folder / "m.xlsx"
    path.write_bytes(workbook(fill))

    def code(sheet: str | None) -> str:
        (row,) = read_manifests(
            [str(path)],
            format=None,
            sets=(),
            stdin=io.BytesIO(),
            note=lambda *_: None,
            how=Reading(sheet=sheet),
        )
        return row.target.code if row.target else ""

    assert code(None) == "shown"
    assert code("Bilder") == "hidden"
    assert code("über UNS ") == "shown"
    with pytest.raises(ManifestError, match="Its sheets: Bilder, Über uns"):
        code("nothing")


def test_a_sheet_is_named_for_what_has_none(read: Reader) -> None:
    with pytest.raises(UsageError, match="no manifest is a spreadsheet"):
        read_manifests(
            ["a.csv"], format=None, sets=(), stdin=io.BytesIO(), note=lambda *_: None, how=Reading(sheet="x")
        )


def test_standard_input_and_other_suffixes(read: Reader) -> None:
    content = rows_in([HEADER, ["a", "p", "a.jpg"]])
    assert len(read.files("-", format="xlsx", stdin=content).rows) == 1
    assert len(read(content, ".xlsm").rows) == 1
    assert len(read(content, ".data", format="xlsx").rows) == 1


def test_set_fills_what_a_sheet_leaves_out(read: Reader) -> None:
    content = rows_in([["file"], ["a.jpg"]])
    found = read(content, ".xlsx", sets=["product={stem}", "attribute=p"])
    assert found.rows[0].target is not None and found.rows[0].target.code == "a"


def test_ods(read: Reader) -> None:
    number = '<table:table-cell office:value-type="float" office:value="1234567890123"/>'
    table = (
        ods_row("sku", "attribute", "file")
        + f"<table:table-row>{number}{ods_row('p', 'a.jpg')[len('<table:table-row>') :]}"
        + '<table:table-row table:number-rows-repeated="1048573"><table:table-cell '
        'table:number-columns-repeated="16384"/></table:table-row>'
    )
    found = read(ods(table), ".ods")
    assert [(r.target and r.target.code, r.file, r.line) for r in found.rows] == [
        ("1234567890123", "a.jpg", 2)
    ]


def unusable(read: Reader, content: bytes, suffix: str = ".xlsx") -> str:
    with pytest.raises(ManifestError) as caught:
        read(content, suffix)
    return str(caught.value)


def corner(body: bytes) -> bytes:
    return body.replace(b"</sheetData>", b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>')


def test_a_cell_in_the_last_corner_is_refused(read: Reader) -> None:
    content = replaced(rows_in([HEADER]), "xl/worksheets/sheet1.xml", corner)
    assert "10,000,000 cells are the most" in unusable(read, content)


def test_cells_without_places_are_counted(read: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("akeneo_media_cli.manifest.sheets.xlsx.MOST_CELLS", 20_000)

    def change(body: bytes) -> bytes:
        cells = b"<c><v>1</v></c>" * 500
        return body.replace(b"</sheetData>", (b"<row>" + cells + b"</row>") * 50 + b"</sheetData>")

    content = replaced(rows_in([HEADER]), "xl/worksheets/sheet1.xml", change)
    assert "cells are the most" in unusable(read, content)


def test_an_ods_that_repeats_is_refused(read: Reader) -> None:
    many = ods_row("x", more=' table:number-rows-repeated="1048000"')
    wide = many.replace("<table:table-cell", '<table:table-cell table:number-columns-repeated="16000"')
    assert "cells are the most" in unusable(read, ods(ods_row("sku") + wide), ".ods")


def test_a_bomb_is_refused(read: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("akeneo_media_cli.manifest.sheets.parts.MOST_BYTES", 100_000)
    content = replaced(rows_in([HEADER]), "xl/sharedStrings.xml", lambda body: body + b" " * 200_000)
    assert "unpacks to more than" in unusable(read, content)
    pictures = io.BytesIO()
    with zipfile.ZipFile(pictures, "w") as archive:
        archive.writestr("xl/media/image1.bin", bytes(200_000))
    assert "it has more than" in unusable(read, pictures.getvalue())


def test_a_bomb_that_lies_about_its_size_is_refused(read: Reader) -> None:
    content = bytearray(replaced(rows_in([HEADER]), "xl/sharedStrings.xml", lambda b: b + b" " * 100_000))
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        true = archive.getinfo("xl/sharedStrings.xml").file_size
    for at in range(len(content) - 4):
        if content[at : at + 4] == true.to_bytes(4, "little"):
            content[at : at + 4] = (100).to_bytes(4, "little")
    assert "cannot be unpacked" in unusable(read, bytes(content))


def test_entities_are_refused(read: Reader) -> None:
    content = replaced(
        rows_in([HEADER]),
        "xl/worksheets/sheet1.xml",
        lambda body: body.replace(b"<worksheet", b'<!DOCTYPE x [<!ENTITY a "b">]><worksheet', 1),
    )
    assert "declares entities" in unusable(read, content)


def test_what_is_no_spreadsheet_says_so(read: Reader) -> None:
    assert "not an XLSX or ODS file" in unusable(read, b"sku,file\na,b\n")
    assert "is empty" in unusable(read, b"")
    assert "password" in unusable(read, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600))
    assert "damaged" in unusable(read, b"PK\x03\x04" + bytes(600))
    with pytest.raises(ManifestError, match="not an XLSX"):
        read.files("-", format="xlsx", stdin=b"a,b\n")
    assert "say --format xlsx" in unusable(read, rows_in([HEADER]), ".csv")
    whole = rows_in([HEADER, ["a", "b", "c"]])
    assert unusable(read, whole[: len(whole) // 2])
    empty = io.BytesIO()
    with zipfile.ZipFile(empty, "w") as archive:
        archive.writestr("readme.txt", "x")
    assert "spreadsheet" in unusable(read, empty.getvalue())
    twice = io.BytesIO()
    with zipfile.ZipFile(twice, "w") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("a.xml", "x")
        archive.writestr("a.xml", "y")
    assert "two parts of one name" in unusable(read, twice.getvalue())
    assert "is empty" in unusable(read, rows_in([]))
    assert "no column `file`" in unusable(read, rows_in([["sku", "name"], ["a", "b"]]))
    broken = replaced(whole, "xl/worksheets/sheet1.xml", lambda body: body[:-30])
    assert "is not valid XML" in unusable(read, broken)
    gone = replaced(whole, "xl/_rels/workbook.xml.rels", lambda body: body.replace(b"rId1", b"rId77"))
    assert unusable(read, gone)


def test_without_the_extra_it_is_said_how_to_get_it(read: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "python_calamine", None)
    with pytest.raises(UsageError, match=r"akeneo-media-cli\[xlsx\]"):
        read(rows_in([HEADER]), ".xlsx")


def test_a_panic_of_the_library_is_a_file_that_cannot_be_read(
    read: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    import python_calamine

    class PanicException(BaseException):  # what Rust raises through PyO3
        pass

    class Workbook:
        problem: BaseException = PanicException("index out of bounds")

        @classmethod
        def from_filelike(cls, file: object) -> None:
            raise cls.problem

    monkeypatch.setattr(python_calamine, "CalamineWorkbook", Workbook)
    assert "(index out of bounds)" in unusable(read, rows_in([HEADER]))
    Workbook.problem = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        read(rows_in([HEADER]), ".xlsx")


def test_it_goes_up_with_one_command(command: list[str], tmp_path: Path) -> None:
    (tmp_path / "shoot.xlsx").write_bytes(
        rows_in([HEADER, ["a", "picture", "a.jpg"], [12, "picture", "a.jpg"]])
    )
    (tmp_path / "a.jpg").write_bytes(b"\xff\xd8\xff\xe0 a picture\xff\xd9")
    done = subprocess.run(
        [*command, "upload", "shoot.xlsx", "--sandbox", "--sheet", "Bilder"],
        cwd=tmp_path,
        text=True,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Every row is in the PIM" in done.stderr
