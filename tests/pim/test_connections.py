"""Connections kept, given up, shared, and those that never came about."""

from __future__ import annotations

import socket
import threading
from pathlib import Path

import pytest

from akeneo_media_cli.errors import Kind
from akeneo_media_cli.pim.client import PimClient
from akeneo_media_cli.pim.errors import Trouble
from akeneo_media_cli.pim.http.transport import CallInfo
from akeneo_media_cli.secret import Secret

from .conftest import (
    LARGE,
    Pim,
    body_of,
    connection_to,
    listing,
)
from .server import Reply, Request, created, refuses, says


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


def test_a_kept_connection_that_died_under_an_upload_costs_no_try(pim: Pim, file: Path, large: Path) -> None:
    heard: list[CallInfo] = []
    shown: list[int] = []

    def handle(request: Request) -> Reply | None:
        if len(server.requests) == 2:
            request.read(1000)
            request.reset()
            return None
        _ = request.body
        return created()

    client, server = pim(handle, lazy=True, on_call=heard.append)
    client.upload_product(body_of(file))
    client.upload_product(body_of(large, on_bytes=shown.append))
    whole = server.requests[-1]
    assert len(whole.body) == int(whole.headers["content-length"]) > LARGE
    assert sum(shown) == LARGE
    assert server.connections == 2
    assert [(call.path[-6:], call.status, call.attempt) for call in heard] == [
        ("/token", 200, 1),
        ("-files", 201, 1),
        ("-files", None, 1),
        ("-files", 201, 2),
    ]
    assert isinstance(heard[2].error, Trouble)
    assert client.counts.requests == 4


def test_reads_and_logins_outlive_the_death_of_a_kept_connection(pim: Pim) -> None:
    clock = Clock()
    dead = {"/media-files": 2, "/token": 2}

    def dies(request: Request) -> bool:
        name = "/" + request.path.rpartition("/")[2]
        dead[name] -= 1
        return dead[name] == 0

    client, server = pim(
        lambda r: None if dies(r) else listing([]),
        tokens=lambda r: (
            None if dies(r) else says(200, {"access_token": "t", "expires_in": 2, "refresh_token": "r"})
        ),
        clock=clock,
    )
    client.media_file_page()
    client.media_file_page()
    assert (len(server.requests), len(server.logins), server.connections) == (3, 1, 2)
    clock.now += 2
    client.media_file_page()
    assert [login.json["grant_type"] for login in server.logins] == ["password"] + 2 * ["refresh_token"]
    assert (len(server.requests), server.connections) == (4, 3)


def test_a_call_made_once_more_trusts_no_other_kept_connection(pim: Pim) -> None:
    met = threading.Barrier(2)
    opened: list[object] = []
    busy, done = threading.Event(), threading.Event()
    threads: list[threading.Thread] = []

    def handle(request: Request) -> Reply | None:
        if request.sock in opened:
            return None
        opened.append(request.sock)
        if len(opened) <= 2:
            met.wait(10)
        if len(opened) == 3:
            busy.set()
            done.wait(10)
        return listing([])

    def call() -> None:
        threads.append(threading.Thread(target=client.media_file_page))
        threads[-1].start()

    def heard(info: CallInfo) -> None:
        if info.error:
            # Another thread is faster to have the place of the connection that died.
            call()
            assert busy.wait(10)

    client, server = pim(handle, connection={"token": Secret("app-token")}, on_call=heard)
    call()
    call()
    for thread in threads:
        thread.join(10)
    assert server.connections == 2
    client.media_file_page()
    done.set()
    threads[-1].join(10)
    assert (server.connections, len(server.requests)) == (4, 5)


def test_a_call_is_made_once_more_and_no_oftener(pim: Pim) -> None:
    client, server = pim(lambda r: None if server.requests[1:] else listing([]))
    client.media_file_page()
    with pytest.raises(Trouble) as caught:
        client.media_file_page()
    assert len(server.requests) == 3
    assert not caught.value.reused


def test_a_connection_made_anew_is_no_kept_one(pim: Pim) -> None:
    clock = Clock()
    client, server = pim(lambda r: None if server.requests[1:] else listing([]), clock=clock)
    client.media_file_page()
    clock.now += 5
    with pytest.raises(Trouble) as caught:
        client.media_file_page()
    assert not caught.value.reused
    assert len(server.requests) == server.connections == 2


def test_silence_is_no_death(pim: Pim) -> None:
    silent = threading.Event()

    def handle(request: Request) -> Reply:
        if server.requests[1:]:
            silent.wait(10)
        return listing([])

    client, server = pim(handle, timeout=0.2)
    client.media_file_page()
    with pytest.raises(Trouble) as caught:
        client.media_file_page()
    silent.set()
    assert caught.value.failure.kind is Kind.TIMEOUT
    assert len(server.requests) == 2


def test_attempts_count_on_after_a_renewed_token(pim: Pim) -> None:
    heard: list[CallInfo] = []
    replies: list[Reply | None] = [listing([]), None, refuses(401, "expired"), listing([])]
    client, _ = pim(lambda r: replies.pop(0), on_call=heard.append)
    client.media_file_page()
    client.media_file_page()
    assert [(call.path[-6:], call.status, call.attempt) for call in heard[2:]] == [
        ("it=100", None, 1),
        ("it=100", 401, 2),
        ("/token", 200, 1),
        ("it=100", 200, 3),
    ]


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
