"""Answers that never end although they are never silent. Time is the client's clock, which tests move."""

from __future__ import annotations

import contextlib
import io
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from akeneo_media_cli.errors import Kind
from akeneo_media_cli.pim.errors import Trouble

from .conftest import Pim, body_of, product
from .server import CERTIFICATE, Reply, Request, created, says


class Clock:
    """`step`: seconds that go by from one look at it to the next."""

    def __init__(self, step: float = 0.0) -> None:
        self.now = 0.0
        self.step = step
        self._looked_at = threading.Event()

    def __call__(self) -> float:
        self.now += self.step
        self._looked_at.set()
        return self.now

    def wait_for_a_look(self) -> None:
        """Until the client has looked, or is gone and looks no more."""
        self._looked_at.wait(0.1)
        self._looked_at.clear()


def drip(request: Request, clock: Clock, begins: bytes, each: bytes, seconds: float = 0.0) -> None:
    """Until the client is gone, or has waited far too long.

    `seconds` go by for `each`, and the client reads it before the next is sent: the time for an answer begins
    only when its own body is out.
    """
    with contextlib.suppress(OSError):
        request.sock.sendall(begins)
        for _ in range(10_000):
            if seconds:
                clock.wait_for_a_look()
                clock.now += seconds
            request.sock.sendall(each)


@pytest.fixture(params=[False, True])
def tls(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[bool]:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(CERTIFICATE))
    yield request.param


@pytest.mark.parametrize(
    ("begins", "each"),
    [
        (b"HTTP/1.1 201 ", b"Created"),
        (b"HTTP/1.1 201 Created\r\nX: ", b"a"),
        # Time runs out after some twenty: newer http.client ends by itself after 100 interim responses.
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    ],
    ids=["reason", "header", "interim"],
)
def test_a_head_that_drips_is_given_up(pim: Pim, file: Path, tls: bool, begins: bytes, each: bytes) -> None:
    clock = Clock()
    client, _ = pim(lambda r: drip(r, clock, begins, each, 10), clock=clock, timeout=20, tls=tls)
    with pytest.raises(Trouble) as caught:
        client.upload_product(body_of(file))
    assert caught.value.failure.kind is Kind.TIMEOUT
    assert "200 seconds" in caught.value.failure.message
    assert caught.value.maybe_done
    assert clock.now > 200


def test_interim_responses_without_end_are_given_up(pim: Pim, file: Path) -> None:
    clock = Clock()
    client, _ = pim(
        lambda r: drip(r, clock, b"", b"HTTP/1.1 100 Continue\r\n\r\n", 0.5), clock=clock, timeout=20
    )
    with pytest.raises(Trouble) as caught:
        client.upload_product(body_of(file))
    # By the clock, or with newer http.client by their number.
    assert caught.value.failure.kind in (Kind.TIMEOUT, Kind.CONNECTION)
    assert caught.value.maybe_done


@pytest.mark.parametrize("framing", [b"Content-Length: 1000000000", b"Transfer-Encoding: chunked"])
def test_a_body_that_drips_is_taken_as_broken_off(pim: Pim, tls: bool, framing: bytes) -> None:
    clock = Clock(step=1)
    head = b"HTTP/1.1 200 OK\r\n" + framing + b"\r\n\r\n"
    client, server = pim(
        lambda r: drip(r, clock, head, b"1\r\n \r\n" * 1000), clock=clock, timeout=20, tls=tls
    )
    with pytest.raises(Trouble) as caught:
        client.get_product("x")
    assert "broke off" in caught.value.failure.message
    assert clock.now < 300
    server.handle = lambda r: says(200, product())
    assert client.get_product("x")


def test_lines_of_a_batch_that_came_in_time_are_answers(pim: Pim) -> None:
    clock = Clock(step=1)
    head = b'HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n{"line": 1, "status_code": 204}\n'
    client, _ = pim(lambda r: drip(r, clock, head, b" " * 6000), clock=clock, timeout=20)
    results = client.patch_products([{"identifier": "a"}, {"identifier": "b"}])
    assert [result.status for result in results] == [204, None]
    assert clock.now < 300


def test_a_save_as_long_as_the_time_out_and_a_slow_line_are_no_drip(pim: Pim, file: Path) -> None:
    clock = Clock()

    def handle(request: Request) -> Reply:
        whole = created().encoded()
        for at in range(len(whole)):
            clock.now += 190 / len(whole)
            request.sock.sendall(whole[at : at + 1])
        return Reply(raw=b"")

    client, _ = pim(handle, clock=clock, timeout=20)
    assert client.upload_product(body_of(file)).code
    assert client.upload_product(body_of(file)).code
    assert clock.now > 370


def test_the_time_that_a_body_takes_to_go_out_is_not_the_answers(pim: Pim, file: Path) -> None:
    clock = Clock()

    def pace(size: int) -> None:
        clock.now += 10_000

    client, _ = pim(lambda r: created(), clock=clock, timeout=20)
    assert client.upload_product(body_of(file, pace=pace)).code


def test_a_download_may_take_as_long_as_it_likes(pim: Pim, tls: bool) -> None:
    clock = Clock(step=100)
    body = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\na\r\n" * 10_000 + b"0\r\n\r\n"
    client, _ = pim(lambda r: Reply(raw=body), clock=clock, timeout=20, tls=tls)
    assert client.download_media_file("a/b", io.BytesIO()).size == 10_000
    assert clock.now > 200
