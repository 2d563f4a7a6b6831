"""Progress as JSON, an event a line: for programs that start us."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TextIO

from ..console import Outlet
from ..errors import Failure
from ..report.encode import dumps
from ..rows import Target
from ..wording import utc
from .base import Items


class JsonLines:
    """Each event as `{"event": ..., "time": ...}` and what the `Progress` method of that name is told.

    `row_finished` holds the report's item at its top level. Pieces of files (`row_sent`) are no events.
    `wall_clock` gives seconds since the epoch.
    """

    def __init__(self, stream: TextIO, wall_clock: Callable[[], float]) -> None:
        self._out = Outlet(stream)
        self._clock = wall_clock

    def _event(self, event: str, fields: Mapping[str, Any]) -> None:
        line = {"event": event, "time": utc(self._clock()), **fields}
        self._out.write(dumps(line, ascii_only=True) + "\n")

    def started(self, *, rows: int, size: int, concurrency: int) -> None:
        self._event("started", {"rows": rows, "size": size, "concurrency": concurrency})

    def row_started(self, row: int, *, file: str, target: Target, size: int, attempt: int) -> None:
        fields = {"row": row, "file": file, "target": target.as_report(), "size": size, "attempt": attempt}
        self._event("row_started", fields)

    def row_sent(self, row: int, size: int) -> None:
        pass

    def row_retried(self, row: int, *, failure: Failure, delay: float) -> None:
        error = {
            "kind": failure.kind.value,
            "http_status": failure.http_status,
            "message": failure.message,
            "hint": failure.hint,
        }
        self._event("row_retried", {"row": row, "delay_seconds": round(delay, 3), "error": error})

    def row_finished(self, row: int, item: Mapping[str, Any]) -> None:
        self._event("row_finished", {"row": row, **item})

    def rows_settled(self, counts: Mapping[str, int], size: int, items: Items) -> None:
        for item in items():
            self.row_finished(item["row"], item)

    def waiting(self, reason: str, seconds: float) -> None:
        self._event("waiting", {"reason": reason, "seconds": round(seconds, 3)})

    def limit(self, calls: int) -> None:
        self._event("limit", {"calls": calls})

    def note(self, message: str, *, hint: str = "", level: str = "warning") -> None:
        self._event("note", {"level": level, "message": message, "hint": hint})

    def finished(self, summary: Mapping[str, Any]) -> None:
        self._event("finished", {"summary": summary})
