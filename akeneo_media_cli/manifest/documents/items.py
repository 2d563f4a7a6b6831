"""What YAML, JSON and JSONL have in common: items that become rows, and the mapping around them."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from typing import Any, NamedTuple, TextIO

from ...errors import Failure
from ...frozen import frozen
from ...rows import Row
from ...suggest import nearest
from ..assemble import Assembler, malformed
from ..beside import is_beside
from ..columns import LONGEST_NAME, Renamed, canonical, has_half_characters
from ..source import Source

UPLOADS = "uploads"
_KEYS = ("defaults", "root", UPLOADS)
_DEEPEST = 16
_MOST_KEYS = 100
_HARMLESS = 1 << 25
_MOST_TIMES = 20
_LISTS = ("file", "attribute", "filename")
_NUMBER = "{n}"
_ONE_FILE = (
    "One file per row: write a row for each file, or a list of as many attributes as files, or an attribute "
    "with {n} in it, such as picture_{n}."
)
_SHAPE = "Write a list of rows, or a mapping of `defaults`, `root` and `uploads` (the list of rows)."


class Written(str):
    """A number as it is written: `00123` and `1.10` are identifiers as often as they are numbers."""

    __slots__ = ()

    def number(self) -> int | float | str:
        """The number, which as text is what was written; the text where JSON has no number for it."""
        try:
            return _Int.of(self)
        except ValueError:
            value = _Float.of(self) if len(self) < 400 else math.inf
            return value if math.isfinite(value) else str(self)


class _Int(int):
    text: str

    @classmethod
    def of(cls, written: str) -> _Int:
        made = cls(written)
        made.text = str(written)
        return made

    def __str__(self) -> str:
        return self.text


class _Float(float):
    text: str

    @classmethod
    def of(cls, written: str) -> _Float:
        made = cls(written)
        made.text = str(written)
        return made

    def __str__(self) -> str:
        return self.text


@frozen
class Repeated:
    """A mapping in which `key` is given twice, so that it is not known which is meant."""

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
    """A value that cannot be used where it is; the text says why."""


def most_repeated(source: Source) -> int:
    """So many characters may aliases or `defaults` repeat in all: they make much out of little.

    Ordinary ones add less to a row than it says itself; 32 million may be repeated in any case.
    """
    return max(_HARMLESS, _MOST_TIMES * source.size)


class Items:
    """Numbers the items of a document and makes rows of them."""

    def __init__(self, make: Assembler, room: int) -> None:
        """`room`: characters that lists of files may repeat, as each file has its item's other values."""
        self._room = room
        self.number = 0
        self.made = 0
        """Rows so far: an item with a list of files is several."""
        self._make = make
        self._names: list[str] = []
        self._values: list[str] = []
        self._named_file = make.fills_file()

    def rows(self, item: Any) -> Iterator[Row]:
        """The rows of the next item, whatever it is: one, or one for each file of a list."""
        self.number += 1
        self.made += 1
        if isinstance(item, Repeated):
            yield self._make.row(self.number, {}, {}, _twice(item.key))
            return
        if not isinstance(item, dict):
            problem = malformed(
                "the item is not a mapping of columns to values",
                "Write each row as a mapping: product, attribute, file and their values.",
            )
            yield self._make.row(self.number, {}, {}, problem)
            return
        columns = _columns(item, self._make.named)
        self._make.columns(list(columns.extra), columns.values)
        self._named_file = self._named_file or "file" in columns.values or "file" in columns.lists
        if not self._names:
            self._names = list(item)
            self._values = [value if isinstance(value, str) else "" for value in item.values()]
        if columns.problem is not None or not columns.lists:
            yield self._make.row(self.number, columns.values, columns.extra, columns.problem)
            return
        self._room -= len(repr(columns.extra)) * (len(columns.lists.get("file", ())) - 1)
        if self._room < 0:
            problem = malformed("the item repeats too much text for each of its files", _ONE_FILE)
            yield self._make.row(self.number, columns.values, columns.extra, problem)
            return
        numbered = self._make.uses("n")
        for at, (values, wrong) in enumerate(_listed(columns.values, columns.lists, numbered), 1):
            self.made += 1
            extra = {**columns.extra, "n": at} if numbered else dict(columns.extra)
            yield self._make.row(self.number, values, extra, wrong)

    def finish(self) -> None:
        """Raises `ManifestError` if there were rows and nothing named their files."""
        if self._names and not (self._named_file or self._make.fills_file()):
            known = {column: name for name in self._names if (column := canonical(self._make.named(name)))}
            raise self._make.no_file_column(self._names, known, [self._values])


