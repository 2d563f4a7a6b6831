"""A PIM in virtual time, to drive the coordinator through a million interleavings without a sleep.

It saves whole products as the real one does: what it read when a call began, plus one value, written when
the call ends (docs/pim-behaviour.md, "Lost values" and "When the answer is lost"). It goes on when the client
has gone (docs/pim-behaviour.md, "Lost values" and "When the answer is lost").
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
from akeneo_media_cli.transfer.coordinator import Coordinator, Policy
from akeneo_media_cli.transfer.task import (
    Attached,
    Attaching,
    Ended,
    Known,
    Looked,
    Outcome,
    Prepared,
    Refused,
    Request,
    RequestKind,
    Restored,
    Sending,
    Stored,
    Troubled,
    UploadTask,
    Verifying,
)


def failure(status: int | None, kind: Kind = Kind.UNAVAILABLE) -> Failure:
    return Failure(kind, f"answered {status}", "", status)


def code_of(task: UploadTask) -> str:
    assert task.media is not None
    return task.media.code


@dataclass
class SimRow:
    """What a simulated row is about.

    Rows of one `content` may share its media file. `way`: `send` sets the value by sending, `attach` needs a
    PATCH after it, `carry` cannot send, `borrow` sends through the product `carrier`.
    """

    entity: str
    attribute: str
    name: str
    content: str | None = None
    way: str = "send"
    code: str | None = None
    """What an earlier run is said to have stored for the row."""


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
    known: dict[str, Known] = field(default_factory=dict)
    forbidden: bool = False
    """The user may not PATCH."""
    poison: frozenset[int] = frozenset()
    """Rows whose line makes the PIM refuse a whole PATCH."""
    bad: frozenset[int] = frozenset()
    """Rows whose line alone is refused."""

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
        self.media: dict[str, str] = {}
        self.most_waiting = 0
        self.answered_clean: set[int] = set()
        self.refusals = 0
        self.requests = 0
        self.retries = 0
        self.in_flight = 0
        self.most_in_flight = 0
        self.ended: dict[int, Ended] = {}
        self.unfed = [self.task(seq, row) for seq, row in enumerate(self.rows)]
        self.coordinator = Coordinator(self.policy, self.feed, self.random.random, self.known)

    def task(self, seq: int, row: SimRow) -> UploadTask:
        first = {"attach": (), "borrow": ("entity:carrier",)}.get(row.way, (f"entity:{row.entity}",))
        return UploadTask(
            row,
            seq,
            1000,
            (*first, f"name:{row.name}"),
            None if row.way == "attach" else self.tree(row),
            attach_keys=(f"entity:{row.entity}",),
            group="g",
            content=row.content,
            attaches=row.way in ("attach", "borrow"),
            borrows=row.way == "borrow",
            carried=row.way == "carry",
            state=Attaching(Known(row.code, None, doubtful=True)) if row.code else Sending(),
        )

    def bytes_of(self, seq: int) -> str:
        return self.rows[seq].content or f"bytes-{seq}"

    def feed(self) -> list[UploadTask] | None:
        head, self.unfed = self.unfed[: self.batch], self.unfed[self.batch :]
        return head or None

    def at(self, delay: float, action: Callable[[], None]) -> None:
        self.ticket += 1
        heapq.heappush(self.events, (self.now + delay, self.ticket, action))

    def run(self, most_steps: int = 1_000_000) -> None:
        for _ in range(most_steps):
            step = self.coordinator.next(self.now)
            self.most_waiting = max(self.most_waiting, self.coordinator._sharing.waiting)
            if step is None:
                break
            if isinstance(step, Request):
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
        assert ended.task.seq not in self.ended, "two last words for one row"
        self.ended[ended.task.seq] = ended

    def begin(self, request: Request) -> None:
        self.requests += 1
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        assert self.in_flight <= self.policy.concurrency
        seconds = self.random.uniform(0.02, 0.2)
        fate = self.faults(self.now, self.random)
        if self.in_flight > self.allowed or fate == "429":
            self.refusals += 1
            return self.answer(request, 0.01, Troubled(failure(429, Kind.THROTTLED), throttled=True))
        if request.kind is RequestKind.PREPARE:
            trouble = fate in ("503", "down")
            return self.answer(
                request, seconds, Troubled(failure(503)) if trouble else Prepared(request.batch)
            )
        if request.kind is RequestKind.ATTACH:
            return self.attach_all(request, seconds, fate)
        if request.kind is RequestKind.RESTORE:
            return self.restore(request, seconds, fate)
        if request.kind is not RequestKind.SEND:
            return self.look(request, seconds, fate)
        return self.send(request.task, request, seconds, fate)

    def answer(self, request: Request, delay: float, outcome: Outcome) -> None:
        def arrive() -> None:
            self.in_flight -= 1
            for event in self.coordinator.answered(request, outcome, self.now):
                if isinstance(event, Ended):
                    self.end(event)
                else:
                    self.retries += 1

        self.at(delay, arrive)

    def take(self, task: UploadTask, keys: tuple[str, ...]) -> None:
        for key in keys:
            if self.busy[key]:
                self.violations.append(f"{key} in flight twice at {self.now}: row {task.seq}")
            self.busy[key] += 1

    def write(
        self,
        task: UploadTask,
        delay: float,
        keys: tuple[str, ...],
        then: Callable[[], None],
        entity: str,
        values: dict[str, str],
    ) -> None:
        """Read the entity now, write it whole later."""
        seen = dict(self.entities.get(entity, {}))
        self.take(task, keys)

        def save() -> None:
            self.busy.subtract(keys)
            if entity:
                self.entities[entity] = {**seen, **values}
                self.saves[task.seq] += 1
            then()

        self.at(delay, save)

    def send(self, task: UploadTask, request: Request, seconds: float, fate: str) -> None:
        self.sends[task.seq] += 1
        assert task.seq not in self.answered_clean, "sent again after a clean answer"
        if fate in ("503", "down"):
            return self.answer(request, seconds, Troubled(failure(503)))
        if fate == "source":
            return self.answer(request, seconds, Troubled(failure(None, Kind.SOURCE_TROUBLE), own=True))
        if fate == "refuse" or fate == f"refuse {task.seq}":
            return self.answer(request, seconds, Refused(failure(422, Kind.REFUSED)))
        if fate == "500 before":
            trouble = Troubled(failure(500, Kind.SERVER_ERROR), maybe_done=True)
            return self.answer(request, seconds, trouble)
        lost = {"lost": 0.0, "ghost": self.random.uniform(0.0, 1.8), "500 after": 0.0}.get(fate)
        waited = 0.0
        if fate == "slow":
            # A proxy gave up on a save that takes up to three times as long again.
            waited = self.random.uniform(0.7, 20.0)
            lost = self.random.uniform(0.0, 3.0) * waited
        assert not task.carried, "it cannot be sent"
        row, code = self.rows[task.seq], f"code-{task.seq}-{self.sends[task.seq]}"
        self.media[code] = self.bytes_of(task.seq)
        entity, attribute = {"borrow": ("carrier", "value"), "attach": ("", "")}.get(
            row.way, (row.entity, row.attribute)
        )
        if lost is None:
            if not task.attaches:
                self.answered_clean.add(task.seq)
            stored = Stored(code, "", 1000, seconds)

            def then() -> None:
                self.answer(request, 0.0, stored)

            return self.write(task, seconds, task.keys, then, entity, {attribute: code})
        status = {"500 after": 500, "slow": 504}.get(fate)
        trouble = Troubled(failure(status, Kind.SERVER_ERROR), maybe_done=True, waited=waited)
        self.answer(request, seconds + waited, trouble)
        delay = max(0.0, seconds - 0.001) + waited + lost
        return self.write(task, delay, task.keys, lambda: None, entity, {attribute: code})

    def restore(self, request: Request, seconds: float, fate: str) -> None:
        if fate in ("503", "down"):
            return self.answer(request, seconds, Troubled(failure(503), maybe_done=True))
        keys, values = ("entity:carrier",), {"value": "own"}
        if fate in ("lost", "ghost"):
            late = seconds + self.random.uniform(0.0, 1.8)
            self.answer(request, seconds, Troubled(failure(None), maybe_done=True))
            return self.write(request.task, late, keys, lambda: None, "carrier", values)
        then: Callable[[], None] = lambda: self.answer(request, 0.0, Restored())  # noqa: E731
        return self.write(request.task, seconds, keys, then, "carrier", values)

    def attach_all(self, request: Request, seconds: float, fate: str) -> None:
        self.patches += 1
        lines: dict[str, list[UploadTask]] = {}
        for task in request.tasks:
            lines.setdefault(self.rows[task.seq].entity, []).append(task)
        assert len(lines) <= 100
        if self.forbidden:
            return self.answer(request, seconds, Refused(failure(403, Kind.FORBIDDEN)))
        if fate in ("503", "down"):
            return self.answer(
                request, seconds, Troubled(failure(503), maybe_done=self.random.random() < 0.5)
            )
        refused = any(task.seq in self.poison for task in request.tasks)
        outcomes: dict[int, Failure | Troubled | None] = {}
        for n, (entity, tasks) in enumerate(lines.items()):
            values = {self.rows[c.seq].attribute: code_of(c) for c in tasks}
            if refused and n >= len(lines) // 2:
                break
            outcome: Failure | Troubled | None = None
            if fate in ("short", "lost", "ghost") and n >= len(lines) // 2:
                outcome = Troubled(failure(None), maybe_done=True)
                if fate != "short" and all(code_of(c) in self.media for c in tasks):
                    late = seconds + self.random.uniform(0.0, 1.8)
                    self.write(tasks[0], late, tasks[0].attach_keys, lambda: None, entity, values)
            elif any(c.seq in self.bad or code_of(c) not in self.media for c in tasks):
                outcome = failure(422, Kind.REFUSED)
            else:
                for task in tasks[1:]:
                    self.saves[task.seq] += 1
                keys = tasks[0].attach_keys
                self.write(tasks[0], seconds - 0.001, keys, lambda: None, entity, values)
            outcomes.update({task.seq: outcome for task in tasks})
        if refused:
            return self.answer(request, seconds, Refused(failure(422, Kind.REFUSED)))
        return self.answer(request, seconds, Attached([outcomes[task.seq] for task in request.tasks]))

    def look(self, request: Request, seconds: float, fate: str) -> None:
        if fate in ("503", "down"):
            return self.answer(request, seconds, Troubled(failure(503)))
        task, row = request.task, self.rows[request.task.seq]
        entity, attribute = ("carrier", "value") if row.way == "borrow" else (row.entity, row.attribute)
        code = self.entities.get(entity, {}).get(attribute)
        if isinstance(task.state, Verifying):
            code = code_of(task)
        ours = self.media.get(code or "") == self.bytes_of(task.seq)
        return self.answer(request, seconds, Looked(ours, code))

    # What must hold afterwards.

    def check(self) -> None:
        """Nothing lost, nothing believed that is not so, nothing done twice after a clean answer."""
        assert not self.violations, self.violations[:3]
        assert self.entities.get("carrier", {}).get("value", "own") == "own", "the carrier was left changed"
        for seq, row in enumerate(self.rows):
            code = self.entities.get(row.entity, {}).get(row.attribute)
            held = self.media.get(code or "")
            ended = self.ended.get(seq)
            if ended is not None and ended.status is Status.UPLOADED:
                assert held == self.bytes_of(seq), f"row {seq} is called uploaded, but the PIM holds {code}"
            if seq in self.answered_clean:
                assert self.saves[seq] == self.sends[seq] or self.sends[seq] > 1
                assert held == self.bytes_of(seq), f"the value of row {seq} was lost"

    def count(self, status: Status) -> int:
        return sum(e.status is status for e in self.ended.values())
