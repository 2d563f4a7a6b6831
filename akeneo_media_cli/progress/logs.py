"""Log records as JSON lines, and log records beside a display."""

from __future__ import annotations

import logging
from typing import TextIO

from ..console import Outlet
from ..report.encode import dumps
from ..wording import utc
from .base import Progress


class JsonFormatter(logging.Formatter):
    """A record as one JSON object on one line: `time` (UTC), `level`, `logger`, `message`, and `exception`
    with its traceback where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": utc(record.created),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return dumps(line, ascii_only=True)


class ProgressHandler(logging.Handler):
    """Hands records to a display as notes, so that log lines on a terminal do not tear its block."""

    def __init__(self, progress: Progress) -> None:
        super().__init__()
        self._progress = progress

    def emit(self, record: logging.LogRecord) -> None:
        level = "error" if record.levelno >= logging.ERROR else "warning"
        self._progress.note(self.format(record), level=level if record.levelno >= logging.WARNING else "info")


class OutletHandler(logging.Handler):
    """Writes records to a stream as they are formatted, a line each; never fails over it."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._out = Outlet(stream)

    def emit(self, record: logging.LogRecord) -> None:
        self._out.write(self.format(record) + "\n")
