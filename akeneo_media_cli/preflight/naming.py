"""Naming conventions of asset families: what the PIM makes of a code or a file name when it creates an asset.

Read about, not measured (docs/pim-behaviour.md, "Assets and reference entities"). Only patterns that Python
reads as PHP does, and that cannot run away, are tried; others are left to the PIM.
"""

from __future__ import annotations

import re
from functools import lru_cache

from ..errors import Failure, Kind
from ..pim.answers.entity_types import NamingConvention

_LONGEST_PATTERN = 500
_LONGEST_TEXT = 255
_NAMED = re.compile(r"\(\?<(?=[A-Za-z_])")
# A repeated group may take exponential time, whatever is in it.
_REPEATED_GROUP = re.compile(r"\)[*+{?]")
_CLOSING = {"(": ")", "[": "]", "{": "}", "<": ">"}
_FLAGS = {"i": re.IGNORECASE, "m": re.MULTILINE, "s": re.DOTALL, "x": re.VERBOSE, "u": re.UNICODE}


@lru_cache(maxsize=64)
def readable(pattern: str) -> re.Pattern[str] | None:
    """A PHP pattern with its delimiters as Python's; None for one that is not surely the same."""
    pattern = pattern.strip()
    if len(pattern) < 2 or len(pattern) > _LONGEST_PATTERN or pattern[0].isalnum():
        return None
    end = pattern.rfind(_CLOSING.get(pattern[0], pattern[0]))
    bare, letters = pattern[1:end], pattern[end + 1 :]
    if end < 1 or _REPEATED_GROUP.search(bare) or any(letter not in _FLAGS for letter in letters):
        return None
    flags = re.NOFLAG
    for letter in letters:
        flags |= _FLAGS[letter]
    try:
        return re.compile(_NAMED.sub("(?P<", bare), flags)
    except (re.error, OverflowError, RecursionError):
        return None


def refused(convention: NamingConvention, text: str) -> Failure | str | None:
    """The result for an asset that will be created from this code or file name.

    A Failure where it is not created, a note where it is created without what the pattern would take from the
    name, or None: it matches, or that is unknown.
    """
    pattern = readable(convention.pattern)
    if pattern is None or len(text) > _LONGEST_TEXT or pattern.search(text):
        return None
    what = "code" if convention.source == "code" else "file name"
    if not convention.aborts:
        return f"the {what} does not match the family's naming convention, so that sets no values"
    return Failure(
        Kind.NAMING_CONVENTION,
        f"the PIM would not create the asset: the {what} {text} does not match the family's naming "
        f"convention {convention.pattern.strip()}",
        f"Change the {what}, or the convention in the PIM (Settings, Asset families, Naming convention).",
    )


def extracted(convention: NamingConvention, text: str) -> dict[str, str]:
    """The values that the convention takes from a code or file name, by attribute; none where unknown."""
    pattern = readable(convention.pattern)
    found = pattern.search(text) if pattern is not None and len(text) <= _LONGEST_TEXT else None
    return {} if found is None else {k: v for k, v in found.groupdict().items() if v is not None}
