"""Runs that are killed, throttled, cut off and taken up again. Every value is compared with its file."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time

import pytest

from akeneo_media_cli.sandbox import parse_faults

from .conftest import Bench, Bencher, catalogue, jpeg, sha256


def many(b: Bench, count: int, per_product: int = 1) -> str:
    """A manifest of `count` rows, each a file of its own."""
    lines = ["product,attribute,file"]
    for n in range(count):
        attribute = f"picture_{n % per_product + 1}"
        lines.append(f"p-{n // per_product + 1},{attribute},{b.file(f'f{n}.jpg', jpeg(n))}")
    return b.manifest(lines)


def check_all(b: Bench, count: int, per_product: int = 1) -> None:
    held = b.held()
    for n in range(count):
        value = held[f"p-{n // per_product + 1}", f"picture_{n % per_product + 1}", None, None]
        assert value["sha256"] == sha256(jpeg(n)), f"row {n} holds other bytes"


def uploads(b: Bench) -> int:
    return int(b.sandbox.stats()["calls"].get("POST /media-files", {}).get("201", 0))


def wait_for_uploads(b: Bench, count: int, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 60
    while uploads(b) < count and process.poll() is None and time.monotonic() < deadline:
        os.sched_yield()


def kill_in_the_middle(b: Bench, manifest: str, after: int, sig: int = signal.SIGKILL) -> int:
    process = b.start("upload", manifest, "--progress", "none")
    wait_for_uploads(b, after, process)
    process.send_signal(sig)
    process.communicate(timeout=60)
    return process.returncode


def test_four_kills_leave_every_value_right_and_hardly_one_sent_twice(bench: Bencher) -> None:
    b = bench(catalogue(300), save_time=0.02)
    manifest = many(b, 300)
    chance = random.Random(5)
    done = 0
    for _ in range(4):
        done = uploads(b) + chance.randint(20, 60)
        assert kill_in_the_middle(b, manifest, done) == -signal.SIGKILL
    last = b.upload(manifest)
    assert last.status == 0, last.err
    check_all(b, 300)
    assert uploads(b) <= 300 + 4
    assert b.sandbox.stats()["lost_values"] == 0


def test_faults_of_all_sorts_lose_nothing(bench: Bencher) -> None:
    faults = ["429=0.02", "500=0.02", "500-late=0.02", "503=0.02", "503-html=0.02", "reset-early=0.02"]
    faults += ["reset-middle=0.02", "reset-late=0.04"]
    b = bench(catalogue(400), save_time=0.02, faults=parse_faults(faults), seed=7)
    manifest = many(b, 400, per_product=2)
    done = b.upload(manifest)
    assert done.status == 0, done.err
    check_all(b, 400, per_product=2)
    stats = b.sandbox.stats()
    assert stats["lost_values"] == 0
    assert stats["duplicates"] <= 3
    assert stats["most_in_flight_per_entity"] == 1


def test_ctrl_c_finishes_what_is_in_flight_and_the_same_command_goes_on(bench: Bencher) -> None:
    b = bench(save_time=0.05)
    manifest = many(b, 150)
    process = b.start("upload", manifest, "--report", "first.json", "--progress", "none")
    wait_for_uploads(b, 20, process)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in err
    before = uploads(b)
    assert before < 150
    last = b.upload(manifest)
    assert last.status == 0
    assert last.statuses() == {"total": 150, "uploaded": 150 - before, "unchanged": before}
    check_all(b, 150)
    assert uploads(b) == 150


def test_sigterm_is_143(bench: Bencher) -> None:
    b = bench(save_time=0.05)
    assert kill_in_the_middle(b, many(b, 100), 10, signal.SIGTERM) == 143


def test_an_outage_leaves_pending_rows_that_the_next_run_finishes(bench: Bencher) -> None:
    b = bench(down_after=60)
    manifest = many(b, 150)
    done = b.upload(manifest, "--retries", "2")
    assert done.status == 5, done.err
    assert "failed" not in done.statuses()
    assert b.sandbox.stats()["total"] < 100, "a storm"
    b.sandbox.inside(lambda: setattr(b.sandbox.store.options, "down_after", None))
    assert b.upload(manifest).status == 0
    check_all(b, 150)


def test_a_pim_that_allows_two_sees_few_refusals(bench: Bencher) -> None:
    b = bench(save_time=0.03, max_concurrency=2)
    done = b.upload(many(b, 200))
    assert done.status == 0
    assert done.report["summary"]["throttled"] <= 10
    check_all(b, 200)


def test_expired_tokens_fail_no_row(bench: Bencher) -> None:
    b = bench(save_time=0.05, token_ttl=1.5)
    done = b.upload(many(b, 200))
    assert done.status == 0
    check_all(b, 200)
    assert 2 <= b.sandbox.stats()["token_requests"] <= 8


def test_two_runs_on_one_ledger(bench: Bencher) -> None:
    b = bench(save_time=0.05)
    manifest = many(b, 100)
    process = b.start("upload", manifest, "--progress", "none")
    wait_for_uploads(b, 5, process)
    second = b.upload(manifest)
    assert second.status == 6
    assert str(process.pid) in second.err
    process.communicate(timeout=60)
    assert process.returncode == 0


@pytest.mark.parametrize("option", ["--max-duration=1s", "--max-failures=1"])
def test_limits_stop_new_rows(bench: Bencher, option: str) -> None:
    b = bench(
        save_time=0.05,
        faults=parse_faults(["413-html=0.3@media-files"]) if "failures" in option else parse_faults([]),
    )
    done = b.upload(many(b, 150), option)
    assert done.report["summary"]["pending"] > 0
    assert done.status == (1 if "failures" in option else 5)


def test_what_runs_did_is_told_and_the_failed_rows_tried_again(bench: Bencher) -> None:
    b = bench(faults=parse_faults(["413-html=3x@media-files"]))
    done = b.upload(many(b, 20))
    assert done.statuses() == {"total": 20, "uploaded": 17, "failed": 3}
    run = done.report["run"]
    listed = b.run("runs", "list", report=False)
    assert run in listed.out
    shown = b.run("runs", "show", run, "--failed", "--report", "-", report=False)
    assert shown.status == 0, shown.err
    assert shown.out.count('"kind"') == 3
    retried = b.run("runs", "retry", run)
    assert retried.status == 0, retried.err
    assert retried.statuses() == {"total": 3, "uploaded": 3}
    check_all(b, 20)
