"""The log of a run: on standard error and in a file, as text and as JSON, with nothing secret in it."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path

import pytest

from akeneo_media_cli.progress.logs import LARGE_LOG, LogFile

from .conftest import Bench, Bencher, Done, jpeg

STAMP = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"


def rows(b: Bench) -> str:
    """Two rows: one goes up, one has no file."""
    b.file("a.jpg", jpeg(1))
    return b.manifest(["product,attribute,file", "p-1,picture,a.jpg", "p-2,picture,gone.jpg"])


@pytest.mark.long
def test_once_tells_of_rows_and_twice_of_requests(bench: Bencher) -> None:
    b = bench()
    once, twice = (b.upload(rows(b), flag, "--force") for flag in ("-v", "-vv"))
    for done in (once, twice):
        assert "info: manifest.csv:2 a.jpg: uploaded\n" in done.err
        assert (
            "warning: manifest.csv:3 gone.jpg: invalid: file_missing: gone.jpg does not exist\n" in done.err
        )
    assert "/api/" not in once.err
    assert re.search(r"^info: POST /api/rest/v1/media-files: 201 in \d", twice.err, re.MULTILINE)
    assert "/api/oauth/v1/token: 200" in twice.err
    plain = b.upload(rows(b), "--force").err
    assert [line for line in plain.splitlines() if line.startswith("info:")] == [
        f"info: Uploading to {b.sandbox.url}"
    ]


def test_the_pims_address_is_said_first_but_to_the_quiet(bench: Bencher) -> None:
    b = bench()
    for mode in ("none", "plain"):
        told = b.upload(rows(b), "--force", "--progress", mode).err
        assert told.startswith(f"info: Uploading to {b.sandbox.url}\n"), mode
    failed = b.upload(rows(b), "--force", "-q").err
    assert "Uploading to" not in failed
    assert f"PIM: {b.sandbox.url}" in failed, "the summary says it"
    assert b.upload(b.manifest(["product,attribute,file", "p-1,picture,a.jpg"]), "-q").err == ""


@pytest.mark.long
def test_the_file_has_it_all_and_is_appended_to(bench: Bencher) -> None:
    b = bench()
    log = b.folder / "run.log"
    log.write_text("before\n")
    done = b.upload(rows(b), "--log-file", "run.log")
    assert "a.jpg: uploaded" not in done.err
    first, *lines = log.read_text("utf-8").splitlines()
    assert first == "before"
    assert all(re.match(rf"{STAMP} (DEBUG|INFO|WARNING) +\S", line) for line in lines)
    assert any("POST /api/rest/v1/media-files: 201" in line for line in lines)
    assert any("gone.jpg: invalid: file_missing" in line for line in lines)


def test_a_large_file_is_renamed_when_a_run_begins(tmp_path: Path) -> None:
    log = tmp_path / "run.log"
    for _ in range(2):
        with log.open("wb") as file:
            file.truncate(LARGE_LOG + 1)
        LogFile(log, lambda *_: None).close()
        assert log.stat().st_size == 0
        assert [each.name for each in sorted(tmp_path.iterdir())] == ["run.log", "run.log.1"]
    LogFile(log, lambda *_: None).close()
    assert (tmp_path / "run.log.1").stat().st_size == LARGE_LOG + 1, "a small one goes on"


def test_json_is_an_object_a_line_in_both_places(bench: Bencher) -> None:
    b = bench()
    done = b.upload(rows(b), "-vv", "--log-format", "json", "--log-file", "run.log", "--progress", "none")
    in_file = [json.loads(line) for line in (b.folder / "run.log").read_text("utf-8").splitlines()]
    shown = [json.loads(line) for line in done.err.splitlines() if line.startswith("{")]
    # The PIM's address is shown once, as everywhere.
    assert shown == [line for line in in_file if not line["message"].startswith("Uploading to")]
    assert all(set(line) == {"time", "level", "logger", "message"} for line in shown)
    assert {line["level"] for line in shown} == {"debug", "info", "warning"}


@pytest.mark.long
def test_json_progress_stays_the_only_json(bench: Bencher) -> None:
    b = bench()
    done = b.upload(rows(b), "-v", "--log-format", "json", "--progress", "json")
    events = [json.loads(line) for line in done.err.splitlines()]
    assert all("event" in event for event in events)
    assert any(event["event"] == "note" and "a.jpg: uploaded" in event["message"] for event in events)


@pytest.mark.long
def test_the_quiet_still_get_a_file(bench: Bencher) -> None:
    b = bench()
    b.file("a.jpg", jpeg(1))
    manifest = b.manifest(["product,attribute,file", "p-1,picture,a.jpg"])
    done = b.upload(manifest, "-q", "-vv", "--log-file", "run.log")
    assert (done.status, done.err) == (0, "")
    assert "a.jpg: uploaded" in (b.folder / "run.log").read_text("utf-8")


@pytest.mark.parametrize("place", ["none/run.log", "."])
def test_a_file_that_cannot_be_is_wrong_usage(bench: Bencher, place: str) -> None:
    b = bench()
    done = b.upload(rows(b), "--log-file", place)
    assert done.status == 2
    assert f"--log-file {place}: " in done.err
    assert b.held() == {}


def secrets(b: Bench) -> list[bytes]:
    """Everything that must not be seen: in clear, and as Basic authentication sends it."""
    who, tokens = b.sandbox.credentials, b.sandbox.store.tokens
    issued = b.sandbox.inside(lambda: [*tokens._access, *tokens._refresh])
    assert len(issued) >= 4, "logged in more than once"
    basic = base64.b64encode(f"{who.client_id}:{who.client_secret}".encode()).decode()
    return [secret.encode() for secret in (who.client_secret, who.password, basic, *issued)]


def leaks(b: Bench, *done: Done) -> list[str]:
    """Where anything secret is found: in what was printed or in any file that is left."""
    places = {str(n): (each.out + each.err).encode() for n, each in enumerate(done)}
    state = Path(b.environ["XDG_STATE_HOME"])
    files = [path for folder in (b.folder, state) for path in folder.rglob("*") if path.is_file()]
    assert any(path.suffix == ".sqlite" for path in files)
    places.update((str(path), path.read_bytes()) for path in files)
    known = secrets(b)
    return [place for place, content in places.items() if any(secret in content for secret in known)]


def test_nothing_secret_is_in_anything_that_is_left(bench: Bencher) -> None:
    # Short enough to run out on the way, long enough for a machine at its limits to use it once.
    b = bench(token_ttl=0.5, save_time=0.1)
    for n in range(20):
        b.file(f"{n}.jpg", jpeg(n))
    lines = (f"p-{n + 1},picture,{n}.jpg" for n in range(20))
    manifest = b.manifest(["product,attribute,file", *lines, "p-2,picture_2,gone.jpg"])
    reports = [f"r{suffix}" for suffix in (".jsonl", ".csv", ".xml", ".md", ".html")]
    loud = b.upload(
        manifest,
        *("-vv", "--log-file", "run.log", "--metrics-file", "m.prom"),
        *(part for name in reports for part in ("--report", name)),
    )
    assert loud.status == 1
    assert loud.err.count("token: 200") > 1
    events = b.upload(
        manifest, "--force", "-vv", "--progress", "json", "--log-format", "json", "--log-file", "run.json"
    )
    shown = b.run("runs", "show", "last", "--json", report=False)
    listed = b.run("runs", "list", "--json", report=False)
    refused = b.upload(manifest, "--force", "-vv", env={"AKENEO_USERNAME": "nobody"})
    assert refused.status == 4
    assert leaks(b, loud, events, shown, listed, refused) == []


@pytest.mark.parametrize("progress", ["plain", "none", "json"])
@pytest.mark.parametrize("quiet", [False, True], ids=["", "-q"])
@pytest.mark.long
def test_a_log_that_is_full_is_told_of_once_and_ends_nothing(
    bench: Bencher, progress: str, quiet: bool
) -> None:
    b = bench()
    b.file("a.jpg", jpeg(1))
    manifest = b.manifest(["product,attribute,file", "p-1,picture,a.jpg"])
    done = b.upload(
        manifest, "--log-file", "/dev/full", "--progress", progress, *(["-q"] if quiet else [])
    )  # `run` looks for a traceback.
    assert done.status == 0
    assert "Logging error" not in done.err
    told = [line for line in done.err.splitlines() if "/dev/full" in line]
    assert len(told) == 1
    assert "No space left on device" in told[0]
    if progress == "json" and not quiet:
        assert json.loads(told[0])["level"] == "warning"
    else:
        assert told[0].startswith("warning: the log /dev/full cannot be written")


@pytest.mark.parametrize(
    ("options", "variable"), [(["-v"], ""), (["-vv"], ""), ([], "1"), ([], "2")], ids=str
)
@pytest.mark.long
def test_who_wants_no_progress_may_still_want_the_log(
    bench: Bencher, options: list[str], variable: str
) -> None:
    b = bench()
    done = b.upload(
        rows(b), "--progress", "none", *options, env={"AKENEO_MEDIA_VERBOSE": variable} if variable else {}
    )
    assert "info: manifest.csv:2 a.jpg: uploaded\n" in done.err
    assert ("POST /api/rest/v1/media-files: 201" in done.err) is (options == ["-vv"] or variable == "2")
    assert "%, " not in done.err, "no progress"
