"""`fit`: a folder of odd pictures becomes one that an attribute takes, and the sources stay as they are."""

from __future__ import annotations

import hashlib
from pathlib import Path

from PIL import Image

from tests.fit.pictures import noise, quarters, turned

from .conftest import Bench, Bencher


def sources(b: Bench) -> dict[str, str]:
    folder = b.folder / "photos"
    folder.mkdir()
    stored, exif = turned(noise(900, 600), 6)
    stored.save(folder / "turned.jpg", exif=exif, quality=97)
    Image.new("CMYK", (800, 600), (200, 30, 0, 10)).save(folder / "press.tif", compression="tiff_lzw")
    quarters(700, 500, "RGBA").save(folder / "drawn.png")
    return digests(folder)


def digests(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def test_what_the_attribute_takes_is_asked_of_the_pim(bench: Bencher) -> None:
    b = bench()
    before = sources(b)
    files = [f"photos/{name}" for name in sorted(before)]
    done = b.run("fit", *files, "--for", "front", "--max-edge", "400", "--to", "web", report=False)
    assert done.status == 0, done.err
    assert digests(b.folder / "photos") == before, "the sources are only read"
    made = sorted((b.folder / "web").iterdir())
    assert [path.name for path in made] == ["drawn.jpg", "press.jpg", "turned.jpg"]
    for path in made:
        assert path.stat().st_size <= 10_000, "front takes 0.01 MB"
        with Image.open(path) as image:
            assert image.mode == "RGB"
            assert max(image.size) <= 400
            assert image.getexif().get(0x0112, 1) == 1
    assert "press profile" in done.err


def test_what_cannot_be_converted_is_told_and_the_rest_is_done(bench: Bencher) -> None:
    b = bench()
    quarters().save(b.folder / "good.tif")
    b.file("text.tif", b"no picture at all")
    done = b.run("fit", "good.tif", "text.tif", "missing.png", report=False)
    assert done.status == 1
    assert (b.folder / "fitted" / "good.jpg").exists()
    assert "error: text.tif: it is not a picture" in done.err
    assert "error: missing.png: " in done.err
    assert [path.name for path in (b.folder / "fitted").iterdir()] == ["good.jpg"], (
        "nothing half made is left"
    )
    assert b.run("fit", "good.tif", "--background", "nocolour", report=False).status == 2
    assert b.run("fit", "good.tif", "--for", "no_such", report=False).status == 2


def test_a_picture_that_fits_is_copied_as_it_is(bench: Bencher) -> None:
    b = bench()
    quarters().save(b.folder / "a.jpg")
    done = b.run("fit", "a.jpg", "--max-bytes", "1M", report=False)
    assert done.status == 0
    assert (b.folder / "fitted" / "a.jpg").read_bytes() == (b.folder / "a.jpg").read_bytes()


def test_two_pictures_that_would_get_one_name_are_told_and_leftovers_are_swept(bench: Bencher) -> None:
    b = bench()
    quarters().save(b.folder / "a.tif")
    quarters().save(b.folder / "a.bmp")
    (b.folder / "fitted").mkdir()
    (b.folder / "fitted" / ".a.tif.999999999-0.tmp").write_bytes(b"half")
    done = b.run("fit", "a.tif", "a.bmp", report=False)
    assert done.status == 1
    assert "error: a.bmp: a.tif became fitted/a.jpg, too" in done.err
    assert [path.name for path in (b.folder / "fitted").iterdir()] == ["a.jpg"]
