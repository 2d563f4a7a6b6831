"""What the displays have in common that show a tally at intervals."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from ..errors import Failure
from ..rows import Target
from .base import Items
from .tally import Tally
from .ticker import Ticker


class Tallied:
    """Counts what it is told and shows it at intervals; a display adds `note` and `finished`."""

    def __init__(self, clock: Callable[[], float], every: float, show: Callable[[], None]) -> None:
        """`clock` gives monotonic seconds; `show` is called at intervals once the run has begun."""
        self._tally = Tally(clock)
        self._ticker = Ticker(every, show)

    def started(self, *, rows: int, size: int, concurrency: int) -> None:
        self._tally.started(rows, size, concurrency)
        self._ticker.start()

    def rows_expected(self, rows: int, size: int) -> None:
        self._tally.rows_expected(rows, size)

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

    def asking(self) -> AbstractContextManager[None]:
        return nullcontext()
