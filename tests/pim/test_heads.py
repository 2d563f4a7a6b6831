"""The heads of answers as servers and what is in front of them write them, and those that are none."""

from __future__ import annotations

from pathlib import Path

import pytest

from akeneo_media_cli.errors import Kind
from akeneo_media_cli.pim.errors import Trouble

from .conftest import Pim, body_of
from .server import Reply

LOCATION = b"Location: http://x/api/rest/v1/media-files/a/b_c.jpg\r\n"
EMPTY = b"Content-Length: 0\r\n"


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 201 Created\r\n" + LOCATION + EMPTY,
        b"HTTP/1.1 201\r\n" + LOCATION + EMPTY,
        b"HTTP/1.1 201 Created\n" + LOCATION.replace(b"\r", b"") + b"content-length:0\n",
        b"HTTP/1.1 201 Created\r\nLOCATION : http://x/api/rest/v1/media-files/a/b_c.jpg \r\n" + EMPTY,
        b"HTTP/1.1 201 Created\r\nno header at all\r\n" + LOCATION + EMPTY,
        b"HTTP/1.1 201 Created\r\nX-Caf\xe9: \xff\r\n" + LOCATION + EMPTY,
        b"HTTP/1.1 201 Created\r\nLocation:\r\n http://x/api/rest/v1/media-files/a/b_c.jpg\r\n" + EMPTY,
        b"HTTP/1.1 201 Created\r\n" + LOCATION + EMPTY + EMPTY,
        b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 201 Created\r\n" + LOCATION + EMPTY,
        b"HTTP/1.1 100 Continue\r\n\r\n" * 3 + b"HTTP/1.1 201 Created\r\n" + LOCATION + EMPTY,
        b"HTTP/1.1 201 Created\r\n" + b"X: 1\r\n" * 98 + LOCATION + EMPTY,
    ],
    ids=["usual", "reason", "newlines", "spaces", "junk", "bytes", "folded", "twice", "103", "100", "many"],
)
def test_a_head_that_can_be_read(pim: Pim, file: Path, head: bytes) -> None:
    client, server = pim(lambda r: Reply(raw=head + (b"\n" if b"\r" not in head else b"\r\n")))
    for _ in range(2):
        assert client.upload_product(body_of(file)).code == "a/b_c.jpg"
    assert server.connections == 1


def test_an_empty_chunked_answer_keeps_its_connection(pim: Pim, file: Path) -> None:
    raw = b"HTTP/1.1 201 Created\r\n" + LOCATION + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    client, server = pim(lambda r: Reply(raw=raw))
    for _ in range(2):
        assert client.upload_product(body_of(file)).code == "a/b_c.jpg"
    assert server.connections == 1


@pytest.mark.parametrize("version", [b"HTTP/1.0", b"HTTP/1.1"])
def test_an_answer_that_ends_with_its_connection(pim: Pim, file: Path, version: bytes) -> None:
    raw = version + b" 201 Created\r\nConnection: close\r\n" + LOCATION + b"\r\n"
    client, server = pim(lambda r: Reply(raw=raw, close=True))
    for _ in range(2):
        assert client.upload_product(body_of(file)).code == "a/b_c.jpg"
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/2.0 201 Created\r\n" + LOCATION + EMPTY,
        b"HTTP/1.1 two Created\r\n" + LOCATION + EMPTY,
        b"201 Created\r\n" + LOCATION + EMPTY,
        b"HTTP/1.1 201 Created\r\n" + b"X: 1\r\n" * 101 + LOCATION,
        b"HTTP/1.1 201 Created\r\nX: " + b"1" * 70_000 + b"\r\n" + LOCATION,
    ],
    ids=["version", "status", "protocol", "many", "long"],
)
def test_a_head_that_is_none_leaves_the_upload_in_doubt(pim: Pim, file: Path, head: bytes) -> None:
    client, _ = pim(lambda r: Reply(raw=head + b"\r\n", close=True))
    with pytest.raises(Trouble) as caught:
        client.upload_product(body_of(file))
    assert caught.value.failure.kind is Kind.CONNECTION
    assert caught.value.maybe_done


def test_no_line_break_gets_into_a_request(pim: Pim) -> None:
    client, server = pim(lambda r: Reply())
    with pytest.raises(ValueError, match="line break"):
        client.transport.exchange("GET", "/x", headers={"X": "a\r\nAuthorization: Bearer b"})
    assert not server.requests
