"""Several runs' JSON reports as one: the parts of a job that ran on several machines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, cast

import ijson  # type: ignore[import-untyped]

from ..errors import UsageError
from ..exits import Exit, worst
from .items import Report

_HEADER = ("tool", "pim", "run", "command", "exit_status", "started_at", "finished_at", "summary")


def merged(paths: Sequence[Path]) -> Report:
    """One report of all: summaries added up, from the first start to the last end, the worst exit status and
    the first `error`.

    Its items are read from the files again for each format, a few in memory at a time. Raises UsageError for
    a file that is not a JSON report of ours.
    """
    heads = [_head(path) for path in paths]
    summary: dict[str, Any] = {}
    for head in heads:
        for key, value in head["summary"].items():
            if isinstance(value, (int, float)):
                summary[key] = summary.get(key, 0) + value
    statuses = [head["exit_status"] for head in heads]
    started = min(str(head["started_at"]) for head in heads)
    ends = [head["finished_at"] for head in heads]
    finished = None if None in ends else max(map(str, ends))
    return Report(
        tool=heads[0]["tool"],
        pim=heads[0]["pim"],
        run=", ".join(str(head["run"]) for head in heads),
        command=str(heads[0]["command"]),
        # A run without an end has rows that are pending, if it has any.
        exit_status=worst(*(Exit(Exit.PENDING if s is None else s) for s in statuses)),
        started_at=started,
        finished_at=finished,
        duration_seconds=None if finished is None else (_time(finished) - _time(started)).total_seconds(),
        summary=summary,
        items=lambda: _items(paths),
        # Reports of before there was one have none.
        error=next((head["error"] for head in heads if head.get("error")), None),
    )


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _head(path: Path) -> Mapping[str, Any]:
    """All but the items. The file is read as a stream: a million rows need not be in memory."""
    builder = ijson.ObjectBuilder()
    try:
        with path.open("rb") as file:
            for prefix, event, value in ijson.parse(file, use_float=True):
                inside = prefix == "items" or prefix.startswith("items.")
                if not inside and (prefix, event, value) != ("", "map_key", "items"):
                    builder.event(event, value)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}", "name a report that can be read") from None
    except ijson.JSONError as error:
        raise UsageError(
            f"{path} is not a JSON report: {error}", "Only .json reports can be merged."
        ) from None
    head = builder.value
    known = isinstance(head, dict) and not set(_HEADER) - set(head)
    if not known or not isinstance(head["summary"], dict) or not isinstance(head.get("error") or {}, dict):
        raise UsageError(
            f"{path} is not a report of akeneo-media", "Name files that --report wrote as .json."
        )
    return cast("Mapping[str, Any]", head)


def _items(paths: Sequence[Path]) -> Iterator[Mapping[str, Any]]:
    for path in paths:
        with path.open("rb") as file:
            yield from ijson.items(file, "items.item", use_float=True)
