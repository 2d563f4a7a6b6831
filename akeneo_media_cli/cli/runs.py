"""`akeneo-media runs`: what earlier runs did, from the ledger."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import MediaError, UsageError
from . import completion
from . import options as o
from .places import Places
from .process import say

if TYPE_CHECKING:
    from ..jobs.options import UploadOptions
    from ..ledger import Ledger, RunInfo

app = typer.Typer(help="What earlier runs did, from the ledger.", no_args_is_help=True, rich_markup_mode=None)

RunId = Annotated[
    str,
    typer.Argument(
        metavar="RUN", help="A run's id, the beginning of it, or last.", autocompletion=completion.runs
    ),
]


AsJson = Annotated[bool, typer.Option("--json", envvar=o.env("json"), help="As JSON, for programs.")]


@contextmanager
def _ledger(state: Path | None, env_file: Path | None) -> Iterator[Ledger]:
    """The ledger to read: of --state, or of the PIM that the settings name. A run may be going on."""
    from ..ledger import default_path, open_ledger

    url = None
    if state is None:
        from ..settings import load_url

        url = load_url(os.environ, env_file, cwd=Path.cwd())
        state = default_path(url)
    elif not state.expanduser().exists():
        raise UsageError(f"there is no ledger {state}", "name the file that --state of the upload named")
    ledger = open_ledger(state, pim_url=url, clock=time.time, note=_note, exclusive=False)
    with contextlib.closing(ledger):
        yield ledger


def _note(message: str, hint: str) -> None:
    say(f"{message}\n  {hint}" if hint else message)


def _counted(ledger: Ledger, info: RunInfo) -> dict[str, Any]:
    """A run's summary: as it ended, or what its rows come to so far. Nothing is left of rows long past."""
    from ..transfer.environment import Figures

    ended = {name: value for name, value in info.summary.items() if name != "error"}
    return {**ledger.record(info.id).summary(), **vars(Figures()), **ended}


@app.command("list")
def list_(
    limit: Annotated[
        int, typer.Option("--limit", metavar="N", min=1, envvar=o.env("limit"), help="No more than N.")
    ] = 20,
    as_json: AsJson = False,
    state: o.State = None,
    env_file: o.EnvFile = None,
) -> None:
    """The latest runs, newest first."""
    with _ledger(state, env_file) as ledger:
        found = [(info, _counted(ledger, info)) for info in ledger.runs(limit)]
        path = ledger.path
    if as_json:
        typer.echo(json.dumps([_as_json(info, summary) for info, summary in found], indent=2))
    elif not found:
        say(f"there is no run yet in {path}" if state else "there is no run yet for this PIM")
    else:
        for info, summary in found:
            typer.echo(_line(info, summary))


def _line(info: RunInfo, summary: Mapping[str, Any]) -> str:
    from ..rows import Status
    from ..wording import duration, utc

    counts = ", ".join(f"{summary[status]} {status.value}" for status in Status if summary.get(status))
    seconds = _seconds(info)
    took = "-" if seconds is None else duration(seconds)
    status = "-" if info.exit_status is None else str(info.exit_status)
    told = f"{info.command:9} {info.state:11} exit {status:>3}  {took:>8}  {counts}"
    return f"{info.id}  {utc(info.started_at)}  {told}".rstrip()


def _seconds(info: RunInfo) -> float | None:
    # The clock may have been set meanwhile.
    return None if info.finished_at is None else max(0.0, info.finished_at - info.started_at)


def _as_json(info: RunInfo, summary: Mapping[str, Any]) -> dict[str, Any]:
    from ..wording import utc

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


