"""What a PATCH or POST body does to a product or model: its fields, then its values.

docs/pim-behaviour.md, "Batch PATCH", "Spelling of identifiers and codes" and "Refusals and their causes".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..errors import SUFFIX, PropertyError
from ..php.text import php_type
from ..store.catalogue import MEDIA_TYPES
from ..store.entities import MODEL, Draft, Entities, ValueKey
from ..store.media import MediaStore
from .values import Sent, set_value

_IGNORED = (
    "values", "associations", "quantified_associations", "created", "updated", "metadata", "quality_scores",
    "completenesses", "_links",
)  # fmt: skip
_NAMES: Mapping[str, tuple[str, ...]] = {
    "identifier": ("identifier", "uuid"),
    "uuid": ("uuid",),
    "code": ("code", "identifier", "family"),
}
"""Fields that name an entity, or that belong to another one, by the key of the endpoint."""

_TYPES: Mapping[str, tuple[type, str]] = {
    "enabled": (bool, "a boolean"),
    "categories": (list, "an array"),
    "groups": (list, "an array"),
    "family": (str, "a string"),
    "parent": (str, "a string"),
    "family_variant": (str, "a string"),
}
"""What a field may be beside null, and how a refusal says so."""

_CODES_DATA = (
    "pim_catalog_multiselect", "pim_catalog_asset_collection", "akeneo_reference_entity_collection",
)  # fmt: skip
_DATA: Mapping[str, tuple[tuple[type, ...], str]] = {
    **dict.fromkeys((*MEDIA_TYPES, "pim_catalog_identifier"), ((str,), "a string")),
    **dict.fromkeys(("pim_catalog_text", "pim_catalog_textarea"), ((str, int, float), "a scalar")),
    **dict.fromkeys(_CODES_DATA, ((list,), "an array")),
    "pim_catalog_price_collection": ((list,), "an array"),
    "pim_catalog_table": ((list,), "an array"),
    "pim_catalog_metric": ((dict,), "an array"),
    "pim_catalog_boolean": ((bool,), "a boolean"),
}
"""What a value's data is in JSON, and how a refusal says so. Other types are not checked."""


def apply_body(
    entities: Entities, media: MediaStore, draft: Draft, given: Mapping[str, Any], key: str
) -> dict[ValueKey, Sent]:
    """Changes a draft as a body asks, and returns how the body spelled locales and scopes.

    `key` is what the endpoint names entities by: `identifier`, `uuid` or `code`. Attributes of another level
    are skipped silently, as the PIM does. Raises PropertyError.
    """
    for name in given:
        if name not in draft.data and name not in (*_IGNORED, *_NAMES[key]):
            raise PropertyError(f'Property "{name}" does not exist.')
    values = _checked_values(given.get("values"), draft)
    for name, value in given.items():
        if name in draft.data:
            _set_field(entities, draft, name, value)
    identifier = entities.catalogue.identifier
    if key == "identifier":
        values.pop(identifier, None)
        if isinstance(given.get("identifier"), str):
            draft.values[ValueKey(identifier, None, None)] = given["identifier"]
    own, sent = entities.own(draft), {}
    for attribute, items in values.items():
        known = entities.catalogue.attribute(attribute)
        if known and own is not None and attribute not in own:
            continue
        if known and known["code"] != attribute:
            known = None
        for item in _checked_items(attribute, items, draft):
            if known:
                _check_data(known, item["data"])
            locale, scope = item["locale"], item["scope"]
            place = set_value(
                entities.catalogue, media, draft, attribute, locale, scope, item["data"], exact=True
            )
            sent[place] = (locale, scope)
    return sent


def _checked_values(values: Any, draft: Draft) -> dict[str, Any]:
    if values is None or values == []:
        return {}
    is_model = draft.entity.kind == MODEL
    if not isinstance(values, dict):
        if is_model:
            raise PropertyError(f'Property "values" expects an array as data, "{php_type(values)}" given.')
        raise PropertyError("This value should be of type array|(Traversable&ArrayAccess).")
    if not is_model:
        for attribute, items in values.items():
            _check_twice(attribute, items)
        return {attribute: items for attribute, items in values.items() if items is not None}
    return dict(values)


def _check_twice(attribute: str, items: Any) -> None:
    if items is not None and not isinstance(items, list):
        raise PropertyError(f'Property "{attribute}" expect to be an array')
    seen = set()
    for item in items or ():
        if not isinstance(item, dict) or not {"locale", "scope"} <= set(item):
            continue
        place = (str(item["locale"]), str(item["scope"]))
        if place in seen:
            raise PropertyError(
                f'You cannot update the same product value on the "{attribute}" attribute twice, '
                "with the same scope and locale."
            )
        seen.add(place)


