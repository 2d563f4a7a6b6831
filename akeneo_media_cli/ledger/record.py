"""One run as the ledger holds it: its rows, its report items, its counts."""

# ruff: noqa: S608 - texts of statements are put together from constants only; values are bound

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from ..rows import Status, Target
from . import created
from .codec import COLUMNS, DROPPED, from_record, span, to_item
from .model import PlannedRow
from .planning import contradictions
from .store import Store

FAILURES = (Status.FAILED, Status.INVALID, Status.DIFFERS, Status.MISSING)
_ALWAYS = (
    Status.UPLOADED,
    Status.UNCHANGED,
    Status.PLANNED,
    Status.INVALID,
    Status.FAILED,
    Status.PENDING,
)
_SELECT = f"SELECT {COLUMNS} FROM row"


def empty_summary() -> dict[str, int]:
    """What `RunRecord.summary` is for a run without rows."""
    return {"total": 0, **{status.value: 0 for status in _ALWAYS}}


class _Total(NamedTuple):
    rows: int
    sized: int
    """Of how many the size of the file is known."""
    size: int


_NOTHING = _Total(0, 0, 0)


class RunRecord:
    """A run to read from, finished or not; safe to use from many threads while others write."""

    def __init__(self, store: Store, n: int, id_: str) -> None:
        self._store = store
        self._n = n
        self._first, self._last = span(n)
        self._counted: tuple[int, dict[str | None, _Total]] = (-1, {})
        self.id = id_
        """As reports and `runs list` name it, such as `20261123T101500Z-3f2a`."""

    def row(self, seq: int) -> PlannedRow:
        """One row. Raises `LookupError` if the run has no such row."""
        for record in self._store.read(f"{_SELECT} WHERE id = ?", (self._first + seq,)):
            return from_record(record)
        raise LookupError(f"run {self.id} has no row {seq}")

    def rows(
        self, statuses: Collection[Status] | None = None, *, failures_first: bool = False
    ) -> Iterator[PlannedRow]:
        """The rows with one of `statuses` (None: all) in manifest order, a page in memory at a time.

        An open row counts as pending. `failures_first`: rows with something wrong come before all others.
        """
        wanted = set(Status if statuses is None else statuses)
        groups = [wanted & set(FAILURES), wanted - set(FAILURES)] if failures_first else [wanted]
        for group in filter(None, groups):
            names = ", ".join(f"'{status.value}'" for status in sorted(group))
            chosen = f"COALESCE(status, 'pending') IN ({names})"
            sql = f"{_SELECT} WHERE {chosen} AND id <= ? AND id > ? ORDER BY id LIMIT ?"
            yield from map(from_record, self._store.pages(sql, (self._last,), after=self._first))

    def items(
        self, statuses: Collection[Status] | None = None, *, failures_first: bool = False
    ) -> Iterator[dict[str, Any]]:
        """`rows` as `report.items` has them (docs/reports.md, "JSON")."""
        return map(to_item, self.rows(statuses, failures_first=failures_first))

    def troubled_items(self) -> Iterator[dict[str, Any]]:
        """The items of rows that did not succeed, including pending ones."""
        return self.items((*FAILURES, Status.PENDING))

    def open_items(self) -> Iterator[dict[str, Any]]:
        """The items of rows without a result, all pending, one page in memory at a time."""
        sql = f"{_SELECT} WHERE status IS NULL AND id <= ? AND id > ? ORDER BY id LIMIT ?"
        pages = self._store.pages(sql, (self._last,), after=self._first)
        return map(to_item, map(from_record, pages))

    def item(self, seq: int) -> dict[str, Any]:
        """One row as a report item. Raises as `row`."""
        return to_item(self.row(seq))

    def some(self, seqs: Sequence[int]) -> list[PlannedRow]:
        """These rows, in this order."""
        sql = f"{_SELECT} WHERE id IN ({', '.join('?' * len(seqs))})"
        found = {
            row.seq: row for row in map(from_record, self._store.read(sql, [self._first + n for n in seqs]))
        }
        return [found[seq] for seq in seqs]

    def contradictions(self) -> dict[int, list[int]]:
        """Seqs of rows that give a value of an asset or record in other words than an earlier row, which is
        the first to give it: their seqs with those of the earlier ones."""
        return contradictions(self._store, self._first, self._last)

    def open_rows(
        self, after_seq: int, limit: int, *, by_uuid: bool | None = None, expected: bool = True
    ) -> list[PlannedRow]:
        """The next rows still to be decided or sent, in manifest order.

        `by_uuid`: only those that name a product by its UUID, or only the others; None: all. `expected` off:
        without those that are expected to be unchanged.
        """
        kind = {None: "", True: "AND type = 'product_uuid'", False: "AND type IS NOT 'product_uuid'"}[by_uuid]
        kind += "" if expected else " AND media_code IS NULL"
        sql = f"{_SELECT} WHERE status IS NULL {kind} AND id > ? AND id <= ? ORDER BY id LIMIT ?"
        return [from_record(r) for r in self._store.read(sql, (self._first + after_seq, self._last, limit))]

    def open_totals(self) -> tuple[int, int]:
        """How many rows are open, and the bytes of their files; 0 if not known for all."""
        found = self._totals().get(None, _NOTHING)
        return found.rows, found.size if found.rows == found.sized else 0

    def expected_totals(self) -> tuple[int, int]:
        """How many open rows are expected to be unchanged (`PlannedRow.media_code`), and their bytes."""
        sql = """SELECT COUNT(*), SUM(size) FROM row
            WHERE status IS NULL AND media_code IS NOT NULL AND id BETWEEN ? AND ?"""
        ((count, size),) = self._store.read(sql, (self._first, self._last))
        return count, size or 0

    def totals(self, statuses: Collection[Status]) -> tuple[dict[str, int], int]:
        """How many rows have each of `statuses` (only those that occur), and the bytes of their files."""
        counts: Counter[str] = Counter()
        size = 0
        for status, total in self._totals().items():
            name = status or Status.PENDING.value
            if name in statuses:
                counts[name] += total.rows
                size += total.size
        return counts, size

    def may_have_created(self, targets: Iterable[Target]) -> list[Target]:
        """Those of the assets and records that a run of this machine may have created, ever."""
        return created.among(self._store, targets)

    def silent_swaps(self) -> int:
        """How often this PIM was seen to swap bytes of files of one name although it answered 201 to all."""
        found = self._store.read("SELECT content FROM meta WHERE name = 'silent_swaps'")
        return int(found[0][0]) if found else 0

    def summary(self) -> dict[str, int]:
        """`total` and the rows by status, as the report's `summary` begins; open rows are pending.

        The statuses of `upload` are always present, those of `verify` only if a row has them.
        """
        found: Counter[str] = Counter()
        for status, total in self._totals().items():
            if status != DROPPED:
                found[status or Status.PENDING.value] += total.rows
        return {"total": found.total(), **{status.value: 0 for status in _ALWAYS}, **found}

    def _totals(self) -> dict[str | None, _Total]:
        """By status, None for open rows."""
        # Counting reads every row, and this is called several times while nothing changes. Who only reads
        # the file does not see the writes of others.
        writes = self._store.writes
        if not writes or self._counted[0] != writes:
            sql = """SELECT status, COUNT(*), COUNT(size), COALESCE(SUM(size), 0) FROM row
                WHERE id BETWEEN ? AND ? GROUP BY 1"""
            found = self._store.read(sql, (self._first, self._last))
            self._counted = (writes, {status: _Total(*counts) for status, *counts in found})
        return self._counted[1]

    def dropped(self) -> Iterator[PlannedRow]:
        """The rows that only repeated an earlier one; the note of each names that one."""
        sql = f"{_SELECT} WHERE status = '{DROPPED}' AND id <= ? AND id > ? ORDER BY id LIMIT ?"
        return map(from_record, self._store.pages(sql, (self._last,), after=self._first))
