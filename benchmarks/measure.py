"""What a command takes: seconds, CPU seconds, memory; and what many measurements come to."""

from __future__ import annotations

import json
import os
import signal
import statistics
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

HERE = Path(__file__).resolve().parent
CREDENTIALS = {"CLIENT_ID": "id", "CLIENT_SECRET": "secret", "USERNAME": "user", "PASSWORD": "word"}


@dataclass(frozen=True)
class Taken:
    """One command's cost. Seconds; `memory` is the most that was resident, in MB of 1,000,000 bytes."""

    wall: float
    user: float
    system: float
    memory: float

    @property
    def cpu(self) -> float:
        """CPU seconds, the system's for it included."""
        return self.user + self.system


@dataclass(frozen=True)
class Spread:
    """Several measurements of one thing."""

    values: tuple[float, ...]

    @property
    def median(self) -> float:
        """The middle one."""
        return statistics.median(self.values)

    def __str__(self) -> str:
        if len(self.values) == 1:
            return f"{self.median:.3g}"
        return f"{self.median:.3g} ({min(self.values):.3g} to {max(self.values):.3g})"


def environment(url: str = "", **more: str) -> dict[str, str]:
    """What a measured command sees: this checkout's package, and nothing of the user's own settings."""
    kept = {k: v for k, v in os.environ.items() if not k.upper().startswith(("AKENEO", "PYTHON", "COVERAGE"))}
    own = {f"AKENEO_{name}": value for name, value in CREDENTIALS.items()}
    return {**kept, **own, "AKENEO_URL": url, "PYTHONPATH": str(HERE.parent), "NO_PROXY": "*", **more}


def installed(url: str = "") -> dict[str, str]:
    """What another build sees: its own package, not this checkout's."""
    return {name: value for name, value in environment(url).items() if name != "PYTHONPATH"}


def ours(*arguments: object) -> list[str]:
    """The command line of akeneo-media from this checkout."""
    return [sys.executable, "-m", "akeneo_media_cli", *map(str, arguments)]


def run(command: Sequence[str], *, env: Mapping[str, str], cwd: Path, expect: Sequence[int] = (0,)) -> Taken:
    """Run a command to its end. Raises RuntimeError with what it said if it exits as nobody expects."""
    said = cwd / "said.txt"
    with said.open("wb") as out:
        began = perf_counter()
        process = subprocess.Popen(command, env=dict(env), cwd=cwd, stdout=out, stderr=subprocess.STDOUT)
        # Not `communicate`: only wait4 tells what this one child has used.
        _, status, usage = os.wait4(process.pid, 0)
        wall = perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in expect:
        end = said.read_text(errors="replace")[-2000:]
        raise RuntimeError(f"{' '.join(command)[:300]}\nexits with {process.returncode}:\n{end}")
    return Taken(wall, usage.ru_utime, usage.ru_stime, usage.ru_maxrss * 1024 / 1e6)


class Pim:
    """A running `pim.py`."""

    def __init__(self, url: str) -> None:
        self.url = url

    def stats(self) -> dict[str, Any]:
        """What happened there since the last `reset`."""
        return self._get("/stats")

    def reset(self) -> None:
        """Begin to count anew."""
        self._get("/reset")

    def _get(self, path: str) -> dict[str, Any]:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(self.url + path) as answer:
            told: dict[str, Any] = json.load(answer)
        return told


@contextmanager
def pim(
    save: float = 0, a_megabyte: float = 0, read: float | None = None, workers: int = 10_000
) -> Iterator[Pim]:
    """A PIM in a process of its own that takes so many milliseconds to save a file, and for each megabyte.

    `read`: milliseconds of all other calls, if not as many as of saving. `workers` files are saved at once.
    """
    times = (save, a_megabyte, save if read is None else read)
    command = [sys.executable, str(HERE / "pim.py"), *map(str, times), str(workers)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield Pim(process.stdout.readline().strip())
        finally:
            process.send_signal(signal.SIGKILL)


def interleaved(times: int, measured: Mapping[str, Callable[[], Taken]]) -> dict[str, list[Taken]]:
    """Each of them so many times, in turns, so that a busy spell of the machine hits all alike."""
    taken: dict[str, list[Taken]] = {name: [] for name in measured}
    for n in range(times):
        names = list(measured)
        # Each is first as often as last: what one leaves in caches must not always help the same.
        for name in names[n % len(names) :] + names[: n % len(names)]:
            taken[name].append(measured[name]())
    return taken


def ratios(over: Sequence[Taken], under: Sequence[Taken], what: Callable[[Taken], float]) -> Spread:
    """Round by round, how many times as much the one took as the other."""
    return Spread(tuple(what(a) / what(b) for a, b in zip(over, under, strict=True)))


def spread(taken: Sequence[Taken], what: Callable[[Taken], float]) -> Spread:
    """One measure over all rounds."""
    return Spread(tuple(map(what, taken)))
