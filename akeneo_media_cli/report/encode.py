"""JSON of anything that a row may carry: every line valid, whatever a manifest held."""

from __future__ import annotations

import base64
import json
import math
import re
from collections.abc import Mapping
from typing import Any

# Valid in JSON, but UTF-8 has no lone surrogates, and many readers split lines at the others.
_AWKWARD = re.compile("[\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_DEEPEST = 20
_LONGEST_INTEGER = 1024  # bits; past that other readers give up, and Python past 4300 digits


def dumps(value: Any, *, ascii_only: bool = False) -> str:
    """`value` as JSON on one line, in an order kept, in text that any encoding of Unicode can hold.

    What JSON lacks is written as near as it goes: dates in ISO 8601, bytes in base64, sets as lists, NaN and
    infinities as text; what nests deeper than 20 levels, or in itself, is cut off there (`"…"`). What is
    `ascii_only` is for standard streams: any encoding takes it, and a pipeline's log obeys none of it.
    """
    try:
        text = json.dumps(value, ensure_ascii=ascii_only, allow_nan=False, default=_plain)
    except (TypeError, ValueError, RecursionError):
        text = json.dumps(_clean(value, 0), ensure_ascii=ascii_only)
    if ascii_only:
        # Nothing but texts can hold these: GitHub's runner obeys `::` and `##[`, Azure's `##vso[`.
        return text.replace("##", "#\\u0023").replace("::", ":\\u003a")
    return text if text.isascii() else _AWKWARD.sub(lambda m: f"\\u{ord(m.group()):04x}", text)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, (set, frozenset)):
        return sorted(value, key=repr)
    if isinstance(value, (bytes, bytearray)):
        return base64.b64encode(value).decode("ascii")
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _number(value: float) -> Any:
    if isinstance(value, int):
        return value if value.bit_length() <= _LONGEST_INTEGER else hex(value)
    return value if math.isfinite(value) else str(value)


def _clean(value: Any, depth: int) -> Any:
    if value is None or isinstance(value, (str, bool)):
        return value
    if isinstance(value, (int, float)):
        return _number(value)
    if depth == _DEEPEST:
        return "…"
    if isinstance(value, Mapping):
        return {
            k if isinstance(k, str) else dumps(_clean(k, depth + 1)): _clean(v, depth + 1)
            for k, v in value.items()
        }
    if isinstance(value, (set, frozenset)):
        value = sorted(value, key=repr)
    if isinstance(value, (list, tuple)):
        return [_clean(v, depth + 1) for v in value]
    return _plain(value)
