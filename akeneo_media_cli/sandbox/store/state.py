"""What a sandbox with `--data` remembers: one SQLite file, written through on every change."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any


class State:
    """Things by kind and key, as JSON. Without a path it remembers nothing."""

    def __init__(self, path: Path | None) -> None:
        self._db: sqlite3.Connection | None = None
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=NORMAL")
            self._db.execute(
                "CREATE TABLE IF NOT EXISTS thing "
                "(kind TEXT, key TEXT, body TEXT NOT NULL, PRIMARY KEY (kind, key))"
            )

    def put(self, kind: str, key: str, body: Any) -> None:
        """Remembers a thing, or forgets it where `body` is None."""
        if self._db is None:
            return
        if body is None:
            self._db.execute("DELETE FROM thing WHERE kind = ? AND key = ?", (kind, key))
        else:
            self._db.execute("REPLACE INTO thing VALUES (?, ?, ?)", (kind, key, json.dumps(body)))

    def all(self, kind: str) -> dict[str, Any]:
        """Everything of one kind, in the order of keys."""
        if self._db is None:
            return {}
        rows = self._db.execute("SELECT key, body FROM thing WHERE kind = ? ORDER BY rowid", (kind,))
        return {key: json.loads(body) for key, body in rows}

    def close(self) -> None:
        """Closes the file."""
        if self._db is not None:
            self._db.close()
            self._db = None
