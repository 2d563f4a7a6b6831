"""What there is to show of a run at a moment, for displays that draw now and then."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ..frozen import frozen
from ..rows import Target
from ..wording import count, duration, one_line
from ..wording import size as bytes_of

_WINDOW = 30.0  # seconds that a rate is taken over


@dataclass(slots=True)
class Flight:
    """A row whose file is on its way. `sent` counts the bytes of this attempt."""

    file: str
    target: Target
    size: int
    attempt: int
    sent: int = 0
    again_at: float | None = None
    """When the next attempt is due, where one is waited for (on the tally's clock)."""
    converting: bool = False
    """Is the picture still being converted?"""


class _Sample(NamedTuple):
    """What was done at a time: `at_once` are the rows that were finished by the many."""

    at: float
    sent: int = 0
    handled: int = 0
    done: int = 0
    rows_at_once: int = 0
    size_at_once: int = 0


@dataclass
class Tally:
    """Counts what a run does. Safe to call from many threads; takes no lock for a piece of a file.

    `clock` gives seconds, of any origin, that never step back.
    """

    clock: Callable[[], float]
    rows: int = 0
    size: int = 0
    concurrency: int = 0
    retried: int = 0
    statuses: dict[str, int] = field(default_factory=dict)
    _settled: int = 0  # bytes of finished rows
    _expected: tuple[int, int] = (0, 0)  # rows and bytes that are expected to be unchanged
    _at_once: tuple[int, int] = (0, 0)  # of those that were finished by the many
    _sent: int = 0  # bytes that went out in attempts that are over
    _flights: dict[int, Flight] = field(default_factory=dict)
    _wait: tuple[str, float] | None = None
    _narrowed: int | None = None
    _samples: deque[_Sample] = field(default_factory=deque)
    _began: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._began = self.clock()
        self._samples.append(_Sample(self._began))

    def started(self, rows: int, size: int, concurrency: int) -> None:
        """See `Progress.started`; a second call corrects the first."""
        self.rows, self.size, self.concurrency = rows, size, concurrency
        with self._lock:  # rates count from here: what came before was login and reading
            self._samples.clear()
        self.now()

    def rows_expected(self, rows: int, size: int) -> None:
        """See `Progress.rows_expected`."""
        self._expected = rows, size

    def row_converting(self, row: int, file: str, target: Target, size: int) -> None:
        """See `Progress.row_converting`."""
        with self._lock:
            self._flights.setdefault(row, Flight(file, target, size, 0, converting=True))

    def row_converted(self, row: int) -> None:
        """See `Progress.row_converted`."""
        with self._lock:
            flight = self._flights.get(row)
            if flight is not None and flight.converting:
                del self._flights[row]

    def row_started(self, row: int, file: str, target: Target, size: int, attempt: int) -> None:
        """See `Progress.row_started`."""
        with self._lock:
            self._land(row)
            self._flights[row] = Flight(file, target, size, attempt)

    def row_sent(self, row: int, size: int) -> None:
        """See `Progress.row_sent`. No lock: only one thread sends a row."""
        flight = self._flights.get(row)
        if flight is not None:
            flight.sent += size

    def row_retried(self, row: int, delay: float) -> None:
        """See `Progress.row_retried`."""
        with self._lock:
            self.retried += 1
            flight = self._flights.get(row)
            if flight is not None:
                flight.again_at = self.clock() + delay

    def row_finished(self, row: int, item: Mapping[str, Any]) -> None:
        """See `Progress.row_finished`."""
        status = str(item.get("status"))
        with self._lock:
            self._land(row)
            self.statuses[status] = self.statuses.get(status, 0) + 1
            self._settled += item.get("size") or 0

    def row_reopened(self, item: Mapping[str, Any], *, again: bool) -> None:
        """See `Progress.row_reopened`."""
        status = str(item.get("status"))
        with self._lock:
            self.retried += again
            self.statuses[status] = self.statuses.get(status, 0) - 1
            self._settled -= item.get("size") or 0

    def rows_settled(self, counts: Mapping[str, int], size: int) -> None:
        """See `Progress.rows_settled`."""
        with self._lock:
            before = not self.statuses
            for status, number in counts.items():
                self.statuses[status] = self.statuses.get(status, 0) + number
            self._settled += size
            if before:  # known from the start: no rate
                self._samples.clear()
            if self._expected[0]:
                rows, settled = self._at_once
                self._at_once = rows + sum(counts.values()), settled + size
        if before:
            self.now()

    def waiting(self, reason: str, seconds: float) -> None:
        """See `Progress.waiting`."""
        self._wait = (reason, self.clock() + seconds) if seconds > 0 else None

    def limit(self, calls: int) -> None:
        """See `Progress.limit`."""
        self._narrowed = calls if calls < self.concurrency else None

    def _land(self, row: int) -> None:
        flight = self._flights.pop(row, None)
        if flight is not None:
            self._sent += flight.sent

    def now(self) -> Moment:
        """The state at this moment; also a sample for the rates, so ask for it regularly."""
        at = self.clock()
        with self._lock:
            flights = list(self._flights.values())
            on_the_way = sum(flight.sent for flight in flights)
            done = sum(self.statuses.values())
            settled, sent = self._settled, self._sent + on_the_way
            statuses = dict(self.statuses)
            handled = settled + on_the_way
            samples = self._samples
            samples.append(_Sample(at, sent, handled, done, *self._at_once))
            while len(samples) > 2 and at - samples[0].at > _WINDOW:
                samples.popleft()
            since, now = samples[0], samples[-1]
            expected = self._expected
        rows, size = max(self.rows, done), max(self.size, handled)
        rows_left, size_left = rows - done, size - handled
        quick = max(0, expected[0] - now.rows_at_once)
        if rows_left > quick:
            # Those that next to no time is needed for say nothing of the others.
            rows_left -= quick
            size_left = max(0, size_left - max(0, expected[1] - now.size_at_once))
            since = since._replace(
                done=since.done - since.rows_at_once, handled=since.handled - since.size_at_once
            )
            now = now._replace(done=now.done - now.rows_at_once, handled=now.handled - now.size_at_once)
        span = now.at - since.at
        return Moment(
            elapsed=at - self._began,
            rows=rows,
            done=done,
            size=size,
            handled=handled,
            sized=self.size > 0,
            rate=(now.sent - since.sent) / span if span > 0 else 0.0,
            rows_left=rows_left,
            size_left=size_left,
            handled_rate=(now.handled - since.handled) / span if span > 0 else 0.0,
            done_rate=(now.done - since.done) / span if span > 0 else 0.0,
            statuses=statuses,
            retried=self.retried,
            flights=flights,
            trouble=self._trouble(at),
            at=at,
        )

    def _trouble(self, at: float) -> str:
        parts = []
        if self._wait is not None:
            reason, until = self._wait
            parts.append(f"waiting: {one_line(reason, 200)}")
            if until > at:
                parts[0] += f"; resuming in {duration(until - at)}"
        if self._narrowed is not None:
            parts.append(f"concurrency {self._narrowed}")
        return "; ".join(parts)


@frozen
class Moment:
    """A run at one moment. Sizes are bytes, rates are per second over the last half minute.

    `handled` counts the bytes of rows that are over (sent or not) and of those on their way; `sized` is
    false where nobody knows how many bytes there are. `rows_left` and `size_left`, and the rates of rows and
    bytes, leave out those that next to no time is needed for, as long as there are others.
    """

    elapsed: float
    rows: int
    done: int
    size: int
    handled: int
    sized: bool
    rate: float
    rows_left: int
    size_left: int
    handled_rate: float
    done_rate: float
    statuses: Mapping[str, int]
    retried: int
    flights: list[Flight]
    trouble: str
    at: float

    @property
    def fraction(self) -> float:
        """How much is done, 0 to 1: by bytes where known; all of it only when every row is over."""
        if self.done >= self.rows:
            return 1.0 if self.rows else 0.0
        by_rows = self.done / self.rows
        return min(self.handled / self.size, 0.99) if self.sized and self.size else by_rows

    @property
    def left(self) -> float | None:
        """Seconds that remain at the present rates of bytes and rows, the slower counts; None: unknown."""
        if self.done >= self.rows:
            return None
        guesses = []
        if self.sized and self.handled_rate > 0:
            guesses.append(self.size_left / self.handled_rate)
        if self.done_rate > 0:
            guesses.append(self.rows_left / self.done_rate)
        return max(guesses, default=None)

    def amounts(self, *, rate: bool = True) -> str:
        """`1,234 of 10,000 rows, 1.2 GB of 4.5 GB, 12.3 MB/s`; only 1.2 GB where the total is unknown.

        `rate` is left out of the last line: the summary has the rate of the whole run.
        """
        text = f"{self.done:,} of {count(self.rows, 'row')}"
        if self.sized:
            text += f", {bytes_of(self.handled)} of {bytes_of(self.size)}"
        elif self.handled:
            text += f", {bytes_of(self.handled)}"
        return f"{text}, {bytes_of(self.rate)}/s" if rate else text

    def counts(self) -> list[tuple[str, int]]:
        """How many rows are what, those of a run's everyday first even when there are none."""
        everyday = {"uploaded": 0, "unchanged": 0, "failed": 0}
        if self.statuses and not set(self.statuses) & {*everyday, "invalid", "pending"}:
            everyday = {}  # a dry run, or `verify` with statuses of its own
        return [*{**everyday, **self.statuses}.items(), ("retried", self.retried)]
