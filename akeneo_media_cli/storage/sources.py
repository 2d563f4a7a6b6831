"""Where the bytes of planned rows come from: a file's path, a member of a ZIP, a link."""

from __future__ import annotations

import hashlib
import os
import stat
import threading
from collections import OrderedDict, deque
from collections.abc import Iterable
from contextlib import closing, suppress
from typing import IO, Protocol

from ..content.sample import Sample
from ..errors import Failure, Kind
from ..link import is_link
from ..manifest.archive import TROUBLE, Archive, UnsafeArchiveError, identity, open_archive, split_member_path
from ..pim.errors import SourceTrouble
from ..pim.http.source import PathSource, Stream, stamp_of
from ..rows import Row
from . import check_found
from .content import USUAL, ContentChecks, PhpTypes, php_types, types_of
from .links import Found, Links, LinkSource
from .links.naming import named

_PIECE = 1024 * 1024
LOOKS = 16
"""How many links are looked at in parallel: most of the time is spent waiting for their hosts."""
REMEMBERED = 20_000
"""How many links' results are cached."""


class LinkedFile(Protocol):
    """What is known of a planned row's file; `size` is in bytes, `mtime_ns` in nanoseconds since 1970."""

    seq: int
    row: Row
    name: str
    path: str | None
    size: int | None
    mtime_ns: int | None


class NotAFileError(Exception):
    """A folder, pipe or device is in the file's place."""


class MemberSource:
    """A member of a ZIP, unpacked as it is sent. Its `mtime_ns` is its checksum."""

    stamp: int | None = None

    def __init__(self, archive: str, name: str) -> None:
        """Raises SourceTrouble: FILE_MISSING, FILE_UNREADABLE."""
        self._member = name
        try:
            self._archive: Archive = open_archive(archive)
        except FileNotFoundError:
            raise _trouble(Kind.FILE_MISSING, f"{archive} does not exist") from None
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
        """Has the archive changed since it was opened? The content has its own checksum."""
        try:
            return identity(os.stat(self._archive.path)) != self._archive.identity  # noqa: PTH116
        except OSError:
            return True

    def close(self) -> None:
        """Archives stay open for the next member."""


class _Unpacked:
    """A member that is being read; a damaged ZIP is the row's trouble."""

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


AnySource = PathSource | MemberSource | LinkSource
"""A source with the time of its last change (`mtime_ns`); to be closed."""


