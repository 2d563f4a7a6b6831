"""Entities are read, set by a batch PATCH, and read back, until they hold what they should.

One request at a time, so that no two are ever in flight for one product: what was read is still true when it
is written, as far as this program is concerned, and what another writer took away is seen and set once more.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, TypeVar

from ...errors import Failure, Kind, TemporaryError
from ...frozen import frozen
from ...pim.answers.types import LineResult
from ...pim.errors import Refusal, Trouble
from ...transfer.coordinator import Policy
from ...transfer.reads import ParallelReads
from ...transfer.retry import SaveTimes, pause, settling
from ..job import Job

AT_ONCE = 100
"""Entities in one search and lines in one PATCH: the PIM takes no more."""
MOST_WRITES = 2
"""How often a value is set before another program is blamed for changing it back each time."""

T = TypeVar("T")


@frozen
class ToSet:
    """The line of a PATCH that an entity needs."""

    body: Mapping[str, Any]


Seen = ToSet | Failure | None
"""The result of reading an entity; None: it holds what it should."""
Patch = Callable[[list[Mapping[str, Any]]], list[LineResult]]


class Converge(Generic[T]):
    """Sets entities of type T. Used by one thread."""

    def __init__(
        self,
        job: Job,
        *,
        look: Callable[[Sequence[T]], Sequence[Seen]],
        patch: Patch,
        before: Callable[[Sequence[T]], None],
        ended: Callable[[T, Failure | None], None],
        verify: bool,
        retries: int,
        saves: SaveTimes,
    ) -> None:
        """`before` is called with those that are about to be set, `ended` once for each.

        Without `verify` the answer to the PATCH is trusted.
        """
        self._job = job
        self._look = look
        self._patch_all = patch
        self._before = before
        self._ended = ended
        self._verify = verify
        self._retries = retries
        self._saves = saves
        self._reads = ParallelReads(Policy(1, retries), job.progress, job.environment)

    def run(self, entities: Sequence[T]) -> None:
        """Set up to a hundred entities; those not done when a signal came are left.

        Raises TemporaryError where the PIM does not answer, and AccessError.
        """
        environment = self._job.environment
        waiting = [(entity, 0) for entity in entities]
        failures = 0
        while waiting:
            to_set = self._read(waiting)
            # What was written is read back in any case; nothing new is started after a signal.
            if not to_set or self._job.interrupted:
                return
            self._before([entity for entity, _, _ in to_set])
            outcomes = self._patch([to_set_.body for _, _, to_set_ in to_set])
            waiting, trouble = [], None
            for (entity, writes, _), outcome in zip(to_set, outcomes, strict=True):
                if isinstance(outcome, Failure):
                    self._ended(entity, outcome)
                elif outcome is not None:
                    trouble = outcome
                    waiting.append((entity, writes))
                elif self._verify:
                    waiting.append((entity, writes + 1))
                else:
                    self._ended(entity, None)
            if trouble is not None:
                failures += 1
                if failures > self._retries:
                    failure = trouble.failure
                    raise TemporaryError(
                        f"the PIM could not set values and links: {failure.message}",
                        failure.hint,
                        failure.kind,
                    )
                environment.sleep(pause(failures, environment.random))

    def _read(self, waiting: Sequence[tuple[T, int]]) -> list[tuple[T, int, ToSet]]:
        """End those that hold what they should, or never will; returns the others with what they need."""
        asked = [entity for entity, _ in waiting]
        (seen,) = self._reads.all([lambda: self._look(asked)])
        if isinstance(seen, Refusal):
            for entity in asked:
                self._ended(entity, seen.failure)
            return []
        to_set = []
        for (entity, writes), found in zip(waiting, seen, strict=True):
            if not isinstance(found, ToSet):
                self._ended(entity, found)
            elif writes >= MOST_WRITES:
                self._ended(entity, _LOST)
            else:
                to_set.append((entity, writes, found))
        return to_set

    def _patch(self, bodies: list[Mapping[str, Any]]) -> list[Failure | Trouble | None]:
        """One PATCH; for each line None if it was taken, or what was wrong."""
        environment = self._job.environment
        began = environment.clock()
        try:
            with self._saves.saving():
                results = self._patch_all(bodies)
        except Refusal as refusal:
            if len(bodies) == 1 or refusal.failure.kind is Kind.FORBIDDEN:
                return [refusal.failure] * len(bodies)
            # Refused as a whole: halved until the bad line is found.
            half = len(bodies) // 2
            return [*self._patch(bodies[:half]), *self._patch(bodies[half:])]
        except Trouble as met:
            if met.maybe_done:
                # The PIM may still be saving: nothing may touch these entities before it is done.
                environment.sleep(settling(environment.clock() - began))
            return [met] * len(bodies)
        outcomes: list[Failure | Trouble | None] = []
        for result in results:
            if result.retryable:
                outcomes.append(Trouble(result.failure or _CUT_OFF, maybe_done=True))
            else:
                outcomes.append(result.failure)
        if any(isinstance(outcome, Trouble) for outcome in outcomes):
            environment.sleep(settling(environment.clock() - began))
        return outcomes


_CUT_OFF = Failure(Kind.NOT_ATTACHED, "the PIM's answer broke off", "It is retried.")
_LOST = Failure(
    Kind.VALUE_LOST,
    "the PIM took the change twice, but does not hold it",
    "Another program or person saved it meanwhile, or the change waits for approval as a "
    "draft. When that is over, run the same command again.",
)
