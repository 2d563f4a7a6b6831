"""Runs one after another and threads side by side: what is listed, what is kept, what it costs."""

from __future__ import annotations

import gc
import threading
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from akeneo_media_cli.errors import Failure, Kind, UsageError
from akeneo_media_cli.exits import Exit
from akeneo_media_cli.ledger import (
    InFlightMark,
    Ledger,
    PlannedRow,
    Run,
    history,
)
from akeneo_media_cli.rows import Status
from akeneo_media_cli.secret import Secret

from .ledger_rows import NOON, Clock, failed, invalid, opened, planned, unchanged, uploaded

REFUSED = Failure(Kind.REFUSED, "no such attribute", "name another", 422)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ledger(tmp_path: Path, clock: Clock) -> Iterator[Ledger]:
    with opened(tmp_path / "pim.sqlite", clock) as ledger:
        yield ledger


@pytest.fixture
def run(ledger: Ledger) -> Run:
    return ledger.start_run("upload", {"manifests": ["spring.csv"]})


def second(ledger: Ledger, *rows: PlannedRow) -> Run:
    run = ledger.start_run("upload", {})
    run.add(rows)
    return run


def test_runs_are_listed_found_and_retried(ledger: Ledger, run: Run, clock: Clock) -> None:
    run.add([planned(1), planned(2), planned(3, extra={"a": 1}), planned(4)])
    invalid(run, 4, REFUSED)
    uploaded(run, 1, "code")
    failed(run, 3, REFUSED)
    clock.now += 9
    run.finish(Exit.ROWS_FAILED, {"total": 3, **run.summary()})
    clock.now -= 100_000
    other = ledger.start_run("verify", {"password": Secret("hunter2")}, token=lambda n: "beef"[: 2 * n])
    newest, oldest = ledger.runs()
    assert (newest.id, newest.state, newest.exit_status, newest.finished_at) == (
        other.id,
        "running",
        None,
        None,
    )
    assert newest.arguments == {"password": "***"}
    assert (oldest.id, oldest.command, oldest.state) == (run.id, "upload", "finished")
    assert (oldest.exit_status, oldest.started_at, oldest.finished_at) == (1, NOON, NOON + 9)
    assert (oldest.summary["failed"], oldest.arguments) == (1, {"manifests": ["spring.csv"]})
    assert len(ledger.runs(1)) == 1
    assert ledger.run("last").id == other.id == "20261122T081329Z-beef"
    assert ledger.run(run.id[:8]) == oldest
    assert ledger.record(run.id).summary()["total"] == 4
    assert list(ledger.retry_rows(run.id)) == [run.row(3), run.row(4)]
    for reference in ("", "2025", "%"):
        with pytest.raises(UsageError, match="there is no run"):
            ledger.run(reference)
    with pytest.raises(UsageError, match="more than one run"):
        ledger.run("2026")


def test_two_runs_of_one_second_have_two_ids(ledger: Ledger) -> None:
    tokens = iter(["aaaa", "aaaa", "bbbb"])
    ids = [ledger.start_run("upload", {}, token=lambda _: next(tokens)).id for _ in range(2)]
    assert ids == ["20261123T120000Z-aaaa", "20261123T120000Z-bbbb"]


def test_no_runs_yet(ledger: Ledger) -> None:
    with pytest.raises(UsageError, match="there are no runs yet"):
        ledger.run("last")
    assert ledger.runs() == []


def test_old_rows_go_and_memory_stays(ledger: Ledger, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "_BATCH", 2)
    monkeypatch.setattr(history, "KEEP_HEADS", 60)
    runs = []
    for number in range(70):
        run = second(ledger, *(planned(seq) for seq in range(1, 4)))
        uploaded(run, 1, "code")
        run.finish(Exit.OK, {})
        runs.append(run)
        clock.now += 48 * 3600 if number < 30 else 60
    # The last three are whole; before them only the row that was sent is kept.
    assert [run.summary()["total"] for run in runs] == [0] * 16 + [1] * 51 + [3] * 3
    assert [row.status for row in runs[40].rows()] == [Status.UPLOADED]
    assert len(ledger.runs(1000)) == 60
    assert second(ledger, planned(1)).mark_unchanged() == 1


def test_runs_that_were_killed_leave_no_more_rows_than_others(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "killed.sqlite"
    ids = []
    for _ in range(8):
        with opened(path, clock) as ledger:
            run = ledger.start_run("upload", {})
            ids.append(run.id)
            run.add(planned(seq) for seq in range(1, 21))
            unchanged(run, 1, "code")
            failed(run, 2, Failure(Kind.SERVER_ERROR, "broken", ""))
    with opened(path, clock) as ledger:
        totals = [ledger.record(id_).summary()["total"] for id_ in ids]
        assert totals == [1] * 5 + [20] * 3
        told = ledger.run(ids[0]).summary
        assert {name: count for name, count in told.items() if count} == {
            "total": 20, "unchanged": 1, "failed": 1, "pending": 18
        }  # fmt: skip


def test_rows_in_all_are_bounded_but_the_latest_run_stays(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "KEEP_ROWS", 10)
    runs = []
    for count in (4, 4, 4, 25):
        runs.append(second(ledger, *(planned(seq) for seq in range(1, count + 1))))
        runs[-1].finish(Exit.OK, {})
        totals = [run.summary()["total"] for run in runs]
        assert totals[-1] == count
    assert totals == [0, 0, 0, 25]


def test_many_threads_write_while_one_reads(run: Run) -> None:
    run.add(planned(seq) for seq in range(1, 401))
    failures: list[BaseException] = []

    def work(part: int) -> None:
        try:
            for seq in range(part, 401, 4):
                run.mark_in_flight([InFlightMark(seq, None)])
                uploaded(run, seq, f"code/{seq}.jpg", sha256="0" * 64, attempts=1, duration=0.1)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(part,)) for part in range(1, 5)]
    for thread in threads:
        thread.start()
    seen = 0
    while any(thread.is_alive() for thread in threads):
        assert len(list(run.items())) == 400
        now = run.summary()["uploaded"]
        assert now >= seen
        seen = now
    for thread in threads:
        thread.join()
    assert failures == []
    assert [row.media_code for row in run.rows()] == [f"code/{seq}.jpg" for seq in range(1, 401)]


def test_memory_does_not_grow_with_rows(run: Run) -> None:
    def peak(first: int, count: int) -> int:
        gc.collect()
        tracemalloc.reset_peak()
        base = tracemalloc.get_traced_memory()[0]
        run.add(planned(seq) for seq in range(first, first + count))
        return tracemalloc.get_traced_memory()[1] - base

    tracemalloc.start()
    try:
        small, large = peak(1, 6000), peak(10_001, 24_000)
    finally:
        tracemalloc.stop()
    assert large < 1.2 * small
