"""Small manifests that would take much memory or disk are refused as a whole, not expanded."""

from __future__ import annotations

import io
import json
import random
import zipfile

import pytest

from akeneo_media_cli.errors import ManifestError
from akeneo_media_cli.manifest import archive, delimited
from akeneo_media_cli.manifest.assemble import Assembler
from akeneo_media_cli.manifest.columns import canonical, near_miss
from akeneo_media_cli.manifest.sheets import ods as ods_reader
from akeneo_media_cli.manifest.sheets import parts, xlsx

from .reading import Reader
from .sheets.test_sheets import ods, ods_row, replaced, rows_in

MB = 1_000_000


def refused(read: Reader, content: str | bytes, suffix: str) -> str:
    with pytest.raises(ManifestError) as caught:
        read(content, suffix)
    assert caught.value.hint
    assert len(str(caught.value)) < 2_000
    return str(caught.value)


def test_aliases_that_stand_for_much_text(read: Reader) -> None:
    big = f"- &big '{'A' * MB}'\n"
    one = big + f"- {{product: a, attribute: p, file: f, x: [{'*big,' * 17}]}}\n"
    assert "more than 16,777,216 characters, aliases written out" in refused(read, one, ".yaml")
    many = big + "- {product: a, attribute: p, file: f, x: *big}\n" * 40
    said = refused(read, many, ".yaml")
    assert "line 35, column 42" in said and "stand for far more text than the file has" in said
    keys = big + "- {product: a, attribute: p, file: f, *big : x}\n" * 40
    assert "far more text" in refused(read, keys, ".yaml")
    merged = f"- &d {{product: a, attribute: p, file: f, x: '{'A' * MB}'}}\n" + "- <<: *d\n" * 40
    assert "far more text" in refused(read, merged, ".yaml")


def test_ordinary_aliases_may_be_as_many_as_rows(read: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    """What they add is measured by the size of the file, not by a number that a big file reaches."""
    monkeypatch.setattr("akeneo_media_cli.manifest.documents.items._HARMLESS", 1)
    row = "- {<<: *d, product: sku-1, file: images/sku-1.jpg}\n"
    content = "- &d {product: a, attribute: picture, locale: en_US, file: f}\n" + row * 1000
    assert len(read(content, ".yaml").rows) == 1001


@pytest.mark.parametrize("suffix", [".yaml", ".json"])
def test_defaults_that_fill_much_into_every_row(read: Reader, suffix: str) -> None:
    def content(length: int, rows: int) -> str:
        defaults = {"attribute": "p", "file": "f", "product": "a", "x": "A" * length}
        return json.dumps({"defaults": defaults, "uploads": [{}] * rows})

    assert "`defaults` has 1,000,0" in refused(read, content(MB, 40), suffix)
    assert len(read(content(MB, 30), suffix).rows) == 30
    assert len(read(content(100, 3000), suffix).rows) == 3000


def test_a_long_key_beside_uploads_is_not_compared_or_shown_whole(read: Reader) -> None:
    found = read(json.dumps({"k" * MB: 1, "uploads": []}), ".json")
    assert len(found.notes[0]) < 300
    assert "kkk" in refused(read, json.dumps({"k" * MB: 1}), ".json")


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delimited, "MOST_CHARACTERS", 10_000)


@pytest.mark.usefixtures("short")
@pytest.mark.parametrize(
    "content",
    [
        "product,attribute,file\n" + "x" * 10_001,
        "product,attribute,file\na,p," + "," * 10_000,
        'product,attribute,file\na,p,"' + "\n" * 10_001,
        "product,attribute,file\na,p,f," + ',"\n"' * 5_000,
    ],
)
def test_a_csv_record_without_end(read: Reader, content: str) -> None:
    said = refused(read, content, ".csv")
    assert "line 2: the record that begins there has more than 10,000 characters" in said


@pytest.mark.usefixtures("short")
def test_the_limit_is_a_records_and_not_a_files(read: Reader) -> None:
    rows = 'a,p,"5""\nf"\n' * 3_000
    assert len(read("product,attribute,file\n" + rows, ".csv").rows) == 3_000
    assert "line 1: the record that" in refused(read, "x" * 10_001, ".csv")
    exact = "product,attribute,file\na,p," + "f" * (10_000 - 4)
    assert len(read(exact, ".csv").rows) == 1


def test_names_of_columns_that_every_row_would_carry(read: Reader) -> None:
    content = "product,attribute,file," + "x" * 50_000
    assert "the names of its columns have more than" in refused(
        read, content + ("," + "y" * 50_000) * 5, ".csv"
    )
    assert len(read(content + "\na,p,f,1\n", ".csv").rows) == 1


