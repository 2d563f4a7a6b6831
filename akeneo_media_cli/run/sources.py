"""Where the bytes of planned rows come from: a file's path, or a member of a ZIP."""

from __future__ import annotations

import hashlib
import os
import stat
from typing import IO

from ..errors import Failure, Kind
from ..manifest.archive import (
    TROUBLE,
    Archive,
    UnsafeArchiveError,
    identity,
    open_archive,
    split_member_path,
)
from ..pim.errors import SourceTrouble
from ..pim.multipart import PathSource, Source, Stream

_PIECE = 1024 * 1024


class NotAFileError(Exception):
    """A folder, pipe or device is where a file was."""


class MemberSource:
    """A member of a ZIP, unpacked as it is sent. Its `mtime_ns` is its checksum."""

    def __init__(self, archive: str, name: str) -> None:
        """Raises SourceTrouble: FILE_MISSING, FILE_UNREADABLE."""
        self._member = name
        try:
            self._archive: Archive = open_archive(archive)
        except FileNotFoundError:
            raise _trouble(Kind.FILE_MISSING, f"{archive} is not there") from None
        except (OSError, UnsafeArchiveError) as error:
            raise _trouble(Kind.FILE_UNREADABLE, f"{archive}: {error}") from None
        info = self._archive.member(name)
        if info is None:
            raise _trouble(Kind.FILE_MISSING, f"{name} is not in {archive} any more")
        self.size = info.file_size
        self.mtime_ns = info.CRC
        self.name = name.rpartition("/")[2]

    def open(self) -> Stream:
        """Raises SourceTrouble: FILE_UNREADABLE."""
        try:
            return _Unpacked(self._archive.open(self._member), self.name)
        except (OSError, *TROUBLE) as error:
            raise _trouble(Kind.FILE_UNREADABLE, f"{self.name} cannot be unpacked: {error}") from None

    def changed(self, stream: Stream) -> bool:
        """Is the archive no longer the one that was opened? The content has its own checksum."""
        try:
            return identity(os.stat(self._archive.path)) != self._archive.identity  # noqa: PTH116
        except OSError:
            return True


class _Unpacked:
    """A member that is being read; what is wrong with the ZIP is the row's trouble."""

    def __init__(self, packed: IO[bytes], name: str) -> None:
        self._packed = packed
        self._name = name

    def readinto(self, buffer: memoryview, /) -> int | None:
        try:
            return self._packed.readinto(buffer)  # type: ignore[attr-defined, no-any-return]
        except TROUBLE as error:
            raise _trouble(Kind.FILE_UNREADABLE, f"{self._name} cannot be unpacked: {error}") from None

    def close(self) -> None:
        self._packed.close()


def source_of(path: str) -> PathSource | MemberSource:
    """What is at a planned row's path. Raises SourceTrouble."""
    member = split_member_path(path)
    return PathSource(path) if member is None else MemberSource(*member)


def state_of(path: str) -> tuple[int, int]:
    """The size and time of what is at a planned row's path. Raises OSError and NotAFileError."""
    if split_member_path(path) is None:
        found = os.stat(path)  # noqa: PTH116
        if not stat.S_ISREG(found.st_mode):
            raise NotAFileError("it is no file any more")
        return found.st_size, found.st_mtime_ns
    try:
        source = source_of(path)
    except SourceTrouble as trouble:
        failure = trouble.failure
        gone = failure.kind is Kind.FILE_MISSING
        raise (FileNotFoundError if gone else OSError)(failure.message) from None
    return source.size, source.mtime_ns


def file_sha256(path: str | None) -> str | None:
    """SHA-256 in hex of what is at a planned row's path; None where it cannot be read."""
    digest = hashlib.sha256()
    buffer = memoryview(bytearray(_PIECE))
    try:
        source: Source = source_of(path or "")
        stream = source.open()
        try:
            while count := stream.readinto(buffer):
                digest.update(buffer[:count])
        finally:
            stream.close()
    except (OSError, SourceTrouble):
        return None
    return digest.hexdigest()


def _trouble(kind: Kind, message: str) -> SourceTrouble:
    return SourceTrouble(Failure(kind, message, "Export it again, and leave it alone while it is sent."))
