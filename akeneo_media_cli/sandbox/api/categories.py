"""Enriched categories: a picture in one call, cloud only (docs/pim-behaviour.md, "Enriched categories")."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

from starlette.responses import JSONResponse, Response

from ..errors import ApiError, crash, unprocessable
from ..php.text import php_decode
from ..rules.things import value_errors
from ..store.catalogue import shown
from ..store.entities import ValueKey
from ..store.media import CATEGORIES
from ..store.things import CATEGORY, Collection, ThingKey
from ..web.routing import FORM, Exchange, Route
from .media import sent_file

_KEYS = ("code", "attribute_code", "channel", "locale")


async def create(exchange: Exchange) -> Response:
    """POST: a file for one value of one category; answers 201 with its Location."""
    fields = exchange.form.fields if exchange.form else {}
    if "category" not in fields:
        raise unprocessable('Property "category" is required.')
    given = _decoded(fields["category"])
    pim, code = exchange.pim, given["code"]
    category = pim.catalogue.categories.find(code)
    if category is None:
        raise unprocessable(f'Category "{code}" does not exist.')
    sent = sent_file(exchange)
    key = ThingKey(CATEGORY, "", category["code"])
    with pim.holding_key(exchange.call, f"{CATEGORY}:{category['code']}"):
        thing = pim.things.find(key)
        base = dict(thing.values) if thing else {}
        row = pim.store_file(exchange.call, sent, CATEGORIES)
        value = ValueKey(given["attribute_code"], given["locale"], given["channel"])
        template = Collection(CATEGORY, {"code": "template"}, pim.things.category_attributes)
        errors = value_errors(pim.catalogue, pim.media, pim.things, template, value, row.code)
        if errors:
            pim.media.remove_row(row.code)
            raise ApiError(422, "Validation failed.", errors=errors)
        await asyncio.sleep(pim.options.save_time)
        pim.write_thing(exchange.call, key, base, {**base, value: row.code})
    href = exchange.link(f"/category-media-files/{row.code}/download")
    return Response(status_code=201, headers={"Location": href})


def _decoded(text: bytes | None) -> dict[str, Any]:
    if text is None:
        raise crash()
    given = php_decode(text)
    if given is None:
        raise ApiError(400, "Invalid json message received")
    if not isinstance(given, dict) or any(key not in given for key in _KEYS):
        names = '"code", "attribute_code", "channel" and "locale"'
        raise unprocessable(f"Category property must contain {names} properties.")
    for key in _KEYS:
        may_be_null = key in ("channel", "locale")
        if not (isinstance(given[key], str) or (may_be_null and given[key] is None)):
            raise unprocessable(f'Property "{key}" expects a string as data.')
    return given


async def get(exchange: Exchange) -> Response:
    """GET one, with its values where `with_enriched_attributes` asks for them."""
    found = exchange.pim.catalogue.categories.find(exchange.params["code"])
    if found is None:
        raise ApiError(404, f'Category "{exchange.params["code"]}" does not exist.')
    body = shown(found)
    if exchange.query().get("with_enriched_attributes") == "true":
        body["values"] = _values(exchange, found["code"]) or None
    return JSONResponse(body)


def _values(exchange: Exchange, code: str) -> dict[str, Any]:
    thing, out = exchange.pim.things.find(ThingKey(CATEGORY, "", code)), {}
    for key, media in (thing.values if thing else {}).items():
        row = exchange.pim.media.rows[media]
        name = f"{key.attribute}|{uuid.uuid5(uuid.NAMESPACE_OID, key.attribute)}"
        out["|".join(part for part in (name, key.scope, key.locale) if part)] = {
            "data": {
                "size": row.size,
                "extension": row.extension,
                "file_path": row.code,
                "mime_type": row.mime_type,
                "original_filename": row.original_filename,
            },
            "type": "image",
            "channel": key.scope,
            "locale": key.locale,
            "attribute_code": name,
        }
    return out


def routes() -> list[Route]:
    """What the cloud has beside the Community Edition's routes."""
    path = "/api/rest/v1/category-media-files"
    return [Route("pim_api_category_media_file_create", "POST", path, create, takes=(FORM,))]
