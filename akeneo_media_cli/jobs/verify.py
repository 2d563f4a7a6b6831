"""`verify`: for each row, does the PIM hold this file? Writes nothing to the PIM.

Values come with the preflight's searches, a hundred entities a call. A value whose code the ledger itself put
there needs no further call, as name, size and digest are known; for any other the PIM gives name and size, a
call a row (docs/pim-behaviour.md, "Answers to an upload" and "Searching and paging").
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import Failure, Kind
from ..exits import Exit
from ..ledger import UNKNOWN, InFlightState, PlannedRow, RowResult, Run
from ..ledger.codec import to_item
from ..pim.api.calls import resuming
from ..pim.client import PimClient
from ..pim.connection import Connection
from ..pim.errors import Refusal, SourceTrouble
from ..planning.beside import Rivals, difference
from ..planning.feed import Feed
from ..planning.plan import Rows, plan
from ..planning.preparation import looked_at
from ..planning.readback import unreadable
from ..preflight.catalogue import Catalogue
from ..preflight.preflight import Preflight
from ..progress.base import Progress
from ..rows import Status, php_basename
from ..storage.sources import Sources
from ..targets import ADAPTERS
from ..targets.resolved import ResolvedTarget
from ..transfer.coordinator import Coordinator, Policy
from ..transfer.environment import Environment
from ..transfer.outcomes import outcome_of
from ..transfer.task import Ended, Outcome, Prepared, Refused, Request, RequestKind, Stored, UploadTask
from ..wording import count
from .job import Job, rows_status
from .options import VerifyOptions

if TYPE_CHECKING:
    from ..storage.conversions import Conversions

_WORDS = {
    Kind.VALUE_DIFFERS: Status.DIFFERS,
    Kind.VALUE_MISSING: Status.MISSING,
    Kind.FILE_UNREADABLE: Status.INVALID,
}
_FIX = "`akeneo-media upload` sends the file; if the PIM's is the right one, fix the manifest."


class Verify(Job):
    """One run of `verify` on a ledger's run."""

    WORDS = (Status.HELD.value, Status.DIFFERS.value, Status.MISSING.value)

    def __init__(
        self,
        options: VerifyOptions,
        rows: Rows,
        connection: Connection,
        progress: Progress,
        environment: Environment,
        on_call: Callable[..., None] | None = None,
    ) -> None:
        super().__init__(options, rows, connection, progress, environment, on_call)
        self._options = options

    def steps(self, run: Run) -> Exit:
        plan(run, self._rows(self.note), note=self.note)
        if self.begin(run, Status.INVALID):
            options = self._options
            with self.talking() as client, self.converting(options.fit) as convert:
                fitting = convert.fitting if convert else None
                checker = _Checker(
                    client,
                    run,
                    self.progress,
                    Preflight(
                        client,
                        Catalogue(client, self.note),
                        self.note,
                        files=False,
                        fitting=fitting,
                        rivals=Rivals(run),
                    ),
                    self.environment.clock,
                    self.environment.sources,
                    deep=options.deep,
                    conversions=convert.conversions if convert else None,
                )
                policy = Policy(options.concurrency, options.retries)
                coordinator = Coordinator(policy, Feed(run.open_rows), self.environment.random)
                self.drive(coordinator, checker, options.max_duration)
        return rows_status(run)


@dataclass(slots=True)
class _Question:
    """A row whose value holds a file that the PIM must be asked about; `answered` is what is wrong with it.

    `disproved`: the value holds another file than the row's, whatever the ledger knows.
    """

    planned: PlannedRow
    resolved: ResolvedTarget
    held: str
    answered: Failure | None = None
    disproved: bool = False


