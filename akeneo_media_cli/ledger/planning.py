"""How the rows of a run relate to each other and to what was sent before; all in SQL."""

# ruff: noqa: S608 - texts of statements are put together from constants only; values are bound

from __future__ import annotations

import json
import sqlite3
from array import array
from collections.abc import Iterable, Iterator
from itertools import repeat
from typing import Any

from ..errors import Kind
from ..manifest.beside import says_beside
from ..rows import Status, Target, TargetType, folded
from .codec import COLUMNS, DROPPED, WIDTH, extra_text, from_record, insert, notes_text, span, to_record
from .model import (
    SETTLE_LEAST,
    UNKNOWN,
    AtWork,
    Before,
    Interrupted,
    PlannedBatch,
    PlannedRow,
    Remembered,
    Settled,
    Touched,
)
from .store import ROWS, Store, execute_many, insert_many, unbound

_CHUNK = 1000
_ADDED = 2000
_LONG_AGO = 24 * 3600.0
"""Seconds after which no request of a run can still be at work."""

_ROW_COLUMNS = ", ".join(f"row.{column}" for column in COLUMNS.split(", "))
_SAME_VALUE = """value.type = row.type AND (
    (value.code = row.code AND value.parent IS row.parent AND value.attribute = row.attribute
     AND value.locale IS row.locale AND value.scope IS row.scope)
    OR identity(value.type, value.parent, value.code, value.attribute, value.locale, value.scope)
     = identity(row.type, row.parent, row.code, row.attribute, row.locale, row.scope))"""
_HELD = f"""value.key = row.value_key AND value.media_code IS NOT NULL AND value.flight_run IS NULL
    AND value.name = row.name AND value.size = row.size AND value.recipe IS row.recipe AND {_SAME_VALUE}"""

_UNTOUCHED = f"""{_HELD} AND value.mtime_ns = row.mtime_ns
    AND (value.stamp IS NULL OR value.stamp IS row.stamp)"""

# Rows for assets with columns for what stands beside the file, and perhaps a few more: the ledger alone does
# not tell whether that is done.
_BESIDE = """(parent IS NOT NULL AND extra IS NOT NULL
    AND (extra LIKE '%"value.%' OR extra LIKE '%"link_%'))"""

_CONFLICT_HINT = "A value holds one file: keep the right row and delete the others."


def add(
    store: Store, n: int, rows: Iterable[PlannedRow | PlannedBatch], status: Status | None, skip: str
) -> int:
    """See `Run.add`; the run is the `n`-th."""
    count = 0
    single: list[tuple[Any, ...]] = []

    def write(batch: PlannedBatch | None = None) -> None:
        with store.write() as connection:
            insert(connection, single)
            if batch is not None:
                _insert_batch(connection, n, batch, status, skip)
        single.clear()

    for planned in rows:
        if isinstance(planned, PlannedBatch):
            write(planned)
            count += len(planned.seqs)
            continue
        count += 1
        planned.status = planned.status or status
        single.append(to_record(n, planned))
        if len(single) == _ADDED:
            write()
    if single:
        write()
    return count


def _insert_batch(
    connection: sqlite3.Connection, n: int, planned: PlannedBatch, status: Status | None, skip: str
) -> None:
    """Put the rows of a batch into the table, all with this status; `skip` as in `Run.add`."""
    batch = planned.batch
    first, _ = span(n)
    columns: dict[str, Iterable[Any] | None] = {
        "id": [first | seq for seq in planned.seqs],
        "value_key": planned.keys,
        "name": planned.names,
        "size": planned.sizes,
        "mtime_ns": planned.mtimes,
        "stamp": planned.stamps,
        "code": batch.codes,
        "attribute": batch.attributes,
        "locale": batch.locales,
        "scope": batch.scopes,
        "path": planned.paths,
        "manifest": repeat(batch.manifest),
        "line": batch.lines,
        "file": batch.files,
        "extra": None if batch.extras is None else map(extra_text, batch.extras),
    }
    given = {name: column for name, column in columns.items() if column is not None}
    names = ", ".join(given)
    places = ", ".join("NULLIF(?, '')" if name in ("locale", "scope") else "?" for name in given)
    state, type_ = "NULL" if status is None else f"'{status.value}'", batch.type.value
    if skip == "none":
        places += f", {state}, '{type_}', 0"
        sql = f"INSERT INTO row ({names}, status, type, attempts) VALUES {ROWS}"
    else:
        # Rows are written once, as they stay: to mark them later costs as much as to write them.
        if skip == "ledger":
            state = f"CASE WHEN value.key IS NULL THEN {state} ELSE 'unchanged' END"
        absent = {"parent", "locale", "scope", "recipe"} - given.keys()
        sql = f"""WITH given ({names}) AS (VALUES {ROWS})
            INSERT INTO row ({names}, status, type, attempts, media_code, sha256)
            SELECT {", ".join(f"row.{name}" for name in given)}, {state}, row.type, 0,
                value.media_code, value.sha256
            FROM (SELECT *, '{type_}' AS type, {", ".join(f"NULL AS {name}" for name in absent)} FROM given)
                AS row LEFT JOIN value ON {_UNTOUCHED}"""
    insert_many(connection, sql, places, list(zip(*given.values(), strict=False)))


