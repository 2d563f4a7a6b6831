"""Reads JSON that may be anything: a proxy's login page, half an answer, another program's.

Every function raises `Garbled` with the path of what is wrong, never KeyError or TypeError.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ..http.redact import Redactor

_JSON_BEGINS = (b"{", b"[")


class Garbled(Exception):  # noqa: N818
    """The text is not what the PIM's API answers; the message says where.

    `broken_off`: it begins as JSON but does not parse, as an answer does that lost its end on the way.
    """

    def __init__(self, message: str, *, broken_off: bool = False) -> None:
        super().__init__(message)
        self.broken_off = broken_off


def document(text: bytes, clean: Redactor | None = None) -> Any:
    """The JSON value in `text`. Raises Garbled, which quotes the beginning of `text` only with `clean`."""
    try:
        return json.loads(text)
    except RecursionError:
        raise Garbled("not JSON: nested too deeply") from None
    except ValueError:
        start = text.lstrip()[:4000]
        if not start:
            raise Garbled("empty, where JSON was expected") from None
        shown = f": {clean.beginning(start.decode('utf-8', 'replace'), 80)!r}" if clean else ""
        raise Garbled(f"not JSON{shown}", broken_off=start.startswith(_JSON_BEGINS)) from None


def mapping(value: Any, where: str = "answer") -> Mapping[str, Any]:
    """`value` as a JSON object. PHP writes an empty one as `[]`: that is accepted too."""
    if isinstance(value, dict):
        return value
    if value == []:
        return {}
    raise Garbled(f"{where} is not an object")


def items(value: Any, where: str) -> list[Any]:
    """`value` as a list; null is an empty one."""
    if value is None:
        return []
    if isinstance(value, list):
        return value
    raise Garbled(f"{where} is not a list")


def text(source: Mapping[str, Any], key: str) -> str:
    """A text that must be there. A number, as old PIMs write codes of digits, becomes a text."""
    value = source.get(key)
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise Garbled(f"{key} is missing or not text")


def optional(source: Mapping[str, Any], key: str) -> str | None:
    """A text that may be missing or null."""
    return None if source.get(key) is None else text(source, key)


def texts(source: Mapping[str, Any], key: str) -> tuple[str, ...]:
    """A list of texts; missing is empty."""
    found = items(source.get(key), key)
    if not all(isinstance(each, str) for each in found):
        raise Garbled(f"{key} contains something that is not text")
    return tuple(found)


def flag(source: Mapping[str, Any], key: str) -> bool:
    """True only if the value is true."""
    return source.get(key) is True


def number(source: Mapping[str, Any], key: str) -> int:
    """A whole number that must be there."""
    value = source.get(key)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise Garbled(f"{key} is missing or not a whole number")
