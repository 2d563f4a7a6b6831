"""Log records as JSON lines, and log records beside a display."""

from __future__ import annotations

import contextlib
import logging
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

from ..console import Outlet, hush
from ..report.encode import dumps
from ..wording import one_line, utc
from .base import Progress

LARGE_LOG = 32 * 1024 * 1024
"""Bytes from which on a run begins a new log file."""


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


def _rotate(path: Path) -> None:
    # Another process that still writes to it goes on writing to the renamed one.
    with contextlib.suppress(OSError):
        found = path.stat()
        if stat.S_ISREG(found.st_mode) and found.st_size > LARGE_LOG:
            path.replace(path.with_name(path.name + ".1"))


class LogFile(logging.FileHandler):
    """Appends records to a file for as long as it takes them: a full disk ends the log, not the run."""

    def __init__(self, path: Path, tell: Callable[[str, str], None]) -> None:
        """`tell` is given a message and a hint, once, when the file takes no more. Raises OSError.

        A file that has grown large is renamed first: it gets `.1` at its end, in place of the one before it.
        """
        _rotate(path)
        super().__init__(path, encoding="utf-8", errors="backslashreplace")
        self._named = path
        self._tell = tell
        self._over = False

    def emit(self, record: logging.LogRecord) -> None:
        if not self._over:
            super().emit(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the standard library's name
        # That one prints a traceback for every line.
        if self._over:
            return
        self._over = True
        error = sys.exc_info()[1]
        # What is still to be written out would fail once more when the file is closed.
        if self.stream is not None:
            hush(self.stream)
        why = one_line(getattr(error, "strerror", None) or error or "unknown", 200)
        self._tell(
            f"the log {one_line(self._named, 200)} cannot be written: {why}",
            "the run goes on without it; make room, or name another --log-file",
        )
