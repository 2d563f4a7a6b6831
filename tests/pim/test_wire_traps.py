"""The traps in HTTP libraries, by their numbers, each against a real socket."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from akeneo_media_cli.errors import AccessError, Kind
from akeneo_media_cli.pim.errors import CallError, Refusal, SourceTrouble, Trouble
from akeneo_media_cli.secret import Secret

from .conftest import (
    LARGE,
    Pim,
    body_of,
)
from .server import CERTIFICATE, Reply, Request, created, page, says


def test_an_upload_arrives_whole(pim: Pim, file: Path) -> None:
    client, server = pim(lambda r: created("a/b/c/d/h_a.jpg"))
    body = body_of(file)
    made = client.upload_product(body)
    assert (made.code, made.location) == (
        "a/b/c/d/h_a.jpg",
        "/api/rest/v1/media-files/a/b/c/d/h_a.jpg",
    )
    (request,) = server.requests
    assert request.path == "/api/rest/v1/media-files"
    assert file.read_bytes() in request.body
    assert int(request.headers["content-length"]) == len(request.body) == len(body)
    assert "transfer-encoding" not in request.headers
    assert request.headers["accept"] == "*/*"
    assert request.headers["user-agent"].startswith("akeneo-media-cli/")
    assert request.headers["authorization"] == "Bearer t1"
    assert body.complete


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_trap_1_a_redirect_is_neither_followed_nor_success(pim: Pim, file: Path, status: int) -> None:
    client, server = pim(lambda r: page(status, "moved", Location="https://user:pw@right.example/x"))
    with pytest.raises(Refusal) as caught:
        client.upload_product(body_of(file))
    failure = caught.value.failure
    assert (failure.kind, failure.http_status) == (Kind.REDIRECTED, status)
    assert "https://***@right.example/x" in failure.hint
    assert len(server.requests) == 1


def test_trap_1_a_redirect_to_nonsense_is_an_answer_too(pim: Pim, file: Path) -> None:
    client, _ = pim(lambda r: page(302, "moved", Location="http://[::1"))
    with pytest.raises(Refusal) as caught:
        client.upload_product(body_of(file))
    assert caught.value.failure.kind is Kind.REDIRECTED


@pytest.mark.parametrize(
    "reply",
    [
        Reply(200),
        Reply(201),
        Reply(204),
        Reply(201, headers={"Location": "http://x/api/rest/v1/media-files/"}),
        Reply(201, headers={"Location": "http://x/elsewhere/a.jpg"}),
        Reply(201, headers={"Location": "http://[broken"}),
    ],
)
def test_trap_1_only_a_201_with_a_code_is_success(pim: Pim, file: Path, reply: Reply) -> None:
    """Something on the way lost the name or the status: the value may be saved, which a look-up tells."""
    client, _ = pim(lambda r: reply)
    with pytest.raises(Trouble) as caught:
        client.upload_product(body_of(file))
    assert caught.value.failure.kind is Kind.NOT_CREATED
    assert caught.value.maybe_done


def test_trap_1_a_login_page_is_not_success(pim: Pim, file: Path) -> None:
    client, _ = pim(lambda r: page(200, "Please log in"))
    with pytest.raises(Refusal) as caught:
        client.upload_product(body_of(file))
    assert caught.value.failure.kind is Kind.NOT_CREATED


def test_trap_2_a_second_try_with_the_same_body_is_whole(pim: Pim, file: Path) -> None:
    replies = iter([page(503, "busy"), created()])
    client, server = pim(lambda r: next(replies))
    body = body_of(file)
    with pytest.raises(Trouble):
        client.upload_product(body)
    client.upload_product(body)
    assert len(server.requests) == 2
    assert all(file.read_bytes() in request.body for request in server.requests)


def test_trap_3_netrc_is_never_read(
    pim: Pim, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".netrc").write_text("default login evil password evil\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    client, server = pim(lambda r: created())
    client.upload_product(body_of(file))
    assert server.requests[0].headers["authorization"] == "Bearer t1"
    assert server.logins[0].headers["authorization"].startswith("Basic MV9jbGllbnQ6")


@pytest.mark.parametrize("tls", [False, True])
def test_trap_4_and_5_a_file_that_changes_is_no_fault_of_the_network(
    pim: Pim, large: Path, monkeypatch: pytest.MonkeyPatch, tls: bool
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(CERTIFICATE))
    done = threading.Event()

    def handle(request: Request) -> None:
        _ = request.body
        done.set()

    client, server = pim(handle, tls=tls, lazy=True)
    body = body_of(large, pace=lambda n: os.truncate(large, LARGE - 1) if body.sent else None)
    with pytest.raises(SourceTrouble) as caught:
        client.upload_product(body)
    assert caught.value.failure.kind is Kind.FILE_CHANGED
    assert done.wait(10)
    wire = server.requests[0].body
    assert len(wire) < len(body)
    assert not wire.endswith(b"--\r\n")
    assert server.connections == 1
    with pytest.raises(Trouble):
        client.get_product("x")
    assert server.connections == 2


@pytest.mark.parametrize("status", [401, 413, 422, 503])
@pytest.mark.parametrize("close", [True, False])
@pytest.mark.parametrize("tls", [False, True])
def test_trap_7_an_early_answer_is_read(
    pim: Pim, large: Path, monkeypatch: pytest.MonkeyPatch, status: int, close: bool, tls: bool
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(CERTIFICATE))

    def handle(request: Request) -> Reply:
        request.read(1000)
        return Reply(status, b'{"code":1,"message":"early"}', close=close)

    client, server = pim(handle, lazy=True, tls=tls, connection={"token": Secret("app-token-1234")})
    body = body_of(large)
    with pytest.raises((CallError, AccessError)) as caught:
        client.upload_product(body)
    if isinstance(caught.value, Trouble) and not body.complete:
        assert not caught.value.maybe_done
    if tls and close and isinstance(caught.value, Trouble):
        # OpenSSL may refuse to read on after it failed to write; real servers close less abruptly.
        return
    if status == 401:
        assert "early" in str(caught.value)
    else:
        assert isinstance(caught.value, CallError)
        failure = caught.value.failure
        assert failure.http_status == status
        assert "early" in failure.message
    if not tls:
        assert body.sent < LARGE
    server.handle = lambda r: says(200, {"routes": {}, "host": "", "authentication": {}})
    client.routes()


def test_an_interim_answer_is_no_early_end(pim: Pim, large: Path) -> None:
    def handle(request: Request) -> Reply:
        request.sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        _ = request.body
        return created()

    client, _ = pim(handle, lazy=True)
    body = body_of(large)
    client.upload_product(body)
    assert body.complete
