"""What the ledger knows of media files that several rows may share, and of values that were lent."""

from __future__ import annotations

from pathlib import Path

import pytest

from akeneo_media_cli.exits import Exit
from akeneo_media_cli.ledger import BorrowedValue, InFlightMark, InFlightState, Run, Share
from akeneo_media_cli.rows import Status, Target, TargetType

from .ledger_rows import Clock, opened, pending, planned, uploaded


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.sqlite"


def test_rows_of_one_file_or_of_one_name_and_size_are_found(path: Path) -> None:
    same = {"path": "/a/front.jpg", "name": "front.jpg", "size": 10}
    rows = [
        planned(1, **same),
        planned(2, **same),
        planned(3, path="/1/back.jpg", name="back.jpg", size=7),
        planned(4, path="/2/back.jpg", name="back.jpg", size=7, target=Target(TargetType.PRODUCT_MODEL, "m")),
        planned(5, path="/3/back.jpg", name="back.jpg", size=8),
        planned(6, path="/a/front.jpg", name="other.jpg", size=10),
        planned(7, target=Target(TargetType.ASSET, "a", "f"), **same),
        planned(8, target=Target(TargetType.PRODUCT_UUID, "u"), **same),
    ]
    with opened(path) as ledger:
        run = ledger.start_run("upload", {})
        run.add(rows)
        assert run.mark_shares() == 5
        shares = {row.seq: row.share for row in run.open_rows(0, 100)}
    assert shares == {
        1: Share.PATH, 2: Share.PATH, 8: Share.PATH, 3: Share.BYTES, 4: Share.BYTES, 5: None, 6: None, 7: None
    }  # fmt: skip


def test_what_was_stored_before_is_there_to_be_shared(path: Path) -> None:
    same = {"path": "/a/front.jpg", "name": "front.jpg", "size": 10, "mtime_ns": 5}
    with opened(path) as ledger:
        first = ledger.start_run("upload", {})
        first.add([planned(1, **same), planned(2, **same)])
        uploaded(first, 1, "c/front.jpg", sha256="aa")
        uploaded(first, 2, "c/front.jpg", sha256="aa")
        again = ledger.start_run("upload", {})
        again.add([planned(1, **same), planned(2, **same)])
        again.mark_unchanged()
        assert again.mark_shares() == 0
        more = ledger.start_run("upload", {})
        more.add([planned(1, **same), planned(2, **same), planned(3, **same)])
        more.mark_unchanged()
        assert more.mark_shares() == 3
        found = list(more.stored_shares())
    assert [(row.seq, row.media_code, row.sha256) for row in found] == [
        (1, "c/front.jpg", "aa"),
        (2, "c/front.jpg", "aa"),
    ]


def test_the_code_of_a_file_that_was_not_attached_yet_outlives_the_run(path: Path) -> None:
    with opened(path) as ledger:
        run = ledger.start_run("upload", {})
        run.add([planned(1), planned(2), planned(3)])
        run.mark_in_flight(
            [
                InFlightMark(1, None),
                InFlightMark(2, "old", code="c/2.jpg"),
                InFlightMark(3, None, code="c/3.jpg"),
            ]
        )
        run.mark_in_flight([InFlightMark(1, None, code="c/1.jpg")])
        uploaded(run, 3, "c/3.jpg")
    with opened(path) as ledger:
        run = ledger.start_run("upload", {})
        run.add([planned(1), planned(2), planned(3)])
        found = {i.planned.seq: (i.code, i.before) for i in run.interrupted()}
        assert found == {1: ("c/1.jpg", None), 2: ("c/2.jpg", "old")}
        uploaded(run, 1, "c/1.jpg")
        assert [i.planned.seq for i in run.interrupted()] == [2]


def test_a_lent_value_is_remembered_as_it_was_at_first_until_it_is_given_back(path: Path) -> None:
    borrowed = BorrowedValue("p-1", "picture", None, "shop", "old/code.jpg", "a.jpg", 10)
    with opened(path) as ledger:
        run = ledger.start_run("upload", {})
        run.borrow(borrowed)
        assert run.borrowed() == [borrowed]
        later = borrowed._replace(before="ours.jpg", name="b.jpg", size=11)
        run.borrow(later)
        assert run.borrowed() == [later._replace(before="old/code.jpg")]
        run.borrow(borrowed._replace(attribute="empty", before=None))
    with opened(path) as ledger:
        run = ledger.start_run("upload", {})
        assert sorted(run.borrowed()) == sorted(
            [borrowed._replace(attribute="empty", before=None), borrowed._replace(name="b.jpg", size=11)]
        )
        run.give_back(borrowed)
        assert [each.attribute for each in run.borrowed()] == ["empty"]
        run.add([planned(1)])
        assert run.row(1).status is not Status.UPLOADED


