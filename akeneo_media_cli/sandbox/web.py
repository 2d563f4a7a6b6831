"""From a socket to an endpoint and back: routing, logins, headers, faults, counting.

The order is the real one: web server, PHP, routing, login, headers, then the endpoint (pim-facts B 2.2).
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import re
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import Receive, Scope, Send

from .errors import ApiError
from .form import Form, FormReader, boundary_of
from .pim import Pim
from .stats import Call
from .tokens import Connection

COLLECTION = "application/vnd.akeneo.collection+json"
JSON = "application/json"
FORM = "multipart/form-data"

_LATE = ("reset-late", "500-late", "504-late", "stall-late")
_PAGE = "<html>\r\n<head><title>{0}</title></head>\r\n<body>\r\n<center><h1>{0}</h1></center>\r\n</body>\r\n</html>\r\n"
_REASONS = {
    408: "408 Request Time-out",
    413: "413 Request Entity Too Large",
    403: "403 Forbidden",
    500: "500 Internal Server Error",
    502: "502 Bad Gateway",
    503: "503 Service Temporarily Unavailable",
    504: "504 Gateway Time-out",
}


class Hangup(Exception):
    """The connection is to be cut: `how` is `reset` or `stall`."""

    def __init__(self, how: str) -> None:
        super().__init__(how)
        self.how = how


@dataclass
class Ask:
    """One API call on its way through: what an endpoint gets."""

    pim: Pim
    call: Call
    request: Request
    params: dict[str, str] = field(default_factory=dict)
    connection: Connection | None = None
    form: Form | None = None
    body: bytes = b""

    @property
    def root(self) -> str:
        """The URL as the client wrote it, from its Host header, which `Location` and links repeat."""
        return f"{self.request.url.scheme}://{self.request.headers.get('host', 'localhost')}"

    def link(self, path: str) -> str:
        """An absolute URL of an API path."""
        return f"{self.root}/api/rest/v1{path}"

    def query(self) -> dict[str, str]:
        """The query; of a name given twice the last counts, as in PHP."""
        return dict(parse_qsl(self.request.url.query, keep_blank_values=True))

    def decoded(self) -> Any:
        """The JSON body; raises ApiError 400."""
        try:
            value = json.loads(self.body)
        except ValueError:
            value = None
        if value is None:
            raise ApiError(400, "Invalid json message received")
        return value


Endpoint = Callable[[Ask], Awaitable[Response]]


@dataclass(frozen=True)
class Route:
    """One endpoint. `name` is the PIM's own, None keeps it out of the root's list."""

    name: str | None
    method: str
    path: str
    endpoint: Endpoint
    public: bool = False
    takes: tuple[str, ...] = (JSON,)
    right: tuple[str, str] | None = None
    pattern: str = "[^/]+"


class Table:
    """Routes by path. A path that is known but not for this method is 405, as Symfony says it."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._static: dict[str, dict[str, Route]] = {}
        self._dynamic: list[tuple[re.Pattern[str], Route]] = []
        for route in routes:
            if "{" not in route.path:
                self._static.setdefault(route.path, {})[route.method] = route
                continue
            parts = re.split(r"\{(\w+)\}", route.path)
            regex = "".join(
                f"(?P<{p}>{route.pattern})" if n % 2 else re.escape(p) for n, p in enumerate(parts)
            )
            self._dynamic.append((re.compile(regex), route))

    def find(self, method: str, path: str, url: str) -> tuple[Route, dict[str, str]]:
        """The route of a call and what its path names; raises ApiError 404 or 405."""
        wanted = "GET" if method == "HEAD" else method
        allowed: dict[str, None] = {}
        for known, route in self._static.get(path, {}).items():
            if known == wanted:
                return route, {}
            allowed[known] = None
        for regex, route in self._dynamic:
            found = regex.fullmatch(path)
            if found is None:
                continue
            if route.method == wanted:
                return route, found.groupdict()
            allowed[route.method] = None
        message = f'No route found for "{method} {url}"'
        if not allowed:
            raise ApiError(404, message)
        names = ", ".join(allowed)
        error = ApiError(405, f"{message}: Method Not Allowed (Allow: {names})")
        error.headers["Allow"] = names
        raise error


