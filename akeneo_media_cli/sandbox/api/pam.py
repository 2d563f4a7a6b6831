"""The old PAM of PIM 2.x and 3.x: reference files and variation files of assets
(docs/pim-behaviour.md, "The old PAM")."""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.responses import JSONResponse, Response

from ..errors import ApiError, unprocessable
from ..store.entities import ValueKey
from ..store.media import PAM
from ..store.things import PAM_ASSET, Thing, ThingKey
from ..web.routing import FORM, Exchange, Route
from .media import sent_file, streamed

NO_LOCALE = "no-locale"
REFERENCE, VARIATION = "reference", "variation"


def _asset(exchange: Exchange) -> Thing:
    code = exchange.params["code"]
    thing = exchange.pim.things.find(ThingKey(PAM_ASSET, "", code))
    if thing is None:
        raise ApiError(404, f'Asset "{code}" does not exist.')
    return thing


def _place(exchange: Exchange, thing: Thing) -> ValueKey:
    """Which of an asset's files a path names. Raises ApiError 404 or 422."""
    catalogue, given = exchange.pim.catalogue, exchange.params
    locale = None if given["locale"] == NO_LOCALE else given["locale"]
    channel = catalogue.channels.find(given["channel"]) if "channel" in given else None
    if "channel" in given and channel is None:
        raise ApiError(404, f'Channel "{given["channel"]}" does not exist.')
    if locale is not None:
        known = catalogue.locales.find(locale)
        if known is None or not known.get("enabled", True):
            raise ApiError(404, f'Locale "{locale}" does not exist or is not activated.')
        if channel is not None and known["code"] not in channel["locales"]:
            raise ApiError(
                404,
                f'You cannot have a variation file for the locale "{locale}" and the channel '
                f'"{channel["code"]}" as the locale is not activated for the channel.',
            )
    localizable = bool(exchange.pim.things.pam_assets.get(thing.key.code, {}).get("localizable"))
    if localizable and locale is None:
        raise unprocessable(
            f'The asset "{thing.key.code}" is localizable, you must provide an existing locale code. '
            f'"{NO_LOCALE}" is only allowed when the asset is not localizable.'
        )
    if not localizable and locale is not None:
        raise unprocessable(
            f'The asset "{thing.key.code}" is not localizable, '
            f'you must provide the string "{NO_LOCALE}" as a locale.'
        )
    return ValueKey(VARIATION if channel else REFERENCE, locale, channel["code"] if channel else None)


async def create(exchange: Exchange) -> Response:
    """POST one file of an asset; a reference file replaces its variations."""
    pim, thing = exchange.pim, _asset(exchange)
    place = _place(exchange, thing)
    sent = sent_file(exchange)
    with pim.holding_key(exchange.call, f"{PAM_ASSET}:{thing.key.code}"):
        base = dict(thing.values)
        row = pim.store_file(exchange.call, sent, PAM)
        await asyncio.sleep(pim.options.save_time)
        pim.write_thing(exchange.call, thing.key, base, {**base, place: row.code})
    return Response(status_code=201, headers={"Location": exchange.link(_path(thing, place))})


def _path(thing: Thing, place: ValueKey) -> str:
    channel = f"/{place.scope}" if place.scope else ""
    return f"/assets/{thing.key.code}/{place.attribute}-files{channel}/{place.locale or NO_LOCALE}"


def _file(exchange: Exchange, thing: Thing, place: ValueKey) -> dict[str, Any]:
    path = exchange.link(_path(thing, place))
    scope = {"scope": place.scope} if place.scope else {}
    links = {"download": {"href": f"{path}/download"}, "self": {"href": path}}
    return {"_link": links, "locale": place.locale, **scope, "code": thing.values[place]}


def _existing(exchange: Exchange) -> tuple[Thing, ValueKey]:
    thing = _asset(exchange)
    place = _place(exchange, thing)
    if place not in thing.values:
        raise ApiError(404, f'The {place.attribute} file for the asset "{thing.key.code}" does not exist.')
    return thing, place


async def get_file(exchange: Exchange) -> Response:
    """GET a description of one file."""
    return JSONResponse(_file(exchange, *_existing(exchange)))


async def download(exchange: Exchange) -> Response:
    """GET the bytes of one file."""
    thing, place = _existing(exchange)
    return streamed(exchange, exchange.pim.media.rows[thing.values[place]])


async def get(exchange: Exchange) -> Response:
    """GET an asset with its files."""
    thing = _asset(exchange)
    about = exchange.pim.things.pam_assets.get(thing.key.code, {})
    files = {
        f"{kind}_files": [_file(exchange, thing, place) for place in thing.values if place.attribute == kind]
        for kind in (VARIATION, REFERENCE)
    }
    return JSONResponse({"code": thing.key.code, "localizable": bool(about.get("localizable")), **files})


def routes() -> list[Route]:
    """The PAM's routes; PIM 4.0 dropped them."""
    asset = "/api/rest/v1/assets/{code}"
    reference, variation = (
        f"{asset}/reference-files/{{locale}}",
        f"{asset}/variation-files/{{channel}}/{{locale}}",
    )
    return [
        Route("pimee_api_asset_get", "GET", asset, get),
        Route("pimee_api_asset_reference_create", "POST", reference, create, takes=(FORM,)),
        Route("pimee_api_asset_reference_get", "GET", reference, get_file),
        Route("pimee_api_asset_reference_download", "GET", f"{reference}/download", download),
        Route("pimee_api_asset_variation_create", "POST", variation, create, takes=(FORM,)),
        Route("pimee_api_asset_variation_get", "GET", variation, get_file),
        Route("pimee_api_asset_variation_download", "GET", f"{variation}/download", download),
    ]
