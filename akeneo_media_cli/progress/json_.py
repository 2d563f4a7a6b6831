"""Progress as JSON, an event a line: for programs that start us."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any, TextIO

from ..console import Outlet
from ..errors import Failure
from ..report.encode import dumps
from ..report.items import error_item
from ..rows import Target
from ..wording import utc
from .base import Items


class JsonLines:
    """Each event as `{"event": ..., "time": ...}` and what the `Progress` method of that name is told.

    `row_finished` holds the report's item at its top level, and comes once a row: what a call that was not
    waited for says after its row is finished is left out. Pieces of files (`row_sent`) are no events.
    `wall_clock` gives seconds since the epoch.
    """

    def __init__(self, stream: TextIO, wall_clock: Callable[[], float]) -> None:
        self._out = Outlet(stream)
        self._clock = wall_clock
        self._lock = threading.Lock()
        self._told = bytearray()  # a bit a row, as there may be millions

    def _event(self, event: str, fields: Mapping[str, Any]) -> None:
        line = {"event": event, "time": utc(self._clock()), **fields}
        self._out.write(dumps(line, ascii_only=True) + "\n")

    def started(self, *, rows: int, size: int, concurrency: int) -> None:
        self._event("started", {"rows": rows, "size": size, "concurrency": concurrency})

    def rows_expected(self, rows: int, size: int) -> None:
        pass

    def row_converting(self, row: int, *, file: str, target: Target, size: int) -> None:
        self._event("row_converting", {"row": row, "file": file, "target": target.as_report(), "size": size})

    def row_converted(self, row: int) -> None:
        self._event("row_converted", {"row": row})

    def row_started(self, row: int, *, file: str, target: Target, size: int, attempt: int) -> None:
        fields = {"row": row, "file": file, "target": target.as_report(), "size": size, "attempt": attempt}
        self._event("row_started", fields)

    def row_sent(self, row: int, size: int) -> None:
        pass

    def row_retried(self, row: int, *, failure: Failure, delay: float) -> None:
        fields = {"row": row, "delay_seconds": round(delay, 3), "error": error_item(failure)}
        self._event("row_retried", fields)

    def row_finished(self, row: int, item: Mapping[str, Any]) -> None:
        if self._first_word_of(row):
            self._event("row_finished", {"row": row, **item})

    def _first_word_of(self, row: int) -> bool:
        place, bit = row // 8, 1 << row % 8
        with self._lock:
            if place >= len(self._told):
                self._told.extend(bytes(place + 1 - len(self._told)))
            first = not self._told[place] & bit
            self._told[place] |= bit
        return first

    def row_reopened(self, row: int, item: Mapping[str, Any], *, failure: Failure | None) -> None:
        with self._lock:
            self._told[row // 8] &= ~(1 << row % 8)
        error = None if failure is None else error_item(failure)
        self._event("row_reopened", {"row": row, "error": error})

    def rows_settled(self, counts: Mapping[str, int], size: int, items: Items) -> None:
        for item in items():
            self.row_finished(item["row"], item)

    def waiting(self, reason: str, seconds: float) -> None:
        self._event("waiting", {"reason": reason, "seconds": round(seconds, 3)})

    def limit(self, calls: int) -> None:
        self._event("limit", {"calls": calls})

    def note(self, message: str, *, hint: str = "", level: str = "warning") -> None:
        self._event("note", {"level": level, "message": message, "hint": hint})

    def asking(self) -> AbstractContextManager[None]:
        return nullcontext()

    def finished(self, summary: Mapping[str, Any]) -> None:
        self._event("finished", {"summary": summary})
