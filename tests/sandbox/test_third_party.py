"""Clients that others wrote do their round against the sandbox, as they do against a PIM."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from akeneo_media_cli.sandbox import start_sandbox

from .client import JPG

HERE = Path(__file__).parent / "clients"


def round_of(script: str, packages: str, folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """What a client printed of its round, and the calls that the sandbox counted."""
    site = folder / "site"
    venv = folder / "venv"
    subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True, capture_output=True)
    python = next(
        path for path in (venv / "bin" / "python", venv / "Scripts" / "python.exe") if path.exists()
    )
    command = [str(python), "-m", "pip", "install", "--quiet", "--target", str(site), *packages.split()]
    installed = subprocess.run(command, capture_output=True, text=True, check=False)
    if installed.returncode:
        pytest.skip(f"{packages} cannot be installed here: {installed.stderr.strip().splitlines()[-1]}")
    picture = folder / "front.jpg"
    picture.write_bytes(JPG)
    with start_sandbox() as sandbox:
        done = subprocess.run(
            [str(python), str(HERE / script), json.dumps(sandbox.description()), str(picture)],
            env={"PYTHONPATH": str(site)}, capture_output=True, text=True, check=False, timeout=100,
        )  # fmt: skip
        stats = sandbox.stats()
    assert done.returncode == 0, done.stderr
    assert stats["defects"] == 0
    return json.loads(done.stdout), stats["calls"]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_pyakeneo(tmp_path: Path) -> None:
    told, calls = round_of("with_pyakeneo.py", "pyakeneo==1.1.0", tmp_path)
    assert told == {
        "products": 22, "names": ["by pyakeneo"] * 2, "attributes": 9, "options": ["m", "s"], "media": [],
    }  # fmt: skip
    assert calls["PATCH /products"] == {"200": 1}


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_akeneo_cli(tmp_path: Path) -> None:
    told, calls = round_of("with_akeneo_cli.py", "akeneo-cli==1.0.10", tmp_path)
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
    told, calls = round_of("with_akeneo_python_sdk.py", "akeneo-python-sdk==1.0.0", tmp_path)
    assert told == {
        "products": 22, "disabled": ["shoe_1", "shoe_2"], "attributes": 9, "options": ["m", "s"], "media": [],
    }  # fmt: skip
    assert calls["PATCH /products/{code}"] == {"204": 2}
