"""`akeneo-media runs list`: the latest runs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ... import options as o
from ...terminal.process import say
from .ledgers import AsJson, counted, opened_ledger, run_line

if TYPE_CHECKING:
    from ....ledger import RunInfo


@o.command(example="akeneo-media runs list --limit 5")
def list_(
    settings: o.Settings,
    ledger_file: o.LedgerFile,
    limit: Annotated[int, o.option("--limit", metavar="N", min=1, help="List at most N.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List the latest runs, newest first."""
    with opened_ledger(ledger_file.state, settings.env_file) as ledger:
        found = [(info, counted(ledger, info)) for info in ledger.runs(limit)]
    if as_json:
        typer.echo(json.dumps([_as_json(info, summary) for info, summary in found], indent=2))
    elif not found:
        place = f"in {ledger_file.state}" if ledger_file.state else "for this PIM"
        say(f"There are no runs yet {place}.")
    else:
        for info, summary in found:
            typer.echo(run_line(info, summary))


def _as_json(info: RunInfo, summary: Mapping[str, Any]) -> dict[str, Any]:
    from ....wording import utc

    return {
        "run": info.id,
        "command": info.command,
        "arguments": info.arguments,
        "state": info.state,
        "exit_status": info.exit_status,
        "started_at": utc(info.started_at),
        "finished_at": None if info.finished_at is None else utc(info.finished_at),
        "pid": info.pid,
        "host": info.host,
        "summary": summary,
        "error": info.summary.get("error"),
    }
