"""The main job, from manifests to an exit status. Everything that happens is in the ledger."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from ..errors import Kind, ManifestError
from ..exits import Exit, worst
from ..ledger import Run
from ..pim.client import PimClient
from ..pim.connection import Connection
from ..pim.http.throttle import Throttle
from ..planning.beside import Rivals
from ..planning.carriers import Carriers, parse_carrier
from ..planning.contents import known_before
from ..planning.feed import Aside, Passes
from ..planning.left import WAITING, LeftInFlight, can_be_held
from ..planning.linking import LinkMode
from ..planning.plan import Rows, plan
from ..planning.preparation import Preparation
from ..planning.readback import ReadBack, unreadable
from ..planning.unchanged import Unchanged
from ..preflight.catalogue import Catalogue
from ..preflight.preflight import Preflight
from ..progress.base import Progress
from ..rows import Status
from ..targets.carrier import put_back
from ..transfer.coordinator import Coordinator, Policy
from ..transfer.environment import Environment, UploadFigures
from ..transfer.executor import UploadExecutor
from ..transfer.handlers.proving import SILENT_SWAPS
from ..transfer.task import Later
from .fitting import Converting, check_installed
from .job import Job, rows_status
from .options import UploadOptions


class Upload(Job):
    """One run of `upload` on a ledger's run."""

    FIGURES = UploadFigures
    figures: UploadFigures

    def __init__(
        self,
        options: UploadOptions,
        rows: Rows,
        connection: Connection,
        progress: Progress,
        environment: Environment,
        on_call: Callable[..., None] | None = None,
    ) -> None:
        super().__init__(options, rows, connection, progress, environment, on_call)
        self._options = options
        self._until: float | None = None
        self._verified = True
        self._skip = options.skip
        self._converting: Converting | None = None
        self._silent_swaps = 0
        if not options.preflight and options.skip.skip == "remote":
            # The PIM must not be asked first.
            self._skip = replace(options.skip, skip="ledger")

    def steps(self, run: Run) -> Exit:
        """Raises as `Job.steps`: ManifestError too, where --strict finds an invalid row."""
        options = self._options
        if options.carrier is not None:
            parse_carrier(options.carrier)
        if options.fit is not None:
            check_installed()
        if options.fit is not None and options.fit.max_edge is not None:
            # What was sent as it is may be too large now: each picture is looked at.
            plan(run, self._rows(self.note), note=self.note)
        else:
            plan(run, self._rows(self.note), skip=self._skip, note=self.note)
        open_rows = self.begin(run, Status.INVALID, Status.UNCHANGED)
        self._refuse_if_strict(run)
        if self._skip.skip == "remote":
            self.progress.rows_expected(*run.expected_totals())
        self.figures.unasked += run.summary()["unchanged"]
        borrowed = not options.dry_run and bool(run.borrowed())
        if open_rows or borrowed:
            with self.talking() as client, self.converting(options.fit) as self._converting:
                if open_rows:
                    self._send_all(run, client, Catalogue(client, self.note))
                else:
                    self.let_settle(run)
                    put_back(run, client, self.note)
        done = self._verified and (options.dry_run or not run.borrowed())
        return rows_status(run) if done else worst(rows_status(run), Exit.PENDING)

    def _send_all(self, run: Run, client: PimClient, catalogue: Catalogue) -> None:
        options = self._options
        if options.max_duration is not None:
            self._until = self.environment.clock() + options.max_duration
        run.mark_shares()
        if options.dry_run:
            self._work(run, client, catalogue, looked=Status.PLANNED, send=False)
            return
        if options.strict:
            all_seen = self._work(run, client, catalogue, looked=None, send=False)
            self._refuse_if_strict(run)
            if not all_seen:
                # A row that was not checked may be invalid.
                return
        if run.borrowed() or not all(map(can_be_held, run.at_work())):
            self.let_settle(run)
            put_back(run, client, self.note)
        self._work(run, client, catalogue, looked=None, send=True)
        self._do_beside(run, client)
        if self._settled:
            put_back(run, client, self.note)
        elif run.borrowed():
            self.note(
                "a carrier's own value is not put back: an upload through it may still be at work",
                "The next upload puts it back.",
            )

    def _do_beside(self, run: Run, client: PimClient) -> None:
        """What assets hold beside their files, and the products that they are linked to."""
        if not self.answers or next(run.waiting_beside(), None) is None:
            return
        if not self._settled:
            self.note(
                "values and links are left for the next run: what was sent may still be at work",
                "run the same command again",
            )
            return
        from .beside import BesideStep

        options = self._options
        verify = options.verify is not False
        step = BesideStep(self, run, client, options.link, verify=verify, retries=options.retries)
        try:
            step.execute()
        finally:
            self.figures.read_back += step.confirmed

    def _work(
        self, run: Run, client: PimClient, catalogue: Catalogue, *, looked: Status | None, send: bool
    ) -> bool:
        """Look up every open row and, if asked to, send it; True if nothing was cut short.

        `looked` is the status of those that are not sent.
        """
        options, environment = self._options, self.environment
        preflight = carrying = None
        fitting = self._converting.fitting if self._converting else None
        conversions = self._converting.conversions if self._converting else None
        if options.preflight:
            preflight = Preflight(
                client,
                catalogue,
                self.note,
                types=environment.sources.php_types,
                relink=options.link is LinkMode.REPLACE,
                fitting=fitting,
                created=run.may_have_created,
                rivals=Rivals(run),
            )
            carrying = Preflight(client, catalogue, self.note, files=False)
        known = dict(known_before(run.stored_shares()))
        carriers = Carriers(options.carrier, carrying, known)
        left = LeftInFlight(run, run.at_work() if send else (), clock=environment.clock, wait=self._wait)
        unchanged = Unchanged(
            self._skip,
            client,
            environment.sources,
            touched=_touched(run) if self._skip.skip == "ledger" else {},
            interrupted=left.rows,
            conversions=conversions,
        )
        readback = ReadBack(client) if send and options.verify is not False else None
        preparation = Preparation(
            run,
            preflight=preflight,
            unchanged=unchanged,
            catalogue=catalogue,
            readback=readback,
            left=left if send else None,
            carriers=carriers,
            sources=environment.sources,
            conversions=conversions,
            send=send,
            looked=looked,
        )
        executor = UploadExecutor(
            client,
            run,
            self.progress,
            preparation=preparation,
            clock=environment.clock,
            sources=environment.sources,
            throttle=Throttle(options.bwlimit) if options.bwlimit else None,
            conversions=conversions,
        )
        passes = Passes(run, carriers, left if send else None)
        asides = iter([Aside(partial(self.ask_version, client))])

        def feed() -> Any:
            batch: Any = (readback and readback.full_batch()) or passes()
            if batch is None:
                batch = next(asides, None)
            if isinstance(batch, Later):
                self.progress.waiting(WAITING, batch.until - environment.clock())
            return batch

        self._silent_swaps = run.silent_swaps()
        coordinator = Coordinator(self._policy(), feed, environment.random, known)
        for hold in left.holds:
            coordinator.hold(hold.keys, hold.until)
        try:
            seconds = None if self._until is None else max(0.0, self._until - environment.clock())
            all_seen = self.drive(coordinator, executor, seconds, tick=executor.saves.look)
            if run.borrowed():
                left.all_over()
            if readback is not None:
                self._read_back(run, readback, executor, again=all_seen)
            return all_seen
        finally:
            self._remember_swaps(run, coordinator)
            self.figures.bytes_sent += executor.bytes_sent
            self.figures.shared += coordinator.shared
            self.figures.changed_in_pim += unchanged.drifted
            self.figures.kept += unchanged.kept
            self.figures.unasked += unchanged.unasked
            self.figures.converted = conversions.count if conversions else 0
            self.figures.read_back += readback.confirmed if readback else 0

    def _read_back(self, run: Run, readback: ReadBack, executor: UploadExecutor, *, again: bool) -> None:
        """Read back what is left, send lost values `again`, and read those back too.

        Raises AccessError for a user who may not read products, where `--verify` was asked for.
        """
        readback.again = again
        # Do not wait again for a PIM that has just stopped answering.
        while self.answers and readback.waiting:
            policy = replace(self._policy(), max_failures=None)
            coordinator = Coordinator(policy, readback.last_batch, self.environment.random)
            try:
                self.drive(coordinator, executor, tick=executor.saves.look)
            finally:
                self._remember_swaps(run, coordinator)
            self.figures.shared += coordinator.shared
        if readback.unread is not None:
            if readback.unread.kind is Kind.FORBIDDEN and self._options.verify:
                raise unreadable()
            self.note(f"not every value could be read back: {readback.unread.message}", readback.unread.hint)
        forbidden = readback.unread is not None and readback.unread.kind is Kind.FORBIDDEN
        self._verified = readback.complete or forbidden

    def _wait(self, seconds: float) -> None:
        self.progress.waiting(WAITING, seconds)
        self.environment.sleep(seconds)
        self.progress.waiting("", 0.0)

    def _policy(self) -> Policy:
        options, swaps = self._options, self._silent_swaps
        free = options.same_names is None
        return Policy(
            options.concurrency,
            options.retries,
            options.max_failures,
            options.share,
            one_by_one=options.same_names == "serial" or (free and swaps >= SILENT_SWAPS),
            silent_swaps=swaps if free else None,
            seek=options.seek,
        )

    def _remember_swaps(self, run: Run, coordinator: Coordinator) -> None:
        """Let the next runs know of a PIM that swaps the bytes of equal names and does not show it."""
        before, now = self._silent_swaps, self._silent_swaps + coordinator.silent_swaps
        if now == before:
            return
        run.swapped_silently(now)
        self._silent_swaps = now
        if before < SILENT_SWAPS <= now and self._options.same_names is None:
            self.note(
                "this PIM mixes up the bytes of files of one name that are sent side by side, and answers "
                "201 to all of them: from now on they are sent one by one",
                "the rows concerned were sent again; with --same-names overlap it is done anyway",
            )

    def _refuse_if_strict(self, run: Run) -> None:
        invalid = run.summary()["invalid"]
        if self._options.strict and invalid:
            raise ManifestError(
                f"{invalid} rows are invalid, so nothing was sent (--strict)",
                "Fix them, or leave --strict out to send the others.",
            )


def _touched(run: Run) -> dict[int, tuple[str, str]]:
    return {t.planned.seq: (t.media_code, t.sha256) for t in run.touched()}
