"""Cells as openpyxl, exceljs, SheetJS, xlsxwriter, LibreOffice, Gnumeric and odfpy write them."""

from __future__ import annotations

from typing import Any

import pytest

from akeneo_media_cli.errors import Kind, ManifestError

from ..reading import Read, Reader
from .test_sheets import HEADER, ods, replaced, rows_in, workbook

ROWS = [HEADER, ["a", "picture", "a.jpg", "x"], ["b", "picture", "b.jpg", "y"]]


def codes(found: Read) -> list[str | None]:
    return [row.target.code if row.target else None for row in found.rows]


def with_cell(xml: str) -> bytes:
    """A workbook whose cell A3 is this."""

    def change(body: bytes) -> bytes:
        start = body.index(b'<c r="A3"')
        end = body.index(b"</c>", start) + len(b"</c>")
        return body[:start] + xml.encode() + body[end:]

    return replaced(rows_in(ROWS), "xl/worksheets/sheet1.xml", change)


@pytest.mark.parametrize(
    "xml",
    [
        '<c r="A3"><f>A2&amp;"-2"</f><v></v></c>',
        '<c r="A3"><f>A2&amp;"-2"</f><v/></c>',
        '<c r="A3"><f>A2&amp;"-2"</f></c>',
        '<c r="A3" t="str"><f>A2&amp;"-2"</f></c>',
        '<c r="A3"><f t="shared" ref="A3:A4" si="0">A2&amp;"-2"</f></c>',
        '<c r="A3"><f t="array" ref="A3">A2&amp;"-2"</f><v> </v></c>',
    ],
    ids=["openpyxl", "empty v", "exceljs", "str without v", "shared", "array"],
)
def test_a_formula_without_its_value_names_the_cell(read: Reader, xml: str) -> None:
    found = read(with_cell(xml), ".xlsx")
    assert codes(found) == ["a", None]
    assert found.kinds == [None, Kind.ROW_MALFORMED]
    problem = found.rows[1].problem
    assert problem is not None and "the cell A3 has a formula" in problem.message
    assert "LibreOffice" in problem.hint


@pytest.mark.parametrize(
    ("xml", "code"),
    [
        ('<c r="A3" t="str"><f>A2&amp;"-2"</f><v>a-2</v></c>', "a-2"),
        ('<c r="A3"><f>3+4</f><v>7</v></c>', "7"),
        ('<c r="A3" t="b"><f>TRUE()</f><v>1</v></c>', "true"),
        ('<c r="A3" t="s"><v>7</v></c>', "x"),
        ('<c r="A3" t="inlineStr"><is><t>in</t></is></c>', "in"),
    ],
)
def test_a_saved_value_is_read_as_before(read: Reader, xml: str, code: str) -> None:
    found = read(with_cell(xml), ".xlsx")
    assert (codes(found), found.kinds, found.notes) == (["a", code], [None, None], [])


def test_excels_formula_for_an_empty_text_is_an_empty_cell(read: Reader) -> None:
    found = read(with_cell('<c r="A3" t="str"><f>""</f><v></v></c>'), ".xlsx")
    assert found.kinds == [None, Kind.TARGET_MISSING]


def test_rows_of_nothing_but_formulas_are_not_lost(read: Reader) -> None:
    def fill(book: Any, sheet: Any) -> None:
        sheet.write_row(0, 0, HEADER)
        sheet.write_row(1, 0, ["a", "picture", "a.jpg", "x"])
        for column in range(4):
            sheet.write_formula(2, column, "=A2", None, "")
            sheet.write_formula(5, column, "=A2", None, "")

    def emptied(body: bytes) -> bytes:
        return body.replace(b' t="str"', b"").replace(b"<v></v>", b"")

    content = replaced(workbook(fill), "xl/worksheets/sheet1.xml", emptied)
    found = read(content, ".xlsx")
    assert [(row.line, row.problem is None) for row in found.rows] == [(2, True), (3, False), (6, False)]


def test_a_whole_column_of_formulas_keeps_its_place(read: Reader) -> None:
    """The library starts at the first column that has something in it, which is the second one here."""

    def fill(book: Any, sheet: Any) -> None:
        sheet.write_row(0, 1, HEADER)
        sheet.write_row(1, 1, ["a", "picture", "a.jpg", "x"])
        sheet.write_formula(1, 0, "=B2", None, "")

    content = replaced(
        workbook(fill),
        "xl/worksheets/sheet1.xml",
        lambda b: b.replace(b' t="str"', b"").replace(b"<v></v>", b""),
    )
    found = read(content, ".xlsx")
    assert codes(found) == ["a"]
    assert found.kinds == [Kind.ROW_MALFORMED]


