"""Files of one name sent side by side to a PIM that swaps their bytes, in virtual time.

However uploads meet, lose their answers or die: no row is called uploaded, or will pass for unchanged in the
next run, while the PIM holds another's bytes.
"""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from akeneo_media_cli.errors import Failure, Kind
from akeneo_media_cli.rows import Status
from akeneo_media_cli.transfer.coordinator import Policy
from akeneo_media_cli.transfer.task import Looked, Request, RequestKind, Troubled

from .simulation import SimRow, Simulation
from .test_coordinator import at_random
from .test_coordinator_answers import CRASH, RESET, Table, stored, task

WAYS = ("send", "send", "send", "attach", "borrow")


def folders(count: int, *ways: str, names: int = 1) -> list[SimRow]:
    """A folder a product, each with a file of the same name; or a few names that repeat."""
    chosen = ways or ("send",)
    return [SimRow(f"e{n}", "a", f"{n % names}.jpg", way=chosen[n % len(chosen)]) for n in range(count)]


@settings(max_examples=200, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    count=st.integers(2, 60),
    entities=st.integers(1, 60),
    names=st.integers(1, 4),
    concurrency=st.integers(1, 8),
    swaps=st.floats(0, 0.9),
    unique=st.booleans(),
    lost=st.floats(0, 0.1),
    ghost=st.floats(0, 0.1),
    slow=st.floats(0, 0.05),
    e500=st.floats(0, 0.1),
    e503=st.floats(0, 0.1),
    e429=st.floats(0, 0.1),
    ways=st.booleans(),
)
def test_no_wrong_byte_is_left_behind_a_row_called_uploaded(
    seed: int,
    count: int,
    entities: int,
    names: int,
    concurrency: int,
    swaps: float,
    unique: bool,
    lost: float,
    ghost: float,
    slow: float,
    e500: float,
    e503: float,
    e429: float,
    ways: bool,
) -> None:
    rows = folders(count, *(WAYS if ways else ()), names=names)
    for n, row in enumerate(rows):
        row.entity, row.attribute = f"e{n % entities}", f"a{n // entities}"
    faults = at_random(
        **{"500_after": e500, "500_before": e500, "503": e503, "429": e429}, lost=lost, ghost=ghost, slow=slow
    )
    sim = Simulation(
        rows, seed, Policy(concurrency, retries=50), faults=faults, swaps=swaps, unique=unique, batch=9
    )
    sim.run()
    sim.check()
    assert sim.count(Status.UPLOADED) == count


@settings(max_examples=150, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    names=st.integers(1, 3),
    retries=st.integers(0, 3),
    swaps=st.floats(0, 0.9),
    lost=st.floats(0, 0.2),
    e500=st.floats(0, 0.2),
    stop_at=st.none() | st.floats(0, 3),
    kill_at=st.none() | st.floats(0, 3),
    ways=st.booleans(),
)
def test_no_run_that_was_cut_short_or_killed_leaves_a_wrong_byte_to_the_next(
    seed: int,
    names: int,
    retries: int,
    swaps: float,
    lost: float,
    e500: float,
    stop_at: float | None,
    kill_at: float | None,
    ways: bool,
) -> None:
    rows = folders(40, *(WAYS if ways else ()), names=names)
    faults = at_random(**{"500_after": e500 / 2, "500_before": e500}, lost=lost, ghost=lost, refuse=0.02)
    sim = Simulation(rows, seed, Policy(4, retries), faults=faults, swaps=swaps)
    if stop_at is not None:
        sim.at(stop_at, sim.coordinator.stop)
    if kill_at is not None:
        sim.at(kill_at, sim.kill)
    sim.run()
    # With few tries the next run is left to put back what was borrowed.
    sim.check(carrier=False)
    # What a run that died had borrowed is put back before the next begins.
    sim.pim.entities.pop("carrier", None)
    again = sim.next_run(seed + 1)
    again.run()
    again.check(carrier=False)
    for seq in sim.ended.keys() - again.ended.keys():
        if sim.ended[seq].status is Status.UPLOADED:
            held = again.entities[rows[seq].entity][rows[seq].attribute]
            assert again.media[held] == again.bytes_of(seq), f"row {seq} was right and is not any more"


def test_names_that_never_swap_cost_nothing() -> None:
    sim = Simulation(folders(400), seed=1)
    sim.run()
    sim.check()
    assert sim.count(Status.UPLOADED) == 400
    assert sim.verified == 0
    assert sim.now < 400 * 0.11 / 4 * 1.1


def test_a_swap_costs_a_few_looks_and_one_more_upload() -> None:
    sim = Simulation(folders(400), seed=2, swaps=0.01)
    sim.run()
    sim.check()
    assert sim.count(Status.UPLOADED) == 400
    assert sim.swapped >= 3
    assert sim.verified <= 8 * sim.swapped
    assert sum(sim.sends.values()) <= 400 + 2 * sim.swapped
    assert sim.now < 400 * 0.11 / 4 * 1.1 + 6


