"""Small threaded servers on real sockets, to answer a client well, early, late, badly or not at all."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

HERE = Path(__file__).parent
CERTIFICATE = HERE / "localhost.pem"
KEY = HERE / "localhost.key"


@dataclass
class Reply:
    """`raw` goes out as it is; `close`: afterwards the connection is closed, without saying so before."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    raw: bytes | None = None
    close: bool = False

    def encoded(self) -> bytes:
        if self.raw is not None:
            return self.raw
        headers = {"Content-Length": str(len(self.body)), **self.headers}
        lines = [f"HTTP/1.1 {self.status} Said", *(f"{k}: {v}" for k, v in headers.items() if v)]
        return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + self.body


def says(status: int, data: Any, **headers: str) -> Reply:
    """JSON, as the PIM has it."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status, json.dumps(data).encode(), {"Content-Type": "application/json", **named})


def refuses(status: int, message: str, *errors: Mapping[str, Any]) -> Reply:
    body: dict[str, Any] = {"code": status, "message": message}
    return says(status, {**body, "errors": list(errors)} if errors else body)


def page(status: int, text: str, **headers: str) -> Reply:
    """HTML, as a proxy has it."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status, f"<html><title>x</title><p>{text}</p></html>".encode(), named)


def created(code: str = "a/b/c/d/x_a.jpg") -> Reply:
    return Reply(201, headers={"Location": f"http://elsewhere/api/rest/v1/media-files/{code}"})


class Request:
    """One request. Its body is read before it is handled, unless the server is `lazy`."""

    def __init__(self, head: bytes, early: bytes, sock: socket.socket) -> None:
        first, *lines = head.decode("latin-1").split("\r\n")
        self.method, self.target, _ = first.split(" ", 2)
        self.path = self.target.partition("?")[0]
        split = (line.partition(":") for line in lines)
        self.headers = {name.lower(): value.strip() for name, _, value in split}
        self.sock = sock
        self._received = bytearray(early)
        self._left = int(self.headers.get("content-length", 0)) - len(early)
        self._lock = threading.Lock()

    def read(self, size: int) -> int:
        """Read so many more bytes of the body, if it has them; says how many came."""
        with self._lock:
            before = len(self._received)
            size = min(size, self._left)
            while size > 0 and (part := self.sock.recv(min(size, 1 << 20))):
                self._received += part
                self._left -= len(part)
                size -= len(part)
            return len(self._received) - before

    @property
    def body(self) -> bytes:
        """All of it; of a body cut short what came."""
        with contextlib.suppress(OSError):
            self.read(self._left)
        return bytes(self._received)

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    def reset(self) -> None:
        """Close with an RST, as a crashed server does."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()


Handler = Callable[[Request], "Reply | None"]


class Server:
    """`handle` gives the reply; None closes the connection without one. `requests` keeps what came.

    Requests to the token endpoint are answered with tokens `t1`, `t2`, ... and counted in `logins`,
    unless `tokens` says otherwise.
    """

    def __init__(
        self, handle: Handler, *, tls: bool = False, lazy: bool = False, tokens: Handler | None = None
    ) -> None:
        self.handle = handle
        self.lazy = lazy
        self.requests: list[Request] = []
        self.logins: list[Request] = []
        self.tokens = tokens or self._token
        self.connections = 0
        self._lock = threading.Lock()
        self._context: ssl.SSLContext | None = None
        if tls:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(CERTIFICATE, KEY)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._socks: list[socket.socket] = []
        self._threads[0].start()

    def __enter__(self) -> Server:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for sock in self._socks:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()
        for thread in self._threads:
            thread.join(5)

    def _token(self, request: Request) -> Reply:
        number = len(self.logins)
        return says(200, {"access_token": f"t{number}", "expires_in": 3600, "refresh_token": f"r{number}"})

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listening.accept()
            except OSError:
                return
            self.connections += 1
            thread = threading.Thread(target=self._serve, args=(sock,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, sock: socket.socket) -> None:
        try:
            if self._context:
                sock = self._context.wrap_socket(sock, server_side=True)
            self._socks.append(sock)
            while self._one(sock):
                pass
        except OSError:
            pass
        finally:
            sock.close()

    def _one(self, sock: socket.socket) -> bool:
        head = b""
        while b"\r\n\r\n" not in head:
            part = sock.recv(65536)
            if not part:
                return False
            head += part
        head, _, early = head.partition(b"\r\n\r\n")
        request = Request(head, early, sock)
        if not self.lazy:
            _ = request.body
        if request.path.endswith("/oauth/v1/token"):
            self.logins.append(request)
            _ = request.body
            reply = self.tokens(request)
        else:
            with self._lock:
                self.requests.append(request)
            reply = self.handle(request)
        if reply is None:
            return False
        with contextlib.suppress(OSError):
            sock.sendall(reply.encoded())
        if reply.close:
            return False
        _ = request.body
        return True


@contextlib.contextmanager
def listening(serve: Callable[[socket.socket], None]) -> Any:
    """A bare listener: `serve` gets each accepted socket. Gives the port."""
    sock = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        while True:
            try:
                client, _ = sock.accept()
            except OSError:
                return
            with client, contextlib.suppress(OSError):
                serve(client)

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield sock.getsockname()[1]
    finally:
        with contextlib.suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)
        sock.close()
        thread.join(5)


ROUTES = {"routes": {"a": {"route": "/api/rest/v1/media-files", "methods": ["POST"]}}}


def well(**answers: Reply) -> Handler:
    """A PIM that is all well but for the answers to some paths, named by their last part."""

    def handle(request: Request) -> Reply:
        last = request.path.rpartition("/")[2].replace("-", "_")
        if last in answers:
            return answers[last]
        if request.path == "/api/rest/v1":
            return says(200, ROUTES)
        return says(200, {"version": "7.0.1", "edition": "CE", "_embedded": {"items": []}})

    return handle
