"""Where the bytes of an upload come from, and how a change of them while they are sent is noticed."""

from __future__ import annotations

import os
import stat
from typing import Protocol

from ...errors import Failure, Kind
from ..errors import SourceTrouble


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
        """Release what is held beside the streams, which are closed by themselves."""
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
        self.stamp: int | None = stamp_of(found)
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


def stamp_of(found: os.stat_result) -> int:
    """Inode and change time as one number: it distinguishes files of the same size and time."""
    return (found.st_ctime_ns ^ found.st_ino << 20) & 2**63 - 1


def _identity(found: os.stat_result) -> tuple[int, int, int, int]:
    return found.st_size, found.st_mtime_ns, found.st_dev, found.st_ino


def _open_at_once(path: str, flags: int) -> int:
    # A pipe that took the file's place meanwhile would hold an ordinary open() for ever.
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _unreadable(path: str, error: OSError | ValueError) -> SourceTrouble:
    if isinstance(error, (FileNotFoundError, NotADirectoryError)):
        return SourceTrouble(
            Failure(Kind.FILE_MISSING, f"{path} does not exist", "Check the path, or put the file there.")
        )
    reason = getattr(error, "strerror", None) or str(error)
    return SourceTrouble(
        Failure(Kind.FILE_UNREADABLE, f"{path}: {reason}", "Check that this user may read the file.")
    )


def changed_while_sent(name: str) -> SourceTrouble:
    """For any source: the bytes read are not from one version of the file, and the PIM took none of them."""
    return SourceTrouble(
        Failure(
            Kind.FILE_CHANGED,
            f"{name} changed while it was being sent; the PIM was given nothing",
            "Run the command again when nothing writes to the file any more.",
        )
    )
