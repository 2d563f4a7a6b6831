"""Runs that are killed or interrupted and taken up again. Every value is compared with its file."""

from __future__ import annotations

import os
import random
import secrets
import signal
import sqlite3
import time
from contextlib import closing

import pytest

from akeneo_media_cli.sandbox import parse_faults

from .conftest import Bencher, catalogue, jpeg, sha256
from .many import (
    change,
    check_all,
    cut_short,
    in_flight,
    many,
    received,
    running,
    uploads,
    wait_for,
    wait_for_uploads,
)


def test_four_kills_leave_every_value_right_and_hardly_one_sent_twice(bench: Bencher) -> None:
    b = bench(catalogue(300), save_time=0.02)
    manifest = many(b, 300)
    chance = random.Random(5)
    for _ in range(4):
        assert cut_short(b, manifest, uploads(b) + chance.randint(20, 60)) == -signal.SIGKILL
    last = b.upload(manifest)
    assert last.status == 0, last.err
    check_all(b, 300)
    assert uploads(b) <= 300 + 4
    stats = b.sandbox.stats()
    assert stats["lost_values"] == 0
    assert stats["duplicates"] <= 4
    assert "GET /products/{code}" not in stats["calls"], (
        "what was left in flight is asked about by the hundred"
    )


@pytest.mark.long
@pytest.mark.slow
def test_rows_that_many_runs_left_in_flight_cost_one_read_and_hold_nobody_up(bench: Bencher) -> None:
    b = bench(faults=parse_faults(["stall=1.0@media-files"]), stall_time=20.0)
    manifest = many(b, 60)
    for number in range(1, 4):
        with running(b, "upload", manifest, "--state", "s.sqlite", "--concurrency", "8") as process:
            # Of the rows before nothing was saved, and the ones after them go on meanwhile.
            wait_for(lambda: in_flight(b) == 8 * number, process)  # noqa: B023 - called at once
        with closing(sqlite3.connect(b.folder / "s.sqlite")) as connection:
            ((left,),) = connection.execute("SELECT COUNT(*) FROM value WHERE flight_run IS NOT NULL")
        assert 8 <= left <= 8 * number
    before = b.sandbox.stats()["calls"]
    change(b, faults=[])
    last = b.upload(manifest, "--state", "s.sqlite")
    assert last.status == 0, last.err
    check_all(b, 60)
    calls = b.sandbox.stats()["calls"]
    assert "GET /products/{code}" not in calls
    searches = sum(calls["GET /products"].values()) - sum(before["GET /products"].values())
    assert searches <= 3 + 3, "the rows, those that each run left in flight, and what was read back"


def test_a_file_that_was_cut_off_in_mid_body_is_sent_again_and_only_that(bench: Bencher) -> None:
    b = bench()
    b.file("big.jpg", jpeg("big", 3_000_000))
    manifest = b.manifest(["product,attribute,file", "p-1,picture_1,big.jpg"])
    with running(b, "upload", manifest, "--bwlimit", "2M") as process:
        wait_for(lambda: received(b) > 500_000, process)
    assert not b.held()
    assert b.upload(manifest).status == 0
    assert b.held()["p-1", "picture_1", None, None]["sha256"] == sha256(jpeg("big", 3_000_000))
    assert uploads(b) == 1


@pytest.mark.long
def test_what_the_pim_saved_after_the_kill_is_found_and_not_sent_again(bench: Bencher) -> None:
    b = bench(save_time=0.8)
    manifest = many(b, 4)
    with running(b, "upload", manifest) as process:
        # All four are being saved when it is killed.
        wait_for(lambda: in_flight(b) == 4, process)
        wait_for(lambda: received(b) > 4 * 2000, process)
    last = b.upload(manifest)
    assert last.status == 0, last.err
    assert last.statuses() == {"total": 4, "uploaded": 4}
    check_all(b, 4)
    assert b.sandbox.stats()["media_files"] == 4
    assert b.sandbox.stats()["duplicates"] == 0


@pytest.mark.long
def test_another_file_for_a_value_that_was_in_flight_is_sent(bench: Bencher) -> None:
    b = bench(save_time=0.8)
    manifest = many(b, 1)
    with running(b, "upload", manifest) as process:
        wait_for(lambda: received(b) > 2000, process)
    b.file("f0.jpg", jpeg("changed", 2000))
    assert b.upload(manifest).status == 0
    assert b.held()["p-1", "picture_1", None, None]["sha256"] == sha256(jpeg("changed", 2000))


