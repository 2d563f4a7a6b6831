"""`akeneo-media runs show`: one earlier run, or a report about it in any format."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from typing import Annotated, Any

import typer

from ... import options as o
from ...session.file_conflicts import NamedFiles
from ...terminal.process import say
from .ledgers import AsJson, RunId, counted, opened_ledger, run_line, seconds_taken


@o.command(example="akeneo-media runs show last --failed --report failed.html")
def show(
    settings: o.Settings,
    ledger_file: o.LedgerFile,
    run: RunId = "last",
    failed: Annotated[bool, o.option("--failed", help="Only rows that failed or are invalid.")] = False,
    as_json: AsJson = False,
    report: o.Report = None,
) -> None:
    """Show a run's summary and failures, or write a report about it in any format."""
    from .... import __version__
    from ....ledger.record import FAILURES
    from ....report import Report, write_reports
    from ....report.summary import write_summary
    from ....wording import utc
    from ...session.recall import locator, recall

    state, env_file = ledger_file.state, settings.env_file
    reports = o.paths(report)
    if as_json and "-" not in reports:
        reports.append("-")
    NamedFiles(env_file=env_file, state=state).check_reports(reports)
    with opened_ledger(state, env_file) as ledger:
        info, record = ledger.run(run), ledger.record(run)

        def items() -> Iterator[dict[str, Any]]:
            return record.items(FAILURES if failed else None)

        document = Report(
            tool={"name": "akeneo-media", "version": __version__},
            pim={"url": ledger.pim_url, "version": None},
            run=info.id,
            command=info.command,
            exit_status=info.exit_status,
            started_at=utc(info.started_at),
            finished_at=None if info.finished_at is None else utc(info.finished_at),
            duration_seconds=seconds_taken(info),
            running=info.state == "running",
            summary=counted(ledger, info),
            error=info.summary.get("error"),
            items=items,
            locate=locator(record),
            recall=recall(info.id, state, env_file),
        )
        if document.summary["total"] and not record.summary()["total"]:
            say(f"The rows of run {info.id} are no longer kept, only its summary is.")
        elif document.summary["total"] > record.summary()["total"]:
            say(f"Of run {info.id} only the rows are kept that changed something or went wrong.")
        write_reports(reports, document, stdout=sys.stdout)
        if not reports:
            typer.echo(run_line(info, document.summary))
            write_summary(document, stream=sys.stdout, environ=os.environ, wanted=True)
