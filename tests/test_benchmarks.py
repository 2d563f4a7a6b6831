"""The benchmarks still run: what is measured once a release must not rot between."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_quick_mode_measures_every_figure() -> None:
    results = ROOT / "benchmarks" / "RESULTS.md"
    before = results.read_bytes()
    done = subprocess.run(
        [sys.executable, ROOT / "benchmarks" / "run.py", "--quick"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    table = [line.split("|")[1].strip() for line in done.stdout.splitlines()[2:]]
    for figure in (
        "use of the allowed calls",
        "mixed load",
        "same names",
        "distinct names",
        "concurrency auto",
        "CPU, small files",
        "CPU, large file",
        "wall time against the fastest peer",
        "memory",
        "manifest, rows a second",
        "nothing to do",
        "start-up",
        "growth",
        "schedule",
        "deciding",
        "converting and uploading",
    ):
        assert any(name.startswith(figure) for name in table), f"{figure} is not in {table}"
    assert results.read_bytes() == before, "figures of a quick run are no results"
