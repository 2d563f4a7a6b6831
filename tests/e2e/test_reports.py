"""What a real run leaves behind and shows: in reports, in pipelines, on terminals and without any."""

from __future__ import annotations

import csv
import json
import os
import pty
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from PIL import Image

from tests.report.browser import CHROMIUM, browser
from tests.report.test_html import rows_in

from .conftest import Bench, Bencher, jpeg

SAMPLES = Path(__file__).parents[2] / "sample_manifests"
COLOURS = re.compile("\x1b\\[[0-9;]*m")


def two_bad_rows(b: Bench) -> tuple[str, ...]:
    """A call that comes to one row uploaded, one refused by the PIM, one without a file."""
    b.file("a.jpg", jpeg(1))
    b.file("b.gif", b"GIF89a" + b"\0" * 40 + b";")
    lines = ["product,attribute,file", "p-1,picture,a.jpg", "p-2,front,b.gif", "p-3,picture,gone.jpg"]
    return "upload", b.manifest(lines), "--no-preflight"


@pytest.fixture
def samples(command: list[str], tmp_path: Path) -> Iterator[Path]:
    """A folder with the sample manifests, one row of which names a file that is not there."""
    folder = tmp_path / "samples"
    shutil.copytree(SAMPLES, folder)
    with (folder / "products.csv").open("a") as out:
        out.write("runner-green,picture_3,images/nowhere.png,autumn\n")
    yield folder


def test_the_page_of_a_real_run_shows_pictures_and_its_course(command: list[str], samples: Path) -> None:
    done = subprocess.run(
        [*command, "upload", "products.csv", "manuals.jsonl", "--sandbox", "--report", "r.html"],
        cwd=samples,
        check=False,
        capture_output=True,
    )
    assert done.returncode == 1
    text = (samples / "r.html").read_text("utf-8")
    rows = rows_in(text)
    pictured = {row[4].rpartition(".")[2] for row in rows if row[12]}
    assert pictured == {"jpg", "png", "webp"}
    assert [row[4] for row in rows if not row[12]] == [
        "images/nowhere.png",
        *("manuals/runner-care.pdf", "manuals/runner-entretien.pdf", "manuals/runner-care.pdf"),
    ]
    assert "Throughput: at most" in text
    assert re.search(r"Rows in flight: at most [1-4]\.\d", text), "four calls at most"
    assert "1 row to look at, by cause" in text
    assert "images/nowhere.png does not exist" in text
    assert "runs retry" not in text, "the ledger of a rehearsal is gone"


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
@pytest.mark.long
def test_the_pictures_of_a_real_run_are_pictures(command: list[str], samples: Path, tmp_path: Path) -> None:
    subprocess.run(
        [*command, "upload", "products.csv", "--sandbox", "-q", "--report", "r.html"],
        cwd=samples,
        check=False,
        capture_output=True,
    )
    with browser(tmp_path / "profile") as page:
        page.open((samples / "r.html").as_uri())
        widths = page.run("[...document.querySelectorAll('#rows img')].map((i) => i.naturalWidth)")
        assert len(widths) == 7
        assert all(0 < width <= 64 for width in widths)
        assert page.problems == []


