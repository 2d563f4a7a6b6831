"""An open ledger: the runs in it, and the one that is to begin."""

from __future__ import annotations

import json
import os
import platform
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

from ..rows import Status
from . import history
from .lock import LedgerLock
from .model import PlannedRow, RunInfo
from .record import RunRecord
from .run import Run
from .store import Store


def new_id(now: float, token: Callable[[int], str] = secrets.token_hex) -> str:
    """An id for a run that begins now, seconds since 1970: `20261123T101500Z-3f2a`."""
    stamp = datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%SZ")
    return f"{stamp}-{token(2)}"


class Ledger:
    """What this machine knows about one PIM; see `open_ledger`. Close it, or use it in a `with`."""

    def __init__(
        self, store: Store, clock: Callable[[], float], cleanup: ExitStack, lock: LedgerLock | None = None
    ) -> None:
        self._store = store
        self._clock = clock
        self._cleanup = cleanup
        self._lock = lock

    @property
    def pim_url(self) -> str:
        """The PIM that the file is of; empty if it does not say."""
        found = self._store.read("SELECT content FROM meta WHERE name = 'pim_url'")
        return str(found[0][0]) if found else ""

    def start_run(
        self,
        command: str,
        arguments: Mapping[str, Any],
        *,
        token: Callable[[int], str] = secrets.token_hex,
    ) -> Run:
        """Begin a run. `arguments` is what `runs show` shows of the command line: no secrets.

        `token(n)` gives n random bytes in hex, for the end of the run's id. Raises `LedgerError`.
        """
        now = self._clock()
        with self._store.write() as connection:
            while True:
                id_ = new_id(now, token)
                if connection.execute("SELECT 1 FROM run WHERE id = ?", (id_,)).fetchone() is None:
                    break
            cursor = connection.execute(
                """INSERT INTO run (id, command, arguments, started_at, state, pid, host, summary)
                   VALUES (?, ?, ?, ?, 'running', ?, ?, '{}')""",
                (id_, command, json.dumps(arguments, default=str), now, os.getpid(), platform.node()),
            )
            n = cursor.lastrowid
        assert n is not None
        if self._lock is not None:
            self._lock.describe(command)
        return Run(self._store, n, id_, self._clock)

    def runs(self, limit: int = 20) -> list[RunInfo]:
        """The latest runs, newest first."""
        return history.runs(self._store, limit)

    def run(self, reference: str) -> RunInfo:
        """A run by its id, the beginning of its id, or `last`; `UsageError` if that names not just one."""
        return history.find(self._store, reference)[1]

    def record(self, reference: str) -> RunRecord:
        """The rows of a run, named as for `run`; none are left of runs long past (`history.prune`)."""
        n, info = history.find(self._store, reference)
        return RunRecord(self._store, n, info.id)

    def retry_rows(self, reference: str) -> Iterator[PlannedRow]:
        """The rows of a run that failed or were invalid, as they were planned. Raises as `run`."""
        return self.record(reference).rows((Status.FAILED, Status.INVALID))

    def close(self) -> None:
        """Close the file and release the lock; a run that was not finished counts as interrupted."""
        self._cleanup.close()

    def __enter__(self) -> Ledger:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
