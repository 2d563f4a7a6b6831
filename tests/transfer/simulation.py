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
    Resumed,
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


@dataclass(eq=False)
class Save:
    """An upload that the PIM is at work on: its code, and whether it is refused as another has that code."""

    code: str
    name: str
    loses: bool = False


@dataclass
class Pim:
    """What outlives a run: what the PIM holds."""

    entities: dict[str, dict[str, str]] = field(default_factory=dict)
    media: dict[str, str] = field(default_factory=dict)


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
    swaps: float = 0.0
    """The chance that two uploads of one name that are at work together get one media code."""
    unique: bool = True
    """Is the second of those refused with a 500? Else both are answered 201."""
    downloads: bool = True
    """The user may download media files."""
    pim: Pim = field(default_factory=Pim)
    resumed: dict[int, str | None] = field(default_factory=dict)
    """Rows that an earlier run was at work on, with the code that it was answered, if it sets no value."""
    done: frozenset[int] = frozenset()
    """Rows that an earlier run has finished."""

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.now = 0.0
        self.events: list[tuple[float, int, Callable[[], None]]] = []
        self.ticket = 0
        self.entities, self.media = self.pim.entities, self.pim.media
        self.saving: list[Save] = []
        self.codes: dict[str, list[Save]] = {}
        self.names: Counter[str] = Counter()
        self.alone: Counter[str] = Counter()
        self.swapped = 0
        self.verified = 0
        self.answered: dict[int, str] = {}
        self.killed = False
        self.busy: Counter[str] = Counter()
        self.violations: list[str] = []
        self.saves: Counter[int] = Counter()
        self.sends: Counter[int] = Counter()
        self.patches = 0
        self.most_waiting = 0
        self.answered_clean: set[int] = set()
        self.refusals = 0
        self.requests = 0
        self.retries = 0
        self.in_flight = 0
        self.most_in_flight = 0
        self.ended: dict[int, Ended] = {}
        self.unfed = [self.task(seq, row) for seq, row in enumerate(self.rows) if seq not in self.done]
        self.coordinator = Coordinator(self.policy, self.feed, self.random.random, self.known)

    def task(self, seq: int, row: SimRow) -> UploadTask:
        first = {"attach": (), "borrow": ("entity:carrier",)}.get(row.way, (f"entity:{row.entity}",))
        return UploadTask(
            row,
            seq,
            1000,
            first,
            None if row.way == "attach" else self.tree(row),
            name=f"name:{row.name}",
            attach_keys=(f"entity:{row.entity}",),
            group="g",
            content=row.content,
            attaches=row.way in ("attach", "borrow"),
            borrows=row.way == "borrow",
            carried=row.way == "carry",
            state=self.state(seq, row),
        )

    def state(self, seq: int, row: SimRow) -> Sending | Attaching | Resumed:
        if row.code:
            return Attaching(Known(row.code, None, doubtful=True))
        if seq not in self.resumed:
            return Sending()
        code = self.resumed[seq]
        if row.way in ("attach", "borrow"):
            return Resumed(Known(code, None, doubtful=True)) if code else Sending()
        return Resumed()

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
            if self.killed:
                self.die()
                return
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

    def die(self) -> None:
        """SIGKILL: nobody hears any answer; the PIM goes on with what it has."""
        while self.events:
            self.now, _, action = heapq.heappop(self.events)
            action()

    def kill(self) -> None:
        self.killed = True

    def next_run(self, seed: int) -> Simulation:
        """The run after this one, by what the ledger says: it waits until what was left at work is over."""
        left = {s for s in self.sends if s not in self.ended or self.ended[s].uncertain}
        done = {s for s, e in self.ended.items() if e.status is Status.UPLOADED}
        resumed = {seq: self.answered.get(seq) for seq in left}
        again = Simulation(self.rows, seed, self.policy, swaps=self.swaps, unique=self.unique, pim=self.pim)
        again.__dict__.update(resumed=resumed, done=frozenset(done), faults=self.faults)
        again.__post_init__()
        return again

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
            if self.killed:
                return
            self.in_flight -= 1
            if isinstance(outcome, Stored):
                self.answered[request.task.seq] = outcome.code
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
        upload: Save | None = None,
    ) -> None:
        """Read the entity now, write it whole later; not an upload that turns out to have another's code."""
        seen = dict(self.entities.get(entity, {}))
        self.take(task, keys)

        def save() -> None:
            self.busy.subtract(keys)
            if upload is not None:
                self.saving.remove(upload)
                self.leave(task)
            if entity and not (upload and upload.loses):
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
        row = self.rows[task.seq]
        entity, attribute = {"borrow": ("carrier", "value"), "attach": ("", "")}.get(
            row.way, (row.entity, row.attribute)
        )
        delay = seconds if lost is None else max(0.0, seconds - 0.001) + waited + lost
        upload = self.store(task, delay)
        code, values = upload.code, {attribute: upload.code}
        if lost is None:
            if not (task.attaches or self.swaps):
                self.answered_clean.add(task.seq)
            stored = Stored(code, "", 1000, seconds)
            crash = Troubled(failure(500, Kind.SERVER_ERROR), maybe_done=True)

            def then() -> None:
                self.answer(request, 0.0, crash if upload.loses else stored)

            return self.write(task, delay, task.keys, then, entity, values, upload)
        status = {"500 after": 500, "slow": 504}.get(fate)
        trouble = Troubled(failure(status, Kind.SERVER_ERROR), maybe_done=True, waited=waited)
        self.answer(request, seconds + waited, trouble)
        return self.write(task, delay, task.keys, lambda: None, entity, values, upload)

    def store(self, task: UploadTask, seconds: float) -> Save:
        """An upload's bytes get to the disk at some time of its save, under a code that may be another's."""
        name = self.rows[task.seq].name
        # A code is made of the moment: all that have it began before that moment and ended after it.
        over = {code for code, group in self.codes.items() if not all(s in self.saving for s in group)}
        beside = [save for save in self.saving if save.name == name and save.code not in over]
        upload = Save(f"{name}-{task.seq}-{self.sends[task.seq]}-{self.seed}", name)
        if beside and self.random.random() < self.swaps:
            twin = self.random.choice(beside)
            upload.code = twin.code
            self.swapped += 1
            if self.unique:
                # Only one of them gets into the database.
                winner = next(save for save in self.codes[twin.code] if not save.loses)
                self.random.choice((upload, winner)).loses = True
        self.codes.setdefault(upload.code, []).append(upload)
        code, data = upload.code, self.bytes_of(task.seq)
        self.at(self.random.uniform(0.0, seconds), lambda: self.media.update({code: data}))
        self.saving.append(upload)
        if self.alone[name] or (self.names[name] and task.name_alone):
            self.violations.append(f"{name} is not alone at {self.now}: row {task.seq}")
        self.names[name] += 1
        self.alone[name] += task.name_alone
        return upload

    def leave(self, task: UploadTask) -> None:
        name = self.rows[task.seq].name
        self.names[name] -= 1
        self.alone[name] = 0

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
            self.verified += 1
            code = code_of(task)
        # Every file has one size here, so a file of the name is taken for the row's.
        alike = (code or "").startswith(f"{row.name}-")
        if not (task.suspect or isinstance(task.state, Verifying)):
            # Name and size are all that a look compares.
            return self.answer(request, seconds, Looked(alike, code))
        ours = self.media.get(code or "") == self.bytes_of(task.seq) if self.downloads else None
        # The bytes are those of the moment when they are read, not of when the answer comes.
        return self.answer(request, seconds, Looked(ours if alike else False, code, alike=alike))

    # What must hold afterwards.

    def check(self, *, carrier: bool = True) -> None:
        """Nothing lost, nothing believed that is not so, nothing done twice after a clean answer."""
        assert not self.violations, self.violations[:3]
        if carrier:
            assert self.entities.get("carrier", {}).get("value", "own") == "own", (
                "the carrier was left changed"
            )
        for seq, row in enumerate(self.rows):
            code = self.entities.get(row.entity, {}).get(row.attribute)
            held = self.media.get(code or "")
            ended = self.ended.get(seq)
            if ended is not None and ended.status is not Status.UPLOADED and held is not None:
                # The next run may take the value for the row's by its name and size.
                assert ended.uncertain or held == self.bytes_of(seq), f"row {seq} will pass for unchanged"
            if ended is not None and ended.status is Status.UPLOADED:
                assert held == self.bytes_of(seq), f"row {seq} is called uploaded, but the PIM holds {code}"
            if seq in self.answered_clean:
                assert self.saves[seq] == self.sends[seq] or self.sends[seq] > 1
                assert held == self.bytes_of(seq), f"the value of row {seq} was lost"

    def count(self, status: Status) -> int:
        return sum(e.status is status for e in self.ended.values())
