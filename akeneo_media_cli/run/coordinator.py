"""What is to be done next, and what an answer means for it.

The whole of a run's decisions, and nothing else: no threads, no HTTP, no clock of its own, no disk.
Workers ask `next` for a call, make it, and hand what came of it to `answered`. Given the same calls
it decides the same, so that a test can drive a million interleavings through it.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..errors import Failure, Kind, MediaError
from ..rows import Status
from .backoff import Random, pause
from .course import (
    Attached,
    Call,
    Course,
    Ended,
    Errand,
    Fatal,
    Known,
    Looked,
    Outcome,
    Phase,
    Prepared,
    Refused,
    Stored,
    Troubled,
)
from .gate import Gate
from .lineup import Lineup
from .sharing import Join, Ruined, Sharing

SETTLE_LEAST = 2.0
"""Seconds until a call whose answer was lost counts as over (pim-facts A9)."""
SETTLE_TIMES = 4.0
"""Or so many times the slowest save seen."""
SETTLE_MOST = 180.0
FIRST_ASK = 0.1
GHOST_SECONDS = 60.0
AHEAD = 400
"""So many rows are kept looked up and ready ahead of the workers."""
WINDOW = 20_000
"""No more rows than this are held in memory, however badly they block one another."""
PHP_DEFAULT = 2_097_152
"""PHP's own `upload_max_filesize`, in bytes."""


@dataclass(frozen=True)
class Policy:
    """What the user asked for. `retries`: tries after the first; `max_failures`: None for any number."""

    concurrency: int = 4
    retries: int = 5
    max_failures: int | None = None


