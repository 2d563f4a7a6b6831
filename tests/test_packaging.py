"""What pyproject.toml promises is what the pipelines try, and the versions of this project agree."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parent.parent
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
WORKFLOWS = ROOT / ".github" / "workflows"
PREFIX = "Programming Language :: Python :: 3."
PYTHONS = [f"3.{c.removeprefix(PREFIX)}" for c in PROJECT["project"]["classifiers"] if c.startswith(PREFIX)]


def test_every_python_that_is_promised_is_tried_on_every_system() -> None:
    matrix = yaml.safe_load((WORKFLOWS / "ci.yml").read_text("utf-8"))["jobs"]["test"]["strategy"]["matrix"]
    assert matrix["python"] == PYTHONS
    assert [system.split("-")[0] for system in matrix["os"]] == ["ubuntu", "macos", "windows"]


def test_the_oldest_python_is_the_same_everywhere() -> None:
    oldest = PYTHONS[0]
    assert PROJECT["project"]["requires-python"] == f">={oldest}"
    assert PROJECT["tool"]["ruff"]["target-version"] == f"py{oldest.replace('.', '')}"
    assert PROJECT["tool"]["mypy"]["python_version"] == oldest
    ci = yaml.safe_load((WORKFLOWS / "ci.yml").read_text("utf-8"))
    assert {"python-version": oldest} in [step.get("with") for step in ci["jobs"]["oldest"]["steps"]]
    assert f"Python {oldest} or newer" in (ROOT / "README.md").read_text("utf-8")


def test_every_job_runs_a_target_that_the_makefile_has() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    called = {
        target
        for path in WORKFLOWS.glob("*.yml")
        for target in re.findall(r"run: make ([\w-]+)", path.read_text("utf-8"))
    }
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text("utf-8"))["repos"][0]["hooks"]
    called |= {hook["entry"].removeprefix("make ") for hook in hooks}
    assert {"lint", "types", "test-all", "package"} <= called
    assert all(re.search(rf"^{target}:", makefile, re.MULTILINE) for target in called)


def test_a_release_publishes_without_a_stored_token_and_with_the_least_rights() -> None:
    release = yaml.safe_load((WORKFLOWS / "release.yml").read_text("utf-8"))
    assert release["permissions"] == {"contents": "read"}
    rights = {name: job.get("permissions", {}) for name, job in release["jobs"].items()}
    assert rights["build"] == {}
    assert rights["pypi"] == {"id-token": "write"}
    assert "secrets.PYPI" not in (WORKFLOWS / "release.yml").read_text("utf-8")
