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
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from ...pim.http.wire import BareAdapter, DeadlineReader, Overdue, pools
from .policy import LinkPolicy


class Pace(DeadlineReader):
    """Waits no longer for a piece than what is left of the time: TimeoutError where nothing came at all."""

    def __init__(self, raw: io.RawIOBase, sock: Any) -> None:
        """Until `within` says otherwise all has to come within the socket's own time-out."""
        super().__init__(raw, math.inf, time.monotonic)
        self._sock = sock
        self.within(sock.gettimeout())

    def within(self, seconds: float | None) -> None:
        """What is read from now on has to come in so many seconds, however many reads it takes."""
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


class Adapter(BareAdapter):
    """With connections that go to addresses which may be reached and no others."""

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

        super().__init__(pools(Plain, Secure), pools(_Plain, _Secure), hosts=20, pool=pool)


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
