"""Rows that earlier runs left in flight, and what those runs' last requests may still be writing.

The run need not wait for them: only rows of the same products and file names do. Once they are over, one
request reads up to a hundred of the values, and what it finds is final.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from ..ledger import AtWork, Interrupted, PlannedRow, Run
from ..rows import Target, TargetType, php_basename
from ..targets import ADAPTERS
from ..targets.resolved import ResolvedTarget

WAITING = "an earlier run was cut off: its last requests may still be at work"


class Hold(NamedTuple):
    """Keys that no row may have before a time, in seconds of the run's clock."""

    until: float
    keys: tuple[str, ...]


class LeftInFlight:
    """What earlier runs left in flight. Thread-safe."""

    def __init__(
        self,
        run: Run,
        at_work: Iterable[AtWork] = (),
        *,
        clock: Callable[[], float],
        wait: Callable[[float], None],
    ) -> None:
        """`clock` gives monotonic seconds, `wait` takes seconds to wait and shows why."""
        self.rows: Mapping[int, Interrupted] = {each.planned.seq: each for each in run.interrupted()}
        """By the rows' numbers in this run."""
        self._run = run
        self._clock = clock
        self._wait = wait
        now = clock()
        self._until: dict[int, float] = {}
        by_time: dict[float, list[AtWork]] = {}
        for each in at_work:
            self._until[each.n] = now + each.seconds
            by_time.setdefault(now + each.seconds, []).append(each)
        self.holds = _holds(by_time)
        self._over_at = max(self._until.values(), default=now)
        self._told = False
        self._lock = threading.Lock()

    def by_time(self) -> list[int]:
        """The rows in the order in which they can be settled, without those that name a product by UUID."""
        rows = [seq for seq, each in self.rows.items() if not _by_uuid(each.planned)]
        return sorted(rows, key=self.until)

    def until(self, seq: int) -> float:
        """When that is over which left this row in flight."""
        return self._until.get(self.rows[seq].n, -math.inf)

    def due(self, seq: int) -> bool:
        """Is what the run that left this row in flight was doing over?"""
        return self.until(seq) <= self._clock()

    def settle(self, batch: Iterable[PlannedRow] = ()) -> None:
        """Wait until it is over for rows of a batch; note it in the ledger once it is over for all."""
        left = [self.until(planned.seq) for planned in batch if planned.seq in self.rows]
        seconds = max(left, default=-math.inf) - self._clock()
        if seconds > 0:
            self._wait(seconds)
        self._tell()

    def all_over(self) -> None:
        """Wait until all of it is over."""
        if not self._told:
            seconds = self._over_at - self._clock()
            if seconds > 0:
                self._wait(seconds)
            self._tell()

    def _tell(self) -> None:
        with self._lock:
            tell = not self._told and self._clock() >= self._over_at
            self._told = self._told or tell
        if tell:
            self._run.settled()


def can_be_held(value: AtWork) -> bool:
    """Does the mark tell which keys rows of the same product have?

    Not by UUID: rows of the same product may name it by its identifier.
    """
    return value.type != TargetType.PRODUCT_UUID.value


def _by_uuid(planned: PlannedRow) -> bool:
    target = planned.row.target
    return target is not None and target.type is TargetType.PRODUCT_UUID


def _holds(by_time: Mapping[float, list[AtWork]]) -> list[Hold]:
    holds: list[Hold] = []
    held: set[str] = set()
    for until, values in sorted(by_time.items(), reverse=True):
        # A key is held once, for the longest time.
        keys = {key for value in values for key in _keys(value)} - held
        held |= keys
        holds.append(Hold(until, tuple(sorted(keys))))
    return holds


def _keys(value: AtWork) -> tuple[str, str]:
    target = Target(TargetType(value.type), value.code, value.parent or "")
    place = ADAPTERS[target.type]
    return place.key(ResolvedTarget(target, "", None, None)), f"name:{php_basename(value.name)}"
