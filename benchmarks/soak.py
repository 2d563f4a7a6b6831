"""A long run among faults, kills and outages: `make soak`, or `benchmarks/soak.py --rows N --minutes N`.

The sandbox answers a few calls of a hundred with one fault or another and goes down now and then. The command
is killed and started again until the minutes are over; a last run comes to its end. Then every value is
compared with its file. What the command had of memory, descriptors and threads, and how large its ledger and
log were, is drawn as SVG. Three short cases follow: a full disk, a state folder that cannot be written, a
clock that is set back.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from plot import over_time

from akeneo_media_cli.sandbox import RunningSandbox, SandboxOptions, parse_faults, start_sandbox

FAULTS = (
    "429=0.004,429-no-retry-after=0.002,500=0.003,500-late=0.003,500-html=0.002,502=0.003,503=0.003,503-html=0.002,"
    "504-late=0.001,408=0.001,401=0.002,reset-early=0.003,reset-middle=0.003,reset-late=0.005,stall=0.0002,"
    "stall-late=0.0002,slow-read=0.002,redirect=0.0002,other-writer=0.001"
)
PER_PRODUCT = 2
SHORT = 2000
"""Rows of the short cases at most."""
KILLS = (signal.SIGKILL,) * 7 + (signal.SIGTERM,) * 2 + (signal.SIGINT,)
CLOCK = """
import os, time
_real, _shift = time.time, float(os.environ["SOAK_CLOCK"])
time.time = lambda: _real() + _shift
"""


@dataclass
class Sample:
    """The command at one moment. Sizes are MB of 1,000,000 bytes."""

    at: float
    memory: float
    descriptors: int
    threads: int
    ledger: float
    log: float
    uploads: int


@dataclass
class Soak:
    """A folder with files, a PIM, and what was seen."""

    folder: Path
    sandbox: RunningSandbox
    rows: int
    began: float = field(default_factory=time.monotonic)
    samples: list[Sample] = field(default_factory=list)
    ends: Counter[str] = field(default_factory=Counter)
    firsts: list[float] = field(default_factory=list)
    """Seconds from each start to the first upload of that run."""
    rates: list[float] = field(default_factory=list)
    """Uploads a second of each run from its first upload on."""
    outages: int = 0

    def start(self, *more: str, state: str = "state/pim.sqlite", **environ: str) -> subprocess.Popen[bytes]:
        """The command, with its standard error in a file."""
        who = self.sandbox.credentials
        environment = {
            **{k: v for k, v in os.environ.items() if not k.upper().startswith(("AKENEO", "PYTHON"))},
            "AKENEO_URL": self.sandbox.url,
            "AKENEO_CLIENT_ID": who.client_id,
            "AKENEO_CLIENT_SECRET": who.client_secret,
            "AKENEO_USERNAME": who.username,
            "AKENEO_PASSWORD": who.password,
            "PYTHONPATH": str(Path(__file__).resolve().parent.parent),
            "NO_PROXY": "*",
            **environ,
        }
        command = [sys.executable, "-m", "akeneo_media_cli", "upload", "--state", state, "--progress", "none"]
        with (self.folder / "stderr").open("ab") as err:
            return subprocess.Popen([*command, *more], cwd=self.folder, env=environment, stderr=err)

    def change(self, **options: Any) -> None:
        """Change how the PIM behaves from now on."""
        body = json.dumps(options).encode()
        urllib.request.urlopen(f"{self.sandbox.url}/_sandbox/faults", body).close()

    @property
    def uploads(self) -> int:
        """How many uploads were answered 201."""
        return self.sandbox.store.stats.calls.get("POST /media-files", Counter())["201"]

    def watch(self, process: subprocess.Popen[bytes], seconds: float) -> None:
        """Take samples until the command ends or the seconds are over."""
        began, before, first = time.monotonic(), self.uploads, None
        while process.poll() is None and time.monotonic() - began < seconds:
            if first is None and self.uploads > before:
                first = time.monotonic() - began
                self.firsts.append(first)
            with contextlib.suppress(OSError, ValueError):
                self.samples.append(self._sample(process.pid))
            time.sleep(0.5)
        busy = time.monotonic() - began - (first or 0.0)
        if first is not None and busy > 1:
            self.rates.append((self.uploads - before) / busy)

    def _sample(self, pid: int) -> Sample:
        status = dict(
            line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":" in line
        )
        return Sample(
            time.monotonic() - self.began,
            int(status["VmRSS"].split()[0]) * 1024 / 1e6,
            len(os.listdir(f"/proc/{pid}/fd")),  # noqa: PTH208
            int(status["Threads"]),
            sum(each.stat().st_size for each in (self.folder / "state").glob("pim.sqlite*")) / 1e6,
            sum(each.stat().st_size for each in self.folder.glob("run.log*")) / 1e6,
            self.uploads,
        )

    def wrong(self, rows: int, tag: str = "f") -> list[int]:
        """The rows whose value does not hold their file's bytes."""
        held = {(v["identifier"], v["attribute"]): v["sha256"] for v in self.sandbox.values()}
        return [n for n in range(rows) if held.get(place(n)) != hashlib.sha256(content(n, tag)).hexdigest()]


