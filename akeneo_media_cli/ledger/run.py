"""The current run: every change of a row is in the file when the method returns."""

# ruff: noqa: S608 - texts of statements are put together from constants only; values are bound

from __future__ import annotations

import json
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from ..exits import Exit
from ..rows import Status, Target
from . import created, planning
from .codec import (
    COLUMNS,
    before_columns,
    failure_columns,
    fitted_text,
    from_record,
    notes_text,
)
from .history import prune
from .model import (
    UNKNOWN,
    AtWork,
    BorrowedValue,
    InFlightMark,
    InFlightState,
    Interrupted,
    PlannedBatch,
    PlannedRow,
    Remembered,
    RowResult,
    Settled,
    Touched,
    value_identity,
    value_key,
)
from .record import RunRecord
from .store import Store, execute_many, unbound

_CHUNK = 2000
_THERE = (Status.UPLOADED, Status.UNCHANGED, Status.DOWNLOADED)
"""Statuses that mean: the PIM and this machine have the same file now."""

# Notes are JSON arrays: new ones are appended.
_OUTCOME = """
UPDATE row SET status = ?, media_code = ?, sha256 = COALESCE(?, sha256), attempts = COALESCE(?, attempts),
    duration = COALESCE(?, duration), ended_at = COALESCE(?, ended_at),
    size = COALESCE(?, size), mtime_ns = COALESCE(?, mtime_ns), stamp = COALESCE(?, stamp),
    before_code = COALESCE(?, before_code), before_name = COALESCE(?, before_name),
    before_size = COALESCE(?, before_size), fitted = COALESCE(?, fitted), beside = COALESCE(?, beside),
    notes = COALESCE(substr(notes, 1, length(notes) - 1) || ', ' || substr(?, 2), ?, notes),
    kind = ?, message = ?, hint = ?, http_status = ?
WHERE id = ?"""

_STILL = """UPDATE row SET status = 'unchanged', before_code = media_code, before_name = name,
    before_size = CASE WHEN recipe IS NULL THEN size END WHERE id = ?"""
_CONVERT = "UPDATE row SET name = ?, recipe = ? WHERE id = ?"

_VALUE = "type, parent, code, attribute, locale, scope"
_SAME_VALUE = ", ".join(f"{column} = excluded.{column}" for column in _VALUE.split(", "))
_LANDED = """flight_run = NULL, flight_name = NULL, flight_size = NULL, flight_mtime_ns = NULL,
    flight_before = NULL, flight_before_known = NULL, flight_at = NULL, flight_code = NULL,
    flight_recipe = NULL"""

# The same media code means the same bytes: its known digest stays known.
_REMEMBER = f"""
INSERT INTO value (key, {_VALUE}, media_code, name, size, mtime_ns, stamp, sha256, recipe, fitted, at)
    SELECT value_key, {_VALUE}, media_code, name, size, mtime_ns, stamp, sha256, recipe, fitted, ? FROM row
    WHERE id = ? AND value_key IS NOT NULL
ON CONFLICT (key) DO UPDATE SET {_SAME_VALUE}, name = excluded.name, size = excluded.size,
    mtime_ns = excluded.mtime_ns, stamp = excluded.stamp, at = excluded.at, recipe = excluded.recipe,
    fitted = COALESCE(excluded.fitted, CASE WHEN media_code IS excluded.media_code THEN fitted END),
    sha256 = COALESCE(excluded.sha256, CASE WHEN media_code IS excluded.media_code THEN sha256 END),
    media_code = excluded.media_code, {_LANDED}"""

_TAKE_OFF = f"""
INSERT INTO value (key, {_VALUE}, flight_run, flight_before, flight_before_known, flight_at,
                   flight_code, flight_name, flight_size, flight_mtime_ns, flight_recipe)
    SELECT value_key, {_VALUE}, ?, ?, ?, ?, ?, name, COALESCE(?, size), COALESCE(?, mtime_ns), recipe FROM row
    WHERE id = ? AND value_key IS NOT NULL
ON CONFLICT (key) DO UPDATE SET flight_run = excluded.flight_run, flight_before = excluded.flight_before,
    flight_before_known = excluded.flight_before_known, flight_at = excluded.flight_at,
    flight_name = excluded.flight_name, flight_size = excluded.flight_size,
    flight_mtime_ns = excluded.flight_mtime_ns, flight_code = excluded.flight_code,
    flight_recipe = excluded.flight_recipe"""

