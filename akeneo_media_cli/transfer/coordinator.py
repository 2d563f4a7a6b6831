"""What is to be done next, and what an answer means for it.

The whole of a run's decisions, and nothing else: no threads, no HTTP, no clock of its own, no disk.
Workers ask `next` for a call, make it, and hand what came of it to `answered`. Given the same calls
it decides the same, so that a test can drive a million interleavings through it.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..errors import Failure, Kind, LedgerError, MediaError
from ..rows import Status
from .fates import GHOST_SECONDS, Fates, Policy, file_name
from .retry import Random, pause, settling
from .task import (
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

__all__ = ["Coordinator", "Policy"]

FIRST_ASK = 0.1
AHEAD = 400
"""So many rows are kept looked up and ready ahead of the workers."""
WINDOW = 20_000
"""No more rows than this are held in memory, however badly they block one another."""


class Coordinator(Fates):
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
        super().__init__(policy, random)
        for content, each in (known or {}).items():
            self._sharing.learn(content, each)
        self.fatal: MediaError | None = None
        self.trouble: Failure | None = None
        """Why rows could not be looked up, where that ended the run."""
        self.latest: Failure | None = None
        """The last trouble there was with the PIM."""
        self.retries = 0
        self._feed = feed
        self._fed = False
        self._preparing = 0
        self._barrier = False
        self._active = 0
        self._looking = 0
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
        self._looking += call.errand is Errand.PREPARE
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
        self._looking -= call.errand is Errand.PREPARE
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

    def leftovers(self) -> list[Ended]:
        """At the end: the rows that were begun and did not get their word; they are pending."""
        return [self._pending(c) for c in self._lineup.drain() if c.attempts or c.uncertain or c.trouble]

    @property
    def settled(self) -> bool:
        """Can no call that changes anything be at work in the PIM?"""
        return not (self._active or self._lineup.unsettled or self._lineup.lingering)

    @property
    def only_looks(self) -> bool:
        """Is it stopping, and nothing more at work than looks at rows that will not be begun?"""
        lineup = self._lineup
        return self.stopping and self._active == self._looking and not (lineup.unsettled or lineup.attaching)

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
        course.settled_at = now + settling(self._slowest_save)
        lineup.hold(course)
        lineup.ask(course)
        return lineup.next_question()

    # Taking in.

    def _tell_gate(self, call: Call, outcome: Troubled, now: float) -> None:
        if outcome.own:
            return
        self.latest = outcome.failure
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
        for course in call.courses:
            course.trouble = outcome.error.failure
            # The PIM may have taken what the ledger took no more.
            course.uncertain |= isinstance(outcome.error, LedgerError) and call.errand.writes
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
        self._unsettled(course, outcome, now)
        if course.attaches and not course.borrows:
            # Nothing tells whether the file arrived: it would be linked to nothing yet.
            self._ghosts[file_name(course)] = (now + GHOST_SECONDS, course.seq)
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
            # It is there: the call that brought it is over.
            course.settled_at = now
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
            self._ghosts[file_name(course)] = (now + GHOST_SECONDS, course.seq)
        return self._again(course, now)

    def _restored(self, call: Call, outcome: Outcome, now: float) -> list[Ended]:
        course = call.course
        if isinstance(outcome, Troubled):
            if outcome.maybe_done:
                self._unsettled(course, outcome, now)
            if self._charged(call, outcome):
                course.blind += 1
            # The ledger remembers what is to be put back: the next run does it.
            if course.blind <= self.policy.retries:
                again = now + pause(course.blind, self._random)
                self._lineup.later(max(again, course.settled_at), course)
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
                ended += (
                    self._maybe_attached(course, line, now) if line.maybe_done else self._again(course, now)
                )
        return ended


_ABOUT_ALL = (Kind.ROUTE_MISSING, Kind.BLOCKED, Kind.REDIRECTED, Kind.NOT_CREATED, Kind.BODY_TOO_LARGE)
"""What a batch is refused for that no row of it is to blame for."""
