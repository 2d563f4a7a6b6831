"""`akeneo-media verify`: does the PIM hold what the manifest says?"""

from __future__ import annotations

import os
from typing import Annotated

import typer

from . import options as o

Deep = Annotated[
    bool,
    typer.Option("--deep", envvar=o.env("deep"), help="Download every file and compare its SHA-256."),
]


def verify(
    manifests: o.Manifests,
    deep: Deep = False,
    sandbox: o.Sandbox = False,
    env_file: o.EnvFile = None,
    root: o.Root = None,
    allow_outside_root: o.AllowOutsideRoot = False,
    allow_remote: o.AllowRemote = False,
    remote_host: o.RemoteHost = None,
    max_temp: o.MaxTemp = "1G",
    format: o.ManifestFormat = None,
    sheet: o.Sheet = None,
    columns: o.Columns = None,
    set: o.Set = None,
    rename: o.Rename = None,
    concurrency: o.Concurrency = 4,
    retries: o.Retries = 5,
    timeout: o.Timeout = 60.0,
    max_duration: o.MaxDuration = None,
    shard: o.Shard = None,
    report: o.Report = None,
    progress: o.Progress = o.ProgressMode.auto,
    state: o.State = None,
    no_state: o.NoState = False,
    log_file: o.LogFile = None,
    verbose: o.Verbose = 0,
    quiet: o.Quiet = False,
) -> None:
    """Tell for each row whether the PIM holds this file: by name and size, with --deep by its bytes.

    Exit status: 0 all are held, 1 some differ or are missing, 2 wrong usage, 3 unusable manifest,
    4 credentials refused, 5 rows pending (run it again), 6 another run is at work.
    """
    from .. import units
    from ..jobs.options import VerifyOptions
    from ..planning.options import ManifestOptions
    from .session import Session

    options = VerifyOptions(
        manifest=ManifestOptions(
            manifests=manifests,
            format=format.value if format else None,
            sheet=sheet,
            columns=o.listed(columns),
            sets=set or (),
            roots=root or (),
            allow_outside_root=allow_outside_root,
            links=o.links(allow_remote, remote_host, max_temp),
            rename=rename,
            shard=units.shard(shard, os.environ) if shard else (1, 1),
        ),
        concurrency=concurrency,
        retries=retries,
        timeout=timeout,
        max_duration=units.duration(max_duration) if max_duration else None,
        reports=o.names(report),
        state=state,
        no_state=no_state,
        deep=deep,
    )
    session = Session(
        env_file=env_file,
        sandbox=sandbox,
        progress=progress.value,
        log_file=log_file,
        verbose=verbose,
        quiet=quiet,
    )
    raise typer.Exit(session.verify(options))
