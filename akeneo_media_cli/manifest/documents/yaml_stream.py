"""YAML, an item at a time, from PyYAML's parser events: nothing but text, lists and mappings is ever made.

Scalars stay as written, so that `product: 00123` names product 00123 and `no` is not false. Anchors,
aliases and merge keys work within bounds: a document whose aliases multiply, be it many values or much text,
is refused, not expanded.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple, TextIO

import yaml

from ..source import MOST_CHARACTERS
from .items import UPLOADS, Is, Part, Repeated, most_repeated, read_document

if TYPE_CHECKING:
    from ...errors import ManifestError
    from ...rows import Row
    from ..assemble import Assembler
    from ..source import Source

_DEEPEST = 32
_HEAVIEST = 10_000  # nodes of one item, aliases counted as what they stand for
_MOST_ANCHORS = 1_000
_NULLS = frozenset(("", "~", "null", "Null", "NULL"))
_PREFIX = "tag:yaml.org,2002:"
_TEXT_TAGS = frozenset(_PREFIX + name for name in ("str", "int", "float", "bool")) | {"!"}
_TAGS = _TEXT_TAGS | {_PREFIX + name for name in ("null", "seq", "map", "merge")}
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Node(NamedTuple):
    """A value, and how many nodes and characters it has once its aliases are written out."""

    value: Any
    weight: int
    length: int


def read_yaml(source: Source, make: Assembler) -> Iterator[Row]:
    """Rows of a YAML document: a list, or a mapping of `defaults`, `root` and `uploads`."""
    return read_document(source, make, lambda text: _Parser(source, text).parts())


class _Parser:
    """Steps through one document."""

    def __init__(self, source: Source, text: TextIO) -> None:
        self._source = source
        self._events: Iterator[Any] = yaml.parse(text, Loader=_LOADER)
        self._anchors: dict[str, _Node] = {}
        self._room = most_repeated(source)

    def parts(self) -> Iterator[Part]:
        """The document's parts; a mistake is a `ManifestError` that names line and column."""
        try:
            yield from self._document()
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            place = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
            what = error.problem or error.context or "not YAML"
            raise self._source.unusable(place + what, "Fix the YAML there.") from None
        except yaml.reader.ReaderError as error:
            raise self._source.unusable(
                f"the character U+{_codepoint(error):04X} at {error.position} is not allowed in YAML",
                "Write it as an escape in double quotes.",
            ) from None

    def _document(self) -> Iterator[Part]:
        next(self._events)
        if isinstance(next(self._events), yaml.StreamEndEvent):
            raise self._source.unusable("is empty", "Write a list of rows.")
        top = next(self._events)
        if isinstance(top, yaml.SequenceStartEvent):
            self._check_tag(top)
            yield Part(Is.SEQUENCE)
            yield from self._rows()
        elif isinstance(top, yaml.MappingStartEvent):
            self._check_tag(top)
            yield Part(Is.MAPPING)
            yield from self._members()
        else:
            raise self._wrong(top, "a manifest is a list of rows, or a mapping with `uploads`")
        next(self._events)
        after = next(self._events)
        if not isinstance(after, yaml.StreamEndEvent):
            raise self._wrong(after, "a second document begins; a manifest is one")

    def _rows(self) -> Iterator[Part]:
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            yield Part(Is.ROW, value=self._node(event, 1).value)

    def _members(self) -> Iterator[Part]:
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key = self._key(event)
            value = next(self._events)
            if key == UPLOADS and isinstance(value, yaml.SequenceStartEvent):
                self._check_tag(value)
                yield Part(Is.UPLOADS)
                yield from self._rows()
            else:
                yield Part(Is.KEY, key, self._node(value, 1).value)

    def _key(self, event: Any) -> str:
        if isinstance(event, yaml.AliasEvent):
            value = self._alias(event).value
        elif isinstance(event, yaml.ScalarEvent):
            self._check_tag(event)
            value = event.value
            self._remember(event, _Node(value, 1, len(value)))
        else:
            value = None
        if not isinstance(value, str):
            raise self._wrong(event, "a key is not text")
        return value

    def _node(self, event: Any, depth: int) -> _Node:
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event)
        self._check_tag(event)
        if depth > _DEEPEST:
            raise self._wrong(event, f"nested more than {_DEEPEST} deep")
        if isinstance(event, yaml.ScalarEvent):
            node = _Node(_scalar(event), 1, len(event.value))
        elif isinstance(event, yaml.SequenceStartEvent):
            node = self._sequence(event, depth)
        else:
            node = self._mapping(event, depth)
        self._remember(event, node)
        return node

    def _sequence(self, start: Any, depth: int) -> _Node:
        items: list[Any] = []
        weight, length = 1, 0
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            node = self._node(event, depth + 1)
            items.append(node.value)
            weight, length = self._weighed(start, weight + node.weight, length + node.length)
        return _Node(items, weight, length)

    def _mapping(self, start: Any, depth: int) -> _Node:
        out: dict[str, Any] = {}
        merged: list[dict[str, Any]] = []
        repeated: str | None = None
        weight, length = 1, 0
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            merge = isinstance(event, yaml.ScalarEvent) and event.value == "<<" and event.implicit[0]
            key = self._key(event)
            node = self._node(value_event := next(self._events), depth + 1)
            weight, length = self._weighed(start, weight + node.weight, length + len(key) + node.length)
            if merge:
                merged += self._bases(value_event, node.value)
            elif key in out:
                repeated = repeated or key
            else:
                out[key] = node.value
        if repeated is not None:
            return _Node(Repeated(repeated), weight, length)
        for base in merged:
            for key, value in base.items():
                out.setdefault(key, value)
        return _Node(out, weight, length)

    def _bases(self, event: Any, value: Any) -> list[dict[str, Any]]:
        """The mappings that `<<` merges; of two, the first wins."""
        bases = value if isinstance(value, list) else [value]
        if not all(isinstance(base, dict) for base in bases):
            raise self._wrong(event, "`<<` takes a mapping or a list of mappings")
        return bases

    def _alias(self, event: Any) -> _Node:
        node = self._anchors.get(event.anchor)
        if node is None:
            raise self._wrong(event, f"there is no complete `&{event.anchor}` before `*{event.anchor}`")
        self._room -= node.length
        if self._room < 0:
            raise self._wrong(event, "the aliases up to here stand for far more text than the file has")
        return node

    def _remember(self, event: Any, node: _Node) -> None:
        if event.anchor is None:
            return
        self._anchors[event.anchor] = node
        if len(self._anchors) > _MOST_ANCHORS:
            raise self._wrong(event, f"more than {_MOST_ANCHORS:,} anchors")

    def _weighed(self, start: Any, weight: int, length: int) -> tuple[int, int]:
        if weight > _HEAVIEST:
            raise self._wrong(start, f"one item has more than {_HEAVIEST:,} values, aliases written out")
        if length > MOST_CHARACTERS:
            raise self._wrong(
                start, f"one item has more than {MOST_CHARACTERS:,} characters, aliases written out"
            )
        return weight, length

    def _check_tag(self, event: Any) -> None:
        if event.tag is not None and event.tag not in _TAGS:
            raise self._wrong(event, f"the tag {event.tag} is not allowed in a manifest")

    def _wrong(self, event: Any, what: str) -> ManifestError:
        mark = event.start_mark
        return self._source.unusable(
            f"line {mark.line + 1}, column {mark.column + 1}: {what}",
            "Write a list of rows, each a mapping of columns to text.",
        )


def _scalar(event: Any) -> str | None:
    """The text as written; None for the plain forms of null."""
    tag = event.tag
    if tag == _PREFIX + "null" or (tag is None and event.implicit[0] and event.value in _NULLS):
        return None
    return str(event.value)


def _codepoint(error: Any) -> int:
    # The pure reader gives the character, libyaml its number.
    return error.character if isinstance(error.character, int) else ord(error.character)
