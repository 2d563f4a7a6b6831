"""What the sandbox counts, for people and for tests (`/_sandbox/stats`)."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

KEPT_LOSSES = 100
"""How many lost values `/_sandbox/stats` names."""
KEPT_CALLS = 5000
"""How many calls `/_sandbox/log` lists."""


@dataclass
class Call:
    """One API call: when it began and ended (seconds on the sandbox's clock), and its outcome."""

    number: int
    method: str
    endpoint: str
    path: str
    started: float
    ended: float | None = None
    status: str = ""
    fault: str | None = None
    entity: str | None = None
    file: str | None = None
    code: str | None = None
    """The media code under which an upload stored its file."""
    drafts: bool = False
    """The caller's changes of products become drafts."""
    held: list[tuple[Gauge, str]] = field(default_factory=list, repr=False)

    def as_dict(self) -> dict[str, Any]:
        """For `/_sandbox/log`."""
        names = (
            "number",
            "method",
            "endpoint",
            "path",
            "started",
            "ended",
            "status",
            "fault",
            "entity",
            "file",
        )
        return {name: getattr(self, name) for name in names}


@dataclass(eq=False)
class Gauge:
    """How many calls hold a key now, and the highest number so far."""

    now: Counter[str] = field(default_factory=Counter)
    most: int = 0
    most_key: str | None = None

    def enter(self, key: str) -> None:
        """One more holds `key`."""
        self.now[key] += 1
        if self.now[key] > self.most:
            self.most, self.most_key = self.now[key], key

    def leave(self, key: str) -> None:
        """One less holds `key`."""
        self.now[key] -= 1
        if not self.now[key]:
            del self.now[key]


class Stats:
    """Counters over the sandbox's life. Ghosts, whose client is gone, still hold their entity
    (docs/pim-behaviour.md, "When the answer is lost")."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self.flying = Gauge()
        self.entities = Gauge()
        self.names = Gauge()
        self.live: dict[int, Call] = {}
        """Calls in flight by identity, those whose client is gone included."""
        self.reset()

    def reset(self) -> None:
        """Resets the counters; calls in flight keep what they hold."""
        self.calls: dict[str, Counter[str]] = {}
        self.faults: Counter[str] = Counter()
        self.total = 0
        self.token_requests = 0
        self.ghosts = 0
        self.defects = 0
        self.duplicates = 0
        self.bytes_received = 0
        self.lost_values = 0
        self.overwritten = 0
        self.drifted = 0
        self.lost: deque[dict[str, Any]] = deque(maxlen=KEPT_LOSSES)
        self.log: deque[Call] = deque(maxlen=KEPT_CALLS)
        for gauge in (self.flying, self.entities, self.names):
            gauge.most, gauge.most_key = max(gauge.now.values(), default=0), None

    def begin(self, method: str, path: str) -> Call:
        """A call begins."""
        self.total += 1
        call = Call(self.total, method, "", path, self.clock())
        self.live[id(call)] = call
        self.hold(call, self.flying, "all")
        self.log.append(call)
        return call

    def lose(self, what: dict[str, Any]) -> None:
        """A save overwrote a value that it did not address."""
        self.lost_values += 1
        self.lost.append(what)

    def twin(self, call: Call) -> str | None:
        """The code of another upload in flight with the same file name, which is stored already."""
        same = (c.code for c in self.live.values() if c is not call and c.file == call.file and c.code)
        return next(same, None)

    def strike(self, call: Call, kind: str) -> None:
        """The call met a fault."""
        call.fault = call.fault or kind
        self.faults[kind] += 1

    def hold(self, call: Call, gauge: Gauge, key: str) -> None:
        """The call holds `key` until it ends; a second time counts once."""
        if (gauge, key) not in call.held:
            call.held.append((gauge, key))
            gauge.enter(key)

    def release(self, call: Call, gauge: Gauge) -> None:
        """The call releases what it held in one gauge."""
        for held in [held for held in call.held if held[0] is gauge]:
            call.held.remove(held)
            gauge.leave(held[1])

    def end(self, call: Call, status: str) -> None:
        """The call ends: `status` is the number of its answer, or how it was cut off."""
        call.ended, call.status = self.clock(), status
        key = f"{call.method} {call.endpoint}"
        self.calls.setdefault(key, Counter())[status] += 1
        self.live.pop(id(call), None)
        for gauge, held in call.held:
            gauge.leave(held)
        call.held.clear()
