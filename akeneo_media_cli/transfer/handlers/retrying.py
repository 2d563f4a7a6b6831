"""What is retried, when, and who is to blame when the retries are used up."""

from __future__ import annotations

from collections import deque
from dataclasses import replace

from ...errors import Failure, Kind
from ...rows import Status
from ..retry import pause
from ..task import Ended, Event, Request, RequestKind, Retried, Sending, Troubled, UploadTask
from .flow import ANSWERED, Flow

BAD_GATEWAY, GATEWAY_TIMEOUT = 502, 504
RECENT = 200
"""Rows whose first tries tell how many requests fail at the moment."""
BY_CHANCE = 0.001
"""A row is not blamed where the chance that all its tries failed by bad luck is larger."""


class Retrying:
    """Counts a row's tries, and sends it again or gives it up."""

    def __init__(self, flow: Flow) -> None:
        self._flow = flow
        self._unproven: deque[tuple[int, Ended]] = deque()
        self._first_tries: deque[tuple[bool, int]] = deque(maxlen=RECENT)
        """Of the latest rows: did the first try fail, and the size of the file."""
        self.count = 0
        """How many requests were made again."""

    def remember(self, task: UploadTask, request: Request, outcome: Troubled) -> None:
        """Record the trouble of a request that changes the PIM, and count it if it is about the row."""
        tries, flow = task.tries, self._flow
        if request.kind is RequestKind.SEND and tries.made == 1:
            self._first_tries.append((True, task.size))
        tries.last, tries.own = outcome.failure, outcome.own
        tries.lingers = outcome.maybe_done and (
            outcome.failure.http_status == GATEWAY_TIMEOUT or outcome.failure.kind is Kind.TIMEOUT
        )
        tries.excused = outcome.throttled or outcome.outage
        if tries.completed_at_trouble is None:
            tries.completed_at_trouble = flow.completed
        if request.kind is RequestKind.SEND:
            if outcome.oversize is not None:
                tries.refused_for_size += 1 + tries.cut_before
                tries.too_large, tries.cut_before = outcome.oversize, 0
            elif outcome.failure.http_status == ANSWERED and flow.may_be_too_large(task):
                tries.refused_for_size += 1
                tries.too_large = flow.too_large(task)
            elif outcome.failure.http_status == BAD_GATEWAY or outcome.failure.kind is Kind.CONNECTION:
                # It may have been the size: no smaller file had got through that would tell.
                tries.cut_before = 1
        if outcome.reused and outcome.failure.kind is Kind.CONNECTION and not tries.spared:
            # The server had closed a connection that we kept: no failure of the row, unless it happens again.
            tries.spared = True
        elif self.counts(request, outcome):
            tries.failed += 1

    @staticmethod
    def counts(request: Request, outcome: Troubled) -> bool:
        """Does it count as a try? Not if it says nothing about the row.

        A probe tests the PIM, a request that is throttled beside others says that they are too many, and in
        an outage nothing reaches the PIM.
        """
        if outcome.outage or (outcome.throttled and request.in_flight > 1):
            return False
        return outcome.own or not request.probe

    def spent(self, task: UploadTask) -> bool:
        """Has the row had all its tries? A file that was refused for its size has two."""
        return self._too_large(task) or task.tries.failed > self._flow.policy.retries

    def _too_large(self, task: UploadTask) -> bool:
        tries, largest = task.tries, self._flow.largest_passed
        if tries.refused_for_size <= 1 or task.size <= largest:
            return False
        if tries.last is not None and tries.last.http_status == ANSWERED:
            return True
        # If files that are not too large meet the same, the size is not the cause.
        small = [failed for failed, size in self._first_tries if size <= largest]
        return (sum(small) / max(1, len(small))) ** tries.refused_for_size <= BY_CHANCE

    def pause(self, failures: int) -> float:
        """Seconds to wait after so many failed tries."""
        return pause(failures, self._flow.random)

    def again(self, task: UploadTask, now: float) -> list[Event]:
        """Retry a row that holds its keys, or give it up. Its keys are free either way."""
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
        """The retries are used up. Whose fault it is may show only later, when others get through or not."""
        flow, tries = self._flow, task.tries
        if tries.own:
            return flow.end(task, Status.FAILED, now)
        if tries.excused:
            return flow.end(task, Status.PENDING, now)
        at = tries.completed_at_trouble
        answered = tries.last is not None and tries.last.http_status == ANSWERED
        if self._too_large(task) and tries.too_large is not None:
            tries.last, answered = tries.too_large, True
        if answered and at is not None and flow.completed > at:
            # The PIM itself answers, or smaller files pass: others have got through since the first trouble.
            return flow.end(task, Status.FAILED, now)
        failed = sum(failed for failed, _ in self._first_tries)
        share = max(0, failed - 1) / max(1, len(self._first_tries) - 1)
        lucky = not answered and share**tries.failed > BY_CHANCE
        ended, *others = flow.end(task, Status.PENDING, now)
        assert isinstance(ended, Ended)
        if lucky:
            # So many requests fail that this says nothing about the row.
            return [ended, *others]
        self._unproven.append((flow.started, ended))
        return others

    def completed(self, request: Request) -> list[Event]:
        """A request that changes the PIM has succeeded: rows given up before it started have failed."""
        if request.kind is RequestKind.SEND and request.task.tries.made == 1:
            self._first_tries.append((False, request.task.size))
        failed: list[Event] = []
        while self._unproven and self._unproven[0][0] < request.number:
            self._flow.count_failed()
            failed.append(replace(self._unproven.popleft()[1], status=Status.FAILED))
        return failed

    def unproven(self) -> list[Ended]:
        """At the end: rows whose retries are used up, after which nothing else got through."""
        left = [ended for _, ended in self._unproven]
        self._unproven.clear()
        return left
