"""The body of an upload: streamed in constant memory, of exactly the length announced."""

from __future__ import annotations

import hashlib
import json
import mimetypes
import os
from collections.abc import Callable, Iterator
from typing import Literal

from ...errors import Failure, Kind
from ...frozen import frozen
from ...rows import clean_name, php_basename
from ..errors import SourceTrouble
from .source import Source, Stream, changed_while_sent

PIECE = 256 * 1024
"""Bytes handed out at once: larger gains nothing, smaller costs CPU: measured."""


@frozen
class ValueRef:
    """The value that a file is for, as `POST /media-files` and `/category-media-files` name it.

    `holder` is the form's field; `code` is the identifier of a product, the code of the others.
    """

    holder: Literal["product", "product_model", "category"]
    code: str
    attribute: str
    locale: str | None = None
    scope: str | None = None

    def as_json(self) -> str:
        """The field's content; categories have key names of their own
        (docs/pim-behaviour.md, "Enriched categories")."""
        if self.holder == "category":
            return json.dumps(
                {
                    "code": self.code,
                    "attribute_code": self.attribute,
                    "channel": self.scope,
                    "locale": self.locale,
                }
            )
        return json.dumps(
            {
                "identifier" if self.holder == "product" else "code": self.code,
                "attribute": self.attribute,
                "locale": self.locale,
                "scope": self.scope,
            }
        )


def _sent_name(name: str) -> str:
    """A file name that PHP accepts: printable UTF-8 with a last path part that is not empty.

    An empty or undecodable name is answered 500 (docs/pim-behaviour.md, "Refusals and their causes").
    """
    name = clean_name(name)
    return name if php_basename(name) else name.rstrip("/\\") + "_"


class FileBody:
    """A `multipart/form-data` body to hand to requests: one field if there is a `value`, then the file.

    Each iteration is a new try that opens the source again and starts from its first byte; the length
    stays what it was when the source was made. Before the last bytes go out the source is asked whether it
    changed; then they are withheld, so that the PIM drops the body whole
    (docs/pim-behaviour.md, "When the answer is lost"), and SourceTrouble is raised. Not for use by two
    threads at once.
    """

    def __init__(
        self,
        source: Source,
        *,
        value: ValueRef | None = None,
        filename: str | None = None,
        digest: bool = True,
        on_bytes: Callable[[int], None] | None = None,
        pace: Callable[[int], None] | None = None,
        piece: int = PIECE,
    ) -> None:
        """`filename`: what the PIM is to show, if not the source's own name.

        `on_bytes` gets how many bytes of the file were sent, and a negative number when a new try takes
        back what the last one had sent. `pace` is called with the size of each piece before it goes out
        and may wait. `piece`: bytes handed out at once.
        """
        self.source = source
        self.value = value
        self.filename = _sent_name(source.name if filename is None else filename)
        self.complete = False
        self.sent = 0
        self._digest = digest
        self._sha256 = ""
        self._told = 0
        self._ahead = 0
        self._on_bytes = on_bytes
        self._pace = pace
        self._piece = piece
        boundary = os.urandom(16).hex()
        self.content_type = f"multipart/form-data; boundary={boundary}"
        self._head = self._preamble(boundary)
        self._tail = f"\r\n--{boundary}--\r\n".encode()
        self._length = len(self._head) + source.size + len(self._tail)

    def _preamble(self, boundary: str) -> bytes:
        parts = []
        if self.value:
            parts.append(
                f"--{boundary}\r\n"
                f'Content-Disposition: form-data; name="{self.value.holder}"\r\n\r\n'
                f"{self.value.as_json()}\r\n"
            )
        quoted = self.filename.replace("\\", "\\\\").replace('"', '\\"')
        kind = mimetypes.types_map.get(os.path.splitext(self.filename)[1].lower())  # noqa: PTH122
        parts.append(
            f"--{boundary}\r\n"
            f'Content-Disposition: form-data; name="file"; filename="{quoted}"\r\n'
            f"Content-Type: {kind or 'application/octet-stream'}\r\n\r\n"
        )
        return "".join(parts).encode()

    def __len__(self) -> int:
        """The body's exact length in bytes: its Content-Length."""
        return self._length

    def __bool__(self) -> bool:
        return True

    @property
    def size(self) -> int:
        """Bytes of the file alone."""
        return self.source.size

    @property
    def sha256(self) -> str | None:
        """Of the file, in hex, once it was read whole; None before that or without `digest`."""
        return self._sha256 or None

    def __iter__(self) -> Iterator[memoryview]:
        return self.pieces()

    def pieces(self, before: bytes = b"") -> Iterator[memoryview]:
        """Pieces of one buffer, each to be sent before the next is asked for. Raises SourceTrouble.

        The first begins with `before`, what goes out ahead of the body. `sent` counts the bytes of pieces
        that were sent, without that; `complete` says that the last one was.
        """
        self._start_again()
        self._ahead = len(before)
        stream = self.source.open()
        try:
            yield from self._pieces(stream, before + self._head)
        finally:
            stream.close()
        self.complete = True

    def _start_again(self) -> None:
        if self._told and self._on_bytes:
            self._on_bytes(-self._told)
        self._told = self.sent = 0
        self._sha256 = ""
        self.complete = False

    def _pieces(self, stream: Stream, head: bytes) -> Iterator[memoryview]:
        whole = len(head) + self.source.size + len(self._tail)
        buffer = memoryview(bytearray(min(whole, max(self._piece, len(head) + 1))))
        buffer[: len(head)] = head
        begin = filled = len(head)
        left = self.source.size
        hashed = hashlib.sha256()
        # Of a piece that is out: the PIM does not wait for it.
        digest = hashed.update if self._digest else lambda part: None
        while left:
            count = self._read(stream, buffer[filled : filled + left])
            if not count:
                raise changed_while_sent(self.source.name)
            filled += count
            left -= count
            if filled == len(buffer) and left:
                yield from self._hand_out(buffer, left)
                digest(buffer[begin:])
                begin = filled = 0
        if filled + len(self._tail) > len(buffer):
            yield from self._hand_out(buffer[:filled], left)
            digest(buffer[begin:filled])
            begin = filled = 0
        # The last check: without the closing boundary the PIM takes nothing.
        if self.source.changed(stream):
            raise changed_while_sent(self.source.name)
        end = filled + len(self._tail)
        buffer[filled:end] = self._tail
        yield from self._hand_out(buffer[:end], 0)
        digest(buffer[begin:filled])
        self._sha256 = hashed.hexdigest() if self._digest else ""

    def _read(self, stream: Stream, into: memoryview) -> int:
        try:
            return stream.readinto(into) or 0
        except OSError as error:
            raise SourceTrouble(
                Failure(
                    Kind.FILE_UNREADABLE,
                    f"{self.source.name}: {error.strerror or error}",
                    "Check the disk or the share that the file is on.",
                )
            ) from None

    def _hand_out(self, piece: memoryview, left: int) -> Iterator[memoryview]:
        if self._pace:
            self._pace(len(piece))
        yield piece
        self.sent += len(piece) - self._ahead
        self._ahead = 0
        if self._on_bytes:
            of_file = self.source.size - left
            if of_file != self._told:
                self._on_bytes(of_file - self._told)
                self._told = of_file
