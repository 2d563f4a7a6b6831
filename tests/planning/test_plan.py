"""Rows from manifests into a run: shards, files looked at, what clashes, what is done already."""

from __future__ import annotations

import io
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from akeneo_media_cli.errors import Failure, Kind, UsageError
from akeneo_media_cli.ledger import PlannedRow, Run
from akeneo_media_cli.planning.batches import FoundBatch
from akeneo_media_cli.planning.options import ManifestOptions
from akeneo_media_cli.planning.plan import judged, plan, planned_rows
from akeneo_media_cli.planning.shards import in_shard, rows_of_part
from akeneo_media_cli.planning.unchanged import SkipPolicy
from akeneo_media_cli.rows import Row, Status, Target, TargetType

from ..ledger.ledger_rows import Clock, Notes, opened, uploaded

PRODUCT = Target(TargetType.PRODUCT, "sku-1")


def row(target: Target | None = PRODUCT, **more: object) -> Row:
    return Row("m.csv", 2, "a.jpg", target, "picture", **more)  # type: ignore[arg-type]


# Shards.


@given(code=st.text(min_size=1), parts=st.integers(1, 20))
def test_all_rows_of_a_product_fall_in_one_shard_however_it_is_written(code: str, parts: int) -> None:
    def where(written: str) -> list[int]:
        target = Target(TargetType.PRODUCT, written)
        return [part for part in range(1, parts + 1) if in_shard(target, part, parts)]

    assert len(where(code)) == 1
    assert where(code) == where(code + " ")


def test_a_row_without_target_falls_in_the_first_shard() -> None:
    assert in_shard(None, 1, 3)
    assert not in_shard(None, 2, 3)


UUID = Target(TargetType.PRODUCT_UUID, "fc24e6c3-933c-4a93-8a81-e5c703d134d5")


@pytest.mark.parametrize("order", [(PRODUCT, UUID), (UUID, PRODUCT)])
def test_products_named_in_both_ways_are_refused_by_every_part(order: tuple[Target, Target]) -> None:
    model = Target(TargetType.PRODUCT_MODEL, "m")
    rows = [Row("m.csv", n, "a.jpg", target, "picture") for n, target in enumerate([model, *order], 2)]
    by_identifier, by_uuid = (rows[1 + order.index(target)].line for target in (PRODUCT, UUID))
    for part in range(1, 6):
        with pytest.raises(UsageError, match=f"m.csv:{by_identifier} .* m.csv:{by_uuid} "):
            list(rows_of_part(rows, part, 5))


def test_a_row_that_nobody_will_send_mixes_nothing() -> None:
    rows = [row(), row(UUID, problem=Failure(Kind.ROW_MALFORMED, "no file", "name one")), row(None)]
    parts = [list(rows_of_part(rows, part, 3)) for part in (1, 2, 3)]
    assert sum(map(len, parts)) == 3


# Files.


def by_row(found: Iterable[PlannedRow | FoundBatch]) -> Iterator[PlannedRow]:
    """The rows, those of batches too."""
    for planned in judged(found):
        if isinstance(planned, PlannedRow):
            yield planned
            continue
        for n, seq in enumerate(planned.seqs):
            columns = (planned.names, planned.paths, planned.sizes, planned.mtimes)
            yield PlannedRow(seq, planned.batch.row(n), *(column[n] for column in columns))


def read(folder: Path, *lines: str, **options: object) -> dict[int, tuple[str, Kind | None]]:
    """Each row's name, and what is wrong with it, by line."""
    (folder / "m.csv").write_text("\n".join(("product,attribute,file,filename", *lines)) + "\n")
    manifest = ManifestOptions([str(folder / "m.csv")], **options)  # type: ignore[arg-type]
    found = by_row(planned_rows(manifest, io.BytesIO(), lambda *_: None))
    return {p.row.line: (p.name, p.row.problem.kind if p.row.problem else None) for p in found}


JPEG = bytes.fromhex("ffd8ffe000104a46494600010100000100010000ffd9")