class _Checker:
    """An executor that only reads. Called from many threads."""

    def __init__(
        self,
        client: PimClient,
        run: Run,
        progress: Progress,
        preflight: Preflight,
        clock: Callable[[], float],
        sources: Sources,
        *,
        deep: bool,
        conversions: Conversions | None = None,
    ) -> None:
        self._conversions = conversions
        self._sources = sources
        self._client = client
        self._run = run
        self._progress = progress
        self._preflight = preflight
        self._clock = clock
        self._deep = deep

    def perform(self, request: Request, meanwhile: Callable[[], None]) -> Outcome:
        """Look a batch of values up, or ask about the file that one of them holds."""
        meanwhile()
        if request.kind is RequestKind.PREPARE:
            with resuming(request.answers):
                return outcome_of(lambda: self._look_up(request.batch))
        return outcome_of(lambda: self._compare(request.task))

    # A batch.

    def _look_up(self, batch: Sequence[PlannedRow]) -> Outcome:
        results, batch = looked_at(batch, self._sources)
        tasks: list[UploadTask] = []
        try:
            resolved_targets = self._preflight.look(batch)
            if self._conversions is not None:
                self._run.converts(planned for planned in batch if planned.recipe is not None)
        except Refusal as refusal:
            results += [(p, RowResult(p.seq, Status.FAILED, refusal.failure)) for p in batch]
            resolved_targets = []
        for planned, resolved in zip(batch, resolved_targets, strict=False):
            if isinstance(resolved, Failure):
                results.append((planned, RowResult(planned.seq, Status.INVALID, resolved)))
            elif planned.row.has_no_media:
                results.append((planned, _word(planned, resolved, None, difference(resolved))))
            elif resolved.before is UNKNOWN:
                raise unreadable()
            elif resolved.before is None:
                missing = _missing("the value is empty")
                results.append((planned, _word(planned, resolved, None, missing, disproved=True)))
            elif (verdict := self._remembered(planned, resolved.before)) is not None:
                # The PIM holds what the ledger knows: if that is not the row's file, it was changed here.
                failure = verdict[0] or difference(resolved)
                results.append((planned, _word(planned, resolved, resolved.before, failure)))
            else:
                question = _Question(planned, resolved, resolved.before)
                tasks.append(UploadTask(question, planned.seq, planned.size or 0, ()))
        self._run.record([result for _, result in results])
        for planned, result in results:
            self._finished(planned, result)
        return Prepared(tasks)

    def _remembered(self, planned: PlannedRow, held: str) -> tuple[Failure | None] | None:
        """What the ledger alone knows about a value: that its file differs, or is this one; None: nothing."""
        known = None if self._deep else self._run.remembered(planned.seq)
        if known is None or known.media_code != held or known.name is None or known.size is None:
            return None
        if known.recipe != planned.recipe:
            return (_converted_otherwise(planned.recipe, known.recipe),)
        unlike = _unlike(planned, known.name, known.size)
        same_time = known.mtime_ns is not None and known.mtime_ns == planned.mtime_ns
        if unlike is not None or same_time:
            return (unlike,)
        if known.sha256 is None:
            return None
        return (None if self._sources.sha256(planned.path) == known.sha256 else _other_bytes(),)

    # One file.

    def _compare(self, task: UploadTask) -> Outcome:
        question: _Question = task.row
        failure = self._difference(question)
        question.disproved = failure is not None
        failure = failure or difference(question.resolved)
        if failure is None:
            return Stored(question.held, None, 0, 0.0)
        question.answered = failure
        return Refused(failure)

    def _difference(self, question: _Question) -> Failure | None:
        planned = question.planned
        place, resolved = ADAPTERS[question.resolved.target.type], question.resolved
        made = None
        try:
            if planned.recipe is not None and self._conversions is not None:
                made = self._conversions.get(planned, resolved.definition)
            size = made.fitted.result.bytes if made else planned.size
            if place.told:
                media = self._client.media_file(question.held)
                if media is None:
                    return _missing(f"the PIM has no file {question.held}, which the value names")
                unlike = _unlike(planned, media.original_filename, media.size, size)
            elif resolved.stored is not None:
                unlike = _unlike(planned, resolved.stored.name or "", resolved.stored.size or 0, size)
            else:
                same = size is None or place.resembles(
                    self._client, resolved, question.held, planned.name, size
                )
                unlike = None if same else _unlike_untold(question.held)
            # A link of unknown length is compared by its bytes.
            if unlike is not None or not (self._deep or planned.size is None):
                return unlike
            ours = made.sha256 if made else self._sources.sha256(planned.path)
            if ours is None:
                return Failure(
                    Kind.FILE_UNREADABLE,
                    f"{planned.row.file} was found, but could not be read to its end",
                    "Check that this user may read it, and that nothing replaces it meanwhile.",
                )
            with open(os.devnull, "wb") as nowhere:  # noqa: PTH123 - no path
                theirs = place.download(self._client, resolved, question.held, nowhere).sha256
        except (Refusal, SourceTrouble) as refusal:
            return refusal.failure
        return None if theirs == ours else _other_bytes()

    def ended(self, ended: Ended) -> None:
        """Write a row's result to the ledger, then show it."""
        task = ended.task
        question: _Question = task.row
        planned = question.planned
        if self._conversions is not None:
            self._conversions.drop(planned)
        took = None if task.tries.began is None else round(self._clock() - task.tries.began, 3)
        if ended.status is Status.UPLOADED or question.answered is not None:
            result = _word(
                planned,
                question.resolved,
                question.held,
                question.answered,
                disproved=question.disproved,
                attempts=task.tries.made,
                duration=took,
            )
        else:
            # Unknown, whatever the tries ended in: the next run asks again.
            result = RowResult(
                planned.seq, Status.PENDING, ended.failure, attempts=task.tries.made, duration=took
            )
        self._run.record([result])
        self._finished(planned, result)

    def _finished(self, planned: PlannedRow, result: RowResult) -> None:
        planned.status, planned.failure, planned.media_code = result.status, result.failure, result.media_code
        planned.attempts = result.attempts or 0
        planned.duration = result.duration
        planned.notes += result.notes
        self._progress.row_finished(planned.seq, to_item(planned))


