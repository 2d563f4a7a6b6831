"""How a row enters the queues and how it leaves the run; what all handlers know of the run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from ...errors import Failure, Kind
from ...frozen import frozen
from ...rows import Status
from ...wording import size as size_text
from ..limiter import AdaptiveLimiter, Vegas
from ..queues import TaskQueues
from ..retry import Random, settling
from ..sharing import Join, Ruined, Sharing
from ..task import Attaching, Ended, Event, Finished, Known, Sending, Troubled, UploadTask

ANSWERED = 500
"""Statuses of the PIM's own answers after which it is no longer at work."""
PHP_DEFAULT = 2_097_152
"""PHP's own `upload_max_filesize`, in bytes."""


@frozen
class Policy:
    """What the user asked for. `retries`: tries after the first; `max_failures`: None for any number.

    Without `share` every row that can sends its own file. `one_by_one`: files of one name are sent so.
    `silent_swaps`: how often this PIM swapped bytes and no answer betrayed it; None: it does not matter.
    `seek`: find how many of `concurrency` requests at once the PIM can take.
    """

    concurrency: int = 4
    retries: int = 5
    max_failures: int | None = None
    share: bool = True
    one_by_one: bool = False
    silent_swaps: int | None = None
    seek: bool = False


class Flow:
    """The run as its handlers see it. No threads, no clock of its own."""

    def __init__(self, policy: Policy, random: Random) -> None:
        self.policy = policy
        self.random = random
        vegas = Vegas(policy.concurrency) if policy.seek else None
        self.limiter = AdaptiveLimiter(policy.concurrency, policy.retries, random, vegas)
        # With one request at a time the order makes no difference to the time: keep the manifest's.
        self.queues = TaskQueues(largest_first=policy.concurrency > 1)
        self.sharing = Sharing(off=not policy.share)
        self.stopping = False
        self.aborted = False
        self.shared = 0
        """How many rows got the media file that another row sent."""
        self.completed = 0
        """How many requests that change the PIM have succeeded."""
        self.slowest_save = 0.0
        """In seconds, that of a request without an answer included."""
        self.slowest_answered = 0.0
        """In seconds, of those that saved one file and were answered."""
        self.largest_passed = 0
        self.one_by_one = policy.one_by_one
        self.silent_swaps = 0
        """How often bytes were swapped although every answer was a 201."""
        self.started = 0
        """How many requests have started."""
        self._failed = 0

    def stop(self) -> None:
        """Start no more rows; those in doubt, and those whose file only has to be attached, are finished."""
        self.stopping = True
        self.queues.give_up_attaching(unless=lambda task: task.tries.made > 0)

    def place(self, task: UploadTask, now: float) -> list[Event]:
        """Let a row that holds no keys wait for its turn, or for another row to send its file."""
        if self.stopping and not task.tries.made:
            return []
        if isinstance(task.state, Sending):
            join = self.sharing.join(task)
            if isinstance(join, Ruined):
                task.state = Finished()
                return [Ended(task, join.status, join.failure)]
            if join is Join.WAIT:
                return []
            if isinstance(join, Known):
                task.state = Attaching(join)
        task.name_alone |= self.one_by_one or task.borrows
        self.queues.enqueue(task, now)
        return []

    def place_all(self, tasks: Iterable[UploadTask], now: float) -> list[Event]:
        """As `place`, for several rows."""
        return [event for task in tasks for event in self.place(task, now)]

    def let_go(self, task: UploadTask, now: float) -> None:
        """The row no longer needs its keys; others get them once no request of its can be at work."""
        if task.settled_at > now:
            self.queues.linger(task)
        else:
            self.queues.release(task)

    def pending(self, task: UploadTask) -> Ended:
        """Leave a row that holds no keys to the next run, which must look where the PIM may have its file."""
        uncertain = task.in_doubt or task.tainted or task.media is not None
        task.state = Finished(task.media)
        return Ended(task, Status.PENDING, task.tries.last, uncertain)

    def settled_at(self, now: float, outcome: Troubled | None = None, lines: int = 1) -> float:
        """When a request without a clear answer is over, by the slowest save seen so far.

        `outcome` None: it was an earlier run's request. `lines`: how many entities it was about.
        """
        slowest = self.slowest_save
        if outcome is not None and outcome.failure.http_status == ANSWERED:
            slowest = outcome.waited
        elif outcome is not None:
            # There was no answer, so the save takes longer than that.
            slowest = self.slowest_save = max(slowest, outcome.waited)
        return now + settling(slowest, lines, self.slowest_answered)

    def succeed(self, task: UploadTask, media: Known, now: float) -> list[Event]:
        """The value of a row that holds its keys is ours: it is uploaded, and others get its file."""
        attaching = task.is_attaching
        shared = attaching and not task.tries.made
        self.shared += shared
        self.queues.release(task)
        task.state = Finished(media)
        ended = Ended(task, Status.UPLOADED, shared=shared)
        return [ended, *(() if attaching else self.place_all(self.sharing.stored(task, media), now))]

    def end(
        self, task: UploadTask, status: Status, now: float, failure: Failure | None = None
    ) -> list[Event]:
        """Finish a row that holds its keys and is not uploaded; those that waited for its file go on."""
        attaching = task.is_attaching
        uncertain = task.in_doubt or task.tainted or (status is Status.PENDING and task.media is not None)
        self.let_go(task, now)
        task.state = Finished(task.media)
        failure = failure or task.tries.last
        if status is Status.FAILED:
            self.count_failed()
        if failure is not None and failure.kind is Kind.SERVER_ERROR and self._too_large(task):
            failure = replace(failure, hint=_TOO_LARGE_HINT)
        ended = Ended(task, status, failure, uncertain)
        waiting = [] if attaching else self.sharing.failed(task, status, failure)
        return [ended, *self.place_all(waiting, now)]

    def count_failed(self) -> None:
        """A row has failed: start no more after `--max-failures`."""
        self._failed += 1
        if self.policy.max_failures is not None and self._failed >= self.policy.max_failures:
            self.stop()

    def may_be_too_large(self, task: UploadTask) -> bool:
        """Is the file so large that PHP may refuse it, and larger than any that got through?"""
        return self._too_large(task) or (self.largest_passed == 0 and task.size >= PHP_DEFAULT)

    def too_large(self, task: UploadTask) -> Failure:
        """What is wrong with a file that PHP refuses for its size."""
        largest = self.largest_passed
        passed = f"; files up to {size_text(largest)} were accepted" if largest else ""
        return Failure(
            Kind.FILE_TOO_LARGE,
            f"the PIM answered 500 to this file of {size_text(task.size)} each time{passed}",
            "Its size is probably over PHP's upload_max_filesize: ask the PIM's administrator to raise "
            "upload_max_filesize and post_max_size, or make the file smaller",
            ANSWERED,
        )

    def _too_large(self, task: UploadTask) -> bool:
        return 0 < self.largest_passed < task.size and task.size >= min(2 * self.largest_passed, PHP_DEFAULT)


_TOO_LARGE_HINT = (
    "the file is larger than any that was accepted, so its size may be over PHP's upload_max_filesize: "
    "ask the PIM's administrator to raise upload_max_filesize and post_max_size, or make the file smaller"
)