def test_every_file_is_looked_at_and_named(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(JPEG)
    lines = (
        "p,picture,a.jpg,",
        "p,picture,a.jpg,shown.jpg",
        "p,picture,gone.jpg,",
        "p,picture,https://h/b.jpg,",
    )
    assert read(tmp_path, *lines) == {
        2: ("a.jpg", None),
        3: ("shown.jpg", None),
        4: ("gone.jpg", Kind.FILE_MISSING),
        5: ("https://h/b.jpg", Kind.LINK_REFUSED),
    }
    assert read(tmp_path, *lines, rename="{product}-{filename}")[3] == ("p-shown.jpg", None)


def test_paths_are_whole_and_the_files_size_and_time_are_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.jpg").write_bytes(JPEG)
    os.utime("a.jpg", ns=(1, 5_000_000_000))
    Path("m.csv").write_text("product,attribute,file\np,picture,a.jpg\n")
    (found,) = by_row(planned_rows(ManifestOptions(["m.csv"]), io.BytesIO(), lambda *_: None))
    assert (found.seq, found.path, found.size, found.mtime_ns) == (
        1, str(tmp_path / "a.jpg"), len(JPEG), 5_000_000_000,
    )  # fmt: skip


# Into the run.


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a.jpg", "b.jpg"):
        (tmp_path / name).write_bytes(JPEG)
    return tmp_path


@pytest.fixture
def runs(tmp_path: Path) -> Iterator[Iterator[Run]]:
    with opened(tmp_path / "ledger.sqlite", Clock()) as ledger:
        yield iter(lambda: ledger.start_run("upload", {}), None)


def planned_into(run: Run, folder: Path, *lines: str, skip: str = "none", checksum: bool = False) -> Notes:
    (folder / "m.csv").write_text("\n".join(("product,attribute,file", *lines)) + "\n")
    notes = Notes()
    rows = planned_rows(ManifestOptions([str(folder / "m.csv")]), io.BytesIO(), notes)
    plan(run, rows, note=notes, skip=SkipPolicy(skip, checksum=checksum))
    return notes


def test_rows_that_repeat_or_contradict_each_other_are_settled(runs: Iterator[Run], folder: Path) -> None:
    run = next(runs)
    lines = ("p,picture,a.jpg", "P,picture,./a.jpg", "q,picture,a.jpg", "q,picture,b.jpg", "r,picture,c.jpg")
    (note,) = planned_into(run, folder, *lines)
    assert note.startswith("1 row repeats another row")
    assert [(row.row.line, row.failure and row.failure.kind) for row in run.rows()] == [
        (2, None),
        (4, Kind.CONFLICTING_ROWS),
        (5, Kind.CONFLICTING_ROWS),
        (6, Kind.FILE_MISSING),
    ]
    assert planned_into(next(runs), folder, "p,picture,a.jpg") == []


@pytest.mark.parametrize(
    ("skip", "checksum", "status", "expected"),
    [
        ("ledger", False, Status.UNCHANGED, False),
        ("remote", False, None, True),
        ("none", False, None, False),
        ("ledger", True, None, False),
        ("remote", True, None, False),
    ],
)
def test_what_the_ledger_knows_is_used_as_the_user_asked(
    runs: Iterator[Run], folder: Path, skip: str, checksum: bool, status: Status | None, expected: bool
) -> None:
    lines = ("p,picture,a.jpg", "q,picture,a.jpg")
    first = next(runs)
    planned_into(first, folder, *lines)
    uploaded(first, 1, "c/a.jpg", sha256="x")
    run = next(runs)
    planned_into(run, folder, *lines, skip=skip, checksum=checksum)
    known, new = run.rows()
    assert (known.status, new.status, new.media_code) == (status, None, None)
    assert list(run.expected()) == ([1] if expected else [])
    assert known.media_code == ("c/a.jpg" if expected or status else None)


@pytest.mark.parametrize("skip", ["ledger", "remote"])
def test_rows_that_are_not_taken_say_nothing_of_what_their_value_got(
    runs: Iterator[Run], folder: Path, skip: str
) -> None:
    lines = ("p,picture,a.jpg", "q,picture,a.jpg", "r,picture,a.jpg")
    first = next(runs)
    planned_into(first, folder, *lines)
    for seq in (1, 2, 3):
        uploaded(first, seq, f"c/{seq}.jpg", sha256="x")
    run = next(runs)
    (note,) = planned_into(run, folder, *lines, "P,picture,./a.jpg", "q,picture,b.jpg", skip=skip)
    assert note.startswith("1 row repeats another row")
    taken = Status.UNCHANGED if skip == "ledger" else None
    assert [(row.row.line, row.status, row.media_code) for row in run.rows()] == [
        (2, taken, "c/1.jpg"),
        (3, Status.INVALID, None),
        (4, taken, "c/3.jpg"),
        (6, Status.INVALID, None),
    ]
    ((line, status, code),) = [(row.row.line, row.status, row.media_code) for row in run.dropped()]
    assert (line, status, code) == (5, None, None)


def test_many_rows_with_and_without_locale_are_known_again(runs: Iterator[Run], folder: Path) -> None:
    def again(skip: str) -> Run:
        run = next(runs)
        rows = "".join(f"p{n},picture,{'en_US' if n % 3 else ''},a.jpg\n" for n in range(45))
        (folder / "m.csv").write_text(f"product,attribute,locale,file\n{rows}")
        stream = planned_rows(ManifestOptions([str(folder / "m.csv")]), io.BytesIO(), Notes())
        plan(run, stream, note=Notes(), skip=SkipPolicy(skip))
        return run

    first = again("none")
    for seq in range(1, 45):
        uploaded(first, seq, f"c/{seq}.jpg", sha256="x")
    found = list(again("ledger").rows())
    assert [row.media_code for row in found] == [*(f"c/{seq}.jpg" for seq in range(1, 45)), None]
    assert [row.row.locale for row in found] == ["en_US" if n % 3 else None for n in range(45)]
    assert (found[-1].status, {row.status for row in found[:-1]}) == (None, {Status.UNCHANGED})
