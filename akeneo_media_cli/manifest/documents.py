"""What YAML, JSON and JSONL have in common: items that become rows, and the mapping around them."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, NamedTuple, TextIO

from ..errors import Failure
from ..rows import Row
from ..suggest import nearest
from .assemble import Assembler, malformed
from .columns import LONGEST_NAME, canonical, has_half_characters
from .source import Source

UPLOADS = "uploads"
_KEYS = ("defaults", "root", UPLOADS)
_DEEPEST = 16
_MOST_KEYS = 100
_HARMLESS = 1 << 25
_MOST_TIMES = 20
_SHAPE = "Write a list of rows, or a mapping of `defaults`, `root` and `uploads` (the list of rows)."


class Written(str):
    """A number as it is written: `00123` and `1.10` are identifiers as often as they are numbers."""

    __slots__ = ()

    def number(self) -> int | float | str:
        """The number, or the text itself where JSON has no number for it."""
        try:
            return int(self)
        except ValueError:
            value = float(self) if len(self) < 400 else math.inf
            return value if math.isfinite(value) else str(self)


@dataclass(frozen=True)
class Repeated:
    """A mapping in which `key` is given twice, so that nobody can tell what is meant."""

    key: str


class Is(Enum):
    """What a part of a document is."""

    SEQUENCE = "the document is a list"
    MAPPING = "the document is a mapping"
    UPLOADS = "the rows of the mapping follow"
    ROW = "a row"
    KEY = "another key of the mapping"


class Part(NamedTuple):
    """One step through a document."""

    kind: Is
    key: str = ""
    value: Any = None


class _UnfitError(Exception):
    """A value that cannot stand where it stands; the text says why."""


def most_repeated(source: Source) -> int:
    """So many characters may aliases or `defaults` repeat in all: they make much out of little.

    Ordinary ones add less to a row than it says itself; 32 million may be repeated in any case.
    """
    return max(_HARMLESS, _MOST_TIMES * source.size)


class Items:
    """Numbers the items of a document and makes rows of them."""

    def __init__(self, make: Assembler) -> None:
        self.number = 0
        self._make = make
        self._names: list[str] = []
        self._named_file = make.fills_file()

    def row(self, item: Any) -> Row:
        """The row of the next item, whatever it is."""
        self.number += 1
        if isinstance(item, Repeated):
            return self._make.row(self.number, {}, {}, _twice(item.key))
        if not isinstance(item, dict):
            problem = malformed(
                "the item is not a mapping of columns to values",
                "Write each row as a mapping: product, attribute, file and their values.",
            )
            return self._make.row(self.number, {}, {}, problem)
        values, extra, problem_found = _columns(item)
        for name in extra:
            self._make.unknown_column(name, values)
        self._named_file = self._named_file or "file" in values
        self._names = self._names or list(item)
        return self._make.row(self.number, values, extra, problem_found)

    def finish(self) -> None:
        """Raises `ManifestError` if there were rows and nothing named their files."""
        if self._names and not self._named_file:
            raise self._make.no_file_column(self._names)


def read_document(
    source: Source, make: Assembler, parse: Callable[[TextIO], Iterator[Part]]
) -> Iterator[Row]:
    """Rows of a list, or of a mapping's `uploads`.

    A mapping is gone through twice, as `defaults` may stand after the rows that they fill.
    """
    with source.text() as text:
        parts = parse(text)
        if next(parts).kind is Is.MAPPING:
            _settle(source, make, parts)
    items = Items(make)
    added = len(json.dumps([make.defaults, make.default_extra])) if make.defaults or make.default_extra else 0
    most = most_repeated(source)
    with source.text() as text:
        for part in parse(text):
            if part.kind is Is.ROW:
                yield items.row(part.value)
                if items.number * added > most:
                    raise source.unusable(
                        f"`defaults` has {added:,} characters, too many for {items.number:,} rows and more",
                        "Give long text to the rows that need it.",
                    )
    items.finish()


def _settle(source: Source, make: Assembler, parts: Iterator[Part]) -> None:
    """Take `defaults` and `root` from a mapping, and see that it is a manifest at all."""
    found: dict[str, Any] = {}
    for part in parts:
        key = UPLOADS if part.kind is Is.UPLOADS else part.key
        if part.kind is Is.ROW or key.startswith("x-"):
            continue
        if key in found:
            raise source.unusable(f"`{key}` is there twice", "Keep one of them.")
        if part.kind is Is.KEY and key == UPLOADS and part.value is not None:
            raise source.unusable("`uploads` is not a list", _SHAPE)
        found[key] = part.value if key in _KEYS else None
        if len(found) > _MOST_KEYS:
            raise source.unusable(f"has more than {_MOST_KEYS} keys beside `uploads`", _SHAPE)
    for key in found:
        if key not in _KEYS:
            _unknown_key(make, key)
    if UPLOADS not in found:
        keys = ", ".join(key[:LONGEST_NAME] for key in list(found)[:20])
        raise source.unusable(f"has no `uploads` (found: {keys or 'nothing'})", _SHAPE)
    root = found.get("root")
    if root is not None:
        if not isinstance(root, str) or "\0" in root or has_half_characters(root):
            raise source.unusable("`root` is not the name of a folder", "For example: root: pictures")
        make.root = os.path.join(source.folder, root) if root else None  # noqa: PTH118 - kept as written
    defaults = found.get("defaults")
    if defaults is not None:
        make.defaults, make.default_extra = _defaults(source, make, defaults)


def _unknown_key(make: Assembler, key: str) -> None:
    near = nearest(key[:LONGEST_NAME], _KEYS)
    hint = f"Did you mean `{near}`?" if near else "Keys that begin with `x-` may hold what you like."
    make.note(f"{make.manifest}: the key `{key[:LONGEST_NAME]}` has no meaning beside `uploads`", hint)


def _defaults(
    source: Source, make: Assembler, defaults: Any
) -> tuple[Mapping[str, str | None], Mapping[str, Any]]:
    hint = "Write `defaults` as a mapping of columns to values."
    if isinstance(defaults, Repeated):
        raise source.unusable(f"`defaults` has `{defaults.key[:LONGEST_NAME]}` twice", hint)
    if not isinstance(defaults, dict):
        raise source.unusable("`defaults` is not a mapping", hint)
    values, extra, problem = _columns(defaults)
    if problem is not None:
        raise source.unusable(f"`defaults`: {problem.message}", problem.hint)
    for name in extra:
        make.unknown_column(name, values)
    return values, extra


def _columns(item: Mapping[str, Any]) -> tuple[dict[str, str | None], dict[str, Any], Failure | None]:
    """A mapping's known columns as text, its others untouched, and what is wrong with it."""
    values: dict[str, str | None] = {}
    extra: dict[str, Any] = {}
    problem: Failure | None = None
    for name, value in item.items():
        column = canonical(name)
        try:
            if column is None:
                extra[_sound(name, name)] = _carried(value)
            elif column in values:
                raise _UnfitError(f"two keys both mean `{column}`; one is `{name}`")
            else:
                values[column] = _text(column, value)
        except _UnfitError as error:
            problem = problem or malformed(
                str(error), "Give each column one value: text, a number, true, false or null."
            )
    return values, extra, problem


