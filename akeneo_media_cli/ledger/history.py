"""Earlier runs, and how much of them is kept."""

# ruff: noqa: S608 - texts of statements are put together from constants only; values are bound

from __future__ import annotations

import json
import os
import platform
from typing import Any

from ..errors import UsageError
from ..rows import Status
from .codec import span
from .model import RunInfo
from .record import FAILURES, RunRecord
from .store import Store

KEEP_WHOLE = 3
KEEP_RUNS = 50
KEEP_SECONDS = 30 * 24 * 3600
KEEP_ROWS = 2_000_000
KEEP_HEADS = 1000
_BATCH = 10_000
_LASTING = (*FAILURES, Status.UPLOADED, Status.REMOVED, Status.RESTORED, Status.DOWNLOADED)
"""Rows that changed something or went wrong: `runs undo` and `runs retry` may ask for them."""
_WHOLE, _GONE, _THINNED = 0, 1, 2
"""What `run.pruned` says of a run's rows."""

_COLUMNS = "n, id, command, arguments, started_at, finished_at, state, exit_status, pid, host, summary"


def runs(store: Store, limit: int) -> list[RunInfo]:
    """The latest runs, newest first (in the order they began, whatever the clock said)."""
    return [_info(r) for r in store.read(f"SELECT {_COLUMNS} FROM run ORDER BY n DESC LIMIT ?", (limit,))]


def find(store: Store, reference: str) -> tuple[int, RunInfo]:
    """A run by its id, by the beginning of it if that is unique, or `last`.

    Raises `UsageError` if there is none or more than one.
    """
    if reference == "last":
        found = store.read(f"SELECT {_COLUMNS} FROM run ORDER BY n DESC LIMIT 1")
    else:
        sql = f"SELECT {_COLUMNS} FROM run WHERE substr(id, 1, length(?)) = ? ORDER BY n DESC LIMIT 3"
        found = store.read(sql, (reference, reference)) if reference else []
    if len(found) == 1:
        return found[0][0], _info(found[0])
    if not found:
        what = "there are no runs yet" if reference == "last" else f"there is no run {reference!r}"
        raise UsageError(what, "`akeneo-media runs list` names those that are kept.")
    raise UsageError(
        f"more than one run begins with {reference!r}: {', '.join(record[1] for record in found[:2])}, ...",
        "Give more of its id, or `last`.",
    )


def _info(record: tuple[Any, ...]) -> RunInfo:
    _, id_, command, arguments, started_at, finished_at, state, exit_status, pid, host, summary = record
    if state == "running" and not _alive(pid, host):
        state = "interrupted"
    return RunInfo(
        id_, command, json.loads(arguments), started_at, finished_at, state, exit_status, pid, host,
        json.loads(summary),
    )  # fmt: skip


def _alive(pid: int, host: str) -> bool:
    if host != platform.node() or os.name != "posix":
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def close_dead(store: Store) -> int:
    """Under the lock: every run that still says it is running has died; how many."""
    with store.write() as connection:
        return connection.execute("UPDATE run SET state = 'interrupted' WHERE state = 'running'").rowcount


def prune(store: Store, now: float) -> int:
    """Delete the rows of runs long past, in small batches; how many.

    Whole are kept the latest 3 runs; of others only rows that changed something or went wrong: where a run of
    many rows is killed and taken up again, nearly all of them are unchanged or pending each time. Rows are
    kept of the latest 50 runs and of all in the last 30 days, but no more than 2,000,000 rows in all; those
    of the latest run always. The heads of the latest 1,000 runs stay with their counts, and what was put
    where (the memory of values) is never deleted. The space is used again by later runs.
    """
    deleted = kept = 0
    sql = "SELECT n, id, started_at, pruned FROM run WHERE pruned <> ? ORDER BY n DESC"
    for place, (n, id_, started_at, pruned) in enumerate(store.read(sql, (_GONE,))):
        first, last = span(n)
        old = place >= KEEP_RUNS and started_at < now - KEEP_SECONDS
        whole = pruned == _WHOLE
        if whole and place >= KEEP_WHOLE and not old and kept <= KEEP_ROWS:
            deleted += _thin_out(store, n, id_, first, last)
            whole = False
        if not old and kept <= KEEP_ROWS:
            kept += _count(store, first, last, whole=whole)
        if place and (old or kept > KEEP_ROWS):
            deleted += _delete_rows(store, n, first, last)
    with store.write() as connection:
        connection.execute(
            "DELETE FROM run WHERE pruned = ? AND n <= (SELECT MAX(n) FROM run) - ?", (_GONE, KEEP_HEADS)
        )
    return deleted


def _count(store: Store, first: int, last: int, *, whole: bool) -> int:
    """How many rows a run has, without reading every page of one that is whole: then the last seq tells."""
    what = "MAX(id) - ?" if whole else "COUNT(*) + 0 * ?"
    ((count,),) = store.read(f"SELECT {what} FROM row WHERE id BETWEEN ? AND ?", (first, first, last))
    return int(count or 0)


def _thin_out(store: Store, n: int, id_: str, first: int, last: int) -> int:
    """Delete rows of a run that changed nothing and had nothing wrong; its summary keeps their number."""
    ((told,),) = store.read("SELECT summary FROM run WHERE n = ?", (n,))
    summary = {**RunRecord(store, n, id_).summary(), **json.loads(told)}
    ((end,),) = store.read("SELECT MAX(id) FROM row WHERE id BETWEEN ? AND ?", (first, last))
    lasting = ", ".join(f"'{status.value}'" for status in _LASTING)
    sql = f"DELETE FROM row WHERE id BETWEEN ? AND ? AND COALESCE(status, 'pending') NOT IN ({lasting})"
    with store.write() as connection:
        # First: a kill in the middle must not cost the count of what is gone by then.
        connection.execute("UPDATE run SET summary = ? WHERE n = ?", (json.dumps(summary), n))
    deleted = 0
    for start in range(first, (first if end is None else end) + 1, _BATCH):
        with store.write() as connection:
            deleted += connection.execute(sql, (start, min(start + _BATCH - 1, last))).rowcount
    with store.write() as connection:
        connection.execute("UPDATE run SET pruned = ? WHERE n = ?", (_THINNED, n))
    return deleted


def _delete_rows(store: Store, n: int, first: int, last: int) -> int:
    deleted = 0
    while True:
        with store.write() as connection:
            some = connection.execute(
                "DELETE FROM row WHERE id IN (SELECT id FROM row WHERE id BETWEEN ? AND ? LIMIT ?)",
                (first, last, _BATCH),
            ).rowcount
            if not some:
                connection.execute("UPDATE run SET pruned = ? WHERE n = ?", (_GONE, n))
                return deleted
        deleted += some
