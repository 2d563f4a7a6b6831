"""`akeneo-media runs`: what earlier runs did, from the ledger."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import UsageError
from ..exits import Exit
from . import options as o

if TYPE_CHECKING:
    from ..run.ledger import Ledger

app = typer.Typer(help="What earlier runs did, from the ledger.", no_args_is_help=True, rich_markup_mode=None)

RunId = Annotated[str, typer.Argument(metavar="RUN", help="A run's id, the beginning of it, or last.")]


@contextmanager
def _ledger(state: Path | None, env_file: Path | None) -> Iterator[Ledger]:
    """The ledger to read: of --state, or of the PIM that the settings name. A run may be going on."""
    from ..run.ledger import default_path, open_ledger

    if state is None:
        from ..settings import load_connection

        url = load_connection(os.environ, env_file, cwd=Path.cwd()).url
        state = default_path(url)
    else:
        url = None
    ledger = open_ledger(state, pim_url=url, clock=time.time, note=_note, exclusive=False)
    with contextlib.closing(ledger):
        yield ledger


def _note(message: str, hint: str) -> None:
    typer.echo(f"{message}\n  {hint}" if hint else message, err=True)


@app.command("list")
def list_(
    limit: Annotated[
        int, typer.Option("--limit", metavar="N", min=1, envvar=o.env("limit"), help="No more than N.")
    ] = 20,
    state: o.State = None,
    env_file: o.EnvFile = None,
) -> None:
    """The latest runs, newest first."""
    from ..rows import Status
    from ..rows import Status
    from ..wording import duration, utc

    with _ledger(state, env_file) as ledger:
        infos = ledger.runs(limit)
    for info in infos:
        counts = ", ".join(
            f"{info.summary[key]} {key}"
            for key in (status.value for status in Status)
            if info.summary.get(key)
        )
        took = duration(info.finished_at - info.started_at) if info.finished_at else "-"
        status = "-" if info.exit_status is None else str(info.exit_status)
        told = f"{info.command:9} {info.state:11} exit {status:>3}  {took:>8}  {counts}"
        typer.echo(f"{info.id}  {utc(info.started_at)}  {told}")


@app.command("show")
def show(
    run: RunId,
    failed: Annotated[
        bool, typer.Option("--failed", envvar=o.env("failed"), help="Only rows that failed or are invalid.")
    ] = False,
    report: o.Report = None,
    state: o.State = None,
    env_file: o.EnvFile = None,
) -> None:
    """What one run did: its summary and its failures, or a report in any format."""
    from .. import __version__
    from ..report import Report, check_destinations, write_reports
    from ..report.summary import write_summary
    from ..rows import Status
    from ..wording import utc

    check_destinations(report or ())
    with _ledger(state, env_file) as ledger:
        info, record = ledger.run(run), ledger.record(run)
        wanted = [Status.FAILED, Status.INVALID] if failed else None

        def items() -> Iterator[dict[str, Any]]:
            return record.items(wanted)

        finished = info.finished_at or info.started_at
        document = Report(
            tool={"name": "akeneo-media", "version": __version__},
            pim={"url": ledger.pim_url, "version": None},
            run=info.id,
            command=info.command,
            exit_status=info.exit_status if info.exit_status is not None else int(Exit.PENDING),
            started_at=utc(info.started_at),
            finished_at=utc(finished),
            duration_seconds=finished - info.started_at,
            summary={**info.summary, **record.summary()},
            items=items,
        )
        write_reports(report or (), document, stdout=sys.stdout)
        if not report:
            write_summary(document, stream=sys.stdout, environ=os.environ)


@app.command("retry")
def retry(
    run: RunId,
    concurrency: o.Concurrency = 4,
    retries: o.Retries = 5,
    timeout: o.Timeout = 60.0,
    report: o.Report = None,
    progress: o.Progress = o.ProgressMode.auto,
    state: o.State = None,
    env_file: o.EnvFile = None,
    quiet: o.Quiet = False,
) -> None:
    """Try the failed rows of a run again, and only those."""
    from ..run.options import ManifestOptions, UploadOptions
    from ..run.plan import retried_rows
    from .session import Session

    with _ledger(state, env_file) as ledger:
        info = ledger.run(run)
        if info.command != "upload":
            # Its rows name files to be written or compared: to send them would be another job.
            raise UsageError(
                f"run {info.id} was a `{info.command}`, and only an upload can be tried again from the ledger",
                "run the same command again: what is done already is left alone",
            )
        rows = list(ledger.retry_rows(info.id))
    if not rows:
        typer.echo(f"run {info.id} has no failed rows", err=True)
        raise typer.Exit(Exit.OK)
    options = UploadOptions(
        ManifestOptions(info.arguments.get("manifests", ())),
        concurrency=concurrency,
        retries=retries,
        timeout=timeout,
        reports=report or (),
        state=state,
    )
    session = Session(env_file=env_file, progress=progress.value, quiet=quiet)
    session.rows = lambda note: retried_rows(rows)
    raise typer.Exit(session.upload(options))