# Only this run's own marks: one of an earlier run stays until its outcome has been checked.
_LAND = f"""
UPDATE value SET {_LANDED} WHERE flight_run = ? AND key = (SELECT value_key FROM row WHERE id = ?)"""
_NOT_SAVED = f"UPDATE value SET {_LANDED} WHERE key = (SELECT value_key FROM row WHERE id = ?)"
_FORGET = "DELETE FROM value WHERE key = (SELECT value_key FROM row WHERE id = ?)"
_DISPROVE = """
UPDATE value SET mtime_ns = NULL, stamp = NULL, sha256 = NULL
    WHERE key = (SELECT value_key FROM row WHERE id = ?)"""


_MARK_WRITING = f"""
INSERT INTO value (key, {_VALUE}, flight_run, flight_at, flight_name) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, '')
ON CONFLICT (key) DO UPDATE SET flight_run = excluded.flight_run, flight_at = excluded.flight_at"""
_WRITTEN = "DELETE FROM value WHERE flight_run = ? AND key = ? AND media_code IS NULL"

Value = tuple[Target, str, "str | None", "str | None"]
"""A value by its entity, attribute, locale and channel."""

# What the first try found must be put back; later tries may find the borrowed file.
_LEND = """
INSERT INTO lent (identifier, attribute, locale, scope, before, name, size) VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET name = excluded.name, size = excluded.size"""
_GIVE_BACK = "DELETE FROM lent WHERE identifier = ? AND attribute = ? AND locale = ? AND scope = ?"


def _lent_record(borrowed: BorrowedValue) -> tuple[Any, ...]:
    return (
        borrowed.identifier,
        borrowed.attribute,
        borrowed.locale or "",
        borrowed.scope or "",
        *borrowed[4:],
    )


