"""`runs undo`: what the values of a run's rows held before it, put back.

The PIM never deletes a media file, so an earlier value can be set again by its code
(docs/pim-behaviour.md, "Undoing and emptying"). A value that holds something else than the run put there was
changed since: it is left alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from ..errors import Failure, Kind
from ..exits import Exit
from ..ledger import UNKNOWN, PlannedRow, RowResult, Run, RunRecord
from ..pim.connection import Connection
from ..planning.plan import Rows, judged
from ..progress.base import Progress
from ..rows import Status, Target, TargetType, folded
from ..targets.resolved import ResolvedTarget
from ..transfer.environment import Environment
from ..wording import count
from .beside.others import plan_others, set_others, told, with_media
from .job import Job, rows_status
from .options import UndoOptions
from .setting import NO_PATCH, Set, ValueSetter, Verdict

_UNDOES = (Status.UPLOADED, Status.REMOVED, Status.RESTORED)
"""Statuses of rows that changed a value."""


def undoable(run: RunRecord) -> list[PlannedRow]:
    """The rows of a run that changed something in the PIM."""
    return list(filter(changed, run.rows((*_UNDOES, Status.FAILED, Status.PENDING))))


def changed(planned: PlannedRow) -> bool:
    """Did the row change something in the PIM?

    One that failed, or was cut off, may have: its file was sent, but its asset was not linked.
    """
    said = planned.beside
    if said is None or planned.status in _UNDOES:
        return planned.status in _UNDOES
    # An undo that did not get so far has not read what the value held.
    return said.wrote or (said.file and planned.before is not UNKNOWN)


class Undo(Job):
    """One run of `runs undo` on a ledger's run. Its rows are those of `undone_rows`."""

    WORDS = (Status.RESTORED.value,)

    def __init__(
        self,
        options: UndoOptions,
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
        run.add(judged(self._rows(self.note)))
        values = self.begin(run, Status.INVALID)
        if not values:
            return rows_status(run)
        with self.talking() as client:
            setter = ValueSetter(self, run, client, self._decide, Status.RESTORED, retries=options.retries)
            if options.dry_run:
                setter.plan_all(with_media(run))
                plan_others(self, run)
                return rows_status(run)
            # The ledger's number: counting what others changed since would read every product once more.
            question = f"Put back up to {count(values, 'value')} of run {options.undoes} in {self.address}?"
            if not self.confirmed(options.confirm, question):
                return Exit.USAGE
            self.let_settle(run)
            set_others(self, run, client, Status.RESTORED, retries=options.retries)
            setter.set_all(with_media(run))
        return rows_status(run)

    def _decide(self, planned: PlannedRow, resolved: ResolvedTarget) -> Verdict:
        old = self._options.rows[planned.seq - 1]
        assert old.before is not UNKNOWN
        wanted = None if old.before is None else old.before.code
        held = resolved.before
        if held == wanted:
            return told(RowResult(planned.seq, Status.UNCHANGED, media_code=wanted), planned, Status.RESTORED)
        # `removed` left nothing there, the others a code.
        if held != old.media_code:
            return RowResult(planned.seq, Status.FAILED, _changed(old.media_code, held))
        return Set(wanted)


def undone_rows(rows: Sequence[PlannedRow]) -> Iterator[PlannedRow]:
    """The rows of an undo, one for each of the run's that changed a value, in the same order."""
    for seq, old in enumerate(rows, 1):
        row = replace(old.row, problem=_no_way_back(old))
        said = old.beside.reverse if old.beside is not None else None
        yield PlannedRow(seq, row, old.name, beside=said)


def only(rows: Iterable[PlannedRow], named: Iterable[PlannedRow]) -> list[PlannedRow]:
    """Those of the rows whose values a manifest names too (`--only`)."""
    wanted = {_value(each) for each in named if each.row.problem is None}
    return [each for each in rows if _value(each) in wanted]


def _value(planned: PlannedRow) -> tuple[object, ...]:
    row = planned.row
    target = row.target or Target(TargetType.PRODUCT, "")
    return (
        target.type,
        folded(target.parent),
        folded(target.code),
        folded(row.attribute),
        folded(row.locale or ""),
        folded(row.scope or ""),
    )


def _no_way_back(old: PlannedRow) -> Failure | None:
    target = old.row.target
    if target is not None and target.type in NO_PATCH:
        what = "a category" if target.type is TargetType.CATEGORY else "an asset of the old PAM"
        return Failure(
            Kind.NO_WAY_BACK,
            f"the API cannot set the media of {what} back to an earlier file",
            "Upload the earlier file again.",
        )
    if old.row.has_no_media:
        return None
    if old.before is UNKNOWN:
        return Failure(
            Kind.NO_WAY_BACK,
            "it is unknown what the value held before that run",
            "Runs of older versions and with --no-preflight do not record it. Upload the earlier file again.",
        )
    return None


def _changed(put: str | None, held: object) -> Failure:
    was = "emptied it" if put is None else f"put {put} there"
    now = "it is empty" if held is None else f"it holds {held}"
    return Failure(
        Kind.CHANGED_IN_PIM,
        f"the value has changed since: the run {was}, now {now}",
        "It was left as it is. See the product's history in the PIM; upload a file to change it.",
    )
