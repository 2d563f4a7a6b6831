"""The tables, their version, and how a file of an older version is brought up to it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence

from ..errors import LedgerError

APPLICATION_ID = 0x414B4D4C
"""Written into the file's header (`AKML`), so that another program's database is not taken for a ledger."""

Migration = Callable[[sqlite3.Connection], None]


def _version_1(connection: sqlite3.Connection) -> None:
    # A row's id is its run's number times 2^32 plus its seq: rows are appended and read in one order, and the
    # rows of one run are a range of the table itself, without an index beside it.
    for statement in (
        "CREATE TABLE meta (name TEXT PRIMARY KEY, content TEXT NOT NULL) WITHOUT ROWID",
        """CREATE TABLE run (
            n INTEGER PRIMARY KEY AUTOINCREMENT,
            id TEXT NOT NULL UNIQUE,
            command TEXT NOT NULL,
            arguments TEXT NOT NULL,
            started_at REAL NOT NULL,
            finished_at REAL,
            state TEXT NOT NULL,
            exit_status INTEGER,
            pid INTEGER NOT NULL,
            host TEXT NOT NULL,
            summary TEXT NOT NULL,
            pruned INTEGER NOT NULL DEFAULT 0)""",
        """CREATE TABLE row (
            id INTEGER PRIMARY KEY,
            value_key INTEGER,
            status TEXT,
            name TEXT NOT NULL,
            size INTEGER,
            mtime_ns INTEGER,
            type TEXT, parent TEXT, code TEXT,
            attribute TEXT NOT NULL, locale TEXT, scope TEXT,
            path TEXT,
            manifest TEXT NOT NULL, line INTEGER NOT NULL, file TEXT NOT NULL,
            filename TEXT, root TEXT, extra TEXT,
            media_code TEXT, sha256 TEXT, attempts INTEGER NOT NULL, duration REAL, notes TEXT,
            kind TEXT, message TEXT, hint TEXT, http_status INTEGER)""",
        """CREATE TABLE value (
            key INTEGER PRIMARY KEY,
            type TEXT NOT NULL, parent TEXT, code TEXT NOT NULL,
            attribute TEXT NOT NULL, locale TEXT, scope TEXT,
            media_code TEXT, name TEXT, size INTEGER, mtime_ns INTEGER, sha256 TEXT, at REAL,
            flight_run INTEGER, flight_name TEXT, flight_size INTEGER, flight_mtime_ns INTEGER,
            flight_before TEXT, flight_before_known INTEGER, flight_at REAL)""",
        "CREATE INDEX value_in_flight ON value (key) WHERE flight_run IS NOT NULL",
    ):
        connection.execute(statement)


def _version_2(connection: sqlite3.Connection) -> None:
    for statement in (
        # How rows that may share one media file find each other: see `planning.mark_shares`.
        "ALTER TABLE row ADD COLUMN share INTEGER",
        # The media file that was stored for a value, but may not have been attached to it yet.
        "ALTER TABLE value ADD COLUMN flight_code TEXT",
        # A carrier's value that holds another product's file until it is put back
        # (docs/pim-behaviour.md, "Sharing one media file").
        """CREATE TABLE lent (
            identifier TEXT NOT NULL, attribute TEXT NOT NULL, locale TEXT NOT NULL, scope TEXT NOT NULL,
            before TEXT, name TEXT NOT NULL, size INTEGER NOT NULL,
            PRIMARY KEY (identifier, attribute, locale, scope)) WITHOUT ROWID""",
    ):
        connection.execute(statement)


def _version_3(connection: sqlite3.Connection) -> None:
    # When a row that took time ended: reports draw a timeline from it.
    connection.execute("ALTER TABLE row ADD COLUMN ended_at REAL")


def _version_4(connection: sqlite3.Connection) -> None:
    for statement in (
        # What a row's value held before the run wrote to it: null if it was not read, '' if it was empty.
        "ALTER TABLE row ADD COLUMN before_code TEXT",
        "ALTER TABLE row ADD COLUMN before_name TEXT",
        "ALTER TABLE row ADD COLUMN before_size INTEGER",
        # `PlannedRow.stamp`: tells a file from another that was put in its place with its size and time.
        "ALTER TABLE row ADD COLUMN stamp INTEGER",
        "ALTER TABLE value ADD COLUMN stamp INTEGER",
    ):
        connection.execute(statement)


def _version_5(connection: sqlite3.Connection) -> None:
    for statement in (
        # How the file was converted before it was sent (`PlannedRow.recipe`), null for one sent as it is;
        # and the result, as JSON. Sizes, times and digests are of the original file.
        "ALTER TABLE row ADD COLUMN recipe TEXT",
        "ALTER TABLE row ADD COLUMN fitted TEXT",
        "ALTER TABLE value ADD COLUMN recipe TEXT",
        "ALTER TABLE value ADD COLUMN fitted TEXT",
        "ALTER TABLE value ADD COLUMN flight_recipe TEXT",
        # What a row does beside its file, as JSON: `ledger.beside.SetBeside`.
        "ALTER TABLE row ADD COLUMN beside TEXT",
    ):
        connection.execute(statement)


def _version_6(connection: sqlite3.Connection) -> None:
    # Assets and records that were or may have been created from here, by `created.identity`: a search may not
    # list them yet (docs/pim-behaviour.md, "Searching and paging").
    connection.execute("CREATE TABLE created (identity BLOB PRIMARY KEY) WITHOUT ROWID")


MIGRATIONS: Sequence[Migration] = (
    _version_1,
    _version_2,
    _version_3,
    _version_4,
    _version_5,
    _version_6,
)
"""The n-th migrates a file from version n-1 to n. Never change one that was released; append."""


def migrate(connection: sqlite3.Connection, *, place: str) -> bool:
    """Migrate the file to the newest version in one transaction; True if there was something to do.

    Raises `LedgerError` for a file of a newer version and for another program's database, both left
    untouched, and `sqlite3.Error` as SQLite does.
    """
    if current(connection, place=place) == len(MIGRATIONS):
        return False
    connection.execute("BEGIN IMMEDIATE")
    try:
        # Asked again under the lock: another process may have been quicker.
        for migration in MIGRATIONS[current(connection, place=place) :]:
            migration(connection)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return True


def current(connection: sqlite3.Connection, *, place: str) -> int:
    """The version of the file, 0 for an empty one. Raises as `migrate`."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (tables,) = connection.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()
    if application != APPLICATION_ID and (tables or version or application):
        raise LedgerError(
            f"{place} belongs to another program",
            "Name another file with --state, or leave --state out.",
        )
    if version > len(MIGRATIONS):
        raise LedgerError(
            f"{place} was written by a newer akeneo-media: it has schema version {version}, "
            f"this program knows {len(MIGRATIONS)}",
            "Upgrade this one (pip install -U akeneo-media-cli), or name another file with --state.",
        )
    return int(version)
