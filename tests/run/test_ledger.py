"""What goes into the ledger comes out of it, by every way out."""

from __future__ import annotations

import datetime
import gc
import sqlite3
import threading
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from akeneo_media_cli.errors import Failure, Kind, UsageError
from akeneo_media_cli.exits import Exit
from akeneo_media_cli.rows import Status, Target, TargetType, folded
from akeneo_media_cli.run.ledger import (
    UNKNOWN,
    Flight,
    Ledger,
    Outcome,
    PlannedRow,
    Remembered,
    Run,
    Takeoff,
    history,
    value_key,
)
from akeneo_media_cli.run.ledger.model import value_identity
from akeneo_media_cli.secret import Secret

from .ledger_rows import NOON, Clock, opened, planned

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
    run.in_flight(2, odd)
    run.uploaded(2, odd, notes=(odd,))
    assert (run.row(2).media_code, run.row(2).notes) == (odd, (odd,))


def test_extra_columns_that_are_no_json_are_carried_as_text(run: Run) -> None:
    loop: list[object] = []
    loop.append(loop)
    run.add([planned(1, extra={"day": datetime.date(2026, 1, 2)}), planned(2, extra={"loop": loop})])
    assert run.row(1).row.extra == {"day": "2026-01-02"}
    assert run.row(2).row.extra == {"loop": "[[...]]"}


