"""Keeps links that contain secrets, for as long as the process lives; everything else sees a stand-in."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import threading


class SecretStore:
    """Links by a text that may be shown and stored in their place. Usable by any number of threads.

    A temporary SQLite database: a million links need next to no memory, and its file, if there is one, has no
    name and disappears with the process.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._store: sqlite3.Connection | None = None
        # Nobody knows it, so a stand-in cannot be used to check a guess of the link.
        self._salt = os.urandom(16)

    def put(self, shown: str, whole: str) -> str:
        """Keep a link. Returns its stand-in, a different one for each link."""
        digest = hashlib.blake2b(whole.encode("utf-8", "surrogatepass"), key=self._salt, digest_size=8)
        name = f"{shown}#{digest.hexdigest()}"
        with self._lock:
            if self._store is None:
                self._store = sqlite3.connect("", check_same_thread=False, isolation_level=None)
                self._store.execute("CREATE TABLE link (name TEXT PRIMARY KEY, whole TEXT) WITHOUT ROWID")
            self._store.execute("INSERT OR REPLACE INTO link VALUES (?, ?)", (name, whole))
        return name

    def get(self, name: str) -> str | None:
        """The link behind a stand-in; None if another process kept it."""
        with self._lock:
            if self._store is None:
                return None
            found = self._store.execute("SELECT whole FROM link WHERE name = ?", (name,)).fetchone()
        return None if found is None else str(found[0])

    def close(self) -> None:
        """Forget everything. May be called twice."""
        with self._lock:
            if self._store is not None:
                self._store.close()
                self._store = None
