"""The decisions of a run, driven through random interleavings and faults in virtual time."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from akeneo_media_cli.errors import Kind
from akeneo_media_cli.rows import Status
from akeneo_media_cli.transfer.coordinator import Policy

from .simulation import SimRow, Simulation


def rows(count: int, entities: int, names: int) -> list[SimRow]:
    return [SimRow(f"e{n % entities}", f"a{n // entities}", f"n{n * 7 % names}") for n in range(count)]


def at_random(**rates: float):
    def fate(now: float, r: random.Random) -> str:
        x = r.random()
        for name, rate in rates.items():
            if x < rate:
                return name.replace("_", " ")
            x -= rate
        return "ok"

    return fate


def test_all_rows_land_with_every_worker_busy() -> None:
    sim = Simulation(rows(400, 100, 400), seed=1)
    sim.run()
    sim.check()
    assert sim.count(Status.UPLOADED) == 400
    assert sim.most_in_flight == 4
    assert sum(sim.sends.values()) == 400
    # 400 rows of 0.11 s on average, 4 at once, and a little for the look-ups.
    assert sim.now < 400 * 0.11 / 4 * 1.1


@pytest.mark.parametrize("concurrency", [1, 4])
def test_large_files_go_first_where_several_go_at_once(concurrency: int) -> None:
    sim = Simulation(rows(40, 40, 40), seed=1, policy=Policy(concurrency))
    for n, task in enumerate(sim.unfed):
        task.size = 50_000_000 if n == 39 else 200_000_000 if n == 20 else 1000 + 1000 * n
    order: list[int] = []
    plain = sim.send
    sim.send = lambda task, *rest: (order.append(task.seq), plain(task, *rest))[1]  # type: ignore
    sim.run()
    sim.check()
    rest = [seq for seq in range(40) if seq not in (20, 39)]
    assert order == (list(range(40)) if concurrency == 1 else [20, 39, *rest])


def test_one_product_goes_one_by_one_while_others_go_on() -> None:
    crowd = [SimRow("big", f"a{n}", f"x{n}") for n in range(50)]
    others = [SimRow(f"e{n}", "a", f"y{n}") for n in range(50)]
    sim = Simulation(crowd + others, seed=2)
    sim.run()
    sim.check()
    assert sim.count(Status.UPLOADED) == 100
    # The chain of 50 cannot be shorter; the others fit beside it.
    assert sim.now < 50 * 0.11 * 1.35


@settings(max_examples=150, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    count=st.integers(1, 80),
    entities=st.integers(1, 30),
    names=st.integers(1, 80),
    concurrency=st.integers(1, 8),
    allowed=st.sampled_from([1, 2, 3, 10**9]),
    lost=st.floats(0, 0.15),
    ghost=st.floats(0, 0.15),
    e500=st.floats(0, 0.1),
    e503=st.floats(0, 0.2),
    e429=st.floats(0, 0.1),
    source=st.floats(0, 0.1),
    trees=st.booleans(),
    attach=st.booleans(),
)
def test_no_row_lost_none_twice_no_two_that_conflict(
    seed: int,
    count: int,
    entities: int,
    names: int,
    concurrency: int,
    allowed: int,
    lost: float,
    ghost: float,
    e500: float,
    e503: float,
    e429: float,
    source: float,
    trees: bool,
    attach: bool,
) -> None:
    faults = at_random(
        **{"lost": lost, "ghost": ghost, "500_after": e500, "500_before": e500, "503": e503, "429": e429},
        source=source,
        short=0.1,
    )
    todo = rows(count, entities, names)
    if attach:
        for row in todo[::3]:
            row.way = "attach"
    sim = Simulation(
        todo,
        seed=seed,
        policy=Policy(concurrency, retries=50),
        faults=faults,
        allowed=allowed,
        batch=7,
        tree=(lambda row: f"tree:{row.entity[:2]}") if trees else lambda row: None,
    )
    sim.run()
    sim.check()
    assert sim.count(Status.UPLOADED) == count


@settings(max_examples=150, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    entities=st.integers(1, 12),
    retries=st.integers(0, 2),
    concurrency=st.integers(1, 8),
    lost=st.floats(0, 0.3),
    ghost=st.floats(0, 0.3),
    slow=st.floats(0, 0.3),
    e503=st.floats(0, 0.3),
)
def test_nobody_is_let_in_beside_a_call_that_may_still_be_at_work(
    seed: int,
    entities: int,
    retries: int,
    concurrency: int,
    lost: float,
    ghost: float,
    slow: float,
    e503: float,
) -> None:
    """However few the tries are, and however long a save takes after everybody has given it up."""
    todo = rows(40, entities, 30)
    for n, row in enumerate(todo):
        row.way = ("send", "send", "attach", "borrow")[n % 4]
    faults = at_random(lost=lost, ghost=ghost, slow=slow, **{"503": e503})
    sim = Simulation(todo, seed=seed, policy=Policy(concurrency, retries=retries), faults=faults)
    sim.run()
    assert not sim.violations, sim.violations[:3]
    for seq, row in enumerate(todo):
        if (ended := sim.ended.get(seq)) and ended.status is Status.UPLOADED:
            held = sim.entities.get(row.entity, {}).get(row.attribute)
            assert sim.media.get(held or "") == sim.bytes_of(seq), f"row {seq} is lost"


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32), stop_at=st.floats(0, 5), kill=st.booleans())
def test_a_stop_ends_it_and_tells_of_every_row_that_was_begun(seed: int, stop_at: float, kill: bool) -> None:
    sim = Simulation(
        rows(100, 40, 60),
        seed=seed,
        policy=Policy(4, retries=5),
        faults=at_random(**{"lost": 0.1, "ghost": 0.1, "503": 0.1}),
    )
    sim.at(stop_at, sim.coordinator.abort if kill else sim.coordinator.stop)
    sim.run()
    sim.check()
    for seq, sends in sim.sends.items():
        assert sends
        assert seq in sim.ended, f"row {seq} was sent, and nobody was told what became of it"
    for seq, ended in sim.ended.items():
        row = sim.rows[seq]
        if ended.status is Status.PENDING and sim.entities.get(row.entity, {}).get(row.attribute):
            assert ended.uncertain, "the PIM has it, and the next run is not told to look"


def test_a_row_that_always_fails_does_not_take_the_rest_with_it() -> None:
    def poison(now: float, r: random.Random) -> str:
        return "ok"

    sim = Simulation(rows(60, 60, 60), seed=3, policy=Policy(4, retries=3), faults=poison)
    plain = sim.send
    sim.send = lambda task, request, seconds, fate: plain(  # type: ignore[method-assign]
        task, request, seconds, "500 before" if task.seq in (5, 30, 50) else fate
    )
    sim.run()
    sim.check()
    assert {s for s, e in sim.ended.items() if e.status is Status.FAILED} == {5, 30, 50}
    assert sim.count(Status.UPLOADED) == 57
    assert sim.sends[5] == 4
    assert not sim.coordinator.limiter.given_up


def test_trouble_with_sources_says_nothing_of_the_pim() -> None:
    """Rows whose files come from elsewhere and do not come: theirs is the fault, whatever else goes on."""
    for broken in (range(40), range(60)):
        sim = Simulation(rows(60, 60, 60), seed=3, policy=Policy(4, retries=3))
        plain = sim.send
        sim.send = lambda task, request, seconds, fate, broken=broken, plain=plain: plain(  # type: ignore
            task, request, seconds, "source" if task.seq in broken else fate
        )
        sim.run()
        sim.check()
        assert {s for s, e in sim.ended.items() if e.status is Status.FAILED} == set(broken)
        assert sim.count(Status.UPLOADED) == 60 - len(broken)
        assert all(sim.sends[seq] == 4 for seq in broken)
        assert not sim.coordinator.limiter.closed
        assert sim.coordinator.limiter.limit == 4


def test_a_pim_that_is_down_is_not_found_to_be_up_by_a_source_that_is_down_too() -> None:
    sim = Simulation(rows(100, 100, 100), seed=4, policy=Policy(4, retries=3))
    plain = sim.send
    sim.send = lambda task, request, seconds, fate: plain(  # type: ignore[method-assign]
        task, request, seconds, "source" if task.seq % 3 == 0 else "down"
    )
    sim.run()
    assert sim.coordinator.limiter.given_up
    assert {e.status for s, e in sim.ended.items() if s % 3} <= {Status.PENDING}
    assert sum(sim.sends.values()) < 100


def test_a_pim_that_is_down_leaves_every_row_pending_after_a_few_probes() -> None:
    sim = Simulation(rows(1000, 1000, 1000), seed=4, faults=lambda now, r: "down" if now > 2 else "ok")
    sim.run()
    sim.check()
    assert sim.coordinator.limiter.given_up
    assert sim.count(Status.FAILED) == 0
    assert sim.count(Status.UPLOADED) > 20
    failed_calls = sim.requests - sim.count(Status.UPLOADED)
    assert failed_calls < 40, "a storm"


def test_a_pim_that_comes_back_is_gone_on_with() -> None:
    sim = Simulation(rows(300, 300, 300), seed=5, faults=lambda now, r: "down" if 1 < now < 9 else "ok")
    sim.run()
    sim.check()
    assert sim.count(Status.UPLOADED) == 300
    assert not sim.coordinator.limiter.given_up


def test_a_pim_that_is_down_from_the_start_ends_the_run() -> None:
    sim = Simulation(rows(50, 50, 50), seed=6, policy=Policy(4, retries=2), faults=lambda now, r: "down")
    sim.run()
    assert not sim.sends
    assert sim.coordinator.aborted
    assert sim.requests <= 12


def test_writes_that_fail_while_reads_answer_are_an_outage_too() -> None:
    sim = Simulation(rows(500, 500, 500), seed=7)
    plain = sim.send
    sim.send = lambda task, request, seconds, fate: plain(  # type: ignore[method-assign]
        task, request, seconds, "500 before"
    )
    sim.run()
    sim.check()
    assert sim.count(Status.FAILED) == 0
    assert sim.coordinator.limiter.given_up
    assert sum(sim.sends.values()) < 40


def test_a_pim_that_allows_two_is_found_and_kept_to() -> None:
    sim = Simulation(rows(400, 400, 400), seed=8, allowed=2)
    sim.run()
    sim.check()
    assert sim.count(Status.UPLOADED) == 400
    assert sim.refusals <= 10
    assert sim.now < 400 * 0.11 / 2 * 1.25


def test_throttling_at_random_does_not_choke_the_run() -> None:
    seconds = []
    for seed in range(8):
        sim = Simulation(rows(600, 600, 600), seed=seed, faults=at_random(**{"429": 0.02}))
        sim.run()
        sim.check()
        assert sim.count(Status.UPLOADED) == 600
        seconds.append(sim.now)
    assert sum(seconds) / 8 < 600 * 0.11 / 4 * 2


def test_retry_after_is_obeyed_by_everybody() -> None:
    sim = Simulation(rows(40, 40, 40), seed=10)
    starts: list[float] = []
    plain = sim.begin
    told: list[float] = []

    def begin(request):  # type: ignore[no-untyped-def]
        starts.append(sim.now)
        if len(starts) == 20:
            told.append(sim.now)
            from .simulation import Troubled, failure

            sim.in_flight += 1
            sim.answer(request, 0.0, Troubled(failure(503), retry_after=30.0))
        else:
            plain(request)

    sim.begin = begin  # type: ignore[method-assign]
    sim.run()
    assert sim.count(Status.UPLOADED) == 40
    assert not [s for s in starts if told[0] < s < told[0] + 30.0]


def test_a_file_name_shared_by_all_is_noticed() -> None:
    one_by_one = Policy(4, one_by_one=True)
    starved = Simulation([SimRow(f"e{n}", "a", "front.jpg") for n in range(300)], 11, one_by_one)
    seen: list[tuple[str, int]] = []
    plain = starved.end
    starved.end = lambda ended: (plain(ended), seen.append(starved.coordinator.starved_by()))  # type: ignore
    starved.run()
    starved.check()
    assert starved.count(Status.UPLOADED) == 300
    assert "front.jpg" in {name for name, _ in seen}


def test_names_that_differ_starve_nobody() -> None:
    sim = Simulation(rows(300, 300, 300), seed=12)
    sim.run()
    assert sim.coordinator.starved_by() == ("", 0)


def test_attaching_takes_few_calls() -> None:
    sim = Simulation([SimRow(f"e{n}", "a", f"n{n}", way="attach") for n in range(1000)], seed=13)
    sim.run()
    sim.check()
    assert sim.count(Status.UPLOADED) == 1000
    assert sim.patches <= 25


@pytest.mark.parametrize("most", [1, 3])
def test_too_many_failures_stop_new_rows(most: int) -> None:
    sim = Simulation(
        rows(200, 200, 200), seed=14, policy=Policy(2, max_failures=most), faults=lambda now, r: "refuse"
    )
    sim.run()
    assert most <= sim.count(Status.FAILED) <= most + 1


def test_a_lone_row_that_nothing_gets_through_for_is_pending() -> None:
    sim = Simulation(
        rows(1, 1, 1), seed=15, policy=Policy(4, retries=2), faults=at_random(**{"500_before": 1.0})
    )
    sim.run()
    assert sim.ended[0].status is Status.PENDING
    assert sim.sends[0] == 3


def test_a_big_file_with_a_500_is_told_about_the_size() -> None:
    sim = Simulation(rows(40, 40, 40), seed=16, policy=Policy(4, retries=1))
    sim.unfed[3].size = 50_000_000
    plain = sim.send
    sim.send = lambda task, request, seconds, fate: plain(  # type: ignore[method-assign]
        task, request, seconds, "500 before" if task.seq == 3 else fate
    )
    sim.run()
    failure = sim.ended[3].failure
    assert failure is not None
    assert failure.kind is Kind.FILE_TOO_LARGE
    assert "upload_max_filesize" in failure.hint
