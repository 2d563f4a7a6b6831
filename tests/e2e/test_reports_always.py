"""A report is left on every way out, and says what ended the run."""

from __future__ import annotations

import contextlib
import json
import re
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from akeneo_media_cli.report import FORMATS

from .conftest import Bench, Bencher, Done, jpeg
from .many import change, many, running, wait_for, wait_for_uploads


def one_row(b: Bench) -> str:
    return b.manifest(["product,attribute,file", f"p-1,picture,{b.file('a.jpg', jpeg(1))}"])


def error_of(done: Done) -> dict[str, Any]:
    """The report's error; its status must be that of the command, and its message have been told."""
    assert done.report["exit_status"] == done.status
    error: dict[str, Any] = done.report["error"]
    assert set(error) == {"kind", "http_status", "message", "hint"}
    assert " ".join(error["message"].split())[:60] in " ".join(done.err.split())
    return error


def empty(report: dict[str, Any]) -> bool:
    assert re.fullmatch(r"\d{8}T\d{6}Z-[0-9a-f]{4}", report["run"])
    assert report["finished_at"] >= report["started_at"]
    return report["items"] == [] and not any(report["summary"].values())


def test_a_run_that_goes_well_has_no_error(bench: Bencher) -> None:
    b = bench()
    manifest = one_row(b)
    assert b.upload(manifest).report["error"] is None
    failed = b.upload(manifest, "--set", "locale=en_US", "--no-state")
    assert (failed.status, failed.report["error"]) == (1, None), "rows tell of themselves"


@pytest.mark.parametrize(
    "env",
    [
        {"AKENEO_URL": ""},
        {"AKENEO_URL": "nonsense"},
        {"AKENEO_PASSWORD": ""},
        {"AKENEO_PASSWORD": "changeme"},
        {"AKENEO_MEDIA_ENV_FILE": "nowhere.env"},
    ],
    ids=str,
)
@pytest.mark.parametrize("name", ["upload", "verify", "download"])
@pytest.mark.long
def test_settings_that_cannot_be_used(bench: Bencher, name: str, env: dict[str, str]) -> None:
    b = bench()
    done = b.run(name, one_row(b), env=env)
    assert done.status == 2
    assert empty(done.report)
    assert error_of(done)["kind"] == "usage"
    summary = b.run(name, one_row(b), "--no-state").report["summary"]
    assert done.report["summary"].keys() <= summary.keys()
    # Words that only stand there where a row has them.
    assert summary.keys() - done.report["summary"].keys() <= {"missing", "downloaded"}


@pytest.mark.long
def test_a_ledger_that_another_run_holds(bench: Bencher) -> None:
    b = bench(save_time=0.3)
    manifest = many(b, 100)
    with running(b, "upload", manifest, "--progress", "none") as process:
        wait_for_uploads(b, 2, process)
        # However slow this machine is, the run is still there.
        change(b, faults=["stall=1.0@media-files"])
        done = b.upload(manifest)
        events = b.upload(manifest, "--progress", "json")
        assert process.poll() is None
    for each in (done, events):
        assert each.status == 6
        assert empty(each.report)
        assert error_of(each)["kind"] == "ledger_locked"
        assert each.report["pim"] == {"url": b.sandbox.url, "version": None}
    told = [json.loads(line) for line in events.err.splitlines()]
    assert [(e["event"], e.get("level")) for e in told if e.get("level") != "info"] == [
        ("finished", None),
        ("note", "error"),
    ]


def test_files_in_the_place_of_another(bench: Bencher) -> None:
    b = bench()
    done = b.upload(one_row(b), "--log-file", "manifest.csv")
    assert done.status == 2
    assert empty(done.report)
    assert "--log-file manifest.csv" in error_of(done)["message"]


def test_no_report_is_left_where_reports_are_what_is_wrong(bench: Bencher) -> None:
    b = bench()
    done = b.upload(one_row(b), "--report", "r.doc", env={"AKENEO_URL": ""})
    assert done.status == 2
    assert "r.doc" in done.err
    assert done.report == {}


@pytest.mark.parametrize("more", [[], ["--sandbox"]], ids=str)
def test_a_manifest_that_cannot_be_used(bench: Bencher, more: list[str]) -> None:
    b = bench()
    done = b.upload("nowhere.csv", *more)
    assert done.status == 3
    assert empty({**done.report, "summary": {**done.report["summary"], "requests": 0}})
    assert error_of(done)["kind"] == "manifest_unusable"


