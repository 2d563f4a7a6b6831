"""Measure akeneo-media against peers and limits: `python benchmarks/run.py [--quick] [--only NAME]`.

Prints the table as it is found and writes RESULTS.md; with --quick it only shows that everything still works.
All of it happens on this machine against a server of its own; peers come from PyPI into a temporary folder.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import fitting
import scale
import schedule
import startup
import uploads
from figure import Figure, Setting, set_up, temporary

RESULTS = Path(__file__).resolve().parent / "RESULTS.md"
MEASURES: tuple[Callable[[Setting], list[Figure]], ...] = (
    uploads.allowed_calls,
    uploads.mixed_load,
    uploads.same_names,
    uploads.distinct_names,
    uploads.sought_concurrency,
    uploads.small_files,
    uploads.large_file,
    uploads.against_peers,
    scale.validate_rows,
    scale.nothing_to_do,
    scale.manifest_rows,
    scale.growth,
    startup.first_second,
    startup.startup,
    schedule.schedule,
    fitting.against_mogrify,
    fitting.beside_uploads,
    fitting.memory_of_a_large_picture,
)
HEADER = "| figure | measured | to reach | reached | how, or why not |\n|---|---|---|---|---|"


def main() -> int:
    """The exit status: 0, whatever the figures came to; only what could not be measured is an error."""
    names = [each.__name__ for each in MEASURES]
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--quick", action="store_true", help="a minute's smoke test; writes no results")
    options.add_argument("--only", choices=names, action="append", help="measure only this; repeatable")
    asked = options.parse_args()
    lines = [HEADER]
    loads: list[float] = []
    began = time.monotonic()
    print(HEADER, flush=True)
    with temporary() as folder:
        setting = set_up(Path(folder), asked.quick)
        for what, why in setting.missing.items():
            lines.append(f"| {what} | | | | {why} |")
            print(lines[-1], flush=True)
        for measure in MEASURES:
            if asked.only and measure.__name__ not in asked.only:
                continue
            loads.append(os.getloadavg()[0])
            for figure in measure(setting):
                lines.append(figure.line())
                print(lines[-1], flush=True)
    if not asked.quick and not asked.only:
        RESULTS.write_text(_page(lines, loads, time.monotonic() - began), encoding="utf-8")
    return 0


def _page(lines: list[str], loads: list[float], seconds: float) -> str:
    today = datetime.now(UTC).date()
    return (
        "# Results\n\n"
        f"Written by `make bench` on {today} in {seconds / 60:.0f} minutes: "
        f"Python {platform.python_version()}, {os.cpu_count()} cores, {platform.system()}; "
        f"load average from {min(loads):.1f} to {max(loads):.1f}.\nThe measured commands make 1 to 2 of it; "
        "what is above that was others' work, and wall times suffer from it.\n\n"
        "Medians, with the least and the most of the rounds in brackets. What is compared ran in turns in\n"
        "one run; only ratios say something about another machine.\n\n"
        + "\n".join(lines)
        + "\n\n![Time and memory over rows](growth.svg)\n"
    )


if __name__ == "__main__":
    sys.exit(main())