def test_xlsxwriters_zero_for_every_formula_is_noted_once(read: Reader) -> None:
    def fill(book: Any, sheet: Any) -> None:
        for n, row in enumerate(ROWS):
            sheet.write_row(n, 0, row)
        sheet.write_formula(2, 0, '=A2&"-2"')
        sheet.write_formula(3, 0, '=A2&"-3"')
        sheet.write_row(3, 1, ["picture", "c.jpg"])

    found = read(workbook(fill), ".xlsx")
    assert codes(found) == ["a", "0", "0"]
    (note,) = found.notes
    assert "the cell A3 has a formula and the saved value 0" in note


def test_a_zero_beside_the_known_columns_is_nobodys_business(read: Reader) -> None:
    def fill(book: Any, sheet: Any) -> None:
        sheet.write_row(0, 0, HEADER)
        sheet.write_row(1, 0, ["a", "picture", "a.jpg"])
        sheet.write_formula(1, 3, "=1-1")

    assert read(workbook(fill), ".xlsx").notes == []


def test_a_formula_in_the_pims_layout(read: Reader) -> None:
    rows = [["sku", "picture", "text"], ["a", "a.jpg", ""], ["b", "b.jpg", "t"]]
    content = replaced(
        rows_in(rows),
        "xl/worksheets/sheet1.xml",
        lambda body: body.replace(b'<c r="A3" t="s"><v>5</v></c>', b'<c r="A3"><f>A2</f></c>'),
    )
    found = read(content, ".xlsx", format="akeneo", columns=["picture"])
    assert [(row.line, row.problem is None) for row in found.rows] == [(2, True), (3, False)]


def test_remarks_beside_the_table_are_told_and_a_repeated_header_too(read: Reader) -> None:
    content = rows_in(
        [
            HEADER,
            ["a", "p", "a.jpg"],
            HEADER,
            ["b", "p", "b.jpg", "", "remark"],
            ["", "", "", "", "only a remark"],
        ]
    )
    found = read(content, ".xlsx")
    assert codes(found) == ["a", "b"]
    assert [note.split(": ", 1)[1] for note in found.notes] == [
        "1 line left out: nothing is in them below the header | ",
        "1 line left out: a header again | ",
    ]


# ODS.

DRAWN = (
    '<table:table-cell office:value-type="string"><draw:frame><draw:text-box><text:p>drawn words</text:p>'
    "</draw:text-box></draw:frame><office:annotation><text:p>a comment</text:p></office:annotation>"
    "<text:p>A-1</text:p></table:table-cell>"
)


def cell(attributes: str, text: str | None = None) -> str:
    inner = "" if text is None else f"<text:p>{text}</text:p>"
    return f"<table:table-cell {attributes}>{inner}</table:table-cell>"


ERROR = 'table:formula="of:=1/0"'
TEXT = cell('office:value-type="string"', "{}")
NUMBER = cell('office:value-type="float" office:value="{}"', "{}")


def drawn(content: bytes) -> bytes:
    return replaced(
        content,
        "content.xml",
        lambda body: body.replace(
            b"<office:document-content ",
            b'<office:document-content xmlns:draw="urn:oasis:names:tc:opendocument:xmlns:drawing:1.0" ',
        ),
    )


def row(*cells: str) -> str:
    return "<table:table-row>" + "".join(cells) + "</table:table-row>"


def table(*firsts: str, indent: str = "") -> bytes:
    """A table with these cells in its column `sku`."""
    head = row(*(TEXT.format(name) for name in ("sku", "attribute", "file")))
    lines = [row(first, TEXT.format("p"), TEXT.format("f.jpg")) for first in firsts]
    body = "".join([head, *lines])
    if indent:
        body = body.replace("<table:", f"\n{indent}<table:").replace(
            "</table:table-row>", f"\n{indent}</table:table-row>"
        )
    return drawn(ods(body))


