"""How many values a run changes, or would."""

from __future__ import annotations

from collections.abc import Mapping

from .items import Report

_WORDS = {"new": "new", "replace": "to replace", "none": "unchanged"}
_TOLD = {"new": "new", "replace": "replaced", "none": "unchanged"}


def changes(report: Report) -> dict[str, int]:
    """How many rows are `new`, `replace` and `none`; those with an error are not counted."""
    counts: dict[str, int] = {}
    for item in report.items():
        change = item.get("change")
        if change and not item.get("error"):
            counts[str(change)] = counts.get(str(change), 0) + 1
    return {name: counts[name] for name in _WORDS if name in counts}


def in_words(counts: Mapping[str, int], *, planned: bool) -> str:
    """The counts as a sentence has them: `4 new, 4 to replace, 2 unchanged`."""
    words = _WORDS if planned else _TOLD
    return ", ".join(f"{number:,} {words[name]}" for name, number in counts.items())
