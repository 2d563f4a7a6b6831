"""Values: which the PIM refuses to set, and which it finds invalid afterwards.

Source: docs/pim-behaviour.md, "Refusals and their causes" and "What a file's type is to the PIM", and the
recordings.
"""

from __future__ import annotations

from typing import Any

from ...content.pim_types import MIME_TYPES
from ..errors import PropertyError
from ..php.text import php_number, php_round, php_string, php_type
from ..store.catalogue import MEDIA_TYPES, Catalogue
from ..store.entities import MODEL, Draft, Entities, ValueKey
from ..store.media import FileRow, MediaStore
from ..store.things import ASSET, ThingKey, Things

_NOT_A_STRING = {
    "pim_catalog_boolean": "a boolean", "pim_catalog_metric": "an array",
    "pim_catalog_multiselect": "an array",
    "pim_catalog_price_collection": "an array", "pim_catalog_table": "an array",
    "pim_catalog_asset_collection": "an array", "akeneo_reference_entity_collection": "an array",
}  # fmt: skip


def set_value(
    catalogue: Catalogue,
    media: MediaStore,
    draft: Draft,
    attribute: Any,
    locale: Any,
    scope: Any,
    data: Any,
    exact: bool = False,
) -> ValueKey:
    """Sets a value in a draft, as the PIM's updater does; raises PropertyError for what it cannot take.

    `data` None empties the value. Codes are stored as the catalogue spells them. `exact`: the attribute is
    known by its own spelling only, as in a PATCH.
    """
    known = catalogue.attribute(attribute)
    if known is None or (exact and known["code"] != attribute):
        shown = php_string(attribute)
        if draft.entity.kind == MODEL:
            raise PropertyError(f'Property "{shown}" does not exist.')
        raise PropertyError(f"The {shown} attribute does not exist in your PIM.")
    code = known["code"]
    for name, given in (("locale", locale), ("scope", scope)):
        if given is not None and not isinstance(given, str):
            raise PropertyError(
                f'Property "{code}" expects a value with a string as {name}, "{php_type(given)}" given.'
            )
    _check_structure(known, locale, scope)
    key = ValueKey(code, catalogue.locale_code(locale), catalogue.channel_code(scope))
    if data is None:
        draft.values.pop(key, None)
        return key
    expected = _NOT_A_STRING.get(known["type"])
    if expected and isinstance(data, str):
        raise PropertyError(f'Property "{code}" expects {expected} as data, "string" given.')
    if known["type"] in MEDIA_TYPES and (not isinstance(data, str) or media.find(data) is None):
        raise PropertyError(f'Property "{code}" expects a valid pathname as data, "{data}" given.')
    draft.values[key] = data
    return key


def _check_structure(attribute: dict[str, Any], locale: str | None, scope: str | None) -> None:
    scopable, localizable = attribute["scopable"], attribute["localizable"]
    if (scope is not None) == scopable and (locale is not None) == localizable:
        return
    channel_seen = f"({'nothing' if scope is None else scope} was detected)"
    locale_seen = f"({'nothing' if locale is None else locale} was detected)"
    per_channel, per_locale = f"a value per channel {channel_seen}", f"a value per locale {locale_seen}"
    if scopable and localizable:
        message = f"requires {per_channel} and a locale {locale_seen}"
    elif scopable:
        message = f"requires {per_channel} but does not require {per_locale}"
    elif localizable:
        message = f"does not require {per_channel} but requires {per_locale}"
    else:
        message = f"requires neither a channel {channel_seen} nor a locale {locale_seen}"
    raise PropertyError(f"The {attribute['code']} attribute {message}.")


TEXT_MAX = 255
"""Characters of a text value, and of an identifier."""
_TOO_LONG = f"must not contain more than {TEXT_MAX} characters. The submitted value is too long."
_TEXT_TYPES = ("pim_catalog_text", "pim_catalog_textarea")

Sent = tuple[Any, Any]
"""Locale and scope as a call spelled them, which messages repeat."""


