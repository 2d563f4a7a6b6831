"""The threads of a run: each asks what to do next, does it, and tells what came of it."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator
from typing import Protocol

from ..progress.base import Progress
from .coordinator import Coordinator
from .task import Attached, Ended, Outcome, Request, Troubled, UploadTask

TICK = 0.2
"""Seconds between looks at what no worker tells of: signals, the time budget, the gate."""
LOOKING = 2.0
"""Seconds that looks at rows are given to end, once no more rows are begun: a link's host may be silent."""
FINISHING = 25.0
"""Seconds that calls in flight are given to end after a signal (exit status 130 or 143)."""


class RequestExecutor(Protocol):
    """Makes calls. Decides nothing; must turn whatever a call comes to into an `Outcome`."""

    def perform(self, request: Request) -> Outcome:
        """Make the call. Runs in many threads; whatever it raises is a defect of this program."""

    def ended(self, ended: Ended) -> None:
        """Remember and show a row's last word."""


class Engine:
    """Runs a coordinator's decisions on as many threads as calls may be in flight."""

    def __init__(
        self,
        coordinator: Coordinator,
        executor: RequestExecutor,
        progress: Progress,
        *,
        clock: Callable[[], float],
        max_duration: float | None = None,
    ) -> None:
        """`clock` gives monotonic seconds; `max_duration` is when to start no more rows, in seconds."""
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
        self._shown: tuple[int, float] = (coordinator.limiter.limit, 0.0)
        self._starving = False
        self.out_of_time = False

    def interrupt(self) -> None:
        """From a signal handler: the first starts no more rows, the second waits for nothing."""
        # Takes no lock: a signal may come while the main thread holds it.
        self._interrupts += 1

    def run(self) -> None:
        """Work until there is nothing left to do or to wait for. Raises what a worker died of."""
        workers = [
            threading.Thread(target=self._work, name=f"worker-{n + 1}", daemon=True)
            for n in range(self._coordinator.policy.concurrency)
        ]
        # The time may be over already.
        self._look_up()
        for worker in workers:
            worker.start()
        for worker in workers:
            while worker.is_alive() and not self._abandoned():
                worker.join(TICK)
                self._look_up()
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

    def _look_up(self) -> None:
        now = self._clock()
        if self._interrupts and self._interrupted_at == math.inf:
            self._interrupted_at = now
            self._stop("interrupted: finishing what is in flight; once more stops at once")
        if now >= self._until and not self._coordinator.stopping:
            self.out_of_time = True
            self._stop("the time of --max-duration is over: no more rows are started")
        self._show(now)

    def _stop(self, why: str) -> None:
        self._stopped_at = min(self._stopped_at, self._clock())
        with self._turn:
            self._coordinator.stop()
            self._turn.notify_all()
        self._progress.note(why, level="info")

    def _show(self, now: float) -> None:
        limiter = self._coordinator.limiter
        limit, waiting = limiter.limit, max(0.0, limiter.not_before - now)
        if limit != self._shown[0]:
            self._progress.limit(limit)
        if waiting > TICK or self._shown[1] > 0:
            reason = "the PIM does not answer; asking again" if limiter.closed else "the PIM asks to wait"
            self._progress.waiting(reason if waiting else "", waiting)
        self._shown = (limit, waiting)
        if not self._starving:
            with self._turn:
                name, rows = self._coordinator.starved_by()
            if name:
                self._starving = True
                self._progress.note(
                    f"{rows} rows wait for one another because their files are all named {name}",
                    hint="give them names of their own: --rename '{product}-{filename}'",
                )

    def _work(self) -> None:
        coordinator, turn = self._coordinator, self._turn
        try:
            while True:
                with turn:
                    while not isinstance(step := coordinator.next(self._clock()), Request):
                        if step is None or self._defect is not None:
                            turn.notify_all()
                            return
                        turn.wait(None if step == math.inf else step)
                outcome = self._executor.perform(step)
                with turn:
                    now = self._clock()
                    ended = coordinator.answered(step, outcome, now)
                    turn.notify_all()
                for each in ended:
                    self._executor.ended(each)
                over = {each.task for each in ended}
                for task, trouble in _troubles(step, outcome):
                    if task not in over:
                        delay = max(0.0, task.due - now)
                        self._progress.row_retried(task.seq, failure=trouble.failure, delay=delay)
        except BaseException as error:
            with turn:
                self._defect = self._defect or error
                coordinator.abort()
                turn.notify_all()


def _troubles(request: Request, outcome: Outcome) -> Iterator[tuple[UploadTask, Troubled]]:
    """The rows that a call which changes something met trouble with."""
    if not request.kind.writes:
        return
    lines = outcome.lines if isinstance(outcome, Attached) else [outcome] * len(request.tasks)
    for task, line in zip(request.tasks, lines, strict=True):
        if isinstance(line, Troubled):
            yield task, line
