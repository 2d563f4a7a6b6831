"""A figure of the table: what was measured, what it came to, what it was to reach."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from measure import HERE, Spread, Taken, environment, run

PREVIOUS = "fab3711"
"""The commit of the build that this one is measured against."""


@dataclass(frozen=True)
class Figure:
    """One line of the table. `least`: reached from `target` upwards, else down from it."""

    name: str
    value: Spread
    target: float | None
    unit: str = ""
    least: bool = False
    how: str = ""
    reason: str = ""
    """Why it may not be reached; told only where it is not."""

    @property
    def reached(self) -> bool | None:
        """None where there is nothing to reach."""
        if self.target is None:
            return None
        return self.value.median >= self.target if self.least else self.value.median <= self.target

    def line(self) -> str:
        """The table's line in Markdown."""
        verdict = {True: "yes", False: "**no**", None: ""}[self.reached]
        target = "" if self.target is None else f"{'≥' if self.least else '≤'} {self.target:g}{self.unit}"
        why = "; ".join(filter(None, (self.how, self.reason if self.reached is False else "")))
        return f"| {self.name} | {self.value}{self.unit} | {target} | {verdict} | {why} |"


@dataclass
class Setting:
    """Where a figure is measured: a folder, the peers, how much time there is."""

    folder: Path
    quick: bool
    peers: str | None = None
    """The interpreter that has akeneo-cli and pyakeneo."""
    previous: str | None = None
    """The interpreter that has the build before this one."""
    curl: str | None = None
    missing: dict[str, str] = field(default_factory=dict)

    def times(self, number: int) -> int:
        """Repetitions: so many, or one in the quick mode."""
        return 1 if self.quick else number

    def rows(self, number: int, quick: int) -> int:
        """How much to measure with."""
        return quick if self.quick else number

    def fresh(self, name: str) -> Path:
        """An empty folder."""
        folder = self.folder / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        return folder

    def ours(
        self,
        url: str,
        manifest: Path,
        *options: object,
        state: Path | None = None,
        expect: tuple[int, ...] = (0,),
        report: bool = True,
    ) -> Taken:
        """One `akeneo-media upload` as users run it: ledger, digests, progress, JSON report."""
        fresh = None if state else self.fresh("state")
        # The pictures are made of any bytes.
        command = [sys.executable, "-m", "akeneo_media_cli", "upload", str(manifest), "--allow-mismatch"]
        command += ["--state", str(state or fresh / "ledger.sqlite"), *map(str, options)]  # type: ignore[operator]
        if state is None:
            # The server remembers what was measured before: it is sent again all the same.
            command.append("--force")
        if report:
            command += ["--report", str(self.folder / "report.json")]
        return run(command, env=environment(url), cwd=self.folder, expect=expect)

    def peer(self, which: str, url: str, manifest: Path) -> Taken:
        """The same files by a peer's loop."""
        python = self.peers if which in ("akeneo-cli", "pyakeneo") else sys.executable
        assert python is not None
        command = [python, str(HERE / "loops.py"), which, str(manifest)]
        return run(command, env=environment(url), cwd=self.folder)


def set_up(folder: Path, quick: bool) -> Setting:
    """Get the peers: from PyPI into a venv of its own, curl if the machine has it, the previous build."""
    setting = Setting(folder, quick, curl=shutil.which("curl"))
    if setting.curl is None:
        setting.missing["curl"] = "not on this machine"
    # Its `post_media_files` takes no file.
    setting.missing["akeneo-python-sdk 1.0.0"] = "cannot upload media files"
    setting.peers = _venv(setting, "peers", "akeneo-cli==1.0.10", "pyakeneo==1.1.0")
    tree = folder / "previous-tree"
    tree.mkdir()
    try:
        archive = subprocess.run(
            ["git", "archive", PREVIOUS], cwd=HERE.parent, check=True, capture_output=True, timeout=60
        )
        subprocess.run(["tar", "-x"], input=archive.stdout, cwd=tree, check=True, timeout=60)
        setting.previous = _venv(setting, "previous", str(tree))
    except (OSError, subprocess.SubprocessError) as error:
        setting.missing["the previous build"] = f"not in this repository: {type(error).__name__}"
    return setting


def _venv(setting: Setting, name: str, *packages: str) -> str | None:
    """The interpreter of a new venv with these packages; None, and told, where they cannot be installed."""
    python = setting.folder / name / "bin" / "python"
    try:
        for command in (
            [sys.executable, "-m", "venv", str(setting.folder / name)],
            [str(python), "-m", "pip", "install", "--quiet", *packages],
        ):
            subprocess.run(command, check=True, capture_output=True, text=True, timeout=300)
    except (OSError, subprocess.SubprocessError) as error:
        said = getattr(error, "stderr", "") or str(error)
        setting.missing[name] = "cannot be installed: " + said.strip().splitlines()[-1]
        return None
    return str(python)


def temporary() -> tempfile.TemporaryDirectory[str]:
    """Where all of it lives."""
    return tempfile.TemporaryDirectory(prefix="akeneo-media-bench-")


def medians(taken: Mapping[str, list[Taken]]) -> str:
    """What lies behind a ratio, in words."""
    parts = []
    for name, rounds in taken.items():
        wall = sorted(each.wall for each in rounds)[len(rounds) // 2]
        cpu = sorted(each.cpu for each in rounds)[len(rounds) // 2]
        parts.append(f"{name} {wall:.2f} s, {cpu:.2f} s of CPU")
    return "; ".join(parts)
