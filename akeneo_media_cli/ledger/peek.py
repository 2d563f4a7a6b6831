"""Reads run ids without a lock, for shell completion."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from urllib.parse import quote


def run_ids(path: Path, beginning: str = "", *, command: str | None = None, limit: int = 20) -> list[str]:
    """The latest runs whose ids begin so, newest first, of one command or of all.

    Takes no lock, creates and changes no file, even during a run. Raises `sqlite3.Error` for what is no
    ledger, or none that this program knows.
    """
    # A file in WAL mode that no process has open must be read as immutable: SQLite creates files
    # beside it otherwise. Where they are there already, the latest runs may be in them.
    beside = all(Path(f"{path}{suffix}").exists() for suffix in ("-wal", "-shm"))
    uri = f"file:{quote(str(path))}?mode=ro{'' if beside else '&immutable=1'}"
    connection = sqlite3.connect(uri, uri=True, timeout=0.2)
    try:
        found = connection.execute(
            """SELECT id FROM run WHERE substr(id, 1, length(?)) = ? AND COALESCE(command = ?, TRUE)
               ORDER BY n DESC LIMIT ?""",
            (beginning, beginning, command, limit),
        ).fetchall()
    finally:
        connection.close()
    return [id_ for (id_,) in found]
