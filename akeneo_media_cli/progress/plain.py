"""Progress as a line now and then: for logs, cron and pipelines."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TextIO

from ..console import Outlet
from ..wording import duration, one_line
from .tallied import Tallied

EVERY = 10.0
"""Seconds between two lines."""


class Plain(Tallied):
    """A line every 10 seconds and one at the end; notes at once. No carriage returns, no colour."""

    def __init__(
        self,
        stream: TextIO,
        clock: Callable[[], float],
        every: float = EVERY,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(clock, every, self.tick)
        self._out = Outlet(stream, environ)

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

    def note(self, message: str, *, hint: str = "", level: str = "warning") -> None:
        self._out.write(note_line(message, hint, level) + "\n")

    def finished(self, summary: Mapping[str, Any]) -> None:
        self._ticker.stop()
        self.tick(last=True)


def note_line(message: str, hint: str, level: str) -> str:
    """`warning: the file name front.jpg is common (use --rename)` on one line."""
    text = f"{level}: {one_line(message, 1000)}"
    return f"{text} ({one_line(hint, 1000)})" if hint else text
