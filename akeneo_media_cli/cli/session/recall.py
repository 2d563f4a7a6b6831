"""What a report needs about a run beyond its rows: where files are, and how to show the run again."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ...ledger.record import RunRecord


def locator(record: RunRecord) -> Callable[[Mapping[str, Any]], str | None]:
    """The path of an item's file by the ledger; None where it is gone, or another file by now."""

    def locate(item: Mapping[str, Any]) -> str | None:
        row = record.row(item["row"])
        try:
            found = Path(row.path or "/").stat()
        except (OSError, ValueError):
            return None
        same = (found.st_size, found.st_mtime_ns) == (row.size, row.mtime_ns)
        return row.path if same else None

    return locate


def recall(run: str, state: Path | None, env_file: Path | None) -> str:
    """What `akeneo-media runs show` and `retry` take to find a run: its id, and where its ledger is."""
    words = [run]
    if state is not None:
        words += ["--state", str(state)]
    if env_file is not None:
        words += ["--env-file", str(env_file)]
    return shlex.join(words)
