"""What a manifest writes for a value of an asset or record, as the API takes it, by the attribute's type.

Each reader returns the data, or raises WrongDataError with what is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from ..pim.answers.entity_types import MediaAttribute

_TRUE, _FALSE = ("true", "yes", "1"), ("false", "no", "0")
_DATE = re.compile(r"(\d{4}-\d\d-\d\d)(?:[T ]00:00:00(?:Z|[+-]\d\d:\d\d)?)?|\d{4}-\d\d-\d\dT[0-9:]{8}\S{1,6}")
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?", re.ASCII)
SINGLE_LINK = "reference_entity_single_link"
MANY_LINKS = ("reference_entity_multiple_links", "asset_collection")
OPTION, OPTIONS = "single_option", "multiple_options"


class WrongDataError(Exception):
    """The text is not a value of the attribute; the message says why, `hint` what to write."""

    def __init__(self, why: str, hint: str) -> None:
        super().__init__(why)
        self.hint = hint


def read(attribute: MediaAttribute, data: Any) -> Any:
    """`data` as the API takes it. Raises WrongDataError, also for a type that is not known here."""
    reader = _READERS.get(attribute.type)
    if reader is None:
        raise WrongDataError(
            f"it is an attribute of type {attribute.type}, which this program does not write",
            f"Types that it writes: {', '.join(sorted(_READERS))}",
        )
    return reader(attribute, data)


def codes_of(attribute: MediaAttribute, data: Any) -> list[str]:
    """The codes that a value names, where it names options, records or assets."""
    if data is None or attribute.type not in (OPTION, OPTIONS, SINGLE_LINK, *MANY_LINKS):
        return []
    return list(data) if isinstance(data, list) else [data]


def same(attribute: MediaAttribute, data: Any, held: Any) -> bool:
    """Are these one value, in whatever way the PIM writes it? Both as the API has them."""
    if isinstance(data, list) and isinstance(held, list):
        # Options have no order; links have.
        return sorted(map(str, data)) == sorted(map(str, held)) if attribute.type == OPTIONS else data == held
    if not (isinstance(data, str) and isinstance(held, str)):
        return bool(data == held and type(data) is type(held))
    if attribute.type == "date":
        return data == held or held.partition("T")[0] == data
    if attribute.type == "number":
        try:
            return Decimal(data) == Decimal(held)
        except InvalidOperation:
            return data == held
    return data == held


def _text(attribute: MediaAttribute, data: Any) -> str:
    text = _one(data)
    most = attribute.max_characters
    if most is not None and len(text) > most:
        raise WrongDataError(f"it has {len(text)} characters, and {most} are allowed", "shorten it")
    return text


def _number(attribute: MediaAttribute, data: Any) -> str:
    text = _one(data)
    if not _NUMBER.fullmatch(text):
        raise WrongDataError(f"{text!r} is not a number", "Write digits, with a point for decimals: 12.5.")
    if "." in text and not attribute.decimals:
        raise WrongDataError(f"{text} has decimals, and none are allowed", "Write a whole number.")
    try:
        number = Decimal(text)
    except InvalidOperation:  # more digits than anything counts
        raise WrongDataError("it is too long for a number", "write a number") from None
    for limit, beyond, word in (
        (attribute.least, attribute.least is not None and number < attribute.least, "at least"),
        (attribute.most, attribute.most is not None and number > attribute.most, "at most"),
    ):
        if beyond:
            raise WrongDataError(f"{text} is out of range", f"It must be {word} {limit}.")
    return text


def _boolean(attribute: MediaAttribute, data: Any) -> bool:
    if isinstance(data, bool):
        return data
    text = _one(data).lower()
    if text not in (*_TRUE, *_FALSE):
        raise WrongDataError(f"{text!r} is neither true nor false", "Write true or false.")
    return text in _TRUE


def _date(attribute: MediaAttribute, data: Any) -> str:
    text = _one(data)
    found = _DATE.fullmatch(text)
    if found is None:
        raise WrongDataError(f"{text!r} is not a date", "Write it as 2026-11-29.")
    return found.group(1) or text


def _code(attribute: MediaAttribute, data: Any) -> str:
    return _one(data)


def _codes(attribute: MediaAttribute, data: Any) -> list[str]:
    given = data if isinstance(data, list) else _one(data).split(";")
    return list(dict.fromkeys(code for each in given if (code := _one(each).strip())))


def _one(data: Any) -> str:
    if isinstance(data, bool):
        return "true" if data else "false"
    if isinstance(data, (str, int, float)):
        return str(data)
    raise WrongDataError("it is a list or a mapping", "Write one text, number or code.")


_READERS: Mapping[str, Callable[[MediaAttribute, Any], Any]] = {
    "text": _text,
    "media_link": _text,
    "number": _number,
    "boolean": _boolean,
    "date": _date,
    OPTION: _code,
    OPTIONS: _codes,
    SINGLE_LINK: _code,
    **dict.fromkeys(MANY_LINKS, _codes),
}
