"""Connections that suit long bodies and servers that answer early or close soon.

What urllib3 leaves open is decided here: how long a silence may be while a body goes out, when a kept
connection is too old to trust, and what happens to a body whose answer comes before its end.
"""

from __future__ import annotations

import errno
import io
import math
import socket
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPResponse
from typing import Any

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
_CLOSED_BY_THE_OTHER_SIDE = (errno.ECONNRESET, getattr(errno, "EPROTOTYPE", errno.ECONNRESET))


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
    """Mixed into urllib3's connection classes.

    They connect: by TLS, through a proxy. The exchange itself is http.client's, without what urllib3 prepares
    for retries, redirects and the like: that costs more than the exchange.
    """

    policy: ConnectionPolicy
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

    def exchange(
        self, method: str, target: str, headers: Mapping[str, str], body: Iterable[Any]
    ) -> DeadlineResponse:
        """Send a request, its body piece by piece, and read the head of its answer."""
        state = self.policy.state
        state.connected = True
        state.reused = self._uses > 0
        try:
            self._send_request(method, target, headers, body)
            state.handed_out = True
            state.handed_at = self.policy.clock()
        except OSError as error:
            # The other side may have answered before it closed. Which of them it is depends on the system.
            if error.errno not in _CLOSED_BY_THE_OTHER_SIDE and not isinstance(error, BrokenPipeError):
                raise
        response: DeadlineResponse = HTTPConnection.getresponse(self)  # type: ignore[arg-type, assignment]
        self._uses += 1
        self._last = self.policy.clock()
        return response

    def _send_request(
        self, method: str, target: str, headers: Mapping[str, str], body: Iterable[Any]
    ) -> None:
        connection: HTTPConnection = self  # type: ignore[assignment]
        connection.putrequest(method, target)
        for name, value in headers.items():
            connection.putheader(name, value)
        connection.endheaders()
        for piece in body:
            self.send(piece)

    def send(self, data: Any) -> None:
        """One piece. Raises BrokenPipeError where sending on is pointless: the answer is to be read then."""
        sock = self.sock
        left = memoryview(data)
        try:
            if self._answered_early(sock):
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

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        clock = self.policy.clock
        self.incoming = DeadlineReader(
            self.fp.detach(), clock() + LONGEST_ANSWER * self.policy.silence, clock
        )
        self.fp = io.BufferedReader(self.incoming)
