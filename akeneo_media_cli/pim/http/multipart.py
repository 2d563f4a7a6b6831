"""The body of an upload: streamed in constant memory, of exactly the length announced."""

from __future__ import annotations

import hashlib
import json
import mimetypes
import os
import stat
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, Protocol

from ...errors import Failure, Kind
from ...rows import php_basename
from ..errors import SourceTrouble

PIECE = 256 * 1024
"""Bytes handed out at once: larger gains nothing, smaller costs CPU (architecture.md, measured)."""


@dataclass(frozen=True)
class Place:
    """The value that a file is for, as `POST /media-files` and `/category-media-files` name it.

    `holder` is the form's field; `code` is the identifier of a product, the code of the others.
    """

    holder: Literal["product", "product_model", "category"]
    code: str
    attribute: str
    locale: str | None = None
    scope: str | None = None

    def as_json(self) -> str:
        """The field's content; categories have key names of their own (pim-facts B6.3)."""
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


class Stream(Protocol):
    """An opened source. `readinto` gives 0 at the end; it raises OSError or `SourceTrouble`."""

    def readinto(self, buffer: memoryview, /) -> int | None: ...

    def close(self) -> object: ...


class Source(Protocol):
    """Where the bytes come from: a path, a ZIP's member, a link. `size` in bytes is fixed when it is made."""

    @property
    def size(self) -> int: ...

    @property
    def name(self) -> str: ...

    def open(self) -> Stream:
        """A new stream from the first byte. Raises SourceTrouble, also where it is not what it was."""
        ...

    def changed(self, stream: Stream) -> bool:
        """Are the bytes read from `stream` no longer what the source holds now?"""
        ...

    def close(self) -> None:
        """Let go of what is held beside the streams, which are closed by themselves."""
        ...


class PathSource:
    """A regular file, taken as it was when this was made: size, time, device and inode."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Raises SourceTrouble: FILE_MISSING, FILE_UNREADABLE, FILE_NOT_REGULAR."""
        self.path = os.fspath(path)
        try:
            found = os.stat(path)  # noqa: PTH116 - on the way of every upload, and Path.stat costs twice
        except (OSError, ValueError) as error:
            raise _unreadable(self.path, error) from None
        if not stat.S_ISREG(found.st_mode):
            raise SourceTrouble(
                Failure(
                    Kind.FILE_NOT_REGULAR,
                    f"{self.path} is a folder, a pipe or a device",
                    "Name a regular file.",
                )
            )
        self._then = _identity(found)
        self.size = found.st_size
        self.mtime_ns = found.st_mtime_ns
        self.name = os.path.basename(self.path)  # noqa: PTH119 - Path costs ten times as much

    def open(self) -> Stream:
        """Raises SourceTrouble: FILE_MISSING, FILE_UNREADABLE, FILE_CHANGED."""
        try:
            stream = open(self.path, "rb", buffering=0, opener=_open_at_once)  # noqa: SIM115
        except OSError as error:
            raise _unreadable(self.path, error) from None
        if _identity(os.fstat(stream.fileno())) != self._then:
            stream.close()
            raise changed_while_sent(self.path)
        return stream

    def changed(self, stream: Stream) -> bool:
        """Compares what was opened, and what the path leads to now, with what it was at first."""
        try:
            opened = os.fstat(stream.fileno())  # type: ignore[attr-defined]
            now = os.stat(self.path)  # noqa: PTH116
        except OSError:
            return True
        return _identity(opened) != self._then or _identity(now) != self._then

    def close(self) -> None:
        """Nothing is held."""


def _identity(found: os.stat_result) -> tuple[int, int, int, int]:
    return found.st_size, found.st_mtime_ns, found.st_dev, found.st_ino


def _open_at_once(path: str, flags: int) -> int:
    # A pipe that took the file's place meanwhile would hold an ordinary open() for ever.
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _unreadable(path: str, error: OSError | ValueError) -> SourceTrouble:
    if isinstance(error, (FileNotFoundError, NotADirectoryError)):
        return SourceTrouble(
            Failure(Kind.FILE_MISSING, f"{path} is not there", "Check the path, or put the file there.")
        )
    reason = getattr(error, "strerror", None) or str(error)
    return SourceTrouble(
        Failure(Kind.FILE_UNREADABLE, f"{path}: {reason}", "Check that this user may read the file.")
    )


