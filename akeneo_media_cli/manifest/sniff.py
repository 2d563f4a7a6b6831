"""The format of a manifest that no suffix tells: what its beginning looks like."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from ..errors import UsageError
from .columns import canonical, near_miss
from .delimited import DELIMITERS
from .documents import UPLOADS

if TYPE_CHECKING:
    from .source import Source

_HEAD = 1 << 16  # characters that are looked at
_YAML = re.compile(rf"---|%YAML|-(?:\s|$)|(?:defaults|root|{UPLOADS}|x-[\w-]+)\s*:(?:\s|$)")
_DELIMITER = re.compile(f"[{DELIMITERS}]")
_SEPARATOR = re.compile(r"sep=.$", re.IGNORECASE)


def sniffed(source: Source, hint: str) -> str:
    """The format of a source that was opened without one.

    Raises UsageError, with `hint`, where nothing tells.
    """
    if source.packed:
        return "xlsx"
    with source.text() as text:
        head = text.read(_HEAD).lstrip()
    if head.startswith("["):
        return "json"
    if head.startswith("{"):
        return _json_or_jsonl(head)
    lines = (line for line in map(str.strip, head.splitlines()) if line and not line.startswith("#"))
    first = next(lines, "")
    if _YAML.match(first):
        return "yaml"
    cells = [cell.strip(' "') for cell in _DELIMITER.split(first)]
    if _SEPARATOR.match(first) or any(canonical(cell) or near_miss(cell) for cell in cells):
        return "csv"
    raise UsageError("nothing tells what standard input is written in", hint)


def _json_or_jsonl(head: str) -> str:
    """A document, or a row a line: the first line of rows is whole by itself, and no mapping around them."""
    line, _, rest = head.partition("\n")
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        # Two lines with a row each, of which the first is wrong, are still no document.
        return "jsonl" if rest.lstrip().startswith("{") else "json"
    return "json" if UPLOADS in value else "jsonl"
