"""What becomes of rows: who waits for what next, who gets a last word, and who takes over.

The half of the run's decisions that is about rows, not about calls; see `coordinator`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..errors import Failure, Kind
from ..rows import Status
from .limiter import Gate
from .queues import Lineup
from .retry import Random, pause, settling
from .sharing import Join, Ruined, Sharing
from .task import Call, Course, Ended, Known, Phase, Troubled

GHOST_SECONDS = 60.0
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
        self.gate = Gate(policy.concurrency, policy.retries, random)
        self.stopping = False
        self.aborted = False
        self.shared = 0
        """How many rows got the media file that another one sent."""
        self._random = random
        # One after the other takes as long in any order: then the manifest's is kept.
        self._lineup = Lineup(largest_first=policy.concurrency > 1)
        self._sharing = Sharing(off=not policy.share)
        self._through = 0
        self._failed = 0
        self._slowest_save = 0.0
        self._largest_passed = 0
        self._ghosts: dict[str, tuple[float, int]] = {}

    def stop(self) -> None:
        """Start no more rows; those with a call at work, or one that may still be, go to their end.

        So do those whose file is in the PIM and only has to be attached.
        """
        self.stopping = True
        self._lineup.give_up_attaching(unless=lambda course: course.attempts > 0)

    def abort(self) -> None:
        """Make no more calls at all; what is in flight is left to end."""
        self.stopping = True
        self.aborted = True

    def _trouble(self, course: Course, call: Call, outcome: Troubled) -> None:
        course.trouble, course.own = outcome.failure, outcome.own
        if course.through_at_trouble is None:
            course.through_at_trouble = self._through
        if outcome.reused and outcome.failure.kind is Kind.CONNECTION and not course.spared:
            # No failure of the row (pim-facts A7); a second time it may be its own all the same.
            course.spared = True
        elif self._charged(call, outcome):
            course.failures += 1

    def _charged(self, call: Call, outcome: Troubled) -> bool:
        """Does it count against the tries? Not when it says nothing of the row.

        A probe asks after the PIM, and a call refused beside others says that we make too many.
        """
        if outcome.throttled and call.in_flight > 1:
            return False
        return outcome.own or not call.probe

    def _unsettled(self, course: Course, outcome: Troubled, now: float) -> None:
        """A call of the row may still be at work: the row keeps its keys for as long as that may last."""
        slowest = outcome.waited
        if outcome.failure.http_status != _ANSWERED:
            # Nobody answered, so the save takes longer than that.
            slowest = self._slowest_save = max(self._slowest_save, outcome.waited)
        course.settled_at = now + settling(slowest)
        self._lineup.hold(course)

    def _let_go(self, course: Course, now: float) -> None:
        """The row needs its keys no more; others get them once no call of its can be at work."""
        if course.uncertain and course.settled_at > now:
            self._lineup.linger(course)
        else:
            self._lineup.release(course)

    def _haunted(self, course: Course, now: float) -> bool:
        """May a call of another row with this file name still have been at work?"""
        ghost = self._ghosts.get(file_name(course))
        if ghost is None:
            return False
        if ghost[0] <= now:
            del self._ghosts[file_name(course)]
            return False
        return ghost[1] != course.seq

    def _place(self, course: Course, now: float) -> list[Ended]:
        """Let a row that holds nothing wait for its turn, or for another to send its file."""
        if self.stopping and not course.attempts:
            return []
        if course.phase is not Phase.SEND:
            self._lineup.enqueue(course, now)
            return []
        join = self._sharing.join(course)
        if isinstance(join, Ruined):
            return [Ended(course, join.status, join.failure)]
        if isinstance(join, Known):
            course.code, course.sha256, course.doubtful = join
            course.phase = Phase.ATTACH
        if join is not Join.WAIT:
            self._lineup.enqueue(course, now)
        return []

    def _place_all(self, courses: Sequence[Course], now: float) -> list[Ended]:
        return [ended for course in courses for ended in self._place(course, now)]

    def _take_apart(self, courses: Sequence[Course], now: float) -> None:
        """A batch refused as a whole: halve it until the row is found that is to blame."""
        half = len(courses) // 2
        for n, course in enumerate(courses):
            self._lineup.release(course)
            course.group = f"{course.group}/{int(n >= half)}"
            self._lineup.enqueue(course, now)

    def _stored(self, course: Course, now: float) -> list[Ended]:
        """The row's file is in the PIM, with the right bytes."""
        if course.borrows:
            course.phase = Phase.RESTORE
            self._lineup.hold(course)
            self._lineup.ask(course)
            return []
        return self._linked(course, now)

    def _linked(self, course: Course, now: float) -> list[Ended]:
        """All about sending is done: the row lands or is to be attached, and others get the code."""
        if not course.attaches:
            return self._end(course, Status.UPLOADED, now)
        self._let_go(course, now)
        course.phase = Phase.ATTACH
        if self.aborted:
            return [self._pending(course)]
        self._lineup.enqueue(course, now)
        return self._place_all(self._sharing.stored(course), now)

    def _again(self, course: Course, now: float) -> list[Ended]:
        """Try the row once more, or give it up. Its keys are free again either way."""
        if course.failures > self.policy.retries:
            return self._give_up(course, now)
        self._lineup.release(course)
        if course.phase is not Phase.ATTACH:
            course.phase = Phase.SEND
            course.alone = course.deadlocked and course.tree is not None
        if self.stopping:
            return [self._pending(course)]
        self._lineup.later(now + pause(course.failures, self._random), course)
        return []

    def _give_up(self, course: Course, now: float) -> list[Ended]:
        """The tries are spent: the row's fault where others got through meanwhile, else the PIM's."""
        blamed = course.own or self._through > (course.through_at_start or 0)
        return self._end(course, Status.FAILED if blamed else Status.PENDING, now)

    def _pending(self, course: Course) -> Ended:
        """The row is left for the next run, which must look where the PIM may have its file."""
        return Ended(course, Status.PENDING, course.trouble, course.uncertain or course.code is not None)

    def _end(self, course: Course, status: Status, now: float, failure: Failure | None = None) -> list[Ended]:
        """A row that had its keys gets its last word; those that waited for its file go on."""
        uploaded = status is Status.UPLOADED
        shared = uploaded and course.phase is Phase.ATTACH and not course.attempts
        stored = status is Status.PENDING and course.code is not None
        uncertain = not uploaded and (course.uncertain or stored)
        self._let_go(course, now)
        failure = failure or course.trouble
        if status is Status.FAILED:
            self._failed += 1
            if self.policy.max_failures is not None and self._failed >= self.policy.max_failures:
                self.stop()
        if failure is not None and failure.kind is Kind.SERVER_ERROR and self._too_large(course):
            failure = replace(failure, hint=_TOO_LARGE_HINT)
        self.shared += shared
        ended = [Ended(course, status, None if uploaded else failure, uncertain, shared)]
        if course.phase is Phase.ATTACH:
            return ended
        waiting = self._sharing.stored(course) if uploaded else self._sharing.failed(course, status, failure)
        return ended + self._place_all(waiting, now)

    def _too_large(self, course: Course) -> bool:
        return 0 < self._largest_passed < course.size and course.size >= min(
            2 * self._largest_passed, PHP_DEFAULT
        )

    # Codes that could not be set.

    def _maybe_attached(self, course: Course, outcome: Troubled, now: float) -> list[Ended]:
        """Setting a code twice does no harm, but another call meanwhile would: wait, then again."""
        self._unsettled(course, outcome, now)
        if course.failures > self.policy.retries:
            return self._give_up(course, now)
        self._lineup.later(course.settled_at, course)
        return []

    def _not_attached(self, course: Course, failure: Failure, now: float, *, alone: bool) -> list[Ended]:
        """A line was refused: whose fault is it?"""
        own = f"/{course.seq}"
        if not (alone or (course.group or "").endswith(own)):
            # One of several values in the line is to blame: each gets a line of its own.
            self._lineup.release(course)
            course.group = f"{course.group}{own}"
            self._lineup.enqueue(course, now)
            return []
        if course.doubtful and not (course.carried and course.content is None):
            self._sharing.refuted(course)
            return self._send_after_all(course, now)
        return self._end(course, Status.FAILED, now, failure)

    def _forbidden(self, courses: Sequence[Course], failure: Failure, now: float) -> list[Ended]:
        """The user may not set codes: rows whose own upload sets the value are sent, the others fail."""
        # Not so for assets and records, which take other rights.
        self._sharing.off |= any(course.content is not None for course in courses)
        ended: list[Ended] = []
        for course in courses:
            if course.carried or course.attaches:
                ended += self._end(course, Status.FAILED, now, failure)
            else:
                ended += self._send_after_all(course, now)
        return ended

    def _send_after_all(self, course: Course, now: float) -> list[Ended]:
        """The code that the row was to get is of no use: it goes the way of a row that just came in."""
        self._lineup.release(course)
        course.phase, course.code, course.doubtful = Phase.SEND, None, False
        return self._place(course, now)


def file_name(course: Course) -> str:
    """The key of the row's file name; empty for a row that has none."""
    return next((k for k in course.keys if k.startswith("name:")), "")


_TOO_LARGE_HINT = (
    "the file is larger than any that passed: its size may be over PHP's upload_max_filesize; "
    "ask the PIM's administrator to raise upload_max_filesize and post_max_size, or make the file smaller"
)