def settle_duplicates(store: Store, first: int, last: int) -> Settled:
    """See `Run.settle_duplicates`; the rows are those with ids from `first` to `last`."""
    # Mostly there are none.
    if not store.read(f"{_REPEATED} LIMIT 1", (first, last)):
        return Settled(0, 0)
    with store.write() as connection:
        try:
            _find_clashes(connection, first, last)
            return Settled(_refuse_conflicts(connection), _drop_repetitions(connection))
        finally:
            # A failed transaction has taken the tables with it.
            for table in ("clash_key", "clash", "clash_group"):
                connection.execute(f"DROP TABLE IF EXISTS temp.{table}")


_REPEATED = """SELECT value_key FROM row
    WHERE id BETWEEN ? AND ? AND value_key IS NOT NULL GROUP BY value_key HAVING COUNT(*) > 1"""


def _find_clashes(connection: sqlite3.Connection, first: int, last: int) -> None:
    connection.execute("CREATE TEMP TABLE clash_key (key INTEGER PRIMARY KEY)")
    connection.execute(f"INSERT INTO clash_key {_REPEATED}", (first, last))
    connection.execute(
        """CREATE TEMP TABLE clash (value, id INTEGER, file, open INTEGER, PRIMARY KEY (value, id))
           WITHOUT ROWID"""
    )
    connection.execute(
        """INSERT INTO clash
           SELECT identity(type, parent, code, attribute, locale, scope), id, COALESCE(path, file),
                  status IS NULL OR status IN ('planned', 'unchanged')
           FROM row WHERE id BETWEEN ? AND ? AND value_key IN (SELECT key FROM clash_key)""",
        (first, last),
    )
    # `other` is the first row with another file than the first row's; null where all name one file.
    connection.execute(
        """CREATE TEMP TABLE clash_group (value PRIMARY KEY, first INTEGER, kept INTEGER, file, other INTEGER)
           WITHOUT ROWID"""
    )
    connection.execute(
        """INSERT INTO clash_group (value, first, kept)
           SELECT value, MIN(id), MIN(CASE WHEN open THEN id END) FROM clash
           GROUP BY value HAVING COUNT(*) > 1"""
    )
    if _compare(connection):
        # Only those that seem to differ: resolving paths costs far more than comparing them.
        connection.execute(
            """UPDATE clash SET file = same_path(file)
               WHERE value IN (SELECT value FROM clash_group WHERE other IS NOT NULL)"""
        )
        _compare(connection)


def _compare(connection: sqlite3.Connection) -> bool:
    """Fill in `file` and `other` of the groups; does any name more than one file?"""
    connection.execute(
        """UPDATE clash_group SET file = (
             SELECT file FROM clash WHERE clash.value = clash_group.value AND clash.id = clash_group.first)"""
    )
    connection.execute(
        """UPDATE clash_group SET other = (
             SELECT id FROM clash WHERE clash.value = clash_group.value AND clash.file <> clash_group.file
             ORDER BY id LIMIT 1)"""
    )
    return (
        connection.execute("SELECT 1 FROM clash_group WHERE other IS NOT NULL LIMIT 1").fetchone() is not None
    )


