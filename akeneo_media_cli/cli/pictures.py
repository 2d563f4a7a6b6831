"""Where the files of a run's rows are, for the thumbnails of its HTML report."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..run.ledger.record import RunRecord


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
