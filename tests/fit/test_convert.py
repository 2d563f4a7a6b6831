"""Pictures converted for real: upright, in sRGB, within the limits, the source untouched."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import pytest
from PIL import Image, ImageCms

from akeneo_media_cli.errors import Kind
from akeneo_media_cli.fit.colour import CMYK_ASSUMED
from akeneo_media_cli.fit.convert import Fitted, fit, needs_fitting
from akeneo_media_cli.fit.reading import UnfitError, look
from akeneo_media_cli.fit.recipe import Recipe, Takes

from .pictures import QUARTERS, difference, noise, profile, quarters, save, to_srgb, turned

JPG = Takes(("jpg",))


def converted(
    path: Path, tmp_path: Path, recipe: Recipe | None = None, takes: Takes = JPG
) -> tuple[Fitted, Image.Image]:
    before = hashlib.sha256(path.read_bytes()).digest()
    into = tmp_path / "fitted"
    done = fit(str(path), str(into), recipe or Recipe(), takes)
    assert hashlib.sha256(path.read_bytes()).digest() == before, "the source is only read"
    image = Image.open(into)
    image.load()
    assert (image.width, image.height) == (done.result.width, done.result.height)
    assert into.stat().st_size == done.result.bytes
    return done, image


def corners(image: Image.Image) -> list[tuple[int, ...]]:
    shown = image.convert("RGB")
    w, h = shown.size
    points = [(w // 4, h // 4), (3 * w // 4, h // 4), (w // 4, 3 * h // 4), (3 * w // 4, 3 * h // 4)]
    return [shown.getpixel(point) for point in points]  # type: ignore[misc]


def near(found: list[tuple[int, ...]], wanted: tuple[tuple[int, ...], ...], delta: int = 4) -> bool:
    return all(
        abs(a - b) <= delta
        for one, other in zip(found, wanted, strict=True)
        for a, b in zip(one, other, strict=True)
    )


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.jpg", {"quality": 95}),
        ("a.png", {}),
        ("a.webp", {"lossless": True}),
        ("lzw.tif", {"compression": "tiff_lzw"}),
        ("zip.tif", {"compression": "tiff_adobe_deflate"}),
        ("a.bmp", {}),
        ("a.gif", {}),
        ("a.avif", {"quality": 95}),
        ("a.jp2", {}),
    ],
)
def test_every_format_becomes_a_jpeg_of_the_same_colours(
    name: str, options: dict[str, object], tmp_path: Path
) -> None:
    done, image = converted(save(quarters(), tmp_path / name, **options), tmp_path)
    assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (120, 80))
    assert near(corners(image), QUARTERS, 6)
    assert (done.extension, done.result.format) == ("jpg", "jpeg")


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGBA", "LA", "I;16", "CMYK"])
def test_every_mode_of_tiff_and_png_becomes_rgb(mode: str, tmp_path: Path) -> None:
    image = quarters(mode="L" if mode == "I;16" else mode)
    if mode == "I;16":
        image = image.convert("I").point(lambda value: value * 257).convert("I;16")
    name = "a.tif" if mode == "CMYK" else "a.png"
    _, result = converted(save(image, tmp_path / name), tmp_path)
    assert result.mode == "RGB"
    if mode not in ("CMYK", "1"):
        wanted = quarters(mode="L" if mode in ("LA", "I;16") else mode)
        assert near(corners(result), tuple(corners(wanted)), 14 if mode == "P" else 6), "a palette dithers"


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("edge", [None, 60])
def test_a_turned_picture_ends_upright(orientation: int, edge: int | None, tmp_path: Path) -> None:
    stored, exif = turned(quarters(), orientation)
    path = save(stored, tmp_path / "a.jpg", quality=95, exif=exif)
    done, image = converted(path, tmp_path, Recipe(max_edge=edge))
    assert image.size == ((120, 80) if edge is None else (60, 40))
    assert near(corners(image), QUARTERS, 6)
    assert image.getexif().get(0x0112, 1) == 1
    assert (done.source.width, done.source.height) == (120, 80), "as it is shown"


def test_an_rgb_profile_is_honoured_as_littlecms_does_it(tmp_path: Path) -> None:
    wide = profile("wide")
    image = quarters()
    _, found = converted(save(image, tmp_path / "a.tif", icc_profile=wide), tmp_path, takes=Takes(("png",)))
    wanted = to_srgb(image, wide)
    assert difference(found, wanted) < 1.0
    assert difference(wanted, image) > 3.0, "the profile makes a difference to be seen"


def test_cmyk_without_a_profile_is_ink_not_inverted_light(tmp_path: Path) -> None:
    cyan = Image.new("CMYK", (40, 40), (255, 0, 0, 0))
    done, image = converted(save(cyan, tmp_path / "a.tif"), tmp_path)
    red, green, blue = image.getpixel((20, 20))  # type: ignore[misc]
    assert red < 80 and 120 < green < 200 and 180 < blue < 250, "printed cyan, not the screen's 0, 255, 255"
    assert done.notes == (CMYK_ASSUMED,)
    assert "CMYK" in done.source.colour


def test_what_is_written_is_tagged_as_srgb_and_says_nothing_else(tmp_path: Path) -> None:
    stored, exif = turned(quarters(), 6)
    path = save(stored, tmp_path / "a.jpg", exif=exif, icc_profile=profile("wide"), comment=b"secret")
    _, image = converted(path, tmp_path)
    named = ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(io.BytesIO(image.info["icc_profile"])))
    assert "sRGB" in named
    assert 0x010F not in image.getexif()
    assert "comment" not in image.info
    _, image = converted(path, tmp_path, Recipe(keep_metadata=True))
    assert image.getexif()[0x010F] == "A camera"
    assert image.getexif().get(0x0112, 1) == 1, "or it would be turned twice"


def test_transparency_is_kept_where_png_is_taken_and_else_laid_on_the_background(tmp_path: Path) -> None:
    image = quarters(mode="RGBA")
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    path = save(image, tmp_path / "a.png")
    done, kept = converted(path, tmp_path, Recipe(max_edge=60), Takes(("jpg", "png")))
    assert (done.extension, kept.mode) == ("png", "RGBA")
    done, flat = converted(path, tmp_path, Recipe(background=(255, 0, 0)))
    assert done.extension == "jpg"
    assert near([flat.getpixel((60, 0))], ((255, 0, 0),), 8)  # type: ignore[list-item]
    assert any("#ff0000" in step for step in done.steps)


def test_a_png_whose_alpha_hides_nothing_becomes_a_jpeg(tmp_path: Path) -> None:
    done, _ = converted(
        save(quarters(mode="RGBA"), tmp_path / "a.png"), tmp_path, takes=Takes(("jpg", "png"))
    )
    assert done.extension == "jpg"


def test_colours_of_invisible_pixels_do_not_bleed_into_visible_ones(tmp_path: Path) -> None:
    image = Image.new("RGBA", (100, 100), (255, 0, 255, 0))
    image.paste((255, 255, 255, 255), (0, 0, 50, 100))
    _, small = converted(save(image, tmp_path / "a.png"), tmp_path, Recipe(max_edge=20))
    assert all(min(small.getpixel((x, 10))) > 240 for x in range(20)), "white on white, no pink seam"  # type: ignore[arg-type]


def test_the_quality_goes_down_until_the_file_fits(tmp_path: Path) -> None:
    path = save(noise(600, 400), tmp_path / "a.png")
    free, _ = converted(path, tmp_path)
    limit = free.result.bytes * 3 // 4
    done, _ = converted(path, tmp_path, takes=Takes(("jpg",), limit))
    assert done.result.bytes <= limit
    assert done.quality is not None and 60 <= done.quality < 88
    assert (done.result.width, done.result.height) == (600, 400)


def test_then_the_picture_gets_smaller(tmp_path: Path) -> None:
    path = save(noise(600, 400), tmp_path / "a.png")
    done, _ = converted(path, tmp_path, takes=Takes(("jpg",), 12_000))
    assert done.result.bytes <= 12_000
    assert done.quality == 60
    assert done.result.width < 600


def test_what_cannot_fit_says_what_was_reached(tmp_path: Path) -> None:
    with pytest.raises(UnfitError) as unfit:
        converted(save(noise(600, 400), tmp_path / "a.png"), tmp_path, takes=Takes(("jpg",), 300))
    failure = unfit.value.failure
    assert failure.kind is Kind.CANNOT_FIT
    assert "300" in failure.message and "quality 60" in failure.message


def test_a_picture_is_never_made_larger(tmp_path: Path) -> None:
    _, image = converted(save(quarters(), tmp_path / "a.tif"), tmp_path, Recipe(max_edge=5000))
    assert image.size == (120, 80)


def test_an_animation_needs_first_frame(tmp_path: Path) -> None:
    frames = [quarters(), quarters().rotate(180)]
    path = save(frames[0], tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    with pytest.raises(UnfitError) as unfit:
        converted(path, tmp_path)
    assert "--first-frame" in unfit.value.failure.hint
    done, image = converted(path, tmp_path, Recipe(first_frame=True))
    assert near(corners(image), QUARTERS, 6)
    assert "first of 2 frames" in done.notes[0]


def test_of_a_tiff_with_pages_the_first_is_taken_with_a_note(tmp_path: Path) -> None:
    pages = [quarters(), quarters().rotate(180)]
    path = save(pages[0], tmp_path / "a.tif", save_all=True, append_images=pages[1:])
    done, image = converted(path, tmp_path)
    assert near(corners(image), QUARTERS, 6)
    assert "first of 2 pages" in done.notes[0]


def test_the_same_source_and_recipe_give_the_same_bytes(tmp_path: Path) -> None:
    path = save(noise(700, 500), tmp_path / "a.png")
    sums = set()
    for n in range(3):
        fit(str(path), str(tmp_path / f"{n}"), Recipe(max_edge=400), Takes(("jpg",), 40_000))
        sums.add((tmp_path / f"{n}").read_bytes())
    assert len(sums) == 1
    recipe = Recipe(max_edge=400)
    assert recipe.key(JPG) == Recipe(max_edge=400).key(JPG) != Recipe(max_edge=401).key(JPG)
    assert recipe.key(JPG) != recipe.key(Takes(("jpg",), 1))


def test_a_cut_off_picture_is_broken(tmp_path: Path) -> None:
    for name in ("a.jpg", "a.png", "a.tif"):
        path = save(noise(300, 200), tmp_path / name)
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        with pytest.raises(UnfitError) as unfit:
            converted(path, tmp_path)
        assert unfit.value.failure.kind is Kind.PICTURE_BROKEN, name


def test_a_picture_of_billions_of_pixels_is_refused_by_its_header(tmp_path: Path) -> None:
    path = save(Image.new("1", (30_000, 30_000)), tmp_path / "a.png")
    with pytest.raises(UnfitError) as unfit:
        converted(path, tmp_path)
    assert unfit.value.failure.kind is Kind.PICTURE_TOO_LARGE
    assert "30000 x 30000" in unfit.value.failure.message


def test_what_is_no_picture_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.svg"
    path.write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    assert look(str(path)) is None
    with pytest.raises(UnfitError) as unfit:
        fit(str(path), str(tmp_path / "out"), Recipe(), JPG)
    assert unfit.value.failure.kind is Kind.CANNOT_FIT


def test_only_what_the_attribute_refuses_or_what_is_too_long_needs_fitting(tmp_path: Path) -> None:
    picture = look(str(save(quarters(), tmp_path / "a.png")))
    assert picture is not None
    assert not needs_fitting(picture, "PNG", 1000, Recipe(), Takes(("png",), 1000))
    assert not needs_fitting(picture, "png", 10**9, Recipe(max_edge=120), Takes())
    assert needs_fitting(picture, "png", 1000, Recipe(), JPG)
    assert needs_fitting(picture, "png", 1001, Recipe(), Takes(("png",), 1000))
    assert needs_fitting(picture, "png", 1, Recipe(max_edge=119), Takes(("png",)))


def test_the_format_asked_for_must_be_taken(tmp_path: Path) -> None:
    path = save(quarters(), tmp_path / "a.tif")
    done, image = converted(path, tmp_path, Recipe(form="webp"), Takes(("jpg", "webp")))
    assert (done.extension, image.format) == ("webp", "WEBP")
    done, _ = converted(path, tmp_path, takes=Takes(("jpeg",)))
    assert done.extension == "jpeg", "the spelling that the attribute takes"
    with pytest.raises(UnfitError) as unfit:
        converted(path, tmp_path, Recipe(form="webp"), JPG)
    assert unfit.value.failure.kind is Kind.CANNOT_FIT
