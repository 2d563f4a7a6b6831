"""Which rows are marked to be converted, and what they are to be called."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import pytest

from akeneo_media_cli.errors import Failure, Kind
from akeneo_media_cli.fit.recipe import Recipe, Takes
from akeneo_media_cli.ledger import PlannedRow
from akeneo_media_cli.pim.answers.types import Attribute
from akeneo_media_cli.preflight import checks
from akeneo_media_cli.preflight.files import file_fits
from akeneo_media_cli.preflight.fitting import Fitting, with_extension
from akeneo_media_cli.rows import Row, Target, TargetType

from ..fit.pictures import noise, quarters, save


def takes(*extensions: str, most: int | None = None) -> Attribute:
    return Attribute("web", "pim_catalog_image", False, False, (), extensions, most)


def planned(path: Path, name: str | None = None) -> PlannedRow:
    row = Row("m.csv", 2, path.name, Target(TargetType.PRODUCT, "p-1"), "web")
    return PlannedRow(1, row, name or path.name, str(path), path.stat().st_size)


def marked(
    path: Path, attribute: Attribute, name: str | None = None, **recipe: object
) -> tuple[str, str | None]:
    row = planned(path, name)
    assert Fitting(Recipe(**recipe)).mark(row, attribute) is None  # type: ignore[arg-type]
    return row.name, row.recipe


def refused(path: Path, attribute: Attribute, name: str | None = None, **recipe: object) -> Failure:
    failure = Fitting(Recipe(**recipe)).mark(planned(path, name), attribute)  # type: ignore[arg-type]
    assert failure is not None
    return failure


def test_what_the_attribute_refuses_is_converted_and_named_anew(tmp_path: Path) -> None:
    tif = save(quarters(), tmp_path / "a.tif")
    name, recipe = marked(tif, takes("jpg", "png"))
    assert name == "a.jpg"
    assert recipe is not None
    assert marked(tif, takes("PNG")) == ("a.png", Recipe().key(Takes(("png",))))
    jpg = save(noise(300, 200), tmp_path / "b.jpg")
    name, recipe = marked(jpg, takes("jpg", most=5000))
    assert (name, recipe is not None) == ("b.jpg", True), "by its size"


def test_what_fits_stays_as_it_is(tmp_path: Path) -> None:
    jpg = save(quarters(), tmp_path / "a.jpg")
    for attribute in (takes(), takes("jpg"), takes("png", "jpg", most=100_000)):
        assert marked(jpg, attribute) == ("a.jpg", None)
    assert marked(jpg, takes(), max_edge=120) == ("a.jpg", None)
    assert marked(jpg, takes(), max_edge=119)[1] is not None


def test_where_only_the_name_is_refused_the_bytes_stay(tmp_path: Path) -> None:
    jpeg = save(quarters(), tmp_path / "a.jpeg")
    assert marked(jpeg, takes("jpg")) == ("a.jpg", None)
    assert marked(jpeg, takes("jpg"), max_edge=50)[1] is not None


def test_a_png_with_holes_stays_a_png_where_png_is_taken(tmp_path: Path) -> None:
    image = quarters(600, 400, "RGBA")
    image.putalpha(120)
    png = save(image, tmp_path / "a.png")
    assert marked(png, takes("jpg", "png", most=500))[0] == "a.png"
    assert marked(png, takes("jpg"))[0] == "a.jpg"


def test_what_is_no_picture_is_for_others_to_judge(tmp_path: Path) -> None:
    svg = tmp_path / "a.svg"
    svg.write_text('<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>')
    assert marked(svg, takes("jpg")) == ("a.svg", None)
    row = planned(svg)
    failure = file_fits(row, takes("jpg"), Fitting(Recipe()), files=True)
    assert failure is not None
    assert failure.kind is Kind.EXTENSION_NOT_ALLOWED


def test_a_picture_that_cannot_be_converted_is_told_before_anything_is_sent(tmp_path: Path) -> None:
    cut = tmp_path / "cut.tif"
    cut.write_bytes(b"II*\0\xff\xff\xff\xff")
    assert refused(cut, takes("jpg")).kind is Kind.PICTURE_BROKEN
    header = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", 13) + b"IHDR" + header + struct.pack(">I", zlib.crc32(b"IHDR" + header))
    huge = tmp_path / "huge.png"
    huge.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk)
    assert refused(huge, takes("jpg")).kind in (Kind.PICTURE_TOO_LARGE, Kind.PICTURE_BROKEN)
    frames = [quarters(), quarters().rotate(180)]
    gif = save(frames[0], tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    assert refused(gif, takes("jpg")).kind is Kind.CANNOT_FIT
    assert marked(gif, takes("jpg"), first_frame=True)[0] == "a.jpg"
    assert refused(save(quarters(), tmp_path / "a.tif"), takes("pdf")).kind is Kind.CANNOT_FIT
    gone = planned(gif)
    gone.path = str(tmp_path / "gone.gif")
    failure = Fitting(Recipe()).mark(gone, takes("jpg"))
    assert failure is not None
    assert failure.kind is Kind.FILE_UNREADABLE


def test_the_limits_of_names_hold_for_the_new_one(tmp_path: Path) -> None:
    webp = save(quarters(), tmp_path / "a.tif")
    assert refused(webp, takes("webp"), "x" * 251 + ".tif").kind is Kind.NAME_TOO_LONG
    assert marked(webp, takes("webp"), "x" * 250 + ".tif")[0].endswith("x.webp")


def test_a_row_that_was_marked_before_is_judged_anew(tmp_path: Path) -> None:
    row = planned(save(quarters(), tmp_path / "a.tif"))
    fitting = Fitting(Recipe())
    assert fitting.mark(row, takes("jpg")) is None
    first = (row.name, row.recipe)
    assert fitting.mark(row, takes("jpg")) is None
    assert (row.name, row.recipe) == first
    assert fitting.mark(row, takes("tif")) is None
    assert (row.name, row.recipe) == ("a.tif", None)


@pytest.mark.parametrize(
    ("name", "extension", "wanted"),
    [
        ("a.tif", "jpg", "a.jpg"),
        ("a.b.TIFF", "jpg", "a.b.jpg"),
        ("sku.jpg.tif", "jpg", "sku.jpg"),
        ("photo", "jpg", "photo.jpg"),
        (".tif", "jpg", ".tif.jpg"),
    ],
)
def test_names_get_the_new_extension(name: str, extension: str, wanted: str) -> None:
    assert with_extension(name, extension) == wanted


def test_without_fit_the_hint_names_it_where_it_would_help() -> None:
    for name, attribute, helps in (
        ("a.tif", takes("jpg"), True),
        ("a.jpg", takes(most=10), True),
        ("a.pdf", takes("jpg"), False),
        ("a.tif", takes("pdf"), False),
    ):
        failure = checks.file_fits(attribute, name, 100)
        assert failure is not None
        assert ("--fit" in failure.hint) is helps, name
