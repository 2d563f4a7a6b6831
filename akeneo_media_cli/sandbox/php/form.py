"""A multipart body as PHP reads it: fields in memory, files straight to disk
(docs/pim-behaviour.md, "Refusals and their causes" and "Answers to an upload").

The grammar is python-multipart's; this module adds what PHP makes of the parts: which are files, what they
are called, and which of PHP's upload errors they meet.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser

from .text import php_basename

_FIELD_LIMIT = 8 * 1024 * 1024
_BOUNDARY = re.compile(r'boundary\s*=\s*(?:"([^"]+)"|([^",;\s]+))', re.IGNORECASE)


@dataclass
class SentFile:
    """One file part: where its bytes are for now, and what is known about them."""

    name: bytes
    path: Path
    size: int = 0
    sha256: str = ""
    error: bool = False
    """PHP counts the upload as failed: too big, cut short, or without a name."""


@dataclass
class Form:
    """What PHP hands to the PIM. An array (`name[...]`) is None: the PIM crashes on it."""

    fields: dict[str, bytes | None] = field(default_factory=dict)
    files: dict[str, SentFile | None] = field(default_factory=dict)

    def discard(self) -> None:
        """Removes the temporary files that were not moved, as PHP does at the end of a call."""
        for sent in self.files.values():
            if sent is not None:
                sent.path.unlink(missing_ok=True)


class FormReader:
    """Reads a body piece by piece: `feed` each, then `finish`. A boundary of None makes an empty form.

    `on_field` is called with each field and `on_file` with each file's name, as soon as they are known.
    """

    def __init__(
        self,
        boundary: bytes | None,
        new_file: Callable[[], Path],
        max_file: int,
        on_field: Callable[[str, bytes], None],
        on_file: Callable[[str, bytes], None],
    ) -> None:
        self.form = Form()
        self._new_file, self._max_file = new_file, max_file
        self._on_field, self._on_file = on_field, on_file
        self._headers: dict[bytes, bytes] = {}
        self._header, self._value = b"", b""
        self._name: str | None = None
        self._text = bytearray()
        self._sent: SentFile | None = None
        self._out: BinaryIO | None = None
        self._digest = hashlib.sha256()
        self._parser: MultipartParser | None = None
        if boundary is not None:
            self._parser = MultipartParser(
                boundary,
                {
                    "on_part_begin": self._begin,
                    "on_header_field": self._header_field,
                    "on_header_value": self._header_value,
                    "on_header_end": self._header_end,
                    "on_headers_finished": self._headers_finished,
                    "on_part_data": self._data,
                    "on_part_end": self._end,
                },
                max_header_count=64,
                max_header_size=64 * 1024,
            )

    def feed(self, piece: bytes) -> None:
        """Reads the next piece of the body; what is not multipart is ignored, as in PHP."""
        if self._parser is None:
            return
        try:
            self._parser.write(piece)
        except MultipartParseError:
            self._parser = None

    def finish(self) -> Form:
        """The form, when the body is at its end. A part that is still open was cut short."""
        if self._sent is not None:
            self._sent.error = True
        if self._name is not None:
            self._end()
        return self.form

    def abandon(self) -> None:
        """The client hung up before the end: everything is dropped
        (docs/pim-behaviour.md, "When the answer is lost")."""
        if self._out is not None:
            self._out.close()
        if self._sent is not None:
            self._sent.path.unlink(missing_ok=True)
        self.form.discard()

    def _begin(self) -> None:
        self._headers = {}

    def _header_field(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_end(self) -> None:
        self._headers[self._header.strip().lower()] = self._value.strip()
        self._header, self._value = b"", b""

    def _headers_finished(self) -> None:
        given = _parameters(self._headers.get(b"content-disposition", b""))
        self._name = given.get("name", b"").decode("utf-8", "replace")
        if "filename" not in given:
            return
        name = php_basename(given["filename"])
        self._on_file(self._name, name)
        self._sent = SentFile(name, self._new_file(), error=not given["filename"])
        self._out = self._sent.path.open("wb")
        self._digest = hashlib.sha256()

    def _data(self, data: bytes, start: int, end: int) -> None:
        piece = data[start:end]
        sent = self._sent
        if sent is None or self._out is None:
            if len(self._text) + len(piece) <= _FIELD_LIMIT:
                self._text += piece
            return
        sent.size += len(piece)
        if sent.size > self._max_file:
            sent.error = True
        if sent.error:
            return
        self._out.write(piece)
        self._digest.update(piece)

    def _end(self) -> None:
        name, self._name = self._name or "", None
        sent, self._sent = self._sent, None
        key, is_array = _php_key(name)
        if sent is None or self._out is None:
            text, self._text = bytes(self._text), bytearray()
            self.form.fields[key] = None if is_array else text
            if not is_array:
                self._on_field(key, text)
            return
        self._out.close()
        self._out = None
        sent.sha256 = self._digest.hexdigest()
        before = self.form.files.get(key)
        if before is not None:
            before.path.unlink(missing_ok=True)
        if is_array:
            sent.path.unlink(missing_ok=True)
        self.form.files[key] = None if is_array else sent


def boundary_of(content_type: str) -> bytes | None:
    """The boundary as PHP finds it in the header, or None: then PHP reads nothing at all."""
    found = _BOUNDARY.search(content_type)
    return (found[1] or found[2]).encode("latin-1") if found else None


def _php_key(name: str) -> tuple[str, bool]:
    """A field's name as PHP registers it, and whether that makes it an array."""
    bare, bracket, rest = name.lstrip(" ").partition("[")
    return re.sub(r"[ .]", "_", bare), bool(bracket) and "]" in rest


def _parameters(header: bytes) -> dict[str, bytes]:
    """The parameters of a Content-Disposition as PHP takes them: `\\"` and `\\\\` in quotes, no RFC 5987."""
    given: dict[str, bytes] = {}
    for key, quoted, bare in re.findall(
        rb';\s*([^=;\s]+)\s*=\s*(?:"((?:\\.|[^"\\])*)"|([^;\s]*))', header, re.DOTALL
    ):
        name = key.decode("latin-1").lower()
        given[name] = re.sub(rb'\\(["\\])', rb"\1", quoted) if quoted else bare
    return given
