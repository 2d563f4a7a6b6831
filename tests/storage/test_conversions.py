"""Converted files for planned rows: had in time, told what is wrong, gone when nobody needs them."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from akeneo_media_cli.errors import Kind
from akeneo_media_cli.fit.pool import AHEAD
from akeneo_media_cli.fit.recipe import Recipe
from akeneo_media_cli.ledger import PlannedRow
from akeneo_media_cli.pim.answers.types import Attribute
from akeneo_media_cli.pim.errors import SourceTrouble
from akeneo_media_cli.pim.http.source import stamp_of
from akeneo_media_cli.rows import Row, Target, TargetType
from akeneo_media_cli.storage.conversions import Conversions, ConvertedSource, takes_of

from ..fit.pictures import noise, quarters, save

WEB = Attribute("web", "pim_catalog_image", False, False, (), ("JPG",), 250_000)


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def conversions() -> Iterator[Conversions]:
    made = Conversions(Recipe())
    yield made
    made.close()


def planned(seq: int, path: Path, name: str = "a.jpg") -> PlannedRow:
    row = Row("m.csv", seq, path.name, Target(TargetType.PRODUCT, f"p-{seq}"), "web")
    return PlannedRow(seq, row, name, str(path), path.stat().st_size, recipe=Recipe().key(takes_of(WEB)))


def files(folder: Path) -> int:
    return len([*folder.rglob("*.picture")])


def test_a_converted_source_has_the_time_of_its_picture(conversions: Conversions, tmp_path: Path) -> None:
    row = planned(1, save(quarters(), tmp_path / "a.tif"))
    made = conversions.get(row, WEB)
    found = (tmp_path / "a.tif").stat()
    source = ConvertedSource(made)
    assert source.size == made.fitted.result.bytes != found.st_size
    assert (source.mtime_ns, source.stamp) == (found.st_mtime_ns, stamp_of(found))
    assert made.to_report()["to"]["sha256"] == made.sha256 != made.source_sha256


def test_rows_of_one_file_share_a_conversion_until_the_last_is_done(
    conversions: Conversions, tmp_path: Path, temporary: Path
) -> None:
    path = save(quarters(), tmp_path / "a.tif")
    rows = [planned(n, path) for n in (1, 2)]
    for row in rows:
        conversions.plan(row, WEB)
    assert conversions.get(rows[0], WEB) is conversions.get(rows[1], WEB)
    assert conversions.count == 1
    conversions.drop(rows[0])
    conversions.drop(rows[0])
    assert files(temporary) == 1
    assert conversions.made(rows[1]) is not None
    conversions.drop(rows[1])
    assert files(temporary) == 0
    assert conversions.get(rows[0], WEB).fitted.extension == "jpg", "once more for one that is sent again"


def test_a_file_that_changed_since_it_was_looked_at_is_told(conversions: Conversions, tmp_path: Path) -> None:
    row = planned(1, save(quarters(), tmp_path / "a.tif"), "a.png")
    with pytest.raises(SourceTrouble) as trouble:
        conversions.get(row, WEB)
    assert trouble.value.failure.kind is Kind.FILE_CHANGED
    gone = planned(2, save(quarters(), tmp_path / "b.tif"))
    (tmp_path / "b.tif").unlink()
    with pytest.raises(SourceTrouble) as trouble:
        conversions.get(gone, WEB)
    assert trouble.value.failure.kind is Kind.FILE_UNREADABLE
    assert not trouble.value.passing


def test_a_run_that_ends_blames_no_row(tmp_path: Path) -> None:
    conversions = Conversions(Recipe())
    row = planned(1, save(noise(300, 200), tmp_path / "a.tif"))
    conversions.close()
    with pytest.raises(SourceTrouble) as trouble:
        conversions.get(row, WEB)
    assert trouble.value.passing


def test_the_room_on_disk_bounds_what_waits(tmp_path: Path, temporary: Path) -> None:
    conversions = Conversions(Recipe(), max_temp=1)
    rows = [planned(n, save(noise(200, 150, n), tmp_path / f"{n}.tif")) for n in range(1, 13)]
    for row in rows:
        conversions.plan(row, WEB)
    for row in rows:
        conversions.get(row, WEB)
        # What was begun before the first was ready, and what is asked for.
        assert files(temporary) <= min(os.cpu_count() or 1, AHEAD) + 1
        conversions.drop(row)
    conversions.close()
    assert [*temporary.iterdir()] == []