def unsettled(run: Run) -> float:
    return max((each.seconds for each in run.at_work()), default=0.0)


def test_what_another_run_got_no_answer_to_is_waited_for(path: Path) -> None:
    clock = Clock()

    def next_run() -> float:
        with opened(path, clock) as ledger:
            return unsettled(ledger.start_run("upload", {}))

    with opened(path, clock) as ledger:
        run = ledger.start_run("upload", {})
        run.add([planned(1), planned(2)])
        run.mark_in_flight([InFlightMark(1)])
        assert unsettled(run) == 0, "its own calls are its own business"
        run.settles_after(7.5)
    # It has no end: it may have died a moment before this one had the lock.
    assert next_run() == 7.5
    clock.now += 3
    assert next_run() == 4.5, "it was dead when the run after it began"
    clock.now -= 7200
    assert next_run() == 7.5, "a clock that was set back"
    with opened(path, clock) as ledger:
        ledger.start_run("upload", {}).settles_after(0.5)
    assert next_run() == 7.5, "what the slow run left takes no less for a quick one after it"
    with opened(path, clock) as ledger:
        run = ledger.start_run("upload", {})
        run.settled()
        run.add([planned(2)])
        run.mark_in_flight([InFlightMark(2)])
        run.settles_after(30.0)
    assert next_run() == 30.0, "what the last run left, not what it has waited for"
    with opened(path, clock) as ledger:
        ledger.start_run("upload", {}).settled()
    assert next_run() == 0, "it has been waited for"


def test_the_values_at_work_are_told_by_run(path: Path) -> None:
    clock = Clock()
    for n in (1, 2):
        with opened(path, clock) as ledger:
            run = ledger.start_run("upload", {})
            run.add([planned(1), planned(2)])
            run.mark_in_flight([InFlightMark(n)])
            clock.now += 1.5
    with opened(path, clock) as ledger:
        found = ledger.start_run("upload", {}).at_work()
    assert sorted(found) == [
        (1, 0.5, "product", None, "sku-1", "1.jpg"),
        (2, 2.0, "product", None, "sku-2", "2.jpg"),
    ]


def test_a_row_of_which_nothing_was_saved_is_a_row_like_any_other(path: Path) -> None:
    with opened(path) as ledger:
        run = ledger.start_run("upload", {})
        run.add([planned(1)])
        run.mark_in_flight([InFlightMark(1, None)])
    with opened(path) as ledger:
        run = ledger.start_run("upload", {})
        run.add([planned(1)])
        (left,) = run.interrupted()
        run.not_saved([left.planned.seq])
        assert list(run.interrupted()) == []
        assert run.row(1).status is None


def test_nothing_is_at_work_after_a_day(path: Path) -> None:
    clock = Clock()
    with opened(path, clock) as ledger:
        run = ledger.start_run("upload", {})
        run.add([planned(1)])
        run.mark_in_flight([InFlightMark(1)])
    clock.now += 2 * 24 * 3600
    with opened(path, clock) as ledger:
        assert unsettled(ledger.start_run("upload", {})) == 0


def test_a_run_that_came_to_its_end_is_waited_for_from_then_on(path: Path) -> None:
    clock = Clock()
    with opened(path, clock) as ledger:
        run = ledger.start_run("upload", {})
        run.add([planned(1)])
        run.mark_in_flight([InFlightMark(1)])
        clock.now += 100
        pending(run, 1, flight=InFlightState.UNPROVEN)
        run.finish(Exit.INTERRUPTED, {})
    for passed, left in ((0.5, 1.5), (1.0, 0.5), (1.0, 0.0), (-50.0, 2.0)):
        clock.now += passed
        with opened(path, clock) as ledger:
            run = ledger.start_run("upload", {})
            assert unsettled(run) == pytest.approx(left)
    with opened(path, clock) as ledger:
        run = ledger.start_run("upload", {})
        run.add([planned(1)])
        uploaded(run, 1, "a/1.jpg")
        assert unsettled(run) == 0
