"""What a call is, and which endpoint it goes to."""

from __future__ import annotations

import re
import string
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, quote

from starlette.requests import Request
from starlette.responses import Response

from ..errors import ApiError
from ..php.form import Form
from ..php.text import php_decode
from ..pim import Pim
from ..stats import Call
from ..store.tokens import Connection

COLLECTION = "application/vnd.akeneo.collection+json"
JSON = "application/json"
FORM = "multipart/form-data"


@dataclass
class Exchange:
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
        """An absolute URL of an API path; what no URL can hold is percent-encoded."""
        return f"{self.root}/api/rest/v1{quote(path, safe=string.punctuation)}"

    def query(self) -> dict[str, str]:
        """The query; of a name given twice the last counts, as in PHP."""
        return dict(parse_qsl(self.request.url.query, keep_blank_values=True))

    def decoded(self) -> Any:
        """The JSON body; raises ApiError 400."""
        value = php_decode(self.body)
        if value is None:
            raise ApiError(400, "Invalid json message received")
        return value


Endpoint = Callable[[Exchange], Awaitable[Response]]


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
    """Routes by path. A known path with another method is 405, with Symfony's message."""

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

    def without_slash(self, method: str, path: str) -> str | None:
        """The path to redirect to, for a path with an extra slash at its end."""
        bare = path.removesuffix("/")
        if bare == path or method not in ("GET", "HEAD") or "GET" not in self._static.get(bare, {}):
            return None
        return bare

    def endpoint_of(self, method: str, path: str) -> str:
        """A call's endpoint for the statistics: the route's path, below /api/rest/v1 where it is."""
        try:
            route, _ = self.find(method, path, "")
        except ApiError:
            return "unknown"
        return route.path.removeprefix("/api/rest/v1") or "/"

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
