"""The main job, from manifests to an exit status: whatever happens, the ledger knows."""

from __future__ import annotations

from collections.abc import Callable

from ..errors import ManifestError
from ..exits import Exit, worst
from ..ledger import Run
from ..pim.client import PimClient
from ..pim.connection import Connection
from ..pim.http.throttle import Throttle
from ..planning.carriers import Carriers, parse_carrier
from ..planning.contents import known_before
from ..planning.feed import Passes
from ..planning.plan import Rows, plan
from ..planning.preparation import Preparation
from ..planning.unchanged import Unchanged
from ..preflight.catalogue import Catalogue
from ..preflight.preflight import Preflight
from ..progress.base import Progress
from ..rows import Status
from ..targets.carrier import put_back
from ..transfer.coordinator import Coordinator, Policy
from ..transfer.environment import Environment
from ..transfer.executor import UploadExecutor
from .job import Job, rows_status
from .options import UploadOptions
from .readback import read_back


class Upload(Job):
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
        super().__init__(options, rows, connection, progress, environment, on_call)
        self._options = options
        self._until: float | None = None

    def steps(self, run: Run) -> Exit:
        """Raises as `Job.steps`: ManifestError too, where --strict finds an invalid row."""
        options = self._options
        if options.carrier is not None:
            parse_carrier(options.carrier)
        plan(run, self._rows(self.note), skip=options.skip, note=self.note)
        open_rows = self.begin(run, Status.INVALID, Status.UNCHANGED)
        self._refuse_if_strict(run)
        held = run.summary()["unchanged"]
        borrowed = not options.dry_run and bool(run.borrowed())
        verified = True
        if open_rows or borrowed or (options.verify and held):
            with self.talking() as client:
                catalogue = Catalogue(client, self.note)
                if open_rows:
                    self._send_all(run, client, catalogue)
                elif borrowed:
                    self.let_settle(run)
                    put_back(run, client, self.note)
                if options.verify and not (options.dry_run or self.interrupted):
                    # A PIM that has just stopped answering is not waited for once more.
                    verified = self.answers and read_back(self, run, client, catalogue, self._policy())
        done = verified and (options.dry_run or not run.borrowed())
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
                # A row that nobody looked at may be invalid.
                return
        self.let_settle(run)
        put_back(run, client, self.note)
        self._work(run, client, catalogue, looked=None, send=True)
        if self._settled:
            put_back(run, client, self.note)
        elif run.borrowed():
            self.note(
                "a carrier's own value is not put back: what went through it may still be at work",
                "the next upload puts it back",
            )

    def _work(
        self, run: Run, client: PimClient, catalogue: Catalogue, *, looked: Status | None, send: bool
    ) -> bool:
        """Look every open row up and, if asked to, send it; was nothing cut short?

        `looked` is the word of those that are not sent.
        """
        options, environment = self._options, self.environment
        preflight = carrying = None
        if options.preflight:
            preflight = Preflight(client, catalogue, self.note, types=environment.sources.php_types)
            carrying = Preflight(client, catalogue, self.note, files=False)
        known = dict(known_before(run.stored_shares()))
        carriers = Carriers(options.carrier, carrying, known)
        preparation = Preparation(
            run,
            preflight=preflight,
            unchanged=Unchanged(
                options.skip,
                client,
                run,
                environment.sources,
                touched=_touched(run) if options.skip == "ledger" else {},
                interrupted={i.planned.seq: i for i in run.interrupted()},
            ),
            carriers=carriers,
            sources=environment.sources,
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
        )
        coordinator = Coordinator(self._policy(), Passes(run, carriers), environment.random, known)
        try:
            left = None if self._until is None else max(0.0, self._until - environment.clock())
            return self.drive(coordinator, executor, left)
        finally:
            self.figures.bytes_sent += executor.bytes_sent
            self.figures.shared += coordinator.shared

    def _policy(self) -> Policy:
        options = self._options
        return Policy(options.concurrency, options.retries, options.max_failures, options.share)

    def _refuse_if_strict(self, run: Run) -> None:
        invalid = run.summary()["invalid"]
        if self._options.strict and invalid:
            raise ManifestError(
                f"{invalid} rows are invalid, so nothing was sent (--strict)",
                "mend them, or leave --strict out to send the others",
            )


def _touched(run: Run) -> dict[int, tuple[str, str]]:
    return {t.planned.seq: (t.media_code, t.sha256) for t in run.touched()}
