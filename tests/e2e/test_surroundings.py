"""A shell, a disk and an environment that are not as they should be; and what is left of a defect."""

from __future__ import annotations

import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import Bench, Bencher
from .many import change, check_all, many, running, uploads, wait_for_uploads


def in_shell(b: Bench, redirections: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    line = f'exec "$@" {redirections}'
    return subprocess.run(
        ["/bin/bash", "-c", line, "sh", *b.command, *arguments],
        cwd=b.folder,
        env=b.environ,
        text=True,
        capture_output=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize("redirections", ["<&- >&- 2>&-", "2>/dev/full"])
def test_streams_that_are_closed_or_full_keep_no_row_from_the_pim(bench: Bencher, redirections: str) -> None:
    b = bench()
    done = in_shell(b, redirections, "upload", many(b, 10), "--report", "r.json")
    assert done.returncode == 0, done.stderr
    assert json.loads((b.folder / "r.json").read_text("utf-8"))["summary"]["uploaded"] == 10
    check_all(b, 10)


@pytest.mark.parametrize("redirections", [">&-", ">/dev/full"])
@pytest.mark.long
def test_data_that_cannot_be_had_is_an_error_though_all_rows_were_done(
    bench: Bencher, redirections: str
) -> None:
    b = bench()
    done = in_shell(b, redirections, "upload", many(b, 3), "--report", "-")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "Not every report could be written" in done.stderr
    check_all(b, 3)
    listed = in_shell(b, redirections, "runs", "list")
    assert listed.returncode == 1
    assert "could not be written" in listed.stderr


@pytest.mark.parametrize("redirections", [">&-", ">/dev/full"])
@pytest.mark.parametrize(
    "command_line",
    [
        *("check", "check --json", "runs list", "runs list --json", "runs show", "media list"),
        *("media list --format csv", "export", "sandbox", "sandbox --json", "--version", "upload --help"),
        *("scan few --pattern {product}.{ext}", "scan many --pattern {product}.{ext}"),
    ],
)
@pytest.mark.long
def test_an_answer_that_cannot_be_written_is_nobody_elses_fault(
    bench: Bencher, command_line: str, redirections: str
) -> None:
    b = bench()
    assert b.upload(many(b, 3)).status == 0
    # So many that some are written while the folder is still read.
    for folder, count in (("few", 2), ("many", 1000 if "many" in command_line else 0)):
        for n in range(count):
            b.file(f"{folder}/{n}.jpg", b"\xff\xd8\xff\xff\xd9")
    more = ("--set", "attribute=picture") if "scan" in command_line else ()
    done = in_shell(b, redirections, *command_line.split(), *more)
    assert done.returncode == 1
    assert "error: what was asked for could not be written: " in done.stderr
    said = [
        line
        for line in done.stderr.splitlines()
        if not line.startswith(("info: Reading ", "info: Checking "))
    ]
    assert len(said) == 1, "and nothing else is said"


def test_a_check_that_nobody_reads_to_its_end_keeps_its_status(bench: Bencher) -> None:
    b = bench()
    b.sandbox.stop()
    assert in_shell(b, "| true; exit ${PIPESTATUS[0]}", "check").returncode == 5


def test_a_manifest_from_a_closed_standard_input_is_unusable(bench: Bencher) -> None:
    done = in_shell(bench(), "<&-", "upload", "-", "--format", "csv")
    assert done.returncode == 3
    assert "Traceback" not in done.stderr


def test_a_report_folder_that_vanishes_costs_that_report_only(bench: Bencher) -> None:
    b = bench(save_time=0.05)
    (b.folder / "reports").mkdir()
    arguments = ("--progress", "none", "--report", "reports/r.json", "--report", "other.csv")
    process = b.start("upload", many(b, 30), *arguments)
    wait_for_uploads(b, 5, process)
    shutil.rmtree(b.folder / "reports")
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "reports/r.json" in err
    assert (b.folder / "other.csv").exists()
    check_all(b, 30)


def limited(size: int) -> Callable[[], None]:
    """No file may grow past so many bytes: as on a disk that is full."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


# The first limit is met before anything is sent, the others in the middle of the run.
@pytest.mark.parametrize(
    ("size", "status"), [(100_000, 2), (1_200_000, 5), pytest.param(1_500_000, 5, marks=pytest.mark.slow)]
)
@pytest.mark.long
def test_a_full_disk_is_told_and_loses_no_row(bench: Bencher, size: int, status: int) -> None:
    b = bench(save_time=0.005)
    manifest = many(b, 120)
    # Coverage could not write its own file either, and would say so.
    unmeasured = {name: "" for name in os.environ if name.startswith("COV")}
    process = b.start("upload", manifest, "--progress", "none", preexec_fn=limited(size), env=unmeasured)
    _, err = process.communicate(timeout=60)
    assert process.returncode == status, err
    assert "cannot be written" in err
    assert "Traceback" not in err
    assert (uploads(b) > 0) == (status == 5)
    assert uploads(b) < 120
    last = b.upload(manifest)
    assert last.status == 0, last.err
    check_all(b, 120)
    assert b.sandbox.stats()["duplicates"] == 0
    assert uploads(b) == 120


@pytest.mark.parametrize("place", ["file/ledger.sqlite", ".", "/proc/nowhere/ledger.sqlite"])
def test_a_ledger_that_cannot_be_is_told_before_anything_is_sent(bench: Bencher, place: str) -> None:
    b = bench()
    b.file("file", b"in the way")
    done = b.upload(many(b, 2), "--state", place)
    assert done.status == 2
    assert "--state" in done.err
    assert b.sandbox.stats()["total"] == 0


PROGRAM = """
import sys
{change}
from akeneo_media_cli.cli.app import run
sys.argv[0] = "akeneo-media"
run()
"""

BROKEN = """
from akeneo_media_cli.transfer.executor import UploadExecutor
plain, calls = UploadExecutor.perform, []
def perform(self, call, meanwhile):
    calls.append(call)
    if len(calls) == 20:
        raise ZeroDivisionError("who wrote this, with " + __import__("os").environ["AKENEO_PASSWORD"])
    return plain(self, call, meanwhile)
UploadExecutor.perform = perform
"""

BROKEN_FROM_THE_START = """
from akeneo_media_cli import settings
def load_connection(*_, **__):
    raise ZeroDivisionError("no PIM")
settings.load_connection = load_connection
"""

LEAPING = """
import itertools, time
plain, leaps = time.time, itertools.count()
time.time = lambda: plain() + (-1) ** next(leaps) * 40_000_000
"""


def altered(b: Bench, change: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The program with a change to it or to its world."""
    (b.folder / "program.py").write_text(PROGRAM.format(change=change), encoding="utf-8")
    return subprocess.run(
        [sys.executable, "program.py", *arguments],
        cwd=b.folder,
        env=b.environ,
        text=True,
        capture_output=True,
        check=False,
        timeout=60,
    )


@pytest.mark.long
def test_a_defect_leaves_ledger_and_report_sound_and_names_its_log(bench: Bencher) -> None:
    b = bench()
    manifest = many(b, 60)
    done = altered(b, BROKEN, "upload", manifest, "--report", "r.json")
    assert done.returncode == 70
    assert "Traceback" not in done.stderr
    assert b.sandbox.credentials.password not in done.stderr
    found = re.search(r"the log is (\S+\.log)", done.stderr)
    assert found is not None
    log = Path(found[1])
    try:
        text = log.read_text("utf-8")
        assert log.stat().st_mode & 0o077 == 0, "others may read it"
    finally:
        log.unlink()
    assert "ZeroDivisionError" in text
    assert "in perform" in text
    assert b.sandbox.credentials.password not in text
    report = json.loads((b.folder / "r.json").read_text("utf-8"))
    assert report["exit_status"] == 70
    assert report["summary"]["uploaded"] == uploads(b) > 0
    assert report["error"]["kind"] == "defect"
    assert "ZeroDivisionError" in report["error"]["message"]
    assert b.sandbox.credentials.password not in json.dumps(report)
    last = b.upload(manifest)
    assert last.status == 0
    check_all(b, 60)
    assert uploads(b) == 60


def test_a_defect_before_the_run_leaves_a_report_too(bench: Bencher) -> None:
    b = bench()
    done = altered(b, BROKEN_FROM_THE_START, "upload", many(b, 2), "--report", "r.json")
    assert done.returncode == 70
    found = re.search(r"the log is (\S+\.log)", done.stderr)
    assert found is not None
    Path(found[1]).unlink()
    report = json.loads((b.folder / "r.json").read_text("utf-8"))
    assert (report["exit_status"], report["error"]["kind"], report["items"]) == (70, "defect", [])


@pytest.mark.long
def test_a_wall_clock_that_leaps_hangs_nothing(bench: Bencher) -> None:
    b = bench()
    change(b, faults=["429=2x@media-files", "reset-late=2x@media-files"])
    done = altered(b, LEAPING, "upload", many(b, 30), "--report", "r.json")
    assert done.returncode == 0, done.stderr
    check_all(b, 30)
    report = json.loads((b.folder / "r.json").read_text("utf-8"))
    assert 0 < report["duration_seconds"] < 60
    listed = b.run("runs", "list", report=False)
    assert listed.status == 0
    assert report["run"] in listed.out


def test_signals_while_the_program_is_read_leave_without_a_traceback(bench: Bencher) -> None:
    b = bench()
    manifest = many(b, 5)
    slow = f"import os; os.kill(os.getpid(), {int(signal.SIGINT)})"
    (b.folder / "program.py").write_text(
        "import sys\n"
        "class Interrupting:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'akeneo_media_cli.cli.app':\n"
        f"            {slow}\n"
        "sys.meta_path.insert(0, Interrupting())\n"
        "from akeneo_media_cli.__main__ import main\n"
        "main()\n",
        encoding="utf-8",
    )
    done = subprocess.run(
        [sys.executable, "program.py", "upload", manifest],
        cwd=b.folder, env=b.environ, text=True, capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 130
    assert done.stderr == ""


def test_a_second_signal_while_reports_are_written_leaves_no_half_of_one(bench: Bencher) -> None:
    b = bench()
    waiting = """
import os, signal
import akeneo_media_cli.report as report
def write(report_, out):
    out.write("{")
    os.kill(os.getpid(), signal.SIGTERM)
    out.write("half")
    os.kill(os.getpid(), signal.SIGTERM)
report.FORMATS[".json"] = write
"""
    done = altered(b, waiting, "upload", many(b, 3), "--report", "r.json")
    assert done.returncode == 143
    assert "Traceback" not in done.stderr
    assert not [path for path in b.folder.iterdir() if path.name.startswith((".r", "r."))]
    check_all(b, 3)


# The environment.


@pytest.mark.long
def test_a_slip_in_a_variables_name_is_told_once_and_not_to_the_quiet(bench: Bencher) -> None:
    b = bench()
    manifest = many(b, 2)
    slip = {"AKENEO_MEDIA_CONCURENCY": "2", "AKENEO_MEDIA_LIMIT": "3"}
    done = b.upload(manifest, env=slip)
    assert done.status == 0
    assert done.err.count("AKENEO_MEDIA_CONCURENCY") == 1
    assert "AKENEO_MEDIA_LIMIT " not in done.err, "an option of `runs list`"
    assert "did you mean AKENEO_MEDIA_CONCURRENCY?" in done.err
    assert b.upload(manifest, "-q", env=slip).err == ""
    (b.folder / ".env").write_text("AKENEO_MEDIA_TIMEOUTS=3\n", encoding="utf-8")
    assert "did you mean AKENEO_MEDIA_TIMEOUT?" in b.upload(manifest, "--progress", "none").err


@pytest.mark.parametrize("more", [["--sandbox"], []])
def test_an_env_file_that_cannot_be_read_is_told(bench: Bencher, more: list[str]) -> None:
    b = bench()
    done = b.upload(many(b, 2), "--env-file", "nowhere.env", *more)
    assert done.status == 2
    assert "nowhere.env" in done.err
    assert uploads(b) == 0


@pytest.mark.long
def test_json_progress_is_json_to_the_last_line(bench: Bencher) -> None:
    b = bench()
    manifest = many(b, 3)
    for arguments in ((), ("--set", "attribute=picture_2"), ("--sandbox",)):
        done = b.run("upload", manifest, "--progress", "json", *arguments, report=False)
        assert done.status == 0
        events = [json.loads(line)["event"] for line in done.err.splitlines()]
        assert events.count("row_finished") == 3
    wrong = b.run(
        "upload", manifest, "--progress", "json", "--force", report=False, env={"AKENEO_PASSWORD": "no"}
    )
    assert wrong.status == 4
    notes = [e for e in map(json.loads, wrong.err.splitlines()) if e["event"] == "note"]
    assert "refused the login" in notes[-1]["message"]


@pytest.mark.long
def test_who_wants_no_progress_is_still_warned(bench: Bencher) -> None:
    b = bench()
    manifest = b.manifest(
        ["product,attribute,file", *["p-1,picture_1," + b.file("a.jpg", b"\xff\xd8\xff\xff\xd9")] * 2]
    )
    done = b.upload(manifest, "--progress", "none")
    assert "repeats another row" in done.err
    assert "repeat" not in b.upload(manifest, "-q").err


def test_a_killed_run_holds_nothing_in_the_temporary_folder(bench: Bencher, tmp_path: Path) -> None:
    b = bench(save_time=0.2)
    manifest = many(b, 30)
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    with running(b, "upload", manifest, "--no-state", env={"TMPDIR": str(temporary)}) as process:
        wait_for_uploads(b, 2, process)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 143
    assert not list(temporary.iterdir())
