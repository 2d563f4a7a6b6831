"""What is tried again, when, and whose fault it is when the tries are spent."""

from __future__ import annotations

from ...errors import Failure, Kind
from ...rows import Status
from ..retry import pause
from ..task import Event, Request, Retried, Sending, Troubled, UploadTask
from .flow import Flow


class Retrying:
    """Counts a row's tries, and sends it again or gives it up."""

    def __init__(self, flow: Flow) -> None:
        self._flow = flow
        self.count = 0
        """How many requests were made again."""

    def remember(self, task: UploadTask, request: Request, outcome: Troubled) -> None:
        """Keep what befell a request that changes the PIM, and count it if it says something of the row."""
        tries = task.tries
        tries.last, tries.own = outcome.failure, outcome.own
        if tries.completed_at_trouble is None:
            tries.completed_at_trouble = self._flow.completed
        if outcome.reused and outcome.failure.kind is Kind.CONNECTION and not tries.spared:
            # The server had closed a connection that we kept: no failure of the row, unless it happens again.
            tries.spared = True
        elif self.counts(request, outcome):
            tries.failed += 1

    @staticmethod
    def counts(request: Request, outcome: Troubled) -> bool:
        """Does it count as a try? Not when it says nothing of the row.

        A probe tests the PIM, and a request that is throttled beside others says that they are too many.
        """
        if outcome.throttled and request.in_flight > 1:
            return False
        return outcome.own or not request.probe

    def spent(self, task: UploadTask) -> bool:
        """Has the row had all its tries?"""
        return task.tries.failed > self._flow.policy.retries

    def pause(self, failures: int) -> float:
        """Seconds to wait after so many failed tries."""
        return pause(failures, self._flow.random)

    def again(self, task: UploadTask, now: float) -> list[Event]:
        """Try a row that holds its keys again, or give it up. Its keys are free either way."""
        flow = self._flow
        if self.spent(task):
            return self.give_up(task, now)
        flow.queues.release(task)
        if not task.is_attaching:
            task.state = Sending()
            # A 500 may be a deadlock in the tree of product models, which would come again beside others.
            task.alone = task.tries.met_500 and task.tree is not None
        if flow.stopping:
            return [flow.pending(task)]
        delay = self.pause(task.tries.failed)
        flow.queues.later(now + delay, task)
        # A row that an earlier run left in flight is sent for the first time.
        return [] if task.tries.last is None else [self.retried(task, delay, task.tries.last)]

    def retried(self, task: UploadTask, delay: float, failure: Failure) -> Retried:
        """Count a request that will be made again."""
        self.count += 1
        return Retried(task, failure, delay)

    def give_up(self, task: UploadTask, now: float) -> list[Event]:
        """The tries are spent: the row's fault where others got through meanwhile, else the PIM's."""
        blamed = task.tries.own or self._flow.completed > task.tries.completed_at_start
        return self._flow.end(task, Status.FAILED if blamed else Status.PENDING, now)
