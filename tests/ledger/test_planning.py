"""Several rows for one value: found however far apart they stand, and told in the user's words."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from akeneo_media_cli.errors import Failure, Kind
from akeneo_media_cli.ledger import Ledger, PlannedRow, Run, Settled, planning
from akeneo_media_cli.rows import Status, Target, TargetType

from .ledger_rows import opened, planned


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with opened(tmp_path / "pim.sqlite") as ledger:
        yield ledger


def started(ledger: Ledger, *rows: PlannedRow) -> Run:
    run = ledger.start_run("upload", {})
    run.add(rows)
    return run


def test_rows_that_share_nothing_are_left_alone(ledger: Ledger) -> None:
    started(ledger, planned(1))  # Another run's rows are no conflict.
    run = started(
        ledger,
        planned(1),
        planned(2, "sku-1", locale="en_US"),
        planned(3, "sku-1", scope="print"),
        planned(4, "sku-1", attribute="manual"),
        planned(5, target=Target(TargetType.PRODUCT_MODEL, "sku-1")),
        planned(6, target=Target(TargetType.ASSET, "a", "one")),
        planned(7, target=Target(TargetType.ASSET, "a", "two")),
        planned(8, target=None),
        planned(9, target=None),
    )
    assert run.settle_duplicates() == Settled(0, 0)
    assert run.open_totals()[0] == 9


def test_different_files_are_all_invalid_and_name_each_other(ledger: Ledger) -> None:
    run = started(
        ledger,
        planned(1, "SKU-1"),
        planned(2),
        planned(3, "sku-1 ", manifest="more.csv"),
        planned(4, "sku-1", name="1.jpg"),
    )
    assert run.settle_duplicates() == Settled(conflicting=3, dropped=0)
    assert [row.status for row in run.rows()] == [Status.INVALID, None, Status.INVALID, Status.INVALID]
    failures = [row.failure for row in run.rows((Status.INVALID,))]
    assert {failure.kind for failure in failures if failure} == {Kind.CONFLICTING_ROWS}
    assert [failure.message for failure in failures if failure] == [
        "more.csv:4 names another file for the same value: images/3.jpg",
        "spring.csv:2 names another file for the same value: images/1.jpg",
        "more.csv:4 names another file for the same value: images/3.jpg",
    ]
    assert all(failure.hint for failure in failures if failure)


def test_the_same_file_again_is_dropped_with_a_note(ledger: Ledger) -> None:
    run = started(ledger, planned(1, notes=("first",)), *(planned(n, "sku-1", name="1.jpg") for n in (2, 3)))
    assert run.settle_duplicates() == Settled(conflicting=0, dropped=2)
    assert run.summary()["total"] == run.summary()["pending"] == 1
    assert [item["line"] for item in run.items()] == [2]
    assert [(row.row.line, row.notes) for row in run.dropped()] == [
        (3, ("left out: spring.csv:2 names the same file for the same value",)),
        (4, ("left out: spring.csv:2 names the same file for the same value",)),
    ]
    assert [row.seq for row in run.open_rows(0, 9)] == [1]


def test_one_file_is_one_however_it_is_spelled(ledger: Ledger, tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    odd = "caf\udce9.jpg"
    (tmp_path / "images" / odd).write_bytes(b"1")
    (tmp_path / "front.jpg").symlink_to(Path("images") / odd)
    (tmp_path / "folder").symlink_to("images")
    spelled = [f"images/{odd}", f"./images/{odd}", "front.jpg", f"folder/{odd}", f"x/../images//{odd}"]
    run = started(
        ledger,
        *(planned(n, "sku-1", file=file, path=f"{tmp_path}/{file}") for n, file in enumerate(spelled, 1)),
    )
    assert run.settle_duplicates() == Settled(conflicting=0, dropped=4)
    assert [row.row.file for row in run.dropped()] == spelled[1:]


def test_another_file_among_spellings_of_one_is_told(ledger: Ledger, tmp_path: Path) -> None:
    paths = [f"{tmp_path}/a.jpg", f"{tmp_path}/./a.jpg", f"{tmp_path}/b.jpg", "/no\0file", "/no/./\0file"]
    run = started(
        ledger, *(planned(n, "sku-1", name=f"{n}.jpg", path=path) for n, path in enumerate(paths, 1))
    )
    assert run.settle_duplicates() == Settled(conflicting=5, dropped=0)
    failures = [row.failure for row in run.rows((Status.INVALID,))]
    wanted = ["spring.csv:4", "spring.csv:4", *["spring.csv:2"] * 3]
    assert [failure.message.split(" ")[0] for failure in failures if failure] == wanted


@pytest.mark.parametrize("form", ["https://pim.example.com/{}", "zip:/data/a.zip!{}"])
def test_what_is_no_file_on_disk_is_compared_as_it_is(ledger: Ledger, form: str) -> None:
    paths = [form.format(rest) for rest in ("a/x.jpg", "a/./x.jpg", "b/y.jpg", "b/y.jpg")]
    run = started(ledger, *(planned(n, f"sku-{n // 3}", path=path) for n, path in enumerate(paths, 1)))
    assert run.settle_duplicates() == Settled(conflicting=2, dropped=1)


def test_a_row_that_is_invalid_already_keeps_its_reason_and_still_disagrees(ledger: Ledger) -> None:
    missing = Failure(Kind.FILE_MISSING, "no such file", "make it")
    run = started(
        ledger,
        planned(1, path=None, status=Status.INVALID, failure=missing),
        planned(2, "sku-1"),
        planned(3, status=Status.INVALID, failure=missing),
        planned(4, "sku-3", name="3.jpg"),
        planned(5, "sku-3", name="3.jpg"),
    )
    assert run.settle_duplicates() == Settled(conflicting=1, dropped=1)
    assert run.row(1).failure == run.row(3).failure == missing
    failure = run.row(2).failure
    assert failure is not None
    assert failure.message == "spring.csv:2 names another file for the same value: images/1.jpg"
    assert run.row(4).status is None
    assert [row.seq for row in run.dropped()] == [5]


def test_names_that_are_no_text_can_conflict(ledger: Ledger) -> None:
    odd = "\udce9.csv"
    run = started(ledger, planned(1, odd, manifest=odd), planned(2, odd, manifest=odd))
    assert run.settle_duplicates() == Settled(2, 0)
    failure = run.row(2).failure
    assert failure is not None
    assert failure.message.startswith(f"{odd}:2 names")


def test_settling_twice_changes_nothing_more(ledger: Ledger) -> None:
    run = started(ledger, planned(1), planned(2, "sku-1"), planned(3), planned(4, "sku-3", name="3.jpg"))
    assert run.settle_duplicates() == Settled(2, 1)
    assert run.settle_duplicates() == Settled(0, 0)


def test_more_rows_than_a_page_disagree_about_one_value(ledger: Ledger) -> None:
    count = 2 * planning._CHUNK + 7
    run = started(ledger, *(planned(seq, "sku-1") for seq in range(1, count + 1)))
    assert run.settle_duplicates() == Settled(count, 0)
    assert run.summary()["invalid"] == count


@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.sampled_from(["", "1", "2"]), st.booleans()),
        min_size=1,
        max_size=12,
    )
)
@settings(max_examples=60, deadline=None)
def test_settling_is_what_the_contract_says(rows: list[tuple[str, str, bool]]) -> None:
    broken = Failure(Kind.FILE_EMPTY, "empty", "")
    with opened(None) as ledger:
        run = ledger.start_run("upload", {})
        run.add(
            planned(
                seq,
                code,
                name=f"{file}.jpg",
                failure=None if good else broken,
                status=None if good else Status.INVALID,
            )
            for seq, (code, file, good) in enumerate(rows, 1)
        )
        run.settle_duplicates()
        dropped = {row.seq for row in run.dropped()}
        for seq, (code, file, good) in enumerate(rows, 1):
            files = {other for name, other, _ in rows if name == code}
            again = any(name == code and other == file and fine for name, other, fine in rows[: seq - 1])
            row = run.row(seq)
            if not good:
                assert row.failure == broken
            elif len(files) > 1:
                assert row.failure is not None
                assert row.failure.kind is Kind.CONFLICTING_ROWS
            else:
                assert row.failure is None
            assert (seq in dropped) == (good and len(files) == 1 and again)


@pytest.mark.slow
def test_a_conflict_between_the_first_and_the_last_of_a_million_rows(ledger: Ledger) -> None:
    count = 1_000_000
    run = ledger.start_run("upload", {})
    run.add(planned(seq, "sku-1" if seq == count else None) for seq in range(1, count + 1))
    assert run.settle_duplicates() == Settled(2, 0)
    assert [row.seq for row in run.rows((Status.INVALID,))] == [1, count]
