"""`--progress json`: one last word for every row, whatever way the run comes out."""

from __future__ import annotations

import json
import signal
from typing import Any

import pytest

from .conftest import Bench, Bencher, catalogue, jpeg
from .many import change, many, running, wait_for_uploads


def told(err: str, report: dict[str, Any]) -> list[dict[str, Any]]:
    """The events; the last words among them must be those of the report, one a row."""
    events = [json.loads(line) for line in err.splitlines()]
    words = [(e["row"], e["status"]) for e in events if e["event"] == "row_finished"]
    assert sorted(words) == [(item["row"], item["status"]) for item in report["items"]]
    assert events[-1]["event"] == "finished"
    assert events[-1]["summary"] == report["summary"]
    return events


def rows(b: Bench, *more: str) -> str:
    b.file("a.jpg", jpeg(1))
    return b.manifest(["product,attribute,file", *(f"p-{n},picture,a.jpg" for n in range(1, 8)), *more])


@pytest.mark.parametrize(
    ("arguments", "env", "status", "statuses"),
    [
        (["--retries", "0"], {"AKENEO_PASSWORD": "no"}, 4, {"total": 8, "pending": 7, "invalid": 1}),
        (["--strict"], {}, 3, {"total": 8, "pending": 7, "invalid": 1}),
        (["--dry-run"], {}, 1, {"total": 8, "planned": 7, "invalid": 1}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_rows_that_were_never_begun_are_pending(
    bench: Bencher, arguments: list[str], env: dict[str, str], status: int, statuses: dict[str, int]
) -> None:
    b = bench()
    done = b.upload(rows(b, "p-9,picture,gone.jpg"), "--progress", "json", *arguments, env=env)
    assert (done.status, done.statuses()) == (status, statuses)
    events = told(done.err, done.report)
    assert [(e["event"], e.get("rows")) for e in events if e["event"] == "started"] == [("started", 8)]


def test_so_they_are_where_the_pim_finds_one_of_them_wrong_in_a_strict_run(bench: Bencher) -> None:
    b = bench()
    done = b.upload(rows(b, "nobody,picture,a.jpg"), "--progress", "json", "--strict")
    assert (done.status, done.statuses()) == (3, {"total": 8, "pending": 7, "invalid": 1})
    told(done.err, done.report)


def test_so_they_are_where_time_is_over(bench: Bencher) -> None:
    b = bench(latency=0.5)
    done = b.upload(rows(b), "--progress", "json", "--max-duration", "1ms")
    assert (done.status, done.statuses()) == (5, {"total": 7, "pending": 7})
    told(done.err, done.report)


def test_so_they_are_where_the_pim_is_down(bench: Bencher) -> None:
    b = bench()
    change(b, down=True)
    done = b.upload(rows(b), "--progress", "json", "--retries", "0")
    assert (done.status, done.statuses()) == (5, {"total": 7, "pending": 7})
    told(done.err, done.report)


def test_so_they_are_where_a_manifest_breaks_off(bench: Bencher) -> None:
    b = bench()
    b.file("a.jpg", jpeg(1))
    lines = [json.dumps({"product": f"p-{n}", "attribute": "picture", "file": "a.jpg"}) for n in range(2500)]
    done = b.upload(b.manifest([*lines, "{"], "broken.jsonl"), "--progress", "json")
    assert done.status == 3
    told(done.err, done.report)


def test_so_they_are_after_an_interruption(bench: Bencher) -> None:
    b = bench(catalogue(400), save_time=0.05)
    with running(b, "upload", many(b, 400), "--progress", "json", "--report", "r.json") as process:
        wait_for_uploads(b, 3, process)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    report = json.loads((b.folder / "r.json").read_text("utf-8"))
    assert report["exit_status"] == 130
    assert report["summary"]["pending"] > 300
    told(err, report)


@pytest.mark.parametrize("online", [False, True])
def test_every_row_is_told_of_where_nothing_is_sent(bench: Bencher, online: bool) -> None:
    b = bench()
    done = b.run(
        "validate",
        rows(b, "p-9,picture,gone.jpg"),
        "--progress",
        "json",
        *(["--online"] if online else []),
    )
    assert done.statuses() == {"total": 8, "planned": 7, "invalid": 1}
    told(done.err, done.report)


def test_the_quiet_are_told_of_no_row(bench: Bencher) -> None:
    b = bench()
    done = b.upload(rows(b), "--progress", "json", "-q", env={"AKENEO_PASSWORD": "no"})
    assert done.statuses() == {"total": 7, "pending": 7}
    assert "{" not in done.err
