"""`search` on attributes, families, categories and the other lists of structure: what each list takes.

docs/pim-behaviour.md, "Searching and paging".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import ApiError, unprocessable
from ..php.text import folded, php_decode, php_type
from .search import check_structure


@dataclass(frozen=True)
class Filter:
    """One thing that a list can be searched by."""

    what: str
    """What refusals call it."""
    operator: str
    takes: str
    """`codes` (an array of text), `date` or `boolean`."""
    type_shown: str | None = None
    """The type that a refusal names, whatever was sent, where the PIM does so."""


_CODES = "codes"
FILTERS: Mapping[str, Mapping[str, Filter]] = {
    "attributes": {
        "code": Filter("attribute codes", "IN", _CODES),
        "updated": Filter("attribute updated date", ">", "date"),
        "type": Filter("attribute types", "IN", _CODES, "array"),
        "is_main_identifier": Filter("is_main_identifier", "=", "boolean"),
    },
    "families": {
        "code": Filter("family codes", "IN", _CODES),
        "updated": Filter("family updated date", ">", "date"),
        "has_products": Filter("family has_products", "=", "boolean"),
    },
    "categories": {
        "code": Filter("category codes", "IN", _CODES),
        "parent": Filter("category parent", "=", "code"),
        "is_root": Filter("is_root", "=", "boolean"),
        "updated": Filter("category updated date", ">", "date"),
    },
    "attribute groups": {
        "code": Filter("attribute group codes", "IN", _CODES),
        "updated": Filter("attribute group updated date", ">", "date"),
    },
}
"""Filters by list. Lists that are not here ignore `search`, but for locales."""

_ARRAY = "This value should be of type array|(Traversable&ArrayAccess)."
_MISSING = "This field is missing."
_UNEXPECTED = "This field was not expected."
_DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:?\d\d)")

Wanted = list[tuple[str, Any]]
"""Names of filters, each with the value that is looked for."""


def filters_of(list_name: str, text: str | None) -> Wanted:
    """The filters of a `search`. Raises ApiError 400 or 422 for one that the list does not take."""
    if text is None or (list_name not in FILTERS and list_name != "locales"):
        return []
    given = php_decode(text.encode("utf-8", "replace"))
    if list_name == "locales":
        return _locale_filters(given)
    if not isinstance(given, (dict, list)):
        raise ApiError(400, "The search query parameter must be a valid JSON.")
    items = given if isinstance(given, dict) else {str(n): item for n, item in enumerate(given)}
    known = FILTERS[list_name]
    for name in items:
        if name not in known:
            raise ApiError(
                400,
                f'Available search filters are "{", ".join(known)}" '
                f'and you tried to search on unavailable filter "{name}"',
            )
    wanted: Wanted = []
    problems: list[str] = []
    for name, conditions in items.items():
        if not isinstance(conditions, (dict, list)):
            problems.append(_ARRAY)
            continue
        for item in conditions.values() if isinstance(conditions, dict) else conditions:
            found = _problems(known[name], item)
            problems += found
            if not found:
                wanted.append((name, item["value"]))
    if problems:
        raise ApiError(400, " ".join(problems))
    return wanted


def _problems(known: Filter, item: Any) -> list[str]:
    """What is wrong with one condition, in the order in which the PIM says so."""
    if not isinstance(item, (dict, list)):
        return [_ARRAY]
    fields = item if isinstance(item, dict) else dict(enumerate(item))
    out = []
    for field in ("operator", "value"):
        if field not in fields:
            out.append(_MISSING)
        else:
            out += _field_problems(known, field, fields[field])
    return out + [_UNEXPECTED for field in fields if field not in ("operator", "value")]


def _field_problems(known: Filter, field: str, value: Any) -> list[str]:
    if field == "operator":
        if value == known.operator:
            return []
        shown = value if isinstance(value, str) else php_type(value)
        return [
            f'In order to search on {known.what} you must use "{known.operator}" operator, "{shown}" given.'
        ]
    if known.takes == _CODES:
        if isinstance(value, list):
            return ["This value should be of type string." for code in value if not isinstance(code, str)]
        given = known.type_shown or php_type(value)
        send = f"you must send an array of {known.what} as value"
        return [
            f"In order to search on {known.what} {send}, {given} given.",
            "This value should be of type iterable.",
        ]
    good, refusal = {
        "boolean": (isinstance(value, bool), "This value should be of type bool."),
        "date": (isinstance(value, str) and _DATE.fullmatch(value), "This value is not a valid datetime."),
        "code": (isinstance(value, str), "This value should be of type string."),
    }[known.takes]
    return [] if good else [refusal]


def _locale_filters(given: Any) -> Wanted:
    if not isinstance(given, (dict, list)):
        raise ApiError(400, "Search query parameter should be valid JSON.")
    items = given if isinstance(given, dict) else {str(n): item for n, item in enumerate(given)}
    check_structure(items)
    wanted: Wanted = []
    for name, conditions in items.items():
        for condition in conditions:
            operator, value = condition["operator"], condition.get("value")
            if name != "enabled" or operator != "=":
                raise unprocessable(
                    f'Filter on property "{name}" is not supported or does not support operator "{operator}".'
                )
            if value is None:
                raise unprocessable(f'Value is missing for the property "{name}".')
            if not isinstance(value, bool):
                raise unprocessable(f'Filter "{name}" with operator "{operator}" expects a boolean value.')
            wanted.append((name, value))
    return wanted


def meets(item: Mapping[str, Any], name: str, value: Any) -> bool:
    """Whether an item meets one filter; dates are not kept, so filters by date are always met."""
    if name in ("code", "type"):
        return folded(str(item.get(name))) in {folded(code) for code in value}
    if name == "parent":
        return folded(str(item.get("parent") or "")) == folded(str(value))
    if name == "is_root":
        return (item.get("parent") is None) is value
    if name in ("enabled", "is_main_identifier", "has_products"):
        return bool(item.get(name)) is value
    return True
