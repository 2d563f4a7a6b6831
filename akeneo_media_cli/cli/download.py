"""`akeneo-media download`: the reverse of `upload`."""

from __future__ import annotations

import os
import sys

import typer

from . import options as o


def download(
    manifests: o.Manifests,
    overwrite: o.Overwrite = False,
    env_file: o.EnvFile = None,
    root: o.Root = None,
    allow_outside_root: o.AllowOutsideRoot = False,
    format: o.ManifestFormat = None,
    sheet: o.Sheet = None,
    columns: o.Columns = None,
    set: o.Set = None,
    concurrency: o.Concurrency = 4,
    retries: o.Retries = 5,
    timeout: o.Timeout = 60.0,
    max_duration: o.MaxDuration = None,
    max_failures: o.MaxFailures = None,
    bwlimit: o.BwLimit = None,
    shard: o.Shard = None,
    report: o.Report = None,
    metrics_file: o.MetricsFile = None,
    progress: o.Progress = o.ProgressMode.auto,
    state: o.State = None,
    no_state: o.NoState = False,
    log_file: o.LogFile = None,
    log_format: o.LogFormat = o.LogForm.text,
    verbose: o.Verbose = 0,
    quiet: o.Quiet = False,
) -> None:
    """Fetch what the PIM holds for each row into the row's file; folders are made.

    Exit status: 0 every file is here, 1 some are missing, differ or failed, 2 wrong usage, 3 unusable
    manifest, 4 credentials refused, 5 rows pending (run it again), 6 another run is at work.
    """
    from .. import units
    from ..jobs.download import placed_rows
    from ..jobs.options import DownloadOptions
    from ..planning.options import ManifestOptions
    from .session import Session

    named = ManifestOptions(
        manifests=manifests,
        format=format.value if format else None,
        sheet=sheet,
        columns=o.listed(columns),
        sets=set or (),
        roots=root or (),
        allow_outside_root=allow_outside_root,
        shard=units.shard(shard, os.environ) if shard else (1, 1),
    )
    options = DownloadOptions(
        manifest=named,
        concurrency=concurrency,
        retries=retries,
        timeout=timeout,
        max_duration=units.duration(max_duration) if max_duration else None,
        max_failures=max_failures,
        bwlimit=units.rate(bwlimit) if bwlimit else None,
        overwrite=overwrite,
        reports=o.names(report),
        state=state,
        no_state=no_state,
    )
    session = Session(
        env_file=env_file,
        progress=progress.value,
        log_file=log_file,
        log_format=log_format.value,
        metrics_file=metrics_file,
        verbose=verbose,
        quiet=quiet,
        rows=lambda note, _: placed_rows(named, sys.stdin.buffer, note),
    )
    raise typer.Exit(session.download(options))
