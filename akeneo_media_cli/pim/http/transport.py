"""One exchange over HTTP: request out, answer in, whatever its status. Knows neither tokens nor the API."""

from __future__ import annotations

import os
import re
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit
from urllib.request import getproxies

import urllib3
from urllib3.exceptions import HTTPError, LocationParseError
from urllib3.util import parse_url

from ... import __version__
from ...errors import Kind, UsageError
from ...frozen import frozen
from ..errors import SourceTrouble, Trouble
from . import faults
from .multipart import FileBody
from .pool import Connections, Exchange
from .redact import Redactor
from .wire import CallState, ConnectionPolicy, DeadlineResponse

LARGEST = 64 * 1024 * 1024
"""Bytes of a list's page that are read into memory; the PIM's own pages stay far below."""
SMALL = 256 * 1024
"""Bytes that are read of any other answer: to an upload, to a login, and of an error."""
_READ = 64 * 1024
_PLAIN = re.compile(
    r"https?://[a-z0-9]+(?:[.-][a-z0-9]+)*(?::(?:[1-9][0-9]{0,3}|[1-5][0-9]{4}))?(?:/[\w~-][\w.~-]*)*/?",
    re.ASCII,
)
"""Addresses that go on the wire as they are. For others requests is asked, as it is for proxies: to load it
takes a twelfth of the time of a short upload."""


@frozen
class CallInfo:
    """One exchange, for logs: no header is in it, and `path` has no host.

    `seconds` from start to the answer's last byte, `sent` bytes of body; `attempt` counts from 1: a call is
    replayed with a renewed token, and on a new connection where a kept one died. `status` is None where no
    answer came; `error` says why.
    """

    method: str
    path: str
    status: int | None
    error: Exception | None
    seconds: float
    sent: int
    attempt: int


@frozen
class Counts:
    """Since the client was made: exchanges, token requests among them, bytes of bodies sent, 429 answers."""

    requests: int = 0
    logins: int = 0
    sent: int = 0
    throttled: int = 0
    resent: int = 0
    """Files that went out again with another token."""


@dataclass
class Answer:
    """What came back. `cut`: its body broke off. `whole`: it came after all of the request was sent.

    `waited`: seconds from the end of the request to the head of the answer. `attempt` brought it. `method`
    and `path`: the request's, for those who judge the answer. `open`: only for a stream still to be read.
    """

    status: int
    reason: str
    headers: Mapping[str, str]
    body: bytes = b""
    cut: bool = False
    whole: bool = True
    waited: float = 0.0
    attempt: int = 1
    method: str = ""
    path: str = ""
    open: Exchange | None = field(default=None, repr=False)


class _Call(NamedTuple):
    """What `exchange` was asked for. `head` goes out before the body."""

    method: str
    path: str
    head: bytes
    body: bytes | FileBody | None
    login: bool
    stream: bool
    largest: int

    def pieces(self) -> Iterable[memoryview | bytes]:
        """All that goes out; a new try begins anew."""
        if isinstance(self.body, FileBody):
            return self.body.pieces(self.head)
        return (self.head + (self.body or b""),)


