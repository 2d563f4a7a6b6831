"""Where a PIM's ledger is, and how its file is opened, checked, and set aside if it is broken."""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path
from urllib.parse import urlsplit

from ..errors import LedgerError
from ..settings import expanded
from . import schema
from .history import close_dead, prune
from .ledger import Ledger
from .lock import LedgerLock, lock_of
from .store import DamagedError, Store

Clock = Callable[[], float]
Note = Callable[[str, str], None]

_MAGIC = b"SQLite format 3\0"
_HEAD = 72
"""Bytes up to the end of the application id in SQLite's file header."""
CHECKED_WHOLE = 64 * 1024 * 1024
"""A file of up to so many bytes has every page checked at every opening."""
PROBE = 256 * 1024
"""So many bytes, those of some hundred rows, must be writable at opening: a full disk shows at once."""


def default_path(pim_url: str) -> Path:
    """The ledger of this PIM in the user's state folder (unless `--state` names another).

    Raises LedgerError for an account without a home folder.
    """
    from platformdirs import user_state_path

    url = _same(pim_url)
    host = re.sub(r"[^a-z0-9.-]+", "_", urlsplit(url).netloc).strip("._-")[:60]
    digest = blake2b(url.encode("utf-8", "surrogatepass"), digest_size=4).hexdigest()
    try:
        folder = user_state_path("akeneo-media", appauthor=False)
    except RuntimeError:
        folder = Path()
    if not folder.is_absolute():  # as an older platformdirs has it
        raise LedgerError(
            "this account has no home folder for the ledger",
            "Name a file with --state FILE, keep no ledger with --no-state, or set HOME.",
        )
    return folder / f"{host}-{digest}.sqlite"


def open_ledger(
    path: Path | None,
    *,
    pim_url: str | None,
    clock: Clock,
    note: Note,
    exclusive: bool = True,
) -> Ledger:
    """Open the ledger of the PIM at `pim_url`, beginning it if there is none; `path` None keeps none.

    Without a path the same tables live in memory and, where they are large, in a file without a name: they
    are gone when the ledger is closed.
    `pim_url` None, to read only, takes the file for the PIM that it says it is of.
    `clock` gives seconds since 1970; `note(message, hint)` tells the user. `exclusive` takes
    the lock of a run; without it the ledger is only read, whether or not a run goes on.

    A damaged ledger is renamed, never deleted, and a new one is started. Raises `LedgerLockedError` if
    another process holds it, and `LedgerError` if it cannot be written, belongs to another PIM, is newer, or
    was no ledger.
    """
    with ExitStack() as cleanup:
        if path is None or not (exclusive or expanded(path).exists()):
            return Ledger(_begin_temporary(cleanup, pim_url or ""), clock, cleanup.pop_all())
        path = Path(os.path.realpath(expanded(path)))
        if not exclusive:
            return Ledger(_open_to_read(path, cleanup, pim_url, clock, note), clock, cleanup.pop_all())
        if pim_url is None:
            raise ValueError("a run is of one PIM")
        _make_folder(path)
        _refuse_other_files(path)
        lock = LedgerLock(path, clock)
        lock.acquire()
        cleanup.callback(lock.release)
        store = _open_sound(path, cleanup, pim_url, clock, note)
        if close_dead(store):
            # A killed run could not do this itself.
            prune(store, clock())
        _probe(store)
        return Ledger(store, clock, cleanup.pop_all(), lock)


def _make_folder(path: Path) -> None:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise LedgerError(
            f"the ledger's folder {path.parent} cannot be created: {error.strerror}",
            "Name a writable file with --state FILE, or keep no ledger with --no-state.",
        ) from None
    if path.exists() and not path.is_file():
        raise LedgerError(f"{path} is not a file", "Name a file with --state FILE.")


def _refuse_other_files(path: Path) -> None:
    """Raise `LedgerError` for a file that never was a ledger: a typo in --state must not destroy a file."""
    head = _head(path)
    if (
        not head.strip(b"\0")
        or head.startswith(_MAGIC)
        # These show that it was a ledger, even if its first bytes are damaged.
        or head.endswith(schema.APPLICATION_ID.to_bytes(4, "big"))
        or lock_of(path).exists()
    ):
        return
    raise LedgerError(
        f"{path} is not a ledger but another kind of file",
        "It is left unchanged: name another file with --state FILE, or move this one away.",
    )


def _open_sound(path: Path, cleanup: ExitStack, pim_url: str, clock: Clock, note: Note) -> Store:
    try:
        store = _sound_store(path)
    except DamagedError:
        _set_aside(path, clock, note)
        store = _sound_store(path)

    def close() -> None:
        store.close()
        if store.damaged:
            # Found damaged during the run: the next run starts a new one.
            _set_aside(path, clock, note)

    cleanup.callback(close)
    _claim(store, pim_url)
    return store


