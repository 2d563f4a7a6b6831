"""Whatever a spreadsheet or a ZIP holds: rows or a `ManifestError`, and nothing else."""

from __future__ import annotations

import io
import tempfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from akeneo_media_cli.errors import ManifestError
from akeneo_media_cli.manifest import Reading, read_manifests
from akeneo_media_cli.storage import FileRoots, check_file

from .sheets.test_sheets import HEADER, ods, ods_row, replaced, rows_in
from .test_layout import PRODUCTS

pytestmark = pytest.mark.fuzz

SHEET = rows_in([HEADER, ["a", "picture", "a.jpg", 1.5], [123, "picture", "b.jpg", True]])
ODS = ods(
    ods_row("sku", "attribute", "file") + ods_row("a", "p", "f", more=' table:number-rows-repeated="3"')
)
PARTS = (
    "xl/workbook.xml",
    "xl/_rels/workbook.xml.rels",
    "xl/styles.xml",
    "xl/sharedStrings.xml",
    "xl/worksheets/sheet1.xml",
)
WORDS = (
    *(
        b"<c>",
        b"<v>",
        b"</v>",
        b"<row ",
        b' r="XFD9999999"',
        b' r="A0"',
        b' s="-1"',
        b' t="s"',
        b"99999999999999999999",
    ),
    *(
        b"1e308",
        b"-1",
        b"\xff",
        b"\0",
        b"&#0;",
        b"&lt;",
        b"<!--",
        b"]]>",
        b'table:number-columns-repeated="16384"',
    ),
    *(b'formatCode="0000000000000000000000"', b"/>", b'"', b"00"),
)


def zipped() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("products.csv", PRODUCTS)
        archive.writestr("files/p-1/picture/a.jpg", b"\xff\xd8\xff\xe0\xff\xd9")
    return out.getvalue()


def check(content: bytes, suffix: str, format: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"m{suffix}")
        path.write_bytes(content)
        try:
            rows = list(
                read_manifests(
                    [str(path)],
                    format=format,
                    sets=["attribute={stem}"],
                    stdin=io.BytesIO(),
                    note=lambda *_: None,
                    how=Reading(columns=["picture"] if format == "akeneo" else ()),
                )
            )
        except ManifestError as error:
            str(error).encode("utf-8", "surrogateescape")
            return
        for row in rows:
            check_file(row, FileRoots())
            assert row.problem is not None or (row.target is not None and row.file)


def changes(size: int) -> st.SearchStrategy[list[tuple[int, int, bytes]]]:
    """Where to cut, how much to leave out, and what to put there."""
    places = st.integers(0, size)
    words = st.one_of(st.sampled_from(WORDS), st.binary(max_size=3))
    return st.lists(st.tuples(places, st.integers(0, 30), words), min_size=1, max_size=4)


def changed(content: bytes, cuts: list[tuple[int, int, bytes]]) -> bytes:
    for at, left_out, word in cuts:
        content = content[:at] + word + content[at + left_out :]
    return content


@pytest.mark.parametrize("part", PARTS)
@given(data=st.data())
def test_any_part_of_a_workbook(part: str, data: st.DataObject) -> None:
    with zipfile.ZipFile(io.BytesIO(SHEET)) as archive:
        size = archive.getinfo(part).file_size
    cuts = data.draw(changes(size))
    check(replaced(SHEET, part, lambda body: changed(body, cuts)), ".xlsx", "xlsx")


@given(data=st.data())
def test_any_content_of_an_ods(data: st.DataObject) -> None:
    cuts = data.draw(changes(len(ODS)))
    check(replaced(ODS, "content.xml", lambda body: changed(body, cuts)), ".ods", "xlsx")


@pytest.mark.parametrize(
    ("content", "suffix", "format"),
    [(SHEET, ".xlsx", "xlsx"), (zipped(), ".zip", "akeneo")],
    ids=["xlsx", "zip"],
)
@given(data=st.data())
def test_any_bytes_of_an_archive(content: bytes, suffix: str, format: str, data: st.DataObject) -> None:
    check(changed(content, data.draw(changes(len(content)))), suffix, format)


@given(data=st.data())
def test_any_table_in_the_pims_layout(data: st.DataObject) -> None:
    check(changed(PRODUCTS.encode(), data.draw(changes(len(PRODUCTS)))), ".csv", "akeneo")
