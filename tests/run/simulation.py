"""A PIM in virtual time, to drive the coordinator through a million interleavings without a sleep.

It saves whole products as the real one does: what it read when a call began, plus one value, written when
the call ends (pim-facts A1). It goes on when the client has gone (A9).
"""

from __future__ import annotations

import heapq
import math
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from akeneo_media_cli.errors import Failure, Kind
from akeneo_media_cli.rows import Status
from akeneo_media_cli.run.coordinator import Coordinator, Policy
from akeneo_media_cli.run.course import (
    Attached,
    Call,
    Course,
    Ended,
    Errand,
    Looked,
    Outcome,
    Prepared,
    Refused,
    Stored,
    Troubled,
)


def failure(status: int | None, kind: Kind = Kind.UNAVAILABLE) -> Failure:
    return Failure(kind, f"answered {status}", "", status)


@dataclass
class SimRow:
    """What a simulated row is about."""

    entity: str
    attribute: str
    name: str


@dataclass
class Simulation:
    """`faults(now, random)` names what befalls a call; over `allowed` calls at once are answered 429."""

    rows: list[SimRow]
    seed: int
    policy: Policy = field(default_factory=Policy)
    faults: Callable[[float, random.Random], str] = lambda now, r: "ok"
    allowed: int = 10**9
    batch: int = 100
    tree: Callable[[SimRow], str | None] = lambda row: None
    attach: Callable[[int], bool] = lambda seq: False

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.now = 0.0
        self.events: list[tuple[float, int, Callable[[], None]]] = []
        self.ticket = 0
        self.entities: dict[str, dict[str, int]] = {}
        self.busy: Counter[str] = Counter()
        self.violations: list[str] = []
        self.saves: Counter[int] = Counter()
        self.sends: Counter[int] = Counter()
        self.patches = 0
        self.answered_clean: set[int] = set()
        self.refusals = 0
        self.calls = 0
        self.in_flight = 0
        self.most_in_flight = 0
        self.ended: dict[int, Ended] = {}
        self.unfed = [
            Course(
                row,
                seq,
                1000,
                (f"entity:{row.entity}", f"name:{row.name}"),
                self.tree(row),
                attach_keys=(f"entity:{row.entity}",),
                group="g",
            )
            for seq, row in enumerate(self.rows)
        ]
        self.coordinator = Coordinator(self.policy, self.feed, self.random.random)

    def feed(self) -> list[Course] | None:
        head, self.unfed = self.unfed[: self.batch], self.unfed[self.batch :]
        return head or None

    def at(self, delay: float, action: Callable[[], None]) -> None:
        self.ticket += 1
        heapq.heappush(self.events, (self.now + delay, self.ticket, action))

    def run(self, most_steps: int = 1_000_000) -> None:
        for _ in range(most_steps):
            step = self.coordinator.next(self.now)
            if step is None:
                break
            if isinstance(step, Call):
                self.begin(step)
                continue
            wake = self.now + step
            if self.events and self.events[0][0] <= wake:
                self.now, _, action = heapq.heappop(self.events)
                action()
            else:
                assert wake < math.inf, "it waits for an answer that nobody will give"
                self.now = wake
        else:
            raise AssertionError("it does not end")
        for ended in self.coordinator.leftovers():
            self.end(ended)
        while self.events:
            self.now, _, action = heapq.heappop(self.events)
            action()

    def end(self, ended: Ended) -> None:
        assert ended.course.seq not in self.ended, "two last words for one row"
        self.ended[ended.course.seq] = ended

    def begin(self, call: Call) -> None:
        self.calls += 1
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        assert self.in_flight <= self.policy.concurrency
        seconds = self.random.uniform(0.02, 0.2)
        fate = self.faults(self.now, self.random)
        if self.in_flight > self.allowed or fate == "429":
            self.refusals += 1
            return self.answer(call, 0.01, Troubled(failure(429, Kind.THROTTLED), throttled=True))
        if call.errand is Errand.PREPARE:
            trouble = fate in ("503", "down")
            return self.answer(call, seconds, Troubled(failure(503)) if trouble else Prepared(call.batch))
        if call.errand is Errand.ATTACH:
            return self.attach_all(call, seconds, fate)
        if call.errand is not Errand.SEND:
            return self.look(call, seconds, fate)
        return self.send(call.course, call, seconds, fate)

    def answer(self, call: Call, delay: float, outcome: Outcome) -> None:
        def arrive() -> None:
            self.in_flight -= 1
            for ended in self.coordinator.answered(call, outcome, self.now):
                self.end(ended)

        self.at(delay, arrive)

    def take(self, course: Course, keys: tuple[str, ...]) -> None:
        for key in keys:
            if self.busy[key]:
                self.violations.append(f"{key} in flight twice at {self.now}: row {course.seq}")
            self.busy[key] += 1

    def write(self, course: Course, delay: float, keys: tuple[str, ...], then: Callable[[], None]) -> None:
        """Read the entity now, write it whole later."""
        row: SimRow = course.row
        seen = dict(self.entities.get(row.entity, {}))
        self.take(course, keys)

        def save() -> None:
            self.busy.subtract(keys)
            self.entities[row.entity] = {**seen, row.attribute: course.seq}
            self.saves[course.seq] += 1
            then()

        self.at(delay, save)

    def send(self, course: Course, call: Call, seconds: float, fate: str) -> None:
        self.sends[course.seq] += 1
        assert course.seq not in self.answered_clean, "sent again after a clean answer"
        if fate in ("503", "down"):
            return self.answer(call, seconds, Troubled(failure(503)))
        if fate == "refuse" or fate == f"refuse {course.seq}":
            return self.answer(call, seconds, Refused(failure(422, Kind.REFUSED)))
        if fate == "500 before":
            trouble = Troubled(failure(500, Kind.SERVER_ERROR), maybe_done=True)
            return self.answer(call, seconds, trouble)
        lost = {"lost": 0.0, "ghost": self.random.uniform(0.0, 1.8), "500 after": 0.0}.get(fate)
        keys = course.keys
        if lost is None:
            attach = self.attach(course.seq)
            if not attach:
                self.answered_clean.add(course.seq)
            stored = Stored(f"code-{course.seq}", "", 1000, seconds, attach)
            if attach:
                return self.answer(call, seconds, stored)
            return self.write(course, seconds, keys, lambda: self.answer(call, 0.0, stored))
        status = 500 if fate == "500 after" else None
        self.answer(call, seconds, Troubled(failure(status, Kind.SERVER_ERROR), maybe_done=True))
        return self.write(course, max(0.0, seconds - 0.001) + lost, keys, lambda: None)

    def attach_all(self, call: Call, seconds: float, fate: str) -> None:
        self.patches += 1
        if fate in ("503", "down"):
            return self.answer(call, seconds, Troubled(failure(503), maybe_done=self.random.random() < 0.5))
        lines: list[Failure | Troubled | None] = []
        for n, course in enumerate(call.courses):
            if fate == "short" and n >= len(call.courses) // 2:
                lines.append(Troubled(failure(None), maybe_done=True))
                continue
            lines.append(None)
            self.write(course, seconds - 0.001, course.keys, lambda: None)
        return self.answer(call, seconds, Attached(lines))

    def look(self, call: Call, seconds: float, fate: str) -> None:
        if fate in ("503", "down"):
            return self.answer(call, seconds, Troubled(failure(503)))
        row: SimRow = call.course.row
        held = self.entities.get(row.entity, {}).get(row.attribute)
        return self.answer(call, seconds, Looked(held == call.course.seq, f"code-{held}"))

    # What must hold afterwards.

    def check(self) -> None:
        """Nothing lost, nothing believed that is not so, nothing done twice after a clean answer."""
        assert not self.violations, self.violations[:3]
        for seq, row in enumerate(self.rows):
            held = self.entities.get(row.entity, {}).get(row.attribute)
            ended = self.ended.get(seq)
            if ended is not None and ended.status is Status.UPLOADED:
                assert held == seq, f"row {seq} is called uploaded, but the PIM holds {held}"
            if seq in self.answered_clean:
                assert self.saves[seq] == self.sends[seq] or self.sends[seq] > 1
                assert held == seq, f"the value of row {seq} was lost"

    def count(self, status: Status) -> int:
        return sum(e.status is status for e in self.ended.values())
