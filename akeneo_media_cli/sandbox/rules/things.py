"""What the PIM accepts as an asset or a record: the shape of a body, the values by type, naming conventions.

docs/pim-behaviour.md, "Assets and reference entities". It follows public documentation; the texts of refusals
of values that are not files are this sandbox's own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from ..php.text import folded, php_type
from ..store.catalogue import Catalogue
from ..store.entities import ValueKey
from ..store.media import MediaStore
from ..store.things import ASSET, RECORD, Collection, ThingKey, Things


def shape_errors(given: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What is wrong with the shape of an asset or a record in a batch, before its values are looked at."""
    if "code" not in given:
        return [{"property": "code", "message": "The property code is required"}]
    if not isinstance(given["code"], str):
        return [{"property": "code", "message": "The property code must be a string"}]
    values = given.get("values", {})
    if not isinstance(values, dict):
        return (
            []
            if values == []
            else [{"property": "values", "message": "Array value found, but an object is required"}]
        )
    out = []
    for attribute, items in values.items():
        good = isinstance(items, list) and all(
            isinstance(i, dict) and {"locale", "channel", "data"} <= set(i) and not set(i) & {"scope"}
            for i in items
        )
        if not good:
            message = 'A value needs "locale", "channel" and "data", and nothing else.'
            out.append({"property": f"values.{attribute}", "message": message})
    return out


def value_errors(
    catalogue: Catalogue, media: MediaStore, things: Things, collection: Collection, key: ValueKey, data: Any
) -> list[dict[str, Any]]:
    """What is wrong with one value of an asset or a record."""
    code, locale, channel = key
    attribute = collection.attributes.get(code)
    if attribute is None:
        message = f'Attribute "{code}" does not exist for this {collection.kind}.'
        return [{"property": "values", "message": message}]
    messages = _place_messages(catalogue, attribute, locale, channel)
    if data is not None:
        if collection.media_attribute(code):
            messages += _file_messages(media, attribute, data)
        else:
            check = _CHECKS.get(attribute["type"], _anything)
            messages += check(things, collection, attribute, data)
    return [{"property": f"values.{code}", "message": message} for message in messages]


def _file_messages(media: MediaStore, attribute: Mapping[str, Any], data: Any) -> list[str]:
    row = media.find(data) if isinstance(data, str) else None
    if row is None:
        return [f'The file "{data}" was not found.']
    messages = []
    allowed = [str(extension).lower() for extension in attribute.get("allowed_extensions") or []]
    if allowed and row.extension.lower() not in allowed:
        messages.append(
            f'".{row.extension}" files are not allowed for this attribute. '
            f"Allowed extensions are: {','.join(allowed)}"
        )
    limit = attribute.get("max_file_size")
    if limit and row.size > float(limit) * 1_000_000:
        messages.append("The file exceeds the max file size set for the attribute.")
    return messages


_DATE = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d))?")

Check = Callable[[Things, Collection, Mapping[str, Any], Any], list[str]]


def _anything(things: Things, collection: Collection, attribute: Mapping[str, Any], data: Any) -> list[str]:
    return []


def _of_type(data: Any, wanted: str) -> list[str]:
    given = php_type(data)
    return [] if given == wanted else [f"This value should be of type {wanted}, {given} given."]


def _text(things: Things, collection: Collection, attribute: Mapping[str, Any], data: Any) -> list[str]:
    wrong, most = _of_type(data, "string"), attribute.get("max_characters")
    if not wrong and most and len(data) > most:
        return [f"This value is too long. It should have {most} characters or less."]
    return wrong


def _number(things: Things, collection: Collection, attribute: Mapping[str, Any], data: Any) -> list[str]:
    wrong = _of_type(data, "string")
    if wrong:
        return wrong
    if not re.fullmatch(r"[+-]?\d+(\.\d+)?", data, re.ASCII):
        return [f'"{data}" is not a number.']
    if "." in data and not attribute.get("decimals_allowed"):
        return ["This attribute does not take decimals."]
    lowest, highest = attribute.get("min_value"), attribute.get("max_value")
    if lowest not in (None, "") and float(data) < float(str(lowest)):
        return [f"This value should be {lowest} or more."]
    if highest not in (None, "") and float(data) > float(str(highest)):
        return [f"This value should be {highest} or less."]
    return []


def _boolean(things: Things, collection: Collection, attribute: Mapping[str, Any], data: Any) -> list[str]:
    return _of_type(data, "boolean")


def _date(things: Things, collection: Collection, attribute: Mapping[str, Any], data: Any) -> list[str]:
    good = isinstance(data, str) and _DATE.fullmatch(data)
    return [] if good else ["This value is not a valid date."]


