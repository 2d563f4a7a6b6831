"""`upload --fit`: pictures that the attribute does not take are converted on the way up, once."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import signal
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageCms

from tests.fit.pictures import QUARTERS, noise, profile, quarters, turned

from .conftest import Bench, Bencher, Done, catalogue
from .many import running, uploads, wait_for
from .test_places import enterprise

LIMIT = 250_000
WEB = {
    "code": "web",
    "type": "pim_catalog_image",
    "allowed_extensions": ["jpg"],
    "max_file_size": "0.25",
}


def shop(**more: Any) -> dict[str, Any]:
    """Products whose attribute `web` takes only jpg up to 0.25 MB."""
    catalog = enterprise(**more) if more.pop("enterprise", False) else catalogue(40)
    catalog["attributes"] = [*catalog["attributes"], WEB]
    catalog["families"][0]["attributes"].append("web")
    return catalog


def digests(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def delivery(b: Bench) -> str:
    """What a photographer delivers, and a manifest of it."""
    folder = b.folder / "photos"
    folder.mkdir()
    quarters(900, 600, "CMYK").save(folder / "press.tif", compression="tiff_lzw")
    for orientation in (3, 6):
        grain = Image.blend(quarters(1200, 800), noise(1200, 800), 0.15)
        stored, exif = turned(grain, orientation)
        stored.save(folder / f"turned-{orientation}.jpg", exif=exif, quality=100, subsampling=0)
    stored, exif = turned(noise(900, 600), 8)
    stored.save(folder / "large.jpg", exif=exif, quality=99)
    image = quarters(700, 500, "RGBA")
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    image.save(folder / "drawn.png")
    quarters(600, 400, "L").convert("I").point(lambda value: value * 257).convert("I;16").save(
        folder / "deep.tif"
    )
    quarters(600, 400).save(folder / "wide.tif", icc_profile=profile("wide"))
    lines = ["product,attribute,file"]
    lines += [f"p-{n},web,photos/{name}" for n, name in enumerate(sorted(digests(folder)), 1)]
    return b.manifest(lines)


def fetched(b: Bench, done: Done) -> dict[str, Image.Image]:
    """What the PIM holds of each row, by the row's file, as pictures."""
    items = done.report["items"]
    codes = [item["media_code"] for item in items]
    assert b.run("media", "download", *codes, "--to", "held", report=False).status == 0
    found = {}
    for item in items:
        assert item["name"] == Path(item["file"]).with_suffix(".jpg").name
        content = (b.folder / "held" / item["name"]).read_bytes()
        assert len(content) == item["fitted"]["to"]["bytes"] <= 256_000
        assert hashlib.sha256(content).hexdigest() == item["fitted"]["to"]["sha256"]
        found[Path(item["file"]).name] = Image.open(io.BytesIO(content))
    return found


def upright(image: Image.Image) -> bool:
    small = image.convert("RGB").resize((2, 2), Image.Resampling.BOX)
    found = [small.getpixel((x, y)) for y in (0, 1) for x in (0, 1)]
    return all(
        abs(a - b) < 40
        for one, wanted in zip(found, QUARTERS, strict=True)
        for a, b in zip(one, wanted, strict=True)  # type: ignore[arg-type]
    )


@pytest.mark.long
def test_a_photographers_delivery_goes_up_with_one_command_and_once(bench: Bencher) -> None:
    b = bench(shop())
    manifest = delivery(b)
    before = digests(b.folder / "photos")
    done = b.upload(manifest, "--fit", "--report", "done.csv", "--report", "done.html")
    assert done.status == 0, done.err
    assert done.statuses() == {"total": 7, "uploaded": 7}
    assert done.report["summary"]["converted"] == 7
    assert digests(b.folder / "photos") == before, "the sources are only read"
    pictures = fetched(b, done)
    for name, image in pictures.items():
        assert (image.format, image.mode) == ("JPEG", "RGB"), name
        assert image.getexif().get(0x0112, 1) == 1
        icc = ImageCms.ImageCmsProfile(io.BytesIO(image.info["icc_profile"]))
        assert "sRGB" in ImageCms.getProfileDescription(icc)
    assert all(upright(pictures[f"turned-{n}.jpg"]) for n in (3, 6))
    assert pictures["large.jpg"].size == (900, 600)
    items = {Path(item["file"]).name: item for item in done.report["items"]}
    press = items["press.tif"]["fitted"]
    assert (press["from"]["format"], press["from"]["colour"]) == ("tiff", "CMYK")
    assert press["to"]["colour"] == "sRGB"
    assert "press profile" in items["press.tif"]["notes"][0]
    assert items["press.tif"]["sha256"] == before["press.tif"], "of the row's own file"
    assert items["large.jpg"]["fitted"]["quality"] < 88, "to stay within 0.25 MB"
    cells = csv.DictReader(io.StringIO((b.folder / "done.csv").read_text(encoding="utf-8")))
    assert {row["fitted.to.format"] for row in cells} == {"jpeg"}
    page = (b.folder / "done.html").read_text(encoding="utf-8")
    assert page.count('alt="press.jpg"') == page.count('alt="photos/press.tif"') == 1, "both are shown"
    assert page.count("<figcaption>source") == page.count("<figcaption>after") == 7
    # The same once more, with the ledger and, on another machine, without.
    for more in ((), ("--no-state",)):
        again = b.upload(manifest, "--fit", *more)
        assert again.statuses() == {"total": 7, "unchanged": 7}, again.err
        assert again.report["summary"]["converted"] == (7 if more else 0)
    assert uploads(b) == 7
    unlike = b.run("verify", manifest)
    assert unlike.report["summary"]["differs"] == 7
    assert "--fit" in unlike.report["items"][0]["error"]["hint"]
    assert b.run("verify", manifest, "--fit").report["summary"]["held"] == 7
    assert b.run("verify", manifest, "--fit", "--deep").report["summary"]["held"] == 7
    # Another recipe makes other pictures.
    other = b.upload(manifest, "--fit", "--max-edge", "300")
    assert other.statuses() == {"total": 7, "uploaded": 7}
    sizes = [item["fitted"]["to"] for item in other.report["items"]]
    assert {max(each["width"], each["height"]) for each in sizes} == {300}


