"""The ASGI application: limits and faults in front of the PIM, then the PIM, and all of it counted.

Inside, the order is the real one: PHP, routing, login, headers, then the endpoint
(docs/pim-behaviour.md, "Refusals and their causes").
"""

from __future__ import annotations

import asyncio
import logging
import socket
import struct
from collections.abc import Awaitable, Callable
from html import escape

from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import Receive, Scope, Send

from ..errors import ApiError, crash
from ..pim import Pim
from ..stats import Call
from .reception import HangUp, check_headers, log_in, read_body
from .routing import Exchange, Route, Table

_THROUGH = ("reset-late", "500-late", "504-late", "stall-late", "slow-read", "reset-middle", "drift")
"""Faults that hit a call inside the PIM, or after it."""
_MESSAGES = {
    "401": "The access token provided is invalid.",
    "500": "Internal Server Error",
    "503": "Service Unavailable",
}
_RST = struct.pack("ii", 1, 0)
"""Linger for no time: closing sends a RST, as a proxy that crashed does."""
_PAGE = (
    "<html>\r\n<head><title>{0}</title></head>\r\n"
    "<body>\r\n<center><h1>{0}</h1></center>\r\n</body>\r\n</html>\r\n"
)
_REDIRECT = """<!DOCTYPE html>
<html>
    <head>
        <meta charset="UTF-8" />
        <meta http-equiv="refresh" content="0;url='{0}'" />

        <title>Redirecting to {0}</title>
    </head>
    <body>
        Redirecting to <a href="{0}">{0}</a>.
    </body>
</html>"""
_REASONS = {
    408: "408 Request Time-out",
    413: "413 Request Entity Too Large",
    403: "403 Forbidden",
    500: "500 Internal Server Error",
    502: "502 Bad Gateway",
    503: "503 Service Temporarily Unavailable",
    504: "504 Gateway Time-out",
}


