"""The fixture works in a project of somebody else's, who knows only docs/sandbox.md."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
PLUGIN = "akeneo_media_cli.sandbox.pytest_plugin"


def documented() -> str:
    """The test that the docs show."""
    page = (ROOT / "docs" / "sandbox.md").read_text(encoding="utf-8")
    found = re.search(r"## In your own tests.*?```python\n# test_mine\.py\n(.*?)```", page, re.DOTALL)
    assert found
    return found[1]


def run(folder: Path) -> str:
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "--strict-markers",
        "-p",
        PLUGIN,
        "-p",
        "no:cacheprovider",
    ]
    # Off, so that it is the same whether or not the plugin is installed with its entry point.
    env = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": ""}
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def test_the_documented_test_passes(tmp_path: Path) -> None:
    (tmp_path / "test_mine.py").write_text(documented(), encoding="utf-8")
    assert re.search(r"^\d passed", run(tmp_path), re.MULTILINE)


def test_a_project_may_have_a_catalogue_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(
        "import pytest\n\n\n@pytest.fixture\ndef akeneo_catalog():\n"
        "    return {'products': [{'identifier': 'mine'}]}\n",
        encoding="utf-8",
    )
    (tmp_path / "test_mine.py").write_text(
        "def test(akeneo_sandbox):\n    assert akeneo_sandbox.stats()['products'] == 1\n", encoding="utf-8"
    )
    assert "1 passed" in run(tmp_path)


def test_pytest_finds_it_by_itself() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["entry-points"]["pytest11"] == {"akeneo_sandbox": PLUGIN}
