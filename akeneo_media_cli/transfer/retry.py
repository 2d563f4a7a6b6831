"""How long to wait before a retry. What is retried is decided in `handlers/retrying`."""

from __future__ import annotations

from collections.abc import Callable

from ..ledger.model import SETTLE_LEAST

Random = Callable[[], float]
"""Gives numbers from 0 up to, not including, 1: `random.random`, or a test's own."""

BASE = 0.5
CAP = 30.0
PROBE_CAP = 60.0
LONGEST_RETRY_AFTER = 3600.0
SETTLE_TIMES = 4.0
"""A request whose answer was lost counts as over after this many times the slowest save seen."""
SETTLE_MOST = 180.0


def pause(failures: int, random: Random) -> float:
    """Seconds before a row's next try after so many failed ones: exponential, with full jitter and a cap.

    Full jitter spreads out rows that failed together, so that they do not come back together.
    """
    return random() * min(CAP, BASE * float(2 ** min(failures, 16)))


def probe_pause(failures: int, random: Random) -> float:
    """Seconds before the next probe of a PIM that is down: at least half of a doubling pause."""
    longest = min(PROBE_CAP, 2.0 * BASE * float(2 ** min(failures, 16)))
    return longest / 2 + random() * longest / 2


def settling(slowest: float) -> float:
    """Seconds until a request whose answer was lost counts as over, by the slowest save seen, in seconds."""
    return min(SETTLE_MOST, max(SETTLE_LEAST, SETTLE_TIMES * slowest))
