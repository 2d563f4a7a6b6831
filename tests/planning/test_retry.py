"""Rows of an earlier run once more: their files are looked at again."""

from __future__ import annotations

import os
from pathlib import Path

from akeneo_media_cli.errors import Failure, Kind
from akeneo_media_cli.ledger import PlannedRow
from akeneo_media_cli.planning.options import ManifestOptions
from akeneo_media_cli.planning.retry import Again
from akeneo_media_cli.rows import Row, Status, Target, TargetType
from akeneo_media_cli.storage.links import LinkOptions, Links

PRODUCT = Target(TargetType.PRODUCT, "sku-1")
JPEG = bytes.fromhex("ffd8ffe000104a46494600010100000100010000ffd9")


def row(file: str = "a.jpg", problem: Failure | None = None) -> Row:
    return Row("m.csv", 2, file, PRODUCT, "picture", problem=problem)


def again(folder: Path, rows: list[PlannedRow]) -> list[PlannedRow]:
    links = Links(LinkOptions(), timeout=1, pool=1)
    return list(Again(ManifestOptions(()), str(folder), links).rows(rows))


def test_a_file_that_was_found_is_looked_at_where_it_was(tmp_path: Path) -> None:
    there = tmp_path / "there.jpg"
    there.write_bytes(b"12345")
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "loop.jpg").symlink_to("loop.jpg")
    problem = Failure(Kind.SERVER_ERROR, "was", "was")
    paths = [there, tmp_path / "gone.jpg", tmp_path / "pipe.jpg", tmp_path / "loop.jpg"]
    old = [
        PlannedRow(n * 10, row(problem=problem), "shown.jpg", str(path), 3, 1, failure=problem)
        for n, path in enumerate(paths, 1)
    ]
    found = again(tmp_path, old)
    assert [r.seq for r in found] == [1, 2, 3, 4]
    assert (found[0].size, found[0].name, found[0].row.problem) == (5, "shown.jpg", None)
    assert found[0].mtime_ns == there.stat().st_mtime_ns
    kinds = [r.row.problem.kind for r in found[1:] if r.row.problem]
    assert kinds == [Kind.FILE_MISSING, Kind.FILE_NOT_REGULAR, Kind.FILE_UNREADABLE]


def test_a_file_that_was_not_found_is_looked_for_again(tmp_path: Path) -> None:
    missing = Failure(Kind.FILE_MISSING, "a.jpg does not exist", "put it there")
    old = [PlannedRow(1, row(), "a.jpg", status=Status.INVALID, failure=missing)]
    (still,) = again(tmp_path, old)
    assert still.row.problem is not None
    assert still.row.problem.kind is Kind.FILE_MISSING
    (tmp_path / "a.jpg").write_bytes(JPEG)
    (found,) = again(tmp_path, old)
    assert found.row.problem is None
    assert (found.path, found.size) == (str(tmp_path / "a.jpg"), len(JPEG))
    assert found.row.manifest == "m.csv"


def test_what_the_ledger_does_not_know_stays_wrong(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(JPEG)
    written = Failure(Kind.TARGET_MISSING, "no target", "name one")
    link = Failure(Kind.LINK_REFUSED, "not allowed", "--allow-remote")
    old = [
        PlannedRow(1, row(), "a.jpg", status=Status.INVALID, failure=written),
        PlannedRow(2, row("https://h/a.jpg?sig=***"), "a.jpg", status=Status.INVALID, failure=link),
    ]
    assert [found.row.problem for found in again(tmp_path, old)] == [written, link]
