"""Whose fault it is: the row's, the PIM's, or that of something in between."""

from __future__ import annotations

import pytest

from akeneo_media_cli.errors import Failure, Kind
from akeneo_media_cli.rows import Status
from akeneo_media_cli.transfer.coordinator import Policy
from akeneo_media_cli.transfer.task import Request, RequestKind, Troubled

from .simulation import SimRow, Simulation, failure
from .test_coordinator import at_random, rows


@pytest.mark.parametrize("retries", [0, 2])
@pytest.mark.parametrize("seed", range(7))
def test_an_outage_blames_no_row(seed: int, retries: int) -> None:
    """Requests that the PIM has begun are finished while new ones are refused, as in an orderly shutdown."""
    sim = Simulation(
        rows(200, 200, 200),
        seed=seed,
        policy=Policy(4, retries),
        faults=lambda now, r: "down" if now > 1.0 else "ok",
    )
    sim.run()
    sim.check()
    assert sim.count(Status.FAILED) == 0
    assert sim.count(Status.UPLOADED) > 10


def test_a_row_is_blamed_when_others_get_through_after_its_last_try() -> None:
    sim = Simulation(rows(100, 100, 100), seed=1, policy=Policy(4, 0))
    plain = sim.send
    sim.send = lambda task, request, seconds, fate: plain(  # type: ignore[method-assign]
        task, request, seconds, "503" if task.seq == 5 else fate
    )
    sim.run()
    sim.check()
    assert sim.ended[5].status is Status.FAILED
    assert sim.count(Status.UPLOADED) == 99


@pytest.mark.parametrize("seed", range(5))
def test_where_half_of_all_requests_fail_no_row_is_blamed(seed: int) -> None:
    sim = Simulation(rows(150, 150, 150), seed=seed, policy=Policy(4, 5), faults=at_random(**{"503": 0.5}))
    sim.run()
    sim.check()
    assert sim.count(Status.FAILED) == 0
    assert sim.count(Status.UPLOADED) > 0


def test_a_failed_look_up_never_fails_a_row() -> None:
    sim = Simulation(rows(60, 60, 60), seed=2, policy=Policy(4, 1))
    sends, looks = sim.send, sim.look
    sim.send = lambda task, request, seconds, fate: sends(  # type: ignore[method-assign]
        task, request, seconds, "500 before" if task.seq == 3 else fate
    )
    sim.look = lambda request, seconds, fate: looks(request, seconds, "503")  # type: ignore[method-assign]
    sim.run()
    assert sim.ended[3].status is Status.PENDING
    assert sim.ended[3].uncertain
    assert sim.count(Status.UPLOADED) == 59


@pytest.mark.parametrize("position", [0, 39])
def test_a_file_that_is_refused_for_its_size_is_sent_twice_and_fails(position: int) -> None:
    sim = Simulation(rows(40, 40, 40), seed=3)
    sim.unfed[position].size = 3_000_000
    plain = sim.send
    sim.send = lambda task, request, seconds, fate: plain(  # type: ignore[method-assign]
        task, request, seconds, "500 before" if task.seq == position else fate
    )
    sim.run()
    sim.check()
    ended = sim.ended[position]
    assert (ended.status, sim.sends[position]) == (Status.FAILED, 2)
    assert ended.failure is not None
    assert ended.failure.kind is Kind.FILE_TOO_LARGE
    assert "upload_max_filesize" in ended.failure.hint


def test_a_file_too_large_for_a_proxy_is_sent_twice_and_fails() -> None:
    sim = Simulation(rows(40, 40, 40), seed=4)
    sim.unfed[7].size = 3_000_000
    large = Failure(Kind.BODY_TOO_LARGE, "too large for something on the way", "", 502)
    plain = sim.send

    def send(task, request, seconds, fate):  # type: ignore[no-untyped-def]
        if task.seq != 7:
            return plain(task, request, seconds, fate)
        sim.sends[7] += 1
        oversize = large if sim.coordinator._flow.completed else None
        return sim.answer(request, seconds, Troubled(failure(502), oversize=oversize))

    sim.send = send  # type: ignore[method-assign]
    sim.run()
    assert sim.sends[7] == 2
    assert sim.ended[7].status is Status.FAILED
    assert sim.ended[7].failure == large


