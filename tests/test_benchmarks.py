"""The benchmarks still run: what is measured once a release must not rot between."""

from __future__ import annotations

import os
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


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the soak reads /proc")
def test_a_short_soak_ends_with_every_value_right(tmp_path: Path) -> None:
    done = subprocess.run(
        [
            sys.executable, ROOT / "benchmarks" / "soak.py",
            "--rows", "200", "--minutes", "0.2", "--kill-every", "6", "--svg", tmp_path / "soak.svg",
        ],
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    lines = [line.strip("| ").split(" | ", 1) for line in done.stdout.splitlines() if " | " in line[2:]]
    seen = {line[0]: line[1] for line in lines}
    assert seen["values that do not hold their file"] == "0"
    assert seen["values lost by two saves at once"] == "0"
    for case in ("the ledger's disk gets full", "the clock is set back an hour"):
        assert "0 wrong values" in seen[case] or seen[case].startswith("not tried"), seen[case]
    assert "0 uploads" in seen["the state folder cannot be written"] or os.geteuid() != 0
    assert "polyline" in (tmp_path / "soak.svg").read_text("utf-8")
