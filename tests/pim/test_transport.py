"""The ways of a call on the wire, each against a real socket."""

from __future__ import annotations

import os
import socket
import threading
import time
import traceback
from pathlib import Path
from typing import Any

import pytest

from akeneo_media_cli.errors import AccessError, Kind, UsageError
from akeneo_media_cli.pim.client import PimClient
from akeneo_media_cli.pim.errors import CallError, Refusal, SourceTrouble, Trouble
from akeneo_media_cli.pim.multipart import FileBody, PathSource, Place
from akeneo_media_cli.pim.transport import CallInfo, Transport
from akeneo_media_cli.secret import Secret

from .conftest import CLIENT_SECRET, PASSWORD, Pim, connection_to
from .server import CERTIFICATE, Reply, Request, created, listening, page, refuses, says

PLACE = Place("product", "sku-1", "picture")
LARGE = 20_000_000
"""More than any socket's buffers take unread."""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "a.jpg"
    path.write_bytes(b"\xff\xd8" + os.urandom(100_000))
    return path


@pytest.fixture
def large(tmp_path: Path) -> Path:
    path = tmp_path / "large.bin"
    with path.open("wb") as out:
        out.truncate(LARGE)
    return path


def body_of(path: Path, **options: Any) -> FileBody:
    return FileBody(PathSource(path), place=PLACE, **options)


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


# The traps of architecture.md, by number.


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
        page(200, "Please log in"),
    ],
)
def test_trap_1_only_a_201_with_a_code_is_success(pim: Pim, file: Path, reply: Reply) -> None:
    client, _ = pim(lambda r: reply)
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


# What may have been done, and what not.


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


# Connections.


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


# TLS.


def test_tls_with_a_private_authority(pim: Pim, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(CERTIFICATE))
    client, server = pim(lambda r: created(), tls=True)
    client.upload_product(body_of(file))
    assert file.read_bytes() in server.requests[0].body


def test_an_untrusted_certificate_is_not_tried_again(pim: Pim) -> None:
    client, _ = pim(lambda r: created(), tls=True)
    with pytest.raises(UsageError) as caught:
        client.login()
    assert caught.value.kind is Kind.TLS
    assert "REQUESTS_CA_BUNDLE" in caught.value.hint


@pytest.mark.parametrize("content", [None, "no certificate"])
@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_an_unusable_bundle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str, content: str | None
) -> None:
    bundle = tmp_path / "ca.pem"
    if content:
        bundle.write_text(content)
    monkeypatch.setenv(variable, str(bundle))
    with pytest.raises(UsageError) as caught:
        Transport("https://pim.example")
    assert variable in caught.value.message


def test_a_folder_of_authorities_will_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path))
    Transport("https://pim.example").close()


def test_a_handshake_cut_short_is_tried_again() -> None:
    def serve(sock: socket.socket) -> None:
        sock.recv(10)

    with (
        listening(serve) as port,
        PimClient(connection_to(f"https://127.0.0.1:{port}")) as client,
        pytest.raises(Trouble) as caught,
    ):
        client.login()
    assert caught.value.failure.kind in (Kind.TLS, Kind.CONNECTION)
    assert not caught.value.maybe_done


def test_a_handshake_that_stalls_counts_as_connecting() -> None:
    release = threading.Event()

    def serve(sock: socket.socket) -> None:
        release.wait(10)

    with (
        listening(serve) as port,
        PimClient(connection_to(f"https://127.0.0.1:{port}"), connect_timeout=0.2) as client,
        pytest.raises(Trouble) as caught,
    ):
        client.login()
    release.set()
    assert caught.value.failure.kind is Kind.TIMEOUT
    assert "no connection" in caught.value.failure.message


def test_a_handshake_that_fails_is_tried_again() -> None:
    def serve(sock: socket.socket) -> None:
        sock.recv(65536)
        sock.sendall(b"\x15\x03\x03\x00\x02\x02\x28")  # a TLS alert: handshake_failure

    with (
        listening(serve) as port,
        PimClient(connection_to(f"https://127.0.0.1:{port}")) as client,
        pytest.raises(Trouble) as caught,
    ):
        client.login()
    assert caught.value.failure.kind is Kind.TLS


def test_a_host_name_that_cannot_be() -> None:
    with (
        PimClient(connection_to(f"http://{'a' * 70}.example")) as client,
        pytest.raises(UsageError) as caught,
    ):
        client.login()
    assert "AKENEO_URL" in caught.value.hint


