"""https:// and http:// links: followed redirect by redirect, each checked first.

By requests, which is installed anyway, and not by fsspec's HTTP: redirects and addresses must be
judged one by one. fsspec's configuration of it is respected anyway.
"""

from __future__ import annotations

import re
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from urllib.parse import urljoin

import requests
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError

from ... import __version__
from ...errors import Failure, UsageError
from ...link import HTTP, Link, LinkError, is_link, parse
from ...link import shown as shown_of
from ...pim.errors import SourceTrouble
from ...pim.http.faults import causes_of, reason_of
from ...pim.http.transport import CallInfo, authorities, proxies_for
from ...pim.http.wire import Overdue
from . import found as f
from .found import HEAD, Found, Opened, Patience
from .naming import served_name
from .policy import PORTS, ForbiddenError, LinkPolicy
from .wire import Adapter, within

MOST_HOPS = 5
CONNECT = 10.0
"""Seconds to connect at most: no longer than a source may be silent."""

_WORTH_READING = 16 * 1024
"""Reading up to so many left-over bytes of an answer is cheaper than a new connection."""
_REST = 1.0
"""Seconds that reading them may take."""
_RANGE = re.compile(r"bytes\s+(?:[0-9]+-[0-9]+|\*)/([0-9]+)\s*")
_PASSING = frozenset((408, 425, 429, 500, 502, 503, 504))
_HOPS = frozenset((301, 302, 303, 307, 308))


class Web:
    """Follows links over HTTP."""

    def __init__(
        self,
        policy: LinkPolicy,
        *,
        timeout: float,
        pool: int,
        headers: Mapping[str, Mapping[str, str]] | None = None,
        on_call: Callable[[CallInfo], None] | None = None,
    ) -> None:
        """`timeout`: seconds of silence; `pool`: connections kept a host. `headers`, by scheme, are sent to
        the hosts that links name, but not to others that those lead on to. Raises UsageError for an unusable
        REQUESTS_CA_BUNDLE.
        """
        self._policy = policy
        self._timeout = timeout
        self._connect = min(CONNECT, timeout)
        self._headers = dict(headers or {})
        self._on_call = on_call
        self._adapter = Adapter(policy, pool)
        self._verify = authorities()

    def look(self, link: Link, shown: str) -> Found:
        response = self._get(link, shown, {"Range": f"bytes=0-{HEAD - 1}"})
        try:
            size, encoded = _size(response)
            stream = _Body(response, shown, self._timeout, size=None, decode=encoded)
            head = bytearray(HEAD)
            filled = 0
            while filled < HEAD and (count := stream.readinto(memoryview(head)[filled:])):
                filled += count
            if filled < HEAD and size is None and response.status_code != 206:
                size = filled
            return _found(response, size)._replace(head=bytes(head[:filled]))
        finally:
            _leave(response)

    def open(self, link: Link, shown: str) -> Opened:
        response = self._get(link, shown, {})
        size, encoded = _size(response)
        return Opened(
            _Body(response, shown, self._timeout, size=size, decode=encoded), _found(response, size)
        )

    def unchanged(self, link: Link, shown: str, found: Found) -> bool:
        # One answer is of one content.
        return True

    def close(self) -> None:
        self._adapter.close()

    def _get(self, link: Link, shown: str, more: Mapping[str, str]) -> requests.Response:
        """The answer that holds the file, or its beginning. Raises SourceTrouble."""
        first = link
        for _ in range(MOST_HOPS + 1):
            own = self._headers.get(link.scheme, {}) if link[:3] == first[:3] else {}
            response = self._exchange(link, shown, {**own, **more})
            status = response.status_code
            # A partial answer that was not asked for is not the file.
            if status == 200 or (status == 206 and "Range" in more):
                return response
            target = response.headers.get("Location", "")
            _leave(response)
            if status not in _HOPS or not target:
                raise _refusal(shown, response)
            link = self._next(link, target, shown)
        raise f.withheld(shown, f"it redirects more than {MOST_HOPS} times", "Name its final address.")

    def _next(self, link: Link, target: str, shown: str) -> Link:
        """Where a redirect leads, if it may be followed."""
        whole = ""
        try:
            whole = urljoin(link.url, target)
            following = parse(whole)
            if following.scheme not in HTTP:
                raise LinkError(f"{following.scheme}:// is not followed after a redirect")
            if link.scheme == "https" and following.scheme == "http":
                raise LinkError("it is not encrypted")
        except (LinkError, ValueError) as error:
            where = shown_of(whole)[:200] if is_link(whole) else "something else"
            raise f.withheld(shown, f"it redirects to {where}: {error}", "Name its final address.") from None
        failure = self._policy.judge_host(following)
        if failure is not None:
            raise SourceTrouble(_led_on(failure, shown))
        return following

    def _exchange(self, link: Link, shown: str, headers: Mapping[str, str]) -> requests.Response:
        url = link.url
        request = requests.Request(
            "GET",
            url,
            headers={
                "User-Agent": f"akeneo-media-cli/{__version__}",
                "Accept": "*/*",
                # A compressed answer does not say the length that the PIM must be told.
                "Accept-Encoding": "identity",
                **headers,
            },
        ).prepare()
        # Exactly what was checked: requests would rewrite some links.
        request.url = url
        began = time.monotonic()
        problem: SourceTrouble | None = None
        response: requests.Response | None = None
        try:
            proxies = proxies_for(url)
            if proxies:
                self._judge_before_proxy(link)
            response = self._adapter.send(
                request,
                stream=True,
                timeout=(self._connect, self._timeout),
                verify=self._verify,
                proxies=proxies,
            )
        except ForbiddenError as forbidden:
            problem = SourceTrouble(_led_on(forbidden.failure, shown))
        except UsageError as error:
            problem = f.withheld(shown, error.message, error.hint)
        except (requests.RequestException, HTTPError, OSError) as error:
            problem = _judged(error, link, shown, self._timeout)
        if self._on_call:
            status = None if response is None else response.status_code
            seconds = time.monotonic() - began
            self._on_call(CallInfo("GET", shown_of(url), status, problem, seconds, 0, 1))
        if problem is not None:
            # Outside of the handler: no chain of exceptions leads to the link.
            raise problem
        assert response is not None
        return response

    def _judge_before_proxy(self, link: Link) -> None:
        """Only the proxy knows where it connects; what this machine resolves the host to is checked."""
        try:
            self._policy.addresses(link.host, link.port or PORTS[link.scheme])
        except OSError:
            return


