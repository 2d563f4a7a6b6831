"""Rows that share a media file, are attached or go through a carrier, in virtual time."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from akeneo_media_cli.errors import Kind
from akeneo_media_cli.rows import Status
from akeneo_media_cli.transfer import coordinator as module
from akeneo_media_cli.transfer.coordinator import Policy
from akeneo_media_cli.transfer.task import Known, Refused, Stored

from .simulation import SimRow, Simulation, failure
from .test_coordinator import at_random


def sharers(count: int, content: str = "one", **more: str) -> list[SimRow]:
    return [SimRow(f"{content}-{n}", "a", "front.jpg", content, **more) for n in range(count)]


def refusing(sim: Simulation, *seqs: int) -> None:
    plain = sim.send
    sim.send = lambda task, request, seconds, fate: plain(  # type: ignore[method-assign]
        task, request, seconds, "refuse" if task.seq in seqs else fate
    )


def test_one_content_is_sent_once_and_attached_in_full_batches() -> None:
    sim = Simulation(sharers(1000), seed=1)
    sim.run()
    sim.check()
    assert sim.count(Status.UPLOADED) == 1000
    assert sum(sim.sends.values()) == 1
    assert sim.patches <= 12
    assert sim.coordinator.shared == 999
    assert [e.shared for _, e in sorted(sim.ended.items())][:3] == [False, True, True]


def test_rows_that_wait_for_one_file_do_not_pile_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WINDOW", 1000)
    sim = Simulation(sharers(20_000), seed=2)
    slow = sim.random.uniform
    sim.random.uniform = lambda a, b: slow(a, b) if sim.sends else 30.0  # type: ignore[method-assign]
    sim.run()
    sim.check()
    assert sim.count(Status.UPLOADED) == 20_000
    assert sim.most_waiting <= 1000 + 4 * sim.batch
    assert sim.patches <= 230


def test_a_long_upload_that_many_wait_for_keeps_no_other_row_waiting() -> None:
    sim = Simulation(sharers(2000) + [SimRow(f"e{n}", "a", f"n{n}") for n in range(200)], seed=3)
    plain = sim.send
    sim.send = lambda task, request, seconds, fate: plain(  # type: ignore[method-assign]
        task, request, 20.0 if task.seq == 0 else seconds, fate
    )
    sim.run()
    sim.check()
    assert sim.count(Status.UPLOADED) == 2200
    assert sim.now < 23


def test_the_next_row_takes_over_from_a_leader_that_failed() -> None:
    sim = Simulation(sharers(250), seed=4, batch=300)
    refusing(sim, 0, 1, 2)
    sim.run()
    sim.check()
    assert {s for s, e in sim.ended.items() if e.status is Status.FAILED} == {0, 1, 2}
    assert sim.count(Status.UPLOADED) == 247
    assert sum(sim.sends.values()) == 4


def test_a_row_that_cannot_send_gets_the_file_of_one_that_can() -> None:
    rows = [*sharers(3), *sharers(120, "two"), *sharers(3, way="carry")]
    for row in rows[-3:]:
        row.entity += "-uuid"
    sim = Simulation(rows, seed=5, batch=200)
    sim.run()
    sim.check()
    assert sim.count(Status.UPLOADED) == 126
    assert sum(sim.sends.values()) == 2


def test_a_row_that_cannot_send_fails_with_the_one_that_was_to() -> None:
    sim = Simulation([*sharers(1), SimRow("u", "a", "front.jpg", "one", "carry")], seed=6)
    refusing(sim, 0)
    sim.run()
    sim.check()
    assert sim.ended[1].status is Status.FAILED
    assert sim.ended[1].failure == sim.ended[0].failure
    alone = Simulation([SimRow("u", "a", "front.jpg", "one", "carry")], seed=7)
    alone.run()
    assert alone.ended[0].failure is not None
    assert alone.ended[0].failure.kind is Kind.NO_CARRIER


def test_a_file_that_changed_on_the_way_is_not_given_to_others() -> None:
    rows = sharers(3, "sha256:aa\x1ffront.jpg")
    sim = Simulation(rows, seed=8)
    plain = sim.answer

    def answer(request, delay, outcome):  # type: ignore[no-untyped-def]
        if isinstance(outcome, Stored):
            outcome = Stored(outcome.code, "bb", outcome.sent, outcome.saving)
        plain(request, delay, outcome)

    sim.answer = answer  # type: ignore[method-assign]
    sim.run()
    assert sim.count(Status.UPLOADED) == 3
    assert sum(sim.sends.values()) == 3


def test_a_user_who_may_not_patch_sends_each_file_after_all() -> None:
    rows = [*sharers(300), SimRow("u", "a", "front.jpg", "one", "carry")]
    sim = Simulation(rows, seed=9, forbidden=True, batch=400)
    sim.run()
    sim.check()
    assert sim.count(Status.UPLOADED) == 300
    assert sim.ended[300].failure is not None
    assert sim.ended[300].failure.kind is Kind.FORBIDDEN
    assert sum(sim.sends.values()) == 300
    assert sim.patches <= 8


def test_a_batch_refused_as_a_whole_is_taken_apart_to_the_row_that_is_to_blame() -> None:
    rows = [SimRow(f"e{n}", "a", f"n{n}", way="attach") for n in range(200)]
    sim = Simulation(rows, seed=10, poison=frozenset({17, 150}))
    sim.run()
    sim.check()
    assert {s for s, e in sim.ended.items() if e.status is Status.FAILED} == {17, 150}
    assert sim.count(Status.UPLOADED) == 198
    assert sum(sim.sends.values()) == 200
    assert sim.patches <= 45


def test_a_refusal_that_no_row_is_to_blame_for_is_not_taken_apart() -> None:
    sim = Simulation([SimRow(f"e{n}", "a", f"n{n}", way="attach") for n in range(100)], seed=11)
    sim.attach_all = lambda request, seconds, fate: sim.answer(  # type: ignore[method-assign]
        request, seconds, Refused(failure(404, Kind.ROUTE_MISSING))
    )
    sim.run()
    assert sim.count(Status.FAILED) == 100
    assert sim.requests <= 110


def test_values_of_one_entity_are_one_line_and_the_bad_one_fails_alone() -> None:
    rows = [SimRow(f"e{n // 5}", f"a{n % 5}", f"n{n}", way="attach") for n in range(500)]
    sim = Simulation(rows, seed=12, bad=frozenset({7}))
    sim.run()
    sim.check()
    assert {s for s, e in sim.ended.items() if e.status is Status.FAILED} == {7}
    assert sim.count(Status.UPLOADED) == 499
    assert sim.patches <= 20


def test_a_code_that_an_earlier_run_knew_is_used_or_else_the_file_is_sent() -> None:
    known = Simulation(sharers(50), seed=13, known={"one": Known("old", "", True)})
    known.media["old"] = "one"
    known.run()
    known.check()
    assert not known.sends
    gone = Simulation(sharers(250), seed=14, known={"one": Known("old", "", True)})
    gone.run()
    gone.check()
    assert gone.count(Status.UPLOADED) == 250
    assert sum(gone.sends.values()) == 1


def test_a_file_that_a_run_that_died_had_stored_is_attached_without_sending() -> None:
    rows = [SimRow(f"e{n}", "a", f"n{n}", way="attach", code=f"old-{n}") for n in range(150)]
    sim = Simulation(rows, seed=15)
    sim.media.update({f"old-{n}": f"bytes-{n}" for n in range(149)})
    sim.run()
    sim.check()
    assert sim.count(Status.UPLOADED) == 150
    assert dict(sim.sends) == {149: 1}


@settings(max_examples=200, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    count=st.integers(1, 90),
    contents=st.integers(1, 12),
    entities=st.integers(1, 60),
    concurrency=st.integers(1, 6),
    lost=st.floats(0, 0.15),
    e503=st.floats(0, 0.2),
    e429=st.floats(0, 0.1),
    refuse=st.floats(0, 0.1),
    short=st.floats(0, 0.2),
    doubtful=st.booleans(),
    forbidden=st.booleans(),
    stop_at=st.none() | st.floats(0, 4),
    kill=st.booleans(),
)
def test_no_follower_is_lost(
    seed: int,
    count: int,
    contents: int,
    entities: int,
    concurrency: int,
    lost: float,
    e503: float,
    e429: float,
    refuse: float,
    short: float,
    doubtful: bool,
    forbidden: bool,
    stop_at: float | None,
    kill: bool,
) -> None:
    r = random.Random(seed)
    rows = []
    for n in range(count):
        way = r.choice(["send", "send", "send", "carry", "borrow", "attach"])
        entity = f"u{n}" if way in ("carry", "borrow") else f"e{n % entities}"
        content = None if way == "attach" or (way == "send" and r.random() < 0.3) else f"c{n % contents}"
        rows.append(SimRow(entity, f"a{n}", f"n{n % 9}", content, way))
    faults = at_random(
        **{"lost": lost, "ghost": lost, "500_before": lost / 3, "503": e503, "429": e429},
        refuse=refuse,
        short=short,
    )
    sim = Simulation(
        rows,
        seed=seed,
        policy=Policy(concurrency, retries=50),
        faults=faults,
        batch=9,
        forbidden=forbidden,
        known={"c0": Known("gone", None, True), "c1": Known("there", None, True)} if doubtful else {},
    )
    sim.media["there"] = "c1"
    if stop_at is not None:
        sim.at(stop_at, sim.coordinator.abort if kill else sim.coordinator.stop)
    sim.run()
    if not (kill and stop_at is not None):
        sim.check()
    assert not sim.violations
    assert sim.coordinator._sharing.waiting == 0 or stop_at is not None
    for seq, sends in sim.sends.items():
        assert seq in sim.ended, f"row {seq} was sent {sends} times, and nobody was told what became of it"
    for seq, ended in sim.ended.items():
        row = sim.rows[seq]
        if ended.status is Status.PENDING and sim.entities.get(row.entity, {}).get(row.attribute):
            assert ended.uncertain, "the PIM has it, and the next run is not told to look"
    if stop_at is None:
        assert set(sim.ended) == set(range(count)), "rows were lost"
        if not refuse and not forbidden:
            assert all(
                e.status is Status.UPLOADED or sim.rows[s].way == "carry" for s, e in sim.ended.items()
            )
