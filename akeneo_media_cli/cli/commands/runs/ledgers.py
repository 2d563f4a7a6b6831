"""What the commands about earlier runs share: which ledger, which run, and a line about each."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ....errors import UsageError
from ....settings import expanded
from ... import options as o
from ...options import completion
from ...terminal.process import say

if TYPE_CHECKING:
    from ....ledger import Ledger, RunInfo

RunId = Annotated[
    str,
    typer.Argument(
        metavar="RUN", help="A run's id, the beginning of it, or last.", autocompletion=completion.runs
    ),
]


AsJson = Annotated[bool, o.option("--json", help="As JSON, for programs.")]


@contextmanager
def opened_ledger(state: Path | None, env_file: Path | None) -> Iterator[Ledger]:
    """The ledger to read: of --state, or of the PIM that the settings name. A run may be going on."""
    from ....ledger import default_path, open_ledger

    url = None
    if state is None:
        from ....settings import load_url

        url = load_url(os.environ, env_file, cwd=Path.cwd())
        state = default_path(url)
    elif not expanded(state).exists():
        raise UsageError(f"there is no ledger {state}", "Name the file that --state of the upload named.")
    ledger = open_ledger(state, pim_url=url, clock=time.time, note=note, exclusive=False)
    with contextlib.closing(ledger):
        yield ledger


def note(message: str, hint: str) -> None:
    say(f"{message}\n  {hint}" if hint else message)


def counted(ledger: Ledger, info: RunInfo) -> dict[str, Any]:
    """A run's summary: as it ended, or what its rows come to so far. Nothing is left of rows long past."""
    from ....transfer.environment import Figures

    ended = {name: value for name, value in info.summary.items() if name != "error"}
    return {**ledger.record(info.id).summary(), **vars(Figures()), **ended}


def run_line(info: RunInfo, summary: Mapping[str, Any]) -> str:
    from ....rows import Status
    from ....wording import duration

    counts = ", ".join(f"{summary[status]} {status.value}" for status in Status if summary.get(status))
    seconds = seconds_taken(info)
    took = "-" if seconds is None else duration(seconds)
    ended = info.state if info.exit_status is None else f"exit {info.exit_status}"
    # The id begins with the time of the start; all of it fits into 80 columns.
    return f"{info.id}  {info.command:8}  {ended:11}  {took:>7}  {counts}".rstrip()


def seconds_taken(info: RunInfo) -> float | None:
    # The clock may have been set meanwhile.
    return None if info.finished_at is None else max(0.0, info.finished_at - info.started_at)