def _refuse_conflicts(connection: sqlite3.Connection) -> int:
    cursor = connection.execute(
        """SELECT clash.id, theirs.manifest, theirs.line, theirs.file FROM clash
           JOIN clash_group USING (value)
           JOIN row AS theirs ON theirs.id = CASE WHEN clash.file = clash_group.file THEN other ELSE first END
           WHERE clash.open AND other IS NOT NULL"""
    )
    count = 0
    while page := cursor.fetchmany(_CHUNK):
        records = []
        for id_, *place in page:
            manifest, line, file = unbound(tuple(place))
            message = f"{manifest}:{line} names another file for the same value: {file}"
            records.append((Status.INVALID.value, Kind.CONFLICTING_ROWS.value, message, _CONFLICT_HINT, id_))
        count += execute_many(
            connection,
            f"UPDATE row SET status = ?, kind = ?, message = ?, hint = ?, {_UNKNOWN} WHERE id = ?",
            records,
        )
    return count


def _drop_repetitions(connection: sqlite3.Connection) -> int:
    cursor = connection.execute(
        """SELECT clash.id, theirs.manifest, theirs.line, row.type, row.parent, row.code, row.extra FROM clash
           JOIN clash_group USING (value) JOIN row AS theirs ON theirs.id = kept
           JOIN row ON row.id = clash.id
           WHERE clash.open AND other IS NULL AND clash.id > kept"""
    )
    count = 0
    while page := cursor.fetchmany(_CHUNK):
        records, kept = [], []
        for id_, *rest in page:
            manifest, line, type_, parent, code, extra = unbound(tuple(rest))
            target = Target(TargetType(type_), code, parent or "")
            if extra and parent and says_beside(target, json.loads(extra)) is not None:
                note = f"{manifest}:{line} sends the same file for the same value"
                kept.append((notes_text((note,)), id_))
                continue
            note = f"left out: {manifest}:{line} names the same file for the same value"
            records.append((DROPPED, notes_text((note,)), id_))
        count += execute_many(
            connection, f"UPDATE row SET status = ?, notes = ?, {_UNKNOWN} WHERE id = ?", records
        )
        # Its file is another row's, but it links the asset to another product, or has more values.
        execute_many(connection, _WITHOUT_MEDIA, kept)
    return count


# What the ledger knows of a value is not said of a row that is not taken.
_UNKNOWN = "media_code = NULL, sha256 = NULL"

_WITHOUT_MEDIA = """UPDATE row SET value_key = NULL, attribute = '', path = NULL, size = NULL,
    mtime_ns = NULL, stamp = NULL, notes = ? WHERE id = ?"""


_OF_ONE_ASSET = """SELECT id, type, parent, code, extra FROM (
        SELECT id, type, parent, code, extra, entity, COUNT(*) OVER (PARTITION BY entity) AS several FROM (
            SELECT id, type, parent, code, extra, identity(type, parent, code, '', NULL, NULL) AS entity
            FROM row WHERE id BETWEEN ? AND ? AND parent IS NOT NULL AND extra LIKE '%"value.%'
            AND status IS NOT 'invalid'))
    WHERE several > 1 ORDER BY entity, id"""


def contradictions(store: Store, first: int, last: int) -> dict[int, list[int]]:
    """See `Run.contradictions`; the rows are those with ids from `first` to `last`."""
    found: dict[int, list[int]] = {}
    said: dict[tuple[object, ...], tuple[int, Any]] = {}
    entity: tuple[str, ...] = ()
    with store.write() as connection:
        # A record at a time: there may be very many.
        for id_, type_, parent, code, extra in map(unbound, connection.execute(_OF_ONE_ASSET, (first, last))):
            if (type_, folded(parent), folded(code)) != entity:
                said, entity = {}, (type_, folded(parent), folded(code))
            words = says_beside(Target(TargetType(type_), code, parent), json.loads(extra))
            for value in words.values if words is not None else ():
                name = folded(value.attribute), *map(folded, value.places)
                earlier, data = said.setdefault(name, (id_, value.data))
                if data != value.data:
                    found.setdefault(id_ - first, []).append(earlier - first)
    return found


def unjudged(store: Store, first: int, last: int) -> list[PlannedRow]:
    """See `Run.unjudged`; the rows are those with ids from `first` to `last`."""
    sql = f"""SELECT {COLUMNS} FROM row
        WHERE id BETWEEN ? AND ? AND status IS NULL AND media_code IS NULL AND path IS NOT NULL"""
    return list(map(from_record, store.read(sql, (first, last))))


def remembers(store: Store) -> bool:
    """See `Run.remembers`."""
    return bool(store.read("SELECT 1 FROM value WHERE media_code IS NOT NULL LIMIT 1"))