def find_violations(
    catalogue: Catalogue,
    media: MediaStore,
    things: Things,
    entities: Entities,
    draft: Draft,
    sent: dict[ValueKey, Sent],
) -> list[dict[str, Any]]:
    """Everything wrong with a whole entity, in the PIM's shape and order.

    The whole entity is checked, so an invalid value that was there before is found as well
    (docs/pim-behaviour.md, "Refusals and their causes").
    """
    items = [
        *_of_entity(entities, draft),
        *_of_level(catalogue, entities, draft),
        *_of_axes(catalogue, entities, draft),
    ]
    by_key = [(key, data, sent.get(key, (key.locale, key.scope))) for key, data in draft.values.items()]
    for key, data, (locale, scope) in by_key:
        messages = _of_value(catalogue, media, key, data) + _of_assets(catalogue, things, key, data)
        items += [_item(message, key, locale, scope) for message in messages]
    for check in (_of_option, _of_scope, _of_locale):
        for key, data, (locale, scope) in by_key:
            message = check(catalogue, key, data, locale, scope)
            if message:
                items.append(_item(message, key, locale, scope))
    return items


def _item(message: str, key: ValueKey, locale: Any, scope: Any) -> dict[str, Any]:
    return {
        "property": "values",
        "message": message,
        "attribute": key.attribute,
        "locale": locale,
        "scope": scope,
    }


def _of_entity(entities: Entities, draft: Draft) -> list[dict[str, Any]]:
    if draft.entity.kind != MODEL:
        return _of_identifier(entities, draft)
    if draft.is_new and not draft.data.get("family_variant") and not draft.data.get("parent"):
        message = "The product model family variant must not be empty."
        return [{"property": "family_variant", "message": message}]
    return []


def _of_identifier(entities: Entities, draft: Draft) -> list[dict[str, Any]]:
    entity = draft.entity
    identifier = entities.identifier(draft)
    if identifier is None or (not draft.is_new and identifier == entities.identifier(entity)):
        return []
    other = entities.product(identifier)
    if other is not None and other.key != entity.key:
        return [
            {
                "property": "identifier",
                "message": f"The {identifier} identifier is already used for another product.",
            }
        ]
    if identifier != identifier.strip() or set(identifier) & set(",;"):
        message = "This field should not contain any comma or semicolon or leading/trailing space"
        return [{"property": "identifier", "message": message}]
    if len(identifier) > TEXT_MAX:
        message = f"The {entities.catalogue.identifier} attribute {_TOO_LONG}"
        return [{"property": "identifier", "message": message}]
    return []


def _of_axes(catalogue: Catalogue, entities: Entities, draft: Draft) -> list[dict[str, Any]]:
    """Axes that a new variant leaves empty. Variants that the catalogue has without them are not checked."""
    if not draft.is_new and draft.data.get("parent") == draft.entity.data.get("parent"):
        return []
    above = list(entities.ancestors(draft))
    if not above:
        return []
    axes = catalogue.axes(above[-1].data.get("family"), above[-1].data.get("family_variant"), len(above))
    return [
        {
            "property": "attribute",
            "message": f'Attribute "{code}" cannot be empty, as it is defined as an axis for this entity',
        }
        for code in axes
        if ValueKey(code, None, None) not in draft.values
    ]


def _of_level(catalogue: Catalogue, entities: Entities, draft: Draft) -> list[dict[str, Any]]:
    own = entities.own(draft)
    if own is None:
        return []
    above = next(entities.ancestors(draft), None)
    family = draft.data.get("family") or (above.data.get("family") if above else None)
    in_family, items = catalogue.family_attributes(family), []
    for code in dict.fromkeys(key.attribute for key in draft.values):
        if code in own:
            continue
        if code in in_family:
            message = f'Cannot set the property "{code}" to this entity as it is not in the attribute set'
        else:
            message = f'Attribute "{code}" does not belong to the family "{family}"'
        items.append({"property": "attribute", "message": message})
    return items


def _of_value(catalogue: Catalogue, media: MediaStore, key: ValueKey, data: Any) -> list[str]:
    attribute = catalogue.attribute(key.attribute)
    if attribute is None:
        return []
    if attribute["type"] in _TEXT_TYPES and not isinstance(data, str):
        return [f"The {key.attribute} attribute requires a string, a {php_type(data)} was detected."]
    if attribute["type"] == "pim_catalog_text" and len(data) > TEXT_MAX:
        return [f"The {key.attribute} attribute {_TOO_LONG}"]
    row = media.find(data) if attribute["type"] in MEDIA_TYPES and isinstance(data, str) else None
    return file_messages(attribute, row) if row else []


