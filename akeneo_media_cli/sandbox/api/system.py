"""Token, root and system information (docs/pim-behaviour.md, "Login and tokens" and "Versions")."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

from starlette.responses import JSONResponse, Response

from ..errors import ApiError
from ..web.reception import basic_credentials
from ..web.routing import JSON, Exchange, Route

_FORM = "application/x-www-form-urlencoded"
TOKEN_BODY_MAX = 300
"""Bytes of a token request's body (docs/pim-behaviour.md, "Login and tokens")."""

_EDITIONS = {"ce": "CE", "ee": "EE"}


async def token(exchange: Exchange) -> Response:
    """POST: an access token by password or by refresh token."""
    exchange.pim.stats.token_requests += 1
    if len(exchange.body) > TOKEN_BODY_MAX:
        raise ApiError(413, "Request content exceeded the maximum allowed size of 300 bytes")
    given: dict[str, Any] = {}
    if exchange.request.headers.get("content-type", "").split(";")[0].strip() == _FORM:
        given = dict(parse_qsl(exchange.body.decode("utf-8", "replace"), keep_blank_values=True))
    elif exchange.body:
        decoded = exchange.decoded()
        if not isinstance(decoded, (dict, list)):
            raise ApiError(400, "Invalid json message received")
        given = decoded if isinstance(decoded, dict) else {}
    answer = exchange.pim.tokens.grant(basic_credentials(exchange.request), given)
    return JSONResponse(answer, headers={"Cache-Control": "no-store", "Pragma": "no-cache"})


async def system_information(exchange: Exchange) -> Response:
    """GET version and edition."""
    options = exchange.pim.options
    return JSONResponse({"version": options.version, "edition": _EDITIONS[options.edition]})


def root(routes: list[Route]) -> Route:
    """GET what routes there are; needs no token."""
    listed: dict[str, dict[str, Any]] = {}
    for route in routes:
        if route.name:
            listed[route.name] = {"route": route.path, "methods": [route.method]}
    login = {"fos_oauth_server_token": {"route": "/api/oauth/v1/token", "methods": ["POST"]}}

    async def overview(exchange: Exchange) -> Response:
        return JSONResponse({"host": exchange.root, "authentication": login, "routes": listed})

    return Route(None, "GET", "/api/rest/v1", overview, public=True)


def token_route() -> Route:
    """The token endpoint."""
    return Route(None, "POST", "/api/oauth/v1/token", token, public=True, takes=(JSON, _FORM))
