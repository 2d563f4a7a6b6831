"""Progress as a line now and then: for logs, cron and pipelines."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TextIO

from ..console import Outlet
from ..errors import Failure
from ..rows import Target
from ..wording import duration, one_line
from .base import Items
from .tally import Tally
from .ticker import Ticker

EVERY = 10.0
"""Seconds between two lines."""


class Plain:
    """A line every 10 seconds and one at the end; notes at once. No carriage returns, no colour."""

    def __init__(
        self,
        stream: TextIO,
        clock: Callable[[], float],
        every: float = EVERY,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self._out = Outlet(stream, environ)
        self._tally = Tally(clock)
        self._ticker = Ticker(every, self.tick)

    def tick(self, *, last: bool = False) -> None:
        """Write the line that is due; the `last` one without what is only true while the run goes on."""
        now = self._tally.now()
        parts = [f"{now.fraction:.0%}, {now.amounts(rate=not last)}"]
        if not last and now.left is not None:
            parts.append(f"about {duration(now.left)} left")
        parts.append(", ".join(f"{number:,} {name}" for name, number in now.counts()))
        converting = sum(flight.converting for flight in now.flights)
        if len(now.flights) > converting and not last:
            parts.append(f"{len(now.flights) - converting} in flight")
        if converting and not last:
            parts.append(f"{converting} converting")
        if now.trouble and not last:
            parts.append(now.trouble)
        self._out.write(f"[{duration(now.elapsed)}] {'; '.join(parts)}\n")

    def started(self, *, rows: int, size: int, concurrency: int) -> None:
        self._tally.started(rows, size, concurrency)
        self._ticker.start()

    def row_converting(self, row: int, *, file: str, target: Target, size: int) -> None:
        self._tally.row_converting(row, file, target, size)

    def row_converted(self, row: int) -> None:
        self._tally.row_converted(row)

    def row_started(self, row: int, *, file: str, target: Target, size: int, attempt: int) -> None:
        self._tally.row_started(row, file, target, size, attempt)

    def row_sent(self, row: int, size: int) -> None:
        self._tally.row_sent(row, size)

    def row_retried(self, row: int, *, failure: Failure, delay: float) -> None:
        self._tally.row_retried(row, delay)

    def row_finished(self, row: int, item: Mapping[str, Any]) -> None:
        self._tally.row_finished(row, item)

    def row_reopened(self, row: int, item: Mapping[str, Any], *, failure: Failure | None) -> None:
        self._tally.row_reopened(item, again=failure is not None)

    def rows_settled(self, counts: Mapping[str, int], size: int, items: Items) -> None:
        self._tally.rows_settled(counts, size)

    def waiting(self, reason: str, seconds: float) -> None:
        self._tally.waiting(reason, seconds)

    def limit(self, calls: int) -> None:
        self._tally.limit(calls)

    def note(self, message: str, *, hint: str = "", level: str = "warning") -> None:
        self._out.write(note_line(message, hint, level) + "\n")

    def finished(self, summary: Mapping[str, Any]) -> None:
        self._ticker.stop()
        self.tick(last=True)


def note_line(message: str, hint: str, level: str) -> str:
    """`warning: the file name front.jpg is common (use --rename)` on one line."""
    text = f"{level}: {one_line(message, 1000)}"
    return f"{text} ({one_line(hint, 1000)})" if hint else text
