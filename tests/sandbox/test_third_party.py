"""Clients that others wrote do their round against the sandbox, as they do against a PIM."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from akeneo_media_cli.sandbox import start_sandbox

from .client import JPG

HERE = Path(__file__).parent / "clients"


def python_round(script: str, package: str, folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """What a Python client printed of its round, and the calls that the sandbox counted."""
    site, venv = folder / "site", folder / "venv"
    subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True, capture_output=True)
    places = (venv / "bin" / "python", venv / "Scripts" / "python.exe")
    python = str(next(path for path in places if path.exists()))
    install([python, "-m", "pip", "install", "--quiet", "--target", str(site), package], folder)
    return play([python, str(HERE / script)], {"PYTHONPATH": str(site)}, folder)


def install(command: list[str], folder: Path) -> None:
    """Installs a client, or skips the test with the reason."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        pytest.skip(f"{command[-1]} cannot be installed here: {reason}")


def play(command: list[str], env: dict[str, str], folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Runs a client's script against a sandbox."""
    picture = folder / "front.jpg"
    picture.write_bytes(JPG)
    with start_sandbox() as sandbox:
        done = subprocess.run(
            [*command, json.dumps(sandbox.description()), str(picture)],
            env=env, cwd=folder, capture_output=True, text=True, check=False, timeout=100,
        )  # fmt: skip
        stats = sandbox.stats()
    assert done.returncode == 0, done.stderr
    assert stats["defects"] == 0
    return json.loads(done.stdout), stats["calls"]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_pyakeneo(tmp_path: Path) -> None:
    told, calls = python_round("with_pyakeneo.py", "pyakeneo==1.1.0", tmp_path)
    assert told == {
        "products": 22, "names": ["by pyakeneo"] * 2, "attributes": 9, "options": ["m", "s"], "media": [],
    }  # fmt: skip
    assert calls["PATCH /products"] == {"200": 1}


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_akeneo_cli(tmp_path: Path) -> None:
    told, calls = python_round("with_akeneo_cli.py", "akeneo-cli==1.0.10", tmp_path)
    if not told:
        pytest.skip("akeneo-cli needs libmagic, which this machine does not have")
    assert told == {
        "products": 22, "names": ["by akeneo-cli"] * 2, "attributes": 9, "options": ["m", "s"],
        "media": ["front.jpg"],
    }  # fmt: skip
    assert calls["POST /media-files"] == {"201": 1}


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_akeneo_python_sdk(tmp_path: Path) -> None:
    told, calls = python_round("with_akeneo_python_sdk.py", "akeneo-python-sdk==1.0.0", tmp_path)
    assert told == {
        "products": 22, "disabled": ["shoe_1", "shoe_2"], "attributes": 9, "options": ["m", "s"], "media": [],
    }  # fmt: skip
    assert calls["PATCH /products/{code}"] == {"204": 2}


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.skipif(not (shutil.which("npm") and shutil.which("node")), reason="Node is not installed")
def test_node_akeneo_api(tmp_path: Path) -> None:
    install(
        ["npm", "install", "--silent", "--no-audit", "--ignore-scripts", "node-akeneo-api@1.6.19"], tmp_path
    )
    env = {**os.environ, "NODE_PATH": str(tmp_path / "node_modules")}
    told, calls = play(["node", str(HERE / "with_node_akeneo_api.js")], env, tmp_path)
    assert told == {
        "products": 22, "named": ["shoe_1", "shoe_2"], "options": ["m", "s"], "media": ["front.jpg"],
    }  # fmt: skip
    assert calls["POST /media-files"] == {"201": 1}
