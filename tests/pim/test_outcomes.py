"""What is said of a call that failed: may it have been done, and when may it be tried again?"""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from akeneo_media_cli.errors import Kind
from akeneo_media_cli.pim.errors import Trouble
from akeneo_media_cli.secret import Secret

from .conftest import (
    LARGE,
    Pim,
    body_of,
)
from .server import CERTIFICATE, Reply, Request, page


def test_a_reset_after_the_body_may_be_done(pim: Pim, file: Path) -> None:
    def handle(request: Request) -> Reply | None:
        request.reset()
        return None

    client, _ = pim(handle, connection={"token": Secret("app-token-1234")})
    body = body_of(file)
    with pytest.raises(Trouble) as caught:
        client.upload_product(body)
    assert caught.value.failure.kind is Kind.CONNECTION
    assert caught.value.maybe_done
    assert not caught.value.throttled
    assert not caught.value.reused
    assert body.complete


def test_a_reset_in_the_body_is_surely_not_done(pim: Pim, large: Path) -> None:
    def handle(request: Request) -> Reply | None:
        request.read(1000)
        request.reset()
        return None

    client, _ = pim(handle, lazy=True)
    body = body_of(large)
    with pytest.raises(Trouble) as caught:
        client.upload_product(body)
    assert not caught.value.maybe_done
    assert not body.complete


def test_a_close_without_answer_may_be_done(pim: Pim, file: Path) -> None:
    def handle(request: Request) -> Reply | None:
        return None

    client, _ = pim(handle)
    with pytest.raises(Trouble) as caught:
        client.upload_product(body_of(file))
    assert caught.value.maybe_done
    assert "closed without an answer" in caught.value.failure.message


def test_silence_after_the_body(pim: Pim, file: Path) -> None:
    release = threading.Event()

    def handle(request: Request) -> Reply | None:
        release.wait(10)
        return None

    client, _ = pim(handle, timeout=0.2)
    with pytest.raises(Trouble) as caught:
        client.upload_product(body_of(file))
    release.set()
    assert caught.value.failure.kind is Kind.TIMEOUT
    assert "0.2 seconds" in caught.value.failure.message
    assert caught.value.maybe_done


@pytest.mark.parametrize("tls", [False, True])
def test_a_server_that_stops_reading(
    pim: Pim, large: Path, monkeypatch: pytest.MonkeyPatch, tls: bool
) -> None:
    """The silence allowed while sending is the read time-out, not the connect time-out."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(CERTIFICATE))
    release = threading.Event()

    def handle(request: Request) -> Reply | None:
        release.wait(10)
        return None

    client, _ = pim(handle, lazy=True, tls=tls, timeout=0.3, connect_timeout=30)
    began = time.monotonic()
    with pytest.raises(Trouble) as caught:
        client.upload_product(body_of(large))
    release.set()
    assert caught.value.failure.kind is Kind.TIMEOUT
    assert not caught.value.maybe_done
    assert time.monotonic() - began < 5


def test_a_slow_reader_is_not_silent(pim: Pim, large: Path) -> None:
    """One piece may take longer than the time-out, as long as something of it moves."""

    def handle(request: Request) -> Reply:
        until = time.monotonic() + 1.2
        while time.monotonic() < until:
            request.read(500_000)
            time.sleep(0.05)
        left = LARGE
        request.sock.settimeout(0.5)
        try:
            while left > 0:
                left -= request.read(1 << 20) or left
        except TimeoutError:
            pass
        return Reply(201, headers={"Location": "/api/rest/v1/media-files/a/b"}, close=True)

    client, _ = pim(handle, lazy=True, timeout=0.4)
    client.upload_product(body_of(large, piece=16_000_000))


@pytest.mark.parametrize("status", [500, 502, 503, 504, 520])
def test_5xx_after_the_body_may_be_done(pim: Pim, file: Path, status: int) -> None:
    client, _ = pim(lambda r: page(status, "oops"))
    with pytest.raises(Trouble) as caught:
        client.upload_product(body_of(file))
    assert caught.value.maybe_done
    assert caught.value.failure.http_status == status
    with pytest.raises(Trouble) as caught:
        client.get_product("x")
    assert not caught.value.maybe_done


@pytest.mark.parametrize("status", [408, 425, 429])
def test_these_say_that_nothing_was_done(pim: Pim, file: Path, status: int) -> None:
    client, _ = pim(lambda r: page(status, "later"))
    with pytest.raises(Trouble) as caught:
        client.upload_product(body_of(file))
    assert not caught.value.maybe_done
    assert caught.value.throttled == (status == 429)


@pytest.mark.parametrize(
    "raw", [b"\x00\x01garbage\r\n\r\n", b"SSH-2.0-OpenSSH_9\r\n", b"HTTP/9 what\r\n\r\n"]
)
def test_an_answer_that_is_no_http(pim: Pim, file: Path, raw: bytes) -> None:
    client, _ = pim(lambda r: Reply(raw=raw, close=True))
    with pytest.raises(Trouble) as caught:
        client.upload_product(body_of(file))
    assert caught.value.failure.kind is Kind.CONNECTION
    assert caught.value.maybe_done


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "7"}, 7.0),
        ({"Retry-After": "0"}, 0.0),
        ({"Retry-After": " 2.5 "}, 2.5),
        ({"Retry-After": "Tue, 24 Nov 2026 10:00:30 GMT", "Date": "Tue, 24 Nov 2026 10:00:00 GMT"}, 30.0),
        ({"Retry-After": "Tue, 24 Nov 2026 10:00:30 GMT"}, 20.0),
        ({"Retry-After": "Tue, 24 Nov 2020 10:00:30 GMT"}, 0.0),
        ({"Retry-After": "-5"}, None),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "9" * 400}, None),
        ({"Retry-After": "Tue, 99 Nov 2026 10:00:30 GMT"}, None),
        ({"Retry-After": "nan"}, None),
        ({"Retry-After": "\xb2"}, None),
        ({}, None),
    ],
)
def test_retry_after(pim: Pim, headers: dict[str, str], seconds: float | None) -> None:
    ten_seconds_past_ten = 1795514410.0
    client, _ = pim(lambda r: Reply(429, headers=headers), wall=lambda: ten_seconds_past_ten)
    with pytest.raises(Trouble) as caught:
        client.get_product("x")
    assert caught.value.retry_after == seconds
