"""Small parts alone: MIME types, sizes, codes, PHP's habits."""

from __future__ import annotations

import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from akeneo_media_cli.sandbox.media import media_code
from akeneo_media_cli.sandbox.mime import HEAD, mime_type
from akeneo_media_cli.sandbox.rules import byte_limit
from akeneo_media_cli.sandbox.stats import Call, Stats
from akeneo_media_cli.sandbox.text import extension_of, folded, php_basename, php_decode, php_json, php_round

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
        (
            ZIP + b"word/document.xml",
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        ),
        (ZIP + b"ppt/a.xml", "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
        (b"PK\x03\x04word/", "application/zip"),
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
    assert mime_type(data[:HEAD], len(data)) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [("1.00", 1_000_000), ("10.00", 10_000_000), ("0.01", 10_000), ("0.50", 512_000), ("10.50", 10_752_000),
     ("9999.99", 10_239_989_000), (None, None), ("", None), ("0.00", None), (2, 2_000_000)],
)  # fmt: skip
def test_max_file_size_in_bytes(given: object, expected: int | None) -> None:
    assert byte_limit(given) == expected


@pytest.mark.parametrize(
    ("number", "rounded"), [(1.005, 1.01), (2.097152, 2.1), (0.1024, 0.1), (1005.0, 1005.0)]
)
def test_php_rounds_halves_up(number: float, rounded: float) -> None:
    assert php_round(number) == rounded


@given(st.binary(max_size=300), st.integers(0, 10**18))
def test_a_media_code_has_the_pims_form(name: bytes, tick: int) -> None:
    code = media_code(name, tick)
    head, _, safe = code[8:].partition("_")
    assert code[:8] == "/".join(head[:4]) + "/"
    assert len(head) == 40
    assert code == media_code(name, tick)
    if len(name) <= 100:
        assert len(safe) == len(name)
        assert media_code(name, tick + 1) != code


@given(st.text(max_size=30))
def test_folding_twice_changes_nothing(code: str) -> None:
    assert folded(folded(code)) == folded(code)
    assert folded(code + "  ") == folded(code)


def test_php_habits() -> None:
    assert php_basename(b"a/b\\c.jpg") == b"c.jpg"
    assert php_basename(b"c.jpg") == b"c.jpg"
    assert (extension_of("a.tar.gz"), extension_of(".jpg"), extension_of("a."), extension_of("a")) == (
        "gz",
        "jpg",
        "",
        "",
    )
    assert php_json({"a/b": "é"}) == '{"a\\/b":"\\u00e9"}'
    assert json.loads(php_json({"a/b": "é"})) == {"a/b": "é"}


@pytest.mark.parametrize(
    "text", [b"", b"{", b"NaN", b"[1e999999]", b'"\\ud800"', b"\xff", b"\xef\xbb\xbf{}", b"[" * 99_999]
)
def test_json_that_php_does_not_take(text: bytes) -> None:
    assert php_decode(text) is None


def test_gauges_never_lose_count() -> None:
    """Calls that hold, hold again, let go and end in any order leave nothing held."""
    rng, stats = random.Random(7), Stats(lambda: 0.0)
    calls: list[Call] = []
    for _ in range(2000):
        if not calls or rng.random() < 0.4:
            calls.append(stats.begin("POST", "/x"))
        call = rng.choice(calls)
        step = rng.random()
        if step < 0.4:
            stats.hold(call, stats.entities, str(rng.randrange(5)))
        elif step < 0.6:
            stats.release(call, stats.entities)
        else:
            calls.remove(call)
            stats.end(call, "201")
        assert stats.flying.now["all"] == len(calls)
    for call in calls:
        stats.end(call, "201")
    assert not stats.entities.now
    assert not stats.flying.now
