"""The PIM's own layout: CSV, XLSX, and ZIPs with the media in them."""

from __future__ import annotations

import io
import stat
import struct
import unicodedata
import warnings
import zipfile
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import pytest

from akeneo_media_cli.errors import Failure, Kind, ManifestError, UsageError
from akeneo_media_cli.manifest import Reading, read_manifests
from akeneo_media_cli.manifest.archive import Archive, member_path, open_archive, split_member_path
from akeneo_media_cli.rows import Row
from akeneo_media_cli.storage import FileRoots, LocalFile, check_file

from .sheets.test_sheets import rows_in, workbook

PRODUCTS = (
    "sku;family;picture;weight-unit;manual-en_US-ecommerce;label-fr_FR;shop-mobile;name\n"
    "p-1;shoes;files/p-1/picture/a.jpg;KILOGRAM;files/p-1/manual/m.pdf;;;Shoe\n"
    "p-2;shoes;;;;files/p-2/label/l.jpg;files/p-2/shop/s.jpg;files/p-2/no.jpg\n"
)
JPEG = b"\xff\xd8\xff\xe0 a picture\xff\xd9"
MEDIA = ("picture", "manual", "label", "shop", "MISSING")


def read(
    path: Path,
    *,
    columns: Collection[str] = (),
    media: Callable[[Collection[str]], Collection[str]] | None = None,
    format: str | None = "akeneo",
    sets: Collection[str] = (),
    sheet: str | None = None,
    notes: list[str] | None = None,
    **more: Any,
) -> list[Row]:
    return list(
        read_manifests(
            [str(path)],
            format=format,
            sets=list(sets),
            stdin=io.BytesIO(),
            note=lambda message, _: None if notes is None else notes.append(message),
            how=Reading(sheet=sheet, columns=list(columns), media=media, **more),
        )
    )


def write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def packed(path: Path, members: dict[str, bytes | str], **more: int) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, **more) as archive:  # type: ignore[arg-type]
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def values(rows: list[Row]) -> list[tuple[str, str, str | None, str | None, str, int]]:
    return [(str(r.target), r.attribute, r.locale, r.scope, r.file, r.line) for r in rows]


EXPECTED = [
    ("product p-1", "picture", None, None, "files/p-1/picture/a.jpg", 2),
    ("product p-1", "manual", "en_US", "ecommerce", "files/p-1/manual/m.pdf", 2),
    ("product p-2", "label", "fr_FR", None, "files/p-2/label/l.jpg", 3),
    ("product p-2", "shop", None, "mobile", "files/p-2/shop/s.jpg", 3),
]


def test_the_pim_tells_which_columns_hold_media(tmp_path: Path) -> None:
    asked: list[set[str]] = []

    def media(codes: Collection[str]) -> Collection[str]:
        asked.append(set(codes))
        return [code for code in codes if code in MEDIA]

    assert values(read(write(tmp_path / "p.csv", PRODUCTS), media=media)) == EXPECTED
    assert asked == [{"sku", "picture", "weight", "manual", "label", "shop", "name"}]


def test_columns_are_named_whole_or_by_attribute(tmp_path: Path) -> None:
    path = write(tmp_path / "p.csv", PRODUCTS)
    assert values(read(path, columns=["picture", "manual", "label", "Shop-Mobile"])) == EXPECTED
    with pytest.raises(ManifestError, match="no column 'pictures'"):
        read(path, columns=["pictures"])


def test_nothing_is_guessed(tmp_path: Path) -> None:
    path = write(tmp_path / "p.csv", PRODUCTS)
    with pytest.raises(UsageError, match="--columns"):
        read(path)
    with pytest.raises(ManifestError, match="none of its columns"):
        read(path, media=lambda _: [])


@pytest.mark.parametrize(
    ("header", "line", "target"),
    [
        ("uuid;sku;picture", "u-1;p-1;a.jpg", "product p-1"),
        ("uuid;sku;picture", "u-1;;a.jpg", "product_uuid u-1"),
        ("identifier;picture", "p-1;a.jpg", "product p-1"),
        ("code;family_variant;parent;picture", "m-1;v;;a.jpg", "product_model m-1"),
        ("code;family_variant;sku;picture", "m-1;v;x;a.jpg", "product_model m-1"),
        ("code;picture", "m-1;a.jpg", "product_model m-1"),
    ],
)
def test_who_a_line_is_about(header: str, line: str, target: str, tmp_path: Path) -> None:
    (row,) = read(write(tmp_path / "p.csv", f"{header}\n{line}\n"), columns=["picture"])
    assert str(row.target) == target


