"""What a call leaves behind, whatever way it comes out: reports, metrics, and the summary."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import Failure, Kind, LedgerError, MediaError
from ...exits import Exit, worst
from ..terminal.process import say

if TYPE_CHECKING:
    from ...jobs.job import Job
    from ...jobs.options import RunOptions
    from ...jobs.previews import Previews
    from ...ledger import Run
    from ...pim.connection import Connection
    from ...progress.base import Progress
    from ...report import Report


@dataclass
class RunReporter:
    """Of one call of a command, from its beginning on.

    `events`: standard error has JSON lines. `url` is the PIM's, None where there is none (yet). `recall`
    gives what names a run to `akeneo-media runs`; None where no ledger keeps it.
    """

    command: str
    options: RunOptions
    events: bool
    quiet: bool
    metrics_file: Path | None
    rejects: Path | None
    recall: Callable[[str], str] | None
    url: str | None = None
    connection: Connection | None = None
    _wall: float = field(default_factory=time.time)
    _clock: float = field(default_factory=time.monotonic)

    def of_nothing(
        self, problem: BaseException | None, summary: Mapping[str, Any], progress: Progress
    ) -> Exit:
        """No run could begin, or (`problem` None) there was no need of one: an empty report tells why.

        Gives the status to exit with. Errors are told here; what else `problem` may be is for the caller to
        raise on.
        """
        from ...ledger.ledger import new_id

        failure, status = (_failure(problem), _status(problem)) if problem else (None, Exit.OK)
        self._leave(self._report(new_id(self._wall), status, failure, summary), progress)
        if self.events:
            progress.finished(summary)
        if isinstance(problem, MediaError):
            self.tell(problem, progress)
        return status

    def of(self, job: Job, run: Run, status: Exit, problem: BaseException | None, progress: Progress) -> Exit:
        """Write the reports and the summary of a run; the status to exit with.

        `problem` is the defect that ended it, if one did.
        """
        from .recall import locator

        failure = _failure(problem) if problem else job.failure
        seconds = time.monotonic() - self._clock
        try:
            summary = job.summary(run)
            if self.events:
                for item in job.untold(run):
                    progress.row_finished(item["row"], item)
        except LedgerError as error:
            return self._unreadable(job, run, status, error, progress)
        if job.error is not None and self.events:
            self.tell(job.error, progress)
        progress.finished(summary)
        previews = self._previews(job)
        report = replace(
            self._report(run.id, status, failure, summary),
            preview=self.options.preview,
            earlier=previews,
            converted=lambda item: job.small.get(item["row"]),
            pim={"url": self.url, "version": job.pim_version} if self.url else None,
            duration_seconds=seconds,
            items=run.items,
            troubled=run.troubled_items,
            locate=locator(run),
            recall=self.recall(run.id) if self.recall else None,
        )
        unwritten = self._leave(report, progress)
        if previews is not None:
            previews.close()
        if self.rejects is not None:
            from .rejects import write_rejects

            rejects = self.rejects
            unwritten |= not self._written(lambda: write_rejects(rejects, report), progress)
        if self.metrics_file is not None:
            from ...report.metrics import write_metrics

            metrics_file = str(self.metrics_file)
            unwritten |= not self._written(lambda: write_metrics(metrics_file, report), progress)
        if unwritten:
            status = worst(status, Exit.ROWS_FAILED)
        try:
            run.finish(status, {**summary, "error": report.error} if report.error else summary)
        except LedgerError as error:
            if job.error is None:
                self.tell(error, progress)
        if not self.events:
            self._say(replace(report, exit_status=status), job.error, progress)
        return status

    def _previews(self, job: Job) -> Previews | None:
        """What fetches the earlier files, where an HTML report shows them."""
        html = any(name.lower().endswith(".html") for name in self.options.reports)
        if not html or self.connection is None or not job.answers or self.options.preview <= 0:
            return None
        from ...jobs.previews import Previews

        return Previews(self.connection, timeout=self.options.timeout, most=2 * self.options.preview)

    def _unreadable(self, job: Job, run: Run, status: Exit, error: LedgerError, progress: Progress) -> Exit:
        """Nothing of the run can be read back: its own end is all there is to tell."""
        summary = {**job.nothing(), **vars(job.figures)}
        ended_by = job.error or error
        status = worst(status, Exit.PENDING) if job.figures.requests else error.exit_status
        progress.finished(summary if self.events else {})
        self._leave(self._report(run.id, status, _failure(ended_by), summary), progress)
        self.tell(ended_by, progress)
        return status

    def _report(self, run: str, status: Exit, failure: Failure | None, summary: Mapping[str, Any]) -> Report:
        from ... import __version__
        from ...report import Report
        from ...report.items import error_item
        from ...wording import utc

        return Report(
            tool={"name": "akeneo-media", "version": __version__},
            pim={"url": self.url, "version": None} if self.url else None,
            run=run,
            command=self.command,
            exit_status=status,
            started_at=utc(self._wall),
            finished_at=utc(time.time()),
            duration_seconds=time.monotonic() - self._clock,
            summary=summary,
            items=_no_items,
            error=error_item(failure) if failure else None,
        )

    def _leave(self, report: Report, progress: Progress) -> bool:
        """Write the reports and what a pipeline shows; was any of it not written?"""
        from ...report import write_reports
        from ...report.annotations import annotate

        left: Sequence[Callable[[], None]] = (
            lambda: write_reports(self.options.reports, report, stdout=sys.stdout),
            lambda: annotate(report, stream=sys.stderr, environ=os.environ),
        )
        return bool([leave for leave in left if not self._written(leave, progress)])

    def _written(self, leave: Callable[[], None], progress: Progress) -> bool:
        """One that could not be does not keep the others from it."""
        try:
            leave()
        except MediaError as error:
            self.tell(error, progress)
            return False
        return True

    def _say(self, report: Report, error: MediaError | None, progress: Progress) -> None:
        from ...report.summary import write_summary

        if error is not None:
            self.tell(error, progress)
        if not self.quiet or report.exit_status:
            # What ended the run has been told, now or while it went on.
            told = replace(report, error=None)
            write_summary(told, stream=sys.stderr, environ=os.environ, reports=self.options.reports)

    def tell(self, error: MediaError, progress: Progress) -> None:
        """Show an error the way that standard error is written in."""
        if self.events:
            progress.note(error.message, hint=error.hint, level="error")
        else:
            say(f"error: {error}")


def _no_items() -> Iterator[Mapping[str, Any]]:
    return iter(())


def _status(problem: BaseException) -> Exit:
    if isinstance(problem, MediaError):
        return problem.exit_status
    if isinstance(problem, KeyboardInterrupt):
        return Exit.INTERRUPTED
    return Exit.TERMINATED if isinstance(problem, SystemExit) else Exit.DEFECT


def _failure(problem: BaseException) -> Failure | None:
    if isinstance(problem, MediaError):
        return problem.failure
    if not isinstance(problem, Exception):  # a signal
        return None
    # Its text could hold anything; the log of the defect has it.
    return Failure(
        Kind.DEFECT,
        f"a defect of akeneo-media ended the run ({type(problem).__name__})",
        "standard error names the file with its log: please report it with that file",
    )
