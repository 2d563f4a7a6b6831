"""Where log lines go: beside the display, and to `--log-file`, with nothing secret in them."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from functools import partial
from typing import TYPE_CHECKING, Any

from ...errors import Failure, UsageError
from ...rows import Target
from ...wording import one_line
from .process import say

if TYPE_CHECKING:
    from ...progress.base import Items, Progress
    from ..options import Logging

LOGGER = logging.getLogger("akeneo_media_cli")
_LEVELS = {"info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


def set_up(progress: Progress, options: Logging) -> Progress:
    """The display to use from now on: `progress` itself, or one that writes the log as well.

    `-v` logs the result of each row, `-vv` every request; the file gets all of it. With `--log-format json`
    each entry is an object on a line of its own. Raises UsageError where the file cannot be opened; if it
    can no longer be written later, one warning says so, and the run goes on.
    """
    verbose, log_file = 0 if options.quiet else options.verbose, options.log_file
    LOGGER.handlers.clear()
    LOGGER.propagate = False
    if not verbose and log_file is None:
        return progress
    from ...progress.logs import JsonFormatter, LogFile, OutletHandler, ProgressHandler
    from ...progress.notes import Notes
    from ...progress.plain import Plain

    LOGGER.setLevel(logging.DEBUG)
    form: logging.Formatter = JsonFormatter()
    if options.log_format == "text":
        form = logging.Formatter("%(asctime)sZ %(levelname)-7s %(message)s", "%Y-%m-%dT%H:%M:%S")
        form.converter = time.gmtime
    if verbose:
        # Where a display draws, or writes JSON of its own, log lines must go through it.
        bare = options.log_format == "json" and isinstance(progress, (Plain, Notes))
        screen: logging.Handler = OutletHandler(sys.stderr) if bare else ProgressHandler(progress)
        screen.setLevel(logging.DEBUG if verbose > 1 else logging.INFO)
        # The display shows its own notes already.
        screen.addFilter(lambda record: not hasattr(record, "noted"))
        if bare:
            screen.setFormatter(form)
        LOGGER.addHandler(screen)
    if log_file is not None:
        try:
            file = LogFile(log_file, partial(_tell, progress))
        except OSError as error:
            raise UsageError(
                f"--log-file {log_file}: {error.strerror}", "name a file in a folder that can be written"
            ) from None
        file.setFormatter(form)
        LOGGER.addHandler(file)
    return Logged(progress)


def _tell(progress: Progress, message: str, hint: str) -> None:
    """Warn about trouble with the log, even if no warnings are wanted."""
    from ...progress.notes import Notes
    from ...progress.plain import note_line

    if isinstance(progress, Notes):
        say(note_line(message, hint, "warning"))
    else:
        progress.note(message, hint=hint)


def on_call(options: Logging) -> Callable[[Any], None] | None:
    """What is to hear of each request; None if no log shows requests."""
    return request if options.verbose > 1 or options.log_file is not None else None


def request(call: Any) -> None:
    """Log one exchange with the PIM or a link's host; `call` is a `pim.transport.CallInfo`: no secrets."""
    outcome = call.status or call.error or "done"
    LOGGER.debug(
        "%s %s: %s in %.3f s, %d bytes sent",
        call.method,
        one_line(call.path, 300),
        outcome,
        call.seconds,
        call.sent,
    )


def found(what: str, health: str, told: str) -> None:
    """Log what a look at `what` came to."""
    LOGGER.info("%s: %s: %s", what, health, one_line(told, 500))


class Logged:
    """A display that writes what it hears to the log first."""

    def __init__(self, inner: Progress) -> None:
        self._inner = inner
        self._waits = ("", 0.0)

    def started(self, *, rows: int, size: int, concurrency: int) -> None:
        LOGGER.info("%d rows, %d bytes, %d calls at once", rows, size, concurrency)
        self._inner.started(rows=rows, size=size, concurrency=concurrency)

    def rows_expected(self, rows: int, size: int) -> None:
        LOGGER.info("%d of them are expected to be unchanged", rows)
        self._inner.rows_expected(rows, size)

    def row_converting(self, row: int, *, file: str, target: Target, size: int) -> None:
        self._inner.row_converting(row, file=file, target=target, size=size)

    def row_converted(self, row: int) -> None:
        self._inner.row_converted(row)

    def row_started(self, row: int, *, file: str, target: Target, size: int, attempt: int) -> None:
        self._inner.row_started(row, file=file, target=target, size=size, attempt=attempt)

    def row_reopened(self, row: int, item: Mapping[str, Any], *, failure: Failure | None) -> None:
        if failure is not None:
            LOGGER.warning("row %d: %s; it is sent again", row, one_line(failure.message, 500))
        self._inner.row_reopened(row, item, failure=failure)

    def row_sent(self, row: int, size: int) -> None:
        self._inner.row_sent(row, size)

    def row_retried(self, row: int, *, failure: Failure, delay: float) -> None:
        LOGGER.info("row %d: %s; again in %.1f s", row, one_line(failure.message, 500), delay)
        self._inner.row_retried(row, failure=failure, delay=delay)

    def row_finished(self, row: int, item: Mapping[str, Any]) -> None:
        error = item.get("error")
        LOGGER.log(
            logging.WARNING if error and item["status"] != "pending" else logging.INFO,
            "%s:%s %s: %s%s",
            item["manifest"],
            item["line"],
            one_line(item["file"], 300),
            item["status"],
            f": {error['kind']}: {one_line(error['message'], 500)}" if error else "",
        )
        self._inner.row_finished(row, item)

    def rows_settled(self, counts: Mapping[str, int], size: int, items: Items) -> None:
        if set(counts) == {"unchanged"}:
            # There may be a million of them every night.
            LOGGER.info("%d rows unchanged", counts["unchanged"])
            self._inner.rows_settled(counts, size, items)
            return
        for item in items():
            self.row_finished(item["row"], item)

    def asking(self) -> AbstractContextManager[None]:
        return self._inner.asking()

    def waiting(self, reason: str, seconds: float) -> None:
        # It is told again and again how long is left: only the beginning is news.
        before, self._waits = self._waits, (reason, seconds)
        if seconds and (reason != before[0] or seconds >= before[1]):
            LOGGER.info("waiting %.1f s: %s", seconds, reason)
        self._inner.waiting(reason, seconds)

    def limit(self, calls: int) -> None:
        LOGGER.info("at most %d calls at once", calls)
        self._inner.limit(calls)

    def note(self, message: str, *, hint: str = "", level: str = "warning") -> None:
        text = one_line(f"{message}; {hint}" if hint else message, 1000)
        LOGGER.log(_LEVELS.get(level, logging.INFO), "%s", text, extra={"noted": True})
        self._inner.note(message, hint=hint, level=level)

    def finished(self, summary: Mapping[str, Any]) -> None:
        LOGGER.info("done: %s", dict(summary))
        self._inner.finished(summary)
