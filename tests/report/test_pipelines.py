"""What pipelines and monitoring read: annotations, the step summary, metrics, and logs as JSON."""

from __future__ import annotations

import io
import json
import logging
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from akeneo_media_cli.errors import ReportError
from akeneo_media_cli.progress import make_progress
from akeneo_media_cli.progress.base import Silent
from akeneo_media_cli.progress.logs import JsonFormatter, ProgressHandler
from akeneo_media_cli.progress.notes import Notes
from akeneo_media_cli.report import Report
from akeneo_media_cli.report.annotations import MOST, annotate
from akeneo_media_cli.report.json_ import write_json
from akeneo_media_cli.report.metrics import write_metrics
from akeneo_media_cli.report.summary import write_summary

from .samples import hostile_items, item, long_report, report


def annotated(of: Report, **environ: str) -> list[str]:
    out = io.StringIO()
    annotate(of, stream=out, environ={"GITHUB_ACTIONS": "true", **environ})
    return out.getvalue().splitlines()


def test_each_bad_row_is_on_its_line() -> None:
    rows = [item(2), item(3, "failed", manifest="a,b:c 100%.csv"), item(4, "invalid"), item(5, "pending")]
    assert annotated(report(*rows)) == [
        "::error file=a%2Cb%3Ac 100%25.csv,line=3,title=Extension not allowed::"
        "images/3.jpg (product sku-3 picture): The tiff file extension is not allowed"
        "%0Apicture takes jpg, jpeg, png: convert the file, or name another attribute",
        "::error file=spring.csv,line=4,title=Extension not allowed::"
        "images/4.jpg (product sku-4 picture): The tiff file extension is not allowed"
        "%0Apicture takes jpg, jpeg, png: convert the file, or name another attribute",
    ]


def test_manifests_are_named_from_the_repositorys_root(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "media").mkdir()
    monkeypatch.chdir(tmp_path / "media")
    rows = [
        item(3, "failed"),
        item(3, "failed", manifest="/elsewhere/m.csv"),
        item(3, "failed", manifest="-"),
    ]
    inside, outside, stdin = annotated(report(*rows), GITHUB_WORKSPACE=str(tmp_path))
    assert inside.startswith("::error file=media/spring.csv,line=3,")
    assert outside.startswith("::error file=/elsewhere/m.csv,line=3,")
    assert stdin.startswith("::error title=")


def test_no_annotations_elsewhere() -> None:
    out = io.StringIO()
    annotate(report(item(2, "failed")), stream=out, environ={})
    assert out.getvalue() == ""


def test_hostile_rows_give_one_command_each(tmp_path: Path) -> None:
    lines = annotated(report(*hostile_items()), GITHUB_WORKSPACE=str(tmp_path))
    assert len(lines) == len(hostile_items())
    assert all(re.match(r"::error file=[^,:]*,line=\d+,title=Refused by the PIM::.", line) for line in lines)


def test_a_log_is_not_flooded() -> None:
    lines = annotated(long_report(MOST + 500, "failed"))
    assert len(lines) == MOST + 1
    assert lines[-1] == "::error::500 more rows not uploaded: see the report"


def test_the_closing_summary_gives_the_runner_no_commands() -> None:
    error = {"kind": "refused", "http_status": 422, "message": "::add-mask::e", "hint": "##[add-mask]e"}
    out = io.StringIO()
    environ = {"GITHUB_ACTIONS": "true"}
    write_summary(report(item(2, "failed", error=error), exit_status=1), stream=out, environ=environ)
    assert "add-mask" in out.getvalue()
    assert "::" not in out.getvalue()
    assert "##[" not in out.getvalue()


def test_neither_notes_nor_json_give_the_runner_commands() -> None:
    evil = "::add-mask::e ##[add-mask]e ##vso[task.complete]"
    environ = {"GITHUB_ACTIONS": "true"}
    out = io.StringIO()
    for mode in ("plain", "json"):
        progress = make_progress(mode, stream=out, environ=environ, clock=lambda: 0.0)
        progress.note(evil, hint=evil)
        progress.row_finished(1, item(2, "failed", file=evil))
        progress.waiting(evil, 5)
        progress.finished({})
    Notes(out, "warning", environ).note(evil)
    write_json(report(item(2, "failed", file=evil)), out, ascii_only=True)
    assert "add-mask" in out.getvalue()
    assert "::" not in out.getvalue()
    assert "##[" not in out.getvalue()
    events = [json.loads(line) for line in out.getvalue().splitlines() if line.startswith('{"event"')]
    assert events[1]["file"] == evil, "the same to whoever reads JSON"


def test_elsewhere_notes_stay_as_they_are() -> None:
    out = io.StringIO()
    Notes(out, "warning", {}).note("http://[::1]:8080")
    assert out.getvalue() == "warning: http://[::1]:8080\n"


