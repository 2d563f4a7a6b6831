"""Search over products and models: the filters that a client of media needs
(docs/pim-behaviour.md, "Searching and paging")."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

from ..errors import ApiError, unprocessable
from ..php.text import folded
from ..store.entities import PRODUCT, Entity
from ..web.routing import Ask
from .paging import after, check_criteria, check_paging, criteria, listing

MAX_PAGE_WINDOW = 10_000
IN_MAX = 100
_UNKEPT = ("updated", "created", "completeness", "quality_score")
"""Fields that every entity matches here: the sandbox keeps nothing to filter them by."""
_FIELDS = (
    *_UNKEPT,
    "identifier",
    "code",
    "uuid",
    "family",
    "family_variant",
    "categories",
    "groups",
    "enabled",
    "parent",
)


def found_page(
    ask: Ask, path: str, pool: Iterable[Entity], show: Callable[[Entity], dict[str, Any]], key: str
) -> dict[str, Any]:
    """A page of the entities that the search parameter describes. Raises ApiError 400 or 422."""
    query, pim = ask.query(), ask.pim
    wanted_by = criteria(ask, 400 if path != "/product-models" else 422)
    check_paging(query, search_after=True)
    only = query.get("attributes")
    if only is not None:
        _check_attributes(ask, only.split(","))
    _check_criteria(ask, wanted_by)
    found = [
        e
        for e in _candidates(ask, pool, wanted_by, key)
        if pim.searchable(e) and _listed(ask, e, key) and _matches(ask, e, wanted_by)
    ]

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


def _candidates(ask: Ask, pool: Iterable[Entity], wanted_by: dict[str, Any], key: str) -> Iterable[Entity]:
    """What a search by code may find: looked up, where going through everything would take long."""
    entities = ask.pim.entities
    by: dict[str, Callable[[str], Entity | None]] = {"code": entities.model, "identifier": entities.model}
    if key != "code":
        by = {"uuid": entities.product_by_uuid, "identifier": entities.product}
    for name, find in by.items():
        for condition in wanted_by.get(name, ()):
            if condition["operator"] == "IN" and isinstance(condition.get("value"), list):
                found = (find(str(code)) for code in condition["value"])
                return {entity.key: entity for entity in found if entity is not None}.values()
    return pool


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


def _check_criteria(ask: Ask, wanted_by: dict[str, Any]) -> None:
    check_criteria(wanted_by)
    for name, conditions in wanted_by.items():
        known = name in _FIELDS or ask.pim.catalogue.attribute(name) is not None
        for condition in conditions:
            operator, value = condition["operator"], condition.get("value")
            if not known:
                raise _unsupported(name, operator)
            if name == "identifier" and operator == "IN":
                _check_identifiers(value)


def _check_identifiers(value: Any) -> None:
    if value is None:
        raise unprocessable("The identifier filter can't contain null value")
    if isinstance(value, list) and len({str(v) for v in value}) > IN_MAX:
        raise ApiError(400, f"The identifier filter can't contain more than {IN_MAX} product identifiers.")


def _unsupported(name: str, operator: str) -> ApiError:
    return unprocessable(
        f'Filter on property "{name}" is not supported or does not support operator "{operator}"'
    )


def _matches(ask: Ask, entity: Entity, wanted_by: dict[str, Any]) -> bool:
    return all(
        _holds(ask, entity, name, condition["operator"], condition.get("value"))
        for name, conditions in wanted_by.items()
        for condition in conditions
    )


def _holds(ask: Ask, entity: Entity, name: str, operator: str, value: Any) -> bool:
    if name in _UNKEPT:
        return True
    have = {folded(str(held)) for held in _field(ask, entity, name)}
    if operator in ("IN", "NOT IN") and isinstance(value, list):
        return bool({folded(str(v)) for v in value} & have) == (operator == "IN")
    if operator in ("=", "!="):
        return (have == {folded(str(value))}) == (operator == "=")
    if operator in ("EMPTY", "NOT EMPTY"):
        return bool(have) == (operator == "NOT EMPTY")
    if operator == "STARTS WITH":
        return any(held.startswith(folded(str(value))) for held in have)
    if operator == "CONTAINS":
        return any(folded(str(value)) in held for held in have)
    raise _unsupported(name, operator)


def _field(ask: Ask, entity: Entity, name: str) -> list[Any]:
    """What an entity has for a field or an attribute of a filter."""
    entities = ask.pim.entities
    if name in ("identifier", "code"):
        own = entities.identifier(entity) if entity.kind == PRODUCT else entity.key
        return [] if own is None else [own]
    if name == "uuid":
        return [entity.key]
    if name in entity.data:
        value = entity.data[name]
        if name == "family" and value is None:
            value = next((above.data.get("family") for above in entities.ancestors(entity)), None)
        return value if isinstance(value, list) else [] if value is None else [value]
    attribute = ask.pim.catalogue.attribute(name)
    code = attribute["code"] if attribute else name
    return [data for key, data in entity.values.items() if key.attribute == code]
