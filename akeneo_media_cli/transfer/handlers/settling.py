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
    Refused,
    Request,
    Sending,
    Settling,
    Stored,
    Troubled,
    UploadTask,
    Verifying,
)
from .flow import ANSWERED, Flow
from .restoring import RestoreHandler
from .retrying import Retrying

FIRST_LOOK = 0.1
STALE_SECONDS = 60.0
"""Seconds after a request was given up for over in which its file name stays suspect all the same."""


class SettleHandler:
    """Takes in answers to uploads, and to the looks at the PIM that follow them."""

    def __init__(self, flow: Flow, retrying: Retrying, restoring: RestoreHandler) -> None:
        self._flow = flow
        self._retrying = retrying
        self._restoring = restoring
        self._stale_requests: dict[str, tuple[float, int]] = {}

    def sent(self, request: Request, outcome: Outcome, now: float) -> list[Event]:
        """An upload was answered, or was not."""
        task = request.task
        if isinstance(outcome, Stored):
            return self._arrived(task, outcome, now)
        if isinstance(outcome, Refused):
            return self._flow.end(task, Status.FAILED, now, outcome.failure)
        if not isinstance(outcome, Troubled):
            raise TypeError(f"not an outcome of sending: {outcome!r}")
        self._retrying.remember(task, request, outcome)
        return self._unclear(task, outcome, now) if outcome.maybe_done else self._retrying.again(task, now)

    def resume(self, task: UploadTask, now: float) -> None:
        """A row that an earlier run left in flight has its keys. Its request is over: one look tells."""
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
                # That the PIM cannot be asked is no fault of the row.
                return flow.end(task, Status.PENDING, now)
            flow.queues.later(now + self._retrying.pause(state.failed_looks), task)
            return []
        # To a user who may not read, the PIM says nothing either way.
        looked = outcome if isinstance(outcome, Looked) else Looked(None)
        refused = outcome.failure if isinstance(outcome, Refused) else None
        if isinstance(state, Verifying):
            return self._verified(task, state, looked, now)
        return self._confirmed(task, state, looked, refused, now)

    def _arrived(self, task: UploadTask, stored: Stored, now: float) -> list[Event]:
        media = Known(stored.code, stored.sha256)
        flow = self._flow
        flow.slowest_save = max(flow.slowest_save, stored.saving)
        flow.largest_passed = max(flow.largest_passed, task.size)
        if not self._has_stale_request(task, now):
            return self._restoring.stored(task, media, now)
        task.state, task.suspect = Verifying(media), True
        flow.queues.follow_up(task)
        return []

    def _unclear(self, task: UploadTask, outcome: Troubled, now: float) -> list[Event]:
        """The PIM may have the file, or be saving it: the row keeps its keys until that is known."""
        flow = self._flow
        settled_at = flow.settled_at(now, outcome)
        flow.queues.hold(task)
        if task.attaches and not task.borrows:
            # No value tells whether the file arrived: it would be linked to nothing yet.
            task.state = Settling(settled_at, Sending())
            self._stale_requests[file_name(task)] = (now + STALE_SECONDS, task.seq)
            if self._retrying.spent(task):
                return self._retrying.give_up(task, now)
            flow.queues.later(settled_at, task)
            return [self._retrying.retried(task, settled_at - now, outcome.failure)]
        if outcome.failure.http_status == ANSWERED:
            # Two uploads that collided have one code, with the bytes of only one of them.
            task.suspect = task.tries.met_500 = True
        task.state = Confirming(settled_at)
        flow.queues.later(now + FIRST_LOOK, task)
        return []

    def _confirmed(
        self, task: UploadTask, state: Confirming, looked: Looked, refused: Failure | None, now: float
    ) -> list[Event]:
        if looked.ours and looked.code is not None:
            return self._restoring.stored(task, Known(looked.code, None), now)
        if now < state.settled_at:
            # Not in step with an upstream that is down at every second call.
            wait = (
                FIRST_LOOK * 2**state.looks * (0.5 + self._flow.random())
                if looked.ours is False
                else math.inf
            )
            task.state = replace(state, looks=state.looks + 1, failed_looks=0)
            self._flow.queues.later(min(now + wait, state.settled_at), task)
            return []
        if task.tries.made:
            self._stale_requests[file_name(task)] = (now + STALE_SECONDS, task.seq)
        if looked.ours is None:
            task.tries.untold += 1
            if task.tries.untold > 1:
                # Each further try might leave one more copy in the PIM.
                task.tries.last = _untold(task.tries.last, refused)
                return self._flow.end(task, Status.PENDING, now)
        return self._retrying.again(task, now)

    def _verified(self, task: UploadTask, state: Verifying, looked: Looked, now: float) -> list[Event]:
        if looked.ours is not False:
            return self._restoring.stored(task, state.media, now)
        task.tries.failed += 1
        task.tries.last = Failure(
            Kind.VALUE_LOST,
            "the PIM answered 201, but the media file has other bytes than were sent",
            "an upload of the same file name reached the PIM at the same moment; the row is sent again",
        )
        if self._retrying.spent(task):
            return self._flow.end(task, Status.FAILED, now)
        return self._retrying.again(task, now)

    def _has_stale_request(self, task: UploadTask, now: float) -> bool:
        """May a request of another row with this file name still have been at work?"""
        stale = self._stale_requests.get(file_name(task))
        if stale is None:
            return False
        if stale[0] <= now:
            del self._stale_requests[file_name(task)]
            return False
        return stale[1] != task.seq


def file_name(task: UploadTask) -> str:
    """The key of the row's file name; empty for a row that has none."""
    return next((k for k in task.keys if k.startswith("name:")), "")


def _untold(last: Failure | None, refused: Failure | None) -> Failure:
    """Why a row is sent no more whose value does not tell whether its file has arrived."""
    why = refused.message if refused is not None else "its media file cannot be downloaded to compare it"
    before = last.message if last is not None else "an earlier run was cut off while it sent the file"
    return Failure(
        Kind.UNAVAILABLE if last is None else last.kind,
        f"{before}, and whether the file arrived cannot be told: {why}",
        "Let the user read products and media files, or look at the value in the PIM; then run the same "
        "command again.",
        None if last is None else last.http_status,
    )