@pytest.mark.parametrize("indent", ["", "\t", "        "])
@pytest.mark.parametrize(
    ("written", "code"),
    [
        (DRAWN, "A-1"),
        (NUMBER.format("123", "00123"), "00123"),
        (NUMBER.format("12", "SKU-0012"), "SKU-0012"),
        (NUMBER.format("4006381333931", "4.00638E+12"), "4006381333931"),
        (NUMBER.format("4006381333931", "4,006,381,333,931"), "4006381333931"),
        (NUMBER.format("10.1", "10.10"), "10.10"),
        (NUMBER.format("0.333333", "0.33"), "0.333333"),
        (NUMBER.format("-5", "-0005"), "-0005"),
        (NUMBER.format("7", "###"), "7"),
        (TEXT.format("  a\n   b  "), "a b"),
        (TEXT.format("a<text:s/><text:s text:c='2'/>b"), "a   b"),
        (TEXT.format("a<text:span>-</text:span><text:a>1</text:a>"), "a-1"),
        (TEXT.format("a<text:note><text:note-body><text:p>foot</text:p></text:note-body></text:note>"), "a"),
        (cell('office:value-type="string" office:string-value="x"'), "x"),
        (cell('office:value-type="date" office:date-value="2026-11-23T00:00:00"'), "2026-11-23"),
        (cell('office:value-type="time" office:time-value="PT3H04M05S"'), "03:04:05"),
        (cell('office:value-type="boolean" office:boolean-value="true"', 'WAHR'), "true"),
        (cell('office:value-type="percentage" office:value="0.5"', '50 %'), "0.5"),
    ],
)  # fmt: skip
def test_ods_is_read_as_it_is_seen(read: Reader, written: str, code: str, indent: str) -> None:
    found = read(table(written, TEXT.format("z"), indent=indent), ".ods")
    assert (codes(found), found.kinds, found.notes) == ([code, "z"], [None, None], [])


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (cell('table:formula="of:=[.A1]"'), "cell A2 has a formula"),
        (cell('table:formula="of:=[.A1]" office:value-type="string"', ''), "cell A2 has a formula"),
        (cell(f'{ERROR} office:value-type="string" office:string-value=""', "#DIV/0!"), "A2 shows an error"),
        (cell(f'{ERROR} office:value-type="float" office:value="0"', "Err:502"), "cell A2 shows an error"),
    ],
)  # fmt: skip
def test_ods_cells_without_a_value(read: Reader, written: str, said: str) -> None:
    found = read(table(written), ".ods")
    (problem,) = [r.problem for r in found.rows]
    assert problem is not None and said in problem.message


def test_libre_offices_formula_for_an_empty_text(read: Reader) -> None:
    found = read(table(cell('table:formula="of:=&quot;&quot;"', "")), ".ods")
    assert found.kinds == [Kind.TARGET_MISSING]


def test_ods_sheets_are_found_by_name_and_hidden_ones_passed_over(read: Reader) -> None:
    body = row(*(TEXT.format(name) for name in ("sku", "attribute", "file")))
    one = row(TEXT.format("one"), TEXT.format("p"), TEXT.format("f"))
    two = row(TEXT.format("two"), TEXT.format("p"), TEXT.format("f"))
    content = ods(body + one + f'</table:table><table:table table:name="Zwei">{body}{two}')
    hidden = replaced(
        content,
        "content.xml",
        lambda b: (
            b.replace(
                b"<office:body>",
                b'<office:automatic-styles><style:style style:name="ta1">'
                b'<style:table-properties table:display="false"/>'
                b"</style:style></office:automatic-styles><office:body>",
            )
            .replace(b'table:name="Bilder"', b'table:name="Bilder" table:style-name="ta1"')
            .replace(b"<office:document-content ", b'<office:document-content xmlns:style="urn:x" ')
        ),
    )
    assert codes(read(content, ".ods")) == ["one"]
    assert codes(read(hidden, ".ods")) == ["two"]
    assert codes(read(hidden, ".ods", sheet="bilder")) == ["one"]
    with pytest.raises(ManifestError, match="Its sheets: Bilder, Zwei"):
        read(content, ".ods", sheet="x")


def test_a_protected_ods_says_so(read: Reader) -> None:
    content = replaced(
        table(TEXT.format("a")),
        "META-INF/manifest.xml",
        lambda b: b.replace(b"/>", b"><manifest:encryption-data/></manifest:file-entry>", 1),
    )
    with pytest.raises(ManifestError, match="password"):
        read(content, ".ods")


def test_rows_that_an_ods_repeats(read: Reader) -> None:
    one = row(TEXT.format("a"), TEXT.format("p"), TEXT.format("f"))
    many = one.replace("<table:table-row", '<table:table-row table:number-rows-repeated="3"')
    head = row(*(TEXT.format(name) for name in ("sku", "attribute", "file")))
    gap = '<table:table-row table:number-rows-repeated="4"><table:table-cell/></table:table-row>'
    assert [r.line for r in read(ods(gap + head + many + gap + one), ".ods").rows] == [6, 7, 8, 13]
