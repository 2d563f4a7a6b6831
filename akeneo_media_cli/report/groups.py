"""What went wrong, drawn together by cause."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .items import GOOD


@dataclass
class Group:
    """The rows with one `error.kind`, or with one status where they carry no error."""

    kind: str
    count: int = 0
    rows: list[Mapping[str, Any]] = field(default_factory=list)
    """The first few."""
    hint: str | None = None
    """How to fix all the rows; None where each has its own."""

    def add(self, item: Mapping[str, Any], keep: int) -> None:
        """Count `item`, and keep it while there are fewer than `keep`."""
        hint = hint_of(item)
        self.hint = hint if not self.count or hint == self.hint else None
        self.count += 1
        if len(self.rows) < keep:
            self.rows.append(item)


def grouped(items: Iterable[Mapping[str, Any]], keep: int) -> list[Group]:
    """The rows that need somebody's attention, by cause, the most frequent first; `keep` rows of each.

    Rows that are pending without an error only wait for the next run: they are no trouble to group.
    """
    groups: dict[str, Group] = {}
    for item in items:
        kind = cause(item)
        if kind is not None:
            groups.setdefault(kind, Group(kind)).add(item, keep)
    return sorted(groups.values(), key=lambda group: -group.count)


def cause(item: Mapping[str, Any]) -> str | None:
    """What the row is grouped under: its error's kind, else its status; None where nothing is wrong."""
    status = item.get("status")
    if status in GOOD:
        return None
    error = item.get("error")
    if error:
        return str(error.get("kind"))
    return None if status == "pending" else str(status)


def message_of(item: Mapping[str, Any]) -> str:
    """What was found, or what the PIM said."""
    return str((item.get("error") or {}).get("message") or item.get("status"))


def hint_of(item: Mapping[str, Any]) -> str:
    """How to fix the row; empty if unknown."""
    return str((item.get("error") or {}).get("hint") or "")
