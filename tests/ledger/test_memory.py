"""What was put where, and what was on its way: remembered from run to run."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from akeneo_media_cli.errors import Failure, Kind
from akeneo_media_cli.ledger import (
    UNKNOWN,
    InFlightMark,
    InFlightState,
    Ledger,
    PlannedRow,
    Remembered,
    RowResult,
    Run,
    value_key,
)
from akeneo_media_cli.ledger.model import value_identity
from akeneo_media_cli.rows import Status, Target, TargetType, folded

from .ledger_rows import NOON, Clock, failed, invalid, opened, pending, planned, unchanged, uploaded

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


def statuses(run: Run) -> list[Status | None]:
    return [row.status for row in run.rows()]


def second(ledger: Ledger, *rows: PlannedRow) -> Run:
    run = ledger.start_run("upload", {})
    run.add(rows)
    return run


def test_the_second_run_finds_everything_unchanged(ledger: Ledger, run: Run) -> None:
    run.add([planned(1), planned(2), planned(3)])
    uploaded(run, 1, "a/1.jpg", sha256="11")
    uploaded(run, 2, "a/2.jpg")
    later = second(ledger, planned(1), planned(2, size=9), planned(3))
    assert later.mark_unchanged() == 1
    assert statuses(later) == [Status.UNCHANGED, None, None]
    assert (later.row(1).media_code, later.row(1).sha256) == ("a/1.jpg", "11")


@pytest.mark.parametrize(
    "changed",
    [
        {"size": 5},
        {"mtime_ns": 5},
        {"mtime_ns": None},
        {"name": "b.jpg"},
        {"attribute": "manual"},
        {"locale": "en_US"},
        {"scope": "print"},
        {"target": Target(TargetType.PRODUCT_MODEL, "sku-1")},
        {"target": Target(TargetType.ASSET, "sku-1", "packshots")},
        {"target": None},
    ],
)
def test_another_file_or_value_is_not_unchanged(ledger: Ledger, run: Run, changed: dict[str, Any]) -> None:
    run.add([planned(1)])
    uploaded(run, 1, "a/1.jpg")
    later = second(ledger, planned(1, **changed))
    assert later.mark_unchanged() == 0


def test_unchanged_however_the_code_is_spelled(ledger: Ledger, run: Run) -> None:
    run.add([planned(1, "Größe-é", locale="EN_us")])
    uploaded(run, 1, "a/1.jpg")
    assert second(ledger, planned(1, "GRÖSSE-E ", locale="en_US")).mark_unchanged() == 1


def test_a_key_that_two_values_share_by_accident_is_not_believed(tmp_path: Path) -> None:
    path = tmp_path / "pim.sqlite"
    with opened(path) as ledger:
        run = second(ledger, planned(1))
        uploaded(run, 1, "a/1.jpg", sha256="11")
        other = planned(1, "other")
        other_key = value_key(other.row.target or pytest.fail(), "picture", None, None)
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE value SET key = ?", (other_key,))
    connection.close()
    with opened(path) as ledger:
        assert second(ledger, other).mark_unchanged() == 0
        assert list(second(ledger, planned(1, "other", mtime_ns=0)).touched()) == []


def test_what_a_value_last_got_can_be_asked(ledger: Ledger, run: Run) -> None:
    run.add([planned(1), planned(2)])
    uploaded(run, 1, "a/1.jpg", sha256="11")
    run.mark_in_flight([InFlightMark(2)])
    later = second(ledger, planned(1, size=9), planned(2))
    assert later.remembered(1) == Remembered("a/1.jpg", "1.jpg", 1001, 5_000_000_001, "11")
    assert later.remembered(2) is None


def test_a_touched_file_is_settled_by_its_digest(ledger: Ledger, run: Run) -> None:
    run.add([planned(1), planned(2)])
    uploaded(run, 1, "a/1.jpg", sha256="11")
    uploaded(run, 2, "a/2.jpg")
    later = second(ledger, planned(1, mtime_ns=77), planned(2, mtime_ns=77))
    assert later.mark_unchanged() == 0
    (touched,) = later.touched()
    assert (touched.planned.seq, touched.media_code, touched.sha256) == (1, "a/1.jpg", "11")
    unchanged(later, 1, touched.media_code, sha256=touched.sha256)
    third = second(ledger, planned(1, mtime_ns=77))
    assert third.mark_unchanged() == 1


def test_the_digest_stays_known_while_the_code_stays(ledger: Ledger, run: Run) -> None:
    run.add([planned(1)])
    uploaded(run, 1, "a/1.jpg", sha256="11")
    unchanged(second(ledger, planned(1, mtime_ns=77)), 1, "a/1.jpg")
    (touched,) = second(ledger, planned(1, mtime_ns=78)).touched()
    assert touched.sha256 == "11"
    unchanged(second(ledger, planned(1, mtime_ns=77)), 1, "b/1.jpg")
    assert list(second(ledger, planned(1, mtime_ns=78)).touched()) == []


def test_unchanged_without_a_code_teaches_nothing(ledger: Ledger, run: Run) -> None:
    run.add([planned(1)])
    unchanged(run, 1, None)
    assert second(ledger, planned(1)).mark_unchanged() == 0


class TestInterrupted:
    """A run dies with values in flight; the next one hears of exactly those."""

    def test_with_what_was_known_before(self, ledger: Ledger, run: Run, clock: Clock) -> None:
        run.add(planned(seq) for seq in range(1, 6))
        uploaded(run, 5, "old/5.jpg")
        run.mark_in_flight([InFlightMark(1)])
        run.mark_in_flight([InFlightMark(2, None, size=5, mtime_ns=6)])
        clock.now -= 3600
        run.mark_in_flight([InFlightMark(3, "old/3.jpg"), InFlightMark(5, "old/5.jpg")])
        assert list(run.interrupted()) == []
        later = second(ledger, *(planned(seq) for seq in range(1, 6)))
        assert later.mark_unchanged() == 0
        found = list(later.interrupted())
        told = [(i.planned.seq, i.run, i.name, i.size, i.before, i.at) for i in found]
        assert told == [
            (1, run.id, "1.jpg", 1001, UNKNOWN, NOON),
            (2, run.id, "2.jpg", 5, None, NOON),
            (3, run.id, "3.jpg", 1003, "old/3.jpg", NOON - 3600),
            (5, run.id, "5.jpg", 1005, "old/5.jpg", NOON - 3600),
        ]  # fmt: skip
        assert found[1].mtime_ns == 6

    @pytest.mark.parametrize("how", ["uploaded", "failed", "pending", "unchanged"])
    def test_not_with_what_came_to_an_end(self, ledger: Ledger, run: Run, how: str) -> None:
        run.add([planned(1)])
        run.mark_in_flight([InFlightMark(1)])
        match how:
            case "uploaded":
                uploaded(run, 1, "a/1.jpg")
            case "unchanged":
                unchanged(run, 1, "a/1.jpg")
            case "failed":
                failed(run, 1, REFUSED)
            case _:
                pending(run, 1)
        assert list(second(ledger, planned(1)).interrupted()) == []

    @pytest.mark.parametrize("how", ["failed", "pending"])
    def test_with_what_ended_unproven(self, ledger: Ledger, run: Run, how: str) -> None:
        run.add([planned(1)])
        run.mark_in_flight([InFlightMark(1, "old")])
        if how == "failed":
            failed(run, 1, REFUSED, flight=InFlightState.UNPROVEN)
        else:
            pending(run, 1, flight=InFlightState.UNPROVEN)
        later = second(ledger, planned(1))
        assert [i.before for i in later.interrupted()] == ["old"]
        # Pending once more before anybody could ask the PIM: the mark must not be lost on the way.
        pending(later, 1)
        assert [i.run for i in second(ledger, planned(1)).interrupted()] == [run.id]
        invalid(later, 1, REFUSED)
        third = second(ledger, planned(1))
        third.mark_in_flight([InFlightMark(1, "x")])
        pending(third, 1)
        assert list(second(ledger, planned(1)).interrupted()) == []

    def test_only_for_open_rows_of_that_value(self, ledger: Ledger, run: Run) -> None:
        run.add([planned(1)])
        run.mark_in_flight([InFlightMark(1)])
        assert list(second(ledger, planned(1, "other")).interrupted()) == []
        later = second(ledger, planned(1))
        invalid(later, 1, REFUSED)
        assert list(later.interrupted()) == []

    def test_a_refusal_keeps_the_memory_of_the_value(self, ledger: Ledger, run: Run) -> None:
        run.add([planned(1)])
        uploaded(run, 1, "a/1.jpg")
        other = second(ledger, planned(1, size=5))
        other.mark_in_flight([InFlightMark(1, "a/1.jpg")])
        failed(other, 1, REFUSED)
        assert second(ledger, planned(1)).mark_unchanged() == 1

    def test_a_lost_value_is_forgotten(self, ledger: Ledger, run: Run) -> None:
        run.add([planned(1)])
        uploaded(run, 1, "a/1.jpg")
        failed(
            run, 1, Failure(Kind.VALUE_LOST, "gone", "again"), flight=InFlightState.LOST, media_code="a/1.jpg"
        )
        assert run.row(1).media_code == "a/1.jpg"
        assert second(ledger, planned(1)).mark_unchanged() == 0

    def test_a_look_disproves_what_is_known_and_ends_no_request(self, ledger: Ledger, run: Run) -> None:
        run.add([planned(1), planned(2)])
        uploaded(run, 1, "a/1.jpg", sha256="ab" * 32)
        run.mark_in_flight([InFlightMark(2)])
        look = second(ledger, planned(1), planned(2))
        missing = Failure(Kind.VALUE_MISSING, "gone", "upload it")
        look.record(RowResult(seq, Status.MISSING, missing, flight=InFlightState.DISPROVED) for seq in (1, 2))
        later = second(ledger, planned(1), planned(2))
        assert later.mark_unchanged() == 0
        assert list(later.touched()) == []
        known = later.remembered(1)
        assert known is not None
        assert (known.media_code, known.mtime_ns, known.sha256) == ("a/1.jpg", None, None)
        assert [each.code for each in later.at_work()] == ["sku-2"]
        assert [each.planned.seq for each in later.interrupted()] == [2]


# No code of a PIM has control characters.
codes = st.text(st.characters(exclude_categories=["Cc"]), max_size=6) | st.sampled_from(
    ["sku-1", "SKU-1", "sku-1 ", "Äé", "ae", "ÄÉ "]
)
places = st.none() | st.sampled_from(["en_US", "EN_us", "de_DE"])
values = st.tuples(st.sampled_from(list(TargetType)), codes, codes, codes, places, places)


@given(values, values)
@settings(max_examples=300, deadline=None)
def test_a_value_has_one_key_exactly_if_the_pim_takes_it_as_one(
    one: tuple[TargetType, str, str, str, str | None, str | None],
    other: tuple[TargetType, str, str, str, str | None, str | None],
) -> None:
    def key(value: tuple[TargetType, str, str, str, str | None, str | None]) -> tuple[int, bytes]:
        type_, code, parent, attribute, locale, scope = value
        target = Target(type_, code, parent)
        return value_key(target, attribute, locale, scope), value_identity(
            type_.value, parent, code, attribute, locale, scope
        )

    def plain(value: tuple[TargetType, str, str, str, str | None, str | None]) -> tuple[str, ...]:
        return (value[0].value, *(folded(part or "") for part in value[1:]))

    same = plain(one) == plain(other)
    assert (key(one)[0] == key(other)[0]) == same
    assert (key(one)[1] == key(other)[1]) == same
    assert -(2**63) <= key(one)[0] < 2**63


def test_the_key_never_changes() -> None:
    assert value_key(Target(TargetType.PRODUCT, "SKU-1 "), "Picture", "en_US", None) == value_key(
        Target(TargetType.PRODUCT, "sku-1"), "picture", "EN_US", None
    )
    assert value_key(Target(TargetType.ASSET, "a", "fam"), "media", None, "print") == KNOWN_KEY


KNOWN_KEY = -2090682342010715864
"""Written down so that an upgrade of this program does not forget what is in the PIM."""