def test_an_invalid_row_of_a_strict_run(bench: Bencher) -> None:
    b = bench()
    done = b.upload(b.manifest(["product,attribute,file", "p-1,picture,gone.jpg"]), "--strict")
    assert done.status == 3
    assert error_of(done)["kind"] == "manifest_unusable"
    assert done.kinds() == {2: "file_missing"}


@pytest.mark.long
def test_refused_credentials_are_told_in_every_format_and_kept(bench: Bencher) -> None:
    b = bench()
    names = [f"r{suffix}" for suffix in FORMATS]
    done = b.upload(
        one_row(b), *(part for name in names for part in ("--report", name)), env={"AKENEO_PASSWORD": "no!"}
    )
    assert done.status == 4
    error = error_of(done)
    assert error["kind"] == "credentials_refused"
    assert "no!" not in json.dumps(done.report)
    assert (b.folder / "r.jsonl").read_text("utf-8").count("\n") == 1, "rows alone"
    for name in ("r.md", "r.html"):
        text = re.sub("<[^>]*>|&#46;", "", (b.folder / name).read_text("utf-8"))
        assert "Credentials refused" in text
        assert error["hint"].split(".")[0].split("`")[0][:30] in text, name
    junit = (b.folder / "r.xml").read_text("utf-8")
    assert '<property name="error.kind" value="credentials_refused"/>' in junit

    shown = json.loads(b.run("runs", "show", "--json", report=False).out)
    assert shown["error"] == error
    assert "error" not in shown["summary"]
    text = b.run("runs", "show", report=False).out
    assert error["message"][:60] in text
    (listed,) = json.loads(b.run("runs", "list", "--json", report=False).out)
    assert (listed["error"], listed["summary"]) == (error, shown["summary"])


@pytest.mark.parametrize("after", [0, 30], ids=["from the beginning", "on the way"])
def test_a_pim_that_does_not_answer_is_told_of_to_the_quiet_too(bench: Bencher, after: int) -> None:
    b = bench()
    manifest = many(b, 60)
    change(b, down_after=after)
    done = b.upload(manifest, "-q", "--retries", "0")
    assert done.status == 5
    assert done.report["summary"]["pending"]
    error = error_of(done)
    assert (error["kind"], error["http_status"]) == ("unavailable", 503)
    assert done.err.startswith("error: the PIM ")


@pytest.mark.long
def test_there_may_be_nothing_to_try_again(bench: Bencher) -> None:
    b = bench()
    none = b.run("runs", "retry", "last")
    assert none.status == 2
    assert empty(none.report)
    assert "no runs yet" in error_of(none)["message"]
    assert b.upload(one_row(b)).status == 0
    done = b.run("runs", "retry", "last")
    assert (done.status, done.report["exit_status"], done.report["error"]) == (0, 0, None)
    assert empty(done.report)
    wrong = b.run("runs", "retry", "last", "--report", "r.doc")
    assert (wrong.status, wrong.report) == (2, {})


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interruption_before_the_run(bench: Bencher, number: int, status: int) -> None:
    b = bench()
    b.file("a.jpg", jpeg(1))
    arguments = ("upload", "-", "--format", "csv", "--sandbox", "--report", "r.json")
    with running(b, *arguments, stdin=subprocess.PIPE) as process:
        # Standard input is copied before the sandbox is made: that waits for its end.
        wait_for(lambda: any("deleted" in name for name in open_files(process.pid)), process)
        process.send_signal(number)
        assert process.wait(60) == status
    report = json.loads((b.folder / "r.json").read_text("utf-8"))
    assert empty(report)
    assert (report["exit_status"], report["error"]) == (status, None)


def open_files(pid: int) -> list[str]:
    names = []
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            names.append(str(descriptor.readlink()))
    return names


@pytest.mark.long
def test_parts_merged_keep_the_first_error(bench: Bencher) -> None:
    b = bench()
    manifest = one_row(b)
    good, bad, worse = f"{b.folder}/1.json", f"{b.folder}/2.json", f"{b.folder}/3.json"
    b.upload(manifest, "--report", good)
    wrong = b.upload(manifest, "--force", "--report", bad, env={"AKENEO_PASSWORD": "no"})
    b.upload(manifest, "--report", worse, env={"AKENEO_URL": ""})
    done = b.run("report", "merge", good, bad, worse, "-o", "all.json", report=False)
    assert done.status == 2
    assert json.loads((b.folder / "all.json").read_text("utf-8"))["error"] == wrong.report["error"]
    assert wrong.report["error"]["message"][:50] in done.err
