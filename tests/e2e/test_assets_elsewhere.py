"""Clients that others wrote read the assets, values and links that this tool wrote."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from ..sandbox.test_third_party import HERE, install
from .conftest import Bencher
from .test_assets import forty, shop


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("script", "package"),
    [
        ("assets_with_pyakeneo.py", "pyakeneo==1.1.0"),
        ("assets_with_akeneo_python_sdk.py", "akeneo-python-sdk==1.0.0"),
    ],
)
def test_what_was_written_is_read(bench: Bencher, tmp_path: Path, script: str, package: str) -> None:
    site, venv = tmp_path / "site", tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True, capture_output=True)
    places = (venv / "bin" / "python", venv / "Scripts" / "python.exe")
    python = str(next(path for path in places if path.exists()))
    install([python, "-m", "pip", "install", "--quiet", "--target", str(site), package], tmp_path)
    b = bench(shop())
    assert b.upload(b.manifest(forty(b))).statuses() == {"total": 40, "uploaded": 40}
    done = subprocess.run(
        [python, str(HERE / script), json.dumps(b.sandbox.description())],
        env={"PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
    read = json.loads(done.stdout)
    assert sorted(read["assets"]) == sorted(f"a_{n}" for n in range(40))
    assert all({"media", "label", "alt", "tags"} == set(values) for values in read["assets"].values())
    assert read["assets"]["a_3"]["tags"][0]["data"] == ["new", "sale"]
    alts = {(v["locale"], v["channel"]): v["data"] for v in read["assets"]["a_3"]["alt"]}
    assert alts == {("en_US", "ecommerce"): "Shop 3", ("en_US", "mobile"): "Phone 3"}
    assert read["one"] == "Label 3"
    assert read["gallery"] == ["a_3", "a_18"]
    assert read["looks"] == [f"a_{n}" for n in range(39, 29, -1)]
