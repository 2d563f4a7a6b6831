"""Connections to hosts that nobody knows: to addresses that may be reached, and with an end to waiting.

urllib3 has a time-out for each piece that comes in. A host that sends a byte now and then never meets it:
in a header, before a chunk, in what is left of an answer that nobody wants.
"""

from __future__ import annotations

import io
import math
import socket
import time
from http.client import HTTPResponse
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from .policy import LinkPolicy


class OverdueError(TimeoutError):
    """Something came, but not what was waited for, and the time for it is over."""


class Pace(io.RawIOBase):
    """What comes in on a socket, until the time for it is over: then OverdueError, or TimeoutError where
    nothing came at all.
    """

    def __init__(self, raw: io.RawIOBase, sock: Any) -> None:
        """Until `within` says otherwise all has to come within the socket's own time-out."""
        self._raw = raw
        self._sock = sock
        self.within(sock.gettimeout())

    def within(self, seconds: float | None) -> None:
        """What is read from now on has to come in so many seconds, however many reads it takes."""
        self._until = math.inf if seconds is None else time.monotonic() + seconds
        self._came = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._until - time.monotonic()
        if left <= 0:
            raise OverdueError
        self._sock.settimeout(None if math.isinf(left) else left)
        try:
            count: int | None = self._raw.readinto(buffer)
        except TimeoutError:
            if self._came:
                raise OverdueError from None
            raise
        self._came = True
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Answer(HTTPResponse):
    """An answer whose status and headers have to come within the time-out, all of them together."""

    def __init__(self, sock: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.pace = Pace(self.fp.detach(), sock)
        self.fp = io.BufferedReader(self.pace)


def within(response: requests.Response, seconds: float) -> None:
    """What is read next of an answer's body has to come in so many seconds."""
    answer = response.raw._original_response
    if isinstance(answer, _Answer):
        answer.pace.within(seconds)


class Adapter(HTTPAdapter):
    """requests' adapter, with connections that go to addresses which may be reached and no others.

    Without requests' session: no redirect is followed, no netrc read, no cookie taken or even looked at.
    """

    def __init__(self, policy: LinkPolicy, pool: int) -> None:
        class Guarded:
            """Mixed into urllib3's connections that go to the host itself, not through a proxy."""

            def _new_conn(self: Any) -> socket.socket:
                name = self._dns_host
                trouble: Exception | None = None
                try:
                    for address in policy.addresses(name, self.port):
                        self._dns_host = address
                        try:
                            connected: socket.socket = super()._new_conn()  # type: ignore[misc]
                            return connected
                        except (NewConnectionError, ConnectTimeoutError) as error:
                            trouble = error
                finally:
                    # The name again: certificates are of names.
                    self._dns_host = name
                assert trouble is not None
                raise trouble

        class Plain(Guarded, _Plain):
            pass

        class Secure(Guarded, _Secure):
            pass

        self._direct = _pools(Plain, Secure)
        self._through = _pools(_Plain, _Secure)
        super().__init__(pool_connections=20, pool_maxsize=pool, max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = self._direct

    def build_response(self, req: Any, resp: Any) -> requests.Response:
        # http.cookiejar shows a traceback to the user where a cookie's date is no number to Python.
        response = requests.Response()
        response.status_code, response.reason = resp.status, resp.reason
        response.headers, response.raw = resp.headers, resp
        return response

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **kwargs)
        manager.pool_classes_by_scheme = self._through
        return manager


class _Plain(HTTPConnection):
    response_class = _Answer


class _Secure(HTTPSConnection):
    response_class = _Answer

    def connect(self) -> None:
        try:
            super().connect()
        except TimeoutError as error:
            # A proxy that says nothing, or a handshake: urllib3 takes both for an answer that does not come.
            raise ConnectTimeoutError(self, "no handshake") from error


def _pools(plain: type[HTTPConnection], secure: type[HTTPSConnection]) -> dict[str, Any]:
    return {
        "http": type("Pool", (HTTPConnectionPool,), {"ConnectionCls": plain}),
        "https": type("Pool", (HTTPSConnectionPool,), {"ConnectionCls": secure}),
    }
