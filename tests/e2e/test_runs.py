"""`akeneo-media runs`: what earlier runs did, told from the ledger alone."""

from __future__ import annotations

import json
from typing import Any
from xml.etree import ElementTree

import pytest

from akeneo_media_cli.sandbox import parse_faults

from .conftest import Bench, Bencher, Done, catalogue, jpeg
from .many import change, check_all, many, running, uploads, wait_for_uploads
from .test_verify import client_of


def runs(b: Bench, *arguments: str, env: dict[str, str] | None = None) -> Done:
    """`runs` with nothing but the PIM's address, as that is all it needs to read."""
    nothing = {name: "" for name in b.environ if name.startswith("AKENEO_") and name != "AKENEO_URL"}
    return b.run("runs", *arguments, report=False, env={**nothing, **(env or {})})


@pytest.fixture
def after_a_run(bench: Bencher) -> tuple[Bench, dict[str, Any]]:
    """A bench where 17 of 20 rows were uploaded and three refused."""
    b = bench(faults=parse_faults(["413-html=3x@media-files"]))
    done = b.upload(many(b, 20))
    assert done.statuses() == {"total": 20, "uploaded": 17, "failed": 3}
    return b, done.report


def test_without_a_ledger_there_are_no_runs_yet(bench: Bencher) -> None:
    b = bench()
    listed = runs(b, "list")
    assert (listed.status, listed.out) == (0, "")
    assert "no runs yet" in listed.err
    assert json.loads(runs(b, "list", "--json").out) == []
    assert runs(b, "show").status == 2
    elsewhere = runs(b, "list", "--state", "nowhere.sqlite")
    assert elsewhere.status == 2
    assert "nowhere.sqlite" in elsewhere.err
    nobody = runs(b, "list", env={"AKENEO_URL": ""})
    assert nobody.status == 2
    assert "AKENEO_URL" in nobody.err
    assert "AKENEO_PASSWORD" not in nobody.err


@pytest.mark.long
def test_runs_are_listed_and_shown_without_a_login(after_a_run: tuple[Bench, dict[str, Any]]) -> None:
    b, report = after_a_run
    run = report["run"]
    listed = runs(b, "list")
    assert listed.status == 0
    assert run in listed.out
    assert "17 uploaded, 3 failed" in listed.out
    (found,) = json.loads(runs(b, "list", "--json").out)
    assert found["run"] == run
    assert (found["state"], found["exit_status"]) == ("finished", 1)
    assert found["summary"]["failed"] == 3
    assert found["arguments"]["manifests"] == ["manifest.csv"]
    for reference in (run, run[:15], "last"):
        shown = runs(b, "show", reference)
        assert shown.status == 0
        assert "File too large for the server: 3 rows" in shown.out
    assert runs(b, "show").out == runs(b, "show", "last").out
    for unknown in ("nope", ""):
        wrong = runs(b, "show", unknown)
        assert wrong.status == 2
        assert "runs list" in wrong.err


def test_a_report_is_written_again_in_any_format(after_a_run: tuple[Bench, dict[str, Any]]) -> None:
    b, report = after_a_run
    again = json.loads(runs(b, "show", "--json").out)
    assert again["items"] == report["items"]
    assert again["summary"] == report["summary"]
    assert (again["run"], again["exit_status"]) == (report["run"], 1)
    failed = json.loads(runs(b, "show", "--failed", "--report", "-").out)
    assert [i["status"] for i in failed["items"]] == ["failed"] * 3
    suffixes = ("json", "jsonl", "csv", "xml", "md", "html")
    done = runs(b, "show", *(f"--report=again.{suffix}" for suffix in suffixes))
    assert done.status == 0, done.err
    for suffix in suffixes:
        assert failed["items"][0]["file"] in (b.folder / f"again.{suffix}").read_text("utf-8")
    assert runs(b, "show", "--report", "again.doc").status == 2


def test_only_the_failed_rows_are_tried_again_and_the_manifest_is_not_needed(
    after_a_run: tuple[Bench, dict[str, Any]],
) -> None:
    b, report = after_a_run
    (b.folder / "manifest.csv").unlink()
    refused = runs(b, "retry", report["run"])
    assert refused.status == 2
    assert "AKENEO_PASSWORD" in refused.err, "to send takes a login"
    retried = b.run("runs", "retry", report["run"])
    assert retried.status == 0, retried.err
    assert retried.statuses() == {"total": 3, "uploaded": 3}
    assert [i["line"] for i in retried.report["items"]] == [
        i["line"] for i in report["items"] if i["status"] == "failed"
    ]
    check_all(b, 20)
    assert uploads(b) == 20
    nothing = b.run("runs", "retry", "last", report=False)
    assert nothing.status == 0
    assert "no failed or invalid rows" in nothing.err


def test_a_file_that_is_gone_by_then_is_an_invalid_row(after_a_run: tuple[Bench, dict[str, Any]]) -> None:
    b, report = after_a_run
    failed = [i["file"] for i in report["items"] if i["status"] == "failed"]
    (b.folder / failed[0]).unlink()
    retried = b.run("runs", "retry", report["run"])
    assert retried.status == 1
    assert retried.statuses() == {"total": 3, "uploaded": 2, "invalid": 1}
    assert list(retried.kinds().values()) == ["file_missing"]


