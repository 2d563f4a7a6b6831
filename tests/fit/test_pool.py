"""Conversions ahead of those who wait for them: in which order, within which room, and cleaned up after."""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Hashable
from pathlib import Path

import pytest

from akeneo_media_cli.fit.pool import PREFIX, ConversionPool, StoppedError, sweep
from akeneo_media_cli.fit.reading import UnfitError
from akeneo_media_cli.fit.recipe import Recipe, Takes

from .pictures import noise, quarters, save

JPG = Takes(("jpg",))


@pytest.fixture(autouse=True)
def own_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def left(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob("*.picture")]


def test_what_was_planned_can_be_had_and_is_gone_when_dropped(
    tmp_path: Path, own_temporary_folder: Path
) -> None:
    pool = ConversionPool(Recipe(), workers=2)
    for n in range(3):
        pool.plan(n, str(save(quarters(), tmp_path / f"{n}.png")), JPG)
    made = [pool.get(n) for n in range(3)]
    assert all(Path(file.path).read_bytes().startswith(b"\xff\xd8\xff") for file in made)
    assert pool.get(1) is made[1], "a second try of an upload converts nothing again"
    pool.drop(1)
    assert len(left(own_temporary_folder)) == 2
    pool.close()
    assert [*own_temporary_folder.iterdir()] == []


def test_who_does_not_wait_is_not_kept_by_what_is_being_converted(
    tmp_path: Path, own_temporary_folder: Path
) -> None:
    begun, go_on = threading.Event(), threading.Event()
    ended: list[object] = []

    def started(_: object) -> None:
        begun.set()
        go_on.wait(30)

    pool = ConversionPool(Recipe(), workers=1, started=started, ended=ended.append)
    pool.plan(1, str(save(quarters(), tmp_path / "1.png")), JPG)
    assert begun.wait(30)
    pool.close(wait=False)
    assert not go_on.is_set()
    go_on.set()
    pool.close()
    assert (left(own_temporary_folder), ended) == ([], []), "and nobody hears of it any more"
    with pytest.raises(StoppedError):
        pool.get(1)


def test_no_more_than_so_many_are_converted_ahead_but_what_is_wanted_is(tmp_path: Path) -> None:
    begun: list[Hashable] = []
    enough = threading.Event()

    def started(key: Hashable) -> None:
        begun.append(key)
        if len(begun) == 2:
            enough.set()

    pool = ConversionPool(Recipe(), workers=2, ahead=2, started=started)
    path = str(save(quarters(), tmp_path / "a.png"))
    for n in range(10):
        pool.plan(n, path, JPG)
    assert enough.wait(30)
    pool.get(9)
    assert sorted(begun, key=str) == [0, 1, 9], "the one that is wanted goes before its turn, no other does"
    pool.close()


def test_the_room_on_disk_bounds_what_is_converted_ahead(tmp_path: Path) -> None:
    begun: list[Hashable] = []
    pool = ConversionPool(Recipe(), workers=1, ahead=100, max_bytes=1, started=begun.append)
    path = str(save(noise(200, 200), tmp_path / "a.png"))
    for n in range(4):
        pool.plan(n, path, JPG)
    pool.get(0)
    pool.get(3)
    assert 2 not in begun
    pool.close()


def test_what_cannot_be_converted_is_told_to_who_asks(tmp_path: Path) -> None:
    pool = ConversionPool(Recipe(), workers=1)
    cut = save(noise(200, 200), tmp_path / "a.jpg")
    cut.write_bytes(cut.read_bytes()[:2000])
    pool.plan("cut", str(cut), JPG)
    pool.plan("gone", str(tmp_path / "gone.png"), JPG)
    with pytest.raises(UnfitError):
        pool.get("cut")
    with pytest.raises(OSError, match="gone"):
        pool.get("gone")
    pool.close()


def test_what_a_killed_run_left_is_swept_and_what_a_living_one_has_is_not(
    tmp_path: Path, own_temporary_folder: Path
) -> None:
    path = save(quarters(), tmp_path / "a.png")
    program = f"""
import tempfile; tempfile.tempdir = {str(own_temporary_folder)!r}
from akeneo_media_cli.fit.pool import ConversionPool
from akeneo_media_cli.fit.recipe import Recipe, Takes
pool = ConversionPool(Recipe()); pool.plan(1, {str(path)!r}, Takes(("jpg",))); pool.get(1)
print("ready", flush=True); input()
"""
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "ready\n"
        assert sweep() == 0, "it is at work"
        assert len(left(own_temporary_folder)) == 1
        other.send_signal(signal.SIGKILL)
    assert [path.name.startswith(PREFIX) for path in own_temporary_folder.iterdir()] == [True]
    assert sweep() == 1
    assert [*own_temporary_folder.iterdir()] == []
