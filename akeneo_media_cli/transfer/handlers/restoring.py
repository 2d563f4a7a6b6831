"""What follows when a file went up through another product's value, which has to be restored."""

from __future__ import annotations

from dataclasses import replace

from ..task import Event, Known, Outcome, Request, Restoring, Troubled, UploadTask
from .attaching import AttachHandler
from .flow import Flow
from .retrying import Retrying


class RestoreHandler:
    """Restores what a row borrowed before its own value is set."""

    def __init__(self, flow: Flow, retrying: Retrying, attaching: AttachHandler) -> None:
        self._flow = flow
        self._retrying = retrying
        self._attaching = attaching

    def stored(self, task: UploadTask, media: Known, now: float) -> list[Event]:
        """A row's file is in the PIM, with the right bytes."""
        # What a run that died borrowed was restored before anything else.
        if not (task.borrows and task.tries.made):
            return self._attaching.linked(task, media, now)
        task.state = Restoring(media)
        self._flow.queues.follow_up(task)
        return []

    def restored(self, request: Request, outcome: Outcome, now: float) -> list[Event]:
        """The other product's value was restored, or was not: then the next run does it, by its ledger."""
        task, state = request.task, request.task.state
        assert isinstance(state, Restoring)
        if isinstance(outcome, Troubled):
            if outcome.maybe_done:
                state = replace(state, settled_at=self._flow.settled_at(now, outcome))
            if self._retrying.counts(request, outcome):
                state = replace(state, failures=state.failures + 1)
            task.state = state
            if state.failures <= self._flow.policy.retries:
                delay = max(self._retrying.pause(state.failures), state.settled_at - now)
                self._flow.queues.later(now + delay, task)
                return [self._retrying.retried(task, delay, outcome.failure)]
        return self._attaching.linked(task, state.media, now)
