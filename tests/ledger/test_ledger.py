"""What goes into the ledger comes out of it, by every way out."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from pathlib import Path

import pytest

from akeneo_media_cli.errors import Failure, Kind
from akeneo_media_cli.ledger import (
    UNKNOWN,
    HeldFile,
    InFlightMark,
    Ledger,
    PlannedRow,
    RowResult,
    Run,
)
from akeneo_media_cli.rows import Status, Target, TargetType

from .ledger_rows import Clock, failed, invalid, opened, pending, planned, unchanged, uploaded

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


def test_a_row_comes_back_as_it_went_in(run: Run) -> None:
    rows = [
        planned(
            1, locale="en_US", scope="ecommerce", filename="shown.jpg", root="/data", extra={"n": [1, None]}
        ),
        planned(
            2,
            target=Target(TargetType.RECORD, "", "brand"),
            path=None,
            size=None,
            mtime_ns=None,
            status=Status.INVALID,
            failure=Failure(Kind.FILE_MISSING, "no such file", ""),
            notes=("spelled otherwise",),
        ),
        planned(3, media_code="a/b.jpg", sha256="ff", attempts=2, duration=0.5, status=Status.UPLOADED),
    ]
    assert run.add(iter(rows)) == 3
    assert list(run.rows()) == rows
    assert run.row(2) == rows[1]
    with pytest.raises(LookupError, match="has no row 4"):
        run.row(4)


def test_a_problem_of_the_manifest_makes_the_row_invalid(run: Run) -> None:
    problem = Failure(Kind.TARGET_MISSING, "no target", "name a product")
    run.add([planned(1, target=None, problem=problem)])
    assert run.item(1)["error"] == {
        "kind": "target_missing",
        "http_status": None,
        "message": "no target",
        "hint": "name a product",
    }
    assert (run.item(1)["status"], run.item(1)["target"]) == ("invalid", None)


def test_names_that_are_no_text_and_times_past_64_bits_survive(run: Run) -> None:
    odd = "caf\udce9\0\ud83d.jpg"
    run.add([planned(1), planned(2, odd, name=odd, manifest=odd, mtime_ns=2**70, locale=odd), planned(3)])
    back = run.row(2)
    assert (back.name, back.row.manifest, back.row.locale) == (odd, odd, odd)
    assert (back.row.target, back.path) == (Target(TargetType.PRODUCT, odd), f"/data/images/{odd}")
    assert back.mtime_ns == 2**63 - 1
    assert [row.seq for row in run.rows()] == [1, 2, 3]
    run.mark_in_flight([InFlightMark(2, odd)])
    uploaded(run, 2, odd, notes=(odd,))
    assert (run.row(2).media_code, run.row(2).notes) == (odd, (odd,))


def test_extra_columns_that_are_no_json_are_carried_as_text(run: Run) -> None:
    loop: list[object] = []
    loop.append(loop)
    run.add([planned(1, extra={"day": datetime.date(2026, 1, 2)}), planned(2, extra={"loop": loop})])
    assert run.row(1).row.extra == {"day": "2026-01-02"}
    assert run.row(2).row.extra == {"loop": "[[...]]"}


def test_a_row_that_took_time_tells_when_it_ended(run: Run, clock: Clock) -> None:
    run.add([planned(1), planned(2)])
    unchanged(run, 2, "a/2.jpg")
    uploaded(run, 1, "a/1.jpg", duration=2)
    clock.now += 60
    failed(run, 1, REFUSED)
    assert (run.row(1).duration, run.row(1).ended_at) == (2, clock.now - 60), "read back later: no new end"
    assert run.row(2).ended_at is None
    assert "started_at" not in run.item(2)


def test_a_row_tells_what_its_value_held_before(run: Run) -> None:
    run.add([planned(n) for n in range(1, 6)])
    old = "1/2/3/4/" + "0" * 40 + "_old_front.jpg"
    run.record(
        [
            RowResult(1, Status.UPLOADED, media_code="a/1.jpg", before=None),
            RowResult(2, Status.UPLOADED, media_code="a/2.jpg", before=HeldFile(old, "old front.jpg", 7)),
            RowResult(3, Status.PLANNED, before=HeldFile(old)),
            RowResult(4, Status.UPLOADED, media_code="a/4.jpg"),
            RowResult(5, Status.UNCHANGED, media_code=old, before=HeldFile(old, "5.jpg", 5)),
        ]
    )
    told = {item["row"]: (item["change"], item["before"]) for item in run.items()}
    assert told == {
        1: ("new", None),
        2: ("replace", {"media_code": old, "name": "old front.jpg", "size": 7}),
        3: ("replace", {"media_code": old, "name": "old_front.jpg", "size": None}),
        4: (None, None),
        5: ("none", {"media_code": old, "name": "5.jpg", "size": 5}),
    }
    assert run.row(1).before is None, "it was empty"
    assert run.row(4).before is UNKNOWN, "nobody asked"
    failed(run, 2, REFUSED)
    assert run.row(2).before == HeldFile(old, "old front.jpg", 7), "a later result does not forget it"


def test_the_report_item_is_the_contracts(run: Run) -> None:
    run.add([planned(1, extra={"season": "spring"})])
    failed(run, 1, REFUSED, attempts=2, duration=0.41234, notes=("tried twice",))
    assert run.item(1) == {
        "row": 1,
        "started_at": "2026-11-23T11:59:59.588Z",
        "finished_at": "2026-11-23T12:00:00.000Z",
        "manifest": "spring.csv",
        "line": 2,
        "file": "images/1.jpg",
        "name": "1.jpg",
        "size": 1001,
        "sha256": None,
        "target": {"type": "product", "identifier": "sku-1"},
        "attribute": "picture",
        "locale": None,
        "scope": None,
        "status": "failed",
        "media_code": None,
        "change": "none",
        "before": None,
        "attempts": 2,
        "duration_seconds": 0.412,
        "error": {
            "kind": "refused",
            "http_status": 422,
            "message": "no such attribute",
            "hint": "name another",
        },
        "notes": ["tried twice"],
        "extra": {"season": "spring"},
    }


def test_items_come_in_order_or_failures_first_and_by_status(run: Run) -> None:
    run.add(planned(seq) for seq in range(1, 1202))
    run.record(RowResult(seq, Status.UPLOADED, None, "code") for seq in range(1, 1100))
    invalid(run, 1100, REFUSED)
    failed(run, 700, REFUSED)
    pending(run, 1101)
    run.record([RowResult(1102, Status.PLANNED)])
    assert [item["row"] for item in run.items()] == list(range(1, 1202))
    first = [item["row"] for item in run.items(failures_first=True)]
    assert first[:4] == [700, 1100, 1, 2]
    assert sorted(first) == list(range(1, 1202))
    assert [i["row"] for i in run.items((Status.FAILED, Status.PLANNED))] == [700, 1102]
    assert [i["row"] for i in run.items((Status.PENDING,))][:2] == [1101, 1103]
    assert run.summary() == {
        "total": 1201, "uploaded": 1098, "unchanged": 0, "planned": 1, "invalid": 1, "failed": 1,
        "pending": 100,
    }  # fmt: skip


def test_open_rows_are_handed_out_in_pages(run: Run) -> None:
    run.add(planned(seq) for seq in range(1, 11))
    invalid(run, 2, REFUSED)
    assert [row.seq for row in run.open_rows(0, 3)] == [1, 3, 4]
    assert [row.seq for row in run.open_rows(4, 100)] == [5, 6, 7, 8, 9, 10]
    assert run.open_rows(10, 5) == []
    assert run.open_totals() == (9, 10 * 1000 + 55 - 1002)
    run.record([RowResult(2, None)])
    assert run.open_rows(0, 2)[1].seq == 2


def test_an_outcome_for_no_row_changes_nothing(run: Run) -> None:
    run.add([planned(1)])
    with pytest.raises(LookupError, match="no such row"):
        run.record([RowResult(1, Status.UPLOADED, None, "code"), RowResult(2, Status.FAILED, REFUSED)])
    assert statuses(run) == [None]


def test_outcomes_keep_what_they_do_not_speak_of(run: Run) -> None:
    run.add([planned(1, notes=("one",))])
    pending(run, 1, REFUSED, attempts=3, duration=2.5)
    run.record([RowResult(1, None, notes=("two", "three"))])
    row = run.row(1)
    assert (row.attempts, row.duration, row.notes, row.failure) == (3, 2.5, ("one", "two", "three"), None)
    uploaded(run, 1, "a/b", sha256="00", size=7, mtime_ns=8)
    row = run.row(1)
    assert (row.size, row.mtime_ns, row.sha256, row.attempts) == (7, 8, "00", 3)


def test_rows_of_a_generator_that_fails_half_way(run: Run) -> None:
    def rows() -> Iterator[PlannedRow]:
        yield from (planned(seq) for seq in range(1, 5004))
        raise OSError("the manifest is gone")

    with pytest.raises(OSError, match="gone"):
        run.add(rows())
    assert run.summary()["total"] == 4000
