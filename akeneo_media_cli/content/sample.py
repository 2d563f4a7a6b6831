"""A file's bytes as the checks read them: little by little, and only as far as they can be had."""

from __future__ import annotations

from collections.abc import Callable
from typing import BinaryIO

FIRST = 4096
"""Bytes that are read first: enough for all but texts, office files and the ends of files."""
TEXT = 65536
"""Bytes of a file that PHP looks at to decide whether it is text."""


class TooFarError(Exception):
    """A check needs bytes that are not at hand: what a link leads to is not downloaded for a check."""


class Sample:
    """The bytes of one file.

    `read(offset, count)` gives up to `count` bytes. `known` is how far it can read from the start where that
    is less than the whole file; `size` is the file's size in bytes, None where it is not known.
    """

    def __init__(
        self, read: Callable[[int, int], bytes], size: int | None, *, known: int | None = None
    ) -> None:
        self.size = size
        self._read = read
        self._known = known
        self._start = b""
        self._all = False

    @staticmethod
    def of(data: bytes) -> Sample:
        """A sample of a whole file in memory."""
        return Sample.beginning(data, len(data))

    @staticmethod
    def beginning(data: bytes, size: int | None) -> Sample:
        """The beginning of a file whose size may not be known; with a size of `len(data)` it is all of it."""
        whole = size is not None and size <= len(data)
        return Sample(
            lambda offset, count: data[offset : offset + count], size, known=None if whole else len(data)
        )

    @staticmethod
    def file(file: BinaryIO, size: int) -> Sample:
        """A sample of an open file of `size` bytes."""

        def read(offset: int, count: int) -> bytes:
            file.seek(offset)
            return file.read(count)

        return Sample(read, size)

    def start(self, count: int = FIRST) -> bytes:
        """The first `count` bytes, fewer only where the file ends. Raises TooFarError, OSError."""
        if count > len(self._start) and not self._all:
            if self._known is not None and count > self._known:
                raise TooFarError
            self._start = self._read(0, count)
            self._all = len(self._start) < count
        return self._start[:count] if len(self._start) > count else self._start

    def head(self) -> bytes:
        """The first FIRST bytes, or as many of them as are at hand. Raises OSError."""
        return self.start(FIRST if self._known is None else min(FIRST, self._known))

    def at(self, offset: int, count: int) -> bytes:
        """Up to `count` bytes from `offset`; fewer where the file ends. Raises TooFarError, OSError."""
        if offset < 0:
            return b""
        end = offset + count
        if end <= len(self._start):
            return self._start[offset:end]
        if self._known is not None and (self.size is None or min(end, self.size) > self._known):
            raise TooFarError
        return self._read(offset, count)
