"""Who may log in, and their tokens (docs/pim-behaviour.md, "Login and tokens")."""

from __future__ import annotations

import base64
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ..errors import ApiError, unprocessable
from ..options import Credentials
from ..php.text import folded, php_string

_ALLOWED = ("password", "refresh_token")
_KNOWN = re.compile(r"authorization_code|token|password|client_credentials|refresh_token|https?://.+|urn:.+")
"""All grant types that exist, those of extensions included."""
_INVALID = 'Parameter "grant_type", "username" or "password" is missing, empty or invalid'


@dataclass(frozen=True)
class Rights:
    """What a connection's role may do."""

    api: bool = True
    edit_products: bool = True
    list_categories: bool = True
    edit_assets: bool = True
    list_products: bool = True
    list_attributes: bool = True
    drafts: bool = False
    """May edit products but not own them (Enterprise): what is sent becomes a draft
    (docs/pim-behaviour.md, "Rights")."""


@dataclass(frozen=True)
class Connection:
    """One connection of the catalogue: its credentials and rights."""

    name: str
    credentials: Credentials
    rights: Rights = field(default_factory=Rights)


class Tokens:
    """Access and refresh tokens. Refresh tokens work once; old access tokens stay valid
    (docs/pim-behaviour.md, "Login and tokens")."""

    def __init__(
        self, connections: dict[str, Connection], ttl: float, refresh_ttl: float, clock: Callable[[], float]
    ) -> None:
        self.connections = connections
        self.ttl, self.refresh_ttl = ttl, refresh_ttl
        self._clock = clock
        self._access: dict[str, tuple[Connection, float]] = {}
        self._refresh: dict[str, tuple[Connection, float]] = {}

    def grant(self, client: tuple[str, str] | None, body: dict[str, Any]) -> dict[str, Any]:
        """The answer to a token request; raises ApiError 422 in the PIM's order of checks
        (docs/pim-behaviour.md, "Login and tokens")."""
        grant = body.get("grant_type")
        if not isinstance(grant, str) or not _KNOWN.fullmatch(grant):
            raise unprocessable(_INVALID)
        if client is None or not client[0]:
            client = (php_string(body.get("client_id")), php_string(body.get("client_secret")))
        connection = self._by_client(*client)
        if connection is None:
            raise unprocessable(
                'Parameter "client_id" is missing or does not match any client, or secret is invalid'
            )
        if grant not in _ALLOWED:
            raise unprocessable("This grant type is not authorized for this client")
        if grant == "refresh_token":
            return self._by_refresh(connection, body)
        user, password = body.get("username"), body.get("password")
        if not user or not password or isinstance(user, (list, dict)) or isinstance(password, (list, dict)):
            raise unprocessable(_INVALID)
        known = connection.credentials
        if (folded(php_string(user)), php_string(password)) != (folded(known.username), known.password):
            raise unprocessable("No user found for the given username and password")
        _check_scope(body)
        return self._issue(connection)

    def check(self, token: str) -> Connection:
        """The connection behind an access token; raises ApiError 401
        (docs/pim-behaviour.md, "Login and tokens")."""
        known = self._access.get(token)
        if known is None:
            raise ApiError(401, "The access token provided is invalid.")
        if self._clock() >= known[1]:
            raise ApiError(401, "The access token provided has expired.")
        return known[0]

    def revoke(self, refresh: bool) -> None:
        """Revokes every access token, and every refresh token if asked to."""
        self._access.clear()
        if refresh:
            self._refresh.clear()

    def _by_client(self, client_id: str, secret: str) -> Connection | None:
        for connection in self.connections.values():
            known = connection.credentials
            if (client_id, secret) == (known.client_id, known.client_secret):
                return connection
        return None

    def _by_refresh(self, connection: Connection, body: dict[str, Any]) -> dict[str, Any]:
        token = body.get("refresh_token")
        if not token or isinstance(token, (list, dict)):
            raise unprocessable('Parameter "grant_type" or "refresh_token" is missing or empty')
        known = self._refresh.get(str(token))
        if known is None or known[0].name != connection.name or self._clock() >= known[1]:
            raise unprocessable("Refresh token is invalid or has expired")
        _check_scope(body)
        answer = self._issue(connection)
        del self._refresh[str(token)]
        return answer

    def _issue(self, connection: Connection) -> dict[str, Any]:
        access, refresh = _new_token(), _new_token()
        now = self._clock()
        self._access[access] = (connection, now + self.ttl)
        self._refresh[refresh] = (connection, now + self.refresh_ttl)
        return {
            "access_token": access,
            "expires_in": int(self.ttl) if self.ttl >= 1 else self.ttl,
            "token_type": "bearer",
            "scope": None,
            "refresh_token": refresh,
        }


def _check_scope(body: dict[str, Any]) -> None:
    if body.get("scope"):
        raise unprocessable("An unsupported scope was requested.")


def _new_token() -> str:
    return base64.b64encode(secrets.token_hex(32).encode()).decode()