def test_a_report_made_later_elsewhere_finds_the_pictures(bench: Bencher, tmp_path: Path) -> None:
    b = bench()
    for name in ("a.png", "b.png", "c.png"):
        Image.new(
            "RGB", (100, 50), name[0].replace("a", "red").replace("b", "blue").replace("c", "green")
        ).save(b.folder / name)
    lines = ["product,attribute,file", *(f"p-{n},picture,{'abc'[n - 1]}.png" for n in (1, 2, 3))]
    assert b.upload(b.manifest(lines)).status == 0
    (b.folder / "b.png").unlink()
    (b.folder / "c.png").write_bytes(jpeg(3))
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    done = subprocess.run(
        [*b.command, "runs", "show", "last", "--report", "r.html"],
        cwd=elsewhere,
        env=b.environ,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    text = (elsewhere / "r.html").read_text("utf-8")
    assert [bool(row[12]) for row in rows_in(text)] == [True, False, False], "gone, and another file by now"
    assert "<svg" in text


def test_the_version_of_the_pim_is_asked_for_a_report_alone(bench: Bencher) -> None:
    b = bench()
    manifest = b.manifest(["product,attribute,file", f"p-1,picture,{b.file('a.jpg', jpeg(1))}"])
    reads = "GET /system-information"
    assert b.upload(manifest, report=False).status == 0
    assert reads not in b.sandbox.stats()["calls"]
    done = b.upload(manifest, "--no-state")
    assert done.report["pim"]["version"]
    assert b.sandbox.stats()["calls"][reads] == {"200": 1}


def test_rows_tell_when_they_were_at_work(bench: Bencher) -> None:
    b = bench()
    done = b.run(*two_bad_rows(b))
    header = done.report
    sent, refused, invalid = header["items"]
    for item in (sent, refused):
        stamps = [header["started_at"], item["started_at"], item["finished_at"], header["finished_at"]]
        times = [datetime.fromisoformat(stamp) for stamp in stamps]
        assert times == sorted(times)
    assert "started_at" not in invalid, "nothing was done for it"


def test_a_pipeline_shows_both_bad_rows_on_their_lines(bench: Bencher) -> None:
    b = bench()
    summary = b.folder / "summary.md"
    summary.write_text("# before\n")
    done = b.run(
        *two_bad_rows(b),
        env={
            "GITHUB_ACTIONS": "true",
            "CI": "true",
            "GITHUB_WORKSPACE": str(b.folder.parent),
            "GITHUB_STEP_SUMMARY": str(summary),
        },
    )
    assert done.status == 1
    assert done.statuses() == {"total": 3, "uploaded": 1, "failed": 1, "invalid": 1}
    commands = [line for line in done.err.splitlines() if line.lstrip().startswith("::")]
    assert [command.split("::")[1].rsplit(",", 1)[0] for command in commands] == [
        f"error file={b.folder.name}/manifest.csv,line=3",
        f"error file={b.folder.name}/manifest.csv,line=4",
    ]
    assert "b.gif (product p-2 front): " in commands[0]
    assert "gone.jpg (product p-3 picture): gone.jpg does not exist" in commands[1]
    assert summary.read_text().startswith(
        "# before\n## akeneo-media upload: 1 uploaded, 1 invalid, 1 failed\n"
    )
    assert "\x1b" not in done.err
    assert "\r" not in done.err
    assert "━" not in done.err
    assert done.out == ""


@pytest.mark.parametrize("mode", ["plain", "json", "rich"])
def test_hostile_names_give_the_runner_no_commands(bench: Bencher, mode: str) -> None:
    b = bench()
    evil = ["::add-mask::x", "##[add-mask]x", "##vso[task.complete]"]
    lines = [
        "product,attribute,file,atribute",
        *(f"p-{n},picture,{name},::x" for n, name in enumerate(evil, 1)),
    ]
    done = b.upload(
        b.manifest(lines), "--report", "-", "-vv", "--progress", mode, env={"GITHUB_ACTIONS": "true"}
    )
    assert done.status == 1
    for line in (done.out + done.err).splitlines():
        assert "##[" not in line or line.startswith("::error file="), line
        assert not line.lstrip().startswith("::") or line.startswith("::error file="), line
    assert [item["file"] for item in json.loads(done.out)["items"]] == evil


def on_terminal(b: Bench, *arguments: str, **environ: str) -> str:
    """What a terminal of 80 columns is sent."""
    ours, theirs = pty.openpty()
    clean = {k: v for k, v in b.environ.items() if k not in ("CI", "TERM")}
    process = subprocess.Popen(
        [*b.command, *arguments],
        cwd=b.folder,
        env={**clean, "TERM": "xterm", **environ},
        stdout=subprocess.DEVNULL,
        stderr=theirs,
    )
    os.close(theirs)
    shown = b""
    try:
        while part := os.read(ours, 65536):
            shown += part
    except OSError:
        pass  # How Linux tells that the other end is closed.
    os.close(ours)
    assert process.wait(60) == 1
    return shown.decode()


@pytest.mark.parametrize(
    ("environ", "colours", "bars"),
    [
        ({}, True, True),
        ({"NO_COLOR": "1"}, False, True),
        ({"CI": "true"}, False, False),
        ({"CI": "true", "FORCE_COLOR": "1"}, True, False),
        ({"TERM": "dumb"}, False, False),
    ],
    ids=lambda value: " ".join(f"{k}={v}" for k, v in value.items()) if isinstance(value, dict) else "",
)
def test_a_terminal_gets_what_it_asks_for(
    bench: Bencher, environ: dict[str, str], colours: bool, bars: bool
) -> None:
    b = bench()
    shown = on_terminal(b, *two_bad_rows(b), **environ)
    assert bool(COLOURS.search(shown)) is colours
    assert ("\x1b[J" in shown) is bars
    if not bars:
        assert "\r" not in shown.replace("\r\n", "\n")
        assert "\x1b" not in COLOURS.sub("", shown)
    assert "2 rows were not uploaded." in " ".join(COLOURS.sub("", shown).split())


def test_without_a_terminal_colour_comes_when_forced_and_bars_never(bench: Bencher) -> None:
    b = bench()
    done = b.run(*two_bad_rows(b), "--progress", "rich", env={"FORCE_COLOR": "1"})
    assert COLOURS.search(done.err)
    assert "\x1b" not in COLOURS.sub("", done.err)
    assert "\r" not in done.err


@pytest.mark.long
def test_the_quiet_say_nothing_when_all_is_well(bench: Bencher) -> None:
    b = bench()
    b.file("a.jpg", jpeg(1))
    # A slip of a column's name, a row that repeats another: warnings, which are no errors.
    manifest = b.manifest(["product,attribute,file,local", "p-1,picture,a.jpg,", "p-1,picture,a.jpg,"])
    for arguments in (
        ("upload", manifest),
        ("upload", manifest),
        ("verify", manifest),
        ("validate", manifest),
    ):
        done = b.run(*arguments, "-q")
        assert (done.status, done.out, done.err) == (0, "", ""), arguments
    loud = b.upload(manifest, "--force", "--progress", "none")
    assert "did you mean" in loud.err.lower() or "local" in loud.err


def test_the_quiet_are_told_what_failed(bench: Bencher) -> None:
    b = bench()
    done = b.run(*two_bad_rows(b), "-q")
    assert done.status == 1
    assert "gone.jpg does not exist" in done.err
    assert "2 rows were not uploaded." in done.err
    assert "100%" not in done.err, "no progress"
    wrong = b.run("upload", "none.csv", "-q")
    assert wrong.status == 3
    assert "none.csv" in wrong.err


def test_a_report_on_standard_output_is_alone_there(bench: Bencher) -> None:
    b = bench()
    for mode in ("plain", "json"):
        done = b.run(*two_bad_rows(b), "--report", "-", "-vv", "--progress", mode, "--force")
        assert json.loads(done.out)["summary"]["total"] == 3
        assert done.err


def test_every_format_tells_the_same(bench: Bencher) -> None:
    b = bench()
    names = [f"r{suffix}" for suffix in (".jsonl", ".csv", ".xml", ".md", ".html")]
    done = b.run(*two_bad_rows(b), *(part for name in names for part in ("--report", name)))
    items = [json.loads(line) for line in (b.folder / "r.jsonl").read_text("utf-8").splitlines()]
    assert items == done.report["items"]
    with (b.folder / "r.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["status"] for row in rows] == ["uploaded", "failed", "invalid"]
    assert [row["error.kind"] for row in rows] == ["", items[1]["error"]["kind"], "file_missing"]
    junit = (b.folder / "r.xml").read_text("utf-8")
    assert 'tests="3" failures="1" errors="1"' in junit
    for name in ("r.md", "r.html"):
        text = (b.folder / name).read_text("utf-8")
        assert "gone.jpg does not exist" in text.replace("&#46;", "."), name
        assert f"runs retry {done.report['run']}" in text, name


def test_the_command_that_tries_again_is_told_as_it_can_be_run(bench: Bencher) -> None:
    b = bench()
    first = b.run(*two_bad_rows(b), "--state", "our state/pim.sqlite", "--env-file", os.devnull)
    (told,) = re.findall("`akeneo-media (runs retry [^`]*)`", first.err)
    (b.folder / "b.gif").rename(b.folder / "b.jpg")
    again = b.run(*shlex.split(told))
    assert sorted(item["file"] for item in again.report["items"]) == ["b.gif", "gone.jpg"], (
        "the row that failed, and the invalid, whose cause may be gone"
    )
    assert set(again.kinds().values()) == {"file_missing"}


def test_what_no_ledger_keeps_is_not_offered_to_be_tried_again(bench: Bencher) -> None:
    b = bench()
    assert "runs retry" not in b.run(*two_bad_rows(b), "--no-state").err
