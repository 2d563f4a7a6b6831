"""The rows that wait, and for what: a turn, a key, a time, an answer about them, or company in a batch."""

from __future__ import annotations

import heapq
import math
from collections import deque
from collections.abc import Callable, Iterator
from typing import NamedTuple

from .scheduler import Scheduler
from .task import Call, Course, Errand, Phase

ATTACH_BATCH = 100
"""So many lines the PIM takes in one PATCH (pim-facts B5)."""
ATTACH_WAIT = 10.0
"""Seconds that a batch waits to be full while there is other work."""

_LIGHT = 17
"""Files below so many powers of two bytes (128 KiB) take the PIM alike long, whatever their size."""

_QUESTIONS = {Phase.ASK: Errand.ASK, Phase.PROVE: Errand.PROVE, Phase.RESTORE: Errand.RESTORE}


class _Keys(NamedTuple):
    """What a row that has its word still holds, as a call of its may be at work."""

    exclusive: tuple[str, ...]
    shared: tuple[str, ...]


class Lineup:
    """Every row that is under way and not in a call. No clock: it is told the time."""

    def __init__(self, *, largest_first: bool = False) -> None:
        self._largest_first = largest_first
        self._scheduler: Scheduler[Course] = Scheduler()
        self._timers: list[tuple[float, int, Course | Call | _Keys]] = []
        self.lingering = 0
        """How many rows had their last word while a call of theirs may be at work."""
        self._asks: deque[Course] = deque()
        self._batches: deque[Call] = deque()
        self._attaching: dict[str, tuple[float, deque[Course]]] = {}
        self._ticket = 0
        self.attaching = 0
        """How many rows wait for company in a batch."""
        self.unsettled: set[Course] = set()
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

    def enqueue(self, course: Course, now: float) -> None:
        """Let a row wait for its turn to be sent, asked after or attached."""
        if course.phase is Phase.ATTACH:
            self._attaching.setdefault(course.group or "", (now, deque()))[1].append(course)
            self.attaching += 1
        else:
            self._scheduler.add(course, course.exclusive, course.shared, self._weight(course))

    def _weight(self, course: Course) -> int:
        return (course.size >> _LIGHT).bit_length() if self._largest_first else 0

    def later(self, when: float, waiting: Course | Call) -> None:
        """Let a row, or a batch to prepare, wait until a time."""
        if isinstance(waiting, Course):
            waiting.due = when
        self._push(when, waiting)

    def _push(self, when: float, waiting: Course | Call | _Keys) -> None:
        self._ticket += 1
        heapq.heappush(self._timers, (when, self._ticket, waiting))

    def ask(self, course: Course) -> None:
        """Let a row that holds its keys be asked after as soon as a call may be made."""
        self._asks.append(course)

    def hold(self, course: Course) -> None:
        """The row keeps its keys: a call of its may still be at work."""
        course.uncertain = True
        self.unsettled.add(course)

    def release(self, course: Course) -> None:
        """Nothing of the row is at work any more: others may have its keys."""
        course.uncertain = False
        self.unsettled.discard(course)
        self._scheduler.release(course.exclusive, course.shared)

    def linger(self, course: Course) -> None:
        """As `release`, but others may have its keys only at its `settled_at`."""
        course.uncertain = False
        self.unsettled.discard(course)
        self.lingering += 1
        self._push(course.settled_at, _Keys(course.exclusive, course.shared))

    def ring(self, now: float) -> None:
        """Let those go on whose time has come."""
        while self._timers and self._timers[0][0] <= now:
            waiting = heapq.heappop(self._timers)[2]
            if isinstance(waiting, _Keys):
                self.lingering -= 1
                self._scheduler.release(*waiting)
            elif isinstance(waiting, Call):
                self._batches.append(waiting)
            elif waiting.uncertain and waiting.phase in _QUESTIONS:
                self._asks.append(waiting)
            else:
                if waiting.uncertain:
                    self.release(waiting)
                self.enqueue(waiting, now)

    def until_bell(self, now: float) -> float:
        """Seconds until the next one's time comes; infinite if nobody waits for a time."""
        return max(0.0, self._timers[0][0] - now) if self._timers else math.inf

    def next_question(self) -> Call | None:
        """Ask after a row that holds its keys, or put back what it borrowed."""
        if not self._asks:
            return None
        course = self._asks.popleft()
        return Call(_QUESTIONS[course.phase], (course,))

    def next_batch(self) -> Call | None:
        """Prepare a batch once more that met trouble."""
        return self._batches.popleft() if self._batches else None

    def next_course(self) -> Course | None:
        """The next row whose keys are free, with its keys taken."""
        return self._scheduler.take()

    def attach_full(self, now: float) -> Call | None:
        """Attach a batch that is full, or has waited long enough for more."""
        for group, (since, courses) in list(self._attaching.items()):
            if len(courses) >= ATTACH_BATCH or now - since >= ATTACH_WAIT:
                call = self._attach(group)
                if call is not None:
                    return call
        return None

    def attach_any(self) -> Call | None:
        """There is nothing else to do: attach what there is."""
        if self._scheduler.waiting_for("name"):
            self.idle_for_names += 1
        return next(filter(None, map(self._attach, list(self._attaching))), None)

    def give_up_attaching(self, unless: Callable[[Course], bool]) -> None:
        """Let those that wait for company in a batch go, but for some."""
        for group, (since, courses) in list(self._attaching.items()):
            self._keep(group, since, deque(filter(unless, courses)))
        self.attaching = sum(len(courses) for _, courses in self._attaching.values())

    def _attach(self, group: str) -> Call | None:
        """As many rows of a group as one PATCH takes; those of one entity are one line of it."""
        since, courses = self._attaching[group]
        lines: dict[tuple[str, ...], list[Course]] = {}
        rest: list[Course] = []
        while courses and len(lines) < ATTACH_BATCH:
            course = courses.popleft()
            more = course.attach_keys in lines
            if self._scheduler.acquire(() if more else course.attach_keys, course.shared):
                lines.setdefault(course.attach_keys, []).append(course)
            else:
                rest.append(course)
        courses.extendleft(reversed(rest))
        self._keep(group, since, courses)
        batch = [course for line in lines.values() for course in line]
        self.attaching -= len(batch)
        return Call(Errand.ATTACH, batch) if batch else None

    def _keep(self, group: str, since: float, courses: deque[Course]) -> None:
        if courses:
            self._attaching[group] = (since, courses)
        else:
            self._attaching.pop(group, None)

    def common_name(self) -> tuple[str, int]:
        """The file name that most rows wait for, and how many; empty if they wait for something else."""
        key, waiting = self._scheduler.longest_queue()
        return (key.removeprefix("name:"), waiting) if key.startswith("name:") else ("", 0)

    def drain(self) -> Iterator[Course]:
        """Empty it: every row that still waits."""
        yield from self._scheduler.drain()
        yield from (waiting for _, _, waiting in self._timers if isinstance(waiting, Course))
        yield from self._asks
        for _, courses in self._attaching.values():
            yield from courses
        self._timers.clear()
        self._asks.clear()
        self._attaching.clear()
        self.attaching = 0
