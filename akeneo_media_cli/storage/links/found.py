"""The result of following a link: what is there, its bytes, or why not."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import NamedTuple, Protocol

from ...errors import Failure, Kind
from ...link import Link
from ...pim.errors import SourceTrouble
from ...pim.http.source import Stream
from ...wording import count as counted

HEAD = 16 * 1024
"""Bytes that are asked for to look at a file: enough to tell what it is."""
SLOWEST = 1000
"""Bytes a second: a source that is slower than this for a whole timeout is given up."""

_HEX = re.compile(r"(?<![0-9a-z])[0-9a-f]{6,16}(?![0-9a-z])")
_MOST_DIGITS = 18
_LARGEST = 2**63
"""What the ledger keeps of a number."""
_AGAIN = "Check that the link opens in a browser, then run the same command again."


class Found(NamedTuple):
    """What is there. `size` in bytes and `version` are None if the source does not say.

    `version` is a number that differs for different content: made of an ETag if there is one, else the
    time of the last change in nanoseconds since 1970. `head` are the first bytes, where they came along.
    `name` and `content_type`: what the source calls the file, where it does.
    `dated`: the version is only a time, which the file behind another link may share.
    """

    size: int | None
    version: int | None
    head: bytes | None = None
    dated: bool = False
    name: str | None = None
    content_type: str | None = None

    def at(self, path: str) -> Found:
        """The same, with a version that no file at another path has."""
        if self.version is None or not self.dated:
            return self
        return self._replace(version=_digested(f"{self.version} {path}"), dated=False)


class Opened(NamedTuple):
    """A link's bytes, from the first; `stream` raises SourceTrouble if they are incomplete."""

    stream: Stream
    found: Found


class Follower(Protocol):
    """Follows links of some kinds. For any number of threads. All but `close` raise SourceTrouble."""

    def look(self, link: Link, shown: str) -> Found:
        """What is there, at the cost of its first bytes at most. `shown` is the link as messages name it."""
        ...

    def open(self, link: Link, shown: str) -> Opened:
        """Its bytes; to be closed by the caller."""
        ...

    def unchanged(self, link: Link, shown: str, found: Found) -> bool:
        """After everything was read: is what was `found` still there? True if that need not be checked."""
        ...

    def close(self) -> None:
        """Close the connections."""
        ...


class Patience:
    """Gives up on a source that sends too slowly, even if it never pauses.

    Only time spent waiting for the source counts, not time spent waiting for the PIM.
    """

    def __init__(self, shown: str, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        """`seconds` is how long a source may be silent; `clock` gives monotonic seconds."""
        self._shown = shown
        self._seconds = seconds
        self._clock = clock
        self._waited = 0.0
        self._came = 0
        self.longest = 0.0
        """The longest wait for a single piece, in seconds."""

    def read(self, read: Callable[[], int]) -> int:
        """The number that `read` gives: bytes that came. Raises SourceTrouble where they are too few."""
        began = self._clock()
        count = read()
        took = self._clock() - began
        self.longest = max(self.longest, took)
        self._waited += took
        self._came += count
        if self._waited >= self._seconds:
            if self._came < SLOWEST * self._waited:
                raise trouble(
                    f"{self._shown} sends {counted(round(self._came / self._waited), 'byte')} a second"
                )
            self._waited, self._came = 0.0, 0
        return count


def length_of(told: str | int | None) -> int | None:
    """A length in bytes as a source reports it; None if it is missing or larger than any file."""
    text = str(told).strip() if told is not None else ""
    # Python does not parse more digits, and the ledger could not store the number.
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS else None


def version_of(etag: str | None, changed: object = None) -> int | None:
    """`Found.version` from what a source reports: an ETag or the like, and a time (text, number or datetime).

    The ETag counts if there is one: times are often those of a copy.
    """
    if etag:
        return _digested(etag.strip().removeprefix("W/"))
    if isinstance(changed, str):
        try:
            changed = parsedate_to_datetime(changed)
        except (ValueError, TypeError, IndexError, OverflowError):
            return _digested(str(changed)) if changed else None
    if isinstance(changed, datetime):
        if changed.tzinfo is None:
            changed = changed.replace(tzinfo=UTC)
        changed = changed.timestamp()
    if not isinstance(changed, (int, float)):
        return None
    # Some sources report years after 2262, to mean "for ever".
    plain = abs(changed) < _LARGEST / 1e9
    return round(changed * 1_000_000) * 1000 if plain else _digested(str(changed))


def only_dated(etag: str | None, changed: str | None) -> bool:
    """Is what a source reports only a time? ETags of nginx and Apache are that and the size, in hex."""
    if not etag:
        return bool(changed)
    moment = version_of(None, changed)
    told = [int(part, 16) for part in _HEX.findall(etag.lower())]
    return moment is not None and any(moment // 10**9 in (each, each // 10**6) for each in told)


def _digested(text: str) -> int:
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


def trouble(message: str, hint: str = _AGAIN, status: int | None = None) -> SourceTrouble:
    """Temporary trouble: worth a retry."""
    return SourceTrouble(Failure(Kind.SOURCE_TROUBLE, message, hint, status), passing=True)


def gone(shown: str, status: int | None = None) -> SourceTrouble:
    """There is no such file."""
    return SourceTrouble(
        Failure(Kind.FILE_MISSING, f"{shown} does not exist", "Fix the link in the manifest.", status)
    )


def empty(shown: str) -> SourceTrouble:
    """It is empty."""
    return SourceTrouble(Failure(Kind.FILE_EMPTY, f"{shown} is empty (0 bytes)", "put the file there again"))


def withheld(shown: str, why: str, hint: str, status: int | None = None) -> SourceTrouble:
    """Access is denied."""
    return SourceTrouble(
        Failure(Kind.FILE_UNREADABLE, f"{shown} cannot be read: access denied ({why})", hint, status)
    )
