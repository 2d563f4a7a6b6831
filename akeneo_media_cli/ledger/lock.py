"""One run at a time for a ledger: an operating system lock that dies with its process."""

from __future__ import annotations

import contextlib
import json
import os
import platform
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from ..errors import LedgerError, LedgerLockedError


def _lock(path: Path) -> Callable[[], None]:
    """Lock a file that is created if need be; what unlocks it.

    Raises BlockingIOError if another process holds it, and OSError.
    """
    if sys.platform == "win32":
        from filelock import FileLock, Timeout

        lock = FileLock(str(path), timeout=0)
        try:
            lock.acquire()
        except Timeout:
            raise BlockingIOError from None
        return lock.release
    else:  # noqa: RET505 - for mypy
        # What filelock does here, without its imports: a seventh of the time to the first byte of an upload.
        import fcntl

        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BaseException:
            os.close(handle)
            raise
        return partial(os.close, handle)


def lock_of(ledger: Path) -> Path:
    """The file that is locked: it stays when the lock is released, as a sign that there was a ledger."""
    return ledger.with_name(ledger.name + ".lock")


class LedgerLock:
    """Holds `<ledger>.lock`; what `<ledger>.holder` says is only for people to read."""

    def __init__(self, ledger: Path, clock: Callable[[], float]) -> None:
        self._ledger = ledger
        self._holder = ledger.with_name(ledger.name + ".holder")
        self._clock = clock
        self._since = clock()
        self._unlock: Callable[[], None] | None = None

    def acquire(self) -> None:
        """Take the lock or raise at once.

        Raises `LedgerLockedError` with who holds it, and `LedgerError` where the folder cannot be written
        or its file system knows no locks.
        """
        try:
            self._unlock = _lock(lock_of(self._ledger))
        except BlockingIOError:
            raise self._locked() from None
        except OSError as error:
            raise LedgerError(
                f"cannot lock {self._ledger}: {error.strerror or error}",
                "The ledger needs a writable folder that supports file locks: name one on a "
                "local disk with --state FILE, or use --no-state.",
            ) from None
        self.describe(None)

    def describe(self, command: str | None) -> None:
        """Record who holds the lock and for what. Never fails: the lock holds without it."""
        told = {"pid": os.getpid(), "host": platform.node(), "command": command, "since": self._since}
        with contextlib.suppress(OSError):
            self._holder.write_text(json.dumps(told), encoding="utf-8")

    def release(self) -> None:
        """Release the lock; harmless if it is not held."""
        if self._unlock is not None:
            with contextlib.suppress(OSError):
                self._holder.unlink()
            self._unlock()
            self._unlock = None

    def _locked(self) -> LedgerLockedError:
        try:
            told: dict[str, Any] = json.loads(self._holder.read_text(encoding="utf-8"))
            since = datetime.fromtimestamp(told["since"], UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
            command = f" ({told['command']})" if told["command"] else ""
            who = f"process {told['pid']} on {told['host']}{command} has held it since {since}"
        except (OSError, ValueError, KeyError, TypeError, OverflowError):
            who = "another process is using it"
        return LedgerLockedError(
            f"another run is using the ledger {self._ledger}: {who}",
            "Wait for it to end: two runs at once for one PIM would overwrite each other's values.",
        )