def place(n: int) -> tuple[str, str]:
    """The product and attribute of a row."""
    return f"p-{n // PER_PRODUCT + 1}", f"picture_{n % PER_PRODUCT + 1}"


def content(n: int, tag: str) -> bytes:
    """A JPEG as far as its ends tell, of 1 to 4 kB, like no other, and of another size than another tag's."""
    filler = hashlib.sha256(f"{tag}{n}".encode()).digest() * (32 + n % 96) + tag.encode()
    return bytes.fromhex("ffd8ffe000104a46494600010100000100010000ffdb0043000101") + filler + b"\xff\xd9"


def write(folder: Path, rows: int, tag: str = "f") -> str:
    """A manifest and its files; the manifest's name."""
    (folder / tag).mkdir(parents=True, exist_ok=True)
    with (folder / f"{tag}.csv").open("w", encoding="utf-8") as out:
        out.write("product,attribute,file\n")
        for n in range(rows):
            (folder / tag / f"{n}.jpg").write_bytes(content(n, tag))
            out.write(f"{','.join(place(n))},{tag}/{n}.jpg\n")
    return f"{tag}.csv"


def catalogue(rows: int) -> dict[str, Any]:
    """As many products as the rows need."""
    media = [f"picture_{n + 1}" for n in range(PER_PRODUCT)]
    return {
        "attributes": [
            {"code": "sku", "type": "pim_catalog_identifier"},
            *({"code": code, "type": "pim_catalog_image"} for code in media),
        ],
        "families": [{"code": "all", "attributes": ["sku", *media]}],
        "channels": [{"code": "shop", "locales": ["en_US"], "category_tree": "master"}],
        "locales": [{"code": "en_US", "enabled": True}],
        "categories": [{"code": "master", "parent": None}],
        "products": [{"identifier": f"p-{n + 1}", "family": "all"} for n in range(rows // PER_PRODUCT + 1)],
    }


def soak(folder: Path, rows: int, minutes: float, every: float, seed: int) -> Soak:
    """Upload among faults, kills and outages for so many minutes, then to the end."""
    chance = random.Random(seed)
    options = SandboxOptions(save_time=0.03, stall_time=30.0, seed=seed)
    options.faults = parse_faults([FAULTS])
    it = Soak(folder, start_sandbox(catalogue(max(rows, SHORT)), options=options), rows)
    (folder / "state").mkdir()
    manifest = write(folder, rows)
    arguments = (manifest, "--log-file", "run.log", "--report", "report.json", "--timeout", "5")
    deadline = it.began + 60 * minutes
    while time.monotonic() < deadline:
        process = it.start(*arguments)
        it.watch(process, chance.uniform(every / 3, every))
        if process.poll() is None and chance.random() < 0.1:
            it.outages += 1
            it.change(down=True)
            it.watch(process, chance.uniform(1, 8))
            it.change(down=False)
        if process.poll() is None:
            process.send_signal(chance.choice(KILLS))
        it.ends[str(process.wait(120))] += 1
        print(f"{time.monotonic() - it.began:.0f} s: {it.uploads} uploads, exits {dict(it.ends)}", flush=True)
        if process.returncode == 0:
            return it
    process = it.start(*arguments)
    it.watch(process, 60 * 60)
    it.ends[f"{process.wait(60)} (the last)"] += 1
    return it


def figures(it: Soak) -> Iterator[str]:
    """What was seen, as the lines of a table."""
    stats: dict[str, Any] = it.sandbox.stats()
    wrong = it.wrong(it.rows)
    third = max(1, len(it.firsts) // 3)

    def mean(seconds: Sequence[float]) -> float:
        return sum(seconds) / max(1, len(seconds))

    most = {name: max(getattr(s, name) for s in it.samples) for name in vars(it.samples[0])}
    yield f"| rows | {it.rows:,} |"
    yield f"| minutes | {(time.monotonic() - it.began) / 60:.0f} |"
    yield f"| starts, by exit status (-9: killed) | {dict(it.ends)} |"
    yield f"| outages of the PIM | {it.outages} |"
    yield f"| calls, of them with a fault | {stats['total']:,}, {sum(stats['faults'].values()):,} |"
    yield f"| values that do not hold their file | {len(wrong)} |"
    yield f"| values lost by two saves at once | {stats['lost_values']} |"
    yield f"| files stored twice | {stats['duplicates']} of {stats['media_files']:,} |"
    yield (
        f"| most requests at once, for one product | {stats['most_in_flight']}, "
        f"{stats['most_in_flight_per_entity']} |"
    )
    yield f"| most memory | {most['memory']:.0f} MB |"
    yield f"| most descriptors, threads | {most['descriptors']}, {most['threads']} |"
    yield f"| ledger, log at most | {most['ledger']:.1f} MB, {most['log']:.1f} MB |"
    yield (
        f"| first upload after a start: first third, last third | {mean(it.firsts[:third]):.1f} s, "
        f"{mean(it.firsts[-third:]):.1f} s |"
    )
    yield (
        f"| uploads a second from then on: first third, last third | {mean(it.rates[:third]):.1f}, "
        f"{mean(it.rates[-third:]):.1f} |"
    )


# Short cases.


def disk_full(it: Soak) -> str:
    """The ledger's disk takes no more in the middle of a run."""
    folder = it.folder / "small"
    folder.mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64m", "none", str(folder)], check=False
    ).returncode:
        return "not tried: needs the right to mount a tmpfs"
    try:
        manifest = write(it.folder, SHORT, "full")
        filler = folder / "filler"
        process = it.start(manifest, "--skip", "none", state="small/pim.sqlite")
        time.sleep(6)
        with contextlib.suppress(OSError), filler.open("wb") as out:
            while True:
                out.write(bytes(4096))
                out.flush()
        first = process.wait(300)
        filler.unlink()
        again = it.start(manifest, state="small/pim.sqlite").wait(900)
        return f"exit {first}; with room again exit {again}, {len(it.wrong(SHORT, 'full'))} wrong values"
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=False)


def read_only(it: Soak) -> str:
    """The state folder cannot be written from the start."""
    folder = it.folder / "readonly"
    folder.mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "ro,size=1m", "none", str(folder)], check=False
    ).returncode:
        return "not tried: needs the right to mount a tmpfs"
    try:
        before, said = it.uploads, (it.folder / "stderr").stat().st_size
        status = it.start(write(it.folder, 20, "ro"), state="readonly/pim.sqlite").wait(60)
        helps = b"--no-state" in (it.folder / "stderr").read_bytes()[said:]
        return f"exit {status}, {it.uploads - before} uploads; the message names --no-state: {helps}"
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=False)