def test_rows_that_were_invalid_are_tried_again_too(bench: Bencher) -> None:
    b = bench()
    lines = ["product,attribute,file", f"p-1,picture,{b.file('in/1.jpg', jpeg(1))}"]
    lines += ["p-2,picture,in/later.jpg", f"new,picture,{b.file('in/3.jpg', jpeg(3))}", ",picture,in/1.jpg"]
    lines += [f"p-4,picture,{b.file('in/4.jpg', jpeg(4))}", "p-4,picture,in/3.jpg"]
    first = b.upload(b.manifest(lines), "--rename", "{product}.jpg")
    assert first.statuses() == {"total": 6, "uploaded": 1, "invalid": 5}
    assert "runs retry" in first.err
    b.file("in/later.jpg", jpeg(2))
    with client_of(b) as client:
        client.patch_products([{"identifier": "new", "family": "shoes"}])
    (b.folder / "elsewhere").mkdir()
    retried = b.run("runs", "retry", "last", cwd=b.folder / "elsewhere")
    assert retried.statuses() == {"total": 5, "uploaded": 2, "invalid": 3}
    assert retried.kinds() == {5: "target_missing", 6: "conflicting_rows", 7: "conflicting_rows"}
    assert b.held()["p-2", "picture", None, None]["original_filename"] == "p-2.jpg"


def shown_without_an_end(b: Bench, says: str) -> None:
    """`runs show` of a run that did not end, in every format: it invents no end."""
    suffixes = ("json", "jsonl", "csv", "xml", "md", "html")
    written = runs(b, "show", "--state", "own.sqlite", *(f"--report=r.{suffix}" for suffix in suffixes))
    assert written.status == 0, written.err
    report = json.loads((b.folder / "r.json").read_text("utf-8"))
    ends = [report[name] for name in ("exit_status", "finished_at", "duration_seconds", "error")]
    assert ends == [None] * 4
    assert report["summary"]["pending"] > 0
    assert (b.folder / "r.jsonl").read_text("utf-8").count("\n") == 400
    for name in ("r.md", "r.html"):
        assert says in (b.folder / name).read_text("utf-8"), name
    shown = runs(b, "show", "--state", "own.sqlite")
    assert shown.status == 0
    assert says in shown.out
    assert "pending" in shown.out
    for text in (shown.out, (b.folder / "r.html").read_text("utf-8")):
        assert "exit status" not in text
        assert "0.0 s" not in text
    suite = ElementTree.parse(b.folder / "r.xml").getroot()[0]
    assert "time" not in suite.attrib
    assert len(suite.findall("testcase")) == 400


@pytest.mark.long
def test_a_run_that_goes_on_or_was_killed_is_counted_by_its_rows(bench: Bencher) -> None:
    b = bench(catalogue(400), save_time=0.2)
    with running(b, "upload", many(b, 400), "--state", "own.sqlite", "--progress", "none") as process:
        wait_for_uploads(b, 8, process)
        (going,) = json.loads(runs(b, "list", "--json", "--state", "own.sqlite").out)
        assert (going["state"], going["exit_status"], going["pid"]) == ("running", None, process.pid)
        assert going["summary"]["total"] == 400
        assert going["summary"]["uploaded"] > 0
        shown_without_an_end(b, "The run is still running")
    shown_without_an_end(b, "it was killed, or its machine stopped")
    merged = b.run("report", "merge", "r.json", "r.json", "-o", "all.json", report=False)
    assert merged.status == 5
    both = json.loads((b.folder / "all.json").read_text("utf-8"))
    assert (both["finished_at"], both["duration_seconds"], both["summary"]["total"]) == (None, None, 800)
    assert "no runs yet" in runs(b, "list").err, "it has a ledger of its own"


def test_what_was_no_upload_is_not_tried_again(bench: Bencher) -> None:
    b = bench()
    assert b.run("verify", many(b, 2)).status == 1
    retried = b.run("runs", "retry", "last", report=False)
    assert retried.status == 2
    assert "verify" in retried.err


def test_what_was_forced_is_forced_again(bench: Bencher) -> None:
    b = bench()
    manifest = many(b, 3)
    assert b.upload(manifest).status == 0
    change(b, faults=["413-html=3x@media-files"])
    forced = b.upload(manifest, "--force")
    assert forced.statuses() == {"total": 3, "failed": 3}
    retried = b.run("runs", "retry", "last", "--bwlimit", "5M", "--max-duration", "1h", "--verify")
    assert retried.statuses() == {"total": 3, "uploaded": 3}, "the first run's files are not these"
    assert uploads(b) == 6
    assert b.sandbox.stats()["calls"]["POST /media-files"] == {"201": 6, "413": 3}


@pytest.mark.long
def test_retrying_is_logged_and_limited_as_an_upload_is(after_a_run: tuple[Bench, dict[str, Any]]) -> None:
    b, _ = after_a_run
    change(b, latency=0.5)
    late = b.run("runs", "retry", "last", "--max-duration", "1ms")
    assert (late.status, late.statuses()) == (5, {"total": 3, "pending": 3})
    change(b, latency=0)
    listed = json.loads(runs(b, "list", "--json").out)
    retried = b.run("runs", "retry", listed[-1]["run"], "-v", "--log-file", "run.log", "--log-format", "json")
    assert retried.status == 0
    assert retried.err.count(': uploaded"}') == 3
    logged = [json.loads(line) for line in (b.folder / "run.log").read_text("utf-8").splitlines()]
    assert sum("POST /api/rest/v1/media-files: 201" in line["message"] for line in logged) == 3
