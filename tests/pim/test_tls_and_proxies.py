"""Certificates, proxies and addresses."""

from __future__ import annotations

import socket
import ssl
import threading
from base64 import b64encode
from pathlib import Path

import pytest
import requests

from akeneo_media_cli.errors import Kind, UsageError
from akeneo_media_cli.pim.client import PimClient
from akeneo_media_cli.pim.errors import Trouble
from akeneo_media_cli.pim.http.transport import Transport

from .conftest import (
    Pim,
    body_of,
    connection_to,
)
from .server import CERTIFICATE, KEY, created, listening


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


def test_a_proxy_of_the_environment_is_used_but_for_no_proxy(
    pim: Pim, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, proxy = pim(lambda r: created())
    monkeypatch.setenv("HTTP_PROXY", proxy.url.replace("http://", "http://user:p%40ss@"))
    monkeypatch.setenv("NO_PROXY", "other.example, *.internal, 10.0.0.0/8")
    monkeypatch.setenv("ALL_PROXY", "socks5://nowhere.example")
    with PimClient(connection_to("http://pim.example")) as client:
        client.upload_product(body_of(file))
    (request,) = proxy.requests
    assert request.target == "http://pim.example/api/rest/v1/media-files"
    assert request.headers["proxy-authorization"] == "Basic " + b64encode(b"user:p@ss").decode()
    direct, server = pim(lambda r: created())
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with PimClient(direct.auth._connection) as again:
        again.upload_product(body_of(file))
    assert len(server.requests) == 1


def test_an_encrypted_proxy_in_front_of_a_plain_pim(
    pim: Pim, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(CERTIFICATE))
    _, proxy = pim(lambda r: created(), tls=True)
    monkeypatch.setenv("HTTP_PROXY", proxy.url)
    with PimClient(connection_to("http://pim.example")) as client:
        for _ in range(2):
            client.upload_product(body_of(file))
    assert [r.target for r in proxy.requests] == ["http://pim.example/api/rest/v1/media-files"] * 2
    assert [r.headers["host"] for r in proxy.requests] == ["pim.example"] * 2
    assert proxy.connections == 1


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_tunnel_through_a_proxy(pim: Pim, file: Path, monkeypatch: pytest.MonkeyPatch, scheme: str) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(CERTIFICATE))
    _, server = pim(lambda r: created(), tls=True)
    login = b"Proxy-Authorization: Basic " + b64encode(b"user:p@ss")

    def serve(sock: socket.socket) -> None:
        if scheme == "https":
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(CERTIFICATE, KEY)
            sock = context.wrap_socket(sock, server_side=True)
        asked = sock.recv(65536)
        assert asked.startswith(b"CONNECT localhost:")
        assert login in asked
        _lead_on(sock, server.port)

    with listening(serve) as port:
        monkeypatch.setenv("HTTPS_PROXY", f"{scheme}://user:p%40ss@localhost:{port}")
        with PimClient(connection_to(f"https://localhost:{server.port}")) as client:
            for _ in range(2):
                client.upload_product(body_of(file))
    assert [file.read_bytes() in request.body for request in server.requests] == [True, True]
    assert not any("proxy-authorization" in request.headers for request in server.requests)
    assert server.connections == 1


def test_a_certificate_of_another_host_is_not_trusted(pim: Pim, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(CERTIFICATE))
    _, server = pim(lambda r: created(), tls=True)

    def serve(sock: socket.socket) -> None:
        sock.recv(65536)
        _lead_on(sock, server.port)

    with listening(serve) as port:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port}")
        with PimClient(connection_to("https://pim.example")) as client, pytest.raises(UsageError) as caught:
            client.login()
    assert caught.value.kind is Kind.TLS
    assert "pim.example is not trusted" in caught.value.message
    assert not server.logins


def _lead_on(sock: socket.socket, port: int) -> None:
    """Be the tunnel to a port."""
    sock.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
    with socket.create_connection(("127.0.0.1", port)) as beyond:
        pump = threading.Thread(target=_pump, args=(beyond, sock))
        pump.start()
        _pump(sock, beyond)
        pump.join(5)


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


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8080", "https://my.cloud.akeneo.com/", "https://pim.example:65535/a.b/~c-d/"]
)
def test_an_address_goes_on_the_wire_as_requests_would_have_it(url: str) -> None:
    assert f"{Transport(url).url}/" == requests.Request("GET", f"{url.rstrip('/')}/").prepare().url


@pytest.mark.parametrize(
    ("url", "normal"),
    [
        ("https://PIM.Example/a/../b", "https://pim.example/b"),
        ("https://pim.example/ä", "https://pim.example/%C3%A4"),
    ],
)
def test_an_address_is_put_in_its_normal_form(url: str, normal: str) -> None:
    assert Transport(url).url == normal
