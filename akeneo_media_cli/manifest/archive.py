"""ZIP archives whose members are read where they are: opened once, refused whole where they are not safe."""

from __future__ import annotations

import contextlib
import os
import posixpath
import stat
import threading
import unicodedata
import zipfile
import zlib
from collections import OrderedDict
from typing import IO

from ..suggest import nearest

_MOST_MEMBERS = 1_000_000
MOST_RATIO = 200
"""So many bytes may come out of one; real tables and sheets stay below 30."""
HARMLESS = 10_000_000
"""Bytes; what unpacks to less than this is not a bomb, however small it was packed."""
_HEADER = 30
_IS_UTF8 = 0x800
_KEPT_OPEN = 4
_MOST_SEARCHES = 50  # for a name like one that is missing: each goes through a million members
_MOST_COMPARED = 5_000
_PREFIX, _MARK = "zip:", "!/"

TROUBLE = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError)
"""What reading a member may raise beside OSError."""


class UnsafeArchiveError(Exception):
    """The archive is damaged or could do harm; the text says why."""


class Archive:
    """An open ZIP whose members several threads may read. Its directory is in memory, its files are not.

    A member is found by its name however accents are encoded: macOS takes them apart (NFD), and packs UTF-8
    without saying so. Names have `/`, also those that a program on Windows wrote with `\\`.
    """

    def __init__(self, path: str) -> None:
        """Raises UnsafeArchiveError and OSError."""
        self.path = path
        if not stat.S_ISREG(os.stat(path).st_mode):  # noqa: PTH116
            raise UnsafeArchiveError("it is not a file")
        try:
            self._zip = zipfile.ZipFile(path)
        except TROUBLE as error:
            raise UnsafeArchiveError(f"it is not a ZIP file, or damaged ({error})") from None
        try:
            assert self._zip.fp is not None
            self.identity = identity(os.fstat(self._zip.fp.fileno()))
            self._members = _checked(self._zip, self.identity[0])
            self._composed = {_composed(name): name for name in self._members if not name.isascii()}
            self._searches = 0
        except UnsafeArchiveError:
            self.close()
            raise

    def names(self) -> list[str]:
        """The members that are files."""
        return list(self._members)

    def member(self, name: str) -> zipfile.ZipInfo | None:
        """A file by its whole name; None if there is none."""
        return self._members.get(name) or self._members.get(self._composed.get(_composed(name), ""))

    def nearest(self, name: str) -> str | None:
        """The member that was probably meant by a name that none has; None after some dozens of searches."""
        self._searches += 1
        if self._searches > _MOST_SEARCHES:
            return None
        folder, wanted = posixpath.dirname(name), _composed(name).casefold()
        beside: dict[str, str] = {}
        for other in self._members:
            folded = _composed(other).casefold()
            if folded == wanted:
                return other
            if len(beside) < _MOST_COMPARED and posixpath.dirname(other) == folder:
                beside[posixpath.basename(folded)] = other
        near = nearest(posixpath.basename(wanted), beside, cutoff=0.7)
        return beside[near] if near else None

    def open(self, name: str) -> IO[bytes]:
        """A member's content, unpacked as it is read. Raises OSError and `TROUBLE`, then or while reading."""
        info = self.member(name)
        if info is None:
            raise FileNotFoundError(name)
        return self._zip.open(info)

    def close(self) -> None:
        """Close it; members that are being read stay readable."""
        self._zip.close()


def identity(found: os.stat_result) -> tuple[int, int, int, int]:
    """What shows whether a path still leads to the same, unchanged archive."""
    return found.st_size, found.st_mtime_ns, found.st_dev, found.st_ino


_open: OrderedDict[tuple[str, tuple[int, int, int, int]], Archive] = OrderedDict()
_lock = threading.Lock()


def open_archive(path: str) -> Archive:
    """The archive at `path` as it is now. The last few stay open, as a directory may have a million entries.

    Raises UnsafeArchiveError and OSError.
    """
    key = path, identity(os.stat(path))  # noqa: PTH116
    with _lock:
        archive = _open.get(key)
        if archive is None:
            archive = _open[key] = Archive(path)
            # Not closed: another thread may be about to read from it. It closes when nobody has it any more.
            if len(_open) > _KEPT_OPEN:
                _open.popitem(last=False)
        _open.move_to_end(key)
        return archive


def member_path(archive: str, name: str) -> str:
    """A member's place as one text, for the ledger; no file's path is like it, as those are absolute."""
    return f"{_PREFIX}{archive}{_MARK}{name}"


def split_member_path(path: str) -> tuple[str, str] | None:
    """The archive and the member's name; None for the path of a file."""
    if not path.startswith(_PREFIX):
        return None
    archive, _, name = path[len(_PREFIX) :].partition(_MARK)
    return archive, name


def _checked(archive: zipfile.ZipFile, size: int) -> dict[str, zipfile.ZipInfo]:
    infos = archive.infolist()
    if len(infos) > _MOST_MEMBERS:
        raise UnsafeArchiveError(f"it has more than {_MOST_MEMBERS:,} members")
    members: dict[str, zipfile.ZipInfo] = {}
    for info in infos:
        _check_member(info)
        name = _name_of(info)
        if name in members:
            raise UnsafeArchiveError(f"it has two members named {name!r}")
        if not name.endswith("/"):
            members[name] = info
    unpacked = sum(info.file_size for info in members.values())
    if is_bomb(unpacked, size):
        raise UnsafeArchiveError(f"{size:,} bytes unpack to {unpacked:,}")
    end = 0
    for info in sorted(members.values(), key=lambda info: info.header_offset):
        if info.header_offset < end:
            raise UnsafeArchiveError(f"{info.filename!r} overlaps another member")
        end = info.header_offset + _HEADER + info.compress_size
    return members


def is_bomb(unpacked: int, packed: int) -> bool:
    """Is it far more than so many packed bytes would make if they were somebody's files?"""
    return unpacked > max(HARMLESS, MOST_RATIO * packed)


def _name_of(info: zipfile.ZipInfo) -> str:
    """A member's name; UTF-8 where it can be, whether or not the packer said so."""
    name = info.filename
    if not name.isascii() and not info.flag_bits & _IS_UTF8:
        with contextlib.suppress(UnicodeError):
            name = name.encode("cp437").decode("utf-8")
    return name.replace("\\", "/")


def _composed(name: str) -> str:
    return name if name.isascii() else unicodedata.normalize("NFC", name)


def _check_member(info: zipfile.ZipInfo) -> None:
    name = info.orig_filename
    parts = name.replace("\\", "/").split("/")
    if not name or "\0" in name or parts[0] == "" or ".." in parts or ":" in parts[0]:
        raise UnsafeArchiveError(f"the path {name!r} leads out of it")
    if info.flag_bits & 0x1:
        raise UnsafeArchiveError("it is encrypted")
    mode = info.external_attr >> 16
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise UnsafeArchiveError(f"{name!r} is a link or a device")
    if is_bomb(info.file_size, info.compress_size):
        raise UnsafeArchiveError(f"{name!r} unpacks to {info.file_size:,} bytes from {info.compress_size:,}")
