"""The way into the PIM: the body as PHP takes it, who is calling, and the headers
(docs/pim-behaviour.md, "Login and tokens" and "Refusals and their causes")."""

from __future__ import annotations

import asyncio
import base64
import binascii
import re
from urllib.parse import parse_qsl

from starlette.requests import Request

from ..errors import ApiError
from ..php.form import FormReader, boundary_of
from ..php.text import php_decode
from ..pim import Pim
from ..stats import Call
from .routing import FORM, JSON, Exchange, Route


class HangUp(Exception):  # noqa: N818
    """The connection is to be cut: `how` says in what way, for the statistics."""

    def __init__(self, how: str) -> None:
        super().__init__(how)
        self.how = how


async def read_body(exchange: Exchange, fault: str | None) -> None:
    """The body, as PHP takes it: a form to disk, anything else to memory."""
    request, pim = exchange.request, exchange.pim
    content_type = request.headers.get("content-type", "")
    length = int(request.headers.get("content-length") or 0)
    lost = length > pim.post_max_size
    if "content-length" not in request.headers and "transfer-encoding" in request.headers:
        lost = pim.options.lose_chunked
    is_form = content_type.split(";")[0].strip().lower() == FORM
    reader = _reader(exchange, content_type, lost) if is_form else None
    body, seen = bytearray(), 0
    try:
        async for piece in request.stream():
            seen += len(piece)
            pim.stats.bytes_received += len(piece)
            if fault == "slow-read" and piece:
                await asyncio.sleep(len(piece) / pim.options.slow_read_rate)
            if fault == "reset-middle" and seen * 2 >= length:
                raise HangUp("reset")
            if reader is not None:
                reader.feed(piece)
            elif seen <= pim.post_max_size and not lost:
                body += piece
    except BaseException:
        if reader is not None:
            reader.abandon()
        raise
    exchange.body = bytes(body)
    if reader is not None:
        exchange.form = reader.finish()


def _reader(exchange: Exchange, content_type: str, lost: bool) -> FormReader:
    pim = exchange.pim

    def on_field(name: str, value: bytes) -> None:
        _note_target(pim, exchange.call, name, value)

    def on_file(name: str, filename: bytes) -> None:
        exchange.call.file = filename.decode("utf-8", "replace")
        if exchange.call.method == "POST":
            pim.stats.hold(exchange.call, pim.stats.names, exchange.call.file)

    boundary = None if lost else boundary_of(content_type)
    return FormReader(boundary, pim.media.new_file, pim.upload_max_filesize, on_field, on_file)


def _note_target(pim: Pim, call: Call, name: str, value: bytes) -> None:
    """Counts the entity that an upload targets as soon as its name is known."""
    if name not in ("product", "product_model"):
        return
    given = php_decode(value)
    if not isinstance(given, dict):
        return
    entities = pim.entities
    found = (
        entities.product(given.get("identifier")) if name == "product" else entities.model(given.get("code"))
    )
    if found is not None:
        pim.hold_entity(call, found)


def log_in(exchange: Exchange, route: Route) -> None:
    """Authenticates the caller and checks its rights. Raises ApiError 401 or 403.

    docs/pim-behaviour.md, "Login and tokens" and "Rights".
    """
    found = re.search(r"Bearer\s(\S+)", exchange.request.headers.get("authorization", ""))
    token = found[1] if found else exchange.query().get("access_token")
    if not token:
        raise ApiError(401, "Full authentication is required to access this resource.")
    exchange.connection = exchange.pim.tokens.check(token)
    exchange.call.drafts = exchange.connection.rights.drafts
    if not exchange.connection.rights.api:
        raise ApiError(403, "You are not allowed to access the web API.")
    if route.right is not None and not getattr(exchange.connection.rights, route.right[0]):
        raise ApiError(403, route.right[1])


def check_headers(request: Request, route: Route) -> None:
    """Content-Type and Accept, and no brackets in the query
    (docs/pim-behaviour.md, "Refusals and their causes" and "Answers to an upload")."""
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
    if request.method == "GET" and accept is not None and accept != JSON and "*/*" not in accept:
        raise ApiError(406, f'"{accept}" in "Accept" header is not valid. Only "{JSON}" is allowed.')
    if any("[" in name for name, _ in parse_qsl(request.url.query, keep_blank_values=True)):
        raise ApiError(400, "Bracket syntax is not supported in query parameters.")


def basic_credentials(request: Request) -> tuple[str, str] | None:
    """Client id and secret of a Basic header, if there is a valid one."""
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, _, password = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return user, password
