"""The format of a manifest without a suffix that says it: what its beginning looks like."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from ..errors import UsageError
from .advice import meant
from .columns import Renamed, canonical, near_miss
from .delimited import DELIMITERS
from .documents.items import UPLOADS
from .header import TITLES

if TYPE_CHECKING:
    from .source import Source

_HEAD = 1 << 16  # characters that are looked at
_YAML = re.compile(rf"---|%YAML|-(?:\s|$)|(?:defaults|root|{UPLOADS}|x-[\w-]+)\s*:(?:\s|$)")
_DELIMITER = re.compile(f"[{DELIMITERS}]")
_SEPARATOR = re.compile(r"""["']?sep=.""", re.IGNORECASE)


def sniffed(source: Source, named: Renamed, hint: str) -> str:
    """The format of a source that was opened without one; `named` has the columns' new names.

    Raises UsageError, with `hint`, where it is not recognized.
    """
    if source.packed:
        return "xlsx"
    with source.text() as text:
        head = text.read(_HEAD).lstrip()
    if head.startswith("["):
        return "json"
    if head.startswith("{"):
        return _json_or_jsonl(head)
    lines = [line for line in map(str.strip, head.splitlines()) if line]
    if _YAML.match(next((line for line in lines if not line.startswith("#")), "")):
        return "yaml"
    if any(_SEPARATOR.match(line) or _is_header(line, named) for line in lines[:TITLES]):
        return "csv"
    raise UsageError("the format of standard input cannot be recognized", hint)


def _is_header(line: str, named: Renamed) -> bool:
    cells = [named(cell.strip(" \"'")) for cell in _DELIMITER.split(line)]
    return any(canonical(cell) or near_miss(cell) for cell in cells) or len(list(filter(meant, cells))) > 1


def _json_or_jsonl(head: str) -> str:
    """A document, or a row a line: the first line of rows is whole by itself, and no mapping around them."""
    line, _, rest = head.partition("\n")
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        # Two lines with a row each, of which the first is wrong, are still no document.
        return "jsonl" if rest.lstrip().startswith("{") else "json"
    return "json" if UPLOADS in value else "jsonl"