def test_the_step_summary_is_appended_to_and_bounded(tmp_path: Path) -> None:
    path = tmp_path / "summary"
    path.write_text("before\n")
    annotated(report(item(2, "failed", file="\udcff")), GITHUB_STEP_SUMMARY=str(path))
    assert path.read_text().startswith("before\n## akeneo-media upload: 1 failed\n")
    path.write_bytes(b"x" * (1 << 20))
    annotated(report(item(2, "failed")), GITHUB_STEP_SUMMARY=str(path))
    assert path.stat().st_size == 1 << 20
    with pytest.raises(ReportError, match="GITHUB_STEP_SUMMARY"):
        annotated(report(), GITHUB_STEP_SUMMARY=str(tmp_path))


METRIC = re.compile(r'akeneo_media_[a-z_]+\{([a-z]+="(\\["\\n]|[^"\\\n])*",?)+\} [0-9.e+]+')


def metrics(path: Path, of: Report) -> dict[str, float]:
    write_metrics(str(path), of)
    lines = path.read_text().splitlines()
    samples = [line for line in lines if not line.startswith("# ")]
    assert all(METRIC.fullmatch(line) for line in samples)
    typed = {line.split()[2] for line in lines if line.startswith("# TYPE")}
    assert {line.split("{")[0] for line in samples} == typed
    return {
        re.sub(r'pim=.*?command="upload",?', "", name): float(value)
        for name, value in (line.rsplit(" ", 1) for line in samples)
    }


def test_metrics_of_a_run(tmp_path: Path) -> None:
    got = metrics(tmp_path / "m.prom", report(item(2), item(3, "failed"), exit_status=1))
    assert got['akeneo_media_rows{status="uploaded"}'] == 1
    assert got['akeneo_media_rows{status="failed"}'] == 1
    assert got['akeneo_media_rows{status="pending"}'] == 0
    assert got["akeneo_media_sent_bytes{}"] == 481223
    assert got["akeneo_media_throttled{}"] == 0
    assert got["akeneo_media_retries{}"] == 1
    assert got["akeneo_media_duration_seconds{}"] == 9.1
    assert got["akeneo_media_exit_status{}"] == 1
    assert got["akeneo_media_finished_timestamp_seconds{}"] == 1795428909
    assert "akeneo_media_last_success_timestamp_seconds{}" not in got


def test_the_last_success_outlives_failures(tmp_path: Path) -> None:
    path = tmp_path / "m.prom"
    success = "akeneo_media_last_success_timestamp_seconds{}"
    pim: dict[str, Any] = {"url": 'https://"quoted"\\\n\udcff'}
    assert metrics(path, report(pim=pim))[success] == 1795428909
    later = report(pim=pim, exit_status=5, finished_at="2026-11-24T10:15:09.5Z".replace(".5Z", ".500Z"))
    assert metrics(path, later)[success] == 1795428909
    assert metrics(path, report(pim=None, exit_status=5)).get(success) is None, "another PIM's"
    assert [entry.name for entry in tmp_path.iterdir()] == ["m.prom"]


@pytest.mark.parametrize("place", ["none/m.prom", "nul\0.prom", "."])
def test_metrics_that_cannot_be_written(tmp_path: Path, place: str) -> None:
    with pytest.raises(ReportError, match="cannot be written"):
        write_metrics(str(tmp_path / place), report())
    assert list(tmp_path.iterdir()) == []


def test_log_records_as_json() -> None:
    formatter = JsonFormatter()
    try:
        raise ValueError("in\nlines")
    except ValueError:
        info = sys.exc_info()
    record = logging.LogRecord(
        "akeneo_media_cli.pim", logging.WARNING, "f", 1, "got %s", ("\x1b\udcff",), info
    )
    record.created = 1_795_428_900.0
    text = formatter.format(record)
    assert len(text.splitlines()) == 1
    line = json.loads(text)
    assert "ValueError: in\nlines" in line.pop("exception")
    assert line == {
        "time": "2026-11-23T10:15:00.000Z",
        "level": "warning",
        "logger": "akeneo_media_cli.pim",
        "message": "got \x1b\udcff",
    }
    plain = logging.LogRecord("x", logging.INFO, "f", 1, "fine", (), None)
    assert "exception" not in json.loads(formatter.format(plain))


def test_log_records_beside_a_display() -> None:
    class Display(Silent):
        def __init__(self) -> None:
            self.notes: list[tuple[str, str]] = []

        def note(self, message: str, *, hint: str = "", level: str = "warning") -> None:
            self.notes.append((level, message))

    display = Display()
    logger = logging.Logger("x")
    logger.addHandler(ProgressHandler(display))
    logger.info("one")
    logger.warning("two")
    logger.critical("three")
    assert display.notes == [("info", "one"), ("warning", "two"), ("error", "three")]
