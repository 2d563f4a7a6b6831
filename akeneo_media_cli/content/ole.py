"""What an OLE file is to PHP: the office formats of before 2007, and new ones that are encrypted.

An OLE file is a small file system: sectors, a table that chains them (the FAT), and a directory of streams.
Streams under 4 KiB lie in a stream of their own, in smaller sectors with their own table.
"""

from __future__ import annotations

from collections.abc import Callable
from struct import error as StructError  # noqa: N812 - the name it has in struct
from struct import unpack_from
from typing import NamedTuple

from .sample import Sample

MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"

_ENTRY = 128
_MOST_SECTORS = 256
"""Sectors of one chain that are followed: a directory has a few, a summary one."""
_MINI = 64
_SMALL = 4096
_SUMMARY = "\x05SummaryInformation"
_APPLICATION_ID = 18
_LONGEST = 4096

_APPLICATIONS = (("word", "msword"), ("excel", "vnd.ms-excel"), ("powerpoint", "vnd.ms-powerpoint"))
_NAMES = (("book", "vnd.ms-excel"), ("worddocument", "msword"), ("powerpoint", "vnd.ms-powerpoint"))
_STREAMS = (
    ("EncryptedPackage", "encrypted"),
    ("Book", "vnd.ms-excel"),
    ("Workbook", "vnd.ms-excel"),
    ("WordDocument", "msword"),
    ("PowerPoint", "vnd.ms-powerpoint"),
    ("__properties_version1.0", "vnd.ms-outlook"),
)


class _Stream(NamedTuple):
    name: str
    start: int
    size: int


def ole_type(sample: Sample) -> str:
    """The type of a file that begins with MAGIC. Raises TooFarError, OSError."""
    try:
        file = _Ole(sample)
        streams = file.directory()
    except (StructError, ValueError):
        return "application/CDFV2"
    summary = next((each for each in streams if each.name == _SUMMARY), None)
    kind = None
    if summary is not None:
        kind = _by_application(file, summary) or _by_name(streams) or "vnd.ms-office"
    else:
        names = {each.name for each in streams}
        kind = next((mime for name, mime in _STREAMS if name in names), None)
    return f"application/{kind or 'CDFV2'}"


def _by_application(file: _Ole, summary: _Stream) -> str | None:
    try:
        told = _application(file.read(summary)).lower()
    except (StructError, ValueError):
        return None
    return next((mime for word, mime in _APPLICATIONS if word in told), None)


def _by_name(streams: list[_Stream]) -> str | None:
    return next((mime for each in streams for word, mime in _NAMES if word in each.name.lower()), None)


def _application(properties: bytes) -> str:
    """The program that a summary names as its own; "" for none."""
    (section,) = unpack_from("<I", properties, 44)
    (count,) = unpack_from("<I", properties, section + 4)
    for number in range(min(count, 64)):
        key, offset = unpack_from("<II", properties, section + 8 + 8 * number)
        if key == _APPLICATION_ID:
            _, length = unpack_from("<II", properties, section + offset)
            text = properties[section + offset + 8 : section + offset + 8 + min(length, 256)]
            return text.partition(b"\0")[0].decode("latin-1")
    return ""


class _Ole:
    """Reads streams. Raises struct.error, ValueError for what is broken."""

    def __init__(self, sample: Sample) -> None:
        self._sample = sample
        head = sample.start(512)
        shift, mini_shift = unpack_from("<HH", head, 30)
        if not 7 <= shift <= 20 or mini_shift > shift:
            raise ValueError
        self._sector: int = 1 << shift
        self._mini_sector: int = 1 << mini_shift
        self._directory, _, self._mini_below, self._mini_table = unpack_from("<IIII", head, 48)
        self._tables = unpack_from("<109I", head, 76)
        self._root: _Stream | None = None

    def directory(self) -> list[_Stream]:
        """The streams and folders, as they are listed."""
        streams = []
        for sector in self._chain(self._directory, self._after):
            data = self._sample.at(self._at(sector), self._sector)
            for at in range(0, len(data) - _ENTRY + 1, _ENTRY):
                (length,) = unpack_from("<H", data, at + 64)
                name = data[at : at + max(min(length, 64) - 2, 0)].decode("utf-16-le", "replace")
                start, size = unpack_from("<II", data, at + 116)
                if data[at + 66]:
                    streams.append(_Stream(name, start, size))
        if not streams:
            raise ValueError
        self._root = streams[0]
        return streams

    def read(self, stream: _Stream) -> bytes:
        """The stream's first 4 KiB."""
        if stream.size >= self._mini_below or self._root is None:
            sectors = self._chain(stream.start, self._after, _LONGEST // self._sector + 1)
            return b"".join(self._sample.at(self._at(sector), self._sector) for sector in sectors)
        holder = self._chain(self._root.start, self._after)
        table = self._chain(self._mini_table, self._after)
        per = self._sector // self._mini_sector
        minis = self._chain(
            stream.start,
            lambda mini: self._number(table[mini * 4 // self._sector], mini * 4 % self._sector),
            _LONGEST // self._mini_sector,
        )
        return b"".join(
            self._sample.at(self._at(holder[mini // per]) + mini % per * self._mini_sector, self._mini_sector)
            for mini in minis
            if mini // per < len(holder)
        )

    def _at(self, sector: int) -> int:
        return (sector + 1) * self._sector

    def _after(self, sector: int) -> int:
        table = sector * 4 // self._sector
        if table >= len(self._tables):
            raise ValueError
        return self._number(self._tables[table], sector * 4 % self._sector)

    def _number(self, sector: int, offset: int) -> int:
        return int.from_bytes(self._sample.at(self._at(sector) + offset, 4), "little")

    def _chain(self, start: int, after: Callable[[int], int], most: int = _MOST_SECTORS) -> list[int]:
        found: list[int] = []
        seen: set[int] = set()
        while start < 0xFFFFFFFA and len(found) < most:
            if start in seen:
                raise ValueError
            seen.add(start)
            found.append(start)
            try:
                start = after(start)
            except IndexError:
                break
        return found
