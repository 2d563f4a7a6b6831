"""`scan` as a user runs it: from a folder of pictures to values in the PIM."""

from __future__ import annotations

import csv
import io
import os
import subprocess
from pathlib import Path

import pytest

from .conftest import Bench, Bencher, Done, jpeg

USUAL = ("--pattern", "{product}_{attribute}.{ext}")


def photos(bench: Bench, *names: str) -> None:
    for name in names:
        bench.file(f"photos/{name}", jpeg(name))


def scan(bench: Bench, *arguments: str, **more: str) -> Done:
    return bench.run("scan", *arguments, report=False, env=more)


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_a_folder_goes_up_through_a_pipe(bench: Bencher) -> None:
    b = bench()
    photos(b, "p-1_picture.jpg", "deep/p-2_picture_1.jpg", "p-3_FRONT.JPG", "notes.txt")
    found = scan(b, "photos", *USUAL, "--map", "front=picture_2")
    assert found.status == 0, found.err
    assert "no row for notes.txt: no '_' after {product}" in found.err
    assert "3 rows written to standard output; 1 file without a row" in found.err
    # From the folder above, and from anywhere with --root.
    done = b.upload("-", stdin=found.out)
    assert (done.status, done.statuses()["uploaded"]) == (0, 3), done.err
    again = b.upload("-", "--root", "photos", stdin=found.out)
    assert (again.status, again.statuses()["unchanged"]) == (0, 3), again.err
    assert set(b.held()) == {
        ("p-1", "picture", None, None),
        ("p-2", "picture_1", None, None),
        ("p-3", "picture_2", None, None),
    }


@pytest.mark.parametrize("name", ["m.csv", "m.tsv", "m.yaml", "m.jsonl", "m.json", "photos/m.csv"])
@pytest.mark.long
def test_a_manifest_beside_its_files_may_move_with_them(bench: Bencher, name: str) -> None:
    b = bench()
    photos(b, "p-1_picture.jpg", "p-2_picture.jpg")
    # The second time the manifest is there already, and no file without a row.
    for _ in range(2):
        done = scan(b, "photos", *USUAL, "-o", name, "--strict")
        assert (done.status, done.out) == (0, ""), done.err
    text = (b.folder / name).read_text("utf-8")
    assert str(b.folder) not in text
    b.folder = b.folder.rename(b.folder.with_name("moved"))
    assert b.upload(name).status == 0


@pytest.mark.long
def test_files_elsewhere_are_named_so_that_root_finds_them(bench: Bencher) -> None:
    b = bench()
    photos(b, "p-1_picture.jpg")
    (b.folder / "other").mkdir()
    done = scan(b, "photos", *USUAL, "-o", "other/m.csv")
    assert "upload it with --root photos" in done.err
    assert b.upload("other/m.csv").kinds() == {2: "outside_root"}
    assert b.upload("other/m.csv", "--root", "photos").status == 0


def test_online_tells_of_products_that_are_not_there(bench: Bencher) -> None:
    b = bench()
    photos(b, *(f"p-{n}_picture.jpg" for n in range(1, 121)))
    photos(b, "p_7_picture.jpg", "pp-77_picture.jpg", "zzzzzz_picture.jpg")
    b.file("models/m-1_picture.jpg", b"x")
    b.file("models/mm-1_picture.jpg", b"x")
    done = scan(b, "photos", *USUAL, "--online")
    assert done.status == 1
    assert "not in the PIM: product p_7; did you mean p-7?" in done.err
    assert "not in the PIM: product pp-77; did you mean p-77?" in done.err
    assert "not in the PIM: product zzzzzz\n" in done.err
    assert len(rows(done.out)) == 123
    models = scan(b, "models", "--pattern", "{product_model}_{attribute}.{ext}", "--online")
    assert "not in the PIM: product model mm-1; did you mean m-1?" in models.err
    assert models.status == 1
    (b.folder / "models/mm-1_picture.jpg").unlink()
    assert scan(b, "models", "--pattern", "{product_model}_{attribute}.{ext}", "--online").status == 0


def test_online_without_the_right_to_ask(bench: Bencher) -> None:
    b = bench()
    photos(b, "p-1_picture.jpg")
    done = scan(b, "photos", *USUAL, "--online", "-o", "m.csv", AKENEO_PASSWORD="wrong")
    assert done.status == 4
    assert not (b.folder / "m.csv").exists()


@pytest.mark.long
def test_exit_statuses(bench: Bencher) -> None:
    b = bench()
    photos(b, "p-1_picture.jpg", "notes.txt")
    assert scan(b, "photos", *USUAL).status == 0
    assert scan(b, "photos", *USUAL, "--strict").status == 1
    assert scan(b, "photos", "--pattern", "x{product}_{attribute}.png").status == 1
    for wrong in (
        ("nowhere", *USUAL),
        ("photos/notes.txt", *USUAL),
        ("photos",),
        ("photos", "--pattern", "{product}{attribute}"),
        ("photos", *USUAL, "-o", "m.pdf"),
        ("photos", *USUAL, "-o", "nowhere/m.csv"),
    ):
        done = scan(b, *wrong)
        assert (done.status, done.out) == (2, ""), wrong
    (b.folder / "empty").mkdir()
    empty = scan(b, "empty", *USUAL)
    assert (empty.status, empty.out) == (0, "product,attribute,file\n")


def test_quiet_says_nothing_and_a_flood_is_cut(bench: Bencher) -> None:
    b = bench()
    photos(b, *(f"x{n}.jpg" for n in range(130)), "p-1_picture.jpg")
    assert scan(b, "photos", *USUAL, "-q").err == ""
    told = scan(b, "photos", *USUAL).err
    assert told.count("no row for x") == 100
    assert "no row for 30 more files (-v: list them)" in told
    assert scan(b, "photos", *USUAL, "-v").err.count("no row for x") == 130


def test_a_reader_that_has_read_enough_is_no_trouble(bench: Bencher) -> None:
    b = bench()
    photos(b, *(f"p-{n}_picture.jpg" for n in range(1500)))
    script = f"{b.command[0]} scan photos --pattern '{USUAL[1]}' -q | head -n 1"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", script], cwd=b.folder, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "product,attribute,file\n", "")


def test_names_of_any_bytes_go_up(bench: Bencher) -> None:
    b = bench()
    folder = b.folder / "photos"
    folder.mkdir()
    for raw in (b"caf\xc3\xa9 p-1.jpg", b"\xff p-2.jpg", b"a\nb p-3.jpg", b'",; p-4.jpg'):
        Path(folder, *[raw.decode("utf-8", "surrogateescape")]).write_bytes(jpeg(str(raw)))
    found = scan(b, "photos", "--pattern", "{any} {product}.{ext}", "--set", "attribute=picture")
    assert found.status == 0, found.err
    done = b.upload("-", stdin=found.out)
    assert (done.status, done.statuses()["uploaded"]) == (0, 4), done.err


def test_what_was_left_out_is_told(bench: Bencher) -> None:
    b = bench()
    photos(b, "p-1_picture.jpg")
    (b.folder / "photos/link.jpg").symlink_to("p-1_picture.jpg")
    os.mkfifo(b.folder / "photos/pipe.jpg")
    done = scan(b, "photos", *USUAL, "--set", "locla=x")
    assert "left out: 1 symbolic link (--follow-links)" in done.err
    assert "left out: 1 pipe, socket or device" in done.err
    assert rows(done.out)[0]["locla"] == "x"
    followed = scan(
        b, "photos", "--pattern", "{product}_{attribute}.jpg", "--set", "product=p-2", "--follow-links"
    )
    assert "no row for link.jpg" in followed.err
