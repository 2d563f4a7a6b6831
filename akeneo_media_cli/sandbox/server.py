"""The sandbox's server: its application, the HTTP protocol under it, and uvicorn around both."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import socket
from collections.abc import Callable, Iterator
from typing import Any

import uvicorn
from starlette.types import Scope
from uvicorn.protocols.http.h11_impl import H11Protocol

from .admin.endpoints import Admin
from .api import categories, collections, media, pam, products, structure, system
from .pim import Pim
from .web.app import Web
from .web.routing import Route

# uvicorn logs calls that are cut short at the end; a sandbox with stalls always has some.
logging.getLogger("uvicorn.error").addHandler(logging.NullHandler())

STOP_PATIENCE = 1
"""Seconds that calls in flight have when the sandbox stops."""


class Server(uvicorn.Server):
    """uvicorn's server, which reports when it is ready and does not handle signals."""

    on_ready: Callable[[], object] = staticmethod(lambda: None)
    loop: asyncio.AbstractEventLoop | None = None

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._stopping: asyncio.Event | None = None

    async def main_loop(self) -> None:
        """Lets calls be served until `stop_soon`; uvicorn's own loop is a tenth of a second late."""
        ticks = itertools.count(0, 10)
        while not self.should_exit and self._stopping is not None:
            await self.on_tick(next(ticks))
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), timeout=1)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Starts to accept calls."""
        self.loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        await super().startup(sockets)
        self.on_ready()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Does not touch signal handlers."""
        yield

    def stop_soon(self, *_: object) -> None:
        """Stops after the calls in flight; called again, at once. A signal handler, safe in any thread."""
        self.force_exit = self.should_exit
        self.should_exit = True
        if self.loop is not None and self._stopping is not None and not self.loop.is_closed():
            self.loop.call_soon_threadsafe(self._stopping.set)


def build_server(pim: Pim) -> Server:
    """A server of a PIM, ready for its socket."""
    transports: dict[Any, asyncio.Transport] = {}

    class Cuttable(H11Protocol):
        """uvicorn's protocol, whose transport can be found by the client's address."""

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            transports[self.client] = transport

        def connection_lost(self, exc: Exception | None) -> None:
            transports.pop(self.client, None)
            super().connection_lost(exc)

    def find(scope: Scope) -> asyncio.Transport | None:
        return transports.get(scope["client"])

    listed = routes_of(pim)
    web = Web(pim, [*listed, system.root(listed), system.token_route()], find)
    web.own = Admin(pim, web.down)
    config = uvicorn.Config(
        web, http=Cuttable, ws="none", lifespan="off", loop="asyncio", log_config=None, access_log=False,
        server_header=False, timeout_keep_alive=5, timeout_graceful_shutdown=STOP_PATIENCE,
        proxy_headers=False,  # else X-Forwarded-For replaces the address that `find` looks for
    )  # fmt: skip
    return Server(config)


def routes_of(pim: Pim) -> list[Route]:
    """The routes of the PIM's edition; a route that is not there is also not in the root's list."""
    info = "/api/rest/v1/system-information"
    out = [
        *structure.routes(),
        *products.routes(),
        Route("pim_analytics_external_api_system_info_get", "GET", info, system.system_information),
        *media.routes(),
        *structure.unserved(),
    ]
    if pim.edition == "ee":
        out += collections.routes(collections.ASSETS_WORDS)
        out += collections.routes(collections.RECORDS_WORDS)
        out += categories.routes()
    if pim.options.pam or pim.catalogue.source.get("pam_assets"):
        out += pam.routes()
    return out