class Run(RunRecord):
    """Records what happens to the rows of the current run.

    Every method may be called from any thread; when one that changes a row returns, the change outlives the
    process (SIGKILL included). Every method raises `LedgerError` if the file cannot be written.
    """

    def __init__(self, store: Store, n: int, id_: str, clock: Callable[[], float]) -> None:
        super().__init__(store, n, id_)
        self._clock = clock

    # Planning, in this order.

    def add(
        self, rows: Iterable[PlannedRow | PlannedBatch], status: Status | None = None, skip: str = "none"
    ) -> int:
        """Add the rows of the manifests as they are read, those without problem with this status; how many.

        `skip`: do at once with batches what `mark_unchanged` (`ledger`), `expect_unchanged` (`remote`) do.
        A row whose `row.problem` is set goes in as invalid. Memory does not grow with the number of rows.
        """
        return planning.add(self._store, self._n, rows, status, skip)

    def remembers(self) -> bool:
        """Does the ledger know of any value what it was given from here?"""
        return planning.remembers(self._store)

    def unjudged(self, first: int, last: int) -> list[PlannedRow]:
        """Open rows from one seq to another that are not expected to be unchanged."""
        return planning.unjudged(self._store, self._first + first, self._first + last)

    def settle_duplicates(self) -> Settled:
        """Once all rows are in: resolve several rows for one value.

        Rows that name different files all become invalid, each naming another's place; of rows that name the
        same file the first stays and the others are dropped (see `dropped`).
        """
        return planning.settle_duplicates(self._store, self._first, self._last)

    def mark_unchanged(self) -> int:
        """Mark open rows as unchanged whose value last got a file of this name, size and time; how many.

        A value that an interrupted run was writing to is never taken as unchanged.
        """
        return planning.mark_unchanged(self._store, self._first, self._last)

    def expect_unchanged(self) -> int:
        """Give open rows the media code that their value last got from here, if their file is untouched.

        How many; a value that an interrupted run was writing to is never expected to hold anything.
        """
        return planning.expect_unchanged(self._store, self._first, self._last)

    def expected(self) -> array[int]:
        """The seqs of open rows that are expected to be unchanged, those of one entity together."""
        return planning.expected(self._store, self._first, self._last)

    def still_unchanged(self, seqs: Iterable[int]) -> None:
        """Rows that were expected to be unchanged, and are: the PIM holds that code."""
        with self._store.write() as connection:
            execute_many(connection, _STILL, [(self._first + seq,) for seq in seqs])

    def mark_shares(self) -> int:
        """After `mark_unchanged`: find rows that may share one media file (`PlannedRow.share`); how many.

        They are for products or models, and their files have one name and one size.
        """
        return planning.mark_shares(self._store, self._first, self._last)

    def twin(
        self, target: Target, attribute: str, locale: str | None, scope: str | None
    ) -> PlannedRow | None:
        """The run's row for this value, if one names it so and is not invalid."""
        key = value_key(target, attribute, locale, scope)
        identity = value_identity(target.type.value, target.parent, target.code, attribute, locale, scope)
        return planning.twin(self._store, self._first, self._last, key, identity)

    def drop(self, seq: int, note: str) -> None:
        """Leave a row out that only repeats another; see `dropped`."""
        planning.drop(self._store, self._first + seq, note)

    def stored_shares(self) -> Iterator[PlannedRow]:
        """Rows that need not be sent and whose media file others of the run may share."""
        return planning.stored_shares(self._store, self._first, self._last)

    def touched(self) -> Iterator[Touched]:
        """Open rows left by `mark_unchanged` whose file has the remembered name and size: it must be read."""
        return planning.touched(self._store, self._first, self._last)

    def interrupted(self) -> Iterator[Interrupted]:
        """Open rows whose value an earlier run was writing to when it ended.

        Ask the PIM first: if the value became this file, report `uploaded`; else send, which takes over the
        mark.
        """
        return planning.interrupted(self._store, self._n, self._first, self._last)

    def remembered(self, seq: int) -> Remembered | None:
        """What was last put into a row's value from here; None if nothing or unknown."""
        return self.remembered_all((seq,)).get(seq)

    def remembered_all(self, seqs: Iterable[int]) -> dict[int, Remembered]:
        """`remembered` of many rows, by seq; without those of which nothing is."""
        return dict(planning.remembered(self._store, self._first, seqs))

    # Results of rows.

    def converts(self, rows: Iterable[PlannedRow]) -> None:
        """Rows whose files are converted before they are sent, or no longer: their `name` and `recipe`."""
        records = [(planned.name, planned.recipe, self._first + planned.seq) for planned in rows]
        with self._store.write() as connection:
            execute_many(connection, _CONVERT, records)

    def mark_in_flight(self, takeoffs: Iterable[InFlightMark]) -> None:
        """Before the bytes of rows are sent: mark their values, in one transaction."""
        now = self._clock()
        records = []
        for seq, before, size, mtime_ns, code in takeoffs:
            known = before is not UNKNOWN
            held = before if known else None
            records.append((self._n, held, known, now, code, size, mtime_ns, self._first + seq))
        if len(records) == 1:
            self._store.write_one(_TAKE_OFF, records[0])
            return
        with self._store.write() as connection:
            execute_many(connection, _TAKE_OFF, records)

    def creates(self, targets: Iterable[Target]) -> None:
        """Before assets and records that the PIM does not list are written: from now on they may exist."""
        created.add(self._store, targets)

    def not_saved(self, seqs: Iterable[int]) -> None:
        """Rows that `interrupted` gave: the PIM was asked and holds nothing of what was sent for them."""
        with self._store.write() as connection:
            execute_many(connection, _NOT_SAVED, [(self._first + seq,) for seq in seqs])

    def at_work(self) -> list[AtWork]:
        """Values that requests of earlier runs may still be writing, as no answer came; mostly none."""
        return planning.at_work(self._store, self._n, self._clock())

    def waiting_beside(self) -> Iterator[PlannedRow]:
        """Open rows that only have to do something beside their file, a page in memory at a time."""
        sql = f"""SELECT {COLUMNS} FROM row WHERE status IS NULL AND beside IS NOT NULL
            AND id <= ? AND id > ? ORDER BY id LIMIT ?"""
        return map(from_record, self._store.pages(sql, (self._last,), after=self._first))

    def mark_writing(self, values: Iterable[Value]) -> None:
        """Before values are written that are no row's own media value.

        If this run dies, the next one waits until what was begun is over. Marks stay until `written`.
        """
        now = self._clock()
        records = [
            (value_key(*value), target.type.value, target.parent or None, target.code, *rest, self._n, now)
            for value in values
            for target, *rest in [value]
        ]
        with self._store.write() as connection:
            execute_many(connection, _MARK_WRITING, records)

    def written(self, values: Iterable[Value]) -> None:
        """Nothing more can come of what was marked."""
        with self._store.write() as connection:
            execute_many(connection, _WRITTEN, [(self._n, value_key(*value)) for value in values])

    def settled(self) -> None:
        """The requests of earlier runs are over: no later run needs to wait for them."""
        with self._store.write() as connection:
            connection.execute("DELETE FROM meta WHERE name = 'settling'")
            connection.execute("INSERT OR REPLACE INTO meta VALUES ('settled_run', ?)", (str(self._n),))

    def settles_after(self, seconds: float) -> None:
        """For the next run, if this one is cut off: how long its requests may still be at work."""
        with self._store.write() as connection:
            # Requests of an earlier run may need longer than this run's.
            connection.execute(
                """INSERT INTO meta VALUES ('settling', ?) ON CONFLICT DO UPDATE SET
                content = MAX(CAST(content AS REAL), CAST(excluded.content AS REAL))""",
                (str(seconds),),
            )

    def swapped_silently(self, times: int) -> None:
        """Remember for later runs how often that was."""
        with self._store.write() as connection:
            connection.execute("INSERT OR REPLACE INTO meta VALUES ('silent_swaps', ?)", (str(times),))

    def borrow(self, borrowed: BorrowedValue) -> None:
        """Before an upload borrows another product's value: what must be put back there."""
        with self._store.write() as connection:
            execute_many(connection, _LEND, [_lent_record(borrowed)])

    def give_back(self, borrowed: BorrowedValue) -> None:
        """The value holds what it held before."""
        with self._store.write() as connection:
            execute_many(connection, _GIVE_BACK, [_lent_record(borrowed)[:4]])

    def borrowed(self) -> list[BorrowedValue]:
        """Values that were not put back, by this run or one that died."""
        sql = "SELECT identifier, attribute, locale, scope, before, name, size FROM lent"
        found = (unbound(record) for record in self._store.read(sql))
        return [BorrowedValue(i, a, loc or None, sc or None, b, n, s) for i, a, loc, sc, b, n, s in found]

    def record(self, outcomes: Iterable[RowResult]) -> None:
        """The results of rows, in one transaction.

        Raises `LookupError`, and changes nothing, if one of the rows is not in the run.
        """
        outcomes = list(outcomes)
        with self._store.write() as connection:
            if execute_many(connection, _OUTCOME, map(self._parameters, outcomes)) != len(outcomes):
                raise LookupError(f"run {self.id} has no such row")
            for sql, records in self._for_values(outcomes).items():
                execute_many(connection, sql, records)

    def finish(self, exit_status: Exit, summary: Mapping[str, Any]) -> None:
        """The run is over. Deletes rows of runs long past (`history.prune`), never the memory of values."""
        with self._store.write() as connection:
            connection.execute(
                """UPDATE run SET state = 'finished', finished_at = ?, exit_status = ?, summary = ?
                   WHERE n = ?""",
                (self._clock(), int(exit_status), json.dumps(summary, default=str), self._n),
            )
            connection.execute("DROP INDEX IF EXISTS row_by_value")
        prune(self._store, self._clock())

    def _parameters(self, outcome: RowResult) -> tuple[Any, ...]:
        status, notes = outcome.status, notes_text(outcome.notes)
        return (
            None if status is None else status._value_,
            outcome.media_code,
            outcome.sha256,
            outcome.attempts,
            outcome.duration,
            None if outcome.duration is None else self._clock() - outcome.ended_ago,
            outcome.size,
            outcome.mtime_ns,
            outcome.stamp,
            *before_columns(outcome.before),
            fitted_text(outcome.fitted),
            None if outcome.beside is None else outcome.beside.to_json(),
            notes,
            notes,
            *failure_columns(outcome.failure),
            self._first + outcome.seq,
        )

    def _for_values(self, outcomes: Iterable[RowResult]) -> Mapping[str, list[tuple[Any, ...]]]:
        """The statements for what is known of the rows' values, with the records for each."""
        found: dict[str, list[tuple[Any, ...]]] = {}
        now = self._clock()
        for outcome in outcomes:
            id_ = self._first + outcome.seq
            there = outcome.status in _THERE or (outcome.status is None and outcome.beside is not None)
            if outcome.media_code is not None and there:
                found.setdefault(_REMEMBER, []).append((now, id_))
            elif outcome.flight is InFlightState.LOST:
                found.setdefault(_FORGET, []).append((id_,))
            elif outcome.flight is InFlightState.DISPROVED:
                found.setdefault(_DISPROVE, []).append((id_,))
            elif outcome.flight is InFlightState.OVER:
                found.setdefault(_LAND, []).append((self._n, id_))
        return found