class Transport:
    """One pool of connections for all threads; follows no redirect, reads no netrc.

    Retries nothing except a call that met the end of a kept connection (`exchange`).

    It uses urllib3's connections without requests' session: that follows redirects (a redirected POST would
    come back as the 200 of a GET), keeps cookies, reads netrc, and takes half of a call for it.
    """

    def __init__(
        self,
        url: str,
        *,
        direct: bool = False,
        timeout: float = 60.0,
        connect_timeout: float = 10.0,
        pool: int = 4,
        clock: Callable[[], float] = time.monotonic,
        on_call: Callable[[CallInfo], None] | None = None,
    ) -> None:
        """`timeout`, `connect_timeout`: seconds. `pool`: connections kept. `clock`: monotonic seconds.

        `direct`: the proxies that the environment names are not used.

        Raises UsageError for a URL that cannot be called and for an unusable REQUESTS_CA_BUNDLE.
        """
        self.url = _normal(url)
        self.redact = Redactor()
        self.timeouts = (connect_timeout, timeout)
        self._clock = clock
        self._on_call = on_call
        self._lock = threading.Lock()
        self._counts = Counts()
        self._state = CallState()
        proxy = "" if direct else next(iter(proxies_for(self.url).values()), "")
        encrypted = "https:" in (self.url[:6], proxy[:6])
        self._verify = authorities() if encrypted else True
        self._connections = Connections(
            self.url,
            ConnectionPolicy(connect_timeout, timeout, clock, self._state),
            proxy=proxy,
            verify=self._verify,
            keep=pool,
        )
        self._way = faults.Way(self.url, self.timeouts, bool(proxy), self._certificate_end)
        self._headers = {"User-Agent": f"akeneo-media-cli/{__version__}", "Accept": "*/*"}

    @property
    def counts(self) -> Counts:
        return self._counts

    def close(self) -> None:
        self._connections.close()

    def exchange(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | FileBody | None = None,
        attempt: int = 1,
        login: bool = False,
        stream: bool = False,
        largest: int | None = None,
    ) -> Answer:
        """Make one call. `path` follows the PIM's address and is encoded already.

        If a kept connection died before the PIM can have done anything, the call is made once more on a new
        one: the other side may close a kept connection at any time (docs/pim-behaviour.md, "Transport").
        At most `largest` bytes of a successful answer are read (None: `LARGEST`), `SMALL` of any other.
        Raises Trouble if no answer came, SourceTrouble from a `FileBody`, UsageError if another try is
        pointless (certificate, proxy, address). An answer of any status is returned, except a proxy's 407.
        """
        all_headers = {**self._headers, **(headers or {})}
        if isinstance(body, FileBody):
            all_headers["Content-Type"] = body.content_type
        if body is not None:
            all_headers["Content-Length"] = str(len(body))
        head = self._connections.head(method, path, all_headers)
        call = _Call(method, path, head, body, login, stream, LARGEST if largest is None else largest)
        try:
            return self._made(call, attempt)
        except Trouble as trouble:
            # A token whose answer was lost harms nothing, and a refresh token that was used up for it is
            # refused, which ends in a login (docs/pim-behaviour.md, "Login and tokens").
            harmless = login or not trouble.maybe_done
            if not (trouble.reused and harmless and trouble.failure.kind is Kind.CONNECTION):
                raise
        return self._made(call, attempt + 1, fresh=True)

    def _made(self, call: _Call, attempt: int, *, fresh: bool = False) -> Answer:
        method, path, body = call.method, call.path, call.body
        state = self._state
        state.begin(fresh=fresh)
        began = self._clock()
        answer: Answer | None = None
        problem: Trouble | UsageError | SourceTrouble | None = None
        try:
            exchange = self._connections.exchange(method, call.pieces())
            handed_at = state.handed_at
            waited = 0.0 if handed_at is None else max(0.0, self._clock() - handed_at)
            answer = self._take(exchange, call)
            answer.whole, answer.attempt, answer.waited = state.handed_out, attempt, waited
            if answer.status == 407 and self._way.proxied:
                problem = faults.proxy_wants_login(self._way)
        except SourceTrouble as trouble:
            problem = trouble
        except (HTTPError, HTTPException, OSError) as error:
            problem = self._judge(error, method)
        sent = body.sent if isinstance(body, FileBody) else len(body or b"") * state.handed_out
        status = answer.status if answer else None
        resent = attempt > 1 and not fresh and isinstance(body, FileBody)
        info = CallInfo(method, path, status, problem, self._clock() - began, sent, attempt)
        self._tell(info, login=call.login, resent=resent)
        if problem:
            # Outside of the handler, so that no chain of exceptions leads to the request and its token.
            raise problem
        assert answer is not None
        return answer

    def _take(self, exchange: Exchange, call: _Call) -> Answer:
        response = exchange.response
        answer = Answer(
            response.status, response.reason, response.headers, method=call.method, path=call.path
        )
        if call.stream and answer.status == 200:
            response.incoming.lift_deadline()
            answer.open = exchange
            return answer
        try:
            if response.length == 0:
                response.close()
            else:
                _read(response, answer, call.largest if answer.status < 300 else SMALL)
        finally:
            self._connections.release(exchange)
        return answer

    def pieces(self, answer: Answer) -> Iterator[bytes]:
        """The body of an answer asked for with `stream`, and its end. Raises Trouble where it breaks off."""
        problem: Trouble | UsageError | None = None
        assert answer.open is not None
        try:
            yield from _decoded(answer.open.response).stream(4 * _READ, decode_content=True)
        except (HTTPError, OSError) as error:
            problem = self._judge(error, "GET")
        finally:
            self._connections.release(answer.open)
        if problem:
            raise problem

    def _judge(self, error: Exception, method: str) -> Trouble | UsageError:
        return faults.judge(error, self._way, self._state, writes=method != "GET")

    def _certificate_end(self) -> str:
        parts = urlsplit(self.url)
        return faults.certificate_end(parts.hostname or "", parts.port or 443, self._verify, self.timeouts[0])

    def _tell(self, info: CallInfo, *, login: bool, resent: bool) -> None:
        with self._lock:
            before = self._counts
            self._counts = Counts(
                requests=before.requests + 1,
                logins=before.logins + login,
                sent=before.sent + info.sent,
                throttled=before.throttled + (info.status == 429),
                resent=before.resent + resent,
            )
        if self._on_call:
            self._on_call(info)


