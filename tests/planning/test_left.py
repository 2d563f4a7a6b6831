"""What earlier runs left in flight, and when it comes up in a run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from akeneo_media_cli.ledger import InFlightMark, Run
from akeneo_media_cli.planning.carriers import Carriers
from akeneo_media_cli.planning.feed import Passes
from akeneo_media_cli.planning.left import LeftInFlight
from akeneo_media_cli.transfer.retry import SaveTimes
from akeneo_media_cli.transfer.task import Later

from ..ledger.ledger_rows import Clock, opened, planned


class Time:
    """Monotonic seconds; who waits makes them pass."""

    def __init__(self) -> None:
        self.now = 100.0
        self.waited: list[float] = []

    def __call__(self) -> float:
        return self.now

    def wait(self, seconds: float) -> None:
        self.waited.append(seconds)
        self.now += seconds


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    """A run of six rows, of which the run before left the third and the fifth in flight."""
    clock = Clock()
    with opened(tmp_path / "ledger.sqlite", clock) as ledger:
        died = ledger.start_run("upload", {})
        died.add([planned(n, name="front.jpg" if n == 5 else f"{n}.jpg") for n in range(1, 7)])
        died.mark_in_flight([InFlightMark(3, None)])
        died.mark_in_flight([InFlightMark(5, None)])
    with opened(tmp_path / "ledger.sqlite", clock) as ledger:
        now = ledger.start_run("upload", {})
        now.add([planned(n, name="front.jpg" if n == 5 else f"{n}.jpg") for n in range(1, 7)])
        yield now


def left_of(run: Run, time: Time) -> LeftInFlight:
    return LeftInFlight(run, run.at_work(), clock=time, wait=time.wait)


def test_only_what_may_be_written_now_is_held(run: Run) -> None:
    time = Time()
    ((until, keys),) = left_of(run, time).holds
    assert until == 102.0
    assert keys == ("name:3.jpg", "name:front.jpg", "product:sku-3", "product:sku-5")


def batches(passes: Passes) -> Iterator[list[int] | float]:
    """The rows of each batch, or until when there is none."""
    while (batch := passes()) is not None:
        yield batch.until if isinstance(batch, Later) else [row.seq for row in batch]


def test_rows_left_in_flight_come_together_once_it_is_over(run: Run) -> None:
    time = Time()
    left = left_of(run, time)
    coming = batches(Passes(run, Carriers(None, None), left))
    assert next(coming) == [1, 2, 4, 6]
    time.now += 2
    assert next(coming) == [3, 5]
    left.settle([each.planned for each in left.rows.values()])
    assert time.waited == []
    assert run.at_work() == [], "the next run need not wait for it"
    assert [batch for batch in coming if batch] == []


def test_where_nothing_else_is_left_to_do_there_is_none_until_then(run: Run) -> None:
    time = Time()
    left = left_of(run, time)
    coming = batches(Passes(run, Carriers(None, None), left))
    assert [next(coming), next(coming), next(coming)] == [[1, 2, 4, 6], [], 102.0]
    assert next(coming) == 102.0
    time.now = 102.0
    assert [batch for batch in coming if batch] == [[3, 5]]
    assert time.waited == []


def test_what_is_asked_before_its_time_waits_for_it(run: Run) -> None:
    time = Time()
    left = left_of(run, time)
    left.settle([left.rows[3].planned])
    assert time.waited == [2.0]


def test_a_row_that_none_left_waits_for_nothing(run: Run) -> None:
    time = Time()
    left_of(run, time).settle([planned(1)])
    assert time.waited == []
    assert run.at_work() != []


def test_how_slow_the_pim_was_is_forgotten_once_nothing_is_at_work(tmp_path: Path) -> None:
    clock, time = Clock(), Time()
    for shift in (0.0, 3600.0):
        with opened(tmp_path / "ledger.sqlite", clock) as ledger:
            run = ledger.start_run("upload", {})
            clock.now += shift
            LeftInFlight(run, run.at_work(), clock=time, wait=time.wait).settle()
            run.add([planned(1)])
            run.mark_in_flight([InFlightMark(1, None)])
            if not shift:
                run.settles_after(60.0)
    with opened(tmp_path / "ledger.sqlite", clock) as ledger:
        assert [each.seconds for each in ledger.start_run("upload", {}).at_work()] == [2.0]
    assert time.waited == []


def test_a_request_that_was_held_when_its_run_was_killed_is_waited_for(tmp_path: Path) -> None:
    clock, time = Clock(), Time()
    with opened(tmp_path / "ledger.sqlite", clock) as ledger:
        run = ledger.start_run("upload", {})
        run.add([planned(1)])
        run.mark_in_flight([InFlightMark(1, None)])
        saves = SaveTimes(time, run.settles_after)
        with saves.saving():
            for _ in range(50):
                time.now += 0.2
                saves.look()
            (left,) = ledger.start_run("upload", {}).at_work()
        assert 40 / 1.2 <= left.seconds <= 40, "four times the ten seconds that it was held so far"
