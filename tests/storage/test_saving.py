"""Where a downloaded file goes: names, folders, places, and what is there already."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from akeneo_media_cli.errors import Failure, Kind
from akeneo_media_cli.jobs.download import mark_of, name_in_code, sharing_names
from akeneo_media_cli.pim.answers.types import Downloaded
from akeneo_media_cli.rows import Row
from akeneo_media_cli.storage import FileRoots
from akeneo_media_cli.storage.saving import (
    Occupied,
    Saver,
    WrongSize,
    place_of,
    safe_folder,
    safe_name,
    told_apart,
)

names = st.text(st.characters(codec=None), max_size=300) | st.sampled_from(
    [
        "con",
        "NUL.txt",
        "com¹.jpg",
        "..",
        ".",
        "a/..",
        "\\",
        "~root",
        "CONOUT$",
        "con .jpg",
        "é" * 200 + ".jpeg",
    ]
)
_FORBIDDEN = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f\u202a-\u202e\ud800-\udfff]')
_DEVICES = {"con", "prn", "aux", "nul", "conin$", "conout$", *(f"com{n}" for n in "0123456789¹²³")}


def is_plain(name: str) -> bool:
    """May a file on any usual system be called so, and does everybody see it?"""
    return (
        bool(name)
        and name[0] not in ". "
        and name[-1] not in ". "
        and not _FORBIDDEN.search(name)
        and len(os.fsencode(name)) <= 255
        and name.partition(".")[0].strip().lower() not in _DEVICES
    )


@given(names, names)
@example(".", "")
@example("...", "..")
@example("x" * 255 + ".jpg", "")
@example("a." + "b" * 300, "")
def test_a_safe_name_is_plain(name: str, otherwise: str) -> None:
    safe = safe_name(name, otherwise)
    assert is_plain(safe), safe
    assert safe_name(safe) == safe
    marked = told_apart(safe, "0a1b2c3d")
    assert is_plain(marked), marked
    assert "0a1b2c3d" in marked


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("front.jpg", "front.jpg"),
        ("Étiquette 中 (1).jpg", "Étiquette 中 (1).jpg"),
        ("../../etc/passwd", "passwd"),
        ("c:\\x\\y.jpg", "y.jpg"),
        (".bashrc", "_bashrc"),
        ("con.jpg", "_con.jpg"),
        ("console.jpg", "console.jpg"),
        ("a:b.jpg", "a_b.jpg"),
        ("name. . ", "name"),
        ("", "otherwise.jpg"),
        ("..", "otherwise.jpg"),
    ],
)
def test_safe_names(name: str, safe: str) -> None:
    assert safe_name(name, "otherwise.jpg") == safe


def test_a_long_name_keeps_its_extension() -> None:
    safe = safe_name("é" * 200 + ".jpeg")
    assert len(safe.encode()) <= 255
    assert safe.endswith("é.jpeg")
    assert told_apart(safe, "12345678").endswith("é-12345678.jpeg")
    assert told_apart("front.jpg", "12345678") == "front-12345678.jpg"
    assert told_apart("front", "12345678") == "front-12345678"


@given(st.lists(names, unique=True, max_size=20))
@example(["", "%"])
@example(["%25", "%"])
@example(["con", "%63on"])
@example(["a.", "a%2E"])
@example(["x" * 200, "x" * 201])
def test_folders_are_plain_and_one_for_each_code(codes: list[str]) -> None:
    folders = [safe_folder(code) for code in codes]
    assert all(map(is_plain, folders)), folders
    assert len(set(folders)) == len(codes)


@given(st.from_regex(r"[A-Za-z0-9_-]{1,40}", fullmatch=True).filter(lambda c: c.lower() not in _DEVICES))
def test_usual_codes_stay_as_they_are(code: str) -> None:
    folder = safe_folder(code)
    assert folder == code or code.lower().startswith(("lpt", "com"))


HEX = "0123456789abcdef0123456789abcdef01234567"


def test_what_a_code_tells_of_its_file() -> None:
    code = f"0/1/2/3/{HEX}_front.jpg"
    assert (name_in_code(code), mark_of(code)) == ("front.jpg", "01234567")
    assert name_in_code("a/b/other.jpg") == "other.jpg"
    assert re.fullmatch("[0-9a-f]{8}", mark_of("a/b/other.jpg"))
    assert sharing_names([code, f"x/{HEX}_FRONT.jpg", "y/back.jpg", "z/front.jpg"]) == {
        f"x/{HEX}_FRONT.jpg",
        "z/front.jpg",
    }


# Places.


def row(file: str, manifest: str) -> Row:
    return Row(manifest, 1, file, None, "picture")


def test_the_place_of_a_row(tmp_path: Path) -> None:
    manifest = str(tmp_path / "m.csv")
    roots = FileRoots()
    assert place_of(row("a/b.jpg", manifest), roots) == str(tmp_path / "a/b.jpg")
    assert place_of(row("a/../b.jpg", manifest), roots) == str(tmp_path / "b.jpg")
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert place_of(row("link/b.jpg", manifest), roots) == str(tmp_path / "real/b.jpg")


@pytest.mark.parametrize("file", ["", ".", "a/..", "a/", "nul\0.jpg"])
def test_what_names_no_file_has_no_place(tmp_path: Path, file: str) -> None:
    place = place_of(row(file, str(tmp_path / "m.csv")), FileRoots())
    assert isinstance(place, Failure)
    assert place.kind is Kind.ROW_MALFORMED


def test_a_place_outside_must_be_allowed(tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    place = place_of(row("../x.jpg", str(inside / "m.csv")), FileRoots())
    assert isinstance(place, Failure)
    assert place.kind is Kind.OUTSIDE_ROOT
    allowed = FileRoots(allow_outside=True)
    assert place_of(row("../x.jpg", str(inside / "m.csv")), allowed) == str(tmp_path / "x.jpg")


# Saving.


def bringing(content: bytes, before: Callable[[], object] = lambda: None) -> Callable[[BinaryIO], Downloaded]:
    """A download of `content` in pieces; `before` happens before its end."""

    def fetch(into: BinaryIO) -> Downloaded:
        rest = content
        while rest:
            into.write(rest[:7])
            rest = rest[7:]
        before()
        return Downloaded(len(content), hashlib.sha256(content).hexdigest())

    return fetch


CONTENT = bytes(range(100))


def test_a_new_file_is_whole_or_not_there(tmp_path: Path) -> None:
    path = tmp_path / "deep/er/a.jpg"
    saver = Saver()

    def cut(into: BinaryIO) -> Downloaded:
        into.write(b"half")
        assert not path.exists()
        raise KeyError("cut")

    with pytest.raises(KeyError):
        saver.save(str(path), cut, size=None, overwrite=False)
    with pytest.raises(WrongSize):
        saver.save(str(path), bringing(CONTENT), size=99, overwrite=False)
    assert list(path.parent.iterdir()) == []
    umask = os.umask(0o027)
    try:
        saved = saver.save(str(path), bringing(CONTENT), size=100, overwrite=False)
    finally:
        os.umask(umask)
    assert path.read_bytes() == CONTENT
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert saved.written
    assert saved.sha256 == hashlib.sha256(CONTENT).hexdigest()
    assert (saved.size, saved.mtime_ns) == (100, path.stat().st_mtime_ns)
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("size", [100, None])
def test_the_same_file_is_left_alone(tmp_path: Path, size: int | None) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(CONTENT)
    before = path.stat()
    for overwrite in (False, True):
        saved = Saver().save(str(path), bringing(CONTENT), size=size, overwrite=overwrite)
        assert not saved.written
        assert path.stat().st_ino == before.st_ino
        assert path.stat().st_mtime_ns == before.st_mtime_ns


@pytest.mark.parametrize("there", [b"short", CONTENT[:99] + b"!", CONTENT + b"!", b""])
@pytest.mark.parametrize("sized", [True, False])
def test_a_different_file_is_replaced_only_if_asked(tmp_path: Path, there: bytes, sized: bool) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(there)
    size = len(CONTENT) if sized else None
    with pytest.raises(Occupied) as caught:
        Saver().save(str(path), bringing(CONTENT), size=size, overwrite=False)
    assert caught.value.failure.kind is Kind.FILE_EXISTS
    assert path.read_bytes() == there
    assert Saver().save(str(path), bringing(CONTENT), size=size, overwrite=True).written
    assert path.read_bytes() == CONTENT
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_of_another_size_costs_no_download(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(b"short")

    def never(into: BinaryIO) -> Downloaded:
        raise AssertionError("fetched")

    with pytest.raises(Occupied):
        Saver().save(str(path), never, size=100, overwrite=False)


@pytest.mark.parametrize("overwrite", [True, False])
def test_folders_devices_and_dead_links_stay(tmp_path: Path, overwrite: bool) -> None:
    folder, pipe, link = tmp_path / "folder", tmp_path / "pipe", tmp_path / "link"
    folder.mkdir()
    os.mkfifo(pipe)
    link.symlink_to(tmp_path / "nowhere")
    for path in (folder, pipe, link):
        with pytest.raises(Occupied) as caught:
            Saver().save(str(path), bringing(CONTENT), size=100, overwrite=overwrite)
        assert caught.value.failure.kind is Kind.FILE_NOT_REGULAR
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("overwrite", [True, False])
def test_links_are_read_but_not_written(tmp_path: Path, overwrite: bool) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    link.symlink_to(target)
    target.write_bytes(CONTENT)
    assert not Saver().save(str(link), bringing(CONTENT), size=None, overwrite=overwrite).written
    target.write_bytes(b"other")
    with pytest.raises(Occupied, match="link"):
        Saver().save(str(link), bringing(CONTENT), size=None, overwrite=overwrite)
    assert target.read_bytes() == b"other"
    assert link.is_symlink()


def test_what_appears_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    appear = bringing(CONTENT, lambda: path.write_bytes(b"theirs"))
    with pytest.raises(Occupied):
        Saver().save(str(path), appear, size=None, overwrite=False)
    assert path.read_bytes() == b"theirs"
    path.unlink()
    same = bringing(CONTENT, lambda: path.write_bytes(CONTENT))
    assert not Saver().save(str(path), same, size=None, overwrite=False).written
    path.unlink()
    linked = bringing(CONTENT, lambda: path.symlink_to(tmp_path / "b.jpg"))
    with pytest.raises(Occupied):
        Saver().save(str(path), linked, size=None, overwrite=False)
    assert not (tmp_path / "b.jpg").exists()
    path.unlink()
    with pytest.raises(Occupied):
        Saver().save(str(path), bringing(CONTENT, path.mkdir), size=None, overwrite=True)
    assert list(tmp_path.iterdir()) == [path]


def test_what_was_abandoned_is_swept_up(tmp_path: Path) -> None:
    saver = Saver()

    def sweep(into: BinaryIO) -> Downloaded:
        into.write(b"half")
        assert len(list(tmp_path.iterdir())) == 1
        saver.sweep()
        assert list(tmp_path.iterdir()) == []
        return Downloaded(4, "")

    with pytest.raises(FileNotFoundError):
        saver.save(str(tmp_path / "a.jpg"), sweep, size=None, overwrite=False)
    saver.sweep()


@pytest.mark.skipif(sys.platform == "win32", reason="needs a file system of its own")
def test_where_no_links_can_be_made_files_are_renamed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(source: str, target: str) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refused)
    path = tmp_path / "a.jpg"
    assert Saver().save(str(path), bringing(CONTENT), size=None, overwrite=False).written
    assert path.read_bytes() == CONTENT
    path.unlink()
    with pytest.raises(Occupied):
        appear = bringing(CONTENT, lambda: path.write_bytes(b"theirs"))
        Saver().save(str(path), appear, size=None, overwrite=False)

    def full(source: str, target: str) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "link", full)
    path.unlink()
    with pytest.raises(OSError, match="No space"):
        Saver().save(str(path), bringing(CONTENT), size=None, overwrite=False)
    assert list(tmp_path.iterdir()) == []
