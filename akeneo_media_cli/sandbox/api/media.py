"""`/media-files` and `/category-media-files` (docs/pim-behaviour.md, "Answers to an upload" and
"Enriched categories")."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from starlette.responses import JSONResponse, Response, StreamingResponse

from ..errors import ApiError, PropertyError, crash, unprocessable
from ..php.form import SentFile
from ..php.text import php_decode, php_string
from ..rules.values import set_value
from ..store.entities import MODEL, PRODUCT, Entity
from ..store.media import CATALOG, CATEGORIES, ROUTABLE, FileRow
from ..web.routing import FORM, Exchange, Route
from .paging import listing

_PIECE = 256 * 1024
_MISSING = 'You should at least give one of the following properties: "product" or "product_model".'


async def create(exchange: Exchange) -> Response:
    """POST: a file for one value of one product or model; answers 201 with its Location."""
    fields = exchange.form.fields if exchange.form else {}
    if "product" in fields and "product_model" in fields:
        raise unprocessable('You should give either a "product" or a "product_model" key.')
    if "product" in fields:
        kind, title, key = PRODUCT, "Product", "identifier"
    elif "product_model" in fields:
        kind, title, key = MODEL, "Product model", "code"
    else:
        raise unprocessable(_MISSING)
    given = _decoded(fields[kind], title, key)
    entities, pim = exchange.pim.entities, exchange.pim
    code = php_string(given[key])
    entity = entities.product(code) if kind == PRODUCT else entities.model(code)
    if entity is None:
        raise unprocessable(f'{title} "{code}" does not exist.')
    pim.hold_entity(exchange.call, entity)
    draft = entities.read(entity)
    row = pim.store_file(exchange.call, sent_file(exchange), CATALOG)
    await _link(exchange, entity, draft, row, given)
    return Response(
        status_code=201, headers={"Location": exchange.link(f"/media-files/{_routable(row.code)}")}
    )


async def _link(exchange: Exchange, entity: Entity, draft: Any, row: FileRow, given: dict[str, Any]) -> None:
    pim, (locale, scope) = exchange.pim, (given["locale"], given["scope"])
    if isinstance(given["attribute"], (list, dict)):
        raise crash()
    try:
        value = set_value(pim.catalogue, pim.media, draft, given["attribute"], locale, scope, row.code)
    except PropertyError as error:
        pim.media.remove_row(row.code)
        raise unprocessable(str(error)) from None
    try:
        await pim.save(exchange.call, draft, {value: (locale, scope)})
    except ApiError as error:
        if error.status == 422:
            pim.media.remove_row(row.code)
        raise


def _decoded(text: bytes | None, title: str, key: str) -> dict[str, Any]:
    if text is None:
        raise crash()
    given = php_decode(text)
    if given is None:
        raise ApiError(400, "Invalid json message received")
    names = f'{title} property must contain "{key}", "attribute", "locale" and "scope" properties.'
    if not isinstance(given, dict) or given.get(key) is None or given.get("attribute") is None:
        raise unprocessable(names)
    if "locale" not in given or "scope" not in given:
        raise unprocessable(names)
    return given


def sent_file(exchange: Exchange) -> SentFile:
    """The part `file` of a form; raises 422 without one, 500 for an upload that PHP counts as failed."""
    files = exchange.form.files if exchange.form else {}
    if "file" not in files:
        raise unprocessable('Property "file" is required.')
    sent = files["file"]
    if sent is None or sent.error:
        raise crash()
    return sent


def _routable(code: str) -> str:
    if not ROUTABLE.fullmatch(code):
        raise crash()
    return code


def _row(exchange: Exchange, storage: str) -> FileRow:
    code = exchange.params["code"]
    row = exchange.pim.media.find(code, storage)
    if row is None:
        raise ApiError(404, f'Media file "{code}" does not exist.')
    return row


def _shown(exchange: Exchange, row: FileRow) -> dict[str, Any]:
    return {
        "code": row.code,
        "original_filename": row.original_filename,
        "mime_type": row.mime_type,
        "size": row.size,
        "extension": row.extension,
        "_links": {"download": {"href": exchange.link(f"/media-files/{row.code}/download")}},
    }


async def get(exchange: Exchange) -> Response:
    """GET one: name, type, size, extension; no hash."""
    return JSONResponse(_shown(exchange, _row(exchange, CATALOG)))


async def list_all(exchange: Exchange) -> Response:
    """GET the list: every file of the catalogue's storage, orphans that have a row included."""
    rows = [row for row in exchange.pim.media.rows.values() if row.storage == CATALOG]
    return JSONResponse(listing(exchange, "/media-files", rows, lambda row: _shown(exchange, row)))


async def download(exchange: Exchange) -> Response:
    """GET the bytes: chunked, without length, ETag or ranges (docs/pim-behaviour.md, "Answers to an upload"
    and "Enriched categories")."""
    return streamed(exchange, _row(exchange, CATALOG))


async def download_category(exchange: Exchange) -> Response:
    """GET the bytes of a category's picture."""
    return streamed(exchange, _row(exchange, CATEGORIES))


def streamed(exchange: Exchange, row: FileRow) -> Response:
    """A file's bytes as an attachment."""
    path = exchange.pim.media.path(row.code)
    if not path.is_file():
        raise ApiError(404, f'Media file "{row.code}" is not present on the filesystem.')
    disposition = f'attachment; filename="{row.original_filename}"'.encode().decode("latin-1")
    safe = "".join(c if c >= " " else "_" for c in disposition)
    return StreamingResponse(pieces(path), media_type=row.mime_type, headers={"Content-Disposition": safe})


async def pieces(path: Path) -> AsyncIterator[bytes]:
    """A file in pieces."""
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            yield piece


def routes() -> list[Route]:
    """Media files, in the PIM's order."""
    media, code = "/api/rest/v1/media-files", r"[a-zA-Z0-9_./]+"
    category = "/api/rest/v1/category-media-files/{code}/download"
    return [
        Route("pim_api_media_file_list", "GET", media, list_all),
        Route("pim_api_media_file_download", "GET", f"{media}/{{code}}/download", download, pattern=code),
        Route("pim_api_media_file_get", "GET", f"{media}/{{code}}", get, pattern=code),
        Route("pim_api_media_file_create", "POST", media, create, takes=(FORM,)),
        Route("pim_api_category_media_file_download", "GET", category, download_category, pattern=code),
    ]
