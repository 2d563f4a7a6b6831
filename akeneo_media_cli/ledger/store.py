"""One SQLite file: its connections, its transactions, and what SQLite's errors mean to a user."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any

from ..errors import LedgerError
from .model import same_path, value_identity

_LASTING = (
    "PRAGMA journal_mode = WAL",
    # A commit reaches the operating system, not the disk: it outlives the process, and a power cut costs the
    # last commits but never the file.
    "PRAGMA synchronous = NORMAL",
    "PRAGMA wal_autocheckpoint = 4000",
    "PRAGMA journal_size_limit = 33554432",
)
# What is gone with the process needs no journal that outlives it.
_PASSING = ("PRAGMA journal_mode = MEMORY",)
_INT64 = 2**63 - 1
_A_STATEMENT = 20
"""Rows that one INSERT writes: more would have more parameters than the 999 that an old SQLite takes."""

ROWS = "<rows>"
"""What stands for the rows of values in the SQL of `insert_many`."""

Parameters = Sequence[Any]


class DamagedError(LedgerError):
    """The file itself is damaged."""


class Store:
    """Writes go through one connection under a lock, long reads through a second one.

    Without a `path` there is one connection only, and what its memory does not hold is in a file without a
    name, which is gone with the process.

    Safe to use from any number of threads. Every method raises `LedgerError` for an SQLite error;
    `damaged` then tells whether the file itself is broken.
    """

    def __init__(self, path: Path | None, *, readonly: bool = False) -> None:
        self._path = path
        self.name = "the temporary ledger" if path is None else f"the ledger {path}"
        """As messages name it."""
        self.damaged = False
        self.writes = 0
        """How many transactions were begun."""
        self._lock = threading.RLock()
        self._reading = threading.Lock()
        self._reader: sqlite3.Connection | None = None
        with self._translated():
            self._writer = self._connect(readonly)

    def _connect(self, readonly: bool) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._path or "", timeout=10, isolation_level=None, check_same_thread=False
        )
        try:
            for pragma in _PASSING if self._path is None else _LASTING:
                connection.execute(pragma)
            # Reads walk through the rows once: a page is not needed again, and sorting in little memory is
            # quicker (kilobytes).
            lean = readonly or self._path is None
            connection.execute(f"PRAGMA cache_size = {-1000 if lean else -2000}")
            if readonly:
                connection.execute("PRAGMA query_only = ON")
            connection.create_function(
                "identity", 6, lambda *record: value_identity(*unbound(record)), deterministic=True
            )
            connection.create_function("same_path", 1, lambda path: _bound(same_path(*unbound((path,)))))
        except BaseException:
            connection.close()
            raise
        return connection

    @contextmanager
    def bare(self) -> Generator[sqlite3.Connection, None, None]:
        """The writing connection without a transaction, for checks and migrations."""
        with self._lock, self._translated():
            yield self._writer

    @contextmanager
    def write(self) -> Generator[sqlite3.Connection, None, None]:
        """One transaction: all of it is in the file when the block ends, or nothing if it raises."""
        with self._lock, self._translated():
            connection = self._writer
            self.writes += 1
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                # A full disk rolls the transaction back by itself.
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    def write_one(self, sql: str, record: Parameters) -> None:
        """One statement, a transaction by itself, at a third of the cost of `write`.

        SQLite lets go of Python's lock at every statement, and threads that wait for one another there cost
        more than the statements do.
        """
        with self._lock, self._translated():
            self.writes += 1
            _execute_one(self._writer, sql, record)

    def read(self, sql: str, parameters: Parameters = ()) -> list[tuple[Any, ...]]:
        """A whole (short) answer, beside whoever is writing: as of the last finished transaction."""
        if self._path is None:
            with self.bare() as connection:
                return connection.execute(sql, parameters).fetchall()
        with self._reading, self._translated():
            if self._reader is None:
                self._reader = self._connect(readonly=True)
            return self._reader.execute(sql, parameters).fetchall()

    def pages(
        self, sql: str, parameters: Parameters, *, after: int, size: int = 500
    ) -> Iterator[tuple[Any, ...]]:
        """A long answer, a page at a time, so that no reader holds the file's journal open.

        The statement takes two more parameters, the id to go on after and the size of a page, gives the id as
        its first column, and is ordered by it.
        """
        while page := self.read(sql, (*parameters, after, size)):
            yield from page
            after = page[-1][0]

    def close(self) -> None:
        """Close both connections; harmless when closed."""
        with self._lock, self._reading:
            if self._reader is not None:
                self._reader.close()
                self._reader = None
            self._writer.close()

    @contextmanager
    def _translated(self) -> Generator[None, None, None]:
        try:
            yield
        except sqlite3.Error as error:
            raise self._trouble(error) from error

    def _trouble(self, error: sqlite3.Error) -> LedgerError:
        text = str(error)
        # SQLITE_CORRUPT and SQLITE_NOTADB come as the bare class.
        if type(error) is sqlite3.DatabaseError or "Could not decode" in text:
            self.damaged = True
            return DamagedError(
                f"{self.name} is damaged: {text}",
                "it is set aside and a new one begun; nothing in the PIM is lost. With --skip remote the "
                "next run asks the PIM what is there already.",
            )
        if "full" in text or "disk I/O" in text:
            return LedgerError(
                f"{self.name} cannot be written: {text}",
                "make room on its disk (or in its quota), or name a file elsewhere with --state FILE; then "
                "run the same command again.",
            )
        return LedgerError(
            f"{self.name} cannot be used: {text}",
            "check that its folder exists and can be written, or name another file with --state FILE.",
        )


def bound(values: Parameters) -> tuple[Any, ...]:
    """The same values in a form that SQLite takes.

    File names with bytes that are no UTF-8 become BLOBs (`unbound` reads them back); integers past 64 bits,
    which some file systems have as times, are cut.
    """
    return tuple(_bound(value) for value in values)


def _bound(value: Any) -> Any:
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            return value.encode("utf-8", "surrogatepass")
    elif isinstance(value, int):
        return max(-_INT64, min(_INT64, value))
    return value


def unbound(record: tuple[Any, ...]) -> tuple[Any, ...]:
    """A record as it was before `bound`."""
    if bytes in map(type, record):
        return tuple(v.decode("utf-8", "surrogatepass") if type(v) is bytes else v for v in record)
    return record


def execute_many(connection: sqlite3.Connection, sql: str, records: Iterable[Parameters]) -> int:
    """`executemany` for records that may hold anything a file system or a manifest can; the rows changed.

    The plain way first: checking every text of a million rows costs more than writing them.
    """
    records = list(records)
    if not records:
        return 0
    if len(records) == 1:
        return _execute_one(connection, sql, records[0])
    connection.execute("SAVEPOINT many")
    try:
        changed = connection.executemany(sql, records).rowcount
    except (UnicodeEncodeError, OverflowError):
        connection.execute("ROLLBACK TO many")
        changed = connection.executemany(sql, map(bound, records)).rowcount
    connection.execute("RELEASE many")
    return changed


def insert_many(connection: sqlite3.Connection, sql: str, places: str, records: Sequence[Parameters]) -> None:
    """`execute_many`, with many rows of `places` where the SQL has `ROWS`: a quarter less than one by one."""
    whole = len(records) - len(records) % _A_STATEMENT
    some = range(0, whole, _A_STATEMENT)
    flat = [tuple(chain.from_iterable(records[n : n + _A_STATEMENT])) for n in some]
    execute_many(connection, sql.replace(ROWS, ", ".join([f"({places})"] * _A_STATEMENT)), flat)
    execute_many(connection, sql.replace(ROWS, f"({places})"), records[whole:])


def _execute_one(connection: sqlite3.Connection, sql: str, record: Parameters) -> int:
    """A statement is done or not: with one there is nothing to go back to, and no savepoint is needed."""
    try:
        return connection.execute(sql, record).rowcount
    except (UnicodeEncodeError, OverflowError):
        return connection.execute(sql, bound(record)).rowcount
