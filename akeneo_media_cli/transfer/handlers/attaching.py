"""What follows when a file is in the PIM and its code has to be set by a batch PATCH."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from ...errors import Failure, Kind
from ...rows import Status
from ..task import (
    Attached,
    Attaching,
    Event,
    Known,
    Outcome,
    Refused,
    Request,
    Sending,
    Settling,
    Troubled,
    UploadTask,
)
from .flow import Flow
from .retrying import Retrying

_ABOUT_ALL = (Kind.ROUTE_MISSING, Kind.BLOCKED, Kind.REDIRECTED, Kind.NOT_CREATED, Kind.BODY_TOO_LARGE)
"""Refusals of a whole batch that are not the fault of any of its rows."""


class AttachHandler:
    """Puts rows into batches, and finds the row that a batch was refused for."""

    def __init__(self, flow: Flow, retrying: Retrying) -> None:
        self._flow = flow
        self._retrying = retrying

    def linked(self, task: UploadTask, media: Known, now: float) -> list[Event]:
        """All about sending is done: the row is finished or has to be attached; others get its code."""
        flow = self._flow
        if not task.attaches:
            return flow.succeed(task, media, now)
        flow.let_go(task, now)
        task.state = Attaching(media)
        if flow.aborted:
            return [flow.pending(task)]
        flow.queues.enqueue(task, now)
        return flow.place_all(flow.sharing.stored(task, media), now)

    def attached(self, request: Request, outcome: Outcome, now: float) -> list[Event]:
        """A batch was answered, as a whole or line by line."""
        if isinstance(outcome, Troubled):
            lines: Sequence[Failure | Troubled | None] = [outcome] * len(request.tasks)
        elif isinstance(outcome, Refused):
            if outcome.failure.kind is Kind.FORBIDDEN:
                return self._forbidden(request.tasks, outcome.failure, now)
            if len(request.tasks) > 1 and outcome.failure.kind not in _ABOUT_ALL:
                self._halve(request.tasks, now)
                return []
            lines = [outcome.failure] * len(request.tasks)
        elif isinstance(outcome, Attached):
            lines = outcome.lines
        else:
            raise TypeError(f"not an outcome of attaching: {outcome!r}")
        in_line = Counter(task.attach_keys for task in request.tasks)
        events: list[Event] = []
        for task, line in zip(request.tasks, lines, strict=True):
            if line is None:
                assert task.media is not None
                events += self._flow.succeed(task, task.media, now)
            elif isinstance(line, Failure):
                events += self._refused(task, line, now, alone=in_line[task.attach_keys] == 1)
            else:
                self._retrying.remember(task, request, line)
                events += (
                    self._unclear(task, line, now, len(in_line))
                    if line.maybe_done
                    else self._retrying.again(task, now)
                )
        return events

    def _unclear(self, task: UploadTask, outcome: Troubled, now: float, lines: int) -> list[Event]:
        """Setting a code twice does no harm, but a request beside one still at work would: wait first."""
        assert task.media is not None
        settled_at = self._flow.settled_at(now, outcome, lines)
        task.state = Settling(settled_at, Attaching(task.media))
        if self._retrying.spent(task):
            return self._retrying.give_up(task, now)
        self._flow.queues.hold(task)
        self._flow.queues.later(settled_at, task)
        return [self._retrying.retried(task, settled_at - now, outcome.failure)]

    def _halve(self, tasks: Sequence[UploadTask], now: float) -> None:
        """Find the row that a whole batch was refused for."""
        half = len(tasks) // 2
        for n, task in enumerate(tasks):
            self._flow.queues.release(task)
            task.group = f"{task.group}/{int(n >= half)}"
            self._flow.queues.enqueue(task, now)

    def _refused(self, task: UploadTask, failure: Failure, now: float, *, alone: bool) -> list[Event]:
        """A line was refused, which may hold values of several rows."""
        own = f"/{task.seq}"
        if not (alone or (task.group or "").endswith(own)):
            self._flow.queues.release(task)
            task.group = f"{task.group}{own}"
            self._flow.queues.enqueue(task, now)
            return []
        doubtful = task.media is not None and task.media.doubtful
        if doubtful and not (task.carried and task.content is None):
            self._flow.sharing.refuted(task)
            return self._send_after_all(task, now)
        return self._flow.end(task, Status.FAILED, now, failure)

    def _forbidden(self, tasks: Sequence[UploadTask], failure: Failure, now: float) -> list[Event]:
        """The user may not set codes: rows whose own upload sets the value are sent, the others fail."""
        # Assets and records have no content here; they take other rights.
        self._flow.sharing.off |= any(task.content is not None for task in tasks)
        events: list[Event] = []
        for task in tasks:
            if task.carried or task.attaches:
                events += self._flow.end(task, Status.FAILED, now, failure)
            else:
                events += self._send_after_all(task, now)
        return events

    def _send_after_all(self, task: UploadTask, now: float) -> list[Event]:
        """The row cannot get this code: start it again."""
        self._flow.queues.release(task)
        task.state = Sending()
        return self._flow.place(task, now)
