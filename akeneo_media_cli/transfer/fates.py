"""What becomes of rows: who waits for what next, who gets a last word, and who takes over.

The half of the run's decisions that is about rows, not about calls; see `coordinator`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..errors import Failure, Kind
from ..rows import Status
from .limiter import AdaptiveLimiter
from .queues import TaskQueues
from .retry import Random, pause, settling
from .sharing import Join, Ruined, Sharing
from .task import Ended, Known, Phase, Request, Troubled, UploadTask

STALE_SECONDS = 60.0
_ANSWERED = 500
"""The PIM's own word for a save that failed, or did not: it is not at work on it any more."""
PHP_DEFAULT = 2_097_152
"""PHP's own `upload_max_filesize`, in bytes."""


@dataclass(frozen=True)
class Policy:
    """What the user asked for. `retries`: tries after the first; `max_failures`: None for any number.

    Without `share` every row that can sends its own file.
    """

    concurrency: int = 4
    retries: int = 5
    max_failures: int | None = None
    share: bool = True


class Fates:
    """Keeps rows, and decides what follows from what happened to them. No threads, no clock of its own."""

    def __init__(self, policy: Policy, random: Random) -> None:
        self.policy = policy
        self.limiter = AdaptiveLimiter(policy.concurrency, policy.retries, random)
        self.stopping = False
        self.aborted = False
        self.shared = 0
        """How many rows got the media file that another one sent."""
        self._random = random
        # One after the other takes as long in any order: then the manifest's is kept.
        self._queues = TaskQueues(largest_first=policy.concurrency > 1)
        self._sharing = Sharing(off=not policy.share)
        self._completed = 0
        self._failed = 0
        self._slowest_save = 0.0
        self._largest_passed = 0
        self._stale_requests: dict[str, tuple[float, int]] = {}

    def stop(self) -> None:
        """Start no more rows; those with a call at work, or one that may still be, go to their end.

        So do those whose file is in the PIM and only has to be attached.
        """
        self.stopping = True
        self._queues.give_up_attaching(unless=lambda task: task.attempts > 0)

    def abort(self) -> None:
        """Make no more calls at all; what is in flight is left to end."""
        self.stopping = True
        self.aborted = True

    def _trouble(self, task: UploadTask, request: Request, outcome: Troubled) -> None:
        task.trouble, task.own = outcome.failure, outcome.own
        if task.completed_at_trouble is None:
            task.completed_at_trouble = self._completed
        if outcome.reused and outcome.failure.kind is Kind.CONNECTION and not task.spared:
            # No failure of the row (docs/pim-behaviour.md, "Transport"); a second time it may be its own all
            # the same.
            task.spared = True
        elif self._charged(request, outcome):
            task.failures += 1

    def _charged(self, request: Request, outcome: Troubled) -> bool:
        """Does it count against the tries? Not when it says nothing of the row.

        A probe asks after the PIM, and a call refused beside others says that we make too many.
        """
        if outcome.throttled and request.in_flight > 1:
            return False
        return outcome.own or not request.probe

    def _unsettled(self, task: UploadTask, outcome: Troubled, now: float) -> None:
        """A call of the row may still be at work: the row keeps its keys for as long as that may last."""
        slowest = outcome.waited
        if outcome.failure.http_status != _ANSWERED:
            # Nobody answered, so the save takes longer than that.
            slowest = self._slowest_save = max(self._slowest_save, outcome.waited)
        task.settled_at = now + settling(slowest)
        self._queues.hold(task)

    def _let_go(self, task: UploadTask, now: float) -> None:
        """The row needs its keys no more; others get them once no call of its can be at work."""
        if task.uncertain and task.settled_at > now:
            self._queues.linger(task)
        else:
            self._queues.release(task)

    def _has_stale_request(self, task: UploadTask, now: float) -> bool:
        """May a call of another row with this file name still have been at work?"""
        ghost = self._stale_requests.get(file_name(task))
        if ghost is None:
            return False
        if ghost[0] <= now:
            del self._stale_requests[file_name(task)]
            return False
        return ghost[1] != task.seq

    def _place(self, task: UploadTask, now: float) -> list[Ended]:
        """Let a row that holds nothing wait for its turn, or for another to send its file."""
        if self.stopping and not task.attempts:
            return []
        if task.phase is not Phase.SEND:
            self._queues.enqueue(task, now)
            return []
        join = self._sharing.join(task)
        if isinstance(join, Ruined):
            return [Ended(task, join.status, join.failure)]
        if isinstance(join, Known):
            task.code, task.sha256, task.doubtful = join
            task.phase = Phase.ATTACH
        if join is not Join.WAIT:
            self._queues.enqueue(task, now)
        return []

    def _place_all(self, tasks: Sequence[UploadTask], now: float) -> list[Ended]:
        return [ended for task in tasks for ended in self._place(task, now)]

    def _take_apart(self, tasks: Sequence[UploadTask], now: float) -> None:
        """A batch refused as a whole: halve it until the row is found that is to blame."""
        half = len(tasks) // 2
        for n, task in enumerate(tasks):
            self._queues.release(task)
            task.group = f"{task.group}/{int(n >= half)}"
            self._queues.enqueue(task, now)

    def _stored(self, task: UploadTask, now: float) -> list[Ended]:
        """The row's file is in the PIM, with the right bytes."""
        if task.borrows:
            task.phase = Phase.RESTORE
            self._queues.hold(task)
            self._queues.ask(task)
            return []
        return self._linked(task, now)

    def _linked(self, task: UploadTask, now: float) -> list[Ended]:
        """All about sending is done: the row lands or is to be attached, and others get the code."""
        if not task.attaches:
            return self._end(task, Status.UPLOADED, now)
        self._let_go(task, now)
        task.phase = Phase.ATTACH
        if self.aborted:
            return [self._pending(task)]
        self._queues.enqueue(task, now)
        return self._place_all(self._sharing.stored(task), now)

    def _again(self, task: UploadTask, now: float) -> list[Ended]:
        """Try the row once more, or give it up. Its keys are free again either way."""
        if task.failures > self.policy.retries:
            return self._give_up(task, now)
        self._queues.release(task)
        if task.phase is not Phase.ATTACH:
            task.phase = Phase.SEND
            task.alone = task.deadlocked and task.tree is not None
        if self.stopping:
            return [self._pending(task)]
        self._queues.later(now + pause(task.failures, self._random), task)
        return []

    def _give_up(self, task: UploadTask, now: float) -> list[Ended]:
        """The tries are spent: the row's fault where others got through meanwhile, else the PIM's."""
        blamed = task.own or self._completed > (task.completed_at_start or 0)
        return self._end(task, Status.FAILED if blamed else Status.PENDING, now)

    def _pending(self, task: UploadTask) -> Ended:
        """The row is left for the next run, which must look where the PIM may have its file."""
        return Ended(task, Status.PENDING, task.trouble, task.uncertain or task.code is not None)

    def _end(
        self, task: UploadTask, status: Status, now: float, failure: Failure | None = None
    ) -> list[Ended]:
        """A row that had its keys gets its last word; those that waited for its file go on."""
        uploaded = status is Status.UPLOADED
        shared = uploaded and task.phase is Phase.ATTACH and not task.attempts
        stored = status is Status.PENDING and task.code is not None
        uncertain = not uploaded and (task.uncertain or stored)
        self._let_go(task, now)
        failure = failure or task.trouble
        if status is Status.FAILED:
            self._failed += 1
            if self.policy.max_failures is not None and self._failed >= self.policy.max_failures:
                self.stop()
        if failure is not None and failure.kind is Kind.SERVER_ERROR and self._too_large(task):
            failure = replace(failure, hint=_TOO_LARGE_HINT)
        self.shared += shared
        ended = [Ended(task, status, None if uploaded else failure, uncertain, shared)]
        if task.phase is Phase.ATTACH:
            return ended
        waiting = self._sharing.stored(task) if uploaded else self._sharing.failed(task, status, failure)
        return ended + self._place_all(waiting, now)

    def _too_large(self, task: UploadTask) -> bool:
        return 0 < self._largest_passed < task.size and task.size >= min(
            2 * self._largest_passed, PHP_DEFAULT
        )

    # Codes that could not be set.

    def _maybe_attached(self, task: UploadTask, outcome: Troubled, now: float) -> list[Ended]:
        """Setting a code twice does no harm, but another call meanwhile would: wait, then again."""
        self._unsettled(task, outcome, now)
        if task.failures > self.policy.retries:
            return self._give_up(task, now)
        self._queues.later(task.settled_at, task)
        return []

    def _not_attached(self, task: UploadTask, failure: Failure, now: float, *, alone: bool) -> list[Ended]:
        """A line was refused: whose fault is it?"""
        own = f"/{task.seq}"
        if not (alone or (task.group or "").endswith(own)):
            # One of several values in the line is to blame: each gets a line of its own.
            self._queues.release(task)
            task.group = f"{task.group}{own}"
            self._queues.enqueue(task, now)
            return []
        if task.doubtful and not (task.carried and task.content is None):
            self._sharing.refuted(task)
            return self._send_after_all(task, now)
        return self._end(task, Status.FAILED, now, failure)

    def _forbidden(self, tasks: Sequence[UploadTask], failure: Failure, now: float) -> list[Ended]:
        """The user may not set codes: rows whose own upload sets the value are sent, the others fail."""
        # Not so for assets and records, which take other rights.
        self._sharing.off |= any(task.content is not None for task in tasks)
        ended: list[Ended] = []
        for task in tasks:
            if task.carried or task.attaches:
                ended += self._end(task, Status.FAILED, now, failure)
            else:
                ended += self._send_after_all(task, now)
        return ended

    def _send_after_all(self, task: UploadTask, now: float) -> list[Ended]:
        """The code that the row was to get is of no use: it goes the way of a row that just came in."""
        self._queues.release(task)
        task.phase, task.code, task.doubtful = Phase.SEND, None, False
        return self._place(task, now)


def file_name(task: UploadTask) -> str:
    """The key of the row's file name; empty for a row that has none."""
    return next((k for k in task.keys if k.startswith("name:")), "")


_TOO_LARGE_HINT = (
    "the file is larger than any that passed: its size may be over PHP's upload_max_filesize; "
    "ask the PIM's administrator to raise upload_max_filesize and post_max_size, or make the file smaller"
)