def mark_unchanged(store: Store, first: int, last: int) -> int:
    """See `Run.mark_unchanged`."""
    with store.write() as connection:
        return connection.execute(
            f"""UPDATE row SET status = 'unchanged',
                (media_code, sha256) = (SELECT media_code, sha256 FROM value WHERE value.key = row.value_key)
                WHERE id BETWEEN ? AND ? AND status IS NULL AND NOT {_BESIDE}
                AND EXISTS (SELECT 1 FROM value WHERE {_UNTOUCHED})""",
            (first, last),
        ).rowcount


def expect_unchanged(store: Store, first: int, last: int) -> int:
    """See `Run.expect_unchanged`."""
    with store.write() as connection:
        return connection.execute(
            f"""UPDATE row SET
                (media_code, sha256) = (SELECT media_code, sha256 FROM value WHERE value.key = row.value_key)
                WHERE id BETWEEN ? AND ? AND status IS NULL AND media_code IS NULL
                AND EXISTS (SELECT 1 FROM value WHERE {_UNTOUCHED})""",
            (first, last),
        ).rowcount


def expected(store: Store, first: int, last: int) -> array[int]:
    """See `Run.expected`."""
    rows = "FROM row WHERE id BETWEEN ? AND ? AND status IS NULL AND media_code IS NOT NULL"
    ((count, entities),) = store.read(f"SELECT COUNT(*), COUNT(DISTINCT code) {rows}", (first, last))
    # Mostly in the order of the rows: random writes cost five times as much.
    entity = "MIN(id) OVER (PARTITION BY type, parent, code), " if entities < count else ""
    return array(
        "q", (id_ - first for (id_,) in store.read(f"SELECT id {rows} ORDER BY {entity}id", (first, last)))
    )


def touched(store: Store, first: int, last: int) -> Iterator[Touched]:
    """See `Run.touched`."""
    # CROSS JOIN: the rows in their order, and for each the value, never the other way round.
    sql = f"""SELECT {_ROW_COLUMNS}, value.media_code, value.sha256 FROM row CROSS JOIN value
        WHERE {_HELD} AND value.sha256 IS NOT NULL
        AND row.status IS NULL AND row.id <= ? AND row.id > ? ORDER BY row.id LIMIT ?"""
    for record in store.pages(sql, (last,), after=first):
        media_code, sha256 = unbound(record[WIDTH:])
        yield Touched(from_record(record[:WIDTH]), media_code, sha256)


def interrupted(store: Store, n: int, first: int, last: int) -> Iterator[Interrupted]:
    """See `Run.interrupted`; `n` is the run that asks."""
    marked = "SELECT key FROM value WHERE flight_run IS NOT NULL AND flight_run <> ?"
    if not store.read(f"{marked} LIMIT 1", (n,)):
        return
    sql = f"""SELECT {_ROW_COLUMNS}, flight_run, run.id, flight_name, flight_size, flight_mtime_ns,
            flight_before, flight_before_known, flight_at, flight_code, flight_recipe
        FROM row CROSS JOIN value ON value.key = row.value_key AND {_SAME_VALUE}
        LEFT JOIN run ON run.n = flight_run
        WHERE row.value_key IN ({marked}) AND row.status IS NULL AND row.id <= ? AND row.id > ?
        ORDER BY row.id LIMIT ?"""
    for record in store.pages(sql, (n, last), after=first):
        by, run, name, size, mtime_ns, held, known, at, code, recipe = unbound(record[WIDTH:])
        before: Before = held if known else UNKNOWN
        planned = from_record(record[:WIDTH])
        yield Interrupted(planned, by, run or "", name, size, mtime_ns, before, at, code, recipe)


def at_work(store: Store, n: int, now: float) -> list[AtWork]:
    """See `Run.at_work`; `n` is the run that asks, `now` in seconds since 1970."""
    meta = dict(store.read("SELECT name, content FROM meta WHERE name IN ('settling', 'settled_run')"))
    longest = max(SETTLE_LEAST, float(meta.get("settling", 0)))
    # A run that died without an end was dead when the next one had the lock.
    marks = store.read(
        """SELECT flight_run, flight_at, COALESCE(run.finished_at, MIN(
                (SELECT later.started_at FROM run AS later WHERE later.n > flight_run ORDER BY n LIMIT 1),
                flight_at + ?)),
            value.type, value.parent, value.code, flight_name
        FROM value LEFT JOIN run ON run.n = flight_run
        WHERE flight_run IS NOT NULL AND flight_run <> ? AND flight_run >= ?""",
        (_LONG_AGO, n, int(meta.get("settled_run", 0))),
    )
    found = []
    for by, began, end, *value in marks:
        # The clock may have been set meanwhile.
        left = min(longest, (began if end is None else end) + longest - now)
        if left > 0:
            found.append(AtWork(by, left, *unbound(tuple(value))))
    return found


