"""Connections that suit long bodies and servers that answer early or close soon.

What urllib3 leaves open is decided here: how long a silence may be while a body goes out, when a kept
connection is too old to trust, and what happens to a body whose answer comes before its end.
"""

from __future__ import annotations

import io
import math
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPResponse
from typing import Any

from requests import Response
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
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

Pools = dict[str, Any]
"""Classes of urllib3's pools, by scheme."""

# The status line's first bytes are enough to tell a final answer from a "100 Continue".
_STATUS_AT = len("HTTP/1.1 ")


@dataclass
class CallState(threading.local):
    """How far this thread's request got; requests does not tell when a request fails."""

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
    answer: DeadlineReader | None = None
    """What comes back, once the request is out."""

    def begin(self, *, fresh: bool) -> None:
        self.connected = self.reused = self.handed_out = False
        self.handed_at = None
        self.fresh = fresh
        self.answer = None


@frozen
class ConnectionPolicy:
    """`silence`: seconds that the other side may take nothing and say nothing. `clock`: monotonic seconds."""

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
    """Mixed into urllib3's connection classes."""

    policy: ConnectionPolicy
    sock: Any
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
        super().connect()  # type: ignore[misc]
        self.policy.state.connected = True

    def request(self, *args: Any, **kwargs: Any) -> None:
        state = self.policy.state
        state.connected = self.sock is not None
        state.reused = state.connected and self._uses > 0
        super().request(*args, **kwargs)  # type: ignore[misc]
        state.handed_out = True
        state.handed_at = self.policy.clock()

    def send(self, data: Any) -> None:
        """One piece. Raises BrokenPipeError where sending on is pointless: urllib3 then reads the answer."""
        if self.sock is None:
            self.connect()
        sock = self.sock
        if sock.gettimeout() != self.policy.silence:
            # urllib3 leaves the connect time-out on it while the body goes out.
            sock.settimeout(self.policy.silence)
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

    def getresponse(self) -> Any:
        response = super().getresponse()  # type: ignore[misc]
        self._uses += 1
        self._last = self.policy.clock()
        return response


class DeadlineResponse(HTTPResponse):
    """http.client's, made when the request is out: from then on the time of the answer counts."""

    policy: ConnectionPolicy

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        clock = self.policy.clock
        incoming = DeadlineReader(self.fp.detach(), clock() + LONGEST_ANSWER * self.policy.silence, clock)
        self.fp = io.BufferedReader(incoming)
        self.policy.state.answer = incoming


class BareAdapter(HTTPAdapter):
    """requests' adapter with connections of one's own, without requests' session, and looking at no cookie.

    So no redirect is followed, no netrc read, and no call made twice.
    """

    def __init__(self, direct: Pools, through: Pools, *, hosts: int, pool: int) -> None:
        """`direct` are the pools by scheme, `through` those that go by a proxy; for `hosts` at once, of each
        up to `pool` connections are kept.
        """
        self._direct = direct
        self._through = through
        super().__init__(pool_connections=hosts, pool_maxsize=pool, max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = self._direct

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **kwargs)
        manager.pool_classes_by_scheme = self._through
        return manager

    def build_response(self, req: Any, resp: Any) -> Response:
        # Cookies, guessing the encoding and the like are not needed, and cost time; http.cookiejar
        # shows a traceback to the user if Python cannot parse a cookie's date.
        response = Response()
        response.status_code, response.reason = resp.status, resp.reason
        response.headers, response.raw = resp.headers, resp
        return response


def pools(plain: type[HTTPConnection], secure: type[HTTPSConnection]) -> Pools:
    """Pools of such connections, by scheme."""
    return {
        "http": type("Pool", (HTTPConnectionPool,), {"ConnectionCls": plain}),
        "https": type("Pool", (HTTPSConnectionPool,), {"ConnectionCls": secure}),
    }


class Adapter(BareAdapter):
    """With the connections that suit the PIM: `pool` of them are kept."""

    def __init__(self, policy: ConnectionPolicy, pool: int) -> None:
        class Reply(DeadlineResponse):
            pass

        class Plain(GuardedConnection, HTTPConnection):
            response_class = Reply

        class Secure(GuardedConnection, HTTPSConnection):
            response_class = Reply

        Reply.policy = Plain.policy = Secure.policy = policy
        self._pool: Any = None
        ours = pools(Plain, Secure)
        super().__init__(ours, ours, hosts=1, pool=pool)

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        # One address, one set of certificates and proxies: looking the pool up takes a tenth of a call.
        pool = self._pool
        if pool is None:
            pool = self._pool = super().get_connection_with_tls_context(*args, **kwargs)
        return pool

    def close(self) -> None:
        self._pool = None
        super().close()