def test_the_report_item_is_the_contracts(run: Run) -> None:
    run.add([planned(1, extra={"season": "spring"})])
    run.failed(1, REFUSED, attempts=2, duration=0.41234, notes=("tried twice",))
    assert run.item(1) == {
        "row": 1,
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
    run.record(Outcome(seq, Status.UPLOADED, None, "code") for seq in range(1, 1100))
    run.invalid(1100, REFUSED)
    run.failed(700, REFUSED)
    run.pending(1101)
    run.planned(1102)
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
    run.invalid(2, REFUSED)
    assert [row.seq for row in run.open_rows(0, 3)] == [1, 3, 4]
    assert [row.seq for row in run.open_rows(4, 100)] == [5, 6, 7, 8, 9, 10]
    assert run.open_rows(10, 5) == []
    assert run.open_totals() == (9, 10 * 1000 + 55 - 1002)
    run.record([Outcome(2, None)])
    assert run.open_rows(0, 2)[1].seq == 2


def test_an_outcome_for_no_row_changes_nothing(run: Run) -> None:
    run.add([planned(1)])
    with pytest.raises(LookupError, match="no such row"):
        run.record([Outcome(1, Status.UPLOADED, None, "code"), Outcome(2, Status.FAILED, REFUSED)])
    assert statuses(run) == [None]


def test_outcomes_keep_what_they_do_not_speak_of(run: Run) -> None:
    run.add([planned(1, notes=("one",))])
    run.pending(1, REFUSED, attempts=3, duration=2.5)
    run.record([Outcome(1, None, notes=("two", "three"))])
    row = run.row(1)
    assert (row.attempts, row.duration, row.notes, row.failure) == (3, 2.5, ("one", "two", "three"), None)
    run.uploaded(1, "a/b", sha256="00", size=7, mtime_ns=8)
    row = run.row(1)
    assert (row.size, row.mtime_ns, row.sha256, row.attempts) == (7, 8, "00", 3)


def second(ledger: Ledger, *rows: PlannedRow) -> Run:
    run = ledger.start_run("upload", {})
    run.add(rows)
    return run


def test_the_second_run_finds_everything_unchanged(ledger: Ledger, run: Run) -> None:
    run.add([planned(1), planned(2), planned(3)])
    run.uploaded(1, "a/1.jpg", sha256="11")
    run.uploaded(2, "a/2.jpg")
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
    run.uploaded(1, "a/1.jpg")
    later = second(ledger, planned(1, **changed))
    assert later.mark_unchanged() == 0


def test_unchanged_however_the_code_is_spelled(ledger: Ledger, run: Run) -> None:
    run.add([planned(1, "Größe-é", locale="EN_us")])
    run.uploaded(1, "a/1.jpg")
    assert second(ledger, planned(1, "GRÖSSE-E ", locale="en_US")).mark_unchanged() == 1


def test_a_key_that_two_values_share_by_accident_is_not_believed(tmp_path: Path) -> None:
    path = tmp_path / "pim.sqlite"
    with opened(path) as ledger:
        run = second(ledger, planned(1))
        run.uploaded(1, "a/1.jpg", sha256="11")
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
    run.uploaded(1, "a/1.jpg", sha256="11")
    run.in_flight(2)
    later = second(ledger, planned(1, size=9), planned(2))
    assert later.remembered(1) == Remembered("a/1.jpg", "1.jpg", 1001, 5_000_000_001, "11")
    assert later.remembered(2) is None


def test_a_touched_file_is_settled_by_its_digest(ledger: Ledger, run: Run) -> None:
    run.add([planned(1), planned(2)])
    run.uploaded(1, "a/1.jpg", sha256="11")
    run.uploaded(2, "a/2.jpg")
    later = second(ledger, planned(1, mtime_ns=77), planned(2, mtime_ns=77))
    assert later.mark_unchanged() == 0
    (touched,) = later.touched()
    assert (touched.planned.seq, touched.media_code, touched.sha256) == (1, "a/1.jpg", "11")
    later.unchanged(1, touched.media_code, sha256=touched.sha256)
    third = second(ledger, planned(1, mtime_ns=77))
    assert third.mark_unchanged() == 1


def test_the_digest_stays_known_while_the_code_stays(ledger: Ledger, run: Run) -> None:
    run.add([planned(1)])
    run.uploaded(1, "a/1.jpg", sha256="11")
    second(ledger, planned(1, mtime_ns=77)).unchanged(1, "a/1.jpg")
    (touched,) = second(ledger, planned(1, mtime_ns=78)).touched()
    assert touched.sha256 == "11"
    second(ledger, planned(1, mtime_ns=77)).unchanged(1, "b/1.jpg")
    assert list(second(ledger, planned(1, mtime_ns=78)).touched()) == []


def test_unchanged_without_a_code_teaches_nothing(ledger: Ledger, run: Run) -> None:
    run.add([planned(1)])
    run.unchanged(1, None)
    assert second(ledger, planned(1)).mark_unchanged() == 0


class TestInterrupted:
    """A run dies with values in flight; the next one hears of exactly those."""

    def test_with_what_was_known_before(self, ledger: Ledger, run: Run, clock: Clock) -> None:
        run.add(planned(seq) for seq in range(1, 6))
        run.uploaded(5, "old/5.jpg")
        run.in_flight(1)
        run.in_flight(2, None, size=5, mtime_ns=6)
        clock.now -= 3600
        run.take_off([Takeoff(3, "old/3.jpg"), Takeoff(5, "old/5.jpg")])
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
        run.in_flight(1)
        match how:
            case "uploaded":
                run.uploaded(1, "a/1.jpg")
            case "unchanged":
                run.unchanged(1, "a/1.jpg")
            case "failed":
                run.failed(1, REFUSED)
            case _:
                run.pending(1)
        assert list(second(ledger, planned(1)).interrupted()) == []

    @pytest.mark.parametrize("how", ["failed", "pending"])
    def test_with_what_ended_unproven(self, ledger: Ledger, run: Run, how: str) -> None:
        run.add([planned(1)])
        run.in_flight(1, "old")
        if how == "failed":
            run.failed(1, REFUSED, flight=Flight.UNPROVEN)
        else:
            run.pending(1, flight=Flight.UNPROVEN)
        later = second(ledger, planned(1))
        assert [i.before for i in later.interrupted()] == ["old"]
        # Pending once more before anybody could ask the PIM: the mark must not be lost on the way.
        later.pending(1)
        assert [i.run for i in second(ledger, planned(1)).interrupted()] == [run.id]
        later.invalid(1, REFUSED)
        third = second(ledger, planned(1))
        third.in_flight(1, "x")
        third.pending(1)
        assert list(second(ledger, planned(1)).interrupted()) == []

    def test_only_for_open_rows_of_that_value(self, ledger: Ledger, run: Run) -> None:
        run.add([planned(1)])
        run.in_flight(1)
        assert list(second(ledger, planned(1, "other")).interrupted()) == []
        later = second(ledger, planned(1))
        later.invalid(1, REFUSED)
        assert list(later.interrupted()) == []

    def test_a_refusal_keeps_the_memory_of_the_value(self, ledger: Ledger, run: Run) -> None:
        run.add([planned(1)])
        run.uploaded(1, "a/1.jpg")
        other = second(ledger, planned(1, size=5))
        other.in_flight(1, "a/1.jpg")
        other.failed(1, REFUSED)
        assert second(ledger, planned(1)).mark_unchanged() == 1

    def test_a_lost_value_is_forgotten(self, ledger: Ledger, run: Run) -> None:
        run.add([planned(1)])
        run.uploaded(1, "a/1.jpg")
        run.failed(1, Failure(Kind.VALUE_LOST, "gone", "again"), flight=Flight.LOST, media_code="a/1.jpg")
        assert run.row(1).media_code == "a/1.jpg"
        assert second(ledger, planned(1)).mark_unchanged() == 0


def test_runs_are_listed_found_and_retried(ledger: Ledger, run: Run, clock: Clock) -> None:
    run.add([planned(1), planned(2), planned(3, extra={"a": 1})])
    run.uploaded(1, "code")
    run.failed(3, REFUSED)
    clock.now += 9
    run.finish(Exit.ROWS_FAILED, {"total": 3, **run.summary()})
    clock.now -= 100_000
    other = ledger.start_run("verify", {"password": Secret("hunter2")}, token=lambda n: "beef"[: 2 * n])
    newest, oldest = ledger.runs()
    assert (newest.id, newest.state, newest.exit_status, newest.finished_at) == (
        other.id,
        "running",
        None,
        None,
    )
    assert newest.arguments == {"password": "***"}
    assert (oldest.id, oldest.command, oldest.state) == (run.id, "upload", "finished")
    assert (oldest.exit_status, oldest.started_at, oldest.finished_at) == (1, NOON, NOON + 9)
    assert (oldest.summary["failed"], oldest.arguments) == (1, {"manifests": ["spring.csv"]})
    assert len(ledger.runs(1)) == 1
    assert ledger.run("last").id == other.id == "20261122T081329Z-beef"
    assert ledger.run(run.id[:8]) == oldest
    assert ledger.record(run.id).summary()["total"] == 3
    assert list(ledger.retry_rows(run.id)) == [run.row(3)]
    for reference in ("", "2025", "%"):
        with pytest.raises(UsageError, match="there is no run"):
            ledger.run(reference)
    with pytest.raises(UsageError, match="more than one run"):
        ledger.run("2026")


def test_two_runs_of_one_second_have_two_ids(ledger: Ledger) -> None:
    tokens = iter(["aaaa", "aaaa", "bbbb"])
    ids = [ledger.start_run("upload", {}, token=lambda _: next(tokens)).id for _ in range(2)]
    assert ids == ["20261123T120000Z-aaaa", "20261123T120000Z-bbbb"]


def test_no_runs_yet(ledger: Ledger) -> None:
    with pytest.raises(UsageError, match="there is no run yet"):
        ledger.run("last")
    assert ledger.runs() == []


def test_old_rows_go_and_memory_stays(ledger: Ledger, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "_BATCH", 2)
    monkeypatch.setattr(history, "KEEP_HEADS", 60)
    runs = []
    for number in range(70):
        run = second(ledger, *(planned(seq) for seq in range(1, 4)))
        run.uploaded(1, "code")
        run.finish(Exit.OK, {})
        runs.append(run)
        clock.now += 48 * 3600 if number < 30 else 60
    assert [run.summary()["total"] for run in runs] == [0] * 16 + [3] * 54
    assert len(ledger.runs(1000)) == 60
    assert second(ledger, planned(1)).mark_unchanged() == 1


def test_rows_in_all_are_bounded_but_the_latest_run_stays(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "KEEP_ROWS", 10)
    runs = []
    for count in (4, 4, 4, 25):
        runs.append(second(ledger, *(planned(seq) for seq in range(1, count + 1))))
        runs[-1].finish(Exit.OK, {})
        totals = [run.summary()["total"] for run in runs]
        assert totals[-1] == count
    assert totals == [0, 0, 0, 25]


def test_many_threads_write_while_one_reads(run: Run) -> None:
    run.add(planned(seq) for seq in range(1, 401))
    failures: list[BaseException] = []

    def work(part: int) -> None:
        try:
            for seq in range(part, 401, 4):
                run.in_flight(seq, None)
                run.uploaded(seq, f"code/{seq}.jpg", sha256="0" * 64, attempts=1, duration=0.1)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(part,)) for part in range(1, 5)]
    for thread in threads:
        thread.start()
    seen = 0
    while any(thread.is_alive() for thread in threads):
        assert len(list(run.items())) == 400
        uploaded = run.summary()["uploaded"]
        assert uploaded >= seen
        seen = uploaded
    for thread in threads:
        thread.join()
    assert failures == []
    assert [row.media_code for row in run.rows()] == [f"code/{seq}.jpg" for seq in range(1, 401)]


def test_memory_does_not_grow_with_rows(run: Run) -> None:
    def peak(first: int, count: int) -> int:
        gc.collect()
        tracemalloc.reset_peak()
        base = tracemalloc.get_traced_memory()[0]
        run.add(planned(seq) for seq in range(first, first + count))
        return tracemalloc.get_traced_memory()[1] - base

    tracemalloc.start()
    try:
        small, large = peak(1, 6000), peak(10_001, 24_000)
    finally:
        tracemalloc.stop()
    assert large < 1.2 * small


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


def test_rows_of_a_generator_that_fails_half_way(run: Run) -> None:
    def rows() -> Iterator[PlannedRow]:
        yield from (planned(seq) for seq in range(1, 5004))
        raise OSError("the manifest is gone")

    with pytest.raises(OSError, match="gone"):
        run.add(rows())
    assert run.summary()["total"] == 4000