def test_without_fit_nothing_is_converted_and_the_hint_names_it(bench: Bencher) -> None:
    b = bench(shop())
    manifest = delivery(b)
    done = b.upload(manifest)
    assert done.statuses()["invalid"] >= 5
    hints = [item["error"]["hint"] for item in done.report["items"] if item["error"]]
    assert all("--fit" in hint for hint in hints)
    assert b.upload(manifest, "--max-edge", "300").status == 2
    assert b.upload(manifest, "--fit", "--no-preflight").status == 2
    dry = b.upload(manifest, "--fit", "--dry-run")
    assert dry.statuses() == {"total": 7, "planned": 7}, dry.err
    assert all(item["fitted"]["to"]["format"] == "jpeg" for item in dry.report["items"])
    assert uploads(b) == 0


def test_models_assets_and_records_are_fitted_and_shared_files_only_once(bench: Bencher) -> None:
    b = bench(shop(enterprise=True))
    quarters(600, 400).save(b.folder / "a.tif")
    (b.folder / "photos").mkdir()
    noise(300, 200).save(b.folder / "photos" / "shot.bmp")
    manifest = b.manifest(
        [
            "product,product_model,asset_family,asset,reference_entity,record,attribute,file",
            "p-1,,,,,,web,a.tif",
            "p-2,,,,,,web,a.tif",
            ",m-1,,,,,web,a.tif",
            ",,photos,new,,,alt,a.tif",
            ",,,,brand,acme,logo,photos/shot.bmp",
            "p-3,,,,,,web,missing.tif",
        ]
    )
    done = b.upload(manifest, "--fit", "--max-edge", "200")
    assert done.kinds() == {7: "file_missing"}
    assert done.statuses() == {"total": 6, "uploaded": 5, "invalid": 1}
    assert done.report["summary"]["shared"] == 2
    formats = [item["fitted"]["to"]["format"] for item in done.report["items"] if "fitted" in item]
    assert formats == ["jpeg", "jpeg", "jpeg", "png", "jpeg"]
    assert done.report["summary"]["converted"] == 3
    again = b.upload(manifest, "--fit", "--max-edge", "200")
    assert again.statuses() == {"total": 6, "unchanged": 5, "invalid": 1}


@pytest.mark.long
def test_a_picture_that_cannot_be_fitted_ends_its_row_alone_and_retry_fits_as_before(
    bench: Bencher,
) -> None:
    b = bench(shop())
    noise(1500, 1200).save(b.folder / "big.png")
    whole = (b.folder / "big.png").read_bytes()
    (b.folder / "cut.png").write_bytes(whole[: len(whole) // 2])
    quarters().save(b.folder / "good.tif")
    manifest = b.manifest(
        ["product,attribute,file", "p-1,web,cut.png", "p-2,web,good.tif"],
    )
    first = b.upload(manifest, "--fit", "--allow-mismatch")
    assert first.status == 1
    assert first.kinds() == {2: "picture_broken"}
    (b.folder / "cut.png").write_bytes(whole)
    again = b.run("runs", "retry", "last")
    assert again.statuses() == {"total": 1, "uploaded": 1}, again.err
    (item,) = again.report["items"]
    assert (item["name"], item["fitted"]["to"]["format"]) == ("cut.jpg", "jpeg")


@pytest.mark.long
def test_a_run_killed_while_it_converts_leaves_nothing_that_the_next_does_not_clear(bench: Bencher) -> None:
    b = bench(shop())
    temporary = b.folder / "temporary"
    temporary.mkdir()
    env = {"TMPDIR": str(temporary)}
    lines = ["product,attribute,file"]
    for n in range(1, 7):
        noise(1200, 900, n).save(b.folder / f"f{n}.tif")
        lines.append(f"p-{n},web,f{n}.tif")
    manifest = b.manifest(lines)
    with running(b, "upload", manifest, "--fit", "--progress", "json", env=env) as process:
        assert process.stderr is not None
        while json.loads(process.stderr.readline())["event"] != "row_converting":
            pass
        wait_for(lambda: any(temporary.glob("akeneo-media-fit-*/*.picture")), process)
        process.send_signal(signal.SIGKILL)
        process.wait(60)
    assert [*temporary.glob("akeneo-media-fit-*")], "it had no time to clean up"
    done = b.upload(manifest, "--fit", env=env)
    assert done.status == 0, done.err
    assert [*temporary.iterdir()] == []
    assert uploads(b) <= 7, "at most the one that was in flight goes up twice"
    assert b.upload(manifest, "--fit", env=env).statuses() == {"total": 6, "unchanged": 6}