@pytest.mark.long
def test_ctrl_c_finishes_what_is_in_flight_and_the_same_command_goes_on(bench: Bencher) -> None:
    b = bench(save_time=0.05)
    manifest = many(b, 150)
    assert cut_short(b, manifest, 20, signal.SIGINT, "--report", "first.json") == 130
    before = uploads(b)
    assert before < 150
    assert '"exit_status": 130' in (b.folder / "first.json").read_text("utf-8")
    last = b.upload(manifest)
    assert last.status == 0
    assert last.statuses() == {"total": 150, "uploaded": 150 - before, "unchanged": before}
    check_all(b, 150)
    assert uploads(b) == 150


@pytest.mark.parametrize("number", [signal.SIGTERM, pytest.param(signal.SIGHUP, marks=pytest.mark.slow)])
def test_a_terminated_run_is_143_and_leaves_its_report(bench: Bencher, number: int) -> None:
    b = bench(save_time=0.05)
    assert cut_short(b, many(b, 60), 10, number, "--report", "r.json") == 143
    assert '"exit_status": 143' in (b.folder / "r.json").read_text("utf-8")


@pytest.mark.long
def test_the_second_ctrl_c_waits_for_no_answer(bench: Bencher) -> None:
    b = bench(faults=parse_faults(["stall=1.0@media-files"]))
    manifest = many(b, 20)
    with running(b, "upload", manifest, "--report", "r.json", "--progress", "json") as process:
        assert process.stderr is not None
        wait_for(lambda: in_flight(b) == 4, process)
        process.send_signal(signal.SIGINT)
        for line in process.stderr:
            if "Interrupted" in line:
                break
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
        assert time.monotonic() - began < 10
    assert '"pending": 20' in (b.folder / "r.json").read_text("utf-8")
    change(b, faults=[])
    assert b.upload(manifest).status == 0
    check_all(b, 20)


def test_ctrl_c_while_nothing_is_in_flight_ends_it_at_once(bench: Bencher) -> None:
    b = bench(faults=parse_faults(["429=1.0@api/rest"]), retry_after=300)
    with running(b, "upload", many(b, 20), "--progress", "json") as process:
        assert process.stderr is not None
        for line in process.stderr:
            if '"waiting"' in line:
                break
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 130


def test_ctrl_c_in_the_first_look_of_a_strict_run_sends_nothing(bench: Bencher) -> None:
    b = bench(latency=0.3)
    with running(b, "upload", many(b, 30), "--strict") as process:
        wait_for(lambda: b.sandbox.store.stats.total >= 2, process)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
    assert "POST /media-files" not in b.sandbox.stats()["calls"]


@pytest.mark.long
def test_two_runs_on_one_ledger(bench: Bencher) -> None:
    b = bench(save_time=0.3)
    manifest = many(b, 200)
    with running(b, "upload", manifest, "--progress", "none") as process:
        wait_for_uploads(b, 5, process)
        second = b.upload(manifest)
        assert second.status == 6
        assert f"process {process.pid} on" in second.err
        assert " UTC" in second.err, "since when"
        listed = b.run("runs", "list", report=False)
        assert "running" in listed.out
        process.kill()
        process.wait(60)
        # Whoever is killed holds nobody.
        assert "interrupted" in b.run("runs", "list", report=False).out
    change(b, save_time=0.01)
    assert b.upload(manifest).status == 0
    check_all(b, 200)


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_kills_at_random_instants_among_faults(bench: Bencher) -> None:
    """Many kills, faults of every sort meanwhile, then every value compared with its file."""
    seed = int(os.environ.get("AKENEO_TEST_SEED") or secrets.randbelow(2**32))
    print(f"AKENEO_TEST_SEED={seed}")
    chance = random.Random(seed)
    faults = "500=0.02,500-late=0.02,503=0.02,reset-early=0.02,reset-middle=0.02,reset-late=0.04,429=0.01"
    b = bench(catalogue(400), save_time=0.02, faults=parse_faults([faults]), seed=seed)
    rows = 400
    manifest = many(b, rows, per_product=2)
    for _ in range(40):
        with running(b, "upload", manifest, "--progress", "none") as process:
            if chance.random() < 0.3:
                # Also while it starts, plans or looks rows up.
                for _ in range(chance.randint(0, 40)):
                    b.sandbox.stats()
            else:
                wait_for_uploads(b, uploads(b) + chance.randint(1, 25), process)
            process.send_signal(chance.choice([signal.SIGKILL, signal.SIGKILL, signal.SIGTERM]))
            process.wait(60)
    last = b.upload(manifest)
    assert last.status == 0, last.err
    check_all(b, rows, per_product=2)
    stats = b.sandbox.stats()
    assert stats["lost_values"] == 0
    assert stats["most_in_flight_per_entity"] <= 1 + 1, "a ghost of a killed run may still be at work"
    assert stats["duplicates"] <= 40