def _of_assets(catalogue: Catalogue, things: Things, key: ValueKey, data: Any) -> list[str]:
    """Assets of a collection that do not exist in its family; the text is the sandbox's own."""
    attribute = catalogue.attribute(key.attribute)
    if attribute is None or attribute["type"] != "pim_catalog_asset_collection" or not isinstance(data, list):
        return []
    family = str(attribute["reference_data_name"])
    missing = [str(code) for code in data if things.find(ThingKey(ASSET, family, str(code))) is None]
    return [f'The asset "{code}" does not exist in the asset family "{family}".' for code in missing]


def file_messages(attribute: dict[str, Any], row: FileRow) -> list[str]:
    """Size, extension and MIME type of a file against its attribute, in that order
    (docs/pim-behaviour.md, "Cost of a call and limits" and "What a file's type is to the PIM")."""
    code, messages = attribute["code"], []
    limit = byte_limit(attribute["max_file_size"])
    if limit is not None and row.size > limit:
        size_text, limit_text, unit = _factorized(row.size, limit)
        messages.append(
            f"The file {row.original_filename} is too large ({size_text} {unit}). "
            f"The {code} attribute can not exceed {limit_text} {unit}."
        )
    allowed = [str(extension).lower() for extension in attribute["allowed_extensions"]]
    if not allowed:
        return messages
    extension = row.extension.lower()
    if extension not in allowed:
        messages.append(
            f"The {extension} file extension is not allowed for the {code} attribute. "
            f"Allowed extensions are {', '.join(allowed)}."
        )
    types = MIME_TYPES.get(extension)
    if types and row.mime_type not in types:
        messages.append(
            f"The MIME type is not allowed for {extension} "
            f"(allowed types: {', '.join(types)}, found {row.mime_type})."
        )
    return messages


def byte_limit(max_file_size: Any) -> int | None:
    """`max_file_size` (a string in MB, or None) in bytes, by the PIM's own arithmetic
    (docs/pim-behaviour.md, "Cost of a call and limits")."""
    if not max_file_size or not float(max_file_size):
        return None
    value = float(max_file_size)
    return int(value) * 1_000_000 if value.is_integer() else int(value * 1024) * 1000


def _factorized(size: int, limit: int) -> tuple[str, str, str]:
    units = [(1_000_000, "MB"), (1_000, "kB"), (1, "bytes")]
    while True:
        unit, name = units.pop(0)
        limit_text, size_text = php_number(limit / unit), php_number(php_round(size / unit))
        if not units or (
            len(limit_text) <= len(php_number(php_round(limit / unit))) and limit_text != size_text
        ):
            return size_text, limit_text, name


def _of_option(catalogue: Catalogue, key: ValueKey, data: Any, locale: Any, scope: Any) -> str | None:
    options = catalogue.options.get(key.attribute)
    if options is None:
        return None
    wrong = [str(code) for code in (data if isinstance(data, list) else [data]) if str(code) not in options]
    if not wrong:
        return None
    what = "values are" if len(wrong) > 1 else "value is"
    return f"The {', '.join(wrong)} {what} not in the {key.attribute} attribute option list."


def _of_scope(catalogue: Catalogue, key: ValueKey, data: Any, locale: Any, scope: Any) -> str | None:
    if scope is None or catalogue.channels.find(scope):
        return None
    missing = f"The {scope} channel (scope) must exist in your PIM"
    return f"The {key.attribute} attribute requires a value per channel. {missing}"


def _of_locale(catalogue: Catalogue, key: ValueKey, data: Any, locale: Any, scope: Any) -> str | None:
    if locale is None:
        return None
    wrong = f"The {key.attribute} attribute requires a valid locale. The {locale} locale"
    known = catalogue.locales.find(locale)
    if known is None or not known.get("enabled", True):
        return f"{wrong} does not exist."
    channel = catalogue.channels.find(scope)
    if channel and locale not in channel.get("locales", ()):
        return f"{wrong} is not bound to the {scope} channel."
    attribute = catalogue.attribute(key.attribute)
    available = attribute["available_locales"] if attribute else []
    if available and locale not in available:
        return f"The {locale} locale is not available on the {key.attribute} attribute."
    return None