def test_lines_that_name_nobody_and_tables_that_cannot(tmp_path: Path) -> None:
    (row,) = read(write(tmp_path / "p.csv", "sku;picture\n;a.jpg\n"), columns=["picture"])
    assert row.problem is not None and row.problem.kind is Kind.TARGET_MISSING
    with pytest.raises(ManifestError, match="no column names the product"):
        read(write(tmp_path / "p.csv", "ean;picture\n1;a.jpg\n"), columns=["picture"])
    with pytest.raises(ManifestError, match="is empty"):
        read(write(tmp_path / "p.csv", "\n\n"), columns=["picture"])
    with pytest.raises(ManifestError, match="not closed"):
        read(write(tmp_path / "p.csv", 'sku;picture\n"a;b\n'), columns=["picture"])


def test_set_fills_what_columns_and_lines_do_not_tell(tmp_path: Path) -> None:
    sets = [
        "scope=print",
        "locale=de_DE",
        "filename={product}-{filename}",
        "season=spring",
        "attribute=other",
    ]
    table = PRODUCTS + ";shoes;files/x.jpg;;;;;\n"
    for path in (write(tmp_path / "p.csv", table), packed(tmp_path / "p.zip", {"p.csv": table})):
        *rows, nobody = read(path, columns=["picture", "manual", "label", "shop"], sets=sets)
        assert [(r.attribute, r.locale, r.scope, r.filename, r.extra) for r in rows] == [
            ("picture", "de_DE", "print", "p-1-a.jpg", {"season": "spring"}),
            ("manual", "en_US", "ecommerce", "p-1-m.pdf", {"season": "spring"}),
            ("label", "fr_FR", "print", "p-2-l.jpg", {"season": "spring"}),
            ("shop", "de_DE", "mobile", "p-2-s.jpg", {"season": "spring"}),
        ]
        assert nobody.problem is not None
        (filled,) = read(path, columns=["picture"], sets=["product=p-9"])[1:]
        assert str(filled.target) == "product p-9" and filled.problem is None


def test_a_sheet_is_named_inside_a_zip_too(tmp_path: Path) -> None:
    def fill(book: Any, sheet: Any) -> None:
        for number, page in enumerate((sheet, book.add_worksheet("Other")), 1):
            page.write_row(0, 0, ["sku", "picture"])
            page.write_row(1, 0, [f"p-{number}", "a.jpg"])

    path = packed(tmp_path / "e.zip", {"p.xlsx": workbook(fill), "a.jpg": b"a"})
    for sheet, product in ((None, "product p-1"), ("Other", "product p-2")):
        (row,) = read(path, columns=["picture"], sheet=sheet)
        assert str(row.target) == product
    with pytest.raises(ManifestError, match="has no sheet 'Third'"):
        read(path, columns=["picture"], sheet="Third")


def test_a_sheet_of_what_has_none_is_told(tmp_path: Path) -> None:
    for path in (write(tmp_path / "p.csv", PRODUCTS), packed(tmp_path / "p.zip", {"p.csv": PRODUCTS})):
        notes: list[str] = []
        assert read(path, columns=["picture"], sheet="x", notes=notes)
        assert "--sheet 'x' has no effect" in notes[0]
        left_out = "1 line left out: they name no file in picture"
        assert [note.partition(": ")[2] for note in notes[1:]] == [left_out]


def test_xlsx(tmp_path: Path) -> None:
    path = write(
        tmp_path / "p.xlsx", rows_in([["sku", "picture"], ["p-1", "files/a.jpg"], [12, "files/b.jpg"]])
    )
    assert values(read(path, columns=["picture"])) == [
        ("product p-1", "picture", None, None, "files/a.jpg", 2),
        ("product 12", "picture", None, None, "files/b.jpg", 3),
    ]


def export(path: Path, **more: bytes) -> Path:
    members: dict[str, bytes | str] = {
        "products.csv": PRODUCTS,
        "files/p-1/picture/a.jpg": JPEG,
        "files/p-1/manual/m.pdf": b"%PDF-1.7\n%%EOF\n",
        "files/p-2/label/l.jpg": b"",
        "files/p-2/shop/s.jpg": b"\x89PNG\r\n\x1a\n" + bytes(40),
        **more,
    }
    return packed(path, members)


