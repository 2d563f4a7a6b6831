"""`akeneo-media media list`, `get` and `download`, as a user runs them, against a PIM on a real socket."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
from typing import Any

import pytest

from akeneo_media_cli.cli.commands.media.list_ import Filter
from akeneo_media_cli.pim.answers.types import MediaFile
from akeneo_media_cli.sandbox import parse_faults
from akeneo_media_cli.sandbox.php.form import SentFile
from akeneo_media_cli.sandbox.store.media import CATALOG

from .conftest import PNG, Bench, Bencher, jpeg, sha256


def stored(b: Bench, *files: tuple[str, bytes]) -> list[str]:
    """Put files of these names and bytes into the PIM, whatever the names; their codes in order."""

    def put() -> list[str]:
        codes = []
        for name, content in files:
            path = b.folder / f".sent-{len(codes)}"
            path.write_bytes(content)
            sent = SentFile(name.encode(), path, len(content), sha256(content))
            row = b.sandbox.store.media.store(sent, CATALOG)
            codes.append(row.code)
        return codes

    return b.sandbox.inside(put)


def many(b: Bench, number: int) -> list[str]:
    return stored(b, *((f"file-{n}.jpg", jpeg(n, 1000 + n)) for n in range(number)))


def listed(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


# list


def test_a_list_holds_every_file_and_nothing_else(bench: Bencher) -> None:
    b = bench()
    codes = many(b, 250)
    done = b.run("media", "list", "--format", "jsonl", report=False)
    assert done.status == 0, done.err
    files = listed(done.out)
    assert [file["code"] for file in files] == codes
    assert files[3] == {
        "code": codes[3],
        "original_filename": "file-3.jpg",
        "mime_type": "image/jpeg",
        "size": 1003,
        "extension": "jpg",
    }
    assert done.err == f"info: Reading from {b.sandbox.url}\n"
    assert b.sandbox.stats()["calls"]["GET /media-files"] == {"200": 3}


def file(name: str, size: int = 1, mime_type: str = "image/jpeg") -> MediaFile:
    return MediaFile("code", name, mime_type, size, name.rpartition(".")[2])


@pytest.mark.parametrize(
    ("wanted", "taken"),
    [
        (Filter(name="*.jpg"), ["front.JPG", "back.jpg"]),
        (Filter(name="FRONT*"), ["front.JPG"]),
        (Filter(name="[fb]*.jpg"), ["front.JPG", "back.jpg"]),
        (Filter(extensions=frozenset({"jpg", "txt"})), ["front.JPG", "back.jpg", "notes.txt"]),
        (Filter(mime="image/*"), ["front.JPG", "back.jpg", "logo.png"]),
        (Filter(least=5000), ["front.JPG"]),
        (Filter(most=100), ["back.jpg", "logo.png", "notes.txt"]),
        (Filter(least=100, most=100), ["back.jpg"]),
        (Filter(name="*.jpg", mime="text/*"), []),
        (Filter(), ["front.JPG", "back.jpg", "logo.png", "notes.txt"]),
    ],
    # Sets come in another order in each process.
    ids=range(10),
)
def test_a_filter_takes(wanted: Filter, taken: list[str]) -> None:
    files = [
        file("front.JPG", 5000),
        file("back.jpg", 100),
        file("logo.png", 67, "image/PNG"),
        file("notes.txt", 4, "text/plain"),
    ]
    assert [each.original_filename for each in files if wanted.takes(each)] == taken


@pytest.mark.long
def test_filters_are_applied_here_and_limit_what_they_let_through(bench: Bencher) -> None:
    b = bench()
    stored(b, ("front.JPG", jpeg(1, 5000)), ("logo.png", PNG), ("back.jpg", jpeg(2, 900)), ("x.jpg", b"x"))
    filters = ("--name", "*.jpg", "--extension", ".JPG", "--min-size", "0.9k", "--max-size", "5k")
    done = b.run("media", "list", "--format", "jsonl", *filters, "--mime", "image/*", report=False)
    assert [each["original_filename"] for each in listed(done.out)] == ["front.JPG", "back.jpg"]
    done = b.run("media", "list", "--format", "jsonl", "--limit", "1", "--name", "*a*", report=False)
    assert [each["original_filename"] for each in listed(done.out)] == ["back.jpg"]


@pytest.mark.parametrize(
    "arguments", [("--min-size", "big"), ("--limit", "0"), ("--format", "xml")], ids=lambda a: a[0]
)
def test_wrong_usage_is_told_before_anything_is_asked(bench: Bencher, arguments: tuple[str, ...]) -> None:
    b = bench()
    done = b.run("media", "list", *arguments, report=False)
    assert done.status == 2
    assert done.out == ""
    assert b.sandbox.stats()["total"] == 0


def test_a_csv_list_runs_no_formula(bench: Bencher) -> None:
    b = bench()
    codes = stored(b, ("=cmd|calc!A0.jpg", jpeg(1)), ('a "b",\u00e9\u4e2d.jpg', jpeg(2)))
    done = b.run("media", "list", "--format", "csv", report=False, env={"LC_ALL": "C", "PYTHONUTF8": "0"})
    rows = list(csv.DictReader(io.StringIO(done.out)))
    assert [row["code"] for row in rows] == codes
    assert [row["original_filename"] for row in rows] == ["'=cmd|calc!A0.jpg", 'a "b",\u00e9\u4e2d.jpg']


@pytest.mark.long
def test_a_table_cannot_be_drawn_over(bench: Bencher) -> None:
    b = bench()
    (code,) = stored(b, ("a\x1b[2Jb\u202egpj.exe", jpeg(1)))
    done = b.run("media", "list", report=False)
    assert "\x1b" not in done.out
    assert "\u202e" not in done.out
    header, line = done.out.splitlines()
    assert header.split() == ["SIZE", "TYPE", "NAME", "CODE"]
    assert line.endswith(code)
    assert line.split()[:3] == ["2.0", "kB", "image/jpeg"]


@pytest.mark.long
def test_a_reader_that_has_read_enough_is_no_trouble(bench: Bencher) -> None:
    b = bench(latency=0.02)
    many(b, 900)
    running = b.start("media", "list", "--format", "jsonl")
    assert running.stdout is not None
    assert json.loads(running.stdout.readline())["size"] == 1000
    running.stdout.close()
    assert running.stderr is not None
    assert running.stderr.read() == f"info: Reading from {b.sandbox.url}\n"
    running.stderr.close()
    assert running.wait(timeout=60) == 0
    assert b.sandbox.stats()["calls"]["GET /media-files"]["200"] < 10


@pytest.mark.long
def test_the_first_rows_come_before_the_last_page_is_asked_for(bench: Bencher) -> None:
    b = bench()
    many(b, 300)
    running = b.start("media", "list", "--format", "jsonl")
    assert running.stdout is not None
    # A pipe holds 64 KB: what is not read keeps the command from going on.
    first = running.stdout.readline()
    assert json.loads(first)["original_filename"] == "file-0.jpg"
    rest = running.stdout.read()
    running.communicate()
    assert len(rest.splitlines()) == 299


@pytest.mark.long
def test_a_page_that_met_trouble_is_asked_for_again(bench: Bencher) -> None:
    b = bench(seed=3, retry_after=0)
    codes = many(b, 350)
    faults = parse_faults(["429=1x@media-files", "503-html=1x@media-files"])
    b.sandbox.inside(lambda: setattr(b.sandbox.store.options, "faults", faults))
    done = b.run("media", "list", "--format", "jsonl", report=False)
    assert done.status == 0, done.err
    assert [file["code"] for file in listed(done.out)] == codes


def test_a_pim_that_stays_down_is_exit_5(bench: Bencher) -> None:
    b = bench(down_after=0)
    done = b.run("media", "list", "--retries", "0", report=False)
    assert done.status == 5
    assert "error:" in done.err


def test_wrong_credentials_are_exit_4(bench: Bencher) -> None:
    b = bench()
    done = b.run("media", "list", env={"AKENEO_PASSWORD": "wrong-pass"}, report=False)
    assert done.status == 4
    assert "wrong-pass" not in done.err


# get


@pytest.mark.long
def test_get_tells_of_each_code(bench: Bencher) -> None:
    b = bench()
    codes = many(b, 3)
    done = b.run("media", "get", codes[2], codes[0], codes[2], "--json", report=False)
    assert done.status == 0, done.err
    assert [file["code"] for file in listed(done.out)] == [codes[2], codes[0]]
    done = b.run("media", "get", codes[1], report=False)
    assert "file-1.jpg" in done.out
    assert codes[1] in done.out


@pytest.mark.long
def test_get_tells_unknown_codes_one_by_one(bench: Bencher) -> None:
    b = bench()
    codes = many(b, 2)
    unknown = ["0/0/0/0/nothing.jpg", "/", "..", "a b?c#d", "\x1b[2J", "é/..//x"]
    done = b.run("media", "get", codes[0], *unknown, codes[1], "--json", report=False)
    assert done.status == 1
    assert [file["code"] for file in listed(done.out)] == codes
    told = done.err.splitlines()[1:]
    assert len(told) == len(unknown)
    assert all(line.startswith("error: ") for line in told)
    assert "0/0/0/0/nothing.jpg" in told[0]
    assert "\x1b" not in done.err


@pytest.mark.parametrize("verb", ["get", "download"])
def test_an_empty_code_is_wrong_usage(bench: Bencher, verb: str) -> None:
    b = bench()
    done = b.run("media", verb, "", report=False)
    assert done.status == 2
    assert "media code is empty" in done.err
    assert "GET /media-files" not in b.sandbox.stats()["calls"]


@pytest.mark.long
def test_get_reads_codes_from_standard_input(bench: Bencher) -> None:
    b = bench()
    codes = many(b, 130)
    done = b.run("media", "get", "-", "--json", stdin="\n".join(codes) + "\n\n", report=False)
    assert done.status == 0, done.err
    assert [file["code"] for file in listed(done.out)] == codes


# download


def words(done: Any) -> dict[str, int]:
    known = ("downloaded", "unchanged", "failed", "pending")
    return {k: v for k, v in done.report["summary"].items() if v and k in known}


def folder_of(b: Bench, name: str = "out") -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (b.folder / name).iterdir()}


@pytest.mark.long
def test_files_come_under_their_own_names(bench: Bencher) -> None:
    b = bench(latency=0.01)
    codes = many(b, 30)
    done = b.run("media", "download", *codes, "--to", "out/deep")
    assert done.status == 0, done.err
    assert folder_of(b, "out/deep") == {f"file-{n}.jpg": jpeg(n, 1000 + n) for n in range(30)}
    assert words(done) == {"downloaded": 30}
    item = done.item(4)
    assert item["media_code"] == item["file"] == codes[3]
    assert item["sha256"] == sha256(jpeg(3, 1003))
    assert item["notes"] == [f"as {b.folder}/out/deep/file-3.jpg"]
    assert b.sandbox.stats()["most_in_flight"] == 4
    assert done.out == ""
    again = b.run("media", "download", *codes, "--to", "out/deep")
    assert words(again) == {"unchanged": 30}


HOSTILE = [
    "../../up.jpg",
    "/etc/passwd",
    "..",
    ".bashrc",
    "a\\b\\c.jpg",
    "new\nline\x1b[31m.jpg",
    "\u202egpj.exe",
    "con.jpg",
    "NUL",
    "trailing. . ",
    'what?<is>|this*".jpg',
    "\u00e9\u00e8" * 120 + ".jpeg",
    " ",
    "~",
    "-rf",
]


@pytest.mark.long
def test_no_name_leaves_the_folder_or_hides_in_it(bench: Bencher) -> None:
    b = bench()
    codes = stored(b, *((name, jpeg(n)) for n, name in enumerate(HOSTILE)))
    before = set(b.folder.rglob("*"))
    done = b.run("media", "download", *codes, "--to", "out")
    assert done.status == 0, done.err
    found = folder_of(b)
    assert sorted(map(sha256, found.values())) == sorted(sha256(jpeg(n)) for n in range(len(HOSTILE)))
    for name in found:
        assert name[0] != "."
        assert not set(name) & set('<>:"/\\|?*\n\r\x1b\u202e')
        assert name.isprintable()
        assert len(os.fsencode(name)) <= 255
        assert name == name.rstrip(". ")
        assert name.partition(".")[0].lower() not in ("con", "nul")
    made = set(b.folder.rglob("*")) - before
    files = {path for path in made if path.is_file()} - {b.folder / "report.json"}
    assert {path.parent for path in files} == {b.folder / "out"}


@pytest.mark.long
def test_one_name_for_many_is_told_apart_by_the_order_of_the_codes(bench: Bencher) -> None:
    b = bench()
    codes = stored(b, *(("front.jpg", jpeg(n)) for n in range(5)), ("FRONT.jpg", jpeg(5)))
    for attempt in ("out", "again"):
        done = b.run("media", "download", *codes, codes[0], "--to", attempt)
        assert done.status == 0, done.err
        found = folder_of(b, attempt)
        assert found.pop("front.jpg") == jpeg(0)
        marks = [code.rpartition("/")[2][:8] for code in codes]
        assert found == {
            **{f"front-{marks[n]}.jpg": jpeg(n) for n in range(1, 5)},
            f"FRONT-{marks[5]}.jpg": jpeg(5),
        }
    repeated = b.run("media", "download", *codes, "--to", "out")
    assert words(repeated) == {"unchanged": 6}


@pytest.mark.long
def test_names_that_only_differ_before_they_are_made_safe_are_told_apart(bench: Bencher) -> None:
    b = bench()
    codes = stored(b, (".x.jpg", jpeg(1)), ("_x.jpg", jpeg(2)), ("a.jpg. ", jpeg(3)), ("a.jpg", jpeg(4)))
    done = b.run("media", "download", *codes, "--to", "out", "--concurrency", "1")
    assert done.status == 0, done.err
    assert sorted(map(sha256, folder_of(b).values())) == sorted(sha256(jpeg(n)) for n in range(1, 5))


@pytest.mark.long
def test_what_is_there_is_not_replaced_unasked(bench: Bencher) -> None:
    b = bench()
    codes = many(b, 5)
    out = b.folder / "out"
    out.mkdir()
    (out / "file-0.jpg").write_bytes(b"mine")
    (out / "file-1.jpg").mkdir()
    (out / "file-2.jpg").symlink_to(b.folder / "elsewhere.jpg")
    (out / "file-3.jpg").write_bytes(jpeg(3, 1003))
    done = b.run("media", "download", *codes, "--to", "out")
    assert done.status == 1
    assert words(done) == {"downloaded": 1, "unchanged": 1, "failed": 3}
    assert done.kinds() == {1: "file_exists", 2: "file_not_regular", 3: "file_not_regular"}
    assert (out / "file-0.jpg").read_bytes() == b"mine"
    done = b.run("media", "download", *codes, "--to", "out", "--overwrite")
    assert words(done) == {"downloaded": 1, "unchanged": 2, "failed": 2}
    assert (out / "file-0.jpg").read_bytes() == jpeg(0, 1000)
    assert not (b.folder / "elsewhere.jpg").exists()
    assert (out / "file-2.jpg").is_symlink()


def test_unknown_codes_are_failed_rows(bench: Bencher) -> None:
    b = bench()
    (code,) = many(b, 1)
    done = b.run("media", "download", "0/0/0/0/none.jpg", code, "0/0", "--to", "out")
    assert done.status == 1
    assert done.kinds() == {1: "media_unknown", 3: "media_unknown"}
    assert folder_of(b) == {"file-0.jpg": jpeg(0, 1000)}


@pytest.mark.long
def test_a_list_can_be_piped_into_a_download(bench: Bencher) -> None:
    b = bench()
    codes = many(b, 7)
    done = b.run("media", "download", "-", "--to", "out", stdin="\n".join(codes))
    assert done.status == 0, done.err
    assert len(folder_of(b)) == 7


def test_the_folder_must_be_one(bench: Bencher) -> None:
    b = bench()
    (code,) = many(b, 1)
    b.file("out", b"a file")
    done = b.run("media", "download", code, "--to", "out")
    assert done.status == 2
    assert "not a folder" in done.err


@pytest.mark.long
def test_little_memory_for_a_large_file(bench: Bencher) -> None:
    b = bench()
    (code,) = stored(b, ("film.mp4", b"\x00"))
    size = 400_000_000

    def grow() -> None:
        os.truncate(b.sandbox.store.media.path(code), size)
        b.sandbox.store.media.rows[code].size = size

    b.sandbox.inside(grow)
    assert b.memory("media", "download", code, "--to", "out") < 100_000_000
    assert (b.folder / "out/film.mp4").stat().st_size == size


def test_ctrl_c_ends_a_list_quietly(bench: Bencher) -> None:
    b = bench(latency=0.2)
    many(b, 500)
    running = b.start("media", "list", "--format", "jsonl")
    assert running.stdout is not None
    running.stdout.readline()
    running.send_signal(signal.SIGINT)
    _, err = running.communicate(timeout=60)
    assert running.returncode == 130
    assert "Traceback" not in err
