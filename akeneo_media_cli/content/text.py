"""Is it text to PHP? How libmagic, which PHP has inside, tells text, CSV and JSON from other bytes."""

from __future__ import annotations

import json
import re
from typing import Literal

from .sample import TEXT

Php = Literal["8.2", "8.4"]
"""A version of PHP: 8.2 has libmagic 5.40 inside, 8.4 has 5.45. Akeneo PIM 7 runs on 8.1 or 8.2."""

_ASCII = bytes((*range(7, 14), 27, *range(32, 127), 0x85))
_LATIN = _ASCII + bytes(range(0xA0, 0x100))
_EXTENDED = _LATIN + bytes(range(0x80, 0xA0))
# EBCDIC: all but what is a control character there.
_EBCDIC = bytes((5, 11, 12, 13, 21, 22, 37, 39, 47, *(each for each in range(64, 256) if each != 225)))
_FEWEST = 3
_DEEPEST = {"8.2": 10, "8.4": 250}
"""Levels of JSON within each other."""
_CSV_LINES = 10
_QUOTED = re.compile(rb'"[^"]*(?:""[^"]*)*(?:"|\Z)')
_SPACE = " \t\r\n"


def is_text(data: bytes, php: Php) -> bool:
    """Does PHP take a file for text that begins with `data`, its first TEXT bytes?"""
    data = data[:TEXT]
    if _made_of(data, _ASCII, php):
        return True
    if _is_utf8(data):
        return True
    if data[:2] in (b"\xff\xfe", b"\xfe\xff") and _is_utf16(data, php):
        return True
    return any(_made_of(data, kind, php) for kind in (_LATIN, _EXTENDED, _EBCDIC))


def _made_of(data: bytes, allowed: bytes, php: Php) -> bool:
    if data.translate(None, allowed):
        return False
    # PHP 8.2 wants three bytes at least, and counts each byte modulo 256: a line of 32 bytes, 2,048 times
    # over, is not text to it.
    return php != "8.2" or _counted(data) >= _FEWEST


def _counted(data: bytes) -> int:
    total = 0
    for each in set(data):
        total += data.count(each) % 256
        if total >= _FEWEST:
            break
    return total


def _is_utf8(data: bytes) -> bool:
    """UTF-8 without odd control characters; a character cut off at the end is none of the file's faults."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.reason != "unexpected end of data":
            return False
    return bool(data) and not data.isascii() and not data.translate(None, _ASCII + bytes(range(0x80, 0x100)))


def _is_utf16(data: bytes, php: Php) -> bool:
    big = data.startswith(b"\xfe\xff")
    units = memoryview(data[2 : len(data) - len(data) % 2])
    low = bytes(units[1 if big else 0 :: 2])
    high = bytes(units[0 if big else 1 :: 2])
    controls = _CONTROLS
    if any(not h and c in controls for h, c in zip(high, low, strict=True)):
        return False
    if php == "8.2":
        return b"\xff\xfe" not in (bytes((h, c)) for h, c in zip(high, low, strict=True))
    try:
        data[2 : len(data) - len(data) % 2].decode("utf-16-be" if big else "utf-16-le")
    except UnicodeDecodeError as error:
        return error.reason == "unexpected end of data"
    return True


_CONTROLS = frozenset(range(128)) - frozenset(_ASCII)


def is_csv(data: bytes, php: Php) -> bool:
    """As many commas in each of the first ten lines, quoted ones not counted. Semicolons never count."""
    lines = _QUOTED.sub(b"", data).split(b"\n", _CSV_LINES)
    counts = [line.count(b",") for line in lines[:-1]]
    if not counts or len(set(counts)) > 1:
        return False
    return counts[0] > 0 and len(counts) >= (3 if php == "8.2" else 2)


def json_type(data: bytes, whole: bool, php: Php) -> str | None:  # noqa: PLR0911
    """`application/json` where a file is an object or array; to PHP 8.2 it is enough to begin as one.

    `data` is the file, or its beginning where not `whole`: then JSON as far as that goes counts.
    """
    text = data.decode("latin-1").lstrip(_SPACE)
    if not text.startswith(("{", "[")):
        return None
    try:
        value, end = _DECODER.raw_decode(text)
    except json.JSONDecodeError as error:
        cut_off = error.pos > len(text) - 10 or error.msg.startswith("Unterminated")
        return "application/json" if cut_off and not whole else None
    except (ValueError, RecursionError):
        return None
    if _depth(value) > _DEEPEST[php]:
        return None
    rest = text[end:].lstrip(_SPACE)
    if php == "8.2" or not rest:
        return "application/json"
    if rest[0] != text[0]:
        return None
    try:
        _DECODER.raw_decode(rest)
    except (ValueError, RecursionError):
        return None
    return "application/x-ndjson"


def _no_constant(name: str) -> None:
    raise ValueError(name)


_DECODER = json.JSONDecoder(strict=False, parse_constant=_no_constant)


def _depth(value: object) -> int:
    """How many arrays and objects are around the innermost value."""
    level, depth = [value], 0
    while level:
        inner: list[object] = []
        for each in level:
            if isinstance(each, dict):
                inner.extend(each.values())
            elif isinstance(each, list):
                inner.extend(each)
        depth += any(isinstance(each, (dict, list)) for each in level)
        level = inner
    return depth
