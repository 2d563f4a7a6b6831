"""`validate`: every check that `upload` makes before it sends, and nothing sent."""

from __future__ import annotations

from collections.abc import Callable

from ..errors import ManifestError
from ..exits import Exit
from ..ledger import Run
from ..pim.connection import Connection
from ..planning.beside import Rivals
from ..planning.carriers import Carriers
from ..planning.feed import Passes
from ..planning.plan import Rows, plan
from ..planning.preparation import Preparation
from ..planning.unchanged import NOTHING_SKIPPED, Unchanged
from ..preflight.catalogue import Catalogue
from ..preflight.preflight import Preflight
from ..progress.base import Progress
from ..rows import Status
from ..transfer.coordinator import Coordinator, Policy
from ..transfer.environment import Environment
from ..transfer.executor import UploadExecutor
from ..wording import count
from .job import Job, rows_status
from .options import ValidateOptions


class Validate(Job):
    """One run of `validate`, offline where `connection` is None. Rows that may be sent become `planned`."""

    def __init__(
        self,
        options: ValidateOptions,
        rows: Rows,
        connection: Connection | None,
        progress: Progress,
        environment: Environment,
        on_call: Callable[..., None] | None = None,
    ) -> None:
        super().__init__(options, rows, connection, progress, environment, on_call)
        self._options = options

    def steps(self, run: Run) -> Exit:
        """Raises as `Job.steps`: ManifestError too, where a strict run finds an invalid row."""
        plan(
            run,
            self._rows(self.note),
            note=self.note,
            status=Status.PLANNED if self._connection is None else None,
        )
        if self.begin(run, Status.INVALID, Status.PLANNED):
            self._ask(run)
        invalid = run.summary()["invalid"]
        if self._options.strict and invalid:
            raise ManifestError(
                f"{count(invalid, 'row')} invalid (--strict)",
                "Fix them: `upload --strict` would send nothing.",
            )
        return rows_status(run)

    def _ask(self, run: Run) -> None:
        options = self._options
        with self.talking() as client, self.converting(options.fit) as convert:
            run.mark_shares()
            catalogue = Catalogue(client, self.note)
            carriers = Carriers(options.carrier, Preflight(client, catalogue, self.note, files=False))
            preparation = Preparation(
                run,
                preflight=Preflight(
                    client,
                    catalogue,
                    self.note,
                    types=self.environment.sources.php_types,
                    fitting=convert.fitting if convert else None,
                    created=run.may_have_created,
                    rivals=Rivals(run),
                ),
                unchanged=Unchanged(
                    NOTHING_SKIPPED, client, self.environment.sources, touched={}, interrupted={}
                ),
                catalogue=catalogue,
                carriers=carriers,
                sources=self.environment.sources,
                conversions=convert.conversions if convert else None,
                send=False,
                looked=Status.PLANNED,
            )
            executor = UploadExecutor(
                client,
                run,
                self.progress,
                preparation=preparation,
                clock=self.environment.clock,
                sources=self.environment.sources,
            )
            policy = Policy(options.concurrency, options.retries)
            self.drive(Coordinator(policy, Passes(run, carriers), self.environment.random), executor)