def _checked_items(attribute: str, items: Any, draft: Draft) -> list[dict[str, Any]]:
    if not isinstance(items, list):
        raise PropertyError(f'Property "{attribute}" expects an array as data, "{php_type(items)}" given.')
    # The product's own check ends in this sentence, and the endpoint appends it again.
    twice = "" if draft.entity.kind == MODEL else SUFFIX
    for item in items:
        if not isinstance(item, dict):
            raise PropertyError(
                f'Property "{attribute}" expects an array with valid data, one of the values is not an array.'
            )
        for field in ("locale", "scope", "data"):
            if field not in item:
                raise PropertyError(f'Property "{attribute}" expects an array with the key "{field}".{twice}')
        for key in ("locale", "scope"):
            if item[key] is not None and not isinstance(item[key], str):
                raise PropertyError(
                    f'Property "{attribute}" expects a product value with a string as {key}, '
                    f'"{php_type(item[key])}" given.'
                )
    return items


def _check_data(attribute: Mapping[str, Any], data: Any) -> None:
    """What a value's data must be in JSON, by its attribute's type."""
    code, kind = attribute["code"], attribute["type"]
    if data is None or kind not in _DATA:
        return
    types, shown = _DATA[kind]
    if not isinstance(data, types):
        raise PropertyError(f'Property "{code}" expects {shown} as data, "{php_type(data)}" given.')
    if kind in _CODES_DATA and isinstance(data, list) and not all(isinstance(item, str) for item in data):
        raise PropertyError(f'Property "{code}" expects an array of strings as data.')


def _set_field(entities: Entities, draft: Draft, name: str, value: Any) -> None:
    kind, shown = _TYPES[name]
    may_be_null = kind is str
    if not isinstance(value, kind) and not (value is None and may_be_null):
        raise PropertyError(f'Property "{name}" expects {shown} as data, "{php_type(value)}" given.')
    checks: dict[str, Callable[[Entities, Draft, Any], Any]] = {
        "family": _family,
        "parent": _parent,
        "family_variant": _family_variant,
        "categories": _categories,
        "groups": _groups,
    }
    before = draft.data[name]
    draft.data[name] = checks[name](entities, draft, value) if name in checks and value else value
    if name == "parent" and value and draft.entity.kind != MODEL and not before:
        # What becomes a variant keeps only the values of its own level.
        own = entities.own(draft)
        draft.values = {
            key: data for key, data in draft.values.items() if own is None or key.attribute in own
        }


def _family(entities: Entities, draft: Draft, value: str) -> str:
    known = entities.catalogue.families.find(value)
    if known is None:
        raise PropertyError(f"The {value} family does not exist in your PIM.")
    return str(known["code"])


def _parent(entities: Entities, draft: Draft, value: str) -> str:
    if draft.entity.kind == MODEL and not draft.is_new and value != draft.data["parent"]:
        raise PropertyError(f'Property "parent" cannot be modified, "{value}" given.')
    model = entities.model(value)
    if model is None:
        raise PropertyError(
            'Property "parent" expects a valid parent code. The parent product model does not exist, '
            f'"{value}" given.'
        )
    return model.key


def _family_variant(entities: Entities, draft: Draft, value: str) -> str:
    known = entities.catalogue.variant(None, value)
    if known is None:
        raise PropertyError(
            'Property "family_variant" expects a valid family variant code. '
            f'The family variant does not exist, "{value}" given.'
        )
    before = draft.data["family_variant"]
    if before and before != known["code"]:
        raise PropertyError(f'Property "family_variant" cannot be modified, "{value}" given.')
    draft.data["family"] = draft.data["family"] or entities.catalogue.family_of_variant(known["code"])
    return str(known["code"])


def _categories(entities: Entities, draft: Draft, value: list[Any]) -> list[str]:
    return [_category(entities, code) for code in value]


def _category(entities: Entities, code: Any) -> str:
    if not isinstance(code, str):
        raise _not_scalar("categories")
    known = entities.catalogue.categories.find(code)
    if known is None:
        raise PropertyError(
            'Property "categories" expects a valid category code. '
            f'The category does not exist, "{code}" given.'
        )
    return str(known["code"])


def _not_scalar(name: str) -> PropertyError:
    return PropertyError(
        f'Property "{name}" expects an array with valid data, one of the "{name}" values is not a scalar.'
    )


def _groups(entities: Entities, draft: Draft, value: list[Any]) -> list[str]:
    for code in value:
        if not isinstance(code, str):
            raise _not_scalar("groups")
        if not entities.catalogue.has_group(code):
            raise PropertyError(
                f'Property "groups" expects a valid group code. The group does not exist, "{code}" given.'
            )
    return value
