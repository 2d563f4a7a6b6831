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
from .fates import STALE_SECONDS, Fates, Policy, file_name
from .retry import Random, pause, settling
from .task import (
    Attached,
    Ended,
    Fatal,
    Known,
    Looked,
    Outcome,
    Phase,
    Prepared,
    Refused,
    Request,
    RequestKind,
    Stored,
    Troubled,
    UploadTask,
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

    def next(self, now: float) -> Request | float | None:
        """A call to make, the seconds to wait (infinite: until an answer comes), or None: all is done."""
        if self.limiter.given_up:
            self.abort()
        self._queues.ring(now)
        if self._done():
            return None
        opening = self.limiter.opening(now)
        if opening > 0:
            return opening
        request = self._choose(now)
        if request is None:
            if self._done():
                return None
            return self._queues.next_deadline(now)
        request.completed_at_start = self._completed
        request.probe = self.limiter.start()
        request.in_flight = self.limiter.in_flight
        self._active += 1
        self._looking += request.kind is RequestKind.PREPARE
        for task in request.tasks:
            if task.began is None:
                task.began = now
            if task.completed_at_start is None:
                task.completed_at_start = self._completed
        if request.kind is RequestKind.SEND:
            self._sends += 1
            request.task.attempts += 1
            if request.task.attempts > 1:
                self.retries += 1
        return request

    def answered(self, request: Request, outcome: Outcome, now: float) -> list[Ended]:
        """Take in what a call came to; the rows that have got their last word by it."""
        self.limiter.finish()
        self._active -= 1
        self._looking -= request.kind is RequestKind.PREPARE
        if isinstance(outcome, Fatal):
            return self._fatal(request, outcome, now)
        if isinstance(outcome, Troubled):
            self._tell_gate(request, outcome, now)
        else:
            self.limiter.succeeded(wrote=request.kind.writes)
            if request.kind.writes:
                self._completed += 1
        take_in = {
            RequestKind.PREPARE: self._prepared,
            RequestKind.SEND: self._sent,
            RequestKind.RESTORE: self._restored,
            RequestKind.ATTACH: self._attached,
        }
        return take_in.get(request.kind, self._looked)(request, outcome, now)

    def leftovers(self) -> list[Ended]:
        """At the end: the rows that were begun and did not get their word; they are pending."""
        return [self._pending(c) for c in self._queues.drain() if c.attempts or c.uncertain or c.trouble]

    @property
    def settled(self) -> bool:
        """Can no call that changes anything be at work in the PIM?"""
        return not (self._active or self._queues.unsettled or self._queues.lingering)

    @property
    def only_looks(self) -> bool:
        """Is it stopping, and nothing more at work than looks at rows that will not be begun?"""
        queues = self._queues
        return self.stopping and self._active == self._looking and not (queues.unsettled or queues.attaching)

    def starved_by(self) -> tuple[str, int]:
        """The file name that keeps workers idle, and how many rows wait for it; empty when none does."""
        if self._queues.idle_for_names < max(50, self._sends // 4):
            return "", 0
        return self._queues.common_name()

    # Choosing.

    def _done(self) -> bool:
        if self._active:
            return False
        if self.aborted:
            return True
        if self._queues.unsettled:
            return False
        if self.stopping:
            return not self._queues.attaching
        return self._fed and self._queues.empty

    def _choose(self, now: float) -> Request | None:
        if self.aborted:
            return None
        queues = self._queues
        question = queues.next_question()
        if question is not None:
            return question
        if self.stopping:
            # Of those whose file went up in vain unless it is attached.
            return queues.attach_any()
        again = queues.next_batch()
        if again is not None:
            return again
        held_back = queues.attaching + self._sharing.waiting
        return (
            (queues.ready + held_back < AHEAD and self._more())
            or self._take(now)
            or (queues.ready < AHEAD and len(queues) + held_back < WINDOW and self._more())
            or queues.attach_any()
        )

    def _more(self) -> Request | None:
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
        return Request(RequestKind.PREPARE, batch=batch)

    def _take(self, now: float) -> Request | None:
        queues = self._queues
        attaching = queues.attach_full(now)
        if attaching is not None:
            return attaching
        task = queues.next_course()
        if task is None:
            return None
        if task.phase is Phase.SEND:
            return Request(RequestKind.SEND, (task,))
        # Left in flight by a run that died: its call may still be at work.
        task.settled_at = now + settling(self._slowest_save)
        queues.hold(task)
        queues.ask(task)
        return queues.next_question()

    # Taking in.

    def _tell_gate(self, request: Request, outcome: Troubled, now: float) -> None:
        if outcome.own:
            return
        self.latest = outcome.failure
        if outcome.retry_after is not None:
            self.limiter.wait_until(now, outcome.retry_after)
        if outcome.throttled:
            self.limiter.refused(request.in_flight)
            if request.in_flight > 1:
                return
        first: UploadTask | Request = request.tasks[0] if request.tasks else request
        suspect = first.completed_at_trouble is not None and self._completed > first.completed_at_trouble
        self.limiter.troubled(first, now, wrote=request.kind.writes, probe=request.probe, suspect=suspect)

    def _fatal(self, request: Request, outcome: Fatal, now: float) -> list[Ended]:
        self.fatal = self.fatal or outcome.error
        self.abort()
        for task in request.tasks:
            task.trouble = outcome.error.failure
            # The PIM may have taken what the ledger took no more.
            task.uncertain |= isinstance(outcome.error, LedgerError) and request.kind.writes
        return [ended for task in request.tasks for ended in self._end(task, Status.PENDING, now)]

    def _prepared(self, request: Request, outcome: Outcome, now: float) -> list[Ended]:
        if isinstance(outcome, Prepared):
            self._preparing -= 1
            for content, known in outcome.known.items():
                self._sharing.learn(content, known)
            return [ended for task in outcome.tasks for ended in self._place(task, now)]
        if not isinstance(outcome, Troubled):
            raise TypeError(f"no outcome of preparing: {outcome!r}")
        if request.completed_at_trouble is None:
            request.completed_at_trouble = self._completed
        if self._charged(request, outcome):
            request.failures += 1
        if request.failures > self.policy.retries:
            # Unasked, nothing of these rows may be sent; the next batch would fare no better.
            self.trouble = outcome.failure
            self.abort()
        else:
            self._queues.later(now + pause(request.failures, self._random), request)
        return []

    def _sent(self, request: Request, outcome: Outcome, now: float) -> list[Ended]:
        task = request.task
        if isinstance(outcome, Stored):
            return self._arrived(task, outcome, now)
        if isinstance(outcome, Refused):
            return self._end(task, Status.FAILED, now, outcome.failure)
        if not isinstance(outcome, Troubled):
            raise TypeError(f"no outcome of sending: {outcome!r}")
        self._trouble(task, request, outcome)
        return self._unanswered(task, outcome, now) if outcome.maybe_done else self._again(task, now)

    def _arrived(self, task: UploadTask, stored: Stored, now: float) -> list[Ended]:
        task.code, task.sha256, task.sent = stored.code, stored.sha256, stored.sent
        task.trouble = None
        self._slowest_save = max(self._slowest_save, stored.saving)
        self._largest_passed = max(self._largest_passed, task.size)
        if self._has_stale_request(task, now):
            task.phase, task.deep = Phase.VERIFY_BYTES, True
            self._queues.hold(task)
            self._queues.ask(task)
            return []
        return self._stored(task, now)

    def _unanswered(self, task: UploadTask, outcome: Troubled, now: float) -> list[Ended]:
        """The PIM may have the file, or be saving it: the row keeps its keys until that is known."""
        self._unsettled(task, outcome, now)
        if task.attaches and not task.borrows:
            # Nothing tells whether the file arrived: it would be linked to nothing yet.
            self._stale_requests[file_name(task)] = (now + STALE_SECONDS, task.seq)
            if task.failures > self.policy.retries:
                return self._give_up(task, now)
            self._queues.later(task.settled_at, task)
            return []
        if outcome.failure.http_status == 500:
            # A code that two uploads share holds the bytes of only one of them
            # (docs/pim-behaviour.md, "Swapped bytes"), and a deadlock in a tree of models is met again beside
            # others (docs/pim-behaviour.md, "Lost values").
            task.deep = task.deadlocked = True
        task.phase, task.asks = Phase.CONFIRM, 0
        self._queues.later(now + FIRST_ASK, task)
        return []

    def _looked(self, request: Request, outcome: Outcome, now: float) -> list[Ended]:
        task = request.task
        if isinstance(outcome, Troubled):
            task.trouble = outcome.failure
            if self._charged(request, outcome):
                task.blind += 1
            if task.blind > self.policy.retries:
                return self._give_up(task, now)
            self._queues.later(now + pause(task.blind, self._random), task)
            return []
        task.blind = 0
        # One who may not read is told nothing either way.
        looked = outcome if isinstance(outcome, Looked) else Looked(None)
        if looked.ours or (looked.ours is None and task.phase is Phase.VERIFY_BYTES):
            task.code = looked.code or task.code
            task.trouble = None
            # It is there: the call that brought it is over.
            task.settled_at = now
            return self._stored(task, now)
        if task.phase is Phase.CONFIRM and now < task.settled_at:
            wait = FIRST_ASK * 2**task.asks if looked.ours is False else math.inf
            task.asks += 1
            self._queues.later(min(now + wait, task.settled_at), task)
            return []
        if task.phase is Phase.VERIFY_BYTES:
            task.failures += 1
            task.code = None
            task.trouble = Failure(
                Kind.VALUE_LOST,
                "the PIM answered 201, but holds other bytes than were sent",
                "an upload of the same file name reached the PIM at the same moment; the row is sent again",
            )
        elif task.attempts:
            self._stale_requests[file_name(task)] = (now + STALE_SECONDS, task.seq)
        return self._again(task, now)

    def _restored(self, request: Request, outcome: Outcome, now: float) -> list[Ended]:
        task = request.task
        if isinstance(outcome, Troubled):
            if outcome.maybe_done:
                self._unsettled(task, outcome, now)
            if self._charged(request, outcome):
                task.blind += 1
            # The ledger remembers what is to be put back: the next run does it.
            if task.blind <= self.policy.retries:
                again = now + pause(task.blind, self._random)
                self._queues.later(max(again, task.settled_at), task)
                return []
        return self._linked(task, now)

    def _attached(self, request: Request, outcome: Outcome, now: float) -> list[Ended]:
        if isinstance(outcome, Troubled):
            lines: Sequence[Failure | Troubled | None] = [outcome] * len(request.tasks)
        elif isinstance(outcome, Refused):
            if outcome.failure.kind is Kind.FORBIDDEN:
                return self._forbidden(request.tasks, outcome.failure, now)
            if len(request.tasks) > 1 and outcome.failure.kind not in _ABOUT_ALL:
                self._take_apart(request.tasks, now)
                return []
            lines = [outcome.failure] * len(request.tasks)
        elif isinstance(outcome, Attached):
            lines = outcome.lines
        else:
            raise TypeError(f"no outcome of attaching: {outcome!r}")
        in_line = Counter(task.attach_keys for task in request.tasks)
        ended: list[Ended] = []
        for task, line in zip(request.tasks, lines, strict=True):
            if line is None:
                task.trouble = None
                ended += self._end(task, Status.UPLOADED, now)
            elif isinstance(line, Failure):
                ended += self._not_attached(task, line, now, alone=in_line[task.attach_keys] == 1)
            else:
                self._trouble(task, request, line)
                ended += self._maybe_attached(task, line, now) if line.maybe_done else self._again(task, now)
        return ended


_ABOUT_ALL = (Kind.ROUTE_MISSING, Kind.BLOCKED, Kind.REDIRECTED, Kind.NOT_CREATED, Kind.BODY_TOO_LARGE)
"""What a batch is refused for that no row of it is to blame for."""
