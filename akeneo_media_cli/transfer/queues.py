"""The rows that wait, and for what: a turn, a key, a time, an answer about them, or company in a batch."""

from __future__ import annotations

import heapq
import math
from collections import deque
from collections.abc import Callable, Iterator
from typing import NamedTuple

from .scheduler import Scheduler
from .task import Phase, Request, RequestKind, UploadTask

ATTACH_BATCH = 100
"""So many lines the PIM takes in one PATCH (docs/pim-behaviour.md, "Batch PATCH")."""
ATTACH_WAIT = 10.0
"""Seconds that a batch waits to be full while there is other work."""

_LIGHT = 17
"""Files below so many powers of two bytes (128 KiB) take the PIM alike long, whatever their size."""

_QUESTIONS = {
    Phase.CONFIRM: RequestKind.CONFIRM,
    Phase.VERIFY_BYTES: RequestKind.VERIFY_BYTES,
    Phase.RESTORE: RequestKind.RESTORE,
}


class _Keys(NamedTuple):
    """What a row that has its word still holds, as a call of its may be at work."""

    exclusive: tuple[str, ...]
    shared: tuple[str, ...]


class TaskQueues:
    """Every row that is under way and not in a call. No clock: it is told the time."""

    def __init__(self, *, largest_first: bool = False) -> None:
        self._largest_first = largest_first
        self._scheduler: Scheduler[UploadTask] = Scheduler()
        self._timers: list[tuple[float, int, UploadTask | Request | _Keys]] = []
        self.lingering = 0
        """How many rows had their last word while a call of theirs may be at work."""
        self._asks: deque[UploadTask] = deque()
        self._batches: deque[Request] = deque()
        self._attaching: dict[str, tuple[float, deque[UploadTask]]] = {}
        self._ticket = 0
        self.attaching = 0
        """How many rows wait for company in a batch."""
        self.unsettled: set[UploadTask] = set()
        """Rows whose call may still be at work in the PIM, in a call or not; they keep their keys."""
        self.idle_for_names = 0
        """How often there was nothing to do for rows that wait for one with their file name to end."""

    def __len__(self) -> int:
        """How many rows wait for their turn or a key."""
        return len(self._scheduler)

    @property
    def ready(self) -> int:
        """How many of them wait for nothing that is known of."""
        return self._scheduler.ready

    @property
    def empty(self) -> bool:
        """Does nobody wait for anything?"""
        timers = len(self._timers) > self.lingering
        return not (timers or self._batches or self._asks or self._attaching or len(self._scheduler))

    def enqueue(self, task: UploadTask, now: float) -> None:
        """Let a row wait for its turn to be sent, asked after or attached."""
        if task.phase is Phase.ATTACH:
            self._attaching.setdefault(task.group or "", (now, deque()))[1].append(task)
            self.attaching += 1
        else:
            self._scheduler.add(task, task.exclusive, task.shared, self._weight(task))

    def _weight(self, task: UploadTask) -> int:
        return (task.size >> _LIGHT).bit_length() if self._largest_first else 0

    def later(self, when: float, waiting: UploadTask | Request) -> None:
        """Let a row, or a batch to prepare, wait until a time."""
        if isinstance(waiting, UploadTask):
            waiting.due = when
        self._push(when, waiting)

    def _push(self, when: float, waiting: UploadTask | Request | _Keys) -> None:
        self._ticket += 1
        heapq.heappush(self._timers, (when, self._ticket, waiting))

    def ask(self, task: UploadTask) -> None:
        """Let a row that holds its keys be asked after as soon as a call may be made."""
        self._asks.append(task)

    def hold(self, task: UploadTask) -> None:
        """The row keeps its keys: a call of its may still be at work."""
        task.uncertain = True
        self.unsettled.add(task)

    def release(self, task: UploadTask) -> None:
        """Nothing of the row is at work any more: others may have its keys."""
        task.uncertain = False
        self.unsettled.discard(task)
        self._scheduler.release(task.exclusive, task.shared)

    def linger(self, task: UploadTask) -> None:
        """As `release`, but others may have its keys only at its `settled_at`."""
        task.uncertain = False
        self.unsettled.discard(task)
        self.lingering += 1
        self._push(task.settled_at, _Keys(task.exclusive, task.shared))

    def ring(self, now: float) -> None:
        """Let those go on whose time has come."""
        while self._timers and self._timers[0][0] <= now:
            waiting = heapq.heappop(self._timers)[2]
            if isinstance(waiting, _Keys):
                self.lingering -= 1
                self._scheduler.release(*waiting)
            elif isinstance(waiting, Request):
                self._batches.append(waiting)
            elif waiting.uncertain and waiting.phase in _QUESTIONS:
                self._asks.append(waiting)
            else:
                if waiting.uncertain:
                    self.release(waiting)
                self.enqueue(waiting, now)

    def next_deadline(self, now: float) -> float:
        """Seconds until the next one's time comes; infinite if nobody waits for a time."""
        return max(0.0, self._timers[0][0] - now) if self._timers else math.inf

    def next_question(self) -> Request | None:
        """Ask after a row that holds its keys, or put back what it borrowed."""
        if not self._asks:
            return None
        task = self._asks.popleft()
        return Request(_QUESTIONS[task.phase], (task,))

    def next_batch(self) -> Request | None:
        """Prepare a batch once more that met trouble."""
        return self._batches.popleft() if self._batches else None

    def next_course(self) -> UploadTask | None:
        """The next row whose keys are free, with its keys taken."""
        return self._scheduler.take()

    def attach_full(self, now: float) -> Request | None:
        """Attach a batch that is full, or has waited long enough for more."""
        for group, (since, tasks) in list(self._attaching.items()):
            if len(tasks) >= ATTACH_BATCH or now - since >= ATTACH_WAIT:
                request = self._attach(group)
                if request is not None:
                    return request
        return None

    def attach_any(self) -> Request | None:
        """There is nothing else to do: attach what there is."""
        if self._scheduler.waiting_for("name"):
            self.idle_for_names += 1
        return next(filter(None, map(self._attach, list(self._attaching))), None)

    def give_up_attaching(self, unless: Callable[[UploadTask], bool]) -> None:
        """Let those that wait for company in a batch go, but for some."""
        for group, (since, tasks) in list(self._attaching.items()):
            self._keep(group, since, deque(filter(unless, tasks)))
        self.attaching = sum(len(tasks) for _, tasks in self._attaching.values())

    def _attach(self, group: str) -> Request | None:
        """As many rows of a group as one PATCH takes; those of one entity are one line of it."""
        since, tasks = self._attaching[group]
        lines: dict[tuple[str, ...], list[UploadTask]] = {}
        rest: list[UploadTask] = []
        while tasks and len(lines) < ATTACH_BATCH:
            task = tasks.popleft()
            more = task.attach_keys in lines
            if self._scheduler.acquire(() if more else task.attach_keys, task.shared):
                lines.setdefault(task.attach_keys, []).append(task)
            else:
                rest.append(task)
        tasks.extendleft(reversed(rest))
        self._keep(group, since, tasks)
        batch = [task for line in lines.values() for task in line]
        self.attaching -= len(batch)
        return Request(RequestKind.ATTACH, batch) if batch else None

    def _keep(self, group: str, since: float, tasks: deque[UploadTask]) -> None:
        if tasks:
            self._attaching[group] = (since, tasks)
        else:
            self._attaching.pop(group, None)

    def common_name(self) -> tuple[str, int]:
        """The file name that most rows wait for, and how many; empty if they wait for something else."""
        key, waiting = self._scheduler.longest_queue()
        return (key.removeprefix("name:"), waiting) if key.startswith("name:") else ("", 0)

    def drain(self) -> Iterator[UploadTask]:
        """Empty it: every row that still waits."""
        yield from self._scheduler.drain()
        yield from (waiting for _, _, waiting in self._timers if isinstance(waiting, UploadTask))
        yield from self._asks
        for _, tasks in self._attaching.values():
            yield from tasks
        self._timers.clear()
        self._asks.clear()
        self._attaching.clear()
        self.attaching = 0
