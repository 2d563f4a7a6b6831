"""A link as the source of an upload: streamed through where its length is known, else kept on disk first."""

from __future__ import annotations

from collections.abc import Callable

from ...link import Link
from ...pim.errors import SourceTrouble
from ...pim.http.source import Stream, changed_while_sent
from . import found as f
from .ending import WatchedEnd
from .found import Follower, Opened
from .temp import Held, Room

_PIECE = 256 * 1024
SLOW = 5.0
"""If no byte came for so many seconds, a PIM that gave up may have waited for us."""


class LinkSource:
    """What a link leads to, as it was when this was made. To be closed; not for two threads at once."""

    def __init__(self, follower: Follower, link: Link, shown: str, room: Room, path: str) -> None:
        """`path` stands for the link in the ledger. Raises SourceTrouble."""
        self._follower = follower
        self._link = link
        self._shown = shown
        self._path = path
        self.name = link.name
        self.watched = True
        """Is the file checked for completeness? Turn it off before it is opened."""
        self._held: Held | None = None
        self._opened: Opened | None = follower.open(link, shown)
        self._found = self._opened.found
        self._current: Stream | None = None
        if self._found.size is None:
            self._held = room.hold(self._fetch, shown)
            self._found = self._found._replace(size=self._held.size)
        if not self.size:
            self.close()
            raise f.empty(shown)

    @property
    def size(self) -> int:
        """Bytes."""
        return self._found.size or 0

    stamp: int | None = None

    @property
    def mtime_ns(self) -> int | None:
        """A number that stands for its last change; None if the source does not report one."""
        return self._found.at(self._path).version

    @property
    def slow(self) -> bool:
        """Was it so slow that the PIM may have timed out waiting for us?"""
        patience = getattr(self._current, "patience", None)
        return patience is not None and patience.longest >= SLOW

    def open(self) -> Stream:
        """Raises SourceTrouble, also if it has changed."""
        if self._held is not None:
            self._held.file.seek(0)
            self._current = _Kept(self._held)
            return WatchedEnd(self._current, self.size, self._shown) if self.watched else self._current
        opened, self._opened = self._opened, None
        if opened is None:
            opened = self._follower.open(self._link, self._shown)
            if opened.found[:2] != self._found[:2]:
                opened.stream.close()
                raise changed_while_sent(self._shown)
        self._current = opened.stream
        return WatchedEnd(opened.stream, self.size, self._shown) if self.watched else opened.stream

    def changed(self, stream: Stream) -> bool:
        """Asks the source once more where its bytes came by several requests."""
        return self._held is None and not self._follower.unchanged(self._link, self._shown, self._found)

    def close(self) -> None:
        """Release everything; harmless when closed."""
        if self._opened is not None:
            self._opened.stream.close()
            self._opened = None
        if self._held is not None:
            self._held.close()

    def _fetch(self, take: Callable[[memoryview], None]) -> None:
        opened, self._opened = self._opened, None
        if opened is None:
            opened = self._follower.open(self._link, self._shown)
        self._found = opened.found
        try:
            buffer = memoryview(bytearray(_PIECE))
            while count := opened.stream.readinto(buffer):
                take(buffer[:count])
            if not self._follower.unchanged(self._link, self._shown, opened.found):
                raise changed_while_sent(self._shown)
        finally:
            opened.stream.close()


class _Kept:
    """The temporary file as a stream: it stays when the stream is closed."""

    def __init__(self, held: Held) -> None:
        self._held = held

    def readinto(self, buffer: memoryview, /) -> int:
        count: int = self._held.file.readinto(buffer)  # type: ignore[attr-defined]
        return count

    def close(self) -> None:
        """The source closes it."""


def too_slow(source: object, trouble: Exception) -> SourceTrouble | None:
    """Did the PIM time out because of the source? Then the row's trouble; None: the PIM's."""
    if not isinstance(source, LinkSource) or not source.slow:
        return None
    return f.trouble(
        f"{source._shown} came so slowly that the PIM gave up: {trouble}",
        "Download the file first, and name its path.",
    )
