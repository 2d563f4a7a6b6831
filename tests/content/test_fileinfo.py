"""MIME types as the PIM reads them from content."""

from __future__ import annotations

import pytest

from akeneo_media_cli.content.fileinfo import mime_type
from akeneo_media_cli.content.sample import Sample

ZIP = b"PK\x03\x04\x14\0\0\0\0\0" + b"[Content_Types].xml"


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", "application/x-empty"),
        (b"a", "application/octet-stream"),
        (b"ab", "application/octet-stream"),
        (b"abc", "text/plain"),
        (b"hello world\n", "text/plain"),
        ("café\n".encode(), "text/plain"),
        (b"caf\xe9 ole\n", "text/plain"),
        (b"a\x1bb\n", "text/plain"),
        (b"a\x01b", "application/octet-stream"),
        (b"a\0b", "application/octet-stream"),
        (b"x" * 65_535, "text/plain"),
        (b"x" * 65_536, "application/octet-stream"),
        (b"\xff\xd8\xff", "image/jpeg"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "image/png"),
        (b"\x89PNG\r\n\x1a\n", "application/octet-stream"),
        (b"GIF89a", "image/gif"),
        (b"RIFF\x24\0\0\0WEBPVP8 ", "image/webp"),
        (b"RIFF\x24\0\0\0WAVEfmt ", "audio/x-wav"),
        (b"RIFF\x24\0\0\0xxxx", "application/octet-stream"),
        (b"%PDF-1.4", "application/pdf"),
        (b"II*\0\x08\0\0\0", "image/tiff"),
        (b"8BPS\0\1", "image/vnd.adobe.photoshop"),
        (b"{\\rtf1 hello}", "text/rtf"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "application/CDFV2"),
        (b"\0\0\0\x18ftypmp42\0\0\0\0", "video/mp4"),
        (b"\0\0\0\x18ftypheic\0\0\0\0", "image/heic"),
        (b'<svg xmlns="http://www.w3.org/2000/svg"></svg>', "image/svg+xml"),
        (b'<?xml version="1.0"?><svg/>', "image/svg+xml"),
        (b'<?xml version="1.0"?><a/>', "text/xml"),
        (b"<!DOCTYPE html><html></html>", "text/html"),
        (ZIP, "application/zip"),
        (b"PK\x03\x04word/", "application/zip"),
        (b"0123456789abcdefghijklmnopqrstu\n" * 2047, "text/plain"),
        # As often as that each of its bytes comes a multiple of 256 times.
        (b"0123456789abcdefghijklmnopqrstu\n" * 2048, "application/octet-stream"),
        (b"a,b\n1,2\n3,4", "text/plain"),
        (b"a,b\n1,2\n3,4\n", "text/csv"),
        (b'a,b,"c\nd"\n1,2,3\n4,5,6\n', "text/csv"),
        (b"a,b\n" * 12 + b"x\n", "text/csv"),
        (b"a,b\n1,2\n3,4\n5\n", "text/plain"),
        (b"x\ny\nz\n", "text/plain"),
        (b"{}", "application/json"),
        (b' {"a":1} x', "application/json"),
        (b'{"a":', "text/plain"),
        (b"[" * 60_000, "text/plain"),
        (b'"abc"', "text/plain"),
        (b"\xff\xfea\0b\0", "text/plain"),
    ],
)
def test_mime_types_as_libmagic_tells_them(data: bytes, expected: str) -> None:
    assert mime_type(Sample.of(data)) == expected
