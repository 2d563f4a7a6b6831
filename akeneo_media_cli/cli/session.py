"""One call of a command: where it connects to, how it is shown, what it leaves behind."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from ..errors import LedgerError, MediaError
from ..exits import Exit, worst
from . import logs
from .places import Places
from .process import say

if TYPE_CHECKING:
    from ..links import Links
    from ..pim.connection import Connection
    from ..progress.base import Progress
    from ..report import Report
    from ..run.job import Job
    from ..run.ledger import Ledger, PlannedRow, Run
    from ..run.manifests import Media
    from ..run.options import DownloadOptions, RunOptions, UploadOptions, ValidateOptions, VerifyOptions
    from ..run.plan import Note


@dataclass
class Session:
    """What the options that every command has add up to."""

    env_file: Path | None = None
    sandbox: bool = False
    progress: str = "auto"
    log_file: Path | None = None
    verbose: int = 0
    quiet: bool = False
    log_format: str = "text"
    metrics_file: Path | None = None
    rows: Callable[[Note, Links], Iterable[PlannedRow]] | None = None
    """Rows that come from elsewhere than the manifests."""
    after: Callable[[Any], None] | None = None
    """With `sandbox`: what to do with it before it goes."""
    _cleanup: ExitStack = field(default_factory=ExitStack)

    def upload(self, options: UploadOptions) -> Exit:
        """Run `upload`; the exit status. Raises MediaError where not even a run could begin."""
        from ..run.upload import Upload

        return self._run("upload", options, Upload)

    def validate(self, options: ValidateOptions) -> Exit:
        """Run `validate`, as `upload`; it needs a PIM only with `online`, and is not remembered."""
        from ..run.validate import Validate

        return self._run(
            "validate",
            replace(options, no_state=True),
            Validate,
            offline=not (options.online or self.sandbox),
        )

    def verify(self, options: VerifyOptions) -> Exit:
        """Run `verify`, as `upload`."""
        from ..run.verify import Verify

        return self._run("verify", options, Verify)

    def download(self, options: DownloadOptions) -> Exit:
        """Run `download` or `media download`, as `upload`, on `rows`."""
        from ..run.download import Download

        return self._run("download", options, Download)

    def _run(self, command: str, options: RunOptions, make: type[Job], *, offline: bool = False) -> Exit:
        from ..links import Links
        from ..run.job import Environment
        from ..run.layout import media_of
        from ..run.sources import LOOKS, Sources

        places = Places(
            options.manifest.manifests,
            self.env_file,
            log_file=self.log_file,
            metrics_file=self.metrics_file,
            state=None if options.no_state else options.state,
        )
        places.check_reports(options.reports)
        places.check()
        with self._cleanup:
            on_call = self._on_call()
            links = self._cleanup.enter_context(
                closing(
                    Links(
                        options.manifest.links,
                        timeout=options.timeout,
                        pool=options.concurrency + LOOKS,
                        on_call=on_call,
                    )
                )
            )
            stdin = self._stdin(options.manifest.manifests)
            connection = None if offline else self._connection(options, stdin)
            slips = self._slips()
            progress = self._progress()
            for slip in slips:
                progress.note(slip)
            ledger = self._ledger(options, connection.url if connection else "", progress)
            run = ledger.start_run(command, options.arguments())
            media = media_of(connection, options, progress) if connection else None
            rows = partial(self._rows, options, stdin, media, links)
            environment = Environment(sources=Sources(links))
            job = make(options, rows, connection, progress, environment, on_call=on_call)
            status = Exit.DEFECT
            began = time.time(), time.monotonic()
            with job.signals.caught():
                try:
                    status = job.execute(run)
                finally:
                    pim = {"url": connection.url, "version": job.pim_version} if connection else None
                    status = self._finish(command, job, run, options, status, began, pim, progress)
        return status

    # Where from and where to.

    def _rows(
        self, options: RunOptions, stdin: BinaryIO, media: Media | None, links: Links, note: Note
    ) -> Iterable[PlannedRow]:
        from ..run.plan import planned_rows

        if self.rows is not None:
            return self.rows(note, links)
        return planned_rows(options.manifest, stdin, note, media, links)

    def _stdin(self, manifests: Any) -> BinaryIO:
        """Standard input; with `--sandbox` a copy of it, as the manifest is then read twice."""
        stdin: BinaryIO = sys.stdin.buffer
        if self.sandbox and "-" in manifests:
            copy = self._cleanup.enter_context(tempfile.TemporaryFile())  # noqa: SIM115
            shutil.copyfileobj(stdin, copy)
            copy.seek(0)
            return copy
        return stdin

    def _connection(self, options: RunOptions, stdin: BinaryIO) -> Connection:
        if not self.sandbox:
            from ..settings import load_connection

            return load_connection(os.environ, self.env_file, cwd=Path.cwd())
        from .rehearsal import connection_to, throw_away_pim

        running = self._cleanup.enter_context(throw_away_pim(options.manifest, stdin))
        if self.after is not None:
            after = self.after
            self._cleanup.callback(lambda: after(running))
        return connection_to(running)

    def _slips(self) -> list[str]:
        """Option variables that are no option's. Raises UsageError for a `.env` that cannot be used."""
        from ..settings import option_environment, unknown_options
        from .options import VARIABLES

        given = option_environment(os.environ, self.env_file, cwd=Path.cwd())
        if given.keys() <= VARIABLES:
            return []
        # Those of the other commands are options too. They are known once the commands are built, which
        # takes a while.
        from typer.main import get_command

        from .app import application

        get_command(application())
        return unknown_options(given, VARIABLES)

    def _progress(self) -> Progress:
        from ..progress import make_progress
        from ..progress.notes import Notes

        shown: Progress
        if self.quiet or self.progress == "none":
            least = "error" if self.quiet else "info" if self.verbose else "warning"
            shown = Notes(sys.stderr, least, os.environ)
        else:
            shown = make_progress(self.progress, stream=sys.stderr, environ=os.environ, clock=time.monotonic)
        return logs.set_up(
            shown,
            verbose=0 if self.quiet else self.verbose,
            log_file=self.log_file,
            log_format=self.log_format,
        )

    def _ledger(self, options: RunOptions, url: str, progress: Progress) -> Ledger:
        from ..run.ledger import default_path, open_ledger

        # What a sandbox that is about to vanish was given must not be remembered.
        path = None if options.no_state or self.sandbox else options.state or default_path(url)
        ledger = open_ledger(
            path, pim_url=url, clock=time.time, note=lambda message, hint: progress.note(message, hint=hint)
        )
        return self._cleanup.enter_context(closing(ledger))

    def _on_call(self) -> Any:
        return logs.request if self.verbose > 1 or self.log_file is not None else None

    # What is left behind.

    def _finish(
        self,
        command: str,
        job: Job,
        run: Run,
        options: RunOptions,
        status: Exit,
        began: tuple[float, float],
        pim: Mapping[str, Any] | None,
        progress: Progress,
    ) -> Exit:
        """Write the reports and the summary, whatever way the run came out; the status to exit with.

        `began`: by the clock on the wall, in seconds since 1970, and by one that nobody sets.
        """
        from .. import __version__
        from ..report import Report, write_reports
        from ..report.annotations import annotate
        from ..report.metrics import write_metrics
        from ..wording import utc
        from .recall import locator

        seconds = time.monotonic() - began[1]
        try:
            summary = job.summary(run)
            if self.progress == "json" and not self.quiet:
                for item in job.untold(run):
                    progress.row_finished(item["row"], item)
        except LedgerError as error:
            # Nothing of the run can be read back: its own end is all there is to tell.
            progress.finished({})
            self._tell(job.error or error, progress)
            return worst(status, Exit.PENDING) if job.figures.requests else error.exit_status
        if job.error is not None and self.progress == "json":
            self._tell(job.error, progress)
        progress.finished(summary)
        report = Report(
            tool={"name": "akeneo-media", "version": __version__},
            pim=pim,
            run=run.id,
            command=command,
            exit_status=status,
            started_at=utc(began[0]),
            finished_at=utc(time.time()),
            duration_seconds=seconds,
            summary=summary,
            items=run.items,
            troubled=run.troubled_items,
            locate=locator(run),
            recall=self._recall(run, options),
        )
        left: list[Callable[[], None]] = [
            lambda: write_reports(options.reports, report, stdout=sys.stdout),
            lambda: annotate(report, stream=sys.stderr, environ=os.environ),
        ]
        if self.metrics_file is not None:
            metrics_file = str(self.metrics_file)
            left.append(lambda: write_metrics(metrics_file, report))
        failed = [leave for leave in left if not self._left(leave, progress)]
        if failed:
            status = worst(status, Exit.ROWS_FAILED)
        try:
            run.finish(status, summary)
        except LedgerError as error:
            if job.error is None:
                self._tell(error, progress)
        if self.progress != "json":
            self._say(replace(report, exit_status=status), job.error, options.reports, progress)
        return status

    def _recall(self, run: Run, options: RunOptions) -> str | None:
        if options.no_state or self.sandbox:
            return None
        from .recall import recall

        return recall(run.id, options.state, self.env_file)

    def _say(
        self, report: Report, error: MediaError | None, reports: Sequence[str], progress: Progress
    ) -> None:
        from ..report.summary import write_summary

        if error is not None:
            self._tell(error, progress)
        if not self.quiet or report.exit_status:
            write_summary(report, stream=sys.stderr, environ=os.environ, reports=reports)

    def _tell(self, error: MediaError, progress: Progress) -> None:
        """Show an error the way that standard error is written in."""
        if self.progress == "json" and not self.quiet:
            progress.note(error.message, hint=error.hint, level="error")
        else:
            say(f"error: {error}")

    def _left(self, leave: Callable[[], None], progress: Progress) -> bool:
        """Was it written? One that could not be does not keep the others from it."""
        try:
            leave()
        except MediaError as error:
            self._tell(error, progress)
            return False
        return True