@app.command("show")
def show(
    run: RunId = "last",
    failed: Annotated[
        bool, typer.Option("--failed", envvar=o.env("failed"), help="Only rows that failed or are invalid.")
    ] = False,
    as_json: AsJson = False,
    report: o.Report = None,
    state: o.State = None,
    env_file: o.EnvFile = None,
) -> None:
    """What one run did: its summary and its failures, or a report in any format."""
    from .. import __version__
    from ..ledger.record import FAILURES
    from ..report import Report, write_reports
    from ..report.summary import write_summary
    from ..wording import utc
    from .recall import locator, recall

    reports = o.names(report)
    if as_json and "-" not in reports:
        reports.append("-")
    Places(env_file=env_file, state=state).check_reports(reports)
    with _ledger(state, env_file) as ledger:
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
            duration_seconds=_seconds(info),
            running=info.state == "running",
            summary=_counted(ledger, info),
            error=info.summary.get("error"),
            items=items,
            locate=locator(record),
            recall=recall(info.id, state, env_file),
        )
        if document.summary["total"] and not record.summary()["total"]:
            say(f"the rows of run {info.id} are no longer kept: only its figures are")
        write_reports(reports, document, stdout=sys.stdout)
        if not reports:
            typer.echo(_line(info, document.summary))
            write_summary(document, stream=sys.stdout, environ=os.environ, wanted=True)


@app.command("retry")
def retry(
    run: RunId,
    concurrency: o.Concurrency = 4,
    retries: o.Retries = 5,
    timeout: o.Timeout = 60.0,
    max_duration: o.MaxDuration = None,
    bwlimit: o.BwLimit = None,
    verify: o.Verify = False,
    allow_remote: o.AllowRemote = False,
    remote_host: o.RemoteHost = None,
    max_temp: o.MaxTemp = "1G",
    report: o.Report = None,
    progress: o.Progress = o.ProgressMode.auto,
    state: o.State = None,
    env_file: o.EnvFile = None,
    log_file: o.LogFile = None,
    log_format: o.LogFormat = o.LogForm.text,
    verbose: o.Verbose = 0,
    quiet: o.Quiet = False,
) -> None:
    """Try the failed rows of a run again, and only those: with its --skip or --force, its --share and
    --carrier."""
    from .. import units
    from ..jobs.options import UploadOptions
    from ..planning.options import ManifestOptions
    from ..planning.plan import retried_rows
    from .session import Session

    options = UploadOptions(
        ManifestOptions((), links=o.links(allow_remote, remote_host, max_temp)),
        concurrency=concurrency,
        retries=retries,
        timeout=timeout,
        max_duration=units.duration(max_duration) if max_duration else None,
        bwlimit=units.rate(bwlimit) if bwlimit else None,
        verify=verify,
        reports=o.names(report),
        state=state,
    )
    session = Session(
        env_file=env_file,
        progress=progress.value,
        log_file=log_file,
        log_format=log_format.value,
        verbose=verbose,
        quiet=quiet,
    )
    try:
        with _ledger(state, env_file) as ledger:
            info = _upload(ledger, run)
            rows = list(ledger.retry_rows(info.id))
    except MediaError as error:
        raise typer.Exit(session.upload_nothing(options, error)) from None
    if not rows:
        say(f"run {info.id} has no failed rows")
        raise typer.Exit(session.upload_nothing(options))
    session.rows = lambda _, links: retried_rows(rows, links)
    raise typer.Exit(session.upload(_as_before(options, info)))


def _upload(ledger: Ledger, run: str) -> RunInfo:
    info = ledger.run(run)
    if info.command != "upload":
        # Its rows name files to be written or compared: to send them would be another job.
        raise UsageError(
            f"run {info.id} was a `{info.command}`: only an upload can be tried again from the ledger",
            "run the same command again: what is done already is left alone",
        )
    return info


def _as_before(options: UploadOptions, info: RunInfo) -> UploadOptions:
    """The same with what the run itself was called with."""
    from dataclasses import replace

    return replace(
        options,
        manifest=replace(options.manifest, manifests=info.arguments.get("manifests", ())),
        # How files get to their places is as much of a row as its target.
        share=bool(info.arguments.get("share", True)),
        carrier=info.arguments.get("carrier"),
        # What the ledger holds of a row's value may be older than a run that did not go by it.
        skip=str(info.arguments.get("skip", "ledger")),
    )