def _text(column: str, value: Any) -> str | None:
    if isinstance(value, str):
        return _sound(column, str(value))
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    raise _UnfitError(f"the value of `{column}` is not text but a list or a mapping")


def _sound(column: str, text: str) -> str:
    """Text that can be sent and stored: JSON's escapes can make half characters, which cannot."""
    if has_half_characters(text):
        raise _UnfitError(
            f"the value of {column[:LONGEST_NAME]!a} holds half a character (a lone \\u surrogate)"
        )
    return text


def _carried(value: Any, depth: int = 0) -> Any:
    """A value for the report; numbers are numbers again."""
    if isinstance(value, Written):
        return value.number()
    if isinstance(value, Repeated):
        raise _UnfitError(f"`{value.key[:LONGEST_NAME]}` is there twice")
    if isinstance(value, (dict, list)):
        if depth == _DEEPEST:
            raise _UnfitError(f"nested more than {_DEEPEST} deep")
        if isinstance(value, list):
            return [_carried(each, depth + 1) for each in value]
        return {_sound(key, key): _carried(each, depth + 1) for key, each in value.items()}
    if isinstance(value, str):
        return _sound(value, value)
    return value


def _twice(key: str) -> Failure:
    return malformed(f"`{key[:LONGEST_NAME]}` is there twice in one row", "Keep one of them.")
