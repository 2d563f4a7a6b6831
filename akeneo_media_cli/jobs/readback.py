"""`upload --verify`: every value read back at the end, as a 201 proves nothing where others write too.

Another writer that had read the product before us and wrote it after us takes our value away
(docs/pim-behaviour.md, "A value lost to another writer"); in Enterprise a user without the right to publish
makes a draft, and the value stays what it was (docs/pim-behaviour.md, "A value lost to another writer").
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import islice

from ..errors import AccessError, Failure, Kind
from ..ledger import UNKNOWN, InFlightState, PlannedRow, RowResult, Run
from ..pim.client import PimClient
from ..pim.errors import Refusal
from ..planning.feed import Feed
from ..preflight.catalogue import Catalogue
from ..preflight.preflight import Preflight
from ..rows import Status
from ..targets.resolved import ResolvedTarget
from ..transfer.coordinator import Coordinator, Policy
from ..transfer.outcomes import outcome_of
from ..transfer.task import Ended, Outcome, Prepared, Request
from .job import Job


def unreadable() -> AccessError:
    """The error for a user who may not read what is to be compared."""
    return AccessError(
        "the user may not read products: what they hold cannot be told",
        "give the connection's role the right to list products",
        Kind.FORBIDDEN,
    )


def read_back(job: Job, run: Run, client: PimClient, catalogue: Catalogue, policy: Policy) -> bool:
    """Read the values of all rows that this run takes for done; was every one read?

    A value that is not ours becomes a failed row, `VALUE_LOST` or `DRAFT`. Raises AccessError for a user who
    may not read products, and as `Job.drive` does.
    """
    rows = run.rows([Status.UPLOADED, Status.UNCHANGED])
    reader = _Reader(run, Preflight(client, catalogue, job.note, files=False))
    coordinator = Coordinator(
        replace(policy, max_failures=None),
        Feed(lambda _, limit: list(islice(rows, limit))),
        job.environment.random,
    )
    job.drive(coordinator, reader)
    if reader.lost:
        job.note(f"values that are not ours any more: {reader.lost}", "they are told of as failed rows")
    if reader.unread is not None:
        job.note(f"not every value could be read back: {reader.unread.message}", reader.unread.hint)
    return not (coordinator.aborted or job.interrupted or reader.unread)


class _Reader:
    """A courier that carries nothing: it compares what values hold with what was put there."""

    def __init__(self, run: Run, preflight: Preflight) -> None:
        self._run = run
        self._preflight = preflight
        self.lost = 0
        self.unread: Failure | None = None
        """Why some could not be read, if so."""

    def perform(self, request: Request) -> Outcome:
        """Read one batch back."""
        return outcome_of(lambda: self._read(request.batch))

    def ended(self, ended: Ended) -> None:
        """No row goes on from here."""
        raise AssertionError(f"reading back begins no row: {ended}")

    def _read(self, batch: Sequence[PlannedRow]) -> Outcome:
        results: list[RowResult] = []
        try:
            resolved_targets = self._preflight.look(batch)
        except Refusal as refusal:
            self.unread = refusal.failure
            return Prepared([])
        for planned, resolved in zip(batch, resolved_targets, strict=True):
            failure = _loss(planned, resolved)
            if failure is not None:
                # A draft may still become ours, so the ledger goes on believing in it.
                flight = InFlightState.OVER if failure.kind is Kind.DRAFT else InFlightState.LOST
                results.append(RowResult(planned.seq, Status.FAILED, failure, flight=flight))
        self._run.record(results)
        self.lost += len(results)
        return Prepared([])


def _loss(planned: PlannedRow, resolved: ResolvedTarget | Failure) -> Failure | None:
    """Why a value does not hold what was put there; None where it does."""
    if isinstance(resolved, Failure):
        return Failure(
            Kind.VALUE_LOST,
            f"it was uploaded, but the value cannot be found any more: {resolved.message}",
            "somebody deleted or renamed it meanwhile: look into its history in the PIM",
        )
    if resolved.before is UNKNOWN:
        raise unreadable()
    if resolved.before == planned.media_code:
        return None
    now = f"holds {resolved.before} now" if resolved.before else "is empty now"
    if resolved.draft:
        return Failure(
            Kind.DRAFT,
            f"it was uploaded as {planned.media_code} into a draft: the published value {now}",
            "have the draft approved in the PIM, or give the connection's user the right to own the product",
        )
    return Failure(
        Kind.VALUE_LOST,
        f"it was uploaded as {planned.media_code}, but the value {now}",
        "another writer (an import, a rule, a person, a second upload) saved the product meanwhile: "
        "let it end, then run the same command again",
    )
