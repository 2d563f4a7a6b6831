"""Attributes, families, channels, locales, categories and the smaller lists: reading only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from starlette.responses import JSONResponse, Response

from ..errors import ApiError
from ..php.text import folded
from ..rules.structure import filters_of, meets
from ..store.catalogue import OPTION_TYPES, Index, shown
from ..web.routing import COLLECTION, JSON, Endpoint, Exchange, Route
from . import categories
from .paging import check_paging, listing

Right = tuple[str, str]
Find = Callable[[Exchange], Mapping[str, dict[str, Any]]]


def reading(
    name: str,
    path: str,
    title: str,
    find: Find,
    code: str = "code",
    right: Right | None = None,
    single: Endpoint | None = None,
    missing: str = "",
) -> list[Route]:
    """The routes of a list, in order of codes, and of a single read."""
    list_name = f"{title.lower()}s"
    list_name = {"familys": "families", "categorys": "categories"}.get(list_name, list_name)

    async def list_all(exchange: Exchange) -> Response:
        query = exchange.query()
        check_paging(query)
        filters = filters_of(list_name, query.get("search"))
        items = sorted(find(exchange).values(), key=lambda item: folded(item["code"]))
        found = [item for item in items if all(meets(_facts(exchange, item), *wanted) for wanted in filters)]
        return JSONResponse(listing(exchange, path.format(**exchange.params), found, shown))

    async def get_one(exchange: Exchange) -> Response:
        item = find(exchange).get(folded(exchange.params[code]))
        if item is None:
            text = missing or title + ' "{code}" does not exist.'
            raise ApiError(404, text.format(**exchange.params))
        return JSONResponse(shown(item))

    base = f"/api/rest/v1{path}"
    return [
        Route(f"{name}_list", "GET", base, list_all, right=right),
        Route(f"{name}_get", "GET", f"{base}/{{{code}}}", single or get_one, right=right),
    ]


def _facts(exchange: Exchange, item: dict[str, Any]) -> dict[str, Any]:
    """An item of a list with what it can be searched by, but does not show."""
    code, entities = item["code"], exchange.pim.entities
    return {
        **item,
        "is_main_identifier": code == exchange.pim.catalogue.identifier,
        "has_products": any(entities.family(product) == code for product in entities.products.values()),
    }


def _family(exchange: Exchange) -> str:
    code = exchange.params["familyCode"]
    if exchange.pim.catalogue.families.find(code) is None:
        raise ApiError(404, f'Family "{code}" does not exist.')
    return folded(code)


def _options(exchange: Exchange) -> Mapping[str, dict[str, Any]]:
    code = exchange.params["attributeCode"]
    attribute = exchange.pim.catalogue.attribute(code)
    if attribute is None:
        raise ApiError(404, f'Attribute "{code}" does not exist.')
    if attribute["type"] not in OPTION_TYPES:
        types = '", "'.join(OPTION_TYPES)
        raise ApiError(
            404,
            f'Attribute "{code}" does not support options. '
            f'Only attributes of type "{types}" support options.',
        )
    return Index(exchange.pim.catalogue.options[attribute["code"]].values())


def routes() -> list[Route]:
    """The routes of every list."""
    categories_right = ("list_categories", "You are not allowed to access the web API.")
    attributes = ("list_attributes", "Access forbidden. You are not allowed to list attributes.")

    return [
        *reading("pim_api_locale", "/locales", "Locale", lambda exchange: exchange.pim.catalogue.locales),
        *reading("pim_api_channel", "/channels", "Channel", lambda exchange: exchange.pim.catalogue.channels),
        *reading(
            "pim_api_currency",
            "/currencies",
            "Currency",
            lambda exchange: Index(exchange.pim.catalogue.currencies()),
        ),
        *reading(
            "pim_api_attribute",
            "/attributes",
            "Attribute",
            lambda exchange: exchange.pim.catalogue.attributes,
            right=attributes,
        ),
        *reading(
            "pim_api_attribute_group",
            "/attribute-groups",
            "Attribute group",
            lambda exchange: Index(exchange.pim.catalogue.attribute_groups()),
        ),
        *reading("pim_api_family", "/families", "Family", lambda exchange: exchange.pim.catalogue.families),
        *reading(
            "pim_api_family_variant",
            "/families/{familyCode}/variants",
            "Family variant",
            lambda exchange: exchange.pim.catalogue.variants.get(_family(exchange), {}),
        ),
        *reading(
            "pim_api_association_type",
            "/association-types",
            "Association type",
            lambda exchange: Index(exchange.pim.catalogue.association_types()),
        ),
        *reading(
            "pim_api_category",
            "/categories",
            "Category",
            lambda exchange: exchange.pim.catalogue.categories,
            right=categories_right,
            single=categories.get,
        ),
    ]


async def _not_here(exchange: Exchange) -> Response:
    if exchange.request.headers.get("content-type", "").split(";")[0].strip() == JSON:
        exchange.decoded()
    raise ApiError(501, "The sandbox cannot change structure. Start it with a catalogue that already has it.")


def _changing(name: str, path: str, code: str = "code") -> list[Route]:
    base = f"/api/rest/v1{path}"
    one = f"{base}/{{{code}}}"
    return [
        Route(f"{name}_create", "POST", base, _not_here),
        Route(f"{name}_partial_update", "PATCH", one, _not_here),
        Route(f"{name}_partial_update_list", "PATCH", base, _not_here, takes=(COLLECTION,)),
    ]


def unserved() -> list[Route]:
    """Attribute options, and routes that the Community Edition lists and the sandbox only knows by name."""
    options = "/attributes/{attributeCode}/options"
    names = ("channel", "attribute", "attribute_group", "family", "association_type", "category")
    paths = (
        "/channels",
        "/attributes",
        "/attribute-groups",
        "/families",
        "/association-types",
        "/categories",
    )
    changing = [
        route for pair in zip(names, paths, strict=True) for route in _changing(f"pim_api_{pair[0]}", pair[1])
    ]
    rest = "/api/rest/v1"
    return [
        *changing,
        *_changing("pim_api_family_variant", "/families/{familyCode}/variants"),
        *reading(
            "pim_api_attribute_option",
            options,
            "Attribute option",
            _options,
            missing='Attribute option "{code}" does not exist or is not an option of the attribute '
            '"{attributeCode}".',
        ),
        *_changing("pim_api_attribute_option", options),
        Route("legacy_pim_api_measure_family_list", "GET", f"{rest}/measure-families", _not_here),
        Route("legacy_pim_api_measure_family_get", "GET", f"{rest}/measure-families/{{code}}", _not_here),
        Route("pim_api_measurement_family_get", "GET", f"{rest}/measurement-families", _not_here),
        Route(
            "pim_api_measurement_family_create_or_update", "PATCH", f"{rest}/measurement-families", _not_here
        ),
    ]