def test_https_to_a_port_without_tls() -> None:
    def serve(sock: socket.socket) -> None:
        sock.recv(65536)
        sock.sendall(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")

    with (
        listening(serve) as port,
        PimClient(connection_to(f"https://127.0.0.1:{port}")) as client,
        pytest.raises(UsageError) as caught,
    ):
        client.login()
    assert "TLS" in caught.value.message


# Proxies.


def test_a_proxy_of_the_environment_is_used_but_for_no_proxy(
    pim: Pim, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, proxy = pim(lambda r: created())
    monkeypatch.setenv("HTTP_PROXY", proxy.url.replace("http://", "http://user:proxy-pass@"))
    monkeypatch.setenv("NO_PROXY", "other.example, *.internal, 10.0.0.0/8")
    monkeypatch.setenv("ALL_PROXY", "socks5://nowhere.example")
    with PimClient(connection_to("http://pim.example")) as client:
        client.upload_product(body_of(file))
    (request,) = proxy.requests
    assert request.target == "http://pim.example/api/rest/v1/media-files"
    assert request.headers["proxy-authorization"].startswith("Basic ")
    direct, server = pim(lambda r: created())
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with PimClient(direct.auth._connection) as again:
        again.upload_product(body_of(file))
    assert len(server.requests) == 1


def test_a_tunnel_through_a_proxy(pim: Pim, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(CERTIFICATE))
    _, server = pim(lambda r: created(), tls=True)

    def serve(sock: socket.socket) -> None:
        assert sock.recv(65536).startswith(b"CONNECT localhost:")
        sock.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        with socket.create_connection(("127.0.0.1", server.port)) as beyond:
            pump = threading.Thread(target=_pump, args=(beyond, sock))
            pump.start()
            _pump(sock, beyond)
            pump.join(5)

    with listening(serve) as port:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port}")
        with PimClient(connection_to(f"https://localhost:{server.port}")) as client:
            for _ in range(2):
                client.upload_product(body_of(file))
    assert [file.read_bytes() in request.body for request in server.requests] == [True, True]
    assert server.connections == 1


def _pump(source: socket.socket, sink: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        sink.close()


def test_a_proxy_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://user:proxy-pass@127.0.0.1:9")
    with PimClient(connection_to("http://pim.example")) as client, pytest.raises(Trouble) as caught:
        client.login()
    assert caught.value.failure.kind is Kind.CONNECTION
    assert "proxy" in caught.value.failure.message
    assert "proxy-pass" not in str(caught.value)


def test_a_proxy_that_wants_a_password(monkeypatch: pytest.MonkeyPatch) -> None:
    def serve(sock: socket.socket) -> None:
        sock.recv(65536)
        sock.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")

    with listening(serve) as port:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port}")
        with PimClient(connection_to("https://pim.example")) as client, pytest.raises(UsageError) as caught:
            client.login()
    assert "407" in caught.value.message


@pytest.mark.parametrize(
    ("variable", "proxy"),
    [
        ("HTTP_PROXY", "http://user:proxy-pass@"),
        ("HTTP_PROXY", "http://user:proxy-pass@[broken"),
        ("ALL_PROXY", "socks5://user:proxy-pass@proxy.example"),
    ],
)
def test_a_proxy_that_cannot_be(monkeypatch: pytest.MonkeyPatch, variable: str, proxy: str) -> None:
    monkeypatch.setenv(variable, proxy)
    with pytest.raises(UsageError) as caught:
        PimClient(connection_to("http://pim.example"))
    assert "proxy-pass" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "pim.example",
        "ftp://pim.example",
        "https://",
        "https://u:p@pim.example",
        "https://pim/?x=1",
        "http://[::1",
    ],
)
def test_an_address_that_cannot_be(url: str) -> None:
    with pytest.raises(UsageError) as caught:
        PimClient(connection_to(url))
    assert "p@" not in str(caught.value)


def test_a_path_before_the_api_and_a_name_in_unicode() -> None:
    assert Transport("https://bücher.example/pim/").url == "https://xn--bcher-kva.example/pim"


# Secrets.


def test_no_secret_in_tracebacks_reprs_and_hooks(pim: Pim, file: Path) -> None:
    heard: list[CallInfo] = []

    def handle(request: Request) -> Reply | None:
        if len(server.requests) == 1:
            return refuses(500, f"debug: {request.headers['authorization']} {PASSWORD} {CLIENT_SECRET}")
        request.reset()
        return None

    client, server = pim(
        handle,
        on_call=heard.append,
        tokens=lambda r: says(200, {"access_token": "acc3ss-token", "refresh_token": "refr3sh-token"}),
    )
    shown = []
    for _ in range(2):
        with pytest.raises(Trouble) as caught:
            client.upload_product(body_of(file))
        shown += ["".join(traceback.format_exception(caught.value))]
        shown += [repr(caught.value), repr(caught.value.failure)]
        assert caught.value.__context__ is None
    shown += [repr(heard), repr(client.__dict__), repr(client.auth._token)]
    everything = "\n".join(shown)
    for secret in ("acc3ss-token", "refr3sh-token", PASSWORD, CLIENT_SECRET):
        assert secret not in everything
    assert "debug: Bearer *** *** ***" in everything
    assert [(info.method, info.path, info.status, info.attempt) for info in heard] == [
        ("POST", "/api/oauth/v1/token", 200, 1),
        ("POST", "/api/rest/v1/media-files", 500, 1),
        ("POST", "/api/rest/v1/media-files", None, 1),
    ]
    assert isinstance(heard[2].error, Trouble)
    assert heard[1].sent > 100_000
    assert client.counts.sent == sum(info.sent for info in heard)


def test_a_refusal_longer_than_sense_is_cut(pim: Pim, file: Path) -> None:
    client, _ = pim(lambda r: Reply(403, b"<p>no</p>" * 200_000))
    with pytest.raises(Refusal) as caught:
        client.upload_product(body_of(file))
    assert caught.value.failure.kind is Kind.BLOCKED
    assert len(caught.value.failure.message) < 1000


def test_a_refusal_whose_text_breaks_off_is_still_one(pim: Pim, file: Path) -> None:
    cut = b"HTTP/1.1 413 Large\r\nContent-Length: 5000\r\n\r\n<html>too lar"
    client, _ = pim(lambda r: Reply(raw=cut, close=True))
    with pytest.raises(Refusal) as caught:
        client.upload_product(body_of(file))
    assert caught.value.failure.kind is Kind.BODY_TOO_LARGE


def test_cookies_are_not_kept(pim: Pim, file: Path) -> None:
    client, server = pim(
        lambda r: Reply(201, headers={"Location": "/api/rest/v1/media-files/a/b", "Set-Cookie": "BAPID=1"})
    )
    client.upload_product(body_of(file))
    client.upload_product(body_of(file))
    assert "cookie" not in server.requests[1].headers
