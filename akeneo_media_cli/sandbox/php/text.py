"""How MySQL compares codes, how PHP writes JSON and cuts file names: details on which answers depend."""

from __future__ import annotations

import json
import unicodedata
from decimal import ROUND_HALF_UP, Decimal
from typing import Any


def folded(code: str) -> str:
    """A code as MySQL's `utf8mb4_unicode_ci` compares it: no case, no accents, no spaces at the end
    (docs/pim-behaviour.md, "Spelling of identifiers and codes")."""
    if not code.isascii():
        decomposed = unicodedata.normalize("NFKD", code.casefold())
        code = "".join(c for c in decomposed if not unicodedata.combining(c)).casefold()
    return code.lower().rstrip(" ")


def php_json(value: Any) -> str:
    """JSON as PHP's `json_encode` writes it: no spaces, `\\/` for a slash, ASCII only."""
    return json.dumps(value, separators=(",", ":")).replace("/", "\\/")


def php_decode(text: bytes) -> Any:
    """JSON as PHP's `json_decode` reads it; None for what it rejects (and for `null`)."""
    try:
        value = json.loads(text.decode("utf-8"), parse_constant=_refuse)
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode("utf-8")
    except (ValueError, RecursionError):
        return None
    return value


_TYPES = {bool: "boolean", int: "integer", float: "double", str: "string", list: "array", dict: "array"}


def php_type(value: Any) -> str:
    """PHP's `gettype` of a decoded JSON value."""
    return "NULL" if value is None else _TYPES.get(type(value), "object")


def php_string(value: Any) -> str:
    """A decoded JSON value as PHP turns it to a string."""
    if isinstance(value, bool):
        return "1" if value else ""
    if isinstance(value, (list, dict)):
        return "Array"
    return "" if value is None else php_number(value) if isinstance(value, float) else str(value)


def _refuse(constant: str) -> Any:
    raise ValueError(constant)


def php_basename(name: bytes) -> bytes:
    """What PHP keeps of a sent file name: the part after the last slash or backslash
    (docs/pim-behaviour.md, "Answers to an upload")."""
    return name[max(name.rfind(b"\\"), name.rfind(b"/")) + 1 :]


def extension_of(name: str) -> str:
    """PHP's `PATHINFO_EXTENSION`: what follows the last dot, or nothing."""
    return name.rpartition(".")[2] if "." in name else ""


def php_number(value: float) -> str:
    """A number as PHP turns it to a string: `1`, `1.05`."""
    return repr(value).removesuffix(".0")


def php_round(value: float) -> float:
    """Two decimals as PHP rounds them: halves up, by the number as it is written (1.005 is 1.01)."""
    return float(Decimal(repr(value)).quantize(Decimal("0.01"), ROUND_HALF_UP))