class Web:
    """The ASGI application."""

    own: Callable[[Request], Awaitable[Response]]
    """Answers what is not the PIM's: the page and `/_sandbox`."""

    def __init__(
        self, pim: Pim, routes: list[Route], transport: Callable[[Scope], asyncio.Transport | None]
    ) -> None:
        self.pim, self.table = pim, Table(routes)
        self._transport = transport
        self._down_since: float | None = None
        self._served = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request of any kind."""
        request = Request(scope, receive, send)
        if not scope["path"].startswith("/api"):
            await (await self.own(request))(scope, receive, send)
            return
        call = self.pim.stats.begin(scope["method"], scope["path"])
        call.endpoint = self.table.endpoint_of(scope["method"], scope["path"])
        status = "cut"
        try:
            response = await self._meet(request, call)
            status = str(response.status_code)
            transport = self._transport(scope)
            if transport is None or transport.is_closing():
                self.pim.stats.ghosts += 1
            await response(scope, receive, send)
        except ClientDisconnect:
            status = "gone"
        except HangUp as hangup:
            status = hangup.how
            self._cut(scope)
        finally:
            self.pim.stats.end(call, status)

    def _cut(self, scope: Scope) -> None:
        transport = self._transport(scope)
        if transport is None:
            return
        sock = transport.get_extra_info("socket")
        if sock is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RST)
        transport.abort()

    def down(self, state: bool | None = None) -> bool:
        """Whether the PIM is down; given a state, sets it and resets the count of calls."""
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
        if fault is None and options.faults.strikes("fatal-over", call.path, pim.rng, length):
            fault = "fatal-over"
        if fault:
            pim.stats.strike(call, fault)
            early = await self._before(request, fault)
            if early is not None:
                return early
        return await self._survive(self._serve(request, call, fault), fault)

    async def _survive(self, work: Awaitable[Response], fault: str | None) -> Response:
        """Runs the PIM's part to its end even if the client hung up: ghosts
        (docs/pim-behaviour.md, "When the answer is lost")."""
        response = await asyncio.shield(asyncio.ensure_future(work))
        if fault == "reset-late":
            raise HangUp("reset")
        if fault == "stall-late":
            await self._stall()
        if fault == "500-late" and response.status_code < 400:
            return JSONResponse(crash().body(), 500)
        if fault == "504-late" and response.status_code < 400:
            return _html(504)
        return response

    async def _stall(self) -> None:
        await asyncio.sleep(self.pim.options.stall_time)
        raise HangUp("stall")

    async def _before(self, request: Request, fault: str) -> Response | None:
        """What a fault does before the PIM sees the call; None lets it through."""
        if fault == "drift":
            self.pim.drift()
        if fault in _THROUGH or (fault == "401" and "/oauth/" in request.url.path):
            return None
        if fault == "reset-early":
            raise HangUp("reset")
        close = fault in ("403-html", "413-html")
        if not close:
            await _drain(request)
        if fault == "stall":
            await self._stall()
        return self._answer(request, fault, close)

    def _answer(self, request: Request, fault: str, close: bool) -> Response:
        if fault.startswith("429"):
            return _throttled(self.pim.options.retry_after if fault == "429" else None)
        if fault == "redirect":
            host = request.headers.get("host", "localhost")
            url = f"https://{host}{request.scope['raw_path'].decode('ascii')}"
            return HTMLResponse(_PAGE.format("301 Moved Permanently"), 301, {"Location": url})
        if fault == "fatal-over":
            fault = "500"
        status = int(fault[:3])
        message = _MESSAGES.get(fault)
        if message is not None:
            return JSONResponse({"code": status, "message": message}, status)
        return _html(status, close)

    async def _serve(self, request: Request, call: Call, fault: str | None) -> Response:
        """The PIM's own part, from the body to the answer."""
        exchange = Exchange(self.pim, call, request)
        try:
            await read_body(exchange, fault)
            path = request.scope["path"]
            if b"%2f" in request.scope.get("raw_path", b"").lower():
                return HTMLResponse(_PAGE.format("404 Not Found"), 404)
            url = exchange.root + request.scope["raw_path"].decode("ascii")
            method = call.method
            if method == "POST":
                method = request.headers.get("x-http-method-override", method).upper()
            elsewhere = self.table.without_slash(method, path)
            if elsewhere is not None:
                return _moved(exchange.root + elsewhere)
            route, exchange.params = self.table.find(method, path, url)
            if not route.public:
                log_in(exchange, route)
            check_headers(request, route)
            return _with_headers(await route.endpoint(exchange))
        except ApiError as error:
            return _with_headers(JSONResponse(error.body(), error.status, error.headers))
        except (ClientDisconnect, HangUp):
            raise
        except Exception:
            # PHP would answer this too; the log shows the sandbox's own error.
            logging.getLogger(__name__).exception("defect of the sandbox")
            self.pim.stats.defects += 1
            return JSONResponse(crash().body(), 500)
        finally:
            if exchange.form is not None:
                exchange.form.discard()


def _with_headers(response: Response) -> Response:
    """The headers that Symfony adds to every answer."""
    response.headers.setdefault("Cache-Control", "no-cache, private")
    if response.status_code == 201:
        response.headers.setdefault("Content-Type", "application/json")
    return response


def _moved(url: str) -> Response:
    """Symfony's redirect from a path with a slash at its end."""
    page = _REDIRECT.format(escape(url))
    return Response(page, 301, {"Location": url, "Content-Type": "application/json"})


async def _drain(request: Request) -> None:
    async for _ in request.stream():
        pass


def _html(status: int, close: bool = False) -> Response:
    return HTMLResponse(_PAGE.format(_REASONS[status]), status, {"Connection": "close"} if close else None)


def _throttled(retry_after: int | None) -> Response:
    headers = {"Retry-After": str(retry_after)} if retry_after is not None else None
    return JSONResponse({"code": 429, "message": "Too Many Requests"}, 429, headers)
