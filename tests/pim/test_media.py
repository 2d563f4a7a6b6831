"""Media files listed and downloaded."""

from __future__ import annotations

import hashlib
import io
from typing import Any

import pytest

from akeneo_media_cli.errors import Kind
from akeneo_media_cli.pim.answers.types import (
    MediaFile,
)
from akeneo_media_cli.pim.errors import Refusal, Trouble

from .conftest import (
    API,
    CODE,
    Pim,
    answering,
    listing,
)
from .server import Reply, refuses, says


def item(number: int) -> dict[str, Any]:
    return {
        "code": f"a/b/{number}",
        "original_filename": "ü.jpg",
        "mime_type": "image/jpeg",
        "size": 775,
        "extension": "jpg",
    }


def test_media_files(pim: Pim) -> None:
    client, server = answering(
        pim,
        says(200, item(1)),
        listing([item(1), item(2)], f"http://x{API}/media-files?page=2&limit=100&with_count=false"),
        listing([item(3)], f"http://x{API}/media-files?page=3"),
        listing([], f"http://x{API}/media-files?page=4"),
    )
    assert client.media_file("a/b c/ä") == MediaFile("a/b/1", "ü.jpg", "image/jpeg", 775, "jpg")
    assert server.requests[0].target == f"{API}/media-files/a/b%20c/%C3%A4"
    first, following = client.media_file_page()
    assert [f.code for f in first] == ["a/b/1", "a/b/2"]
    assert len(server.requests) == 2, "a page is asked for when it is needed"
    second, following = client.media_file_page(following)
    assert [f.code for f in second] == ["a/b/3"]
    assert client.media_file_page(following) == ([], "")


def test_pages_that_lead_in_circles_end(pim: Pim) -> None:
    client, server = pim(lambda r: listing([{"code": "a"}], f"http://x{API}/asset-families?page=2"))
    assert len(client.asset_families()) == 2
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("download_media_file", f"/media-files/{CODE}/download"),
        ("download_category_media", f"/category-media-files/{CODE}/download"),
        ("download_asset_media", f"/asset-media-files/{CODE}"),
        ("download_record_media", f"/reference-entities-media-files/{CODE}"),
    ],
)
def test_downloads(pim: Pim, method: str, path: str) -> None:
    content = bytes(range(256)) * 4000
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(p), p) for p in (content[:9], content[9:])) + b"0\r\n\r\n"
    chunked = Reply(raw=b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks)
    client, server = answering(
        pim, chunked, Reply(200, content), refuses(404, f'Media file "{CODE}" does not exist.')
    )
    for _ in range(2):
        into = io.BytesIO()
        told: list[int] = []
        found = getattr(client, method)(CODE, into, told.append)
        assert into.getvalue() == content
        assert (found.size, found.sha256) == (len(content), hashlib.sha256(content).hexdigest())
        assert sum(told) == len(content)
    assert server.connections == 1
    with pytest.raises(Refusal) as caught:
        getattr(client, method)(CODE, io.BytesIO())
    assert caught.value.failure.kind is Kind.TARGET_UNKNOWN
    assert [r.target for r in server.requests] == [API + path] * 3


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nff\r\nworl",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\nhello",
    ],
)
def test_a_download_that_breaks_off_is_no_file(pim: Pim, raw: bytes) -> None:
    client, _ = answering(pim, Reply(raw=raw, close=True))
    with pytest.raises(Trouble) as caught:
        client.download_media_file(CODE, io.BytesIO())
    assert caught.value.failure.kind is Kind.CONNECTION
    assert not caught.value.maybe_done


def test_a_full_disk_is_no_fault_of_the_network(pim: Pim) -> None:
    class Full(io.BytesIO):
        def write(self, data: Any, /) -> int:
            raise OSError(28, "No space left on device")

    client, server = pim(lambda r: Reply(200, b"x" * 1_000_000))
    with pytest.raises(OSError, match="No space left"):
        client.download_media_file(CODE, Full())
    whole = io.BytesIO()
    client.download_media_file(CODE, whole)
    assert whole.getvalue() == b"x" * 1_000_000
    assert len(server.requests) == 2
