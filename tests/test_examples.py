"""The examples of docs/examples, held to the syntax of those that read them and to our own command line."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from akeneo_media_cli.exits import Exit

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "docs" / "examples"
WORKFLOWS = ROOT / ".github" / "workflows"
TEXTS = sorted(p for p in EXAMPLES.iterdir() if p.is_file())


@pytest.mark.parametrize(
    ("schema", "path"),
    [
        ("vendor.github-workflows", EXAMPLES / "github.yml"),
        ("vendor.github-workflows", EXAMPLES / "github-matrix.yml"),
        ("vendor.github-workflows", WORKFLOWS / "ci.yml"),
        ("vendor.github-workflows", WORKFLOWS / "release.yml"),
        ("vendor.gitlab-ci", EXAMPLES / "gitlab-ci.yml"),
        ("vendor.github-actions", ROOT / "action.yml"),
    ],
    ids=lambda value: getattr(value, "name", value),
)
def test_pipelines_are_what_their_services_read(schema: str, path: Path) -> None:
    check = Path(sys.executable).with_name("check-jsonschema")
    done = subprocess.run(
        [str(check), "--builtin-schema", schema, str(path)], text=True, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_jenkinsfile_closes_what_it_opens_and_its_script_is_shell() -> None:
    text = (EXAMPLES / "Jenkinsfile").read_text("utf-8")
    (script,) = re.findall(r"sh '''(.*?)'''", text, re.DOTALL)
    subprocess.run(["sh", "-n"], input=script, text=True, check=True)
    bare = re.sub(r"'''.*?'''|'[^'\n]*'|\"[^\"\n]*\"|//[^\n]*", "", text, flags=re.DOTALL)
    for opening, closing in ("{}", "()"):
        depth = 0
        for character in bare:
            depth += (character == opening) - (character == closing)
            assert depth >= 0
        assert depth == 0


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_the_units_are_what_systemd_reads(tmp_path: Path) -> None:
    for name in ("akeneo-media.service", "akeneo-media.timer"):
        text = (EXAMPLES / name).read_text("utf-8")
        # The command of this machine: systemd looks whether it is there.
        text = text.replace(
            "/usr/local/bin/akeneo-media", str(Path(sys.executable).with_name("akeneo-media"))
        )
        (tmp_path / name).write_text(text, "utf-8")
    done = subprocess.run(
        [
            "systemd-analyze",
            "verify",
            str(tmp_path / "akeneo-media.timer"),
            str(tmp_path / "akeneo-media.service"),
        ],
        text=True,
        capture_output=True,
        check=False,
    )
    about_us = [line for line in (done.stdout + done.stderr).splitlines() if "akeneo-media" in line]
    assert not about_us, about_us


def test_the_kubernetes_job_is_indexed_and_shares_the_limit() -> None:
    job: dict[str, Any] = yaml.safe_load((EXAMPLES / "kubernetes-job.yaml").read_text("utf-8"))
    spec = job["spec"]
    (container,) = spec["template"]["spec"]["containers"]
    assert spec["completionMode"] == "Indexed"
    given = dict(word.split("=", 1) for word in container["args"] if "=" in word)
    assert given["--shard"] == f"auto/{spec['completions']}"
    assert spec["parallelism"] * int(given["--concurrency"]) <= 4
    assert "--no-state" in container["args"]
    # What cannot get better is not tried again; what is pending is.
    rules = {rule["action"]: rule for rule in spec["podFailurePolicy"]["rules"]}
    final = set(rules["FailIndex"]["onExitCodes"]["values"])
    assert final == {Exit.ROWS_FAILED, Exit.USAGE, Exit.MANIFEST, Exit.REFUSED}
    assert rules["Count"]["onExitCodes"]["operator"] == "NotIn"
    assert set(rules["Count"]["onExitCodes"]["values"]) == {0, *final}
    # The ledger of a run without one, and reports, need a place.
    mounts = {mount["mountPath"] for mount in container["volumeMounts"]}
    assert mounts >= {"/tmp", str(Path(given["--report"]).parent)}


def options_of(command: list[str], name: str) -> set[str]:
    done = subprocess.run([*command, name, "--help"], text=True, capture_output=True, check=True)
    return set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", done.stdout)) | {"--help"}


@pytest.mark.parametrize("path", TEXTS, ids=lambda p: p.name)
def test_every_option_in_an_example_is_one_of_ours(path: Path, command: list[str]) -> None:
    text = re.sub(r"\\\n\s*|\$\{\{[^}]*\}\}", " ", path.read_text("utf-8"))
    text = re.sub(r"(>-)\n((?:\s{10,}.*\n)+)", lambda m: " ".join(m.group(2).split()) + "\n", text)
    seen = 0
    for line in text.splitlines():
        for call in re.findall(r"akeneo-media\s+((?:upload|scan)\b[^|\n]*)", line):
            words = shlex.split(call, posix=True)
            unknown = {w.split("=")[0] for w in words if w.startswith("-") and w != "-"} - options_of(
                command, words[0]
            )
            assert not unknown, f"{path.name}: {unknown}"
            seen += 1
    assert seen or path.suffix in (".timer", ".yaml")


def test_the_image_is_pinned_slim_and_not_root() -> None:
    text = (ROOT / "Dockerfile").read_text("utf-8")
    bases = re.findall(r"^FROM (\S+)", text, re.MULTILINE)
    assert all(re.fullmatch(r"python:3\.\d+\.\d+-slim-\w+", base) for base in bases)
    assert text.rindex("USER 10001") > text.rindex("RUN ")
    copied = re.findall(r"^COPY (?!--from)(.*) \S+$", text, re.MULTILINE)
    ignore = (ROOT / ".dockerignore").read_text("utf-8")
    for name in " ".join(copied).split():
        assert (ROOT / name).exists()
        assert f"!{name}\n" in ignore


def run_action(folder: Path, *, check: bool = True, **inputs: str) -> tuple[list[str], str]:
    """What the step's script calls, a word a line, and what it says."""
    action = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
    script = action["runs"]["steps"][-1]["run"]
    assert "${{" not in script
    fake = folder / "akeneo-media" / "bin"
    fake.mkdir(parents=True, exist_ok=True)
    (fake / "akeneo-media").write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    (fake / "akeneo-media").chmod(0o755)
    done = subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", script],
        env={
            **os.environ,
            "RUNNER_TEMP": str(folder),
            "GITHUB_OUTPUT": str(folder / "out"),
            "ARGUMENTS": "",
            "STATE": "",
            **inputs,
        },
        cwd=folder,
        text=True,
        capture_output=True,
        check=check,
    )
    return done.stdout.splitlines(), done.stderr