class Web:
    """The ASGI application."""

    def __init__(
        self,
        pim: Pim,
        routes: list[Route],
        own: Callable[[Request], Awaitable[Response]],
        cut: Callable[[Scope], None],
    ) -> None:
        self.pim, self.table = pim, Table(routes)
        self._own, self._cut = own, cut
        self._down_since: float | None = None
        self._served = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request of any kind."""
        request = Request(scope, receive, send)
        if not scope["path"].startswith("/api"):
            await (await self._own(request))(scope, receive, send)
            return
        call = self.pim.stats.begin(scope["method"], scope["path"])
        status = "cut"
        try:
            response = await self._meet(request, call)
            status = str(response.status_code)
            await response(scope, receive, send)
        except ClientDisconnect:
            status = "gone"
        except Hangup as hangup:
            status = hangup.how
            self._cut(scope)
        finally:
            self.pim.stats.end(call, status)

    def down(self, state: bool | None = None) -> bool:
        """Whether the PIM is down; given a state, makes it so, and starts counting calls afresh."""
        now = self.pim.stats.clock()
        if state is not None:
            self._down_since, self._served = (now if state else None), 0
            if not state:
                self.pim.options.down_after = None
        after, lasts = self.pim.options.down_after, self.pim.options.down_for
        if self._down_since is None and after is not None and self._served > after:
            self._down_since = now
        if self._down_since is not None and lasts is not None and now - self._down_since >= lasts:
            self._down_since, self.pim.options.down_after = None, None
        return self._down_since is not None

    async def _meet(self, request: Request, call: Call) -> Response:
        """Faults and limits in front of the PIM, then the PIM."""
        pim, options = self.pim, self.pim.options
        self._served += 1
        if options.latency:
            await asyncio.sleep(options.latency)
        if self.down():
            await _drain(request)
            return _html(503)
        length = int(request.headers.get("content-length") or 0)
        limit = options.proxy_max_body
        if limit is not None and length > limit:
            return _html(413, close=True)
        if options.max_concurrency is not None and pim.stats.flying.now["all"] > options.max_concurrency:
            await _drain(request)
            return _throttled(options.retry_after)
        has_body = length > 0 or "transfer-encoding" in request.headers
        fault = options.faults.pick(call.path, has_body, pim.rng)
        if fault:
            call.fault = fault
            pim.stats.faults[fault] += 1
            early = await self._before(request, fault)
            if early is not None:
                return early
        return await self._survive(self._serve(request, call, fault), request, fault)

    async def _survive(self, work: Awaitable[Response], request: Request, fault: str | None) -> Response:
        """Runs the PIM's part to its end though the client be gone: ghosts (pim-facts A9)."""
        response = await asyncio.shield(asyncio.ensure_future(work))
        if fault == "reset-late":
            raise Hangup("reset")
        if fault == "stall-late":
            await self._stall()
        if fault == "500-late" and response.status_code < 400:
            return JSONResponse({"code": 500, "message": "Internal Server Error"}, 500)
        if fault == "504-late" and response.status_code < 400:
            return _html(504)
        return response

    async def _stall(self) -> None:
        await asyncio.sleep(self.pim.options.stall_time)
        raise Hangup("stall")

    async def _before(self, request: Request, fault: str) -> Response | None:
        """What a fault does before the PIM hears of the call; None lets it through."""
        if fault == "reset-early":
            raise Hangup("reset")
        if fault in ("403-html", "413-html"):
            return _html(int(fault[:3]), close=True)
        if fault in _LATE or fault in ("slow-read", "reset-middle"):
            return None
        await _drain(request)
        if fault == "stall":
            await self._stall()
        if fault.startswith("429"):
            return _throttled(self.pim.options.retry_after if fault == "429" else None)
        if fault == "401":
            return JSONResponse({"code": 401, "message": "The access token provided is invalid."}, 401)
        if fault == "redirect":
            url = str(request.url.replace(scheme="https"))
            return HTMLResponse(_PAGE.format("301 Moved Permanently"), 301, {"Location": url})
        if fault in ("500", "503"):
            message = {"500": "Internal Server Error", "503": "Service Unavailable"}[fault]
            return JSONResponse({"code": int(fault), "message": message}, int(fault))
        return _html(int(fault[:3]))

    async def _serve(self, request: Request, call: Call, fault: str | None) -> Response:
        """The PIM's own part, from the body to the answer."""
        ask = Ask(self.pim, call, request)
        try:
            await self._read(ask, fault)
            path = request.scope["path"]
            if b"%2f" in request.scope.get("raw_path", b"").lower():
                return HTMLResponse(_PAGE.format("404 Not Found"), 404)
            url = ask.root + request.scope["raw_path"].decode("ascii")
            route, ask.params = self.table.find(call.method, path, url)
            call.endpoint = route.path.removeprefix("/api/rest/v1") or "/"
            if not route.public:
                self._login(ask, route)
            _check_headers(request, route)
            return await route.endpoint(ask)
        except ApiError as error:
            return JSONResponse(error.body(), error.status, error.headers)
        finally:
            if ask.form is not None:
                ask.form.discard()

    async def _read(self, ask: Ask, fault: str | None) -> None:
        """The body, as PHP takes it: a form to disk, anything else to memory."""
        request, pim = ask.request, self.pim
        content_type = request.headers.get("content-type", "")
        length = int(request.headers.get("content-length") or 0)
        lost = length > pim.post_max_size
        if "content-length" not in request.headers and "transfer-encoding" in request.headers:
            lost = pim.options.lose_chunked
        is_form = content_type.split(";")[0].strip().lower() == FORM
        reader = self._reader(ask, content_type, lost) if is_form else None
        body, seen = bytearray(), 0
        try:
            async for piece in request.stream():
                seen += len(piece)
                if fault == "slow-read" and piece:
                    await asyncio.sleep(len(piece) / pim.options.slow_read_rate)
                if fault == "reset-middle" and seen * 2 >= length:
                    raise Hangup("reset")
                if reader is not None:
                    reader.feed(piece)
                elif seen <= pim.post_max_size and not lost:
                    body += piece
        except BaseException:
            if reader is not None:
                reader.abandon()
            raise
        pim.stats.bytes_received += seen
        ask.body = bytes(body)
        if reader is not None:
            ask.form = reader.finish()

    def _reader(self, ask: Ask, content_type: str, lost: bool) -> FormReader:
        def on_field(name: str, value: bytes) -> None:
            self._note_target(ask.call, name, value)

        def on_file(name: str, filename: bytes) -> None:
            ask.call.file = filename.decode("utf-8", "replace")
            if ask.call.method == "POST":
                self.pim.stats.hold(ask.call, self.pim.stats.names, ask.call.file)

        boundary = None if lost else boundary_of(content_type)
        return FormReader(boundary, self.pim.media.new_file, self.pim.upload_max_filesize, on_field, on_file)

    def _note_target(self, call: Call, name: str, value: bytes) -> None:
        """Counts the entity that an upload aims at as soon as its name is known."""
        if name not in ("product", "product_model"):
            return
        try:
            given = json.loads(value)
        except ValueError:
            return
        if not isinstance(given, dict):
            return
        entities = self.pim.entities
        found = (
            entities.product(given.get("identifier"))
            if name == "product"
            else entities.model(given.get("code"))
        )
        if found is not None:
            self.pim.hold_entity(call, found)

    def _login(self, ask: Ask, route: Route) -> None:
        """Who is calling, and may they? Raises ApiError 401 or 403 (B 1.4, 1.5)."""
        found = re.search(r"Bearer\s(\S+)", ask.request.headers.get("authorization", ""))
        token = found[1] if found else ask.query().get("access_token")
        if not token:
            error = ApiError(401, "Full authentication is required to access this resource.")
            error.headers["WWW-Authenticate"] = 'Bearer realm="Service"'
            raise error
        ask.connection = self.pim.tokens.check(token)
        if not ask.connection.rights.api:
            raise ApiError(403, "You are not allowed to access the web API.")
        if route.right is not None and not getattr(ask.connection.rights, route.right[0]):
            raise ApiError(403, route.right[1])