def clock_set_back(it: Soak) -> str:
    """A run is killed, the next one begins an hour earlier, the one after it is back in time.

    The interpreter's clock is shifted, not the machine's.
    """
    (it.folder / "clock").mkdir()
    (it.folder / "clock" / "sitecustomize.py").write_text(CLOCK)
    manifest = write(it.folder, 1500, "clock-")
    came = []
    for shift, seconds in ((0, 8.0), (-3600, 8.0), (0, 8.0), (-3600, 900.0)):
        path = f"{it.folder / 'clock'}{os.pathsep}{Path(__file__).resolve().parent.parent}"
        process = it.start(
            manifest, "--skip", "ledger", state="clock.sqlite", PYTHONPATH=path, SOAK_CLOCK=str(shift)
        )
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
        process.kill()
        came.append(process.wait())
    return f"exits {came}, {len(it.wrong(1500, 'clock-'))} wrong values"


CASES: Sequence[tuple[str, Callable[[Soak], str]]] = (
    ("the ledger's disk gets full", disk_full),
    ("the state folder cannot be written", read_only),
    ("the clock is set back an hour", clock_set_back),
)


def main() -> int:
    """The exit status: 1 where a value does not hold its file."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rows", type=int, default=100_000)
    options.add_argument("--minutes", type=float, default=60)
    options.add_argument("--kill-every", type=float, default=60, help="at most so many seconds to a run")
    options.add_argument("--seed", type=int, default=7)
    options.add_argument("--svg", type=Path, default=Path("build/soak.svg"), help="where it is drawn")
    options.add_argument("--only-cases", action="store_true", help="leave out the long run")
    asked = options.parse_args()
    with TemporaryDirectory(prefix="akeneo-media-soak-") as name:
        if asked.only_cases:
            it, wrong = Soak(Path(name), start_sandbox(catalogue(SHORT)), 0), False
        else:
            it = soak(Path(name), asked.rows, asked.minutes, asked.kill_every, asked.seed)
            print("\n| what | seen |\n|---|---|")
            for line in figures(it):
                print(line, flush=True)
            wrong = bool(it.wrong(it.rows))
            draw(it, asked.svg)
            it.change(faults=[])
        for what, case in CASES:
            print(f"| {what} | {case(it)} |", flush=True)
        it.sandbox.stop()
    return int(wrong)


def draw(it: Soak, place: Path) -> None:
    """What the command had, over time."""
    charts = {
        "memory, MB": [s.memory for s in it.samples],
        "descriptors": [s.descriptors for s in it.samples],
        "threads": [s.threads for s in it.samples],
        "ledger, MB": [s.ledger for s in it.samples],
        "log, MB": [s.log for s in it.samples],
        "uploads": [s.uploads for s in it.samples],
    }
    place.parent.mkdir(parents=True, exist_ok=True)
    over_time(place, [sample.at / 60 for sample in it.samples], charts)


if __name__ == "__main__":
    raise SystemExit(main())
