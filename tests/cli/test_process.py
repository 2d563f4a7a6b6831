"""Standard streams, the log of a defect, log lines, and notes for who wants no progress."""

from __future__ import annotations

import io
import json
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from akeneo_media_cli.cli.options import LogForm, Logging
from akeneo_media_cli.cli.terminal import logs
from akeneo_media_cli.cli.terminal.defect import keep
from akeneo_media_cli.cli.terminal.process import catch_termination, say, wind_up
from akeneo_media_cli.errors import Failure, Kind, UsageError
from akeneo_media_cli.pim.http.transport import CallInfo
from akeneo_media_cli.progress import Silent
from akeneo_media_cli.progress.notes import Notes
from akeneo_media_cli.rows import Target, TargetType

TARGET = Target(TargetType.PRODUCT, "sku-1")

PROGRAM = """
import os, sys
from akeneo_media_cli.cli.terminal.process import open_streams, say
from akeneo_media_cli.console import hush
open_streams()
taken = os.open(os.devnull, os.O_RDONLY)
say("nobody hears this")
try:
    print("data", flush=True)
    wrote = True
except OSError:
    wrote = False
with open("seen", "w") as file:
    file.write(repr((taken > 2, wrote, sys.stdin.read())))
hush(sys.stdout)
"""


@pytest.mark.parametrize(
    ("redirections", "wrote"),
    [("", True), ("<&-", True), (">&-", False), ("2>&-", True), ("<&- >&- 2>&-", False)],
)
def test_no_file_gets_the_number_of_a_closed_stream(tmp_path: Path, redirections: str, wrote: bool) -> None:
    subprocess.run(
        ["/bin/bash", "-c", f'exec "$@" {redirections}', "sh", sys.executable, "-c", PROGRAM],
        cwd=tmp_path, stdin=subprocess.DEVNULL, capture_output=True, check=True,
    )  # fmt: skip
    assert (tmp_path / "seen").read_text("utf-8") == repr((True, wrote, ""))


def test_saying_something_never_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    say("a")
    assert stream.getvalue() == "a\n"
    stream.close()
    say("b")


def test_sigterm_leaves_with_its_status() -> None:
    before = signal.getsignal(signal.SIGTERM)
    try:
        catch_termination()
        with pytest.raises(SystemExit) as leaving:
            os.kill(os.getpid(), signal.SIGTERM)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert leaving.value.code == 143


def test_nothing_replaces_an_exit_status_that_is_decided() -> None:
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.getsignal(number) for number in numbers]
    try:
        wind_up()
        for number in numbers:
            os.kill(os.getpid(), number)
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


# Defects.


def defect(error: Exception) -> str:
    try:
        raise error
    except type(error):
        return keep()


def test_a_defect_keeps_its_traceback_where_nobody_else_reads_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setenv("AKENEO_CLIENT_SECRET", "open-sesame")
    told = defect(ValueError("two\nlines of open-sesame"))
    (log,) = tmp_path.iterdir()
    assert str(log) in told
    assert len(told.splitlines()) == 2
    text = log.read_text("utf-8")
    assert "raise error" in text
    assert "open-sesame" not in told + text
    assert log.stat().st_mode & 0o777 == 0o600
    assert "open-ses" not in defect(ValueError(f"{'x' * 325}open-sesame{'y' * 900}")), "cut, then hidden"
    assert len(list(tmp_path.iterdir())) == 2
    defect(KeyError("x"))
    assert len(list(tmp_path.iterdir())) == 3, "one a defect, also within a second"


def test_a_defect_without_room_for_its_log_is_told_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "nowhere"))
    assert "the log could not be written" in defect(ValueError("x"))


# Logs.


class Heard(Silent):
    def __init__(self) -> None:
        self.notes: list[str] = []
        self.calls: list[str] = []

    def note(self, message: str, *, hint: str = "", level: str = "warning") -> None:
        self.notes.append(f"{level}: {message}")

    def waiting(self, reason: str, seconds: float) -> None:
        self.calls.append("waiting")


ITEM = {"manifest": "m.csv", "line": 2, "file": "a.jpg", "status": "failed",
        "error": {"kind": "refused", "message": "No\nway"}}  # fmt: skip


def test_a_log_file_gets_all_that_happens(tmp_path: Path) -> None:
    heard = Heard()
    shown = logs.set_up(heard, Logging(log_file=tmp_path / "run.log"))
    shown.started(rows=3, size=10, concurrency=4)
    shown.row_started(1, file="a.jpg", target=TARGET, size=5, attempt=1)
    shown.row_sent(1, 5)
    shown.row_retried(1, failure=Failure(Kind.TIMEOUT, "silence", ""), delay=1.5)
    shown.waiting("the PIM asks to wait", 3.0)
    shown.waiting("", 0.0)
    shown.limit(2)
    shown.note("beware", hint="of the dog")
    shown.row_finished(1, ITEM)
    shown.row_finished(2, {**ITEM, "status": "uploaded", "error": None})
    logs.request(CallInfo("POST", "/api/rest/v1/media-files", 201, None, 0.25, 1234, 1))
    logs.request(CallInfo("GET", "/x", None, TimeoutError("silence"), 1.0, 0, 1))
    shown.finished({"total": 3})
    text = (tmp_path / "run.log").read_text("utf-8")
    for words in (
        "3 rows",
        "again in 1.5 s",
        "waiting 3.0 s",
        "at most 2 calls",
        "beware; of the dog",
        "m.csv:2 a.jpg: failed: refused: No way",
        "m.csv:2 a.jpg: uploaded\n",
        "POST /api/rest/v1/media-files: 201 in 0.250 s, 1234 bytes sent",
        "GET /x: silence",
        "done",
    ):
        assert words in text
    assert heard.notes == ["warning: beware"]
    assert heard.calls == ["waiting", "waiting"]


def test_log_lines_on_the_screen_stand_beside_the_display(tmp_path: Path) -> None:
    heard = Heard()
    shown = logs.set_up(heard, Logging(verbose=1))
    shown.limit(2)
    shown.note("beware")
    logs.request(CallInfo("GET", "/x", 200, None, 1.0, 0, 1))
    assert len(heard.notes) == 2, "a note once, and no requests without -vv"
    json_heard = Heard()
    logs.set_up(json_heard, Logging(tmp_path / "x.log", LogForm.json, verbose=2))
    logs.request(CallInfo("GET", "/x", 200, None, 1.0, 0, 1))
    assert json.loads((tmp_path / "x.log").read_text("utf-8"))["level"] == "debug"
    assert len(json_heard.notes) == 1


def test_a_log_that_cannot_be_written_is_wrong_usage(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--log-file"):
        logs.set_up(Silent(), Logging(tmp_path / "nowhere" / "run.log"))
    plain = Silent()
    assert logs.set_up(plain, Logging()) is plain


@pytest.fixture(autouse=True)
def _no_handlers_left() -> Iterator[None]:
    yield
    for handler in list(logging.getLogger("akeneo_media_cli").handlers):
        handler.close()
        logs.LOGGER.removeHandler(handler)


# Notes.


@pytest.mark.parametrize(
    ("least", "shown"),
    [("info", ["info", "warning", "error"]), ("warning", ["warning", "error"]), ("error", ["error"])],
)
def test_notes_are_shown_from_a_level_upwards(least: str, shown: list[str]) -> None:
    stream = io.StringIO()
    notes = Notes(stream, least, {})
    for level in ("info", "warning", "error"):
        notes.note("x", hint="y", level=level)
    notes.started(rows=1, size=1, concurrency=1)
    assert stream.getvalue() == "".join(f"{level}: x (y)\n" for level in shown)
