"""The threads of a run: each asks what to do next, does it, and reports the outcome."""

from __future__ import annotations

import math
import threading
from collections import deque
from collections.abc import Callable
from typing import Protocol

from ..progress.base import Progress
from .coordinator import Coordinator
from .limiter import AdaptiveLimiter
from .task import Ended, Event, Outcome, Request

TICK = 0.2
"""Seconds between checks of what no worker reports: signals, the time budget, the limiter."""
LOOKING = 2.0
"""Seconds that look-ups get to end once no more rows are started: a link's host may be silent."""
FINISHING = 25.0
"""Seconds that requests in flight get to end after a signal."""


class RequestExecutor(Protocol):
    """Makes requests. Decides nothing; turns the result of each into an `Outcome`."""

    def perform(self, request: Request, meanwhile: Callable[[], None]) -> Outcome:
        """Make the request. Runs in many threads; whatever it raises is a defect of this program.

        `meanwhile` records what earlier requests came to: to be called where that delays no request,
        which is best while the PIM is at work.
        """

    def ended(self, ended: Ended) -> None:
        """Record and show that a row is finished."""


class LimiterView:
    """Shows when the limiter holds requests back."""

    def __init__(self, limiter: AdaptiveLimiter, progress: Progress) -> None:
        self._limiter = limiter
        self._progress = progress
        self._limit = limiter.allowed
        self._waiting = 0.0

    def show(self, now: float) -> None:
        """Show what has changed; to be called again and again."""
        limiter = self._limiter
        limit, waiting = limiter.allowed, max(0.0, limiter.not_before - now)
        if limit != self._limit:
            self._progress.limit(limit)
        if waiting > TICK or self._waiting > 0:
            reason = "the PIM does not answer; retrying" if limiter.closed else "Rate limited"
            self._progress.waiting(reason if waiting else "", waiting)
        self._limit, self._waiting = limit, waiting


class Engine:
    """Carries out a coordinator's decisions on as many threads as requests may be in flight."""

    def __init__(
        self,
        coordinator: Coordinator,
        executor: RequestExecutor,
        progress: Progress,
        *,
        clock: Callable[[], float],
        max_duration: float | None = None,
        tick: Callable[[], None] | None = None,
    ) -> None:
        """`clock` gives monotonic seconds; `max_duration` is when to start no more rows, in seconds.

        `tick` is called again and again while requests are at work.
        """
        self._tick = tick
        self._coordinator = coordinator
        self._executor = executor
        self._progress = progress
        self._clock = clock
        self._until = math.inf if max_duration is None else clock() + max_duration
        self._turn = threading.Condition()
        self._interrupts = 0
        self._interrupted_at = math.inf
        self._stopped_at = math.inf
        self._defect: BaseException | None = None
        self._events: deque[Event] = deque()
        """What is still to be recorded and shown: by the first thread that has time, within `TICK`."""
        self._view = LimiterView(coordinator.limiter, progress)
        self._starving = False

    def interrupt(self) -> None:
        """From a signal handler: the first starts no more rows, the second waits for nothing."""
        # Takes no lock: a signal may come while the main thread holds it.
        self._interrupts += 1

    def run(self) -> None:
        """Work until there is nothing left to do or to wait for. Raises what ended a worker."""
        workers = [
            threading.Thread(target=self._work, name=f"worker-{n + 1}", daemon=True)
            for n in range(self._coordinator.policy.concurrency)
        ]
        # The time may be over already.
        self._check()
        for worker in workers:
            worker.start()
        for worker in workers:
            while worker.is_alive() and not self._abandoned():
                worker.join(TICK)
                self._check()
                self._record_overdue()
        self._record_overdue()
        with self._turn:
            leftovers = self._coordinator.leftovers()
        for ended in leftovers:
            self._executor.ended(ended)
        if self._defect is not None:
            raise self._defect

    def _abandoned(self) -> bool:
        if self._interrupts > 1:
            return True
        now = self._clock()
        if now > self._stopped_at + LOOKING:
            with self._turn:
                if self._coordinator.only_looks:
                    return True
        return now > self._interrupted_at + FINISHING

    def _check(self) -> None:
        now = self._clock()
        if self._interrupts and self._interrupted_at == math.inf:
            self._interrupted_at = now
            self._stop("Interrupted: finishing current requests. Press Ctrl-C again to stop now")
        if now >= self._until and not self._coordinator.stopping:
            self._stop("--max-duration is over: no more rows are started")
        if self._tick is not None:
            self._tick()
        self._show(now)

    def _stop(self, why: str) -> None:
        self._stopped_at = min(self._stopped_at, self._clock())
        with self._turn:
            self._coordinator.stop()
            self._turn.notify_all()
        self._progress.note(why, level="info")

    def _show(self, now: float) -> None:
        self._view.show(now)
        if not self._starving:
            with self._turn:
                name, rows = self._coordinator.starved_by()
            if name:
                self._starving = True
                self._progress.note(
                    f"{rows} rows wait for each other because their files are all named {name}",
                    hint="Give them different names: --rename '{product}-{filename}'.",
                )

    def _work(self) -> None:
        coordinator, turn = self._coordinator, self._turn
        try:
            while True:
                with turn:
                    while not isinstance(step := coordinator.next(self._clock()), Request):
                        if self._events:
                            break
                        if step is None or self._defect is not None:
                            turn.notify_all()
                            return
                        turn.wait(None if step == math.inf else step)
                if not isinstance(step, Request):
                    self._record()
                    continue
                outcome = self._executor.perform(step, self._record)
                with turn:
                    self._events += coordinator.answered(step, outcome, self._clock())
                    turn.notify_all()
        except BaseException as error:
            self._end_by(error)

    def _end_by(self, error: BaseException) -> None:
        with self._turn:
            self._defect = self._defect or error
            self._coordinator.abort()
            self._turn.notify_all()

    def _record_overdue(self) -> None:
        """`_record` in the main thread, which has to wait for the workers whatever happens."""
        try:
            self._record()
        except Exception as error:
            self._end_by(error)

    def _record(self) -> None:
        """Record and show what has happened. Raises what the executor raises."""
        while self._events:
            try:
                event = self._events.popleft()
            except IndexError:
                # Another thread was faster.
                return
            if isinstance(event, Ended):
                self._executor.ended(event)
            else:
                self._progress.row_retried(event.task.seq, failure=event.failure, delay=event.delay)