def test_where_small_files_meet_the_same_the_largest_is_not_too_large() -> None:
    """One of two upstreams is dead: every second call is 502, also that of the largest file."""
    sim = Simulation(rows(40, 40, 40), seed=4, policy=Policy(4, 5))
    sim.unfed[7].size = 3_000_000
    large = Failure(Kind.BODY_TOO_LARGE, "too large for something on the way", "", 502)
    plain = sim.send

    def send(task, request, seconds, fate):  # type: ignore[no-untyped-def]
        sim.sends[task.seq] += 1
        if sim.sends[task.seq] <= (3 if task.seq == 7 else task.seq % 2):
            oversize = large if sim.coordinator._flow.completed and task.seq == 7 else None
            return sim.answer(request, seconds, Troubled(failure(502), oversize=oversize))
        sim.sends[task.seq] -= 1
        return plain(task, request, seconds, fate)

    sim.send = send  # type: ignore[method-assign]
    sim.run()
    assert sim.count(Status.UPLOADED) == 40


def test_a_maintenance_page_closes_at_once_and_leaves_rows_pending() -> None:
    sim = Simulation(rows(100, 100, 100), seed=5, policy=Policy(4, 2))
    plain = sim.send

    def send(task, request, seconds, fate):  # type: ignore[no-untyped-def]
        if sim.now < 0.6:
            return plain(task, request, seconds, fate)
        sim.sends[task.seq] += 1
        return sim.answer(request, seconds, Troubled(failure(200), outage=True))

    sim.send = send  # type: ignore[method-assign]
    sim.run()
    assert sim.count(Status.FAILED) == 0
    assert sim.coordinator.limiter.given_up
    assert sum(sim.sends.values()) - sim.count(Status.UPLOADED) < 12


@pytest.mark.parametrize(("rate", "burst"), [(10, 5), (5, 1), (30, 2)])
def test_a_limit_of_requests_a_second_is_learned_and_fails_no_row(rate: int, burst: int) -> None:
    sim = Simulation(rows(300, 300, 300), seed=6, batch=1000)
    level, last, refused = 0.0, 0.0, 0
    plain = sim.begin

    def begin(request: Request) -> None:
        nonlocal level, last, refused
        level, last = max(0.0, level - (sim.now - last) * rate), sim.now
        if level > burst:
            refused += 1
            sim.in_flight += 1
            return sim.answer(request, 0.01, Troubled(failure(503, Kind.THROTTLED), throttled=True))
        level += 1
        return plain(request)

    sim.begin = begin  # type: ignore[method-assign]
    sim.run()
    sim.check()
    assert sim.count(Status.UPLOADED) == 300
    assert sim.now < 300 / rate * 1.5 + 5
    assert refused < 100


def test_saves_that_may_still_be_at_work_count_as_requests_in_flight() -> None:
    sim = Simulation(rows(120, 120, 120), seed=7, policy=Policy(4, 50), faults=at_random(slow=0.3))
    most = 0
    plain = sim.begin

    def begin(request: Request) -> None:
        nonlocal most
        if request.kind is RequestKind.SEND:
            saving = sum(1 for key, n in sim.busy.items() if n and key.startswith("entity:"))
            most = max(most, saving + 1)
        plain(request)

    sim.begin = begin  # type: ignore[method-assign]
    sim.run()
    sim.check()
    assert sim.count(Status.UPLOADED) == 120
    assert most <= 4


def test_a_row_whose_pause_is_over_is_next_however_many_wait() -> None:
    crowd = [SimRow("one", f"a{n}", f"n{n}") for n in range(200)]
    sim = Simulation(crowd, seed=8, policy=Policy(2, 3), batch=500)
    order: list[int] = []
    plain = sim.send

    def send(task, request, seconds, fate):  # type: ignore[no-untyped-def]
        order.append(task.seq)
        plain(task, request, seconds, "503" if task.seq == 2 and order.count(2) == 1 else fate)

    sim.send = send  # type: ignore[method-assign]
    sim.run()
    sim.check()
    assert sim.count(Status.UPLOADED) == 200
    first, second = [n for n, seq in enumerate(order) if seq == 2]
    # A pause of at most a second, and 0.02 to 0.2 s a row.
    assert second - first < 40


def test_retries_are_counted_once() -> None:
    sim = Simulation(rows(100, 100, 100), seed=9, faults=at_random(**{"503": 0.1, "lost": 0.1}))
    sim.run()
    assert sim.coordinator.retries == sim.retries > 0
