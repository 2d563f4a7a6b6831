"""Rows that wait for keys: never two that share one, none forgotten, none starved."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from akeneo_media_cli.transfer.scheduler import HEAVIEST, Scheduler

Item = tuple[int, tuple[str, ...], tuple[str, ...]]


def keys(letters: str) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from(letters), unique=True, max_size=2).map(tuple)


items = st.lists(st.tuples(keys("abcdef"), keys("TU")), max_size=40)


@given(items=items, choices=st.lists(st.integers(0, 10**6), min_size=200, max_size=200))
def test_no_two_share_a_key_and_all_are_taken(
    items: list[tuple[tuple[str, ...], ...]], choices: list[int]
) -> None:
    scheduler: Scheduler[Item] = Scheduler()
    picks = iter(choices)
    queue = [(n, own, shared) for n, (own, shared) in enumerate(items)]
    # Some want for themselves what others share: a tree after a deadlock.
    queue = [(n, (*own, *shared), ()) if n % 5 == 4 else (n, own, shared) for n, own, shared in queue]
    for item in queue:
        scheduler.add(item, item[1], item[2], next(picks) % 40, first=item[0] % 7 == 3)
    alone: Counter[str] = Counter()
    together: Counter[str] = Counter()
    flying: list[Item] = []
    taken: list[int] = []
    while len(scheduler) or flying:
        item = scheduler.take() if next(picks, 0) % 3 else None
        if item is None and not flying:
            item = scheduler.take()
            assert item is not None, f"{len(scheduler)} items wait, and nothing is at work"
        if item is None:
            _, own, shared = done = flying[next(picks, 0) % len(flying)]
            flying.remove(done)
            alone.subtract(own)
            together.subtract(shared)
            scheduler.release(own, shared)
            continue
        taken.append(item[0])
        flying.append(item)
        for key in item[1]:
            assert not alone[key], f"{key} is taken twice"
            assert not together[key], f"{key} is shared, and taken alone"
        for key in item[2]:
            assert not alone[key], f"{key} is taken alone, and shared"
        alone.update(item[1])
        together.update(item[2])
    assert sorted(taken) == list(range(len(queue)))
    assert scheduler.ready == 0


def taken(scheduler: Scheduler[str]) -> list[str]:
    out = []
    while (item := scheduler.take()) is not None:
        out.append(item)
    return out


def test_free_keys_are_given_in_the_order_of_coming() -> None:
    scheduler: Scheduler[str] = Scheduler()
    for name, key in (("1", "x"), ("2", "x"), ("3", "y"), ("4", "x")):
        scheduler.add(name, (key,))
    assert taken(scheduler) == ["1", "3"]
    scheduler.release(("x",))
    assert taken(scheduler) == ["2"]
    assert scheduler.longest_queue() == ("x", 1)


def test_the_heaviest_goes_first_and_else_who_came_first() -> None:
    scheduler: Scheduler[str] = Scheduler()
    for name, key, weight in (
        ("a", "x", 0), ("b", "y", 2), ("c", "x", 5), ("d", "z", 2), ("e", "w", HEAVIEST), ("f", "v", 99)
    ):  # fmt: skip
        scheduler.add(name, (key,), weight=weight)
    assert scheduler.ready == 6
    assert taken(scheduler) == ["e", "f", "c", "b", "d"]
    # The lighter one has waited for a key: it goes before all that wait for nothing.
    scheduler.add("g", ("u",), weight=HEAVIEST)
    scheduler.release(("x",))
    assert taken(scheduler) == ["a", "g"]


def test_who_wants_a_tree_alone_gets_it_before_those_that_came_later() -> None:
    scheduler: Scheduler[str] = Scheduler()
    scheduler.add("first", ("a",), ("tree:t",))
    assert taken(scheduler) == ["first"]
    scheduler.add("alone", ("b", "tree:t"))
    assert taken(scheduler) == []
    scheduler.add("later", ("c",), ("tree:t",))
    assert taken(scheduler) == [], "they would keep it from ever being free"
    scheduler.release(("a",), ("tree:t",))
    assert taken(scheduler) == ["alone"]
    scheduler.release(("b", "tree:t"))
    assert taken(scheduler) == ["later"]


def test_keys_out_of_turn_are_had_only_when_free() -> None:
    scheduler: Scheduler[str] = Scheduler()
    scheduler.add("one", ("a",), ("t",))
    scheduler.take()
    assert not scheduler.acquire(("a",))
    assert not scheduler.acquire(("t",))
    assert scheduler.acquire(("b",))
    scheduler.add("two", ("b",))
    assert scheduler.take() is None
    scheduler.release(("b",))
    assert scheduler.take() == "two"


def test_draining_gives_all_that_wait_and_leaves_nothing() -> None:
    scheduler: Scheduler[str] = Scheduler()
    for name in "12345":
        scheduler.add(name, ("name:x",))
    assert scheduler.take() == "1"
    assert scheduler.take() is None
    assert scheduler.waiting_for("name") == 4
    assert sorted(scheduler.drain()) == ["2", "3", "4", "5"]
    assert len(scheduler) == 0
    assert scheduler.take() is None
    assert scheduler.longest_queue() == ("", 0)
    assert scheduler.waiting_for("name") == 0


def test_many_that_wait_for_one_key_cost_no_more_each() -> None:
    scheduler: Scheduler[int] = Scheduler()
    for n in range(20_000):
        scheduler.add(n, ("name:front.jpg", f"product:{n}"))
    for n in range(20_000):
        assert scheduler.take() == n
        assert scheduler.take() is None
        scheduler.release(("name:front.jpg", f"product:{n}"))


def test_one_that_goes_first_lets_those_pass_who_want_alone_what_it_shares() -> None:
    scheduler: Scheduler[str] = Scheduler()
    scheduler.add("holder", (), ("T",))
    assert scheduler.take() == "holder"
    scheduler.add("alone", ("T",))
    assert scheduler.take() is None
    scheduler.add("due", (), ("T",), first=True)
    assert scheduler.take() is None
    scheduler.release((), ("T",))
    assert scheduler.take() == "alone"
    assert scheduler.take() is None
    scheduler.release(("T",))
    assert scheduler.take() == "due"
