"""A product or product model as the API shows it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from ..rules.completeness import completeness
from ..store.catalogue import ASSOCIATION_TYPES, MEDIA_TYPES, OPTION_TYPES
from ..store.entities import MODEL, PRODUCT, Entity, ValueKey
from ..web.routing import Exchange
from .search import shown_values


def shown(exchange: Exchange, entity: Entity, key: str) -> dict[str, Any]:
    """An entity with the values of its parents. `key` is what the endpoint names entities by."""
    entities, query = exchange.pim.entities, exchange.query()
    body: dict[str, Any] = {}
    if entity.kind == MODEL:
        body["code"] = entity.key
    else:
        body["uuid"] = entity.key
        if key == "identifier":
            body["identifier"] = entities.identifier(entity)
    body.update(entity.data)
    body["family"] = entities.family(entity)
    values = dict(entity.values)
    for parent in entities.ancestors(entity):
        values = {**parent.values, **values}
    with_options = query.get("with_attribute_options") == "true"
    body["values"] = shown_values(exchange.pim.catalogue, query, _values(exchange, values, with_options))
    body["created"], body["updated"] = shown_time(entity.created), shown_time(entity.updated)
    names = [code for code, *_ in ASSOCIATION_TYPES]
    body["associations"] = {
        name: {"products": [], "product_models": [], "groups": []}
        for name in (sorted(names) if entity.kind == MODEL else names)
    }
    body["quantified_associations"] = {}
    if exchange.pim.edition == "ee" and entity.kind == PRODUCT:
        drafted = entity.key in exchange.pim.drafted
        body["metadata"] = {"workflow_status": "draft_in_progress" if drafted else "working_copy"}
    if query.get("with_quality_scores") == "true":
        body["quality_scores"] = []
    if query.get("with_completenesses") == "true" and entity.kind == PRODUCT:
        body["completenesses"] = completeness(entities, entity)
    return body


def _values(exchange: Exchange, values: Mapping[ValueKey, Any], with_options: bool) -> dict[str, Any]:
    out: dict[str, list[dict[str, Any]]] = {}
    for key, data in values.items():
        item: dict[str, Any] = {"locale": key.locale, "scope": key.scope, "data": data}
        attribute = exchange.pim.catalogue.attribute(key.attribute)
        if attribute and attribute["type"] in MEDIA_TYPES:
            if exchange.pim.media.find(data) is None:
                continue
            item["_links"] = {"download": {"href": exchange.link(f"/media-files/{data}/download")}}
        if with_options and attribute and attribute["type"] in OPTION_TYPES:
            item["linked_data"] = _linked_options(exchange.pim.catalogue.options[attribute["code"]], data)
        out.setdefault(key.attribute, []).append(item)
    return out


def _linked_options(options: Mapping[str, Mapping[str, Any]], data: Any) -> dict[str, Any]:
    known = {
        code: {name: options[code][name] for name in ("attribute", "code", "labels")}
        for code in (data if isinstance(data, list) else [data])
        if code in options
    }
    return known if isinstance(data, list) else next(iter(known.values()), {})


def shown_time(seconds: float) -> str:
    """A time as the API writes it."""
    return datetime.fromtimestamp(int(seconds), UTC).isoformat()
