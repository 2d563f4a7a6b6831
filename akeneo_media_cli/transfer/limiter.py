"""How many requests may be in flight, and when none may.

The limiter lowers concurrency when the PIM throttles and raises it slowly after, so that a PIM that allows
fewer requests than were asked for is respected. It pauses all requests when the PIM names a time, and closes
when nothing gets through: then one probe at a time finds out whether the PIM is back.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field

from .retry import LONGEST_RETRY_AFTER, Random, probe_pause
from .task import Request, Troubled

FIRST_WIDENING = 8
LAST_WIDENING = 1024
RATE_OVER = 200
RATE_SECONDS = 2.0
RATE_FROM = 5
"""The rate at which requests get through is measured over so many seconds, from so many requests on."""
WINDOW = 8
"""Saves after which `Vegas` decides anew."""
MEMORY = 32
"""Saves that its mean for a number of requests remembers."""
FEW, MANY = 1.0, 2.0
"""Waiting saves below which it widens, and above which it narrows."""
SLOWER = 1.1
FASTER = 0.9
IN_VAIN = 8
"""So many refusals of paced requests, without as many successes in a row between them: it is not a limit of
requests a second that refuses, but one of several upstreams that is down, and no pace helps."""
QUICKEST, SLOWEST = 0.005, 1.0
"""Seconds between two requests below which there is no need for a pace, and above which none is slower."""


@dataclass(slots=True)
class _Troubles:
    """Requests of one sort that met trouble since one of that sort got through."""

    count: int = 0
    rows: set[object] = field(default_factory=set)

    def clear(self) -> None:
        self.count = 0
        self.rows.clear()


@dataclass(slots=True)
class Vegas:
    """Finds how many saves at once the PIM can take, from how long they take: `--concurrency auto`.

    A save takes `base` seconds where none waits for another. If each of n at once takes `mean` seconds, then
    n * (1 - base / mean) of them wait in the PIM: with less than one there is room for more, with more than
    two some only wait. That is the rule of TCP Vegas (Brakmo and Peterson, 1995) as a limiter of requests, in
    the way of `VegasLimit` in Netflix's concurrency-limits, its slow start included. It was chosen because a
    few dozen answers are enough for it. A gradient limiter compares averages over hundreds of answers, more
    than most runs have; one that widens until something fails (AIMD) would find the limit by failed uploads.

    `width` is the number found so far. No clock: it is told seconds.
    """

    most: int
    width: int = 1
    _doubling: bool = True
    _window: int = 0
    _means: dict[int, tuple[int, float]] = field(default_factory=dict)

    def saved(self, in_flight: int, seconds: float, *, widen: bool) -> None:
        """A save that was begun as one of so many took so long. `widen`: is more allowed at all?"""
        if in_flight != self.width:
            # There was too little to do, or the number has just changed.
            return
        count, mean = self._means.get(self.width, (0, 0.0))
        count = min(count + 1, MEMORY)
        self._means[self.width] = count, mean + (seconds - mean) / count
        self._window += 1
        if self._window >= WINDOW:
            self._window = 0
            self._decide(widen=widen)

    def throttled(self) -> None:
        """The PIM refused requests as too many: no more leaps."""
        self._doubling = False

    def _decide(self, *, widen: bool) -> None:
        base = min(mean for _, mean in self._means.values())
        queue = self.width * (1.0 - base / max(self._means[self.width][1], base, 1e-9))
        if queue >= FEW:
            self._doubling = False
        if queue > MANY:
            self.width = max(1, self.width - 1)
        elif queue < FEW and widen:
            self.width = min(self.most, self.width * 2 if self._doubling else self.width + 1)


@dataclass(slots=True)
class AdaptiveLimiter:
    """Decides whether one more request may start; told of every start and end.

    `most` is `--concurrency`; `patience` is how many probes may fail before the run is given up
    (`--retries`). Times are seconds of one monotonic clock. Requests that read and requests that write are
    counted apart: a PIM that still answers reads may have stopped taking files long ago. With `vegas` the
    number of requests is found, and `most` is only its upper bound.
    """

    most: int
    patience: int
    random: Random
    vegas: Vegas | None = None
    limit: int = 0
    in_flight: int = 0
    throttled: int = 0
    closed: bool = False
    given_up: bool = False
    not_before: float = 0.0
    _widen_after: int = FIRST_WIDENING
    _calm: int = 0
    _just_widened: bool = False
    _probes_failed: int = 0
    _reads: _Troubles = field(default_factory=_Troubles)
    _writes: _Troubles = field(default_factory=_Troubles)
    lingering: int = 0
    """Requests that got no answer and may still be at work in the PIM: it counts them too."""
    pace: float = 0.0
    """Seconds from the start of one request to the next, where fewer at once are still too many."""
    _in_vain: int = 0
    _started: float = -math.inf
    _successes: deque[float] = field(default_factory=lambda: deque(maxlen=RATE_OVER))

    def __post_init__(self) -> None:
        self.limit = self.most

    @property
    def allowed(self) -> int:
        """How many requests may be in flight while the PIM is up."""
        return self.limit if self.vegas is None else min(self.limit, self.vegas.width)

    def saved(self, in_flight: int, seconds: float) -> None:
        """A file was saved in so many seconds, its request begun as one of so many in flight."""
        if self.vegas is not None:
            self.vegas.saved(in_flight, seconds, widen=self.vegas.width < self.limit)

    @property
    def closes_at(self) -> int:
        """Requests in a row that met trouble from which on the PIM is down, and not the rows bad."""
        return max(6, 2 * self.most)

    def opening(self, now: float) -> float:
        """Seconds until a request may start: 0 now, infinite while another must end first."""
        # One read for a row whose request lingers is always allowed, or its end would never be noticed.
        if self.in_flight >= (1 if self.closed else max(1, self.allowed - self.lingering)):
            return math.inf
        return max(0.0, self.not_before - now, self._started + self.pace - now)

    @property
    def full(self) -> bool:
        """Do requests that may still be at work leave no room for another?"""
        return self.in_flight + self.lingering >= self.allowed

    def start(self, now: float = 0.0) -> bool:
        """A request starts; True if it is a probe of a PIM that was down."""
        self.in_flight += 1
        self._started = now
        return self.closed

    def finish(self) -> None:
        """A request ended, however."""
        self.in_flight -= 1

    def wait_until(self, now: float, seconds: float) -> None:
        """The PIM named a time (`Retry-After`): nothing starts before."""
        self.not_before = max(self.not_before, now + min(seconds, LONGEST_RETRY_AFTER))

    def succeeded(self, *, wrote: bool, now: float = 0.0) -> None:
        """The PIM did what it was asked: it is up, and takes what is in flight."""
        self._successes.append(now)
        self._reads.clear()
        if wrote:
            self._writes.clear()
        if wrote or not self._writes.count:
            self._probes_failed = 0
        elif self.closed:
            # It answers reads: let one write try, and close again if it fails.
            self._writes.count = self.closes_at - 1
        self.closed = False
        self._calm += 1
        if self._calm % FIRST_WIDENING == 0:
            self._in_vain = 0
            if self.pace:
                self.pace = self.pace * FASTER if self.pace > QUICKEST else 0.0
        if self.limit < self.most and self._calm >= self._widen_after:
            if self._just_widened:
                self._widen_after = max(FIRST_WIDENING, self._widen_after // 2)
            self.limit += 1
            self._calm = 0
            self._just_widened = True

    def met_trouble(
        self, who: object, request: Request, outcome: Troubled, now: float, *, suspect: bool = False
    ) -> None:
        """A request of `who` met temporary trouble. `suspect` as in `troubled`.

        One that got further before shows that the PIM is up, and has all its tries again.
        """
        if request.got_further(now):
            request.failures = 0
            self.succeeded(wrote=False, now=now)
        if outcome.retry_after is not None:
            self.wait_until(now, outcome.retry_after)
        if outcome.throttled:
            self.refused(request.in_flight, now)
            if request.in_flight > 1:
                return
        if outcome.outage and not self.closed:
            self.closed = True
            self._probes_failed += 1
            self._pause(now)
            return
        self.troubled(who, now, wrote=request.kind.writes, probe=request.probe, suspect=suspect)

    def refused(self, in_flight: int, now: float = 0.0) -> None:
        """429: `in_flight` requests, this one included, were too many, or came too fast."""
        self.throttled += 1
        if self.vegas is not None:
            self.vegas.throttled()
        if (in_flight <= 1 or self.pace) and self._calm < FIRST_WIDENING:
            # Once more so soon: fewer at once do not help.
            self._slow_down(now)
        if self._just_widened and self._calm < 2 * self.limit:
            self._widen_after = min(LAST_WIDENING, self._widen_after * 2)
        self._just_widened = False
        self._calm = 0
        self.limit = max(1, min(self.limit, in_flight - 1))

    def troubled(self, who: object, now: float, *, wrote: bool, probe: bool, suspect: bool) -> None:
        """A request met temporary trouble.

        `probe` requests went out while the limiter was closed. `suspect` rows are those in trouble while
        others got through: their troubles are their own and do not show that the PIM is down.
        """
        if probe:
            self._probes_failed += 1
            self.closed = True
            self._pause(now)
        elif not suspect and not self.closed:
            troubles = self._writes if wrote else self._reads
            troubles.count += 1
            troubles.rows.add(who)
            # One row alone proves nothing, however often it fails.
            if troubles.count >= self.closes_at and len(troubles.rows) > 1:
                self.closed = True
                self._probes_failed += 1
                self._pause(now)

    def _slow_down(self, now: float) -> None:
        """Keep below the rate at which requests got through: the limit is on requests a second."""
        self._in_vain += self.pace > 0
        if self._in_vain >= IN_VAIN:
            self.pace = 0.0
            return
        recent = [at for at in self._successes if now - at <= RATE_SECONDS]
        if len(recent) < RATE_FROM:
            return
        measured = SLOWER * RATE_SECONDS / len(recent)
        self.pace = min(SLOWEST, max(measured, self.pace * SLOWER))

    def _pause(self, now: float) -> None:
        if self._probes_failed > self.patience:
            self.given_up = True
        self.wait_until(now, probe_pause(self._probes_failed, self.random))
