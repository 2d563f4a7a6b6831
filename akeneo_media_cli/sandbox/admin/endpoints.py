"""`/_sandbox`: inspects and controls the sandbox, beside the PIM's own API. No token is needed."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import fields
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse

from ..api.media import pieces
from ..faults import KINDS, plan_from_json
from ..options import SandboxOptions
from ..pim import Pim
from .contents import stats_body, values
from .page import SECURITY, SHOWABLE, render

CHANGEABLE = (
    "save_time", "latency", "search_lag", "code_clock_step", "deadlock", "lose_chunked", "max_concurrency",
    "proxy_max_body", "down_after", "down_for", "retry_after", "stall_time", "slow_read_rate",
)  # fmt: skip
"""Options that `POST /_sandbox/faults` changes while the sandbox runs."""

_MEDIA = "/_sandbox/media/"

Down = Callable[[bool | None], bool]


class Admin:
    """The admin routes and the page."""

    def __init__(self, pim: Pim, down: Down) -> None:
        self.pim, self._down = pim, down
        self.routes: dict[tuple[str, str], Callable[[Request], Awaitable[Response]]] = {
            ("GET", "/"): self._page,
            ("GET", "/_sandbox/stats"): self._stats,
            ("POST", "/_sandbox/stats"): self._reset,
            ("GET", "/_sandbox/faults"): self._faults,
            ("POST", "/_sandbox/faults"): self._change,
            ("POST", "/_sandbox/revoke"): self._revoke,
            ("GET", "/_sandbox/values"): self._values,
            ("GET", "/_sandbox/log"): self._log,
        }

    async def __call__(self, request: Request) -> Response:
        """Answers requests whose path does not begin with /api."""
        path = request.url.path
        if request.method == "GET" and path.startswith(_MEDIA):
            return self._media(path[len(_MEDIA) :])
        endpoint = self.routes.get((request.method, path))
        if endpoint is None:
            return JSONResponse({"message": "The sandbox has no such page."}, 404)
        return await endpoint(request)

    async def _page(self, request: Request) -> Response:
        return HTMLResponse(render(self.pim, request.query_params), headers=SECURITY)

    def _media(self, code: str) -> Response:
        """A file for the page: as it is where a browser may show it, else as a download."""
        row = self.pim.media.find(code)
        if row is None or not self.pim.media.path(code).is_file():
            return JSONResponse({"message": "The sandbox has no such file."}, 404)
        headers = dict(SECURITY)
        if row.mime_type not in SHOWABLE:
            headers["Content-Disposition"] = "attachment"
        return StreamingResponse(pieces(self.pim.media.path(code)), media_type=row.mime_type, headers=headers)

    async def _stats(self, request: Request) -> Response:
        return JSONResponse(stats_body(self.pim))

    async def _reset(self, request: Request) -> Response:
        """POST resets the counters."""
        await request.body()
        self.pim.stats.reset()
        return JSONResponse(stats_body(self.pim))

    async def _values(self, request: Request) -> Response:
        return JSONResponse({"values": values(self.pim)})

    async def _log(self, request: Request) -> Response:
        return JSONResponse({"calls": [call.as_dict() for call in self.pim.stats.log]})

    async def _revoke(self, request: Request) -> Response:
        """POST `{"refresh": true}` revokes refresh tokens too; without it only access tokens."""
        body = await request.body()
        try:
            given = json.loads(body or b"{}")
        except ValueError:
            return _wrong("no JSON")
        self.pim.tokens.revoke(bool(isinstance(given, dict) and given.get("refresh")))
        return JSONResponse({"revoked": True})

    async def _faults(self, request: Request) -> Response:
        options = self.pim.options
        return JSONResponse(
            {
                "faults": [str(fault) for fault in options.faults.faults],
                "kinds": dict(KINDS),
                "options": {name: getattr(options, name) for name in CHANGEABLE},
                "down": self._down(None),
                "token_ttl": self.pim.tokens.ttl,
            }
        )

    async def _change(self, request: Request) -> Response:
        """POST any of `faults`, `down`, `token_ttl` and the changeable options; all or nothing."""
        try:
            given = json.loads(await request.body())
            if not isinstance(given, dict):
                raise ValueError("expected a JSON object")
            plan = plan_from_json(given.pop("faults")) if "faults" in given else None
            down, ttl = given.pop("down", None), given.pop("token_ttl", None)
            if ttl is not None:
                ttl = float(ttl)
            changes = {name: _typed(name, value) for name, value in given.items()}
        except (ValueError, TypeError) as error:
            return _wrong(str(error))
        if plan is not None:
            self.pim.options.faults = plan
        for name, value in changes.items():
            setattr(self.pim.options, name, value)
        if ttl is not None:
            self.pim.tokens.ttl = ttl
        if down is not None:
            self._down(bool(down))
        return await self._faults(request)


def _typed(name: str, value: Any) -> Any:
    if name not in CHANGEABLE:
        raise ValueError(
            f"{name!r} cannot be changed; these can: faults, down, token_ttl, {', '.join(CHANGEABLE)}"
        )
    default = next(f.default for f in fields(SandboxOptions) if f.name == name)
    if value is None:
        if default is not None:
            raise ValueError(f"{name} cannot be null")
        return None
    if isinstance(default, bool):
        return bool(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value < 0:
        raise ValueError(f"{name} must be a number of at least 0")
    return value


def _wrong(message: str) -> Response:
    return JSONResponse({"message": message}, 422)
