"""What the shell offers, asked for as bash asks."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from akeneo_media_cli.ledger import default_path, open_ledger
from akeneo_media_cli.ledger.peek import run_ids

PIM = "https://pim.example.com"
Complete = Callable[..., list[str]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("spring.csv", "summer.YAML", "notes.md", "result.json", ".hidden.csv"):
        (tmp_path / name).write_text("")
    (tmp_path / "images").mkdir()
    return tmp_path


@pytest.fixture
def complete(command: list[str], folder: Path) -> Complete:
    """What is offered for the last of the words; it must say nothing beside, and leave all as it is."""

    def ask(*words: str, **environ: str) -> list[str]:
        before = sorted(folder.rglob("*"))
        done = subprocess.run(
            command,
            cwd=folder,
            env={
                **os.environ,
                "_AKENEO_MEDIA_COMPLETE": "complete_bash",
                "COMP_WORDS": "\n".join(("akeneo-media", *words)),
                "COMP_CWORD": str(len(words)),
                **environ,
            },
            text=True,
            capture_output=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert sorted(folder.rglob("*")) == before
        return done.stdout.split()

    return ask


def ledger(path: Path | None = None, *commands: str) -> list[str]:
    """A ledger with a run of each command; their ids, the latest first."""
    where = path or default_path(PIM)
    with open_ledger(where, pim_url=PIM, clock=lambda: 0.0, note=lambda *_: None) as opened:
        return [opened.start_run(command, {}).id for command in commands][::-1]


def test_reports_are_offered_with_every_suffix(complete: Complete) -> None:
    suffixes = [".json", ".jsonl", ".csv", ".xml", ".md", ".html"]
    assert complete("upload", "--report", "out") == [f"out{s}" for s in suffixes]
    assert complete("upload", "--report", "out.j") == ["out.json", "out.jsonl"]
    assert complete("upload", "--report", "my.rep") == [f"my.rep{s}" for s in suffixes]
    assert complete("upload", "--report", "") == ["-", "images/", *(f"report{s}" for s in suffixes)]
    assert complete("report", "merge", "result.json", "-o", "images/x.h") == ["images/x.html"]


def test_manifests_are_offered_by_suffix(complete: Complete) -> None:
    assert complete("upload", "") == ["images/", "result.json", "spring.csv", "summer.YAML"]
    assert complete("validate", "sp") == ["spring.csv"]
    assert complete("upload", "spring.csv", "su") == ["summer.YAML"]
    assert complete("upload", ".h") == [".hidden.csv"]
    assert complete("upload", "notes") == [], "then the shell offers what it finds itself"
    assert complete("upload", "nowhere/x") == []
    assert complete("report", "merge", "res") == ["result.json"]
    assert complete("export", "-o", "out.c") == ["out.csv"]


def test_names_that_need_quoting_are_left_to_the_shell(complete: Complete, folder: Path) -> None:
    (folder / "two words.csv").write_text("")
    assert complete("upload", "") == []
    assert complete("upload", "sp") == ["spring.csv"]


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (("upload", "--format", "js"), {"json", "jsonl"}),
        (("upload", "--skip", ""), {"ledger", "remote", "none"}),
        (("upload", "--progress", "p"), {"plain"}),
        (("upload", "--log-format", ""), {"text", "json"}),
        (("ru",), {"runs"}),
        (("runs", ""), {"list", "show", "retry", "undo"}),
    ],
)
def test_values_that_are_known_are_offered(
    complete: Complete, words: tuple[str, ...], offered: set[str]
) -> None:
    assert set(complete(*words)) == offered


def test_runs_are_offered_from_the_ledger(complete: Complete, folder: Path) -> None:
    upload, verify = ledger(None, "verify", "upload")
    assert complete("runs", "show", "", AKENEO_URL=PIM) == ["last", upload, verify]
    assert complete("runs", "retry", "", AKENEO_URL=PIM) == ["last", upload]
    assert complete("runs", "show", verify[:-1], AKENEO_URL=PIM) == [verify]
    assert complete("runs", "show", "la", AKENEO_URL=PIM) == ["last"]
    (folder / ".env").write_text(f"AKENEO_URL={PIM}\n")
    assert upload in complete("runs", "show", upload[:9])


def test_runs_of_a_named_ledger_are_offered(complete: Complete, folder: Path) -> None:
    (run,) = ledger(folder / "pim.sqlite", "upload")
    assert complete("runs", "show", "--state", "pim.sqlite", "") == ["last", run]
    (folder / "dead.sqlite").write_bytes(b"no database")
    for wrong in ("none.sqlite", "dead.sqlite", "images"):
        assert complete("runs", "show", "--state", wrong, "") == []
    assert complete("runs", "show", "", AKENEO_URL="https://nobody.example.com") == []
    assert complete("runs", "show", "") == [], "no PIM is named"


def test_a_run_that_goes_on_is_offered_without_disturbing_it(complete: Complete, folder: Path) -> None:
    path = folder / "pim.sqlite"
    ledger(path, "upload")
    with open_ledger(path, pim_url=PIM, clock=lambda: 9.0, note=lambda *_: None) as opened:
        run = opened.start_run("upload", {}).id
        assert complete("runs", "show", "--state", "pim.sqlite", "")[1] == run
        assert run_ids(path, limit=1) == [run]


def test_bash_takes_it(command: list[str], folder: Path) -> None:
    bash = shutil.which("bash")
    assert bash
    script = """
        eval "$(_AKENEO_MEDIA_COMPLETE=source_bash akeneo-media)"
        COMP_WORDS=(akeneo-media upload spring.csv --report "$1") COMP_CWORD=4
        _akeneo_media_completion akeneo-media && printf '%s\\n' "${COMPREPLY[@]}"
        complete -p akeneo-media
    """
    done = subprocess.run(
        [bash, "--norc", "-c", script, "bash", "out.j"],
        cwd=folder,
        env={**os.environ, "PATH": f"{Path(command[0]).parent}:{os.environ['PATH']}"},
        text=True,
        capture_output=True,
        check=False,
    )
    assert done.stdout.splitlines() == [
        "out.json",
        "out.jsonl",
        "complete -o default -F _akeneo_media_completion akeneo-media",
    ], done.stderr
