"""Connections to untrusted hosts: only to allowed addresses, and with a limit on waiting.

urllib3 has a timeout for each piece that comes in. A host that sends a byte now and then never hits it:
in a header, before a chunk, in the rest of an answer.
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
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from ...pim.http.pool import Pools, pools
from ...pim.http.wire import DeadlineReader, Overdue
from .policy import LinkPolicy


class Pace(DeadlineReader):
    """Waits for a piece only until the deadline: TimeoutError if nothing came."""

    def __init__(self, raw: io.RawIOBase, sock: Any) -> None:
        """Until `within` says otherwise everything must come within the socket's own timeout."""
        super().__init__(raw, math.inf, time.monotonic)
        self._sock = sock
        self.within(sock.gettimeout())

    def within(self, seconds: float | None) -> None:
        """Everything read from now on must come within so many seconds, in however many reads."""
        self.until = math.inf if seconds is None else time.monotonic() + seconds
        self._came = False

    def readinto(self, buffer: Any) -> int | None:
        left = self.until - time.monotonic()
        if left <= 0:
            raise Overdue
        self._sock.settimeout(None if math.isinf(left) else left)
        try:
            count = self.raw.readinto(buffer)
        except TimeoutError:
            if self._came:
                raise Overdue from None
            raise
        self._came = True
        return count


class _Answer(HTTPResponse):
    """An answer whose status and headers must all come within one timeout."""

    def __init__(self, sock: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.pace = Pace(self.fp.detach(), sock)
        self.fp = io.BufferedReader(self.pace)


def within(response: requests.Response, seconds: float) -> None:
    """The next reads of the answer's body must finish within so many seconds."""
    answer = response.raw._original_response
    if isinstance(answer, _Answer):
        answer.pace.within(seconds)


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

    def build_response(self, req: Any, resp: Any) -> requests.Response:
        # Cookies, guessing the encoding and the like are not needed, and cost time; http.cookiejar
        # shows a traceback to the user if Python cannot parse a cookie's date.
        response = requests.Response()
        response.status_code, response.reason = resp.status, resp.reason
        response.headers, response.raw = resp.headers, resp
        return response


class Adapter(BareAdapter):
    """A pool whose connections go only to allowed addresses."""

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
                    # The name again: certificates are for names.
                    self._dns_host = name
                assert trouble is not None
                raise trouble

        class Plain(Guarded, _Plain):
            pass

        class Secure(Guarded, _Secure):
            pass

        super().__init__(pools(Plain, Secure), pools(_Plain, _Secure), hosts=20, pool=pool)


class _Plain(HTTPConnection):
    response_class = _Answer


class _Secure(HTTPSConnection):
    response_class = _Answer

    def connect(self) -> None:
        try:
            super().connect()
        except TimeoutError as error:
            # A silent proxy, or a silent handshake: urllib3 reports both as a read timeout.
            raise ConnectTimeoutError(self, "no handshake") from error
