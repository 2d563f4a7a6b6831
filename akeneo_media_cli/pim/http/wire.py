"""Connections that suit long bodies and servers that answer early or close soon.

What urllib3 leaves open is decided here: how long a silence may be while a body goes out, when a kept
connection is too old to trust, and what happens to a body whose answer comes before its end.
"""

from __future__ import annotations

import io
import math
import socket
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse, LineTooLong, UnknownProtocol
from typing import Any

from urllib3 import HTTPHeaderDict
from urllib3.exceptions import InvalidHeader
from urllib3.util import wait_for_read

from ...frozen import frozen

IDLE = 4.0
"""Seconds after which a kept connection is not used again: Apache closes at 5
(docs/pim-behaviour.md, "Transport")."""
USES = 90
"""Calls after which a connection is given up: Apache closes at about 100
(docs/pim-behaviour.md, "Transport")."""

LONGEST_ANSWER = 10
"""A whole answer may take so many timeouts: enough for a hundred slow saves in one PATCH, but not endless."""

# The status line's first bytes are enough to tell a final answer from a "100 Continue".
_STATUS_AT = len("HTTP/1.1 ")
_LONGEST_LINE = 65536
_MOST_HEADERS = 100


@dataclass
class CallState(threading.local):
    """How far this thread's request got; an exception does not tell."""

    connected: bool = False
    """There was a connection, its handshake done, and the request began to go out on it."""
    reused: bool = False
    """It had served a call before."""
    handed_out: bool = False
    """All of the request, its body included, was handed to the operating system."""
    handed_at: float | None = None
    """When that was, in monotonic seconds."""
    fresh: bool = False
    """No kept connection may be used: one died, and the others may be dead too."""

    def begin(self, *, fresh: bool) -> None:
        self.connected = self.reused = self.handed_out = False
        self.handed_at = None
        self.fresh = fresh


@frozen
class ConnectionPolicy:
    """`connecting`: seconds that a connection may take to come about, its handshake included. `silence`:
    seconds that the other side may take nothing and say nothing. `clock`: monotonic seconds.
    """

    connecting: float
    silence: float
    clock: Callable[[], float]
    state: CallState


class Overdue(TimeoutError):  # noqa: N818
    """The answer came too slowly."""


class DeadlineReader(io.RawIOBase):
    """The bytes of an answer as they come. Reading raises Overdue after `until`, in seconds of `clock`.

    A timeout covers only silence: an answer that trickles would keep a request forever.
    """

    def __init__(self, raw: io.RawIOBase, until: float, clock: Callable[[], float]) -> None:
        self.until = until
        self.raw = raw
        self._clock = clock

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if self._clock() > self.until:
            raise Overdue
        return self.raw.readinto(buffer)

    def close(self) -> None:
        self.raw.close()
        super().close()

    def lift_deadline(self) -> None:
        """From now on there is no deadline: a download fails only by silence."""
        self.until = math.inf