def _options(things: Things, collection: Collection, attribute: Mapping[str, Any], data: Any) -> list[str]:
    many = attribute["type"] == "multiple_options"
    codes = data if many and isinstance(data, list) else [data]
    if isinstance(data, list) != many or not all(isinstance(code, str) for code in codes):
        return [f"This value should be {'a list of option codes' if many else 'the code of an option'}."]
    known, name = collection.options(attribute["code"]), attribute["code"]
    return [
        f'The option "{code}" does not exist for the attribute "{name}".'
        for code in codes
        if code not in known
    ]


def _links(things: Things, collection: Collection, attribute: Mapping[str, Any], data: Any) -> list[str]:
    """Links to records or assets of the attribute's `reference_entity_code` or `asset_family_identifier`."""
    many = not attribute["type"].endswith("single_link")
    codes = data if many and isinstance(data, list) else [data]
    if isinstance(data, list) != many or not all(isinstance(code, str) for code in codes):
        return [f"This value should be {'a list of codes' if many else 'a code'}."]
    is_asset = attribute["type"] == "asset_collection"
    kind, field = (ASSET, "asset_family_identifier") if is_asset else (RECORD, "reference_entity_code")
    parent = str(attribute.get(field) or "")
    missing = [code for code in codes if things.find(ThingKey(kind, parent, code)) is None]
    return [f'The {kind} "{code}" was not found.' for code in missing]


_CHECKS: Mapping[str, Check] = {
    "text": _text,
    "media_link": _text,
    "number": _number,
    "boolean": _boolean,
    "date": _date,
    "single_option": _options,
    "multiple_options": _options,
    "reference_entity_single_link": _links,
    "reference_entity_multiple_links": _links,
    "asset_collection": _links,
}
"""How a value is checked, by the type of its attribute."""


def _place_messages(
    catalogue: Catalogue, attribute: Mapping[str, Any], locale: str | None, channel: str | None
) -> list[str]:
    code, out = attribute["code"], []
    for given, wanted, name, per in (
        (channel, attribute["value_per_channel"], "channel", "channel"),
        (locale, attribute["value_per_locale"], "locale", "locale"),
    ):
        if given is None and wanted:
            out.append(f'A {name} is expected for attribute "{code}" because it has a value per {per}.')
        if given is not None and not wanted:
            out.append(
                f'A {name} is not expected for attribute "{code}" because it has not a value per {per}.'
            )
    known = catalogue.channels.get(folded(channel)) if channel else None
    if channel and known is None:
        out.append(f'The channel "{channel}" does not exist.')
    active = catalogue.locales.get(folded(locale)) if locale else None
    if locale and (active is None or not active.get("enabled", True)):
        out.append(f'The locale "{locale}" does not exist or is not activated.')
    elif locale and known is not None and locale not in known.get("locales", ()):
        out.append(f'The locale "{locale}" is not activated for the channel "{channel}".')
    return out


class NamingError(Exception):
    """A naming convention that aborts the creation of an asset."""


def named_values(collection: Collection, code: str, filename: str | None) -> dict[ValueKey, Any]:
    """The values that a naming convention extracts from an asset's code or its main media's name on creation.

    Raises NamingError if the pattern does not match and the family aborts on that.
    """
    convention = collection.body.get("naming_convention") or {}
    if not convention:
        return {}
    source = convention.get("source") or {}
    text = code if source.get("property", "code") == "code" else filename
    pattern = str(convention.get("pattern", "")).strip()
    found = _matched(pattern, text) if text is not None else None
    if found is None:
        if convention.get("abort_asset_creation_on_error"):
            raise NamingError(
                "Error during naming convention execution: "
                f'the pattern "{pattern}" does not match the source "{text or ""}".'
            )
        return {}
    named = {name: value for name, value in found.groupdict().items() if value is not None}
    return {
        ValueKey(name, None, None): value for name, value in named.items() if name in collection.attributes
    }


def _matched(pattern: str, text: str) -> re.Match[str] | None:
    """Matches a PHP pattern with its delimiters; one that is not a pattern matches nothing."""
    end = pattern.rfind(pattern[0]) if pattern else 0
    bare, flags = (pattern[1:end], pattern[end + 1 :]) if end > 0 else (pattern, "")
    bare = re.sub(r"\(\?<(?=[A-Za-z_])", "(?P<", bare)
    try:
        return re.search(bare, text, re.IGNORECASE if "i" in flags else 0)
    except re.error:
        return None