def test_long_keys_are_neither_remembered_nor_shown_whole(read: Reader) -> None:
    notes: list[tuple[str, str]] = []
    make = Assembler("m", [], lambda message, hint: notes.append((message, hint)))
    make.unknown_column("k" * MB, {})
    assert not make._names
    key = "k" * MB
    twice = f'{{"product": "a", "attribute": "p", "file": "f", "{key}": 1, "{key}": 2}}\n'
    half = json.dumps({"product": "a", "attribute": "p", "file": "f", key + "\ud800": 1}) + "\n"
    inner = f'{{"product": "a", "attribute": "p", "file": "f", "x": {{"{key}": 1, "{key}": 2}}}}\n'
    for row in read(twice + half + inner, ".jsonl").rows:
        assert row.problem is not None and len(row.problem.message) < 300
    assert len(refused(read, f'{{"defaults": {{"{key}": 1, "{key}": 2}}, "uploads": []}}', ".json")) < 500
    many = json.dumps({f"k{n}": 1 for n in range(101)} | {"uploads": []})
    assert "more than 100 keys beside `uploads`" in refused(read, many, ".json")


# Spreadsheets.


def sheet(rows: str, shared: str | None = None) -> bytes:
    """An XLSX whose one sheet has the header and `rows` below it, and whose cells may share `shared`."""
    content = replaced(
        rows_in([["sku", "attribute", "file"]]),
        "xl/worksheets/sheet1.xml",
        lambda body: body.replace(b"</sheetData>", rows.encode() + b"</sheetData>"),
    )
    if shared is None:
        return content
    return replaced(
        content,
        "xl/sharedStrings.xml",
        lambda body: body[: body.index(b"<si>")] + shared.encode() + b"</sst>",
    )