def _sound_store(path: Path) -> Store:
    """Open and check the file, and bring it to the newest version; `DamagedError` if it is broken."""
    _check_magic(path)
    store = Store(path)
    try:
        with store.bare() as connection:
            schema.migrate(connection, place=f"the ledger {path}")
            # Damage in pages that this check skips in larger files is found when they are read.
            whole = path.stat().st_size <= CHECKED_WHOLE
            (found,) = connection.execute(f"PRAGMA quick_check({'1' if whole else 'run'})").fetchone()
            if found != "ok":
                raise sqlite3.DatabaseError(found.splitlines()[-1])
    except BaseException:
        store.close()
        raise
    return store


def _check_magic(path: Path) -> None:
    # SQLite would take any write-ahead log beside the file for its own, and delete it.
    head = _head(path)[: len(_MAGIC)]
    if head and head != _MAGIC:
        raise DamagedError(
            f"{path} is not a ledger",
            "The next upload renames it and starts a new one; or name another file with --state.",
        )


def _head(path: Path) -> bytes:
    """The file's first bytes, through its application id; none where there is no file."""
    try:
        with path.open("rb") as file:
            return file.read(_HEAD)
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise LedgerError(
            f"the ledger {path} cannot be read: {error.strerror}",
            "Name another file with --state FILE, or keep no ledger with --no-state.",
        ) from None


def _open_to_read(path: Path, cleanup: ExitStack, pim_url: str | None, clock: Clock, note: Note) -> Store:
    _check_magic(path)
    place = f"the ledger {path}"
    store = Store(path, readonly=True)
    cleanup.callback(store.close)
    with store.bare() as connection:
        version = schema.current(connection, place=place)
    if version < len(schema.MIGRATIONS):
        # Needs the lock, and only once after an upgrade.
        open_ledger(path, pim_url=pim_url, clock=clock, note=note).close()
    if pim_url is not None:
        _check_pim(store, pim_url)
    return store


def _begin_temporary(cleanup: ExitStack, pim_url: str) -> Store:
    store = Store(None)
    cleanup.callback(store.close)
    with store.bare() as connection:
        schema.migrate(connection, place=store.name)
    _claim(store, pim_url)
    return store


def _claim(store: Store, pim_url: str) -> None:
    """Record which PIM the ledger belongs to, if it is not recorded."""
    if not _check_pim(store, pim_url):
        with store.write() as connection:
            connection.execute("INSERT INTO meta VALUES ('pim_url', ?)", (pim_url,))


def _check_pim(store: Store, pim_url: str) -> bool:
    """Whether the file says which PIM it belongs to; `LedgerError` if that is another one."""
    found = store.read("SELECT content FROM meta WHERE name = 'pim_url'")
    if found and _same(found[0][0]) != _same(pim_url):
        raise LedgerError(
            f"{store.name} belongs to the PIM at {found[0][0]}, not to {pim_url}",
            "Use one file per PIM: name another with --state FILE, or leave --state out.",
        )
    return bool(found)


def _same(pim_url: str) -> str:
    """One text for all ways to write one PIM's address."""
    parts = urlsplit(pim_url)
    port = (
        f":{parts.port}" if parts.port and parts.port != {"http": 80, "https": 443}.get(parts.scheme) else ""
    )
    return f"{parts.scheme}://{parts.hostname or ''}{port}{parts.path.rstrip('/')}"


def _probe(store: Store) -> None:
    with store.write() as connection:
        connection.execute("INSERT OR REPLACE INTO meta VALUES ('probe', zeroblob(?))", (PROBE,))
    with store.bare() as connection:
        # From the log into the file: both must be able to grow.
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    with store.write() as connection:
        connection.execute("DELETE FROM meta WHERE name = 'probe'")


def _set_aside(path: Path, clock: Clock, note: Note) -> None:
    stamp = datetime.fromtimestamp(clock(), UTC).strftime("%Y%m%dT%H%M%SZ")
    name = f"{path.name}.damaged-{stamp}"
    count = 1
    while path.with_name(name).exists():
        count += 1
        name = f"{path.name}.damaged-{stamp}-{count}"
    try:
        for suffix in ("", "-wal", "-shm"):
            part = path.with_name(path.name + suffix)
            if part.exists():
                part.rename(path.with_name(name + suffix))
    except OSError as error:
        raise LedgerError(
            f"the ledger {path} is damaged and cannot be renamed: {error.strerror}",
            "Move it away, or name another file with --state FILE.",
        ) from None
    note(
        f"the ledger {path} was damaged; it was renamed to {name}",
        "A new one is started. With --skip remote (the default) the PIM is asked what is there already.",
    )
