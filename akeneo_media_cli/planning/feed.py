"""Rows from the ledger, in manifest order, in batches for one look-up."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection
from functools import partial
from typing import NamedTuple

from ..ledger import PlannedRow, Run
from ..rows import folded
from ..transfer.task import Later
from .carriers import Carriers
from .left import LeftInFlight

Pages = Callable[[int, int], list[PlannedRow]]
"""The next rows after a seq, so many at most: `Run.open_rows`."""

PAGE = 500
ENTITIES = 100
"""So many products or models one search takes (docs/pim-behaviour.md, "Cost of a call and limits")."""
ROWS = 300
EXPECTED_ROWS = 2000
"""So many rows one search is enough for, if they are of few enough entities and nothing else is asked."""


class Aside(NamedTuple):
    """A read that belongs to no row, made beside look-ups so that nothing waits for it; it raises nothing."""

    ask: Callable[[], None]


class Feed:
    """Gives batches of rows with at most a hundred different entities; None at the end.

    Holds a page of rows in memory, whatever the size of the run. Not for two threads at once.
    """

    def __init__(self, pages: Pages, rows: int = ROWS, without: Collection[int] = ()) -> None:
        """`rows`: no batch has more of them; `without` are the seqs of rows that are left out."""
        self._pages = pages
        self._rows = rows
        self._without = without
        self._page: deque[PlannedRow] = deque()
        self._after = 0

    def __call__(self) -> list[PlannedRow] | None:
        batch: list[PlannedRow] = []
        entities: set[tuple[str, str, str]] = set()
        while len(batch) < self._rows and (self._page or self._turn()):
            target = self._page[0].row.target
            if target is not None:
                entities.add((target.type, target.parent, folded(target.code)))
                if len(entities) > ENTITIES:
                    break
            batch.append(self._page.popleft())
        return batch or None

    def _turn(self) -> bool:
        while not self._page and (rows := self._pages(self._after, PAGE)):
            self._after = rows[-1].seq
            self._page.extend(row for row in rows if row.seq not in self._without)
        return bool(self._page)


def expected_rows(run: Run) -> Pages:
    """The rows that are expected to be unchanged, those of one entity together, whatever `after` is."""
    seqs = run.expected()
    taken = 0

    def pages(_: int, limit: int) -> list[PlannedRow]:
        nonlocal taken
        found = run.some(seqs[taken : taken + limit])
        taken += limit
        return found

    return pages


class Passes:
    """A run's open rows, those by UUID after all others: their files may be sent by the others.

    Rows that are expected to be unchanged come after those that have to be sent anyway.

    Between two passes comes an empty batch: the next may only begin when the one before is looked up.
    Rows of which even that does not tell who sends their file come once more at the end.

    Rows that an earlier run left in flight come as soon as its requests are over, by UUID with those by UUID.
    """

    def __init__(self, run: Run, carriers: Carriers, left: LeftInFlight | None = None) -> None:
        self._run = run
        self._carriers = carriers
        self._left = left
        self._waiting = deque(left.by_time() if left is not None else ())
        self._feeds = deque(
            [
                Feed(partial(run.open_rows, by_uuid=False, expected=False), without=set(self._waiting)),
                Feed(expected_rows(run), EXPECTED_ROWS),
                Feed(partial(run.open_rows, by_uuid=True, expected=False)),
            ]
        )

    def __call__(self) -> list[PlannedRow] | Later | None:
        if left := self._left_in_flight():
            return left
        if self._feeds:
            batch = self._feeds[0]()
            if batch is None and len(self._feeds) == 2 and self._waiting and self._left is not None:
                # None of them may be missing when those by UUID are looked up.
                return Later(self._left.until(self._waiting[0]))
            if batch is None:
                self._feeds.popleft()
            return batch or []
        self._carriers.no_more()
        waiting = self._carriers.deferred
        batch = [self._run.row(seq) for seq in list(waiting)[:ENTITIES]]
        for planned in batch:
            del waiting[planned.seq]
        return batch or None

    def _left_in_flight(self) -> list[PlannedRow]:
        left, waiting = self._left, self._waiting
        batch: list[PlannedRow] = []
        while left is not None and waiting and len(batch) < ENTITIES and left.due(waiting[0]):
            batch.append(left.rows[waiting.popleft()].planned)
        return batch