def noise(count: int) -> str:
    """Text that packs badly, so that no ratio gives it away."""
    return random.Random(1).randbytes(count // 2 + 1).hex()[:count]


def test_a_part_that_unpacks_to_far_more(read: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "HARMLESS", 100_000)
    for content in (sheet(f"<row><c><v>{'1' * 200_000}</v></c></row>"), sheet("", "<si/>" * 40_000)):
        assert "bytes from" in refused(read, content, ".xlsx")
    assert "content.xml unpacks to" in refused(read, ods("<x/>" * 50_000), ".ods")


@pytest.mark.parametrize("way", ["inline", "rich", "value", "shared", "ods", "spaces"])
def test_one_cell_with_endless_text(read: Reader, way: str) -> None:
    half = noise(600_000)
    text, run = half + "x" * 600_000, f"<r><t>{half}</t></r>"
    content = {
        "inline": lambda: sheet(f'<row><c t="inlineStr"><is><t>{text}</t></is></c></row>'),
        "rich": lambda: sheet(f'<row><c t="inlineStr"><is>{run}{run}</is></c></row>'),
        "value": lambda: sheet(f'<row><c t="str"><v>{text}</v></c></row>'),
        "shared": lambda: sheet("", f"<si><t>{text}</t></si>"),
        "ods": lambda: ods(ods_row(text)),
        "spaces": lambda: ods(ods_row('<text:s text:c="+0000999999999999"/>')),
    }[way]()
    said = refused(read, content, ".ods" if way in ("ods", "spaces") else ".xlsx")
    assert "a cell has more than 1,048,576 characters" in said


@pytest.mark.parametrize("index", ["1", "<!-- -->1", "1<!-- -->0", "<![CDATA[1]]>0", "x", " 1", "77", "1_0"])
def test_many_cells_that_share_one_long_text(
    read: Reader, monkeypatch: pytest.MonkeyPatch, index: str
) -> None:
    """However the library may read an index that is oddly written."""
    monkeypatch.setattr(xlsx, "MOST_TEXT", 1_000_000)
    shared = f"<si><t>a</t></si><si><t>{'A' * 30_000}</t></si><si><t>c</t></si>"
    cells = f'<row><c t="s"><v>{index}</v></c></row>' * 40
    assert "more than 1,000,000 characters in all" in refused(read, sheet(cells, shared), ".xlsx")
    short = sheet(cells.replace(index, "0"), shared)
    assert "no column `file`" in refused(read, short, ".xlsx")


def test_too_many_shared_texts(read: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xlsx, "MOST_CELLS", 1000)
    assert "more than 1,000 texts" in refused(read, sheet("", "<si/>" * 1001), ".xlsx")


@pytest.mark.parametrize("repeat", ["40", "+40", "00000000000000040"])
def test_an_ods_cell_that_stands_for_many(read: Reader, monkeypatch: pytest.MonkeyPatch, repeat: str) -> None:
    monkeypatch.setattr(xlsx, "MOST_TEXT", 1_000_000)
    row = ods_row("A" * 30_000, more=f' table:number-rows-repeated="{repeat}"')
    cell = ods_row("A" * 30_000).replace(
        "<table:table-cell", f'<table:table-cell table:number-columns-repeated="{repeat}"'
    )
    value = row.replace("<text:p>", "").replace("</text:p>", "").replace("A" * 30_000, "")
    value = value.replace("office:value-type", f'office:string-value="{"A" * 30_000}" office:value-type')
    for table in (row, cell, value):
        assert "more than 1,000,000 characters in all" in refused(read, ods(table), ".ods")


def test_an_ods_of_many_sheets_and_cells_without_a_type(
    read: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the sheet that is read counts; a cell with a value is filled, whatever its type."""
    monkeypatch.setattr(ods_reader, "MOST_CELLS", 1000)
    head = ods_row("file")
    many = ods_row("a", more=' table:number-rows-repeated="1001"')
    content = ods(f'{head}{many}</table:table><table:table table:name="b">{head}{many}')
    assert "1,000 cells are the most" in refused(read, content, ".ods")
    few = ods_row("a", more=' table:number-rows-repeated="600"')
    other = ods(f'{head}{few}</table:table><table:table table:name="b">{head}{few}')
    assert len(read(other, ".ods").rows) == 600
    bare = '<table:table-row><table:table-cell office:value="1" table:number-columns-repeated="2000"/>'
    assert "1,000 cells are the most" in refused(read, ods(bare + "</table:table-row>"), ".ods")


@pytest.mark.parametrize("place", ["xfd1048576", "XFD000000001048576", "A4294967298"])
def test_a_cell_in_the_last_corner_however_it_is_written(read: Reader, place: str) -> None:
    rows = f'<row r="2"><c r="{place}"><v>1</v></c></row>'
    assert "cells are the most" in refused(read, sheet(rows), ".xlsx")


@pytest.mark.parametrize("place", ["AAAAAAAA1", "A99999999999999999999", "$A$1", "A1 ", ""])
def test_a_cell_that_is_nowhere(read: Reader, place: str) -> None:
    """The library counts letters and digits in 32 bits: it would begin again, or panic."""
    rows = f'<row r="2"><c r="{place}"><v>1</v></c></row>'
    assert f"it has a cell at {place[:20]!r}" in refused(read, sheet(rows), ".xlsx")


@pytest.mark.parametrize("row", ["1048576", "0000000001048576", "9" * 30])
def test_a_row_number_however_it_is_written(read: Reader, row: str) -> None:
    rows = f'<row r="{row}">' + "<c><v>1</v></c>" * 10 + "</row>"
    assert "cells are the most" in refused(read, sheet(rows), ".xlsx")


def test_what_the_library_might_take_for_something_else(read: Reader) -> None:
    """It tries formats one after the other, and compares the names of parts without case."""

    def packed(names: list[str]) -> bytes:
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            for name in names:
                archive.writestr(name, "<x/>")
        return out.getvalue()

    both = packed(["mimetype", "content.xml", "xl/sharedStrings.xml"])
    assert "XLSX and an ODS file at once" in refused(read, both, ".ods")
    binary = packed(["xl/workbook.xml", "XL\\sharedStrings.bin"])
    assert "it is an XLSB file" in refused(read, binary, ".xlsx")
    twice = packed(["xl/workbook.xml", "xl/worksheets/sheet1.xml", "xl/Worksheets/Sheet1.xml"])
    assert "two parts of one name" in refused(read, twice, ".xlsx")
    sheets = replaced(
        rows_in([["file"]]),
        "xl/workbook.xml",
        lambda body: body.replace(b"</sheets>", b'<sheet name="Bilder" sheetId="2" r:id="rId1"/></sheets>'),
    )
    assert "two sheets 'Bilder'" in refused(read, sheets, ".xlsx")


def test_a_tag_that_does_not_end(read: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "_PIECE", 1000)
    content = sheet(f'<row a="{noise(80_000)}"><c><v>1</v></c></row>')
    assert "has a tag or a text of more than" in refused(read, content, ".xlsx")


def test_a_long_header_cell_is_not_compared_or_shown_whole(read: Reader) -> None:
    assert "no column `file`" in refused(read, rows_in([["sku", "x" * 32_000]]), ".xlsx")
    assert near_miss("f" * 30_000 + "ile") is None
    assert canonical("product" + " " * 30_000) is None