class Sources:
    """Opens what planned rows name. For any number of threads."""

    def __init__(self, links: Links | None = None, checks: ContentChecks = USUAL) -> None:
        """`links` None: none are followed. `checks`: how the content of what they lead to is looked at."""
        self.links = links
        self._checks = checks
        self._lock = threading.Lock()
        self._known: OrderedDict[str, Found] = OrderedDict()

    def of(self, path: str) -> AnySource:
        """What is at a planned row's path. Raises SourceTrouble."""
        if self.links is not None and is_link(path):
            source = self.links.source(path)
            source.watched = not self._checks.allow_mismatch
            return source
        member = split_member_path(path)
        return PathSource(path) if member is None else MemberSource(*member)

    def checked(self, planned: LinkedFile) -> AnySource:
        """The file of a planned row, if it is still the one that was checked.

        Minutes or hours lie between the two: what is there now may be half written, or a symlink that leads
        out of the roots. A link's source compares versions itself. Raises SourceTrouble: FILE_CHANGED, and
        those of `of`.
        """
        path = planned.path or ""
        source = self.of(path)
        now, then = (source.size, source.mtime_ns), (planned.size, planned.mtime_ns)
        if planned.mtime_ns is None or is_link(path) or now == then:
            return source
        source.close()
        raise SourceTrouble(
            Failure(
                Kind.FILE_CHANGED,
                f"{planned.row.file} changed after it was checked; it was not sent",
                "Run the command again when nothing writes to the file any more.",
            )
        )

    def state(self, path: str) -> tuple[int, int, int | None]:
        """The size, time and stamp (`stamp_of`) of the file or member at a path.

        Raises OSError and NotAFileError.
        """
        if split_member_path(path) is None:
            found = os.stat(path)  # noqa: PTH116
            if not stat.S_ISREG(found.st_mode):
                raise NotAFileError("it is not a file any more")
            return found.st_size, found.st_mtime_ns, stamp_of(found)
        try:
            with closing(self.of(path)) as source:
                return source.size, source.mtime_ns or 0, None
        except SourceTrouble as trouble:
            failure = trouble.failure
            gone = failure.kind is Kind.FILE_MISSING
            raise (FileNotFoundError if gone else OSError)(failure.message) from None

    def sha256(self, path: str | None) -> str | None:
        """SHA-256 in hex of what is at a planned row's path; None where it cannot be read."""
        digest = hashlib.sha256()
        buffer = memoryview(bytearray(_PIECE))
        try:
            with closing(self.of(path or "")) as source, closing(source.open()) as stream:
                while count := stream.readinto(buffer):
                    digest.update(buffer[:count])
        except (OSError, SourceTrouble):
            return None
        return digest.hexdigest()

    def look(self, batch: Iterable[LinkedFile]) -> dict[int, SourceTrouble]:
        """Record size and time of the files behind links; the failures by seq.

        Files and members were looked at when they were planned.
        """
        linked = [p for p in batch if p.path is not None and p.mtime_ns is None and is_link(p.path)]
        if not linked:
            return {}
        found = self._look_at({planned.path or "" for planned in linked})
        troubles: dict[int, SourceTrouble] = {}
        for planned in linked:
            there = found[planned.path or ""]
            if isinstance(there, Found):
                planned.size, planned.mtime_ns = there.size, there.version
                if not planned.row.filename:
                    planned.name = named(planned.name, there.name, there.content_type)
                failure = check_found(planned.name, planned.row.file, there.size, there.head, self._checks)
                if failure is not None:
                    troubles[planned.seq] = SourceTrouble(failure)
            else:
                troubles[planned.seq] = there
        return troubles

    def php_types(self, planned: LinkedFile) -> PhpTypes | None:
        """The MIME type that PHP detects in a planned row's file; None if it is not needed or unknown."""
        path = planned.path
        if path is None or self._checks.allow_mismatch:
            return None
        if is_link(path):
            with self._lock:
                found = self._known.get(path)
            if found is None or found.head is None:
                return None
            return types_of(Sample.beginning(found.head, found.size))
        try:
            return php_types(path, planned.size or 0, planned.name)
        except (OSError, *TROUBLE, UnsafeArchiveError):
            # Sending it reports what is wrong.
            return None

    def close(self) -> None:
        """Close what links hold."""
        if self.links is not None:
            self.links.close()

    def _look_at(self, paths: set[str]) -> dict[str, Found | SourceTrouble]:
        """What is at each of the paths; many are looked at in parallel."""
        waiting = deque(sorted(paths))
        found: dict[str, Found | SourceTrouble] = {}

        defects: list[BaseException] = []

        def work() -> None:
            try:
                while waiting and not defects:
                    with suppress(IndexError):
                        path = waiting.popleft()
                        found[path] = self._look(path)
            except BaseException as error:
                defects.append(error)

        # Daemons: a second Ctrl-C must not wait for a silent host.
        lookers = [threading.Thread(target=work, daemon=True) for _ in range(min(LOOKS, len(paths)))]
        for looker in lookers:
            looker.start()
        for looker in lookers:
            looker.join()
        if defects:
            raise defects[0]
        return found

    def _look(self, path: str) -> Found | SourceTrouble:
        with self._lock:
            known = self._known.get(path)
        if known is not None:
            return known
        assert self.links is not None
        try:
            found = self.links.look(path)
        except SourceTrouble as trouble:
            return trouble
        with self._lock:
            self._known[path] = found
            if len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
        return found


def _trouble(kind: Kind, message: str) -> SourceTrouble:
    return SourceTrouble(Failure(kind, message, "Export it again, and do not change it while it is sent."))
