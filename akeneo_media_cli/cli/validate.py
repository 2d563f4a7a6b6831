"""`akeneo-media validate`: find every mistake before the first byte."""

from __future__ import annotations

from typing import Annotated

import typer

from . import options as o

Online = Annotated[
    bool,
    typer.Option(
        "--online",
        envvar=o.env("online"),
        help="Ask the PIM too: attributes, channels, locales, products. Nothing is sent.",
    ),
]
Strict = Annotated[
    bool,
    typer.Option(
        "--strict",
        envvar=o.env("strict"),
        help="Take the manifest for unusable if any row is invalid, as upload --strict would.",
    ),
]


def validate(
    manifests: o.Manifests,
    online: Online = False,
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
    strict: Strict = False,
    carrier: o.Carrier = None,
    shard: o.Shard = None,
    report: o.Report = None,
    progress: o.Progress = o.ProgressMode.auto,
    log_file: o.LogFile = None,
    verbose: o.Verbose = 0,
    quiet: o.Quiet = False,
) -> None:
    """Make every check that upload makes before it sends, and send nothing.

    Without --online no PIM is needed. Exit status: 0 no mistakes, 1 some rows are invalid, 2 wrong usage,
    3 unusable manifest, with --strict also for any invalid row; with --online also 4 credentials refused,
    5 the PIM could not be asked about all.
    """
    from ..jobs.options import ValidateOptions
    from ..planning.options import ManifestOptions
    from .session import Session

    options = ValidateOptions(
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
            shard=o.part(shard, carrier),
        ),
        concurrency=concurrency,
        retries=retries,
        timeout=timeout,
        reports=o.names(report),
        online=online,
        strict=strict,
        carrier=carrier,
    )
    session = Session(
        env_file=env_file,
        sandbox=sandbox,
        progress=progress.value,
        log_file=log_file,
        verbose=verbose,
        quiet=quiet,
    )
    raise typer.Exit(session.validate(options))
