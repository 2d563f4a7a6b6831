"""Files that plainly are not what their name says: named where they can be, and never a file that is."""

from __future__ import annotations

import base64
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from akeneo_media_cli.content.endings import truncation
from akeneo_media_cli.content.fileinfo import mime_type
from akeneo_media_cli.content.mismatch import mismatch
from akeneo_media_cli.content.pim_types import MIME_TYPES
from akeneo_media_cli.content.sample import Sample, TooFarError
from akeneo_media_cli.content.signatures import FORMATS, required

from .conftest import HERE, truths
from .genuine import GENUINE

LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a21\nsize 12345\n"
S3 = (
    b'<?xml version="1.0" encoding="UTF-8"?>\n'
    b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"
)
LOGIN = b"\xef\xbb\xbf<!DOCTYPE html>\r\n<html><head><title>Log in</title></head></html>"
STAND_INS = (
    (LFS, "Git LFS pointer"),
    (b"../../.git/annex/objects/Zx/1Q/MD5E-s1--a.jpg", "git-annex pointer"),
    (S3, "error document of S3 or a store like it (AccessDenied)"),
    (b"<Error><Code>NoSuchKey</Code></Error>", "NoSuchKey"),
    (LOGIN, "HTML page"),
    (b"<!-- cached --><html><body>502 Bad Gateway</body></html>", "HTML page"),
    (b"404 page not found\n", 'text ("404 page not found")'),
    (b"\0" * 700, "only zero bytes"),
    (b"\0\5\x16\7\0\2\0\0Mac OS X        \0\2", "AppleDouble"),
    (b'{"message": "Not found"}', "JSON"),
    (b'<?xml version="1.0"?><a/>', "XML"),
    (base64.b64encode(GENUINE["png"]), "base64 text of a PNG file"),
    (b"data:image/png;base64," + base64.b64encode(GENUINE["png"]), "base64 text of a PNG file"),
    (b"[InternetShortcut]\r\nURL=https://cdn.example.com/a.jpg\r\n", "shortcut"),
    (b"../pictures/front.jpg", "../pictures/front.jpg"),
)
SIGNED = ("jpg", "JPEG", "png", "gif", "webp", "tif", "pdf", "mp4", "zip", "docx", "psd", "heic", "rtf")


def said(data: bytes, extension: str) -> str:
    found = mismatch(Sample.of(data), extension)
    assert found is not None
    return found.what


@pytest.mark.parametrize("extension", SIGNED)
@pytest.mark.parametrize(("data", "what"), STAND_INS, ids=lambda value: str(value)[:20])
def test_what_is_there_instead_is_named(data: bytes, what: str, extension: str) -> None:
    assert what in said(data, extension)


@pytest.mark.parametrize("extension", [*sorted(MIME_TYPES), "webp", "step", "md", "stl", "", "zip"])
def test_a_pointer_is_no_file_of_any_kind(extension: str) -> None:
    assert "Git LFS pointer" in said(LFS, extension)


def test_a_page_without_any_extension_is_found_and_one_that_is_named_so_is_fine() -> None:
    assert "HTML page" in said(LOGIN, "")
    assert mismatch(Sample.of(LOGIN), "gdrive") is None
    assert mismatch(Sample.of(LOGIN), "gdrive", link=True) is not None
    for extension in ("html", "txt", "csv", "doc", "xls", "xml"):
        assert mismatch(Sample.of(LOGIN), extension, link=True) is None


@pytest.mark.parametrize("extension", GENUINE)
def test_genuine_files_pass(extension: str) -> None:
    assert mismatch(Sample.of(GENUINE[extension]), extension) is None


@pytest.mark.parametrize("truth", truths(), ids=lambda truth: f"{truth.path.name}-{truth.php}")
def test_no_file_that_a_pim_takes_is_stopped(truth: object) -> None:
    assert hasattr(truth, "path")
    data = truth.path.read_bytes()
    if truth.taken and data:
        sample = Sample.of(data)
        assert mismatch(sample, truth.extension) is None
        assert required(truth.extension) is None or truncation(sample) is None


@pytest.mark.parametrize("content", ["jpg", "png", "gif", "webp", "tif", "pdf", "psd", "mp4", "docx", "heic"])
@pytest.mark.parametrize(
    "extension", ["jpg", "png", "gif", "webp", "pdf", "tiff", "svg", "docx", "bmp", "mp3"]
)
def test_one_kind_under_anothers_name_is_told(content: str, extension: str) -> None:
    same = {frozenset(("tif", "tiff")), frozenset((content,))}
    found = mismatch(Sample.of(GENUINE[content]), extension)
    assert (found is None) == (frozenset((content, extension)) in same)


