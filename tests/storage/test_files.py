"""The offline checks of one file."""

from __future__ import annotations

import os
import socket
import sys
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest

from akeneo_media_cli.errors import Failure, Kind
from akeneo_media_cli.pim.http.source import stamp_of
from akeneo_media_cli.rows import Row, Target, TargetType
from akeneo_media_cli.storage import LARGEST_FILE, FileRoots, LocalFile, check_file
from akeneo_media_cli.storage.nearby import Nearby
from akeneo_media_cli.storage.saving import place_of

JPEG = b"\xff\xd8\xff\xe0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0" + b"x" * 50 + b"\xff\xd9"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    inner = tmp_path / "in"
    inner.mkdir()
    return inner


def row(folder: Path, file: str, *, filename: str | None = None, root: str | None = None) -> Row:
    target = Target(TargetType.PRODUCT, "sku-1")
    return Row(str(folder / "manifest.csv"), 2, file, target, "picture", filename=filename, root=root)


def check(folder: Path, file: str, roots: FileRoots | None = None, **more: str) -> LocalFile | Failure:
    return check_file(row(folder, file, **more), roots or FileRoots())


def failed(found: LocalFile | Failure) -> Failure:
    assert isinstance(found, Failure)
    assert found.hint
    found.message.encode("utf-8")
    found.hint.encode("utf-8")
    return found


def test_a_good_file(folder: Path) -> None:
    path = folder / "images" / "a b.jpg"
    path.parent.mkdir()
    path.write_bytes(JPEG)
    os.utime(path, ns=(5, 1_234_567_890_123_456_789))
    stamp = stamp_of(path.stat())
    assert check(folder, "images/a b.jpg") == LocalFile(
        str(path), "a b.jpg", len(JPEG), 1_234_567_890_123_456_789, stamp
    )
    assert check(folder, "images/../images//./a b.jpg") == LocalFile(
        f"{folder}/images/../images//./a b.jpg", "a b.jpg", len(JPEG), 1_234_567_890_123_456_789, stamp
    )
    assert isinstance(check(folder, str(path)), LocalFile)  # absolute, yet inside


def test_a_manifest_named_without_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "a.jpg").write_bytes(JPEG)
    monkeypatch.chdir(folder)
    for manifest in ("m.csv", "-"):
        found = check_file(Row(manifest, 1, "a.jpg", None, "p"), FileRoots())
        assert isinstance(found, LocalFile) and found.path == "a.jpg"


def test_the_first_root_that_has_the_file_wins(tmp_path: Path, folder: Path) -> None:
    for name, files in (("one", ["a"]), ("two", ["a", "b"]), ("in/own", ["a", "b", "c"]), ("in", ["d"])):
        for file in files:
            (tmp_path / name).mkdir(exist_ok=True)
            (tmp_path / name / file).write_text(name)
    roots = FileRoots([str(tmp_path / "one"), str(tmp_path / "two")])
    paths = []
    for file in "abc":
        found = check(folder, file, roots, root=str(folder / "own"))
        assert isinstance(found, LocalFile)
        paths.append(found.path)
    assert paths == [str(tmp_path / "one/a"), str(tmp_path / "two/b"), str(folder / "own/c")]
    assert failed(check(folder, "d", roots)).kind is Kind.FILE_MISSING  # --root takes the manifest's place
    assert isinstance(check(folder, "a", FileRoots(), root=str(folder / "own")), LocalFile)


@pytest.mark.parametrize("way", ["absolute", "dots", "linked folder"])
def test_a_manifest_does_not_say_by_itself_what_may_be_sent(way: str, tmp_path: Path, folder: Path) -> None:
    """A `root` that leads out of the manifest's folder: somebody else's manifest could name any file."""
    other = tmp_path / "other"
    other.mkdir()
    (other / "x.jpg").write_bytes(JPEG)
    (folder / "door").symlink_to(other, target_is_directory=True)
    root = {"absolute": str(other), "dots": f"{folder}/../other", "linked folder": str(folder / "door")}[way]
    for file in ("x.jpg", str(other / "x.jpg")):
        found = failed(check(folder, file, FileRoots(), root=root))
        assert found.kind is Kind.OUTSIDE_ROOT
        assert "the manifest's own `root`" in found.message and str(folder) in found.message
        assert "--root DIR" in found.hint and "--allow-outside-root" in found.hint
        placed = place_of(row(folder, file, root=root), FileRoots())
        assert isinstance(placed, Failure) and placed.kind is Kind.OUTSIDE_ROOT
        for trusting in (FileRoots([str(tmp_path)]), FileRoots(allow_outside=True)):
            assert isinstance(check(folder, file, trusting, root=root), LocalFile)
            assert place_of(row(folder, file, root=root), trusting) == str(other / "x.jpg")
    # Another --root does not make it good; what lies in that one does not need it.
    (folder / "more").mkdir()
    roots = FileRoots([str(folder / "more")])
    assert failed(check(folder, "x.jpg", roots, root=root)).kind is Kind.OUTSIDE_ROOT
    (folder / "more" / "x.jpg").write_bytes(JPEG)
    found_there = check(folder, "x.jpg", roots, root=root)
    assert isinstance(found_there, LocalFile) and found_there.path == str(folder / "more" / "x.jpg")


