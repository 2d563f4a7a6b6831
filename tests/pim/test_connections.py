"""Connections kept, given up, shared, and those that never came about."""

from __future__ import annotations

import socket
import threading
from pathlib import Path

import pytest

from akeneo_media_cli.errors import Kind
from akeneo_media_cli.pim.client import PimClient
from akeneo_media_cli.pim.errors import Trouble

from .conftest import (
    Pim,
    body_of,
    connection_to,
)
from .server import Reply, Request, created


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_connection_is_kept_and_given_up_before_the_server_does(pim: Pim, file: Path) -> None:
    clock = Clock()
    client, server = pim(lambda r: created(), clock=clock)
    for _ in range(3):
        client.upload_product(body_of(file))
    assert server.connections == 1
    clock.now += 3.9
    client.upload_product(body_of(file))
    assert server.connections == 1
    clock.now += 4.1
    client.upload_product(body_of(file))
    assert server.connections == 2
    for _ in range(89):
        client.upload_product(body_of(file, digest=False))
    assert server.connections == 2
    client.upload_product(body_of(file))
    assert server.connections == 3


def test_a_kept_connection_that_died_says_so(pim: Pim, file: Path) -> None:
    calls = iter(range(10))

    def handle(request: Request) -> Reply | None:
        if next(calls) == 1:
            request.reset()
            return None
        return created()

    client, server = pim(handle)
    client.upload_product(body_of(file))
    with pytest.raises(Trouble) as caught:
        client.upload_product(body_of(file))
    assert caught.value.reused
    client.upload_product(body_of(file))
    assert server.connections == 2


def test_a_kept_connection_closed_meanwhile_costs_nothing(pim: Pim, file: Path) -> None:
    def handle(request: Request) -> Reply:
        return Reply(201, headers={"Location": "/api/rest/v1/media-files/a/b"}, close=True)

    client, server = pim(handle)
    for _ in range(5):
        client.upload_product(body_of(file))
        server._threads[-1].join(5)
    assert len(server.requests) == 5


def test_threads_share_one_pool(pim: Pim, file: Path) -> None:
    client, server = pim(lambda r: created(), pool=4)

    def work() -> None:
        for _ in range(20):
            client.upload_product(body_of(file, digest=False))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(server.requests) == 80
    assert len(server.logins) == 1
    assert server.connections <= 5
    assert client.counts.requests == 81
    assert client.counts.logins == 1
    assert client.counts.sent > 80 * 100_000


def test_nobody_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    with PimClient(connection_to(f"http://127.0.0.1:{port}")) as client, pytest.raises(Trouble) as caught:
        client.login()
    assert caught.value.failure.kind is Kind.CONNECTION
    assert "refused" in caught.value.failure.message
    assert not caught.value.maybe_done


def test_a_host_that_is_not_there() -> None:
    with PimClient(connection_to("http://no-such-host.invalid")) as client, pytest.raises(Trouble) as caught:
        client.login()
    assert caught.value.failure.kind is Kind.CONNECTION
    assert "not found" in caught.value.failure.message


def test_no_connection_in_time(pim: Pim) -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        waiting = []
        try:
            for _ in range(4):
                each = socket.socket()
                each.setblocking(False)
                each.connect_ex(("127.0.0.1", port))
                waiting.append(each)
            with (
                PimClient(connection_to(f"http://127.0.0.1:{port}"), connect_timeout=0.2) as client,
                pytest.raises(Trouble) as caught,
            ):
                client.login()
        finally:
            for each in waiting:
                each.close()
    assert caught.value.failure.kind is Kind.TIMEOUT
    assert "0.2 seconds" in caught.value.failure.message
