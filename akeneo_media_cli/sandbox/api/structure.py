"""Attributes, families, channels, locales, categories and the smaller lists: reading only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from starlette.responses import JSONResponse, Response

from ..errors import ApiError
from ..php.text import folded
from ..store.catalogue import Index, shown
from ..web.routing import COLLECTION, Ask, Endpoint, Route
from . import categories
from .paging import check_criteria, criteria, listing

Right = tuple[str, str]
Find = Callable[[Ask], Mapping[str, dict[str, Any]]]


def reading(
    name: str,
    path: str,
    title: str,
    find: Find,
    code: str = "code",
    right: Right | None = None,
    single: Endpoint | None = None,
) -> list[Route]:
    """A list and a single read of things with codes, as the PIM answers both."""

    async def list_all(ask: Ask) -> Response:
        wanted_by = criteria(ask)
        check_criteria(wanted_by)
        items = [item for item in find(ask).values() if _wanted(item, wanted_by)]
        at = path.format(**ask.params)
        return JSONResponse(listing(ask, at, items, shown))

    async def get_one(ask: Ask) -> Response:
        item = find(ask).get(folded(ask.params[code]))
        if item is None:
            raise ApiError(404, f'{title} "{ask.params[code]}" does not exist.')
        return JSONResponse(shown(item))

    base = f"/api/rest/v1{path}"
    return [
        Route(f"{name}_list", "GET", base, list_all, right=right),
        Route(f"{name}_get", "GET", f"{base}/{{{code}}}", single or get_one, right=right),
    ]


def _wanted(item: Mapping[str, Any], wanted_by: Mapping[str, Any]) -> bool:
    for name, conditions in wanted_by.items():
        for condition in conditions:
            operator, value = condition["operator"], condition.get("value")
            have = item.get(name)
            if operator == "IN" and isinstance(value, list):
                matches = have in value
            elif operator == "NOT IN" and isinstance(value, list):
                matches = have not in value
            elif operator == "=":
                matches = have == value
            elif operator in (">", "<"):
                matches = True
            else:
                what = f'"{name}" is not supported or does not support operator "{operator}"'
                raise ApiError(422, f"Filter on property {what}.")
            if not matches:
                return False
    return True


def _family(ask: Ask) -> str:
    code = ask.params["familyCode"]
    if ask.pim.catalogue.families.find(code) is None:
        raise ApiError(404, f'Family "{code}" does not exist.')
    return folded(code)


def routes() -> list[Route]:
    """Every list of structure, in no order that matters."""
    categories_right = ("list_categories", "You are not allowed to access the web API.")
    attributes = ("list_attributes", "Access forbidden. You are not allowed to list attributes.")

    def extra(key: str) -> Find:
        return lambda ask: Index(ask.pim.catalogue.source.get(key) or [])

    return [
        *reading("pim_api_locale", "/locales", "Locale", lambda ask: ask.pim.catalogue.locales),
        *reading("pim_api_channel", "/channels", "Channel", lambda ask: ask.pim.catalogue.channels),
        *reading("pim_api_currency", "/currencies", "Currency", extra("currencies")),
        *reading(
            "pim_api_attribute",
            "/attributes",
            "Attribute",
            lambda ask: ask.pim.catalogue.attributes,
            right=attributes,
        ),
        *reading(
            "pim_api_attribute_group", "/attribute-groups", "Attribute group", extra("attribute_groups")
        ),
        *reading("pim_api_family", "/families", "Family", lambda ask: ask.pim.catalogue.families),
        *reading(
            "pim_api_family_variant",
            "/families/{familyCode}/variants",
            "Family variant",
            lambda ask: ask.pim.catalogue.variants.get(_family(ask), {}),
        ),
        *reading(
            "pim_api_association_type", "/association-types", "Association type", extra("association_types")
        ),
        *reading(
            "pim_api_category",
            "/categories",
            "Category",
            lambda ask: ask.pim.catalogue.categories,
            right=categories_right,
            single=categories.get,
        ),
    ]


async def _not_here(ask: Ask) -> Response:
    raise ApiError(501, "The sandbox does not do this: give it a catalogue that has it already.")


def _changing(name: str, path: str, code: str = "code") -> list[Route]:
    base = f"/api/rest/v1{path}"
    one = f"{base}/{{{code}}}"
    return [
        Route(f"{name}_create", "POST", base, _not_here),
        Route(f"{name}_partial_update", "PATCH", one, _not_here),
        Route(f"{name}_partial_update_list", "PATCH", base, _not_here, takes=(COLLECTION,)),
    ]


def unserved() -> list[Route]:
    """Routes that the Community Edition lists and the sandbox only knows by name."""
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
        Route("pim_api_attribute_option_list", "GET", f"{rest}{options}", _not_here),
        Route("pim_api_attribute_option_get", "GET", f"{rest}{options}/{{code}}", _not_here),
        *_changing("pim_api_attribute_option", options),
        Route("legacy_pim_api_measure_family_list", "GET", f"{rest}/measure-families", _not_here),
        Route("legacy_pim_api_measure_family_get", "GET", f"{rest}/measure-families/{{code}}", _not_here),
        Route("pim_api_measurement_family_get", "GET", f"{rest}/measurement-families", _not_here),
        Route(
            "pim_api_measurement_family_create_or_update", "PATCH", f"{rest}/measurement-families", _not_here
        ),
    ]
