"""How long to wait before a retry, and for a request without an answer. What is retried is decided in
`handlers/retrying`."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ..ledger.model import SETTLE_LEAST
from ..pim.errors import Trouble

Random = Callable[[], float]
"""Gives numbers from 0 up to, not including, 1: `random.random`, or a test's own."""

BASE = 0.5
CAP = 30.0
PROBE_CAP = 60.0
LONGEST_RETRY_AFTER = 3600.0
SETTLE_TIMES = 4.0
"""A request whose answer was lost counts as over after this many times the slowest save seen."""
SETTLE_MOST = 180.0
_NEWS = 1.2
"""By so much must it be longer than is known, so that a run that gets slower writes it down a few times."""


def pause(failures: int, random: Random) -> float:
    """Seconds before a row's next try after so many failed ones: exponential, with full jitter and a cap.

    Full jitter spreads out rows that failed together, so that they do not come back together.
    """
    return random() * min(CAP, BASE * float(2 ** min(failures, 16)))


def probe_pause(failures: int, random: Random) -> float:
    """Seconds before the next probe of a PIM that is down: at least half of a doubling pause."""
    longest = min(PROBE_CAP, 2.0 * BASE * float(2 ** min(failures, 16)))
    return longest / 2 + random() * longest / 2


def settling(slowest: float, lines: int = 1, single: float = 0.0) -> float:
    """Seconds until a request whose answer was lost counts as over, by the slowest save seen, in seconds.

    A batch of many `lines` is given what they would take one by one, by the slowest `single` save that was
    answered (docs/pim-behaviour.md, "Batch PATCH").
    """
    return min(SETTLE_MOST, max(SETTLE_LEAST, SETTLE_TIMES * slowest, lines * single))


class SaveTimes:
    """Tells the next run how long this one's requests may still be at work, should it die. Thread-safe.

    That goes by the slowest save so far, one that has no answer yet included.
    """

    def __init__(self, clock: Callable[[], float], settles_after: Callable[[float], None]) -> None:
        """`clock` gives monotonic seconds; `settles_after` writes seconds down (`Run.settles_after`)."""
        self._clock = clock
        self._settles_after = settles_after
        self._lock = threading.Lock()
        self._longest = SETTLE_LEAST
        self._single = 0.0
        self._at_work: dict[object, Callable[[], float]] = {}

    @contextmanager
    def saving(self, since: Callable[[], float] | None = None, *, lines: int = 1) -> Iterator[None]:
        """While a request is made for which the PIM saves something; `since`: when its last byte went out.

        `lines`: how many entities are saved one after the other.
        """
        began, request = self._clock(), object()
        since = since or (lambda: began)
        with self._lock:
            self._at_work[request] = since
        self._write(settling(0.0, lines, self._single))
        took = 0.0
        try:
            yield
            took = self._clock() - since()
            if lines == 1:
                self._single = max(self._single, took)
        except Trouble as trouble:
            took = self._clock() - since() if trouble.maybe_done else 0.0
            raise
        finally:
            with self._lock:
                del self._at_work[request]
            self._write(settling(took))

    def look(self) -> None:
        """Count those that have no answer yet."""
        with self._lock:
            longest = max((self._clock() - since() for since in self._at_work.values()), default=0.0)
        self._write(settling(longest))

    def _write(self, after: float) -> None:
        with self._lock:
            news = after >= _NEWS * self._longest
            if news:
                self._longest = after
        if news:
            self._settles_after(after)