def _read(response: DeadlineResponse, answer: Answer, limit: int) -> None:
    raw = _decoded(response)
    parts = []
    try:
        # Piece by piece, so that what came before a cut is kept: lines of a batch are answers by themselves.
        while limit > 0 and (part := raw.read1(_READ, decode_content=True)):
            parts.append(part)
            limit -= len(part)
    except (HTTPError, OSError):
        answer.cut = True
    if limit <= 0:
        answer.cut = answer.status < 300
        response.close()
    answer.body = b"".join(parts)


def _decoded(response: DeadlineResponse) -> urllib3.HTTPResponse:
    """Reads a body whatever its encoding, and notices where it breaks off."""
    return urllib3.HTTPResponse(
        response,
        response.headers,
        response.status,
        preload_content=False,
        original_response=response,
    )


def _normal(url: str) -> str:
    """The address as it goes on the wire: host in punycode, path encoded, nothing after it."""
    if _PLAIN.fullmatch(url):
        return url.rstrip("/")
    import requests

    try:
        normal = requests.Request("GET", url).prepare().url or ""
    except (requests.RequestException, ValueError):
        normal = ""
    scheme, _, rest = normal.partition("://")
    if scheme not in ("http", "https") or not rest or "?" in rest or "#" in rest or "@" in rest.split("/")[0]:
        raise UsageError(
            "AKENEO_URL is not the address of a PIM", "Write it like https://my.cloud.akeneo.com"
        )
    return normal.rstrip("/")


def proxies_for(url: str) -> dict[str, str]:
    """The proxy that the environment names for this address, NO_PROXY considered."""
    if getproxies().keys() <= {"no"}:
        return {}
    from requests.utils import get_environ_proxies, select_proxy

    proxy = select_proxy(url, get_environ_proxies(url, no_proxy=None))
    if not proxy:
        return {}
    scheme = url.partition("://")[0]
    try:
        parsed = parse_url(proxy)
    except LocationParseError:
        parsed = parse_url("")
    # A SOCKS proxy brings connections of its own, which would not tell how far a call came.
    if not parsed.host or parsed.scheme not in (None, "http", "https"):
        raise UsageError(
            f"the proxy that {scheme.upper()}_PROXY names is not an HTTP proxy",
            f"Write {scheme.upper()}_PROXY like http://proxy.example:3128, or name the host in NO_PROXY.",
        )
    return {scheme: proxy}


def authorities() -> bool | str:
    """The certificates to trust: the file or folder that the environment names, else requests' own list."""
    for variable in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        named = os.environ.get(variable)
        if not named:
            continue
        try:
            is_folder = Path(named).is_dir()
            ssl.create_default_context(
                cafile=None if is_folder else named, capath=named if is_folder else None
            )
        except OSError as error:
            raise UsageError(
                f"{variable} does not name usable certificates: {named}: {error.strerror or error}",
                "Name a PEM file with the certificate authorities to trust.",
                Kind.TLS,
            ) from None
        return named
    return True
