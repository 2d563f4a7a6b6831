"""`remove`: the values that a manifest's rows name, emptied. The media files stay in the PIM."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from ..errors import Failure, Kind, UsageError
from ..exits import Exit
from ..ledger import HeldFile, PlannedRow, RowResult, Run
from ..manifest.columns import NO_FILE
from ..pim.client import PimClient
from ..pim.connection import Connection
from ..planning.plan import Rows, plan
from ..preflight.catalogue import Catalogue
from ..preflight.preflight import Preflight
from ..progress.base import Progress
from ..rows import Row, Status
from ..targets import ADAPTERS
from ..targets.resolved import ResolvedTarget
from ..transfer.environment import Environment
from ..wording import count
from .beside.others import find_others, plan_others, set_others, told, with_media
from .job import Job, rows_status
from .options import RemoveOptions
from .setting import NO_PATCH, Set, ValueSetter, Verdict

_NO_WAY = Failure(
    Kind.NO_WAY_BACK,
    "the API cannot empty the media of categories and of the old PAM's assets",
    "Remove it in the PIM's user interface.",
)


class Remove(Job):
    """One run of `remove` on a ledger's run."""

    WORDS = (Status.REMOVED.value,)

    def __init__(
        self,
        options: RemoveOptions,
        rows: Rows,
        connection: Connection,
        progress: Progress,
        environment: Environment,
        on_call: Callable[..., None] | None = None,
    ) -> None:
        super().__init__(options, rows, connection, progress, environment, on_call)
        self._options = options

    def steps(self, run: Run) -> Exit:
        options = self._options
        plan(run, self._rows(self.note), note=self.note)
        values = self.begin(run, Status.INVALID)
        if not values:
            return rows_status(run)
        with self.talking() as client:
            setter = ValueSetter(
                self, run, client, self._decide(run, client), Status.REMOVED, retries=options.retries
            )
            preflight = Preflight(client, Catalogue(client, self.note), self.note, files=False)
            find_others(self, run, preflight, retries=options.retries)
            if options.dry_run:
                setter.plan_all(with_media(run))
                plan_others(self, run)
                return rows_status(run)
            most = options.max_removals
            # No more rows than values that may be removed: nothing has to be read to know.
            if most is not None and values > most:
                if setter.settle(with_media(run), most):
                    raise UsageError(
                        f"more than {count(most, 'value')} (--max-removals) would be removed: nothing was",
                        "Check the manifest with --dry-run, or raise --max-removals.",
                    )
                values, _ = run.open_totals()
            question = f"Remove up to {count(values, 'value')} from {self.address}?"
            if values and not self.confirmed(options.confirm, question):
                return Exit.USAGE
            self.let_settle(run)
            set_others(self, run, client, Status.REMOVED, retries=options.retries)
            setter.set_all(with_media(run))
        return rows_status(run)

    def _decide(self, run: Run, client: PimClient) -> Callable[[PlannedRow, ResolvedTarget], Verdict]:
        def decide(planned: PlannedRow, resolved: ResolvedTarget) -> Verdict:
            held = resolved.before
            if resolved.target.type in NO_PATCH:
                return RowResult(planned.seq, Status.INVALID, _NO_WAY)
            if held is None:
                empty = RowResult(planned.seq, Status.UNCHANGED, notes=("the value is empty already",))
                return told(empty, planned, Status.REMOVED)
            assert isinstance(held, str)
            if self._options.only_file and not _is_the_rows_file(run, client, planned, resolved, held):
                note = f"the PIM holds another file: {held}"
                before = HeldFile(held)
                return RowResult(planned.seq, Status.UNCHANGED, media_code=held, notes=(note,), before=before)
            return Set(None)

        return decide


def _is_the_rows_file(
    run: Run, client: PimClient, planned: PlannedRow, resolved: ResolvedTarget, held: str
) -> bool:
    known = run.remembered(planned.seq)
    if known is not None and known.media_code == held:
        return known.name == planned.name and known.size == planned.size
    adapter = ADAPTERS[resolved.target.type]
    return adapter.resembles(client, resolved, held, planned.name, planned.size)


def removal_rows(rows: Iterable[Row]) -> Iterator[PlannedRow]:
    """The rows of a removal: their files are not looked at."""
    for seq, row in enumerate(rows, 1):
        file = "" if row.file == NO_FILE else row.file
        yield PlannedRow(seq, replace(row, file=file), row.filename or file)