def changed_while_sent(name: str) -> SourceTrouble:
    """For any source: what was read does not belong together, and nothing of it was taken by the PIM."""
    return SourceTrouble(
        Failure(
            Kind.FILE_CHANGED,
            f"{name} changed while it was being sent; the PIM was given nothing",
            "Run again when nothing writes to the file any more.",
        )
    )


def safe_name(name: str) -> str:
    """A file name that PHP takes: no control characters, no bytes that are not UTF-8, no empty last part.

    An empty or undecodable name is answered 500 by the PIM (pim-facts A4).
    """
    if not (name.isascii() and name.isprintable()):
        name = "".join("_" if unicodedata.category(c) in ("Cc", "Cs") else c for c in name)
    if not php_basename(name):
        name = name.rstrip("/\\") + "_"
    return name


class FileBody:
    """A `multipart/form-data` body to hand to requests: one field if there is a `place`, then the file.

    Each iteration is a new try that opens the source again and starts from its first byte; the length
    stays what it was when the source was made. Before the last bytes go out the source is asked whether it
    changed; then they are withheld, so that the PIM drops the body whole (pim-facts A9), and SourceTrouble
    is raised. Not for use by two threads at once.
    """

    def __init__(
        self,
        source: Source,
        *,
        place: Place | None = None,
        filename: str | None = None,
        digest: bool = True,
        on_bytes: Callable[[int], None] | None = None,
        pace: Callable[[int], None] | None = None,
        piece: int = PIECE,
    ) -> None:
        """`filename`: what the PIM is to show, if not the source's own name.

        `on_bytes` hears how many bytes of the file went out, and a negative number when a new try takes
        back what the last one had sent. `pace` is called with the size of each piece before it goes out
        and may wait. `piece`: bytes handed out at once.
        """
        self.source = source
        self.place = place
        self.filename = safe_name(source.name if filename is None else filename)
        self.complete = False
        self.sent = 0
        self._digest = digest
        self._sha256 = ""
        self._told = 0
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
        if self.place:
            parts.append(
                f"--{boundary}\r\n"
                f'Content-Disposition: form-data; name="{self.place.holder}"\r\n\r\n'
                f"{self.place.as_json()}\r\n"
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
        """Pieces of one buffer, each to be sent before the next is asked for. Raises SourceTrouble.

        `sent` counts the bytes of pieces that were sent; `complete` says that the last one was.
        """
        self._start_again()
        stream = self.source.open()
        try:
            yield from self._pieces(stream)
        finally:
            stream.close()
        self.complete = True

    def _start_again(self) -> None:
        if self._told and self._on_bytes:
            self._on_bytes(-self._told)
        self._told = self.sent = 0
        self._sha256 = ""
        self.complete = False

    def _pieces(self, stream: Stream) -> Iterator[memoryview]:
        buffer = memoryview(bytearray(min(self._length, max(self._piece, len(self._head) + 1))))
        buffer[: len(self._head)] = self._head
        filled = len(self._head)
        left = self.source.size
        hashed = hashlib.sha256() if self._digest else None
        while left:
            count = self._read(stream, buffer[filled : filled + left])
            if not count:
                raise changed_while_sent(self.source.name)
            if hashed:
                hashed.update(buffer[filled : filled + count])
            filled += count
            left -= count
            if filled == len(buffer) and left:
                yield from self._hand_out(buffer, left)
                filled = 0
        if filled + len(self._tail) > len(buffer):
            yield from self._hand_out(buffer[:filled], left)
            filled = 0
        # The last look: without the closing boundary the PIM takes nothing.
        if self.source.changed(stream):
            raise changed_while_sent(self.source.name)
        if hashed:
            self._sha256 = hashed.hexdigest()
        end = filled + len(self._tail)
        buffer[filled:end] = self._tail
        yield from self._hand_out(buffer[:end], 0)

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
        self.sent += len(piece)
        if self._on_bytes:
            of_file = self.source.size - left
            if of_file != self._told:
                self._on_bytes(of_file - self._told)
                self._told = of_file
