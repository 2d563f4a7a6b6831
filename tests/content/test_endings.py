"""Files that broke off, and files that only look so."""

from __future__ import annotations

import io
import zipfile

import pytest
from PIL import Image

from akeneo_media_cli.content.endings import truncation
from akeneo_media_cli.content.sample import Sample

from .conftest import HERE


def picture(format: str, **more: object) -> bytes:
    stream = io.BytesIO()
    image = Image.effect_noise((90, 70), 60).convert("RGB")
    if format == "GIF":
        image.convert("P").save(stream, format, save_all=True, append_images=[image.rotate(90).convert("P")])
    else:
        image.save(stream, format, **more)
    return stream.getvalue()


def zipped() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("a.txt", "some text " * 100)
    return stream.getvalue()


WHOLE = {
    "jpg": picture("JPEG"),
    "progressive": picture("JPEG", progressive=True),
    "png": picture("PNG"),
    "gif": picture("GIF"),
    "webp": picture("WEBP"),
    "tif": picture("TIFF"),
    "pdf": picture("PDF"),
    "jp2": picture("JPEG2000"),
    "zip": zipped(),
    "mp4": (HERE / "files" / "dash.mp4").read_bytes(),
    "heic": (HERE / "files" / "a.heic").read_bytes(),
    "docx": (HERE / "files" / "doc.docx").read_bytes(),
}


@pytest.mark.parametrize("name", WHOLE)
def test_whole_files_pass_and_cut_ones_are_told(name: str) -> None:
    data = WHOLE[name]
    assert truncation(Sample.of(data)) is None
    for part in (0.3, 0.6, 0.9, 0.99 if name != "tif" else 0.9):
        assert truncation(Sample.of(data[: int(len(data) * part)])) is not None, part


@pytest.mark.parametrize("name", ["jpg", "progressive", "png", "gif", "webp"])
@pytest.mark.parametrize(
    "appended", [b"\n", b"\0" * 4000, WHOLE["mp4"] * 20, b"trailing junk of a scanner" * 9, WHOLE["jpg"]]
)
def test_pictures_with_something_appended_are_fine(name: str, appended: bytes) -> None:
    assert truncation(Sample.of(WHOLE[name] + appended)) is None


def test_a_thumbnail_in_a_picture_is_not_its_end() -> None:
    thumbnail = picture("JPEG")
    segment = b"Exif\0\0" + thumbnail
    data = WHOLE["jpg"]
    with_one = data[:2] + b"\xff\xe1" + (len(segment) + 2).to_bytes(2, "big") + segment + data[2:]
    assert truncation(Sample.of(with_one)) is None
    assert truncation(Sample.of(with_one[:-20])) is not None


@pytest.mark.parametrize("size", [0, 0x7FFFFFFF, 0xFFFFFFFF])
def test_a_sound_that_was_written_to_a_pipe_is_fine(size: int) -> None:
    assert truncation(Sample.of(b"RIFF" + size.to_bytes(4, "little") + b"WAVEfmt " + bytes(99))) is None


def test_a_pdf_for_the_web_that_broke_off_has_the_end_of_its_first_part() -> None:
    first = b"%PDF-1.4\n1 0 obj\nstartxref\n0\n%%EOF\n"
    assert truncation(Sample.of(first + b"2 0 obj")) is not None
    assert truncation(Sample.of(first + b"2 0 obj\nstartxref\n116\n%%EOF\n")) is None
    assert truncation(Sample.of(b"%PDF-1.4\nstartxref\n9\n%%EOF\n" + b"\0" * 9000)) is None


def test_what_is_not_at_hand_is_not_judged() -> None:
    assert truncation(Sample.beginning(WHOLE["png"][:100], len(WHOLE["png"]))) is None
    assert truncation(Sample.beginning(WHOLE["png"][:100], None)) is None
    assert truncation(Sample.beginning(WHOLE["png"][:100], 100)) is not None