class _Body:
    """An answer's body. Raises SourceTrouble if it breaks off, falls silent or is too slow."""

    def __init__(
        self, response: requests.Response, shown: str, timeout: float, *, size: int | None, decode: bool
    ) -> None:
        self._response = response
        self._shown = shown
        self._timeout = timeout
        self._left = size
        self._decode = decode
        self.patience = Patience(shown, timeout)

    def readinto(self, buffer: memoryview, /) -> int:
        return self.patience.read(lambda: self._read(buffer))

    def _read(self, buffer: memoryview) -> int:
        try:
            # Bytes between the pieces, such as chunk lengths, do not extend the wait.
            within(self._response, self._timeout)
            piece = self._response.raw.read1(len(buffer), decode_content=self._decode)
        except (HTTPError, OSError) as error:
            raise _broken(error, self._shown, self._timeout) from None
        if len(piece) > len(buffer):
            # Negative chunk lengths bring more than was asked for.
            raise f.trouble(f"{self._shown} cannot be read: the answer is not HTTP")
        if self._left is not None:
            if not piece and self._left:
                raise f.trouble(f"{self._shown} broke off before its end")
            self._left -= len(piece)
        buffer[: len(piece)] = piece
        return len(piece)

    def close(self) -> None:
        _leave(self._response)


def _size(response: requests.Response) -> tuple[int | None, bool]:
    """The whole file's length, where the answer tells it; and must the body be unpacked?"""
    headers = response.headers
    if headers.get("Content-Encoding", "identity").strip().lower() not in ("", "identity"):
        return None, True
    if response.status_code == 206:
        told = _RANGE.fullmatch(headers.get("Content-Range", ""))
        return f.length_of(told and told.group(1)), False
    if "chunked" in headers.get("Transfer-Encoding", "").lower():
        return None, False
    return f.length_of(headers.get("Content-Length")), False


def _found(response: requests.Response, size: int | None) -> Found:
    headers = response.headers
    etag, changed = headers.get("ETag"), headers.get("Last-Modified")
    return Found(
        size,
        f.version_of(etag, changed),
        dated=f.only_dated(etag, changed),
        name=served_name(headers.get("Content-Disposition")),
        content_type=headers.get("Content-Type"),
    )


def _leave(response: requests.Response) -> None:
    """Finish an answer; its connection is kept if little of it is left."""
    raw = response.raw
    left = raw.length_remaining
    if left is None or left > _WORTH_READING:
        raw.close()
    else:
        within(response, _REST)
        raw.drain_conn()
        raw.release_conn()


def _refusal(shown: str, response: requests.Response) -> SourceTrouble:
    status = response.status_code
    why = f"{status} {response.reason or ''}".strip()
    if status in (404, 410):
        return f.gone(shown, status)
    if status == 416:
        # There is no first byte.
        return f.empty(shown)
    if status in _PASSING:
        return f.trouble(f"{shown} cannot be read now: the answer is {why}", status=status)
    if status in (401, 403, 407):
        return f.withheld(
            shown,
            f"the answer is {why}",
            "If the link has expired, make a new one; if the host wants a login, see docs/links.md.",
            status,
        )
    return f.withheld(shown, f"the answer is {why}", "Check that the link opens in a browser.", status)


def _judged(error: Exception, link: Link, shown: str, timeout: float) -> SourceTrouble:
    """Why there is no answer."""
    causes = list(causes_of(error))
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f.withheld(
                shown,
                f"the certificate of {link.host} is not trusted: {cause.verify_message}",
                "If it has a private certificate, set REQUESTS_CA_BUNDLE to its authority's file.",
            )
        if isinstance(cause, socket.gaierror):
            return f.trouble(f"the host {link.host} is not found", "Fix the link, or check the network.")
    return _broken(error, shown, timeout)


def _broken(error: Exception, shown: str, timeout: float) -> SourceTrouble:
    causes = list(causes_of(error))
    if any(isinstance(cause, NewConnectionError) for cause in causes):
        return f.trouble(f"{shown} cannot be read: no connection ({reason_of(causes)})")
    if any(isinstance(cause, ConnectTimeoutError) for cause in causes):
        return f.trouble(f"{shown} cannot be read: no connection within {min(CONNECT, timeout):g} seconds")
    if any(isinstance(cause, Overdue) for cause in causes):
        return f.trouble(f"{shown} cannot be read: almost nothing came within {timeout:g} seconds")
    if any(isinstance(cause, TimeoutError) or type(cause).__name__ == "ReadTimeoutError" for cause in causes):
        return f.trouble(f"{shown} cannot be read: the host was silent for {timeout:g} seconds")
    return f.trouble(f"{shown} cannot be read: {reason_of(causes)}")


def _led_on(failure: Failure, shown: str) -> Failure:
    return replace(failure, message=f"{shown} is not followed: {failure.message}")