def test_a_zip_with_its_media(tmp_path: Path) -> None:
    path = export(tmp_path / "export.zip")
    rows = read(path, media=lambda codes: [c for c in codes if c in MEDIA], format=None)
    assert values(rows) == EXPECTED
    first, second, third, fourth = (check_file(row, FileRoots()) for row in rows)
    assert isinstance(first, LocalFile)
    assert (first.name, first.size) == ("a.jpg", len(JPEG))
    assert split_member_path(first.path) == (str(path), "files/p-1/picture/a.jpg")
    assert isinstance(second, LocalFile)
    assert not isinstance(third, LocalFile) and third.kind is Kind.FILE_EMPTY
    assert not isinstance(fourth, LocalFile) and fourth.kind is Kind.CONTENT_MISMATCH


def test_a_zip_in_a_folder_with_several_tables_of_both_kinds(tmp_path: Path) -> None:
    sheet = rows_in([["code", "family_variant", "picture"], ["m-1", "v", "files/m.jpg"]])
    path = packed(
        tmp_path / "e.zip",
        {
            "out/a.csv": "sku;picture\np-1;./files/a.jpg\np-1;../../etc/passwd\n",
            "out/models.xlsx": sheet,
            "out/files/a.jpg": JPEG,
            "out/files/m.jpg": JPEG,
            "out/files/deep.csv": "no;table\n",
            "__MACOSX/out.csv": "no;table\n",
        },
    )
    rows = read(path, columns=["picture"], format=None)
    assert [(str(r.target), r.file, r.manifest[len(str(path)) :]) for r in rows] == [
        ("product p-1", "out/files/a.jpg", "/out/a.csv"),
        ("product p-1", "out/../../etc/passwd", "/out/a.csv"),
        ("product_model m-1", "out/files/m.jpg", "/out/models.xlsx"),
    ]
    found = [check_file(row, FileRoots()) for row in rows]
    assert [f.kind if not isinstance(f, LocalFile) else f.size for f in found] == [
        len(JPEG),
        Kind.FILE_MISSING,
        len(JPEG),
    ]


def test_names_that_the_pim_could_not_record(tmp_path: Path) -> None:
    name = "files/" + "x" * 256
    path = packed(tmp_path / "e.zip", {"p.csv": f"sku;picture\na;{name}\n", name: b"x"})
    (row,) = read(path, columns=["picture"])
    found = check_file(row, FileRoots())
    assert not isinstance(found, LocalFile) and found.kind is Kind.NAME_TOO_LONG


def refused(path: Path) -> str:
    with pytest.raises(ManifestError) as caught:
        read(path, columns=["picture"])
    return str(caught.value)


TABLE = {"p.csv": "sku;picture\n"}


@pytest.mark.parametrize(
    "name",
    [
        *("../x.jpg", "/etc/x.jpg", "a/../../x.jpg", "C:/x.jpg", "C:x.jpg", "..\\x.jpg", "\\etc\\x.jpg"),
        *("\\\\server\\x.jpg", "a\\..\\..\\x.jpg", "C:\\x.jpg", "a/..\\..\\x.jpg"),
    ],
)
def test_paths_that_lead_out_are_refused(name: str, tmp_path: Path) -> None:
    assert "leads out of it" in refused(packed(tmp_path / "e.zip", {**TABLE, name: b"x"}))


def test_a_zip_made_on_windows_is_read_with_slashes(tmp_path: Path) -> None:
    members = {"export\\products.csv": "sku;picture\na;files\\a.jpg\nb;files/b.jpg\n", "export\\files\\": b""}
    path = packed(tmp_path / "e.zip", {**members, "export\\files\\b.jpg": JPEG, "export/files/a.jpg": JPEG})
    first, second = read(path, columns=["picture"])
    found = check_file(second, FileRoots())
    assert isinstance(found, LocalFile) and found.name == "b.jpg"
    missing = check_file(first, FileRoots())
    assert isinstance(missing, Failure)
    assert "Write / between folder and file" in missing.hint and "export/files/a.jpg" in missing.hint
    twice = packed(tmp_path / "t.zip", {**TABLE, "files\\x.jpg": JPEG, "files/x.jpg": JPEG})
    assert "two members named 'files/x.jpg'" in refused(twice)