def test_the_root_of_standard_input_starts_in_the_current_folder(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "pictures").mkdir()
    (folder / "pictures" / "x.jpg").write_bytes(JPEG)
    monkeypatch.chdir(folder)
    for root, outside in (("pictures", False), (str(folder / "pictures"), False), (str(tmp_path), True)):
        found = check_file(Row("-", 1, "x.jpg", None, "p", root=root), FileRoots())
        assert isinstance(found, Failure) is outside
        if isinstance(found, Failure):
            assert found.message.endswith("is outside the current folder")


@pytest.fixture
def escapes(tmp_path: Path, folder: Path) -> dict[str, str]:
    """Ways out of the folder, by what they are."""
    (tmp_path / "secret.jpg").write_bytes(JPEG)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "x.jpg").write_bytes(JPEG)
    (tmp_path / "in-side").mkdir()
    (tmp_path / "in-side" / "x.jpg").write_bytes(JPEG)
    (folder / "link.jpg").symlink_to("../secret.jpg")
    (folder / "chain.jpg").symlink_to("link.jpg")
    (folder / "door").symlink_to("../other", target_is_directory=True)
    return {
        "dots": "../secret.jpg",
        "dots that hide": "door/../secret.jpg",
        "absolute": str(tmp_path / "secret.jpg"),
        "link": "link.jpg",
        "chain of links": "chain.jpg",
        "linked folder": "door/x.jpg",
        "a folder of like name": "../in-side/x.jpg",
        "nothing there": "../nothing.jpg",
        "a folder": "..",
        "a device": "/dev/null",
    }


def test_paths_that_leave_the_root(folder: Path, escapes: dict[str, str]) -> None:
    roots = FileRoots()
    for _ in range(2):  # the second time from what is remembered
        for way, file in escapes.items():
            found = failed(check(folder, file, roots))
            assert found.kind is Kind.OUTSIDE_ROOT, way
            assert "--allow-outside-root" in found.hint


def test_they_may_leave_it_when_allowed(folder: Path, escapes: dict[str, str]) -> None:
    roots = FileRoots(allow_outside=True)
    kinds = {way: check(folder, file, roots) for way, file in escapes.items()}
    assert failed(kinds.pop("nothing there")).kind is Kind.FILE_MISSING
    assert failed(kinds.pop("a folder")).kind is Kind.FILE_NOT_REGULAR
    assert failed(kinds.pop("a device")).kind is Kind.FILE_NOT_REGULAR
    assert all(isinstance(found, LocalFile) for found in kinds.values())


def test_a_path_may_leave_one_root_for_another(tmp_path: Path, folder: Path, escapes: dict[str, str]) -> None:
    roots = FileRoots([str(folder), str(tmp_path / "other")])
    assert isinstance(check(folder, escapes["linked folder"], roots), LocalFile)
    assert isinstance(check(folder, "../other/x.jpg", roots), LocalFile)


def test_links_that_stay_inside_are_files_like_others(tmp_path: Path, folder: Path) -> None:
    (folder / "a.jpg").write_bytes(JPEG)
    (folder / "b.jpg").symlink_to("a.jpg")
    (tmp_path / "root").symlink_to(folder)
    found = check(folder, "b.jpg", FileRoots([str(tmp_path / "root")]))
    assert isinstance(found, LocalFile)
    assert (found.name, found.size) == ("b.jpg", len(JPEG))
    assert isinstance(check(folder, "../in/a.jpg"), LocalFile)


def test_the_whole_file_system_may_be_a_root(folder: Path) -> None:
    (folder / "a.jpg").write_bytes(JPEG)
    assert isinstance(check(folder, str(folder / "a.jpg"), FileRoots(["/"])), LocalFile)