def _listed(
    values: dict[str, str | None], lists: Mapping[str, list[str]], numbered: bool
) -> Iterator[tuple[dict[str, str | None], Failure | None]]:
    """A row for each file of a list; its attribute is in a list as well, or has `{n}` in it.

    `numbered`: the attribute may come from a `--set` with `{n}`.
    """
    files = lists.get("file")
    attribute = values.get("attribute") or ""
    others = {column: texts for column, texts in lists.items() if column != "file"}
    if not files:
        names = " and ".join(f"`{name}`" for name in lists)
        yield values, malformed(f"{names} is a list, but of no files", _ONE_FILE)
    elif any(len(texts) != len(files) for texts in others.values()):
        name, texts = next((n, t) for n, t in others.items() if len(t) != len(files))
        yield values, malformed(f"`file` lists {len(files)} files, but `{name}` {len(texts)}", _ONE_FILE)
    elif (
        len(files) > 1
        and "attribute" not in others
        and not (_NUMBER in attribute or (numbered and not attribute))
    ):
        yield values, malformed(f"`file` lists {len(files)} files for one attribute", _ONE_FILE)
    else:
        for at, file in enumerate(files):
            own = {column: text.replace(_NUMBER, str(at + 1)) for column, text in values.items() if text}
            yield {**values, **own, "file": file, **{name: texts[at] for name, texts in others.items()}}, None


def read_document(
    source: Source, make: Assembler, parse: Callable[[TextIO], Iterator[Part]]
) -> Iterator[Row]:
    """Rows of a list, or of a mapping's `uploads`.

    A mapping is gone through twice, as `defaults` may come after the rows that they fill.
    """
    with source.text() as text:
        parts = parse(text)
        if next(parts).kind is Is.MAPPING:
            _settle(source, make, parts)
    items = Items(make, most_repeated(source))
    added = len(json.dumps([make.defaults, make.default_extra])) if make.defaults or make.default_extra else 0
    most = most_repeated(source)
    with source.text() as text:
        for part in parse(text):
            if part.kind is Is.ROW:
                yield from items.rows(part.value)
                if items.made * added > most:
                    raise source.unusable(
                        f"`defaults` has {added:,} characters, too many for {items.made:,} rows and more",
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
    columns = _columns(defaults, make.named)
    problem = columns.problem
    for name in columns.lists:
        problem = problem or malformed(f"the value of `{name}` is not text but a list", hint)
    if problem is not None:
        raise source.unusable(f"`defaults`: {problem.message}", problem.hint)
    make.columns(list(columns.extra), columns.values)
    return columns.values, columns.extra


class _Columns(NamedTuple):
    """A mapping's known columns as text, or as lists of texts, its others untouched, and what is wrong."""

    values: dict[str, str | None]
    lists: dict[str, list[str]]
    extra: dict[str, Any]
    problem: Failure | None


def _columns(item: Mapping[str, Any], named: Renamed) -> _Columns:
    values: dict[str, str | None] = {}
    lists: dict[str, list[str]] = {}
    extra: dict[str, Any] = {}
    problem: Failure | None = None
    for written, value in item.items():
        name = named(written) if named else written
        column = canonical(name)
        try:
            if column is None:
                # `00123` is a text where an attribute of an asset says so.
                kept = str(value) if isinstance(value, Written) and is_beside(name) else value
                extra[_sound(name, name)] = _carried(kept)
            elif column in values or column in lists:
                raise _UnfitError(f"two keys both mean `{column}`; one is `{written}`")
            elif isinstance(value, list) and column in _LISTS:
                lists[column] = [_text(column, each) or "" for each in value]
            else:
                values[column] = _text(column, value)
        except _UnfitError as error:
            if column is not None and column not in lists:
                values.setdefault(column, None)
            problem = problem or malformed(
                str(error), "Give each column one value: text, a number, true, false or null."
            )
    return _Columns(values, lists, extra, problem)


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