def test_the_action_runs_nothing_that_an_input_says(tmp_path: Path) -> None:
    """The step's script, with a command where a manifest's name should be."""
    words, _ = run_action(
        tmp_path,
        MANIFEST="a.csv $(touch${IFS}owned) `touch owned` b.csv",
        ARGUMENTS="--retries 2 ;touch owned",
    )
    assert not (tmp_path / "owned").exists()
    assert words[:2] == ["upload", "a.csv"]
    assert words[words.index("--retries") + 1] == "2"


def test_the_action_reads_all_lines_of_its_inputs(tmp_path: Path) -> None:
    words, _ = run_action(
        tmp_path,
        MANIFEST="spring.csv\n  summer.csv autumn.csv\n\n'my winter.csv'\n",
        ARGUMENTS="--retries 2\n--set 'filename={product} {filename}'\n--rename \"{product}.{ext}\"\n",
        STATE="kept/ledger.sqlite",
    )
    assert words[1:5] == ["spring.csv", "summer.csv", "autumn.csv", "my winter.csv"]
    assert words[5:11] == [
        *("--retries", "2", "--set", "filename={product} {filename}", "--rename", "{product}.{ext}"),
    ]
    assert words[-2:] == ["--state", "kept/ledger.sqlite"]
    assert (tmp_path / "kept").is_dir()


def test_the_action_keeps_a_ledger_and_writes_reports(tmp_path: Path) -> None:
    action = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
    cache = next(step for step in action["runs"]["steps"] if "actions/cache" in step.get("uses", ""))
    assert cache["with"]["path"] == "${{ inputs.state }}"
    assert "github.run_id" in cache["with"]["key"]
    assert cache["with"]["key"].startswith(cache["with"]["restore-keys"])
    words, _ = run_action(tmp_path, MANIFEST="a.csv")
    reports = [words[n + 1] for n, word in enumerate(words) if word == "--report"]
    assert [Path(report).suffix for report in reports] == [".json", ".xml"]
    out = dict(line.split("=", 1) for line in (tmp_path / "out").read_text().splitlines())
    assert list(out.values()) == reports
    assert words[-1] == "--no-state"


def test_the_action_stops_at_a_quote_that_is_not_closed(tmp_path: Path) -> None:
    words, said = run_action(tmp_path, check=False, MANIFEST="a.csv", ARGUMENTS="--set 'x=y")
    assert words == [] and "quote" in said
