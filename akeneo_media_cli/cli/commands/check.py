"""`akeneo-media check`: can we connect, log in, and may we write media?"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TextIO

import typer

from .. import options as o
from ..session.file_conflicts import NamedFiles
from ..terminal import logs

if TYPE_CHECKING:
    from ...jobs.check import Checkup, Finding

Json = Annotated[bool, o.option("--json", help="Write the results as JSON.")]
_MARKS = {"ok": "ok", "warning": "warning", "failed": "FAILED", "skipped": "skipped"}
_STYLES = {"ok": "green", "warning": "yellow", "failed": "bold red", "skipped": "dim"}


@o.command(example="akeneo-media check --env-file staging.env")
def check(
    settings: o.Settings,
    logging: o.Logging,
    json_: Json = False,
    timeout: o.Timeout = 60.0,
) -> None:
    """Check that uploads would work: address, login, permissions, endpoints. Nothing is written to the PIM.
    With -q only failures are shown, with the address.

    Exit status: 0 everything works, 2 wrong configuration, 4 credentials or a permission refused, 5 the PIM
    does not answer at the moment.
    """
    from ...console import hush
    from ...jobs.check import Checkup
    from ...pim.client import PimClient
    from ...progress.notes import Notes
    from ...settings import load_connection

    NamedFiles(env_file=settings.env_file, log_file=logging.log_file).check()
    connection = load_connection(os.environ, settings.env_file, cwd=Path.cwd())
    quiet = logging.quiet
    notes = Notes(sys.stderr, "error" if quiet else "info", os.environ)
    logs.set_up(notes, logging)
    notes.note(f"Checking {connection.url}", level="info")
    calls: list[Any] = []

    def on_call(call: Any) -> None:
        calls.append(call)
        logs.request(call)

    with PimClient(connection, timeout=timeout, on_call=on_call) as client:
        checkup = Checkup(client, connection.url, wall=time.time, calls=calls)
        checkup.run()
    for finding in checkup.findings:
        logs.found(finding.check, finding.health.value, finding.found)
    try:
        if json_:
            typer.echo(json.dumps(_document(checkup, connection.url), indent=1))
        else:
            failed = any(f.health.value == "failed" for f in checkup.findings)
            shown = [f for f in checkup.findings if f.health.value == "failed" or f.check == "address"]
            _show((shown if failed else []) if quiet else checkup.findings, sys.stdout)
    except BrokenPipeError:
        # Who has read enough still asks for the status.
        hush(sys.stdout)
    raise typer.Exit(checkup.exit_status)


def _document(checkup: Checkup, url: str) -> dict[str, Any]:
    from ... import __version__

    return {
        "tool": {"name": "akeneo-media", "version": __version__},
        "pim": {"url": url, "version": checkup.version, "edition": checkup.edition},
        "exit_status": int(checkup.exit_status),
        "checks": [finding.as_json() for finding in checkup.findings],
    }


def _show(findings: Sequence[Finding], stream: TextIO) -> None:
    """A table on a terminal, else a line each; how to fix a failure on a line of its own."""
    from ...console import Outlet, is_terminal
    from ...wording import one_line

    if not findings:
        return
    if is_terminal(stream, os.environ):
        _show_table(findings, stream)
        return
    lines = []
    wide = max(len(finding.check) for finding in findings)
    for finding in findings:
        lines.append(
            f"{_MARKS[finding.health.value]:8} {finding.check:{wide}}  {one_line(finding.found, 300)}"
        )
        if finding.hint:
            lines.append(f"{'':8} {'':{wide}}  -> {one_line(finding.hint, 300)}")
    Outlet(stream, wanted=True).write("\n".join(lines) + "\n")


def _show_table(findings: Sequence[Finding], stream: TextIO) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from ...console import wants_colour
    from ...wording import one_line

    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for finding in findings:
        found = Text(one_line(finding.found, 300))
        if finding.hint:
            found.append(f"\n-> {one_line(finding.hint, 300)}", "cyan")
        health = finding.health.value
        table.add_row(Text(_MARKS[health], _STYLES[health]), Text(finding.check), found)
    Console(file=stream, no_color=not wants_colour(stream, os.environ), highlight=False).print(table)
