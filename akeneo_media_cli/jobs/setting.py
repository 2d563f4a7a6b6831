"""Values set to codes of media files that the PIM has, or emptied: what `remove` and `runs undo` share.

A batch PATCH sets a hundred values in one request. Batches go one after the other, each read just before and
just after: so no two requests are ever in flight for one product, and nothing that another program set in the
meantime is written over (docs/pim-behaviour.md, "Undoing and emptying" and "Batch PATCH").
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from ..errors import Failure, Kind, TemporaryError
from ..frozen import frozen
from ..ledger import UNKNOWN, Before, HeldFile, InFlightMark, InFlightState, PlannedRow, RowResult, Run
from ..ledger.codec import to_item
from ..pim.client import PimClient
from ..pim.errors import Refusal, Trouble
from ..planning.readback import unreadable
from ..preflight import checks
from ..preflight.catalogue import Catalogue
from ..preflight.preflight import Preflight
from ..rows import Status, TargetType, folded
from ..targets import ADAPTERS
from ..targets.resolved import ResolvedTarget
from ..transfer.coordinator import Policy
from ..transfer.reads import ParallelReads
from ..transfer.retry import SaveTimes, pause, settling
from .job import Job

AT_ONCE = 100
"""Entities in one search and lines in one PATCH: the PIM takes no more."""
MOST_ROWS = 1_000
"""Values in one PATCH, so that no request takes the PIM very long."""
NO_PATCH = (TargetType.CATEGORY, TargetType.PAM_ASSET)
"""Their media can only be set by an upload: no code can be put back, nothing emptied."""


@frozen
class Set:
    """The value is to hold this code; None: nothing."""

    code: str | None


Verdict = Set | RowResult
Decide = Callable[[PlannedRow, ResolvedTarget], Verdict]
"""What to do with a row whose value was just read: set it, or end it."""


_Found = ResolvedTarget | Failure


@dataclass(slots=True)
class _Row:
    planned: PlannedRow
    resolved: ResolvedTarget
    wanted: str | None


class ValueSetter:
    """Sets the values of a run's open rows. Used by one thread."""

    def __init__(
        self, job: Job, run: Run, client: PimClient, decide: Decide, done: Status, *, retries: int
    ) -> None:
        """`done` is the status of rows whose value holds, read back, what it was set to."""
        self._job = job
        self._run = run
        self._client = client
        self._decide = decide
        self._done = done
        self._retries = retries
        environment = job.environment
        self._saves = SaveTimes(environment.clock, run.settles_after)
        self._reads = ParallelReads(Policy(1, retries), job.progress, environment)
        self._preflight = Preflight(client, Catalogue(client, job.note), job.note, files=False, beside=False)

    def settle(self, rows: Iterable[PlannedRow], most: int) -> bool:
        """End the rows that need no change; True where more than `most` would be changed.

        It stops at the batch with one too many. Raises as `set_all`.
        """
        to_set = 0
        for batch in batches(rows):
            if self._job.interrupted:
                break
            judged = self._judged(batch)
            self._end([(planned, v) for planned, _, v in judged if isinstance(v, RowResult)])
            to_set += sum(isinstance(verdict, Set) for _, _, verdict in judged)
            if to_set > most:
                return True
        return False

    def plan_all(self, rows: Iterable[PlannedRow]) -> None:
        """End every row as a dry run does. Raises as `set_all`."""
        for batch in batches(rows):
            if self._job.interrupted:
                return
            self._end([(planned, _planned(planned, found, v)) for planned, found, v in self._judged(batch)])

    def set_all(self, rows: Iterable[PlannedRow]) -> None:
        """Set the values, batch by batch, until all are done or a signal came.

        Raises TemporaryError where the PIM does not answer, AccessError where the user may not read products.
        """
        for batch in batches(rows):
            if self._job.interrupted:
                return
            self._set_batch(batch)

    # One batch.

    def _set_batch(self, batch: Sequence[PlannedRow]) -> None:
        open_rows = list(batch)
        lost: set[int] = set()
        trouble: Failure | None = None
        for attempt in range(self._retries + 1):
            to_set: list[_Row] = []
            ended: list[tuple[PlannedRow, RowResult]] = []
            for planned, found, verdict in self._judged(open_rows):
                if isinstance(verdict, Set):
                    assert isinstance(found, ResolvedTarget)
                    to_set.append(_Row(planned, found, verdict.code))
                elif attempt and verdict.status is Status.UNCHANGED:
                    # An earlier attempt set it, though no answer said so.
                    ended.append((planned, self._result(planned.seq, planned.media_code)))
                else:
                    ended.append((planned, verdict))
            self._end(ended)
            if not to_set:
                return
            open_rows, trouble = self._send(to_set, lost)
            if not open_rows:
                return
            if trouble is not None:
                self._job.environment.sleep(pause(attempt + 1, self._job.environment.random))
            if self._job.interrupted:
                return
        if trouble is not None:
            raise TemporaryError(
                f"the PIM could not set the values: {trouble.message}", trouble.hint, trouble.kind
            )

    def _send(self, rows: list[_Row], lost: set[int]) -> tuple[list[PlannedRow], Failure | None]:
        """PATCH and read back; returns the rows to retry, and what the trouble was."""
        # Recorded first: if this run is killed, the next one knows what the values held.
        self._run.mark_in_flight(InFlightMark(row.planned.seq, UNKNOWN) for row in rows)
        self._run.record(
            RowResult(row.planned.seq, None, before=_held(row.resolved), flight=InFlightState.UNPROVEN)
            for row in rows
        )
        again: list[PlannedRow] = []
        taken: list[_Row] = []
        failed: list[tuple[PlannedRow, RowResult]] = []
        trouble: Failure | None = None
        groups: dict[str, list[_Row]] = {}
        for row in rows:
            row.planned.before = _held(row.resolved)
            row.planned.media_code = row.wanted
            groups.setdefault(ADAPTERS[row.resolved.target.type].group(row.resolved), []).append(row)
        for group in groups.values():
            for row, outcome in self._patch(group):
                if outcome is None:
                    taken.append(row)
                elif isinstance(outcome, Failure):
                    failed.append((row.planned, RowResult(row.planned.seq, Status.FAILED, outcome)))
                else:
                    trouble = outcome.failure
                    again.append(row.planned)
        self._end(failed)
        if taken:
            again += self._read_back(taken, lost)
        return again, trouble

    def _patch(self, rows: list[_Row]) -> list[tuple[_Row, Failure | Trouble | None]]:
        """One PATCH for the rows of one group; None for those that were taken."""
        adapter = ADAPTERS[rows[0].resolved.target.type]
        lines: dict[str, list[_Row]] = {}
        for row in rows:
            lines.setdefault(adapter.key(row.resolved), []).append(row)
        environment = self._job.environment
        began = environment.clock()
        try:
            with self._saves.saving():
                results = adapter.attach(
                    self._client, [[(row.resolved, row.wanted) for row in line] for line in lines.values()]
                )
        except Refusal as refusal:
            if len(lines) == 1 or refusal.failure.kind is Kind.FORBIDDEN:
                return [(row, refusal.failure) for row in rows]
            # Refused as a whole: halved until the bad line is found.
            keys = list(lines)
            halves = (keys[: len(keys) // 2], keys[len(keys) // 2 :])
            return [
                pair for half in halves for pair in self._patch([row for key in half for row in lines[key]])
            ]
        except Trouble as met:
            if met.maybe_done:
                # The PIM may still be saving these products: nothing may touch them before that.
                environment.sleep(settling(environment.clock() - began))
            return [(row, met) for row in rows]
        said: list[tuple[_Row, Failure | Trouble | None]] = []
        cut = False
        for line, result in zip(lines.values(), results, strict=True):
            outcome: Failure | Trouble | None = result.failure
            if result.status is None or result.retryable:
                cut = True
                outcome = Trouble(result.failure or _CUT_OFF, maybe_done=True)
            said += [(row, outcome) for row in line]
        if cut:
            environment.sleep(settling(environment.clock() - began))
        return said

    def _read_back(self, rows: list[_Row], lost: set[int]) -> list[PlannedRow]:
        """End the rows whose value holds what it was set to; returns those to retry once."""
        found = self._look([row.planned for row in rows])
        again: list[PlannedRow] = []
        ended: list[tuple[PlannedRow, RowResult]] = []
        for row, resolved in zip(rows, found, strict=True):
            seq = row.planned.seq
            if isinstance(resolved, ResolvedTarget) and resolved.before == row.wanted:
                ended.append((row.planned, self._result(seq, row.wanted)))
            elif seq in lost:
                ended.append((row.planned, RowResult(seq, Status.FAILED, _not_held(resolved))))
            else:
                lost.add(seq)
                again.append(row.planned)
        self._end(ended)
        return again

    def _result(self, seq: int, code: str | None) -> RowResult:
        # What the ledger knew about the value is no longer true.
        return RowResult(seq, self._done, media_code=code, flight=InFlightState.LOST)

    # Reading.

    def _judged(self, batch: Sequence[PlannedRow]) -> list[tuple[PlannedRow, _Found, Verdict]]:
        judged: list[tuple[PlannedRow, _Found, Verdict]] = []
        for planned, found in zip(batch, self._look(batch), strict=True):
            if isinstance(found, Failure):
                judged.append((planned, found, RowResult(planned.seq, Status.INVALID, found)))
                continue
            if found.made:
                # A PATCH would create it.
                missing = checks.unknown_target(found.target.type.value, found.target.code)
                judged.append((planned, found, RowResult(planned.seq, Status.INVALID, missing)))
                continue
            if found.before is UNKNOWN:
                raise unreadable()
            judged.append((planned, found, self._decide(planned, found)))
        return judged

    def _look(self, batch: Sequence[PlannedRow]) -> Sequence[ResolvedTarget | Failure]:
        (found,) = self._reads.all([lambda: self._preflight.look(batch)])
        return [found.failure] * len(batch) if isinstance(found, Refusal) else found

    def _end(self, results: Sequence[tuple[PlannedRow, RowResult]]) -> None:
        if not results:
            return
        self._run.record(result for _, result in results)
        for planned, result in results:
            planned.status, planned.failure, planned.media_code = (
                result.status,
                result.failure,
                result.media_code,
            )
            planned.before = planned.before if result.before is UNKNOWN else result.before
            planned.notes += result.notes
            self._job.progress.row_finished(planned.seq, to_item(planned))


def batches(rows: Iterable[PlannedRow]) -> Iterable[Sequence[PlannedRow]]:
    """Rows in batches that one search and one PATCH can take: of a hundred entities of one kind at most.

    An entity may have several rows in a batch, up to a thousand in all.
    """
    waiting: dict[tuple[str, str], tuple[set[str], list[PlannedRow]]] = {}
    for planned in rows:
        target = planned.row.target
        kind = ("", "") if target is None else (target.type.value, target.parent)
        code = "" if target is None else folded(target.code)
        codes, batch = waiting.setdefault(kind, (set(), []))
        if len(batch) == MOST_ROWS or (len(codes) == AT_ONCE and code not in codes):
            yield batch
            codes, batch = waiting[kind] = (set(), [])
        codes.add(code)
        batch.append(planned)
    yield from (batch for _, batch in waiting.values())


def _planned(planned: PlannedRow, found: _Found, verdict: Verdict) -> RowResult:
    if isinstance(verdict, RowResult):
        return verdict
    assert isinstance(found, ResolvedTarget)
    return RowResult(planned.seq, Status.PLANNED, media_code=verdict.code, before=_held(found))


def _held(resolved: ResolvedTarget) -> HeldFile | None:
    before: Before = resolved.before
    return HeldFile(before) if isinstance(before, str) else None


def _not_held(resolved: ResolvedTarget | Failure) -> Failure:
    if isinstance(resolved, Failure):
        now = f"can no longer be read: {resolved.message}"
    else:
        now = "is empty now" if resolved.before is None else f"holds {resolved.before} now"
    return Failure(
        Kind.VALUE_LOST,
        f"the PIM took the change twice, but the value {now}",
        "Another program saved the product at the same time. When it has ended, run the same command again.",
    )


_CUT_OFF = Failure(Kind.NOT_ATTACHED, "the PIM's answer broke off", "It is retried.")
