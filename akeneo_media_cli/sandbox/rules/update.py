"""What a PATCH or POST body does to a product or model (docs/pim-behaviour.md, "Batch PATCH")."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import PropertyError
from ..pim import Pim
from ..store.catalogue import MEDIA_TYPES
from ..store.entities import MODEL, Draft, ValueKey
from .values import Sent, set_value

_IGNORED = {
    "identifier", "uuid", "code", "values", "associations", "quantified_associations", "created", "updated",
    "metadata", "quality_scores", "completenesses", "_links",
}  # fmt: skip
_PHP_TYPES = {
    bool: "boolean",
    int: "integer",
    float: "double",
    str: "string",
    list: "array",
    dict: "array",
    type(None): "NULL",
}


def apply_body(pim: Pim, draft: Draft, given: Mapping[str, Any], by_identifier: bool) -> dict[ValueKey, Sent]:
    """Changes a draft as a body asks, and says how the body spelled locales and scopes.

    `by_identifier`: the identifier comes from `identifier`, not from the values. Attributes of another level
    are passed over without a word, as the PIM does. Raises PropertyError.
    """
    for name, value in given.items():
        if name in draft.data:
            _check_field(pim, name, value)
            draft.data[name] = value
        elif name not in _IGNORED and not (draft.entity.kind == MODEL and name == "family"):
            raise PropertyError(f'Property "{name}" does not exist.')
    values = given.get("values", {})
    if not isinstance(values, dict) and values != []:
        raise PropertyError(f'Property "values" expects an array as data, "{_php_type(values)}" given.')
    values = dict(values)
    identifier = pim.catalogue.identifier
    if by_identifier:
        values.pop(identifier, None)
        if "identifier" in given:
            draft.values[ValueKey(identifier, None, None)] = given["identifier"]
    _check_twice(values)
    own, sent = pim.entities.own(draft), {}
    for attribute, items in values.items():
        known = pim.catalogue.attribute(attribute)
        if known and own is not None and known["code"] not in own:
            continue
        for item in _checked_items(attribute, items):
            _check_data(known, item["data"])
            locale, scope = item["locale"], item["scope"]
            key = set_value(pim.catalogue, pim.media, draft, attribute, locale, scope, item["data"])
            sent[key] = (locale, scope)
    return sent


def _check_twice(values: Mapping[str, Any]) -> None:
    for attribute, items in values.items():
        if not isinstance(items, list):
            continue
        seen = set()
        for item in items:
            if not isinstance(item, dict) or item.get("data") is None:
                continue
            place = (str(item.get("locale")), str(item.get("scope")))
            if place in seen:
                raise PropertyError(
                    f'You cannot update the same product value on the "{attribute}" attribute twice, '
                    "with the same scope and locale."
                )
            seen.add(place)


def _checked_items(attribute: str, items: Any) -> list[dict[str, Any]]:
    if not isinstance(items, list):
        raise PropertyError(f'Property "{attribute}" expects an array as data, "{_php_type(items)}" given.')
    for item in items:
        if not isinstance(item, dict):
            raise PropertyError(
                f'Property "{attribute}" expects an array with valid data, one of the values is not an array.'
            )
        for key in ("locale", "scope", "data"):
            if key not in item:
                raise PropertyError(f'Property "{attribute}" expects an array with the key "{key}".')
        for key in ("locale", "scope"):
            if item[key] is not None and not isinstance(item[key], str):
                raise PropertyError(
                    f'Property "{attribute}" expects a product value with a string as {key}, '
                    f'"{_php_type(item[key])}" given.'
                )
    return items


def _check_data(attribute: Mapping[str, Any] | None, data: Any) -> None:
    if attribute is None or data is None or isinstance(data, str):
        return
    if attribute["type"] in (*MEDIA_TYPES, "pim_catalog_text", "pim_catalog_identifier"):
        raise PropertyError(
            f'Property "{attribute["code"]}" expects a string as data, "{_php_type(data)}" given.'
        )


def _check_field(pim: Pim, name: str, value: Any) -> None:
    if name == "enabled" and not isinstance(value, bool):
        raise PropertyError(f'Property "enabled" expects a boolean as data, "{_php_type(value)}" given.')
    if name in ("family", "parent", "family_variant") and not isinstance(value, (str, type(None))):
        raise PropertyError(f'Property "{name}" expects a scalar as data, "{_php_type(value)}" given.')
    if name in ("categories", "groups") and not isinstance(value, list):
        raise PropertyError(f'Property "{name}" expects an array as data, "{_php_type(value)}" given.')
    if name == "family" and value and pim.catalogue.families.find(value) is None:
        raise PropertyError(
            f'Property "family" expects a valid family code. The family does not exist, "{value}" given.'
        )
    if name == "parent" and value and pim.entities.model(value) is None:
        raise PropertyError(
            'Property "parent" expects a valid parent code. The parent product model does not exist, '
            f'"{value}" given.'
        )


def _php_type(value: Any) -> str:
    return _PHP_TYPES.get(type(value), "object")
