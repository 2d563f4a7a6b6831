"""What `remove` and `runs undo` do with the other values and the links of assets and records."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ...errors import Failure
from ...ledger import PlannedRow, RowResult, Run
from ...ledger.codec import to_item
from ...manifest.beside import has_beside
from ...pim.client import PimClient
from ...pim.errors import Refusal
from ...planning.linking import LinkMode
from ...preflight.preflight import Preflight
from ...rows import Status
from ...transfer.coordinator import Policy
from ...transfer.reads import ParallelReads
from ..job import Job
from .step import BesideStep, batches_of


def with_media(run: Run) -> Iterator[PlannedRow]:
    """The open rows that name a media value."""
    return (planned for planned in run.rows([Status.PENDING]) if not planned.row.has_no_media)


def find_others(job: Job, run: Run, preflight: Preflight, *, retries: int) -> None:
    """Put down what a removal takes away beside media values; rows that cannot be understood are invalid.

    Raises TemporaryError where the PIM does not answer, and AccessError.
    """
    rows = (planned for planned in run.rows([Status.PENDING]) if has_beside(planned.row))
    reads = ParallelReads(Policy(1, retries), job.progress, job.environment)
    for batch in batches_of(rows):
        (found,) = reads.all([lambda: preflight.look(batch)])  # noqa: B023 - called at once
        verdicts = [found.failure] * len(batch) if isinstance(found, Refusal) else found
        for planned, resolved in zip(batch, verdicts, strict=True):
            if isinstance(resolved, Failure):
                _end(job, run, planned, RowResult(planned.seq, Status.INVALID, resolved))
            elif resolved.beside is not None:
                said = replace(resolved.beside.removal, file=not planned.row.has_no_media)
                run.record([RowResult(planned.seq, None, beside=said)])


def plan_others(job: Job, run: Run) -> None:
    """End the open rows without a media value as a dry run does."""
    for planned in list(run.waiting_beside()):
        if planned.row.has_no_media and planned.beside is not None:
            some = planned.beside.to_send or planned.beside.link_to_do
            status = Status.PLANNED if some else Status.UNCHANGED
            _end(job, run, planned, RowResult(planned.seq, status))


def set_others(job: Job, run: Run, client: PimClient, done: Status, *, retries: int) -> None:
    """Take back what open rows did beside media values; `done` is the status of rows that end here.

    Raises TemporaryError where the PIM does not answer, and AccessError.
    """
    BesideStep(
        job, run, client, LinkMode.APPEND, verify=True, retries=retries, done=done, media_too=True
    ).execute()


def told(result: RowResult, planned: PlannedRow, done: Status) -> RowResult:
    """The result of a row whose media value needs nothing: `done` where something else was written for it."""
    wrote = planned.beside is not None and planned.beside.wrote
    return replace(result, status=done) if wrote else result


def _end(job: Job, run: Run, planned: PlannedRow, result: RowResult) -> None:
    run.record([result])
    planned.status, planned.failure = result.status, result.failure
    job.progress.row_finished(planned.seq, to_item(planned))
