"""What follows an upload: what its answer says, and how the PIM is asked where there was none.

See `docs/pim-behaviour.md`, "When the answer is lost" and "Swapped bytes".
"""

from __future__ import annotations

import math
from dataclasses import replace

from ...errors import Failure, Kind
from ...rows import Status
from ..task import (
    Confirming,
    Event,
    Known,
    Looked,
    Outcome,
    Proving,
    Refused,
    Request,
    Resumed,
    Sending,
    Settling,
    Stored,
    Troubled,
    UploadTask,
    Verifying,
)
from .flow import ANSWERED, Flow
from .proving import ProveHandler
from .retrying import Retrying

FIRST_LOOK = 0.1


class SettleHandler:
    """Handles answers to uploads, and to the reads that follow them."""

    def __init__(self, flow: Flow, retrying: Retrying, proving: ProveHandler) -> None:
        self._flow = flow
        self._retrying = retrying
        self._proving = proving

    def sent(self, request: Request, outcome: Outcome, now: float) -> list[Event]:
        """An upload was answered, or was not."""
        task = request.task
        if isinstance(outcome, Stored):
            return self._arrived(task, outcome, now)
        if isinstance(outcome, Refused):
            others = self._proving.failed(task, now)
            return self._flow.end(task, Status.FAILED, now, outcome.failure) + others
        if not isinstance(outcome, Troubled):
            raise TypeError(f"not an outcome of sending: {outcome!r}")
        self._retrying.remember(task, request, outcome)
        if outcome.maybe_done:
            return self._unclear(task, outcome, now)
        others = self._proving.failed(task, now)
        return self._retrying.again(task, now) + others

    def resume(self, task: UploadTask, now: float) -> None:
        """A row that an earlier run left in flight has its keys. Its request is over: one look tells."""
        assert isinstance(task.state, Resumed)
        task.suspect = True
        if task.state.media is not None:
            self._flow.queues.wait_without_keys(task, Proving(task.state.media))
            task.state = Verifying(task.state.media)
        else:
            task.state = Confirming(now)
        self._flow.queues.follow_up(task)

    def looked(self, request: Request, outcome: Outcome, now: float) -> list[Event]:
        """The PIM was asked what a value holds, or for its bytes."""
        task, state, flow = request.task, request.task.state, self._flow
        assert isinstance(state, (Confirming, Verifying))
        if isinstance(outcome, Troubled):
            task.tries.last = outcome.failure
            if self._retrying.counts(request, outcome):
                state = replace(state, failed_looks=state.failed_looks + 1)
            task.state = state
            if state.failed_looks > flow.policy.retries:
                # That the PIM cannot be asked is not the row's fault.
                others = self._proving.lost(task, now, task.settled_at)
                return flow.end(task, Status.PENDING, now) + others
            flow.queues.later(now + self._retrying.pause(state.failed_looks), task)
            return []
        # To a user who may not read, the PIM says nothing either way.
        looked = outcome if isinstance(outcome, Looked) else Looked(None)
        refused = outcome.failure if isinstance(outcome, Refused) else None
        if isinstance(state, Verifying):
            return self._proving.verified(task, state, looked, now)
        return self._confirmed(task, state, looked, refused, now)

    def _arrived(self, task: UploadTask, stored: Stored, now: float) -> list[Event]:
        media = Known(stored.code, stored.sha256)
        flow = self._flow
        flow.slowest_save = max(flow.slowest_save, stored.saving)
        flow.slowest_answered = max(flow.slowest_answered, stored.saving)
        flow.largest_passed = max(flow.largest_passed, task.size)
        return self._proving.arrived(task, media, now, clean=True)

    def _unclear(self, task: UploadTask, outcome: Troubled, now: float) -> list[Event]:
        """The PIM may have the file, or be saving it: the row keeps its keys until that is known."""
        flow = self._flow
        settled_at = flow.settled_at(now, outcome)
        flow.queues.hold(task)
        others: list[Event] = []
        if task.attaches and not task.borrows:
            # No value shows whether the file arrived: it would be linked to nothing yet.
            task.state = Settling(settled_at, Sending())
            if outcome.failure.http_status == ANSWERED:
                others = self._proving.crashed(task, now)
            others += self._proving.lost(task, now, settled_at)
            if self._retrying.spent(task):
                return self._retrying.give_up(task, now) + others
            flow.queues.later(settled_at, task)
            return [self._retrying.retried(task, settled_at - now, outcome.failure), *others]
        if outcome.failure.http_status == ANSWERED:
            # Two uploads that collided have one code, with the bytes of only one of them.
            task.suspect = task.tries.met_500 = True
            others = self._proving.crashed(task, now)
        task.state = Confirming(settled_at)
        flow.queues.later(now + FIRST_LOOK, task)
        return others

    def _confirmed(
        self, task: UploadTask, state: Confirming, looked: Looked, refused: Failure | None, now: float
    ) -> list[Event]:
        if looked.ours and looked.code is not None:
            return self._proving.arrived(task, Known(looked.code, None), now, clean=False)
        task.tainted |= looked.alike and task.suspect
        if now < state.settled_at:
            # Not in step with an upstream that fails every second request.
            wait = (
                FIRST_LOOK * 2**state.looks * (0.5 + self._flow.random())
                if looked.ours is False
                else math.inf
            )
            task.state = replace(state, looks=state.looks + 1, failed_looks=0)
            self._flow.queues.later(min(now + wait, state.settled_at), task)
            return []
        others = self._proving.lost(task, now, now)
        if looked.ours is None:
            task.tries.untold += 1
            if task.tries.untold > 1:
                # Each further try might leave one more copy in the PIM.
                task.tries.last = _untold(task.tries.last, refused)
                return self._flow.end(task, Status.PENDING, now) + others
        return self._retrying.again(task, now) + others


def _untold(last: Failure | None, refused: Failure | None) -> Failure:
    """Why a row is sent no more whose value does not tell whether its file has arrived."""
    why = refused.message if refused is not None else "its media file cannot be downloaded to compare it"
    before = last.message if last is not None else "an earlier run was cut off while it sent the file"
    return Failure(
        Kind.UNAVAILABLE if last is None else last.kind,
        f"{before}, and whether the file arrived is unknown: {why}",
        "Let the user read products and media files, or check the value in the PIM; then run the same "
        "command again.",
        None if last is None else last.http_status,
    )
