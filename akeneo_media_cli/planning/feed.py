"""Rows out of the ledger, in manifest order, a batch for one look at the PIM at a time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import partial

from ..ledger import PlannedRow, Run
from ..rows import folded
from .carriers import Carriers

Pages = Callable[[int, int], list[PlannedRow]]
"""The next rows after a seq, so many at most: `Run.open_rows`."""

PAGE = 500
ENTITIES = 100
"""So many products or models one search takes (docs/pim-behaviour.md, "Cost of a call and limits")."""
ROWS = 300
EXPECTED_ROWS = 2000
"""So many rows one search is enough for, if they are of few enough entities and nothing else is asked."""


class Feed:
    """Gives batches of rows with at most a hundred different entities; None at the end.

    Holds a page of rows in memory, whatever the size of the run. Not for two threads at once.
    """

    def __init__(self, pages: Pages, rows: int = ROWS) -> None:
        """`rows`: no batch has more of them."""
        self._pages = pages
        self._rows = rows
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
        rows = self._pages(self._after, PAGE)
        if rows:
            self._after = rows[-1].seq
            self._page.extend(rows)
        return bool(rows)


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
    """

    def __init__(self, run: Run, carriers: Carriers) -> None:
        self._run = run
        self._carriers = carriers
        self._feeds = deque(
            [
                Feed(partial(run.open_rows, by_uuid=False, expected=False)),
                Feed(expected_rows(run), EXPECTED_ROWS),
                Feed(partial(run.open_rows, by_uuid=True, expected=False)),
            ]
        )

    def __call__(self) -> list[PlannedRow] | None:
        if self._feeds:
            batch = self._feeds[0]()
            if batch is None:
                self._feeds.popleft()
            return batch or []
        self._carriers.no_more()
        waiting = self._carriers.deferred
        batch = [self._run.row(seq) for seq in list(waiting)[:ENTITIES]]
        for planned in batch:
            del waiting[planned.seq]
        return batch or None
