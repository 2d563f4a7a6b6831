"""Rows out of the ledger: batches for one look at the PIM, and in which order they come."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from akeneo_media_cli.errors import Failure, Kind
from akeneo_media_cli.ledger import Ledger, PlannedRow, Run
from akeneo_media_cli.planning.carriers import Carriers, Way
from akeneo_media_cli.planning.feed import ENTITIES, ROWS, Feed, Passes, expected_rows
from akeneo_media_cli.rows import Row, Target, TargetType

from ..ledger.ledger_rows import opened, planned, uploaded

PRODUCT, UUID, ASSET = TargetType.PRODUCT, TargetType.PRODUCT_UUID, TargetType.ASSET


def row(target: Target | None) -> Row:
    return Row("m.csv", 2, "a.jpg", target, "picture")


def fed(targets: list[Target], **options: object) -> list[list[int]]:
    """The batches, by the rows' numbers."""
    rows = [PlannedRow(seq, row(target), "x") for seq, target in enumerate(targets, 1)]
    feed = Feed(lambda after, limit: rows[after : after + limit], **options)  # type: ignore[arg-type]
    return [[each.seq for each in batch] for batch in iter(feed, None)]


@given(entities=st.lists(st.integers(0, 150), max_size=1500))
def test_batches_hold_every_row_once_in_order_and_few_entities(entities: list[int]) -> None:
    rows = [
        PlannedRow(seq, row(Target(PRODUCT, f"SKU-{n}") if n else None), "x")
        for seq, n in enumerate(entities, 1)
    ]
    feed = Feed(lambda after, limit: rows[after : after + limit])
    got: list[PlannedRow] = []
    while (batch := feed()) is not None:
        assert 0 < len(batch) <= ROWS
        assert len({r.row.target for r in batch if r.row.target}) <= ENTITIES
        got += batch
    assert got == rows
    assert feed() is None


def test_codes_that_the_pim_takes_as_one_are_one_entity() -> None:
    one = [Target(PRODUCT, code) for code in ("a", "A", "a ")]
    others = [Target(PRODUCT, f"p-{n}") for n in range(ENTITIES)]
    assert [len(batch) for batch in fed(others[1:] + one)] == [ENTITIES + 2]
    assert [len(batch) for batch in fed(others + one)] == [ENTITIES, 3]


def test_entities_of_several_kinds_and_families_count_each() -> None:
    same = [Target(PRODUCT, "x"), Target(UUID, "x"), Target(ASSET, "x", "f"), Target(ASSET, "x", "g")]
    others = [Target(PRODUCT, f"p-{n}") for n in range(ENTITIES - 3)]
    assert [len(batch) for batch in fed(others + same)] == [ENTITIES, 1]


def test_a_batch_has_no_more_rows_than_it_may_and_none_that_are_left_out() -> None:
    targets = [Target(PRODUCT, "x")] * 7
    assert fed(targets, rows=3) == [[1, 2, 3], [4, 5, 6], [7]]
    assert fed(targets, rows=3, without={1, 4, 7}) == [[2, 3, 5], [6]]
    assert fed(targets, without=set(range(1, 8))) == []


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with opened(tmp_path / "ledger.sqlite") as found:
        yield found


def begun(ledger: Ledger, *rows: PlannedRow, known: tuple[int, ...] = ()) -> Run:
    """A run of these rows, of which the `known` ones were uploaded before."""
    before = ledger.start_run("upload", {})
    before.add(rows)
    for seq in known:
        uploaded(before, seq, f"a/{seq}.jpg")
    run = ledger.start_run("upload", {})
    run.add(rows)
    run.expect_unchanged()
    return run


def test_what_is_expected_to_be_unchanged_comes_with_its_entity_together(ledger: Ledger) -> None:
    rows = [planned(n, code=f"sku-{n % 2}", attribute=f"picture_{n}") for n in range(1, 7)]
    run = begun(ledger, *rows, known=(1, 2, 4, 5))
    pages = expected_rows(run)
    assert [[each.seq for each in pages(0, 3)] for _ in range(3)] in (
        [[2, 4, 1], [5], []],
        [[1, 5, 2], [4], []],
    )
    assert all(each.media_code for each in expected_rows(run)(0, 9))


def numbers(passes: Passes, at_most: int = 30) -> list[list[int]]:
    found = []
    for _ in range(at_most):
        batch = passes()
        if batch is None:
            return found
        found.append([each.seq for each in batch])
    raise AssertionError("it does not end")


def test_rows_to_send_come_first_then_those_expected_to_be_unchanged_then_those_by_uuid(
    ledger: Ledger,
) -> None:
    uuid = Target(UUID, "0-1")
    rows = [planned(1, target=uuid), planned(2), planned(3), planned(4, attribute="front"), planned(5)]
    run = begun(ledger, *rows, known=(3, 5))
    assert numbers(Passes(run, Carriers(None, None))) == [[2, 4], [], [3, 5], [], [1], []]


def test_rows_of_which_nobody_knew_who_sends_their_file_come_once_more(ledger: Ledger) -> None:
    rows = [planned(n, target=Target(UUID, f"0-{n}")) for n in (1, 2)] + [planned(3)]
    run = begun(ledger, *rows)
    carriers = Carriers(None, None)
    passes = Passes(run, carriers)
    batches = [passes() for _ in range(4)]
    assert [[each.seq for each in batch or []] for batch in batches] == [[3], [], [], [1, 2]]
    for each in batches[-1] or []:
        assert carriers.way(each, f"content {each.seq}") is Way.LATER
    carriers.sends("content 2", 3)
    assert numbers(passes)[-1] == [1, 2]
    assert carriers.way(rows[1], "content 2") is Way.CARRIED
    nobody = carriers.way(rows[0], "content 1")
    assert isinstance(nobody, Failure)
    assert nobody.kind is Kind.NO_CARRIER
    assert passes() is None
