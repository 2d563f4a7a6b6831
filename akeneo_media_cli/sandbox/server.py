"""The sandbox's application and the HTTP protocol under it."""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.types import Scope
from uvicorn.protocols.http.h11_impl import H11Protocol

from .api import media, products, structure, system
from .api.admin import Admin
from .pim import Pim
from .running import reset
from .web import Route, Web


def application(pim: Pim) -> tuple[Web, type[asyncio.Protocol]]:
    """The ASGI application of a PIM, and the protocol class that lets it cut connections."""
    transports: dict[Any, asyncio.BaseTransport] = {}

    class Cuttable(H11Protocol):
        """uvicorn's protocol, whose transport can be found by the client's address."""

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            transports[self.client] = transport

        def connection_lost(self, exc: Exception | None) -> None:
            transports.pop(self.client, None)
            super().connection_lost(exc)

    def cut(scope: Scope) -> None:
        transport = transports.get(scope["client"])
        if transport is not None:
            reset(transport)

    listed = _routes(pim)
    web = Web(pim, [*listed, system.root(listed), system.token_route()], lambda request: admin(request), cut)
    admin = Admin(pim, web.down)
    return web, Cuttable


def _routes(pim: Pim) -> list[Route]:
    info = "/api/rest/v1/system-information"
    return [
        *structure.routes(),
        *products.routes(),
        Route("pim_analytics_external_api_system_info_get", "GET", info, system.system_information),
        *media.routes(),
        *structure.unserved(),
    ]
