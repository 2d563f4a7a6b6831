"""Rows settled before anything is sent: counted by displays that count, told by those that tell."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from akeneo_media_cli.cli.terminal.logs import LOGGER, Logged
from akeneo_media_cli.jobs.job import Job
from akeneo_media_cli.jobs.options import RunOptions
from akeneo_media_cli.ledger import Run
from akeneo_media_cli.planning.options import ManifestOptions
from akeneo_media_cli.progress.base import Progress, Silent
from akeneo_media_cli.progress.json_ import JsonLines
from akeneo_media_cli.progress.plain import Plain
from akeneo_media_cli.progress.rich_ import Terminal
from akeneo_media_cli.rows import Status
from akeneo_media_cli.transfer.environment import Environment
from tests.ledger.ledger_rows import opened, planned, unchanged


@pytest.fixture
def run() -> Iterator[Run]:
    """Three rows: one to send, two of 1,002 and 1,003 bytes that are unchanged."""
    with opened(None) as ledger:
        run = ledger.start_run("upload", {})
        run.add([planned(1), planned(2), planned(3)])
        unchanged(run, 2, None)
        unchanged(run, 3, None)
        yield run


def begin(run: Run, progress: Progress) -> int:
    job = Job(RunOptions(ManifestOptions(["m.csv"])), lambda note: [], None, progress, Environment())
    return job.begin(run, Status.INVALID, Status.UNCHANGED)


def test_a_display_that_counts_reads_no_row(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: Any) -> Any:
        raise AssertionError("a row was read")

    monkeypatch.setattr(run, "rows", never)
    out = io.StringIO()
    progress = Plain(out, lambda: 100.0, every=3600)
    assert begin(run, progress) == 1
    progress.finished({})
    assert "2 of 3 rows" in out.getvalue()
    assert "2 unchanged" in out.getvalue()
    # All bytes that there are to handle: the open row's, and those of the settled.
    assert "2.0 kB of 3.0 kB" in out.getvalue()
    assert begin(run, Silent()) == 1


def test_a_terminal_counts_them(run: Run) -> None:
    out = io.StringIO()
    progress = Terminal(out, lambda: 100.0, colour=False, every=3600)
    begin(run, progress)
    progress.finished({})
    assert "2 unchanged" in out.getvalue()


def test_json_tells_each_and_the_log_how_many(run: Run, caplog: pytest.LogCaptureFixture) -> None:
    out = io.StringIO()
    LOGGER.setLevel(logging.INFO)
    LOGGER.addHandler(caplog.handler)
    try:
        begin(run, Logged(JsonLines(out, lambda: 0.0)))
    finally:
        LOGGER.removeHandler(caplog.handler)
    events = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [(e["row"], e["status"]) for e in events if e["event"] == "row_finished"] == [
        (2, "unchanged"),
        (3, "unchanged"),
    ]
    assert "2 rows unchanged" in caplog.messages, "the log counts them: there may be a million every night"


def test_the_log_says_once_that_the_run_waits() -> None:
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    LOGGER.setLevel(logging.INFO)
    LOGGER.addHandler(handler)
    try:
        log = Logged(Silent())
        for seconds in (1.0, 0.8, 0.6, 0.0, 1.0, 0.2, 5.0):
            log.waiting("Rate limited" if seconds else "", seconds)
    finally:
        LOGGER.removeHandler(handler)
    told = out.getvalue().splitlines()
    assert told == [f"waiting {seconds} s: Rate limited" for seconds in (1.0, 1.0, 5.0)]


def test_a_call_that_was_not_waited_for_has_no_second_word(run: Run) -> None:
    out = io.StringIO()
    progress = JsonLines(out, lambda: 0.0)
    late = next(run.items())
    for item in run.open_items():
        progress.row_finished(item["row"], item)
    progress.row_finished(late["row"], {**late, "status": "uploaded"})
    progress.row_finished(1000, {**late, "row": 1000})
    told = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [(event["row"], event["status"]) for event in told] == [(1, "pending"), (1000, "pending")]
