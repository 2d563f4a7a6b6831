"""Values that were sent are read back while the run goes on: a 201 proves nothing where others write too.

Another writer that had read a product before an upload and saved it after takes the value away again
(docs/pim-behaviour.md, "A value lost to another writer"). One request reads the values of up to a hundred
entities. A lost value is sent again once; up to `MOST_SENT_AGAIN` times while other values that were sent
again hold: then it is bad luck, not a program that keeps writing. Reading does no harm beside other requests
for the same product: no two of ours for one product overlap, so none undoes an earlier one.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from ..errors import AccessError, Failure, Kind
from ..ledger import HeldFile, InFlightState, PlannedRow, RowResult
from ..pim.client import PimClient
from ..pim.errors import Refusal
from ..preflight.values import Reading, read_values
from ..rows import Status, folded
from ..transfer.payload import Found, Reopened, UploadPayload
from ..transfer.task import UploadTask
from .feed import ENTITIES

MOST_SENT_AGAIN = 5
SENT_AGAIN = "another program had overwritten it, so it was sent again"


def unreadable() -> AccessError:
    """The error for a user who may not read what is to be compared."""
    return AccessError(
        "the user may not read products: what they hold is unknown",
        "Give the connection's role the right to list products.",
        Kind.FORBIDDEN,
    )


class SentBatch(NamedTuple):
    """Rows whose values are to be read back by one request."""

    tasks: Sequence[UploadTask]


class ReadBack:
    """Collects rows that were uploaded, and says which of them lost their value. Thread-safe."""

    def __init__(self, client: PimClient) -> None:
        self._client = client
        self._lock = threading.Lock()
        self._waiting: dict[tuple[str, str], dict[str, list[UploadTask]]] = {}
        self._sent_again: Counter[int] = Counter()
        self._hold_now = False
        """Does a value that was sent again hold what was sent?"""
        self._asked = 0
        self.again = True
        """Is a lost value sent again? Not once the run has stopped starting rows."""
        self.confirmed = 0
        """Values that were read back and hold what was sent."""
        self.unread: Failure | None = None
        """Why values could not be read back, if they could not."""

    @property
    def waiting(self) -> bool:
        """Are there values that have not been read back yet?"""
        return bool(self._waiting)

    @property
    def complete(self) -> bool:
        """Was every value read back?"""
        return not (self._waiting or self._asked)

    def sent(self, task: UploadTask) -> None:
        """A row was uploaded."""
        if task.media is None:
            return
        target = task.row.resolved.target
        with self._lock:
            entities = self._waiting.setdefault((target.type.value, target.parent), {})
            entities.setdefault(folded(target.code), []).append(task)

    def full_batch(self) -> SentBatch | None:
        """The next batch that fills a request, if there is one."""
        return self._next(ENTITIES)

    def last_batch(self) -> SentBatch | None:
        """The next batch, full or not; None when all were read back."""
        return self._next(1)

    def _next(self, least: int) -> SentBatch | None:
        with self._lock:
            for group, entities in self._waiting.items():
                if len(entities) >= least:
                    chosen = list(entities)[:ENTITIES]
                    tasks = [task for code in chosen for task in entities.pop(code)]
                    if not entities:
                        del self._waiting[group]
                    self._asked += len(tasks)
                    return SentBatch(tasks)
        return None

    def read(self, batch: SentBatch) -> Found:
        """Read a batch back: rows to send again, and results of those whose value is lost.

        Raises Trouble and AccessError.
        """
        tasks = batch.tasks
        found = Found()
        try:
            readings = read_values(self._client, [task.row.resolved for task in tasks])
        except Refusal as refusal:
            self.unread = refusal.failure
            return found
        with self._lock:
            self._asked -= len(tasks)
        losses = [_loss(task, reading) for task, reading in zip(tasks, readings, strict=True)]
        held = [task.seq for task, loss in zip(tasks, losses, strict=True) if loss is None]
        with self._lock:
            self.confirmed += len(held)
            self._hold_now = self._hold_now or any(seq in self._sent_again for seq in held)
        for task, reading, loss in zip(tasks, readings, losses, strict=True):
            if loss is not None:
                self._lost(task, reading, loss, found)
        return found

    def _lost(self, task: UploadTask, reading: Reading, failure: Failure, found: Found) -> None:
        planned: PlannedRow = task.row.planned
        sendable = failure.kind is Kind.VALUE_LOST and reading.there
        with self._lock:
            times = self._sent_again[planned.seq]
            more = times == 0 or (self._hold_now and times < MOST_SENT_AGAIN)
            if sendable and more and self.again:
                self._sent_again[planned.seq] += 1
        if sendable and more and self.again:
            found.reopened.append(Reopened(planned, failure))
            found.tasks.append(_once_more(task, reading, failure))
            return
        # The next run sends what this one may no longer start.
        cut_short = sendable and more and not self.again
        # A draft may still be approved, so the ledger still expects it.
        flight = InFlightState.OVER if failure.kind is Kind.DRAFT else InFlightState.LOST
        status = Status.PENDING if cut_short else Status.FAILED
        found.reopened.append(Reopened(planned, None))
        found.results.append((planned, RowResult(planned.seq, status, failure, flight=flight)))


def _once_more(task: UploadTask, reading: Reading, failure: Failure) -> UploadTask:
    payload: UploadPayload = task.row
    again = UploadPayload(
        payload.planned,
        replace(payload.resolved, before=reading.code, notes=(SENT_AGAIN,)),
        via=payload.via,
        held=HeldFile(reading.code) if reading.code else None,
    )
    return task.once_more(again, failure)


def _lacking(value: str) -> Failure:
    return Failure(
        Kind.VALUE_LOST,
        f"its file was uploaded, but the value {value} is not the one that was sent with it",
        "Another program or person saved it meanwhile. When that is over, run the same command again.",
    )


def _loss(task: UploadTask, reading: Reading) -> Failure | None:
    """Why a value does not hold what was put there; None where it does."""
    code = task.media.code if task.media is not None else None
    if reading.code == code:
        return _lacking(reading.lacking) if reading.lacking else None
    if not reading.there:
        return Failure(
            Kind.VALUE_LOST,
            f"it was uploaded as {code}, but {task.row.resolved.target} can no longer be found",
            "Somebody deleted or renamed it meanwhile: see its history in the PIM.",
        )
    now = f"holds {reading.code} now" if reading.code else "is empty now"
    if reading.draft or task.row.resolved.draft:
        return Failure(
            Kind.DRAFT,
            f"it was uploaded as {code} into a draft: the published value {now}",
            "Have the draft approved in the PIM, or let the connection's user own the product.",
        )
    return Failure(
        Kind.VALUE_LOST,
        f"it was uploaded as {code}, but the value {now}",
        "Another program or person (an import, a rule, a second upload) saved the product meanwhile. "
        "When that is over, run the same command again.",
    )