def test_links_are_refused(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("files/link.jpg")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    path = packed(tmp_path / "e.zip", dict(TABLE))
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(link, "/etc/passwd")
    assert "is a link" in refused(path)


def test_bombs_are_refused(tmp_path: Path) -> None:
    assert "unpacks to" in refused(packed(tmp_path / "e.zip", {**TABLE, "files/a.bmp": bytes(20_000_000)}))
    many = {f"files/{n}.bmp": bytes(9_000_000) for n in range(3)}
    assert "bytes unpack to" in refused(packed(tmp_path / "f.zip", {**TABLE, **many}))


def test_members_on_top_of_each_other_are_refused(tmp_path: Path) -> None:
    path = packed(tmp_path / "e.zip", {**TABLE, "a.jpg": b"a" * 50, "b.jpg": b"b" * 50})
    content = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        a, b = archive.getinfo("a.jpg"), archive.getinfo("b.jpg")
    at = content.index(b"PK\x01\x02", content.index(b"PK\x01\x02", content.index(b"PK\x01\x02") + 1) + 1)
    assert struct.unpack_from("<I", content, at + 42)[0] == b.header_offset
    struct.pack_into("<I", content, at + 42, a.header_offset)
    path.write_bytes(content)
    assert "overlap" in refused(path).lower()


def test_encrypted_twice_named_or_no_zip_at_all(tmp_path: Path) -> None:
    path = packed(tmp_path / "e.zip", {**TABLE, "a.jpg": b"a"})
    content = bytearray(path.read_bytes())
    at = content.index(b"PK\x01\x02")
    content[at + 8] |= 1
    write(path, bytes(content))
    assert "is encrypted" in refused(path)
    with zipfile.ZipFile(path, "w") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        archive.writestr("p.csv", "sku;picture\n")
        archive.writestr("p.csv", "sku;picture\n")
    assert "two members named" in refused(path)
    assert "no table" in refused(packed(tmp_path / "f.zip", {"files/a.csv": "x", "a.jpg": b"x"}))
    assert "not a ZIP file" in refused(write(tmp_path / "g.zip", b"PK\x03\x04" + bytes(40)))
    bad = packed(tmp_path / "h.zip", dict(TABLE)).read_bytes().replace(b"sku", b"SKU")
    whole = bytearray(packed(tmp_path / "h.zip", dict(TABLE)).read_bytes())
    whole[40:44] = b"\xff\xff\xff\xff"
    assert bad and "cannot be unpacked" in refused(write(tmp_path / "h.zip", bytes(whole)))


def test_a_zip_is_not_read_from_standard_input(tmp_path: Path) -> None:
    content = export(tmp_path / "e.zip").read_bytes()
    rows = read_manifests(
        ["-"],
        format="akeneo",
        sets=(),
        stdin=io.BytesIO(content),
        note=lambda *_: None,
        how=Reading(columns=["picture"]),
    )
    with pytest.raises(ManifestError, match="standard input"):
        list(rows)
    rows = read_manifests(
        ["-"],
        format="akeneo",
        sets=(),
        stdin=io.BytesIO(PRODUCTS.encode()),
        note=lambda *_: None,
        how=Reading(columns=["picture"]),
    )
    assert len(list(rows)) == 1


def test_an_archive_is_opened_once_until_it_changes(tmp_path: Path) -> None:
    path = packed(tmp_path / "e.zip", {"a": b"1"})
    first = open_archive(str(path))
    assert open_archive(str(path)) is first
    packed(path, {"a": b"1", "b": b"2"})
    second = open_archive(str(path))
    assert sorted(second.names()) == ["a", "b"]
    for n in range(6):
        open_archive(str(packed(tmp_path / f"{n}.zip", {"x": b"x"})))
    assert open_archive(str(path)) is not second
    with second.open("b") as member:
        assert member.read() == b"2"


ACCENTS = "files/été.jpg"


@pytest.mark.parametrize("cell", ["NFC", "NFD"])
@pytest.mark.parametrize("member", ["NFC", "NFD", "UTF-8 without a word"])
def test_accents_are_one_name_however_they_are_encoded(member: str, cell: str, tmp_path: Path) -> None:
    """Finder takes accents apart, and its ZIPs do not say that names are UTF-8."""
    wanted = unicodedata.normalize(cell, ACCENTS)
    name = unicodedata.normalize("NFC" if member == "NFC" else "NFD", ACCENTS)
    path = tmp_path / "e.zip"
    if member.startswith("UTF-8"):
        stand_in = "files/" + "x" * (len(name.encode()) - len("files/"))
        packed(path, {"p.csv": f"sku;picture\np-1;{wanted}\n", stand_in: JPEG})
        path.write_bytes(path.read_bytes().replace(stand_in.encode(), name.encode()))
    else:
        packed(path, {"p.csv": f"sku;picture\np-1;{wanted}\n", name: JPEG})
    (row,) = read(path, columns=["picture"])
    found = check_file(row, FileRoots())
    assert isinstance(found, LocalFile) and found.size == len(JPEG)
    place = split_member_path(found.path)
    assert place is not None
    with open_archive(place[0]).open(place[1]) as content:
        assert content.read() == JPEG


def test_two_encodings_of_one_name_are_two_members(tmp_path: Path) -> None:
    names = [unicodedata.normalize(form, ACCENTS) for form in ("NFC", "NFD")]
    archive = Archive(str(packed(tmp_path / "e.zip", {names[0]: b"a", names[1]: b"bb"})))
    assert [archive.open(name).read() for name in names] == [b"a", b"bb"]
    archive.close()


def test_a_name_in_the_old_code_page_stays(tmp_path: Path) -> None:
    path = packed(tmp_path / "e.zip", {"files/xtx.jpg": b"a"})
    path.write_bytes(path.read_bytes().replace(b"xtx", "été".encode("cp437")))
    archive = Archive(str(path))
    assert archive.names() == [ACCENTS]
    archive.close()


def test_a_missing_member_names_the_nearest(tmp_path: Path) -> None:
    members: dict[str, bytes | str] = {
        "p.csv": "sku;picture\na;FILES/A.jpg\na;files/frnt.jpg\na;other/front.jpg\n",
        "files/a.jpg": b"a",
        "files/front.jpg": b"a",
    }
    rows = read(packed(tmp_path / "e.zip", members), columns=["picture"])
    hints = [found.hint for row in rows if isinstance(found := check_file(row, FileRoots()), Failure)]
    assert hints[:2] == ["Did you mean files/a.jpg?", "Did you mean files/front.jpg?"]
    assert hints[2].startswith("Export with media")
    archive = Archive(str(tmp_path / "e.zip"))
    found = [archive.nearest("files/frnt.jpg") for _ in range(60)]
    assert found[0] == "files/front.jpg" and found[-1] is None
    with pytest.raises(FileNotFoundError):
        archive.open("files/frnt.jpg")
    archive.close()


def test_members_have_paths_like_no_file(tmp_path: Path) -> None:
    assert split_member_path(member_path("/x/e.zip", "a!/b.jpg")) == ("/x/e.zip", "a!/b.jpg")
    assert split_member_path("/x/zip:e.zip!/a") is None
    archive = Archive(str(packed(tmp_path / "e.zip", {"a": b"1"})))
    assert archive.member("b") is None
    archive.close()
    gone = Row("e.zip", 1, "a", None, "p", archive=str(tmp_path / "gone.zip"))
    found = check_file(gone, FileRoots())
    assert not isinstance(found, LocalFile) and found.kind is Kind.FILE_UNREADABLE


# Columns with names of their own.

OWN = "item_code;Anleitung;Hauptbild;family\n00123;m.pdf;a.jpg;shoes\n00124;;;shoes\n"


def test_the_pim_says_what_its_identifier_is_called(tmp_path: Path) -> None:
    path = write(tmp_path / "p.csv", OWN)
    notes: list[str] = []
    found = read(path, columns=["Hauptbild"], identifiers=lambda: ["ean", "item_code"], notes=notes)
    assert values(found) == [("product 00123", "Hauptbild", None, None, "a.jpg", 2)]
    assert [note.partition(": ")[2] for note in notes] == ["1 line left out: they name no file in Hauptbild"]
    with pytest.raises(ManifestError, match="no column names the product") as caught:
        read(path, columns=["Hauptbild"])
    assert "--map item_code=product" in caught.value.hint


def test_map_names_the_product_and_attributes_with_locale_and_channel(tmp_path: Path) -> None:
    path = write(tmp_path / "p.csv", "Title\n" + OWN)
    maps = ["item_code=product", "anleitung=manual-de_DE-ecommerce", "Hauptbild=picture"]
    expected = [
        ("product 00123", "manual", "de_DE", "ecommerce", "m.pdf", 3),
        ("product 00123", "picture", None, None, "a.jpg", 3),
    ]
    assert values(read(path, maps=maps)) == expected
    assert values(read(path, maps=maps, columns=["manual", "Hauptbild"])) == expected
    assert values(read(path, maps=maps, media=lambda codes: ["picture"])) == expected[1:]


def test_a_line_with_more_cells_than_the_header_is_invalid_and_not_shifted(tmp_path: Path) -> None:
    path = write(tmp_path / "p.csv", "sku;name;picture\n00123;red; blue;files/a.jpg\n00124;x;files/b.jpg\n")
    first, second = read(path, columns=["picture"])
    assert (first.line, first.problem and first.problem.kind, first.file) == (2, Kind.ROW_MALFORMED, "")
    assert second.problem is None
    quoted = write(tmp_path / "q.csv", "sku;name;picture\n00123;'red; blue';files/a.jpg\n")
    assert [row.file for row in read(quoted, columns=["picture"])] == ["files/a.jpg"]
