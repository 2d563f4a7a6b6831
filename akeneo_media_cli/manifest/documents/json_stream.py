"""JSON and JSONL, an item at a time.

The standard library's decoder reads each item; only the brackets and commas between items are read
here. That keeps what a manifest needs and streaming parsers lose: numbers as they are written
(`1.10`, `1e5`), keys given twice, half surrogate pairs, and the line and column of a mistake.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, TextIO

from ..source import MOST_CHARACTERS
from .items import UPLOADS, Is, Items, Part, Repeated, Written, most_repeated, read_document

if TYPE_CHECKING:
    from ...errors import ManifestError
    from ...rows import Row
    from ..assemble import Assembler
    from ..source import Source

_PIECE = 1 << 16
_SPACE = " \t\r\n"
_END_OF_FILE = "\x1a"
"""What DOS ended files with, and `copy` on Windows still does."""
_BLANK = _SPACE + _END_OF_FILE
_HINT = "Fix it there, or write the file with a JSON library."


def _mapping(pairs: list[tuple[str, Any]]) -> Any:
    out = dict(pairs)
    if len(out) == len(pairs):
        return out
    return Repeated(Counter(key for key, _ in pairs).most_common(1)[0][0])


_DECODER = json.JSONDecoder(
    object_pairs_hook=_mapping, parse_int=Written, parse_float=Written, parse_constant=Written
)


def read_json(source: Source, make: Assembler) -> Iterator[Row]:
    """Rows of a JSON document: a list, or a mapping of `defaults`, `root` and `uploads`."""
    return read_document(source, make, lambda text: _parts(_Window(source, text)))


def read_jsonl(source: Source, make: Assembler) -> Iterator[Row]:
    """A row a line; blank lines are not counted."""
    items = Items(make, most_repeated(source))
    at = 0
    with source.text() as text:
        while line := text.readline(MOST_CHARACTERS):
            at += 1
            if len(line) == MOST_CHARACTERS:
                raise source.unusable(f"line {at} is longer than {MOST_CHARACTERS:,} characters", _HINT)
            if not line.strip(_BLANK):
                continue
            try:
                value = _DECODER.decode(line.rstrip("\r\n" + _END_OF_FILE))
            except json.JSONDecodeError as error:
                raise source.unusable(f"line {at}, column {error.pos + 1}: {error.msg}", _HINT) from None
            except RecursionError:
                raise source.unusable(f"line {at} is nested too deep", _HINT) from None
            yield from items.rows(value)
    if not items.number:
        raise source.unusable("is empty", "Write one row a line.")
    items.finish()


class _Window:
    """The part of a JSON text that is being read, with the place of its start in the whole."""

    def __init__(self, source: Source, text: TextIO) -> None:
        self._source = source
        self._text = text
        self._buffer = ""
        self._at = 0
        self._ended = False
        self._line = 1
        self._column = 1

    def peek(self) -> str:
        """The next character that is not white space; "" at the end."""
        while True:
            while self._at < len(self._buffer):
                if self._buffer[self._at] not in _SPACE:
                    return self._buffer[self._at]
                self._at += 1
            if self._ended:
                return ""
            self._more()

    def take(self, *expected: str) -> str:
        """Go past one of the `expected` characters, or say that it is missing."""
        found = self.peek()
        if not found or found not in expected:
            raise self.wrong("Expecting " + " or ".join(repr(e) for e in expected))
        self._at += 1
        return found

    def value(self) -> Any:
        """The value that begins here, whole."""
        self.peek()
        while True:
            try:
                value, end = _DECODER.raw_decode(self._buffer, self._at)
                # A number at the very end of the window may go on in the next piece.
                if end < len(self._buffer) or self._ended:
                    self._at = end
                    return value
            except json.JSONDecodeError as error:
                if self._ended:
                    raise self.wrong(error.msg, error.pos) from None
            except RecursionError:
                raise self.wrong("nested too deep") from None
            if len(self._buffer) - self._at > MOST_CHARACTERS:
                raise self.wrong(f"not a complete item within {MOST_CHARACTERS:,} characters")
            self._more()

    def wrong(self, message: str, at: int | None = None) -> ManifestError:
        """The error for something at the window's character `at`, by default the next one."""
        self._advance(self._at if at is None else at)
        return self._source.unusable(f"line {self._line}, column {self._column}: {message}", _HINT)

    def _more(self) -> None:
        self._advance(self._at)
        # As much again as is held: an item of any size is then tried a few times only.
        piece = self._text.read(max(_PIECE, len(self._buffer)))
        self._ended = not piece
        self._buffer += piece

    def _advance(self, to: int) -> None:
        passed, self._buffer, self._at = self._buffer[:to], self._buffer[to:], 0
        lines = passed.count("\n")
        self._line += lines
        self._column = (1 if lines else self._column) + len(passed) - (passed.rfind("\n") + 1)


def _parts(window: _Window) -> Iterator[Part]:
    opened = window.peek()
    if not opened:
        raise window.wrong("the file is empty")
    if opened == "[":
        yield Part(Is.SEQUENCE)
        yield from _items(window)
    elif opened == "{":
        yield Part(Is.MAPPING)
        yield from _members(window)
    else:
        raise window.wrong("a manifest is a list of rows, or a mapping with `uploads`")
    while window.peek() == _END_OF_FILE:
        window.take(_END_OF_FILE)
    if window.peek():
        raise window.wrong("text after the end of the document")


def _items(window: _Window) -> Iterator[Part]:
    window.take("[")
    if window.peek() == "]":
        window.take("]")
        return
    while True:
        yield Part(Is.ROW, value=window.value())
        if window.take(",", "]") == "]":
            return


def _members(window: _Window) -> Iterator[Part]:
    window.take("{")
    if window.peek() == "}":
        window.take("}")
        return
    while True:
        if window.peek() != '"':
            raise window.wrong("Expecting a name in double quotes")
        key = window.value()
        window.take(":")
        if key == UPLOADS and window.peek() == "[":
            yield Part(Is.UPLOADS)
            yield from _items(window)
        else:
            yield Part(Is.KEY, key, window.value())
        if window.take(",", "}") == "}":
            return