class Coordinator:
    """Knows every row that is under way, which calls may be made now, and why not."""

    def __init__(
        self,
        policy: Policy,
        feed: Callable[[], Any | None],
        random: Random,
        known: Mapping[str, Known] | None = None,
    ) -> None:
        """`feed` gives the next batch of rows to prepare, None at the end; an empty batch stands for: not
        before all those given so far are prepared. `known` are contents that earlier runs got to the PIM.
        """
        self.policy = policy
        self.gate = Gate(policy.concurrency, policy.retries, random)
        self.stopping = False
        self.aborted = False
        self.fatal: MediaError | None = None
        self.trouble: Failure | None = None
        self.retries = 0
        self.shared = 0
        """How many rows got the media file that another one sent."""
        self._feed = feed
        self._fed = False
        self._random = random
        self._lineup = Lineup()
        self._sharing = Sharing()
        for content, each in (known or {}).items():
            self._sharing.learn(content, each)
        self._preparing = 0
        self._barrier = False
        self._active = 0
        self._through = 0
        self._failed = 0
        self._slowest_save = 0.0
        self._largest_passed = 0
        self._ghosts: dict[str, tuple[float, int]] = {}
        self._sends = 0

    # What workers call.

    def next(self, now: float) -> Call | float | None:
        """A call to make, the seconds to wait (infinite: until an answer comes), or None: all is done."""
        if self.gate.given_up:
            self.abort()
        self._lineup.ring(now)
        if self._done():
            return None
        opening = self.gate.opening(now)
        if opening > 0:
            return opening
        call = self._choose(now)
        if call is None:
            if self._done():
                return None
            return self._lineup.until_bell(now)
        call.through_at_start = self._through
        call.probe = self.gate.start()
        call.in_flight = self.gate.in_flight
        self._active += 1
        for course in call.courses:
            if course.began is None:
                course.began = now
            if course.through_at_start is None:
                course.through_at_start = self._through
        if call.errand is Errand.SEND:
            self._sends += 1
            call.course.attempts += 1
            if call.course.attempts > 1:
                self.retries += 1
        return call

    def answered(self, call: Call, outcome: Outcome, now: float) -> list[Ended]:
        """Take in what a call came to; the rows that have got their last word by it."""
        self.gate.finish()
        self._active -= 1
        if isinstance(outcome, Fatal):
            return self._fatal(call, outcome, now)
        if isinstance(outcome, Troubled):
            self._tell_gate(call, outcome, now)
        else:
            self.gate.succeeded(wrote=call.errand.writes)
            if call.errand.writes:
                self._through += 1
        take_in = {
            Errand.PREPARE: self._prepared,
            Errand.SEND: self._sent,
            Errand.RESTORE: self._restored,
            Errand.ATTACH: self._attached,
        }
        return take_in.get(call.errand, self._looked)(call, outcome, now)

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

    def leftovers(self) -> list[Ended]:
        """At the end: the rows that were begun and did not get their word; they are pending."""
        return [self._pending(c) for c in self._lineup.drain() if c.attempts or c.uncertain or c.trouble]

    def starved_by(self) -> tuple[str, int]:
        """The file name that keeps workers idle, and how many rows wait for it; empty when none does."""
        if self._lineup.idle_for_names < max(50, self._sends // 4):
            return "", 0
        return self._lineup.common_name()

    # Choosing.

    def _done(self) -> bool:
        if self._active:
            return False
        if self.aborted:
            return True
        if self._lineup.unsettled:
            return False
        if self.stopping:
            return not self._lineup.attaching
        return self._fed and self._lineup.empty

    def _choose(self, now: float) -> Call | None:
        if self.aborted:
            return None
        lineup = self._lineup
        question = lineup.next_question()
        if question is not None:
            return question
        if self.stopping:
            # Of those whose file went up in vain unless it is attached.
            return lineup.attach_any()
        again = lineup.next_batch()
        if again is not None:
            return again
        held_back = lineup.attaching + self._sharing.waiting
        return (
            (lineup.ready + held_back < AHEAD and self._more())
            or self._take(now)
            or (lineup.ready < AHEAD and len(lineup) + held_back < WINDOW and self._more())
            or lineup.attach_any()
        )

    def _more(self) -> Call | None:
        """The next batch of rows to look up, if there is one."""
        if self._fed or (self._barrier and self._preparing):
            return None
        batch = self._feed()
        self._barrier = batch is not None and not len(batch)
        self._fed = batch is None
        if batch is None:
            return None
        if self._barrier:
            return self._more()
        self._preparing += 1
        return Call(Errand.PREPARE, batch=batch)

    def _take(self, now: float) -> Call | None:
        lineup = self._lineup
        attaching = lineup.attach_full(now)
        if attaching is not None:
            return attaching
        course = lineup.next_course()
        if course is None:
            return None
        if course.phase is Phase.SEND:
            return Call(Errand.SEND, (course,))
        # Left in flight by a run that died: its call may still be at work.
        course.settled_at = now + self._settling()
        lineup.hold(course)
        lineup.ask(course)
        return lineup.next_question()

    # Taking in.

    def _tell_gate(self, call: Call, outcome: Troubled, now: float) -> None:
        if outcome.retry_after is not None:
            self.gate.wait_until(now, outcome.retry_after)
        if outcome.throttled:
            self.gate.refused(call.in_flight)
            if call.in_flight > 1:
                return
        first: Course | Call = call.courses[0] if call.courses else call
        suspect = first.through_at_trouble is not None and self._through > first.through_at_trouble
        self.gate.troubled(first, now, wrote=call.errand.writes, probe=call.probe, suspect=suspect)

    def _fatal(self, call: Call, outcome: Fatal, now: float) -> list[Ended]:
        self.fatal = self.fatal or outcome.error
        self.abort()
        failure = Failure(outcome.error.kind, outcome.error.message, outcome.error.hint)
        for course in call.courses:
            course.trouble = failure
        return [ended for course in call.courses for ended in self._end(course, Status.PENDING, now)]

    def _prepared(self, call: Call, outcome: Outcome, now: float) -> list[Ended]:
        if isinstance(outcome, Prepared):
            self._preparing -= 1
            for content, known in outcome.known.items():
                self._sharing.learn(content, known)
            return [ended for course in outcome.courses for ended in self._place(course, now)]
        if not isinstance(outcome, Troubled):
            raise TypeError(f"no outcome of preparing: {outcome!r}")
        if call.through_at_trouble is None:
            call.through_at_trouble = self._through
        if self._charged(call, outcome):
            call.failures += 1
        if call.failures > self.policy.retries:
            # Unasked, nothing of these rows may be sent; the next batch would fare no better.
            self.trouble = outcome.failure
            self.abort()
        else:
            self._lineup.later(now + pause(call.failures, self._random), call)
        return []

    def _sent(self, call: Call, outcome: Outcome, now: float) -> list[Ended]:
        course = call.course
        if isinstance(outcome, Stored):
            return self._arrived(course, outcome, now)
        if isinstance(outcome, Refused):
            return self._end(course, Status.FAILED, now, outcome.failure)
        if not isinstance(outcome, Troubled):
            raise TypeError(f"no outcome of sending: {outcome!r}")
        self._trouble(course, call, outcome)
        return self._unanswered(course, outcome, now) if outcome.maybe_done else self._again(course, now)

    def _arrived(self, course: Course, stored: Stored, now: float) -> list[Ended]:
        course.code, course.sha256, course.sent = stored.code, stored.sha256, stored.sent
        course.trouble = None
        self._slowest_save = max(self._slowest_save, stored.saving)
        self._largest_passed = max(self._largest_passed, course.size)
        if self._haunted(course, now):
            course.phase, course.deep = Phase.PROVE, True
            self._lineup.hold(course)
            self._lineup.ask(course)
            return []
        return self._stored(course, now)

    def _unanswered(self, course: Course, outcome: Troubled, now: float) -> list[Ended]:
        """The PIM may have the file, or be saving it: the row keeps its keys until that is known."""
        self._lineup.hold(course)
        course.settled_at = now + self._settling()
        if course.attaches and not course.borrows:
            # Nothing tells whether the file arrived: it would be linked to nothing yet.
            self._ghosts[_name(course)] = (now + GHOST_SECONDS, course.seq)
            if course.failures > self.policy.retries:
                return self._give_up(course, now)
            self._lineup.later(course.settled_at, course)
            return []
        if outcome.failure.http_status == 500:
            # A code that two uploads share holds the bytes of only one of them (pim-facts A2), and
            # a deadlock in a tree of models is met again beside others (pim-facts A1).
            course.deep = course.deadlocked = True
        course.phase, course.asks = Phase.ASK, 0
        self._lineup.later(now + FIRST_ASK, course)
        return []

    def _looked(self, call: Call, outcome: Outcome, now: float) -> list[Ended]:
        course = call.course
        if isinstance(outcome, Troubled):
            course.trouble = outcome.failure
            if self._charged(call, outcome):
                course.blind += 1
            if course.blind > self.policy.retries:
                return self._give_up(course, now)
            self._lineup.later(now + pause(course.blind, self._random), course)
            return []
        course.blind = 0
        # One who may not read is told nothing either way.
        looked = outcome if isinstance(outcome, Looked) else Looked(None)
        if looked.ours or (looked.ours is None and course.phase is Phase.PROVE):
            course.code = looked.code or course.code
            course.trouble = None
            return self._stored(course, now)
        if course.phase is Phase.ASK and now < course.settled_at:
            wait = FIRST_ASK * 2**course.asks if looked.ours is False else math.inf
            course.asks += 1
            self._lineup.later(min(now + wait, course.settled_at), course)
            return []
        if course.phase is Phase.PROVE:
            course.failures += 1
            course.code = None
            course.trouble = Failure(
                Kind.VALUE_LOST,
                "the PIM answered 201, but holds other bytes than were sent",
                "an upload of the same file name reached the PIM at the same moment; the row is sent again",
            )
        elif course.attempts:
            self._ghosts[_name(course)] = (now + GHOST_SECONDS, course.seq)
        return self._again(course, now)

    def _restored(self, call: Call, outcome: Outcome, now: float) -> list[Ended]:
        course = call.course
        if isinstance(outcome, Troubled):
            if self._charged(call, outcome):
                course.blind += 1
            # The ledger remembers what is to be put back: the next run does it.
            if course.blind <= self.policy.retries:
                self._lineup.later(now + pause(course.blind, self._random), course)
                return []
        return self._linked(course, now)

    def _attached(self, call: Call, outcome: Outcome, now: float) -> list[Ended]:
        if isinstance(outcome, Troubled):
            lines: Sequence[Failure | Troubled | None] = [outcome] * len(call.courses)
        elif isinstance(outcome, Refused):
            if outcome.failure.kind is Kind.FORBIDDEN:
                return self._forbidden(call.courses, outcome.failure, now)
            if len(call.courses) > 1 and outcome.failure.kind not in _ABOUT_ALL:
                self._take_apart(call.courses, now)
                return []
            lines = [outcome.failure] * len(call.courses)
        elif isinstance(outcome, Attached):
            lines = outcome.lines
        else:
            raise TypeError(f"no outcome of attaching: {outcome!r}")
        in_line = Counter(course.attach_keys for course in call.courses)
        ended: list[Ended] = []
        for course, line in zip(call.courses, lines, strict=True):
            if line is None:
                course.trouble = None
                ended += self._end(course, Status.UPLOADED, now)
            elif isinstance(line, Failure):
                ended += self._not_attached(course, line, now, alone=in_line[course.attach_keys] == 1)
            else:
                self._trouble(course, call, line)
                ended += self._maybe_attached(course, now) if line.maybe_done else self._again(course, now)
        return ended

    def _maybe_attached(self, course: Course, now: float) -> list[Ended]:
        """Setting a code twice does no harm, but another call meanwhile would: wait, then again."""
        self._lineup.hold(course)
        if course.failures > self.policy.retries:
            return self._give_up(course, now)
        self._lineup.later(now + self._settling(), course)
        return []

    def _not_attached(self, course: Course, failure: Failure, now: float, *, alone: bool) -> list[Ended]:
        """A line was refused: whose fault is it?"""
        if not alone:
            # One of several values in the line is to blame: each gets a line of its own.
            self._lineup.release(course)
            course.group = f"{course.group}/{course.seq}"
            self._lineup.enqueue(course, now)
            return []
        if course.doubtful and not (course.carried and course.content is None):
            self._sharing.refuted(course)
            return self._send_after_all(course, now)
        return self._end(course, Status.FAILED, now, failure)

    def _forbidden(self, courses: Sequence[Course], failure: Failure, now: float) -> list[Ended]:
        """The user may not set codes: rows whose own upload sets the value are sent, the others fail."""
        self._sharing.off = True
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

    # What follows from it.

    def _trouble(self, course: Course, call: Call, outcome: Troubled) -> None:
        course.trouble = outcome.failure
        if course.through_at_trouble is None:
            course.through_at_trouble = self._through
        if self._charged(call, outcome):
            course.failures += 1

    def _charged(self, call: Call, outcome: Troubled) -> bool:
        """Does it count against the tries? Not when it says nothing of the row.

        A probe asks after the PIM, and a call refused beside others says that we make too many.
        """
        if outcome.throttled and call.in_flight > 1:
            return False
        return not call.probe

    def _settling(self) -> float:
        return min(SETTLE_MOST, max(SETTLE_LEAST, SETTLE_TIMES * self._slowest_save))

    def _haunted(self, course: Course, now: float) -> bool:
        """May a call of another row with this file name still have been at work?"""
        ghost = self._ghosts.get(_name(course))
        if ghost is None:
            return False
        if ghost[0] <= now:
            del self._ghosts[_name(course)]
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
        self._lineup.release(course)
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
        others = self._through > (course.through_at_start or 0)
        return self._end(course, Status.FAILED if others else Status.PENDING, now)

    def _pending(self, course: Course) -> Ended:
        """The row is left for the next run, which must look where the PIM may have its file."""
        return Ended(course, Status.PENDING, course.trouble, course.uncertain or course.code is not None)

    def _end(self, course: Course, status: Status, now: float, failure: Failure | None = None) -> list[Ended]:
        """A row that had its keys gets its last word; those that waited for its file go on."""
        uploaded = status is Status.UPLOADED
        shared = uploaded and course.phase is Phase.ATTACH and not course.attempts
        stored = status is Status.PENDING and course.code is not None
        uncertain = not uploaded and (course.uncertain or stored)
        self._lineup.release(course)
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


_ABOUT_ALL = (Kind.ROUTE_MISSING, Kind.BLOCKED, Kind.REDIRECTED, Kind.NOT_CREATED, Kind.BODY_TOO_LARGE)
"""What a batch is refused for that no row of it is to blame for."""


def _name(course: Course) -> str:
    return next((k for k in course.keys if k.startswith("name:")), "")


_TOO_LARGE_HINT = (
    "the file is larger than any that passed: its size may be over PHP's upload_max_filesize; "
    "ask the PIM's administrator to raise upload_max_filesize and post_max_size, or make the file smaller"
)
