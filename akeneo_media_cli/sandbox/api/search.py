"""Search over products and models: the filters that a client of media needs (pim-facts B 9)."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from ..entities import PRODUCT, Entity
from ..errors import ApiError, unprocessable
from ..paging import after, check_paging, criteria, listing
from ..text import folded
from ..web import Ask

MAX_PAGE_WINDOW = 10_000
IN_MAX = 100


def found_page(
    ask: Ask, path: str, pool: list[Entity], show: Callable[[Entity], dict[str, Any]], key: str
) -> dict[str, Any]:
    """A page of the entities that the search parameter describes. Raises ApiError 400 or 422."""
    query, pim = ask.query(), ask.pim
    wanted_by = criteria(ask)
    check_paging(query, search_after=True)
    only = query.get("attributes")
    if only is not None:
        _check_attributes(ask, only.split(","))
    found = [e for e in pool if pim.searchable(e) and _listed(ask, e, key) and _matches(ask, e, wanted_by)]

    def item(entity: Entity) -> dict[str, Any]:
        body = show(entity)
        if only is not None:
            codes = {folded(code) for code in only.split(",")}
            body["values"] = {c: v for c, v in body["values"].items() if folded(c) in codes}
        return body

    given = _link_parameters(query, wanted_by)
    if query.get("pagination_type") == "search_after":
        pairs = sorted(
            ((e.key if key != "identifier" else str(pim.entities.identifier(e)), e) for e in found),
            key=lambda p: p[0],
        )
        return after(ask, path, pairs, item, key, given)
    if int(query.get("page", "1")) * int(query.get("limit", "10")) > MAX_PAGE_WINDOW:
        raise ApiError(
            422,
            'You have reached the maximum number of pages you can retrieve with the "page" pagination type. '
            "Please use the search after pagination type instead",
            _links={
                "documentation": {
                    "href": "http://api.akeneo.com/documentation/pagination.html#search-after-type"
                }
            },
        )
    return listing(ask, path, found, item, key, {"page": query.get("page", "1"), **given})


def _link_parameters(query: dict[str, str], wanted_by: dict[str, Any]) -> dict[str, str]:
    given = {
        "with_count": query.get("with_count", "false"),
        "pagination_type": query.get("pagination_type", "page"),
        "limit": query.get("limit", "10"),
    }
    if wanted_by:
        given["search"] = json.dumps(wanted_by, separators=(",", ":"))
    for name in ("scope", "search_scope", "locales", "attributes"):
        if name in query:
            given[name] = query[name]
    return given


def _listed(ask: Ask, entity: Entity, key: str) -> bool:
    return key != "identifier" or ask.pim.entities.identifier(entity) is not None


def _check_attributes(ask: Ask, codes: list[str]) -> None:
    unknown = [code for code in codes if ask.pim.catalogue.attribute(code) is None]
    if len(unknown) == 1:
        raise unprocessable(f'Attribute "{unknown[0]}" does not exist.')
    if unknown:
        raise unprocessable(f'Attributes "{", ".join(unknown)}" do not exist.')


def _matches(ask: Ask, entity: Entity, wanted_by: dict[str, Any]) -> bool:
    for name, conditions in wanted_by.items():
        if not isinstance(conditions, list) or not all(
            isinstance(c, dict) and "operator" in c for c in conditions
        ):
            raise ApiError(
                422,
                'Structure of filter "{}" should respect this structure: {}'.format(
                    name, '{"' + name + '":[{"operator": "my_operator", "value": "my_value"}]}'
                ),
            )
        if not all(_holds(ask, entity, name, c["operator"], c.get("value")) for c in conditions):
            return False
    return True


def _holds(ask: Ask, entity: Entity, name: str, operator: str, value: Any) -> bool:
    have = _field(ask, entity, name)
    if operator in ("IN", "NOT IN") and isinstance(value, list):
        if name in ("identifier", ask.pim.catalogue.identifier) and len(value) > IN_MAX:
            raise unprocessable(f"You cannot use more than {IN_MAX} identifiers in a filter.")
        inside = bool({folded(str(v)) for v in value} & {folded(str(h)) for h in have})
        return inside == (operator == "IN")
    if operator == "=":
        return [folded(str(value))] == [folded(str(h)) for h in have]
    if operator == "!=":
        return [folded(str(value))] != [folded(str(h)) for h in have]
    if operator in ("EMPTY", "NOT EMPTY"):
        return bool(have) == (operator == "NOT EMPTY")
    if operator == "STARTS WITH":
        return any(folded(str(h)).startswith(folded(str(value))) for h in have)
    if name in ("updated", "created", "completeness"):
        return True
    raise unprocessable(
        f'Filter on property "{name}" is not supported or does not support operator "{operator}".'
    )


def _field(ask: Ask, entity: Entity, name: str) -> list[Any]:
    """What an entity has for a field or an attribute of a filter, as a list."""
    entities = ask.pim.entities
    if name in ("identifier", "code"):
        own = entities.identifier(entity) if entity.kind == PRODUCT else entity.key
        return [] if own is None else [own]
    if name == "uuid":
        return [entity.key]
    if name in entity.data:
        value = entity.data[name]
        if name == "family" and value is None:
            value = next((a.data.get("family") for a in entities.ancestors(entity)), None)
        return value if isinstance(value, list) else [] if value is None else [value]
    if name in ("updated", "created", "completeness"):
        return []
    attribute = ask.pim.catalogue.attribute(name)
    if attribute is None:
        raise unprocessable(f'Filter on property "{name}" is not supported or does not support operator.')
    return [data for key, data in entity.values.items() if key.attribute == attribute["code"]]
