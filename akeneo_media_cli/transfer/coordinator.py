"""What is done next, and what an answer means for it.

All decisions of a run are made here and in `handlers`, and nothing else is: no threads, no HTTP, no clock of
its own, no disk. Workers ask `next` for a request, make it, and hand its outcome to `answered`. Given the
same outcomes it decides the same, so that a test can drive a million interleavings through it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from ..errors import Failure, LedgerError, MediaError
from ..rows import Status
from .handlers.attaching import AttachHandler
from .handlers.flow import Flow, Policy
from .handlers.proving import ProveHandler
from .handlers.restoring import RestoreHandler
from .handlers.retrying import Retrying
from .handlers.settling import SettleHandler
from .limiter import AdaptiveLimiter
from .retry import Random
from .task import (
    Ended,
    Event,
    Fatal,
    Known,
    Later,
    Outcome,
    Prepared,
    Request,
    RequestKind,
    Sending,
    Stored,
    Troubled,
    UploadTask,
)

__all__ = ["Coordinator", "Policy"]

AHEAD = 380
"""Rows that are kept looked up and ready ahead of the workers: no whole hundreds, so that a hundred sent rows
are there to be read back when the next hundred is looked up."""
WINDOW = 20_000
"""The most rows that are held in memory, however much they block one another."""


class Coordinator:
    """Knows every active row, which requests may start now, and why not."""

    def __init__(
        self,
        policy: Policy,
        feed: Callable[[], Any | None],
        random: Random,
        known: Mapping[str, Known] | None = None,
    ) -> None:
        """`feed` gives the next batch of rows to prepare, None at the end; an empty batch means: not before
        all batches so far are prepared, `Later`: not before that time. `known` are contents that earlier runs
        got to the PIM.
        """
        self._flow = flow = Flow(policy, random)
        self._queues = flow.queues
        self._sharing = flow.sharing
        self._retrying = Retrying(flow)
        self._attaching = AttachHandler(flow, self._retrying)
        self._restoring = RestoreHandler(flow, self._retrying, self._attaching)
        self._proving = ProveHandler(flow, self._retrying, self._restoring)
        self._settling = SettleHandler(flow, self._retrying, self._proving)
        for content, each in (known or {}).items():
            flow.sharing.learn(content, each)
        self.fatal: MediaError | None = None
        self.trouble: Failure | None = None
        """Why rows could not be looked up, where that ended the run."""
        self.latest: Failure | None = None
        """The last trouble there was with the PIM."""
        self._feed = feed
        self._fed = False
        self._feed_at = -math.inf
        self._preparing = 0
        self._barrier = False
        self._active = 0
        self._looking = 0
        self._sends = 0

    @property
    def policy(self) -> Policy:
        """What the user asked for."""
        return self._flow.policy

    @property
    def limiter(self) -> AdaptiveLimiter:
        """How many requests may be in flight."""
        return self._flow.limiter

    @property
    def stopping(self) -> bool:
        """Are no more rows started?"""
        return self._flow.stopping

    @property
    def aborted(self) -> bool:
        """Are no more requests made at all?"""
        return self._flow.aborted

    @property
    def retries(self) -> int:
        """How many requests were made again."""
        return self._retrying.count

    @property
    def shared(self) -> int:
        """How many rows got the media file that another row sent."""
        return self._flow.shared

    def hold(self, keys: tuple[str, ...], until: float) -> None:
        """Before the start: block these keys until a time, as earlier requests may be at work."""
        self._flow.queues.hold_keys(keys, until)
        self._proving.doubt(keys, until)

    @property
    def silent_swaps(self) -> int:
        """How often the PIM swapped bytes of files of one name although every answer was a 201."""
        return self._flow.silent_swaps

    def stop(self) -> None:
        """Start no more rows; those in doubt, and those whose file only has to be attached, are finished."""
        self._flow.stop()

    def abort(self) -> None:
        """Make no more requests at all; what is in flight is left to end."""
        self._flow.stopping = self._flow.aborted = True

    # What workers call.

    def next(self, now: float) -> Request | float | None:
        """A request to make, the seconds to wait (infinite: until an answer comes), or None: all is done."""
        if self.limiter.given_up:
            self.abort()
        self._queues.promote_due(now)
        if self._done():
            return None
        self.limiter.lingering = self._queues.lingering_requests(now)
        opening = self.limiter.opening(now)
        if opening > 0:
            return opening
        request = self._choose(now)
        if request is None:
            if self._done():
                return None
            wait = self._queues.next_deadline(now)
            return wait if self._feed_at <= now else min(wait, self._feed_at - now)
        request.probe = self.limiter.start(now)
        self._flow.started += 1
        request.number = self._flow.started
        request.in_flight = self.limiter.in_flight
        self._active += 1
        self._looking += request.kind is RequestKind.PREPARE
        for task in request.tasks:
            if task.tries.began is None:
                task.tries.began = now
        if request.kind is RequestKind.SEND:
            self._sends += 1
            request.task.tries.made += 1
            self._proving.sends(request.task, now)
        return request

    def answered(self, request: Request, outcome: Outcome, now: float) -> list[Event]:
        """Take in a request's outcome: returns rows that are finished by it, and rows that are retried."""
        self.limiter.finish()
        self._active -= 1
        self._looking -= request.kind is RequestKind.PREPARE
        if isinstance(outcome, Fatal):
            return self._fatal(request, outcome, now)
        if isinstance(outcome, Troubled):
            self._tell_limiter(request, outcome, now)
        else:
            self.limiter.succeeded(wrote=request.kind.writes, now=now)
            if isinstance(outcome, Stored):
                self.limiter.saved(request.in_flight, outcome.saving)
            if request.kind.writes:
                self._flow.completed += 1
                return self._retrying.completed(request) + self._take_in(request, outcome, now)
        return self._take_in(request, outcome, now)

    def _take_in(self, request: Request, outcome: Outcome, now: float) -> list[Event]:
        match request.kind:
            case RequestKind.PREPARE:
                return self._prepared(request, outcome, now)
            case RequestKind.SEND:
                return self._settling.sent(request, outcome, now)
            case RequestKind.CONFIRM | RequestKind.VERIFY_BYTES:
                return self._settling.looked(request, outcome, now)
            case RequestKind.RESTORE:
                return self._restoring.restored(request, outcome, now)
            case RequestKind.ATTACH:
                return self._attaching.attached(request, outcome, now)

    def leftovers(self) -> list[Ended]:
        """At the end: the rows that were begun and not finished; they are pending."""
        begun = [t for t in self._queues.drain() if t.tries.made or t.in_doubt or t.tries.last]
        return [*self._retrying.unproven(), *(self._flow.pending(task) for task in begun)]

    @property
    def settled(self) -> bool:
        """Can no request that changes anything be at work in the PIM?"""
        return not (self._active or self._queues.unsettled or self._queues.lingering)

    @property
    def only_looks(self) -> bool:
        """Is it stopping, with nothing in flight but look-ups of rows that will not be started?"""
        queues = self._queues
        return self.stopping and self._active == self._looking and not (queues.unsettled or queues.attaching)

    def starved_by(self) -> tuple[str, int]:
        """The file name that keeps workers idle, and how many rows wait for it; empty if none."""
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
        follow_up = queues.next_follow_up()
        if follow_up is not None or self.limiter.full:
            return follow_up
        if self.stopping:
            # Only rows whose files are in the PIM already are left.
            return queues.attach_any()
        held_back = queues.attaching + self._sharing.waiting
        return (
            queues.next_batch()
            or (queues.due and self._take(now))
            or (queues.ready + held_back < AHEAD and self._more(now))
            or self._take(now)
            or (queues.ready < AHEAD and len(queues) + held_back < WINDOW and self._more(now))
            or queues.attach_any()
        )

    def _more(self, now: float) -> Request | None:
        """The next batch of rows to look up, if there is one."""
        if self._fed or now < self._feed_at or (self._barrier and self._preparing):
            return None
        batch = self._feed()
        if isinstance(batch, Later):
            self._feed_at = batch.until
            return None
        self._barrier = batch is not None and not len(batch)
        self._fed = batch is None
        if batch is None:
            return None
        if self._barrier:
            return self._more(now)
        self._preparing += 1
        return Request(RequestKind.PREPARE, batch=batch)

    def _take(self, now: float) -> Request | None:
        queues = self._queues
        attaching = queues.attach_full(now)
        if attaching is not None:
            return attaching
        task = queues.next_task()
        if task is None:
            return None
        if isinstance(task.state, Sending):
            return Request(RequestKind.SEND, (task,))
        self._settling.resume(task, now)
        return queues.next_follow_up()

    # Taking in.

    def _tell_limiter(self, request: Request, outcome: Troubled, now: float) -> None:
        if outcome.own:
            return
        self.latest = outcome.failure
        completed = self._flow.completed
        who: UploadTask | Request
        who, at = request, request.completed_at_trouble
        if request.tasks:
            who, at = request.tasks[0], request.tasks[0].tries.completed_at_trouble
        suspect = at is not None and completed > at
        self.limiter.met_trouble(who, request, outcome, now, suspect=suspect)

    def _fatal(self, request: Request, outcome: Fatal, now: float) -> list[Event]:
        self.fatal = self.fatal or outcome.error
        self.abort()
        events: list[Event] = []
        for task in request.tasks:
            task.tries.last = outcome.error.failure
            # The PIM may have taken what the ledger could not record.
            unrecorded = isinstance(outcome.error, LedgerError) and request.kind.writes
            ended, *others = self._flow.end(task, Status.PENDING, now)
            if isinstance(ended, Ended) and unrecorded:
                ended = replace(ended, uncertain=True)
            events += [ended, *others]
        return events

    def _prepared(self, request: Request, outcome: Outcome, now: float) -> list[Event]:
        if isinstance(outcome, Prepared):
            self._preparing -= 1
            for content, known in outcome.known.items():
                self._sharing.learn(content, known)
            return self._flow.place_all(outcome.tasks, now)
        if not isinstance(outcome, Troubled):
            raise TypeError(f"not an outcome of preparing: {outcome!r}")
        if request.completed_at_trouble is None:
            request.completed_at_trouble = self._flow.completed
        if self._retrying.counts(request, outcome):
            request.failures += 1
        if request.failures > self.policy.retries:
            # Without a look-up none of these rows may be sent, and the next batch would fail too.
            self.trouble = outcome.failure
            self.abort()
        else:
            self._queues.later(now + self._retrying.pause(request.failures), request)
        return []
