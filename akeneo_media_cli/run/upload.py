"""The main job, from manifests to an exit status: whatever happens, the ledger knows."""

from __future__ import annotations

import random as chance
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

from ..errors import LedgerError, ManifestError, MediaError
from ..exits import Exit, worst
from ..pim.client import PimClient
from ..pim.connection import Connection
from ..pim.throttle import Throttle
from ..progress.base import Progress
from ..rows import Status
from .catalogue import Catalogue
from .coordinator import Coordinator, Policy
from .courier import MediaCourier
from .engine import Engine
from .feed import Feed
from .ledger import Run
from .options import UploadOptions
from .plan import Rows, plan
from .preflight import Preflight
from .unchanged import Unchanged


class _Interrupted(BaseException):
    """A signal came before anything was sent. Not an Exception: nothing on the way may swallow it."""


@dataclass
class Environment:
    """What a run needs of the world: passed in, so that a test can give its own.

    `clock` gives monotonic seconds, `wall` seconds since 1970, `random` numbers from 0 to 1.
    """

    clock: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time
    random: Callable[[], float] = chance.random


@dataclass
class Figures:
    """What the report's summary says beside the counts of rows."""

    bytes_sent: int = 0
    requests: int = 0
    retries: int = 0
    throttled: int = 0


class Upload:
    """One run of `upload` on a ledger's run."""

    def __init__(
        self,
        options: UploadOptions,
        rows: Rows,
        connection: Connection,
        progress: Progress,
        environment: Environment,
        on_call: Callable[..., None] | None = None,
    ) -> None:
        self.figures = Figures()
        self.error: MediaError | None = None
        """What ended the run before its time, if anything did."""
        self.pim_version: str | None = None
        self._options = options
        self._rows = rows
        self._connection = connection
        self._progress = progress
        self._environment = environment
        self._on_call = on_call
        self._engine: Engine | None = None
        self._signal = 0

    def execute(self, run: Run) -> Exit:
        """Do it all; the exit status. Leaves every row's word in the run, however it ends."""
        with self._signals():
            try:
                status = self._steps(run)
            except _Interrupted:
                status = Exit.OK
            except MediaError as error:
                self.error = error
                begun = isinstance(error, LedgerError) and self.figures.requests
                status = Exit.PENDING if begun else error.exit_status
        if self._signal:
            status = worst(status, Exit.INTERRUPTED if self._signal == signal.SIGINT else Exit.TERMINATED)
        return status

    def _steps(self, run: Run) -> Exit:
        options = self._options
        plan(run, self._rows(self._note), skip=options.skip, note=self._note)
        self._refuse_if_strict(run)
        open_rows, size = run.open_totals()
        total = run.summary()["total"]
        self._progress.started(rows=total, size=size, concurrency=options.concurrency)
        if open_rows < total:
            for item in run.items([Status.INVALID, Status.UNCHANGED]):
                self._progress.row_finished(item["row"], item)
        if open_rows:
            self._talk_to_pim(run)
        return self._status(run)

    def _talk_to_pim(self, run: Run) -> None:
        options = self._options
        with PimClient(
            self._connection, timeout=options.timeout, pool=options.concurrency, on_call=self._on_call
        ) as client:
            try:
                if options.dry_run:
                    self._work(run, client, looked=Status.PLANNED, send=False)
                    return
                if options.strict:
                    self._work(run, client, looked=None, send=False)
                    self._refuse_if_strict(run)
                self._work(run, client, looked=None, send=True)
            finally:
                self.figures.requests = client.counts.requests

    def _work(self, run: Run, client: PimClient, *, looked: Status | None, send: bool) -> None:
        """Look every open row up and, if asked to, send it; `looked` is the word of those that are not."""
        options, environment = self._options, self._environment
        preflight = None
        if options.preflight:
            preflight = Preflight(client, Catalogue(client, self._note), self._note)
        courier = MediaCourier(
            client,
            run,
            self._progress,
            preflight=preflight,
            unchanged=Unchanged(
                options.skip,
                client,
                run,
                touched=_touched(run) if options.skip == "ledger" else {},
                interrupted={i.planned.seq: i for i in run.interrupted()},
            ),
            clock=environment.clock,
            pace=Throttle(options.bwlimit).take if options.bwlimit else None,
            send=send,
            looked=looked,
        )
        policy = Policy(options.concurrency, options.retries, options.max_failures)
        coordinator = Coordinator(policy, Feed(run), environment.random)
        self._engine = Engine(
            coordinator,
            courier,
            self._progress,
            clock=environment.clock,
            max_duration=options.max_duration,
        )
        try:
            self._engine.run()
        finally:
            self._engine = None
            self.figures.bytes_sent += courier.bytes_sent
            self.figures.retries += coordinator.retries
            self.figures.throttled += coordinator.gate.throttled
        if coordinator.fatal is not None:
            raise coordinator.fatal
        if coordinator.aborted and coordinator.trouble is not None:
            self._note(f"the PIM could not be asked: {coordinator.trouble.message}", coordinator.trouble.hint)
        elif coordinator.gate.given_up:
            self._note("the PIM stopped answering: the rest is left for the next run", "")

    def _refuse_if_strict(self, run: Run) -> None:
        invalid = run.summary()["invalid"]
        if self._options.strict and invalid:
            raise ManifestError(
                f"{invalid} rows are invalid, so nothing was sent (--strict)",
                "mend them, or leave --strict out to send the others",
            )

    @staticmethod
    def _status(run: Run) -> Exit:
        summary = run.summary()
        statuses = [Exit.OK]
        if summary["failed"] or summary["invalid"]:
            statuses.append(Exit.ROWS_FAILED)
        if summary["pending"]:
            statuses.append(Exit.PENDING)
        return worst(*statuses)

    def _note(self, message: str, hint: str) -> None:
        self._progress.note(message, hint=hint)

    @contextmanager
    def _signals(self) -> Iterator[None]:
        """Ctrl-C and SIGTERM end the run in order: once to finish what is in flight, twice at once."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {
            number: signal.signal(number, self._on_signal) for number in (signal.SIGINT, signal.SIGTERM)
        }
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self._signal = self._signal or number
        if self._engine is None:
            raise _Interrupted
        self._engine.interrupt()


def _touched(run: Run) -> dict[int, tuple[str, str]]:
    return {t.planned.seq: (t.media_code, t.sha256) for t in run.touched()}
