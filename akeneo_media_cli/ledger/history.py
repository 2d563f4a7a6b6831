"""The runs that were, and how much of them is kept."""

# ruff: noqa: S608 - texts of statements are put together from constants only; values are bound

from __future__ import annotations

import json
import os
import platform
from typing import Any

from ..errors import UsageError
from .codec import span
from .model import RunInfo
from .store import Store

KEEP_RUNS = 50
KEEP_SECONDS = 30 * 24 * 3600
KEEP_ROWS = 2_000_000
KEEP_HEADS = 1000
_BATCH = 10_000

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
        what = "there is no run yet" if reference == "last" else f"there is no run {reference!r}"
        raise UsageError(what, "`akeneo-media runs list` names those that are kept.")
    raise UsageError(
        f"more than one run begins with {reference!r}: {', '.join(record[1] for record in found[:2])}, ...",
        "give more of its id, or `last`.",
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

    Kept are the rows of the latest 50 runs and of all in the last 30 days, but no more than 2,000,000 rows in
    all; those of the latest run always. The heads of the latest 1,000 runs stay, and what was put where (the
    memory of values) is never deleted. The space is used again by later runs.
    """
    deleted = kept = 0
    sql = "SELECT n, started_at FROM run WHERE NOT pruned ORDER BY n DESC"
    for place, (n, started_at) in enumerate(store.read(sql)):
        first, last = span(n)
        old = place >= KEEP_RUNS and started_at < now - KEEP_SECONDS
        if not old and kept <= KEEP_ROWS:
            # The last seq stands for the count, which would read every page of every run kept.
            ((last_id,),) = store.read("SELECT MAX(id) FROM row WHERE id BETWEEN ? AND ?", (first, last))
            kept += (last_id or first) - first
        if place and (old or kept > KEEP_ROWS):
            deleted += _delete_rows(store, n, first, last)
    with store.write() as connection:
        connection.execute(
            "DELETE FROM run WHERE pruned AND n <= (SELECT MAX(n) FROM run) - ?", (KEEP_HEADS,)
        )
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
                connection.execute("UPDATE run SET pruned = 1 WHERE n = ?", (n,))
                return deleted
        deleted += some