def _word(
    planned: PlannedRow,
    resolved: ResolvedTarget,
    held: str | None,
    failure: Failure | None,
    *,
    disproved: bool = False,
    attempts: int | None = None,
    duration: float | None = None,
) -> RowResult:
    """A row's result: held, or why not. `disproved`: `upload --skip ledger` must send the file, too."""
    status = Status.HELD if failure is None else _WORDS.get(failure.kind, Status.FAILED)
    disproved = disproved and status in (Status.MISSING, Status.DIFFERS)
    flight = InFlightState.DISPROVED if disproved else InFlightState.OVER
    return RowResult(
        planned.seq,
        status,
        failure,
        held,
        attempts=attempts,
        duration=duration,
        notes=resolved.notes,
        flight=flight,
    )


def _unlike(planned: PlannedRow, name: str, size: int, wanted: int | None = None) -> Failure | None:
    """`wanted`: bytes of what would be sent, where that is not the row's own file."""
    ours, wanted = php_basename(planned.name), wanted or planned.size or size
    if name == ours and size == wanted:
        return None
    what = [] if name == ours else [f"is named {name}, not {ours}"]
    if size != wanted:
        what.append(f"has {count(size, 'byte')}, not {wanted:,}")
    return Failure(Kind.VALUE_DIFFERS, f"the PIM's file {' and '.join(what)}", _FIX)


def _converted_otherwise(wanted: str | None, recipe: str | None) -> Failure:
    """The file was converted when it was sent and would not be now, or the reverse, or in another way."""
    if wanted is None:
        how = "was converted when it was uploaded (--fit)"
    else:
        how = "was uploaded as it is" if recipe is None else "was converted with other options"
    return Failure(
        Kind.VALUE_DIFFERS,
        f"the PIM's file {how}",
        "Verify with the same --fit options as it was uploaded with, or upload it with these.",
    )


def _unlike_untold(held: str) -> Failure:
    return Failure(Kind.VALUE_DIFFERS, f"the PIM's file {held} has another name or size", _FIX)


def _other_bytes() -> Failure:
    return Failure(
        Kind.VALUE_DIFFERS,
        "the PIM's file has the same name and size, but other bytes (SHA-256)",
        "`akeneo-media upload --checksum` sends the file; if the PIM's is right, fix the manifest.",
    )


def _missing(what: str) -> Failure:
    return Failure(Kind.VALUE_MISSING, what, "`akeneo-media upload` sends the file.")