def test_one_by_one_swaps_nothing() -> None:
    sim = Simulation(folders(60), seed=3, policy=Policy(4, one_by_one=True), swaps=1.0)
    sim.run()
    sim.check()
    assert (sim.swapped, sim.verified, sum(sim.sends.values())) == (0, 0, 60)


@pytest.mark.parametrize(("before", "goes_on"), [(None, True), (0, False), (1, False)])
def test_a_pim_that_swaps_silently_is_sent_one_by_one(before: int | None, goes_on: bool) -> None:
    policy = Policy(4, retries=50, silent_swaps=before)
    sim = Simulation(folders(400), seed=4, policy=policy, swaps=0.3, unique=False, batch=20)
    sim.run()
    sim.check()
    assert sim.count(Status.UPLOADED) == 400
    assert sim.coordinator.silent_swaps >= (1 if before else 2)
    assert sim.coordinator._flow.one_by_one is not goes_on


def test_who_may_not_download_sends_one_by_one_and_is_believed_then() -> None:
    sim = Simulation(folders(40), seed=5, policy=Policy(4, retries=50), swaps=0.2, downloads=False)
    sim.run()
    sim.check()
    assert sim.count(Status.UPLOADED) == 40


def test_a_row_waits_for_those_that_it_met_but_not_with_its_product() -> None:
    """The second product's other picture goes out while the first picture of it is in question."""
    table = Table(task(1), task(2), task(3, "other.jpg", keys=("entity:2",)), concurrency=2, one_by_one=False)
    first, second = table.request(), table.request()
    table.answer(second, stored("two"))
    assert table.ended == {}, "the first may still put its bytes there"
    third = table.request()
    assert third.task.seq == 3
    table.answer(first, stored("one"))
    assert set(table.ended) == {1, 2}
    table.answer(third, stored("three"))
    assert table.over()


def test_what_met_a_500_is_compared_once_that_is_over_and_sent_again_alone() -> None:
    table = Table(task(1), task(2), task(3), concurrency=2, one_by_one=False)
    first, second = table.request(), table.request()
    table.answer(first, CRASH)
    table.answer(second, stored("two"))
    third = table.request()
    assert (third.kind, third.task.seq) == (RequestKind.VERIFY_BYTES, 2)
    table.answer(third, Looked(False, "two"))
    fourth = table.request()
    assert (fourth.kind, fourth.task.seq) == (RequestKind.SEND, 3)
    for _ in range(20):
        table.now += 1.0
        step = table.coordinator.next(table.now)
        if isinstance(step, Request):
            assert step.kind is RequestKind.CONFIRM, "the second row waits to have the name alone"
            table.answer(step, Looked(False))
    table.answer(fourth, stored("three"))
    alone = table.request()
    assert (alone.kind, alone.task.seq) == (RequestKind.SEND, 2)
    assert not isinstance(table.coordinator.next(table.now + 10), Request)
    table.answer(alone, stored("two again"))
    assert table.request().task.seq == 1
    assert set(table.ended) == {2, 3}


def test_one_code_for_two_is_compared_though_both_were_answered_201() -> None:
    table = Table(task(1), task(2), concurrency=2, one_by_one=False)
    first, second = table.request(), table.request()
    table.answer(first, stored("same"))
    table.answer(second, stored("same"))
    looks = {table.expect(RequestKind.VERIFY_BYTES, Looked(n == 1, "same")).task.seq for n in range(2)}
    assert looks == {1, 2}
    assert len(table.ended) == 1
    assert table.coordinator.silent_swaps == 1


def test_a_lost_answer_that_is_found_lets_the_others_be_compared_at_once() -> None:
    table = Table(task(1), task(2), concurrency=2, one_by_one=False)
    first, second = table.request(), table.request()
    table.answer(first, RESET)
    table.answer(second, stored("two"))
    table.expect(RequestKind.CONFIRM, Looked(True, "one"))
    assert table.now < 1
    looks = {table.expect(RequestKind.VERIFY_BYTES, Looked(True)).task.seq for _ in range(2)}
    assert looks == {1, 2}, "what a look found by name and size is compared too"
    assert {status for status, _ in table.ended.values()} == {Status.UPLOADED}


def test_a_wrong_byte_that_can_not_be_replaced_is_looked_at_by_the_next_run() -> None:
    refused = Troubled(Failure(Kind.SERVER_ERROR, "busy", "", 503))
    table = Table(task(1), task(2), concurrency=2, retries=0, one_by_one=False)
    first, second = table.request(), table.request()
    table.answer(first, refused)
    table.answer(second, stored("two"))
    table.expect(RequestKind.VERIFY_BYTES, Looked(False, "two"))
    assert table.ended[2] == (Status.FAILED, True)
