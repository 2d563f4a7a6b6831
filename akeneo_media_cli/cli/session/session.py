"""One call of a command: where it connects to, how it is shown, what it leaves behind."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from ...errors import MediaError
from ...exits import Exit
from .. import options as o
from ..terminal import logs
from ..terminal.process import keep_what_is_loaded
from .file_conflicts import NamedFiles
from .run_reporter import RunReporter

if TYPE_CHECKING:
    from ...jobs.job import Job
    from ...jobs.options import (
        DownloadOptions,
        RemoveOptions,
        RunOptions,
        UndoOptions,
        UploadOptions,
        ValidateOptions,
        VerifyOptions,
    )
    from ...ledger import Ledger, PlannedRow
    from ...pim.connection import Connection
    from ...planning.batches import FoundBatch
    from ...planning.manifests import PimColumns
    from ...planning.plan import Note
    from ...progress.base import Progress
    from ...storage.links import Links


_DOING = {
    "upload": "Uploading to",
    "validate": "Checking against",
    "verify": "Comparing with",
    "download": "Downloading from",
}


@dataclass
class Session:
    """What a command runs in, from the groups of options that all of them have."""

    env_file: Path | None = None
    sandbox: bool = False
    reporting: o.Reporting = field(default_factory=o.Reporting)
    logging: o.Logging = field(default_factory=o.Logging)
    rows: Callable[[Note, Links], Iterable[PlannedRow]] | None = None
    """Rows that come from elsewhere than the manifests."""
    after: Callable[[Any], None] | None = None
    """With `sandbox`: what to do with it before it goes."""
    _cleanup: ExitStack = field(default_factory=ExitStack)

    def upload(self, options: UploadOptions) -> Exit:
        """Run `upload`; the exit status. Raises MediaError where not even a run could begin."""
        from ...jobs.upload import Upload

        return self._run("upload", options, Upload)

    def upload_nothing(self, options: UploadOptions, problem: MediaError | None = None) -> Exit:
        """The end of an `upload` without rows to send, for a `problem` or for none; the exit status."""
        from ...jobs.upload import Upload

        self._named_files(options).check_reports(options.reports)
        return self._reporter("upload", options).of_nothing(problem, Upload.nothing(), self._display())

    def validate(self, options: ValidateOptions) -> Exit:
        """Run `validate`, as `upload`; it needs a PIM only with `online`, and is not remembered."""
        from ...jobs.validate import Validate

        return self._run(
            "validate",
            replace(options, no_state=True),
            Validate,
            offline=not (options.online or self.sandbox),
        )

    def verify(self, options: VerifyOptions) -> Exit:
        """Run `verify`, as `upload`."""
        from ...jobs.verify import Verify

        return self._run("verify", options, Verify)

    def remove(self, options: RemoveOptions) -> Exit:
        """Run `remove`, as `upload`."""
        from ...jobs.remove import Remove

        return self._run("remove", options, Remove)

    def undo(self, options: UndoOptions) -> Exit:
        """Run `runs undo`, as `upload`, on `rows`."""
        from ...jobs.undo import Undo

        return self._run("undo", options, Undo)

    def download(self, options: DownloadOptions) -> Exit:
        """Run `download` or `media download`, as `upload`, on `rows`."""
        from ...jobs.download import Download

        return self._run("download", options, Download)

    def _run(self, command: str, options: RunOptions, make: type[Job], *, offline: bool = False) -> Exit:
        files, reporter = self._named_files(options), self._reporter(command, options)
        files.check_reports(options.reports)
        progress = self._display()
        with self._cleanup:
            try:
                files.check()
                progress = logs.set_up(progress, self.logging)
                job, ledger = self._job(options, make, progress, reporter, offline=offline)
                run = ledger.start_run(command, options.arguments())
            except MediaError as error:
                return reporter.of_nothing(error, make.nothing(), progress)
            except BaseException as problem:
                reporter.of_nothing(problem, make.nothing(), progress)
                raise
            status, problem_met = Exit.DEFECT, None
            keep_what_is_loaded()
            with job.signals.caught():
                try:
                    status = job.execute(run)
                except BaseException as problem:
                    problem_met = problem
                    raise
                finally:
                    status = reporter.of(job, run, status, problem_met, progress)
        return status

    def _job(
        self,
        options: RunOptions,
        make: type[Job],
        progress: Progress,
        reporter: RunReporter,
        *,
        offline: bool,
    ) -> tuple[Job, Ledger]:
        """The job to do, and the ledger for it. Raises MediaError if it cannot be done."""
        from ...jobs.media_columns import ColumnsOfPim
        from ...storage.links import Links
        from ...storage.sources import LOOKS, Sources
        from ...transfer.environment import Environment

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
        reporter.url = connection.url if connection else None
        reporter.connection = connection
        if connection is not None:
            progress.note(f"{_DOING.get(reporter.command, 'Connecting to')} {connection.url}", level="info")
        for slip in self._slips():
            progress.note(slip)
        ledger = self._ledger(options, connection.url if connection else "", progress)
        columns = ColumnsOfPim(connection, options, progress) if connection else None
        rows = partial(self._rows, options, stdin, columns, links)
        environment = Environment(sources=Sources(links, options.manifest.checks))
        return make(options, rows, connection, progress, environment, on_call=on_call), ledger

    # Where from and where to.

    def _named_files(self, options: RunOptions) -> NamedFiles:
        return NamedFiles(
            options.manifest.manifests,
            self.env_file,
            log_file=self.logging.log_file,
            metrics_file=self.reporting.metrics_file,
            rejects=self.reporting.rejects,
            state=None if options.no_state else options.state,
        )

    def _reporter(self, command: str, options: RunOptions) -> RunReporter:
        return RunReporter(
            command,
            options,
            events=self.reporting.progress is o.ProgressMode.json and not self.logging.quiet,
            quiet=self.logging.quiet,
            metrics_file=self.reporting.metrics_file,
            rejects=self.reporting.rejects,
            recall=None if options.no_state or self.sandbox else partial(self._recall, options),
        )

    def _rows(
        self, options: RunOptions, stdin: IO[bytes], columns: PimColumns | None, links: Links, note: Note
    ) -> Iterable[PlannedRow | FoundBatch]:
        from ...jobs.options import RemoveOptions, VerifyOptions
        from ...planning.plan import planned_rows

        if self.rows is not None:
            return self.rows(note, links)
        if isinstance(options, RemoveOptions) and not options.only_file:
            from ...jobs.remove import removal_rows
            from ...planning.manifests import rows_of

            return removal_rows(rows_of(options.manifest, stdin, note, columns))
        reads = isinstance(options, (RemoveOptions, VerifyOptions))
        return planned_rows(options.manifest, stdin, note, columns, links, names_apart=not reads)

    def _stdin(self, manifests: Any) -> IO[bytes]:
        """Standard input; with `--sandbox` a copy of it, as the manifest is then read twice."""
        stdin: IO[bytes] = sys.stdin.buffer
        if self.sandbox and "-" in manifests:
            copy = self._cleanup.enter_context(tempfile.TemporaryFile())  # noqa: SIM115
            shutil.copyfileobj(stdin, copy)
            copy.seek(0)
            return copy
        return stdin

    def _connection(self, options: RunOptions, stdin: IO[bytes]) -> Connection:
        if not self.sandbox:
            from ...settings import load_connection

            return load_connection(os.environ, self.env_file, cwd=Path.cwd())
        from .rehearsal import connection_to, throw_away_pim

        running = self._cleanup.enter_context(throw_away_pim(options.manifest, stdin))
        if self.after is not None:
            after = self.after
            self._cleanup.callback(lambda: after(running))
        return connection_to(running)

    def _slips(self) -> list[str]:
        """Option variables that are no option's. Raises UsageError for a `.env` that cannot be used."""
        from ...settings import option_environment, unknown_options

        given = option_environment(os.environ, self.env_file, cwd=Path.cwd(), pairs=o.PAIRS)
        if given.keys() <= o.OPTION_VARIABLES:
            return []
        # Those of the other commands are options too. They are known once the commands are built, which
        # takes a while.
        from typer.main import get_command

        from ..app import application

        get_command(application())
        return unknown_options(given, o.OPTION_VARIABLES)

    def _display(self) -> Progress:
        from ...progress import make_progress
        from ...progress.notes import Notes

        mode = self.reporting.progress
        if self.logging.quiet or mode is o.ProgressMode.none:
            # Without progress, the PIM's address is shown anyway; -q shows only what is wrong.
            least = "error" if self.logging.quiet else "info"
            return Notes(sys.stderr, least, os.environ)
        return make_progress(mode.value, stream=sys.stderr, environ=os.environ, clock=time.monotonic)

    def _ledger(self, options: RunOptions, url: str, progress: Progress) -> Ledger:
        from ...ledger import default_path, open_ledger

        # What a sandbox that is about to vanish was given must not be remembered.
        path = None if options.no_state or self.sandbox else options.state or default_path(url)
        ledger = open_ledger(
            path, pim_url=url, clock=time.time, note=lambda message, hint: progress.note(message, hint=hint)
        )
        return self._cleanup.enter_context(closing(ledger))

    def _on_call(self) -> Any:
        return logs.on_call(self.logging)

    def _recall(self, options: RunOptions, run: str) -> str:
        from .recall import recall

        return recall(run, options.state, self.env_file)
