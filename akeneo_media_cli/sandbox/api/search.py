"""Lists of products and models: their parameters, what is searched, and the page that is shown."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

from ..errors import ApiError, unprocessable
from ..php.text import folded
from ..rules.search import Condition, Criteria, Search, check_active_locales
from ..store.catalogue import Catalogue
from ..store.entities import MODEL, PRODUCT, Entity
from ..web.routing import Exchange
from .paging import after, check_paging, criteria, listing

MAX_PAGE_WINDOW = 10_000
_KEPT_IN_LINKS = ("scope", "search_scope", "locales", "attributes")
_FLAGS_IN_LINKS = ("with_attribute_options", "with_quality_scores", "with_completenesses")
_FLAGS_OF_MODELS = ("with_quality_scores",)


def found_page(
    exchange: Exchange, path: str, pool: Iterable[Entity], show: Callable[[Entity], dict[str, Any]], key: str
) -> dict[str, Any]:
    """A page of the entities that the search parameter describes. Raises ApiError 400, 404 or 422.

    `key` is what an item is named by (`identifier`, `uuid`, `code`); items are in its order.
    """
    query, pim = exchange.query(), exchange.pim
    kind = MODEL if key == "code" else PRODUCT
    wanted_by = criteria(exchange, 422 if kind == MODEL else 400)
    check_paging(query, search_after=True)
    check_shown_values(pim.catalogue, query)
    search = Search(pim.entities, pim.media, kind, key == "uuid", pim.options.clock)
    search_locale, search_scope = query.get("search_locale"), query.get("search_scope")
    search.check(wanted_by, search_locale)
    conditions = search.conditions(_with_tree(pim.catalogue, query, wanted_by), search_locale, search_scope)
    pairs = sorted(
        (
            (_cursor(exchange, entity, key), entity)
            for entity in _candidates(exchange, pool, conditions, key)
            if pim.searchable(entity)
            and _listed(exchange, entity, key)
            and all(search.meets(entity, condition) for condition in conditions)
        ),
        key=lambda pair: pair[0].lower(),
    )
    given = _link_parameters(query, wanted_by, kind)
    if query.get("pagination_type") == "search_after":
        return after(exchange, path, pairs, show, key, given)
    if int(query.get("page", "1")) * int(query.get("limit", "10")) > MAX_PAGE_WINDOW:
        href = "http://api.akeneo.com/documentation/pagination.html#search-after-type"
        raise ApiError(
            422,
            'You have reached the maximum number of pages you can retrieve with the "page" pagination type. '
            "Please use the search after pagination type instead",
            _links={"documentation": {"href": href}},
        )
    found = [entity for _, entity in pairs]
    return listing(exchange, path, found, show, key, {"page": query.get("page", "1"), **given})


def check_shown_values(catalogue: Catalogue, query: dict[str, str]) -> None:
    """Raises ApiError 422 if `attributes`, `scope` or `locales` name something unknown."""
    if "attributes" in query:
        unknown = [code for code in query["attributes"].split(",") if catalogue.attribute(code) is None]
        if len(unknown) == 1:
            raise unprocessable(f'Attribute "{unknown[0]}" does not exist.')
        if unknown:
            raise unprocessable(f'Attributes "{", ".join(unknown)}" do not exist.')
    scope = query.get("scope")
    channel = catalogue.channels.find(scope)
    if scope is not None and channel is None:
        raise unprocessable(f'Scope "{scope}" does not exist.')
    if "locales" not in query:
        return
    locales = query["locales"].split(",")
    check_active_locales(catalogue, locales)
    outside = [code for code in locales if channel is not None and code not in channel.get("locales", ())]
    if len(outside) == 1:
        raise unprocessable(f'Locale "{outside[0]}" is not activated for the scope "{scope}".')
    if outside:
        raise unprocessable(f'Locales "{", ".join(outside)}" are not activated for the scope "{scope}".')


def _with_tree(catalogue: Catalogue, query: dict[str, str], wanted_by: Criteria) -> Criteria:
    """The criteria, narrowed to the channel's category tree where the query names a channel."""
    channel = catalogue.channels.find(query.get("scope"))
    if channel is None or "categories" in wanted_by:
        return wanted_by
    tree = {"operator": "IN CHILDREN", "value": [channel.get("category_tree") or ""]}
    return {**wanted_by, "categories": [tree]}


def _cursor(exchange: Exchange, entity: Entity, key: str) -> str:
    return str(exchange.pim.entities.identifier(entity)) if key == "identifier" else entity.key


def _candidates(
    exchange: Exchange, pool: Iterable[Entity], conditions: list[Condition], key: str
) -> Iterable[Entity]:
    """The entities that a search can find: looked up by code if possible, which is much faster."""
    entities = exchange.pim.entities
    by: dict[str, Callable[[str], Entity | None]] = {"identifier": entities.model}
    if key != "code":
        by = {"uuid": entities.product_by_uuid, "identifier": entities.product}
    for condition in conditions:
        if condition.name in by and condition.operator == "IN":
            found = (by[condition.name](str(code)) for code in condition.value)
            return {entity.key: entity for entity in found if entity is not None}.values()
    return pool


def _link_parameters(query: dict[str, str], wanted_by: Criteria, kind: str) -> dict[str, str]:
    given = {
        "with_count": query.get("with_count", "false"),
        "pagination_type": query.get("pagination_type", "page"),
        "limit": query.get("limit", "10"),
    }
    if wanted_by:
        given["search"] = json.dumps(wanted_by, separators=(",", ":"))
    given.update({name: query[name] for name in _KEPT_IN_LINKS if name in query})
    flags = _FLAGS_OF_MODELS if kind == MODEL else _FLAGS_IN_LINKS
    given.update({name: "true" for name in flags if query.get(name) == "true"})
    return given


def _listed(exchange: Exchange, entity: Entity, key: str) -> bool:
    return key != "identifier" or exchange.pim.entities.identifier(entity) is not None


def shown_values(catalogue: Catalogue, query: dict[str, str], values: dict[str, Any]) -> dict[str, Any]:
    """The values that `attributes`, `scope` and `locales` leave of an entity's."""
    only = {folded(code) for code in query["attributes"].split(",")} if "attributes" in query else None
    channel = catalogue.channels.find(query.get("scope"))
    locales = query["locales"].split(",") if "locales" in query else None
    if locales is None and channel is not None:
        locales = list(channel.get("locales", ()))
    out = {}
    for code, items in values.items():
        kept = [
            item
            for item in items
            if (channel is None or item["scope"] in (None, channel["code"]))
            and (locales is None or item["locale"] is None or item["locale"] in locales)
        ]
        if kept and (only is None or folded(code) in only):
            out[code] = kept
    return out