@pytest.mark.parametrize(
    ("name", "what"),
    [("a_heic.jpg", "HEIC"), ("a_m4a.mp3", "M4A"), ("a_flac.wav", "FLAC"), ("container_jxl.jpg", "JPEG XL"),
     ("a_tgz.svg", "gzip"), ("tab_xlsx.csv", "ZIP"), ("lo_txt.docx", "Assembly manual")],
)  # fmt: skip
def test_files_of_real_encoders_under_a_wrong_name(name: str, what: str) -> None:
    data = (HERE / "files" / name).read_bytes()
    assert what in said(data, name.rpartition(".")[2])


@pytest.mark.parametrize(
    ("data", "extension"),
    [
        (b"hello world", "txt"),
        (b"GIF is a format for pictures", "txt"),
        ("é".encode() * 3000, "md"),
        (b"<table><tr><td>sku</td></tr></table>", "xls"),
        (b"sku\tname\n1\ta\n", "xls"),
        (b"<html xmlns:w='urn:x'><body>Manual</body></html>", "doc"),
        (b"\0" * 417 + b"\xff\xfb\x90\x64" + bytes(range(200)), "mp3"),
        (b"\x12\x34\x56\x78" * 10, "dat"),
        (b"\0" * 100, "bin"),
        (b"<SVG xmlns='http://www.w3.org/2000/svg'/>", "svg"),
        (b"<?xml version='1.0'?><s:svg xmlns:s='http://www.w3.org/2000/svg'/>", "svg"),
        ("<svg/>".encode("utf-16"), "svg"),
    ],
)
def test_what_may_be_under_such_a_name_raises_no_alarm(data: bytes, extension: str) -> None:
    assert mismatch(Sample.of(data), extension) is None


EXTENSIONS = sorted(
    {*MIME_TYPES, *(each for format in FORMATS for each in format.extensions), "ai", "xls", "dat", ""}
)
STARTS = sorted(
    {data[:n] for data in (*GENUINE.values(), *(each for each, _ in STAND_INS)) for n in (2, 8, 40, 3000)}
)


@settings(max_examples=400, deadline=None)
@given(
    start=st.sampled_from([b"", *STARTS]),
    rest=st.binary(max_size=3000) | st.text(max_size=1000).map(str.encode),
    times=st.integers(1, 30),
    extension=st.sampled_from(EXTENSIONS),
    known=st.booleans(),
)
def test_whatever_the_bytes_it_neither_raises_nor_takes_long(
    start: bytes, rest: bytes, times: int, extension: str, known: bool
) -> None:
    data = start + rest * times
    began = time.process_time()
    sample = Sample.of(data) if known else Sample.beginning(data[:5000], len(data))
    mismatch(sample, extension, link=not known)
    truncation(sample)
    for php in ("8.2", "8.4"):
        try:
            assert mime_type(sample, "8.4" if php == "8.4" else "8.2")
        except TooFarError:
            assert not known
    # A few milliseconds, and room for a busy machine.
    assert time.process_time() - began < 0.1


@pytest.mark.parametrize(
    "data",
    [b"(" * 65536, b"<!--" * 16384, b"[" * 65536, b'{"a":' * 12000, b"\n" * 65536, b"class A {" * 8000,
     b"def a(" * 10000, b"typeof " * 9000, b"\\" * 65536, b'"' * 65536, b'"",' * 20000, b"\xc3\xa4" * 32768,
     b"const a=" * 8000, b"#" + b" " * 65536, b"A" * 65536, b"<svg " * 13000, b"a,b\n" * 16000,
     b"\xff\xd8\xff\xe0\0\2" * 10000, b"GIF89a" + b"\0" * 65536, b"II*\0\x08\0\0\0" + b"\1\0" * 30000],
    ids=lambda data: repr(data[:10]),
)  # fmt: skip
def test_no_text_is_slow_to_judge(data: bytes) -> None:
    for extension in ("txt", "jpg", "svg"):
        sample = Sample.of(data)
        began = time.process_time()
        mismatch(sample, extension)
        truncation(sample)
        mime_type(sample, "8.2")
        mime_type(sample, "8.4")
        assert time.process_time() - began < 0.1