def _check_headers(request: Request, route: Route) -> None:
    """Content-Type and Accept, and no brackets in the query (B 2.1, 2.2, 3)."""
    if request.method in ("POST", "PATCH", "PUT"):
        given = request.headers.get("content-type", "").split(";")[0].strip()
        names = '" or "'.join(route.takes)
        if not given:
            raise ApiError(
                415, f'The "Content-Type" header is missing. "{names}" has to be specified as value.'
            )
        if given not in route.takes:
            verb = "are" if len(route.takes) > 1 else "is"
            raise ApiError(
                415, f'"{given}" in "Content-Type" header is not valid. Only "{names}" {verb} allowed.'
            )
    accept = request.headers.get("accept")
    if request.method == "GET" and accept and accept != JSON and "*/*" not in accept:
        raise ApiError(406, f'"{accept}" in "Accept" header is not valid. Only "{JSON}" is allowed.')
    if any("[" in name for name, _ in parse_qsl(request.url.query, keep_blank_values=True)):
        raise ApiError(400, "Bracket syntax is not supported in query parameters.")


def basic_credentials(request: Request) -> tuple[str, str] | None:
    """Client id and secret of a Basic header, if there is one that can be read."""
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, _, password = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return user, password


async def _drain(request: Request) -> None:
    async for _ in request.stream():
        pass


def _html(status: int, close: bool = False) -> Response:
    return HTMLResponse(_PAGE.format(_REASONS[status]), status, {"Connection": "close"} if close else None)


def _throttled(retry_after: int | None) -> Response:
    headers = {"Retry-After": str(retry_after)} if retry_after is not None else None
    return JSONResponse({"code": 429, "message": "Too Many Requests"}, 429, headers)