def twin(store: Store, first: int, last: int, key: int, identity: bytes) -> PlannedRow | None:
    """See `Run.twin`; the value is that with this key and identity."""
    with store.write() as connection:
        # Only a run that names products in both ways needs it; `Run.finish` drops it.
        connection.execute("CREATE INDEX IF NOT EXISTS row_by_value ON row (value_key)")
    sql = f"""SELECT {COLUMNS} FROM row WHERE value_key = ? AND id BETWEEN ? AND ?
        AND (status IS NULL OR status NOT IN ('invalid', '{DROPPED}'))
        AND identity(type, parent, code, attribute, locale, scope) = ? ORDER BY id LIMIT 1"""
    return next(map(from_record, store.read(sql, (key, first, last, identity))), None)


def drop(store: Store, id_: int, note: str) -> None:
    """See `Run.drop`."""
    with store.write() as connection:
        connection.execute(
            "UPDATE row SET status = ?, notes = ? WHERE id = ?", (DROPPED, notes_text((note,)), id_)
        )


_SHARING = "type IN ('product', 'product_model', 'product_uuid') AND path IS NOT NULL"


def mark_shares(store: Store, first: int, last: int) -> int:
    """See `Run.mark_shares`."""
    rows = f"id BETWEEN ? AND ? AND {_SHARING} AND (status IS NULL OR status = 'unchanged')"
    with store.write() as connection:
        try:
            connection.execute(
                """CREATE TEMP TABLE share_group (name, size, share INTEGER, PRIMARY KEY (name, size))
                   WITHOUT ROWID"""
            )
            groups = connection.execute(
                f"""INSERT INTO share_group
                    SELECT name, COALESCE(size, path),
                        CASE WHEN MIN(path) = MAX(path) THEN 1 ELSE 2 END FROM row WHERE {rows}
                    GROUP BY 1, 2 HAVING COUNT(*) > 1 AND SUM(status IS NULL) > 0""",
                (first, last),
            ).rowcount
            if not groups:
                return 0
            # The size behind a link is not known yet: only rows with the same link share it.
            mine = "share_group.name = row.name AND share_group.size = COALESCE(row.size, row.path)"
            return connection.execute(
                f"""UPDATE row SET share = (SELECT share FROM share_group WHERE {mine})
                    WHERE {rows} AND EXISTS (SELECT 1 FROM share_group WHERE {mine})""",
                (first, last),
            ).rowcount
        finally:
            connection.execute("DROP TABLE IF EXISTS temp.share_group")


def stored_shares(store: Store, first: int, last: int) -> Iterator[PlannedRow]:
    """See `Run.stored_shares`."""
    sql = f"""SELECT {COLUMNS} FROM row WHERE share IS NOT NULL AND (status IS NULL OR status = 'unchanged')
        AND media_code IS NOT NULL AND id <= ? AND id > ? ORDER BY id LIMIT ?"""
    return map(from_record, store.pages(sql, (last,), after=first))


def remembered(store: Store, first: int, seqs: Iterable[int]) -> Iterator[tuple[int, Remembered]]:
    """See `Run.remembered_all`."""
    ids = [first + seq for seq in seqs]
    sql = f"""SELECT row.id, value.media_code, value.name, value.size, value.mtime_ns, value.sha256,
            value.stamp, value.recipe, value.fitted
        FROM row CROSS JOIN value ON value.key = row.value_key AND {_SAME_VALUE}
        WHERE row.id IN ({", ".join("?" * len(ids))}) AND value.media_code IS NOT NULL"""
    for record in store.read(sql, ids):
        id_, code, name, size, mtime_ns, sha256, stamp, recipe, fitted = unbound(record)
        told = json.loads(fitted) if fitted else None
        yield id_ - first, Remembered(code, name, size, mtime_ns, sha256, stamp, recipe, told)
