"""Rows looked at column by column come to what each would come to by itself."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from akeneo_media_cli.errors import Kind
from akeneo_media_cli.ledger import PlannedBatch, PlannedRow, value_key, value_keys
from akeneo_media_cli.planning.batches import BatchLooker, FoundBatch
from akeneo_media_cli.rows import RowBatch, Status, Target, TargetType
from akeneo_media_cli.storage import FileRoots

from ..ledger.ledger_rows import Clock, opened, unchanged

JPEG = bytes.fromhex("ffd8ffe000104a46494600010100000100010000ffd9")


def batch(*files: str, scopes: list[str] | None = None) -> RowBatch:
    count = len(files)
    codes = [f"sku-{n}" for n in range(count)]
    extras = [{"note": f"n{n}"} for n in range(count)]
    numbers = range(2, 2 + count)
    return RowBatch(
        "m.csv", TargetType.PRODUCT, numbers, list(files), codes, ["picture"] * count, None, scopes, extras
    )


def found(folder: Path, rows: RowBatch) -> FoundBatch:
    return FoundBatch(1, rows, BatchLooker(FileRoots([str(folder)]), str(Path.cwd())))


def test_each_row_goes_on_or_is_told_what_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(JPEG)
    (tmp_path / "page.jpg").write_bytes(b"<html><body>Log in</body></html>")
    rows = found(tmp_path, batch("a.jpg", "gone.jpg", "a.jpg", "page.jpg"))
    *wrong, planned = rows.planned(judged=True)
    kinds = {r.seq: r.row.problem and r.row.problem.kind for r in wrong if isinstance(r, PlannedRow)}
    assert kinds == {2: Kind.FILE_MISSING, 4: Kind.CONTENT_MISMATCH}
    assert isinstance(planned, PlannedBatch)
    assert (planned.seqs, planned.batch.lines, planned.sizes) == ([1, 3], [2, 4], (len(JPEG),) * 2)


def test_a_file_that_is_not_sent_is_not_opened(tmp_path: Path) -> None:
    (tmp_path / "page.jpg").write_bytes(b"<html><body>Log in</body></html>")
    rows = found(tmp_path, batch("page.jpg", "page.jpg"))
    (planned,) = rows.planned(judged=False)
    assert isinstance(planned, PlannedBatch)
    with opened(tmp_path / "pim.sqlite", Clock()) as ledger:
        run = ledger.start_run("upload", {})
        run.add([planned])
        unchanged(run, 2, "a/1.jpg")
        rows.looker.judge_open(run, 1, 2)
        assert [(r.status, r.failure and r.failure.kind) for r in run.rows()] == [
            (Status.INVALID, Kind.CONTENT_MISMATCH),
            (Status.UNCHANGED, None),
        ]


def test_a_batch_is_in_the_ledger_what_its_rows_are(tmp_path: Path) -> None:
    files = ["a.jpg", "b.jpg", "c.jpg"]
    for name in files:
        (tmp_path / name).write_bytes(JPEG)
    rows = batch(*files, scopes=["", "print", ""])
    (planned,) = found(tmp_path, rows).planned(judged=True)
    assert isinstance(planned, PlannedBatch)
    single = [
        PlannedRow(n + 1, rows.row(n), files[n], planned.paths[n], len(JPEG), planned.mtimes[n])
        for n in range(3)
    ]
    for n, each in enumerate(single):
        each.stamp = planned.stamps[n]
    with opened(tmp_path / "pim.sqlite", Clock()) as ledger:
        by_column, by_row = ledger.start_run("upload", {}), ledger.start_run("upload", {})
        assert (by_column.add([planned]), by_row.add(single)) == (3, 3)
        assert list(by_column.rows()) == list(by_row.rows())


texts = st.text(max_size=12)


@given(values=st.lists(st.tuples(texts, texts, texts, texts), max_size=20))
def test_many_keys_are_those_of_each(values: list[tuple[str, str, str, str]]) -> None:
    codes, attributes, locales, scopes = ([value[n] for value in values] for n in range(4))
    kind = TargetType.PRODUCT_MODEL
    each = [value_key(Target(kind, c), a, lo or None, s or None) for c, a, lo, s in values]
    assert value_keys(kind, codes, attributes, locales, scopes) == each
