"""Where the whole of links is kept whose secrets nothing may show: for as long as the process lives."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import threading


class Vault:
    """Links by a text that may be shown and stored in their place. For any number of threads.

    A temporary database of SQLite: a million links take no memory to speak of, and its file, if it comes to
    one, has no name and goes with the process.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._store: sqlite3.Connection | None = None
        # Unknown to everybody: what stands for a link tells nothing of it, not even to one who guesses.
        self._salt = os.urandom(16)

    def put(self, shown: str, whole: str) -> str:
        """Keep a link; the text that stands for it, another for each link."""
        digest = hashlib.blake2b(whole.encode("utf-8", "surrogatepass"), key=self._salt, digest_size=8)
        name = f"{shown}#{digest.hexdigest()}"
        with self._lock:
            if self._store is None:
                self._store = sqlite3.connect("", check_same_thread=False, isolation_level=None)
                self._store.execute("CREATE TABLE link (name TEXT PRIMARY KEY, whole TEXT) WITHOUT ROWID")
            self._store.execute("INSERT OR REPLACE INTO link VALUES (?, ?)", (name, whole))
        return name

    def get(self, name: str) -> str | None:
        """The link that a text stands for; None if it was kept by another process."""
        with self._lock:
            if self._store is None:
                return None
            found = self._store.execute("SELECT whole FROM link WHERE name = ?", (name,)).fetchone()
        return None if found is None else str(found[0])

    def close(self) -> None:
        """Forget all; harmless when closed."""
        with self._lock:
            if self._store is not None:
                self._store.close()
                self._store = None