def test_what_is_no_ordinary_file_is_never_opened(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(folder / "pipe.jpg")
    (folder / "sub.jpg").mkdir()
    monkeypatch.chdir(folder)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket.jpg")
        said = {}
        for name in ("pipe.jpg", "sub.jpg", "socket.jpg", "sub.jpg/.", "."):
            found = failed(check(folder, name))
            assert found.kind is Kind.FILE_NOT_REGULAR
            said[name] = found.message
    assert said == {
        "pipe.jpg": "pipe.jpg is a pipe",
        "sub.jpg": "sub.jpg is a folder",
        "socket.jpg": "socket.jpg is a socket",
        "sub.jpg/.": "sub.jpg/. is a folder",
        ".": ". is a folder",
    }


def test_sizes(folder: Path) -> None:
    (folder / "empty.jpg").touch()
    assert failed(check(folder, "empty.jpg")).kind is Kind.FILE_EMPTY
    for size, kind in ((LARGEST_FILE, None), (LARGEST_FILE + 1, Kind.FILE_TOO_LARGE)):
        with (folder / "sparse.bin").open("wb") as file:
            file.truncate(size)
        found = check(folder, "sparse.bin")
        assert (found.kind if isinstance(found, Failure) else None) is kind
    assert "2,147,483,648 bytes" in failed(check(folder, "sparse.bin")).message


@pytest.mark.parametrize(
    ("filename", "kind"),
    [
        ("x" * 251 + ".jpg", None),
        ("\U0001f600" * 251 + ".jpg", None),
        ("x" * 252 + ".jpg", Kind.NAME_TOO_LONG),
        ("a.abcdefghij", None),
        ("a.abcdefghijk", Kind.EXTENSION_TOO_LONG),
        ("no extension at all", None),
        ("Fig. 3 as was", None),
        ("Fig. 3 as it was.in print", None),
        ("Fig. 3 as it was then", Kind.EXTENSION_TOO_LONG),
        ("ends with a slash/", Kind.ROW_MALFORMED),
        ("   ", Kind.ROW_MALFORMED),
    ],
)
def test_names_that_the_pim_can_record(folder: Path, filename: str, kind: Kind | None) -> None:
    (folder / "a.bin").write_bytes(JPEG)
    found = check(folder, "a.bin", filename=filename)
    assert (found.kind if isinstance(found, Failure) else None) is kind


@pytest.mark.parametrize(
    ("filename", "name"),
    [
        ("a\tb\n.jpg", "a_b_.jpg"),
        ("a\x85\udce9.jpg", "a__.jpg"),
        ("dir/x.jpg", "x.jpg"),
        ("dir\\x.jpg", "x.jpg"),
        ("Ünï \U0001f600.jpg", "Ünï \U0001f600.jpg"),
    ],
)
def test_the_name_that_the_pim_shows(folder: Path, filename: str, name: str) -> None:
    (folder / "a.jpg").write_bytes(JPEG)
    found = check(folder, "a.jpg", filename=filename)
    assert isinstance(found, LocalFile) and found.name == name


@pytest.mark.skipif(sys.platform == "darwin", reason="macOS stores no such names")
def test_names_on_disk_that_are_no_text(folder: Path) -> None:
    for raw, name in ((b"caf\xe9.jpg", "caf_.jpg"), (b"a\nb.jpg", "a_b.jpg"), (b"a\\b.jpg", "b.jpg")):
        Path(os.fsdecode(os.fsencode(folder) + b"/" + raw)).write_bytes(JPEG)
        found = check(folder, os.fsdecode(raw))
        assert isinstance(found, LocalFile)
        assert found.name == name
        assert Path(found.path).read_bytes() == JPEG
    message = failed(check(folder, os.fsdecode(b"caf\xe8.jpg"))).message
    assert message == "caf\\udce8.jpg does not exist"


@pytest.mark.parametrize("file", ["a\0b.jpg", "\ud800.jpg", "x" * 300, "loop/x", "a.jpg/b", "a/" * 3000])
def test_names_that_no_file_has(folder: Path, file: str) -> None:
    (folder / "a.jpg").write_bytes(JPEG)
    (folder / "loop").symlink_to("loop")
    found = failed(check(folder, file))
    assert found.kind in (Kind.FILE_MISSING, Kind.FILE_UNREADABLE, Kind.OUTSIDE_ROOT)


def test_what_may_not_be_read(folder: Path, as_nobody: Callable[[], None]) -> None:
    (folder / "a.jpg").write_bytes(JPEG)
    (folder / "a.jpg").chmod(0)
    (folder / "locked").mkdir()
    (folder / "locked" / "b.jpg").write_bytes(JPEG)
    (folder / "locked").chmod(0)
    as_nobody()
    for roots in (FileRoots(), FileRoots(sniff=False)):
        for file in ("a.jpg", "locked/b.jpg"):
            found = failed(check(folder, file, roots))
            assert found.kind is Kind.FILE_UNREADABLE
            assert file in found.message and "ermission denied" in found.message


@pytest.fixture
def as_nobody(tmp_path: Path) -> object:
    """Root reads everything: to see a refusal, become somebody else for the rest of the test."""
    if os.name != "posix":
        pytest.skip("needs POSIX rights")

    def become() -> None:
        if os.geteuid() == 0:
            for path in (tmp_path, *tmp_path.parents):
                if (
                    path.stat().st_uid == 0
                    and path != Path("/")
                    and path.is_relative_to("/tmp/pytest-of-root")
                ):
                    path.chmod(path.stat().st_mode | 0o055)
            os.seteuid(65534)

    before = os.geteuid()
    yield become
    os.seteuid(before)
    for path in tmp_path.rglob("*"):
        path.chmod(0o700)


# Missing files: what is there instead.


@pytest.mark.parametrize(
    ("there", "named", "said"),
    [
        ("IMG_1.JPG", "img_1.jpg", "'IMG_1.JPG'; upper and lower case differ"),
        (unicodedata.normalize("NFD", "é.jpg"), unicodedata.normalize("NFC", "é.jpg"), "NFC and NFD"),
        ("front.jpg", "frnt.jpg", "Did you mean 'front.jpg'?"),
        ("front.jpg", "something else", "Looked in"),
        ("sub/front.jpg", "sub\\front.jpg", "Write / between"),
        ("front.jpg", "imgs/front.jpg", "does not exist"),
        ("f\nront.jpg", "front.jpg", "Did you mean 'f\\nront.jpg'?"),
    ],
)
def test_a_missing_file_names_the_nearest(folder: Path, there: str, named: str, said: str) -> None:
    (folder / there).parent.mkdir(exist_ok=True)
    (folder / there).write_bytes(JPEG)
    found = failed(check(folder, named))
    assert found.kind is Kind.FILE_MISSING
    assert said in found.hint
    assert found.message == f"{named} does not exist"


def test_a_link_to_nothing(folder: Path) -> None:
    (folder / "a.jpg").symlink_to("gone.jpg")
    found = failed(check(folder, "a.jpg"))
    assert found.kind is Kind.FILE_MISSING and "symbolic link" in found.hint


def test_the_nearest_is_looked_for_in_every_root(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "two").mkdir()
    (tmp_path / "two" / "front.jpg").write_bytes(JPEG)
    found = failed(check(folder, "FRONT.jpg", FileRoots([str(folder), str(tmp_path / "two")])))
    assert "'front.jpg'" in found.hint


def test_looking_for_the_nearest_has_an_end(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from akeneo_media_cli.storage import nearby

    monkeypatch.setattr(nearby, "_MOST_NAMES", 3)
    monkeypatch.setattr(nearby, "_MOST_REMEMBERED", 5)
    monkeypatch.setattr(nearby, "_MOST_SEARCHES", 2)
    for name in ("one", "two"):
        (folder / name).mkdir()
        for letter in "abcdef":
            (folder / name / f"file{letter}").touch()
    near = Nearby()
    assert near.hint(str(folder / "one" / "filez"))
    assert near.hint(str(folder / "two" / "filez"))
    assert near.hint(str(folder / "two" / "filez")) == ""
    listed = near._folders[str(folder / "two")]
    assert listed is not None and len(listed) == 3
    assert list(near._folders) == [str(folder / "two")]
    assert "upper and lower" in near.hint(str(folder / "two" / next(iter(listed)).upper()))


def test_a_folder_that_cannot_be_listed_has_no_hint(folder: Path, as_nobody: Callable[[], None]) -> None:
    (folder / "secret").mkdir()
    (folder / "secret").chmod(0o111)
    as_nobody()
    assert "Looked in" in failed(check(folder, "secret/x.jpg")).hint


# Content against name.


@pytest.mark.parametrize("content", [b"<!DOCTYPE html><p>404", b"\n <HTML><title>Log in</title>"])
def test_a_web_page_is_no_picture(folder: Path, content: bytes) -> None:
    """What a download that failed leaves behind, and what a link may lead to."""
    (folder / "a.jpg").write_bytes(content)
    found = failed(check(folder, "a.jpg"))
    assert found.kind is Kind.CONTENT_MISMATCH
    assert found.message == "a.jpg is named .jpg, but is an HTML page"
    assert "log in" in found.hint and "--allow-mismatch" in found.hint


def test_a_picture_that_broke_off(folder: Path) -> None:
    (folder / "a.jpg").write_bytes(JPEG[:-2])
    found = failed(check(folder, "a.jpg"))
    assert found.kind is Kind.PICTURE_TRUNCATED
    assert "a.jpg is cut off" in found.message
