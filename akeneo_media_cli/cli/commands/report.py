"""Combine reports that were written."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from ...exits import Exit
from .. import options as o
from ..options import completion


@o.command(example="akeneo-media report merge part-*.json -o all.html")
def merge(
    reports: Annotated[
        list[Path],
        typer.Argument(
            metavar="REPORT...",
            help="JSON reports, such as of shards.",
            autocompletion=completion.json_reports,
        ),
    ],
    output: Annotated[
        list[Path] | None,
        o.option(
            "-o",
            "--output",
            sets="report-output",
            metavar="FILE",
            help="Where to: any suffix that --report takes; repeatable.",
            autocompletion=completion.reports,
        ),
    ] = None,
) -> None:
    """Make one report of several, and leave with the exit status that they come to together."""
    from ...report import check_destinations, write_reports
    from ...report.merge import merged
    from ...report.summary import write_summary

    outputs = o.paths(output)
    check_destinations(outputs, inputs=o.paths(reports))
    report = merged(reports)
    write_reports(outputs, report, stdout=sys.stdout)
    write_summary(report, stream=sys.stderr, environ=os.environ, reports=outputs)
    raise typer.Exit(report.exit_status or Exit.OK)


COMMANDS = {"merge": merge}