class GuardedConnection:
    """Mixed into urllib3's connection classes, which connect: by TLS, through a proxy.

    Of an exchange they would prepare much that a call to the PIM has no use for, at twice its cost.
    """

    policy: ConnectionPolicy
    response_class: type[DeadlineResponse]
    sock: Any
    timeout: float | None
    close: Callable[[], None]
    _uses = 0
    _last = 0.0
    _cut = False

    @property
    def is_connected(self) -> bool:
        """Asked by the pool before a kept connection is used again; what is not connected it closes."""
        tired = self._uses >= USES or self.policy.clock() - self._last > IDLE
        # After a body cut short the server still waits for its rest: the connection is useless.
        given_up = tired or self._cut or self.policy.state.fresh
        return not given_up and bool(super().is_connected)  # type: ignore[misc]

    def connect(self) -> None:
        self._uses = 0
        self._cut = False
        self.timeout = self.policy.connecting
        super().connect()  # type: ignore[misc]
        self.sock.settimeout(self.policy.silence)
        self.policy.state.connected = True

    def exchange(self, method: str, request: Iterable[Any]) -> DeadlineResponse:
        """Send a request, its head and body in pieces, and read the head of its answer."""
        state = self.policy.state
        state.connected = True
        state.reused = self._uses > 0
        # The other side may have answered before it closed.
        with suppress(BrokenPipeError):
            self._send(request)
            state.handed_out = True
            state.handed_at = self.policy.clock()
        response = self.response_class(self.sock, method=method)
        try:
            response.begin()
        except BaseException:
            response.close()
            raise
        if response.will_close:
            self.close()
        self._uses += 1
        self._last = self.policy.clock()
        return response

    def _send(self, request: Iterable[Any]) -> None:
        """Raises BrokenPipeError where sending on is pointless."""
        sock = self.sock
        begun = False
        for piece in request:
            left = memoryview(piece)
            try:
                if begun and self._answered_early(sock):
                    raise BrokenPipeError
                # Not sendall: its time-out is for all of the data, and a slow line is not silence.
                while left:
                    left = left[sock.send(left) :]
            except TimeoutError:
                self._cut = True
                if not self._answered_early(sock):
                    raise
                raise BrokenPipeError from None
            except OSError:
                # TLS has errors of its own for a connection closed by the other side.
                self._cut = True
                raise BrokenPipeError from None
            begun = True

    def _answered_early(self, sock: Any) -> bool:
        """Has the server answered already, or closed the connection? Interim answers (1xx) do not count."""
        if not isinstance(sock, socket.socket) or not wait_for_read(sock, timeout=0.0):
            return False
        # Beneath TLS only the end of the stream can be told: the rest may be session tickets.
        seen = socket.socket.recv(sock, _STATUS_AT + 1, socket.MSG_PEEK)
        return not seen or (seen.startswith(b"HTTP/") and seen[_STATUS_AT:] in (b"3", b"4", b"5"))


class DeadlineResponse(HTTPResponse):
    """http.client's, made when the request is out: from then on the time of the answer counts."""

    policy: ConnectionPolicy
    headers: HTTPHeaderDict  # type: ignore[assignment]
    _read_status: Callable[[], tuple[str, int, str]]
    _check_close: Callable[[], bool]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        clock = self.policy.clock
        self.incoming = DeadlineReader(
            self.fp.detach(), clock() + LONGEST_ANSWER * self.policy.silence, clock
        )
        self.fp = io.BufferedReader(self.incoming)

    def begin(self) -> None:
        """Read the head of the answer.

        http.client has e-mail's parser read the headers, which takes longer than the rest of an exchange.
        """
        version, status, reason = self._read_status()
        while status < 200:
            # Interim answers. http.client knows only 100.
            self._read_headers()
            version, status, reason = self._read_status()
        self.code = self.status = status
        self.reason = reason.strip()
        if not version.startswith("HTTP/1.") and version != "HTTP/0.9":
            raise UnknownProtocol(version)
        self.version = 10 if version in ("HTTP/1.0", "HTTP/0.9") else 11
        self.headers = self._read_headers()
        self.chunked = self.headers.get("transfer-encoding", "").lower() == "chunked"
        self.chunk_left = None
        self.will_close = self._check_close()
        length, *others = {*self.headers.getlist("content-length")} or {""}
        if others:
            raise InvalidHeader("contradicting lengths")
        self.length = int(length) if length.isdecimal() and not self.chunked else None
        if status in (204, 304):
            self.length = 0
        self.will_close = self.will_close or not (self.chunked or self.length is not None)

    def _read_headers(self) -> HTTPHeaderDict:
        headers: list[tuple[str, str]] = []
        while line := self.fp.readline(_LONGEST_LINE + 1).rstrip(b"\r\n"):
            if len(line) > _LONGEST_LINE:
                raise LineTooLong("header line")
            if len(headers) == _MOST_HEADERS:
                raise HTTPException(f"got more than {_MOST_HEADERS} headers")
            text = line.decode("latin-1")
            name, colon, value = text.partition(":")
            if text[0] in " \t" and headers:
                # The header before goes on, as old servers wrap them.
                name, value = headers.pop()
                headers.append((name, f"{value} {text.strip()}"))
            elif colon:
                headers.append((name.strip(), value.strip()))
        return HTTPHeaderDict(headers)
