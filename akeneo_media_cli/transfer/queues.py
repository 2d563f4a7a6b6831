"""The rows that wait: for their turn, a key, a time, a read, or for others to fill a batch."""

from __future__ import annotations

import heapq
import math
from collections import deque
from collections.abc import Callable, Iterator
from typing import NamedTuple

from .scheduler import Scheduler
from .task import (
    Confirming,
    Proving,
    Request,
    RequestKind,
    Restoring,
    Settling,
    UploadTask,
    Verifying,
)

ATTACH_BATCH = 100
"""Lines that the PIM takes in one PATCH (`docs/pim-behaviour.md`, "Batch PATCH")."""
ATTACH_WAIT = 10.0
"""Seconds that a batch waits to fill up while there is other work."""

_LIGHT = 17
"""Files below this power of two bytes (128 KiB) take the PIM equally long, whatever their size."""

_FOLLOW_UPS = {
    Confirming: RequestKind.CONFIRM,
    Verifying: RequestKind.VERIFY_BYTES,
    Restoring: RequestKind.RESTORE,
}
"""What is asked for a row that holds its keys already."""


class _Keys(NamedTuple):
    """What a finished row still holds, as a request of its may be at work."""

    exclusive: tuple[str, ...]
    shared: tuple[str, ...] = ()
    requests: int = 1


class TaskQueues:
    """Every row that is under way and not in a request. No clock: it is told the time."""

    def __init__(self, *, largest_first: bool = False) -> None:
        self._largest_first = largest_first
        self._scheduler: Scheduler[UploadTask] = Scheduler()
        self._timers: list[tuple[float, int, UploadTask | Request | _Keys]] = []
        self.lingering = 0
        """How many rows are finished while a request of theirs may still be at work."""
        self._holds = 0
        self._follow_ups: deque[UploadTask] = deque()
        self._batches: deque[Request] = deque()
        self._attaching: dict[str, tuple[float, deque[UploadTask]]] = {}
        self._ticket = 0
        self.attaching = 0
        """How many rows wait for a batch to fill up."""
        self.unsettled: set[UploadTask] = set()
        """Rows in doubt, in a request or not; they keep their keys, but for those that are only proven."""
        self.idle_for_names = 0
        """How often a worker found nothing to do because of rows that wait for their file name."""

    def __len__(self) -> int:
        """How many rows wait for their turn or a key."""
        return len(self._scheduler)

    @property
    def ready(self) -> int:
        """How many of them wait for no key, as far as is known."""
        return self._scheduler.ready

    @property
    def due(self) -> int:
        """How many rows have waited for their time and go first."""
        return self._scheduler.due

    def lingering_requests(self, now: float) -> int:
        """How many requests may still be at work that were given up while the PIM was at work on them."""
        return sum(task.tries.lingers and task.settled_at > now for task in self.unsettled) + self.lingering

    @property
    def empty(self) -> bool:
        """Does no row wait for anything?"""
        timers = len(self._timers) > self.lingering + self._holds
        return not (timers or self._batches or self._follow_ups or self._attaching or len(self._scheduler))

    def enqueue(self, task: UploadTask, now: float, *, due: bool = False) -> None:
        """Let a row wait for its turn to be sent, confirmed or attached; one that is `due` goes first."""
        if task.is_attaching:
            self._attaching.setdefault(task.group or "", (now, deque()))[1].append(task)
            self.attaching += 1
        else:
            self._scheduler.add(task, task.exclusive, task.shared, self._weight(task), first=due)

    def _weight(self, task: UploadTask) -> int:
        return (task.size >> _LIGHT).bit_length() if self._largest_first else 0

    def later(self, when: float, waiting: UploadTask | Request) -> None:
        """Let a row, or a batch to prepare, wait until a time."""
        self._push(when, waiting)

    def _push(self, when: float, waiting: UploadTask | Request | _Keys) -> None:
        self._ticket += 1
        heapq.heappush(self._timers, (when, self._ticket, waiting))

    def follow_up(self, task: UploadTask) -> None:
        """Let what comes next for a row in doubt be done as soon as a request may start."""
        self.unsettled.add(task)
        self._follow_ups.append(task)

    def hold(self, task: UploadTask) -> None:
        """The row is in doubt and keeps its keys."""
        self.unsettled.add(task)

    def release(self, task: UploadTask) -> None:
        """Give a row's keys to others. Its state must still be the one that says which keys it holds."""
        self.unsettled.discard(task)
        self._scheduler.release(task.exclusive, task.shared)

    def wait_without_keys(self, task: UploadTask, state: Proving) -> None:
        """The row waits for requests of others, its own are over: others may have its keys."""
        if not task.borrows:
            self.release(task)
        task.state = state
        self.unsettled.add(task)

    def linger(self, task: UploadTask) -> None:
        """As `release`, but others may have its keys only at its `settled_at`."""
        self.unsettled.discard(task)
        self.lingering += 1
        self._push(task.settled_at, _Keys(task.exclusive, task.shared))

    def hold_keys(self, keys: tuple[str, ...], until: float) -> None:
        """Block these free keys until a time: a run that died may be at work there."""
        self._scheduler.acquire(keys)
        self._holds += 1
        self._push(until, _Keys(keys, requests=0))

    def promote_due(self, now: float) -> None:
        """Let rows go on whose time has come."""
        while self._timers and self._timers[0][0] <= now:
            waiting = heapq.heappop(self._timers)[2]
            if isinstance(waiting, _Keys):
                self.lingering -= waiting.requests
                self._holds -= not waiting.requests
                self._scheduler.release(waiting.exclusive, waiting.shared)
            elif isinstance(waiting, Request):
                self._batches.append(waiting)
            elif type(waiting.state) in _FOLLOW_UPS:
                self._follow_ups.append(waiting)
            else:
                if isinstance(waiting.state, Settling):
                    self.release(waiting)
                    waiting.state = waiting.state.then
                self.enqueue(waiting, now, due=True)

    def next_deadline(self, now: float) -> float:
        """Seconds until the next row's time comes; infinite if none waits for a time."""
        return max(0.0, self._timers[0][0] - now) if self._timers else math.inf

    def next_follow_up(self) -> Request | None:
        """Look at the value of a row in doubt, or restore what it borrowed."""
        if not self._follow_ups:
            return None
        task = self._follow_ups.popleft()
        return Request(_FOLLOW_UPS[type(task.state)], (task,))

    def next_batch(self) -> Request | None:
        """Prepare a batch again that met trouble."""
        return self._batches.popleft() if self._batches else None

    def next_task(self) -> UploadTask | None:
        """The next row whose keys are free, with its keys taken."""
        return self._scheduler.take()

    def attach_full(self, now: float) -> Request | None:
        """Attach a batch that is full, or has waited long enough."""
        for group, (since, tasks) in list(self._attaching.items()):
            if len(tasks) >= ATTACH_BATCH or now - since >= ATTACH_WAIT:
                request = self._attach(group)
                if request is not None:
                    return request
        return None

    def attach_any(self) -> Request | None:
        """Attach what there is, as there is nothing else to do."""
        if self._scheduler.waiting_for("name"):
            self.idle_for_names += 1
        return next(filter(None, map(self._attach, list(self._attaching))), None)

    def give_up_attaching(self, unless: Callable[[UploadTask], bool]) -> None:
        """Drop rows that wait for a batch to fill up, but for some."""
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
        yield from self._follow_ups
        yield from (task for task in self.unsettled if isinstance(task.state, Proving))
        for _, tasks in self._attaching.values():
            yield from tasks
        self._timers.clear()
        self._follow_ups.clear()
        self._attaching.clear()
        self.attaching = 0
