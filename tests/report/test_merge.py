"""Reports of several runs as one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from akeneo_media_cli.errors import UsageError
from akeneo_media_cli.exits import Exit
from akeneo_media_cli.report.merge import merged


def written(path: Path, run: str, status: int, items: list[dict[str, Any]], **times: str) -> Path:
    summary = {"total": len(items), "uploaded": len(items), "bytes_sent": 10, "retries": 1}
    document = {
        "tool": {"name": "akeneo-media", "version": "0.1.0"},
        "pim": {"url": "https://pim", "version": "7.0"},
        "run": run,
        "command": "upload",
        "exit_status": status,
        "started_at": times.get("start", "2026-11-23T10:00:00Z"),
        "finished_at": times.get("end", "2026-11-23T10:00:09.500Z"),
        "duration_seconds": 9.5,
        "summary": summary,
        "items": items,
    }
    path.write_text(json.dumps(document), "utf-8")
    return path


def test_sums_times_and_the_worst_status(tmp_path: Path) -> None:
    a = written(tmp_path / "a.json", "one", 5, [{"line": 2, "items": [1]}], start="2026-11-23T09:59:00Z")
    b = written(tmp_path / "b.json", "two", 1, [{"line": 3}, {"line": 4}], end="2026-11-23T10:01:00Z")
    report = merged([a, b])
    assert report.exit_status is Exit.ROWS_FAILED
    assert report.summary == {"total": 3, "uploaded": 3, "bytes_sent": 20, "retries": 2}
    assert report.duration_seconds == 120
    assert report.run == "one, two"
    assert [item["line"] for item in report.items()] == [2, 3, 4]
    assert [item["line"] for item in report.items()] == [2, 3, 4], "a second format reads it again"


@pytest.mark.parametrize("text", ["", "[]", "{}", '"items"', '{"items": [1]}', "product,file\na,b\n", "\x00"])
def test_what_is_no_report_is_said_to_be_none(tmp_path: Path, text: str) -> None:
    good = written(tmp_path / "a.json", "one", 0, [])
    bad = tmp_path / "b.json"
    bad.write_text(text, "utf-8")
    with pytest.raises(UsageError, match=r"b\.json"):
        merged([good, bad])


def test_a_report_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        merged([tmp_path / "none.json"])
