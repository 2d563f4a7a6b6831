"""`akeneo-media upload`: the main job."""

from __future__ import annotations

import typer

from . import options as o


def upload(
    manifests: o.Manifests,
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
    max_failures: o.MaxFailures = None,
    bwlimit: o.BwLimit = None,
    skip: o.SkipMode = o.Skip.ledger,
    force: o.Force = False,
    strict: o.Strict = False,
    no_preflight: o.NoPreflight = False,
    share: o.Share = True,
    carrier: o.Carrier = None,
    verify: o.Verify = False,
    dry_run: o.DryRun = False,
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
    """Upload every row's file to its target.

    Exit status: 0 all is in the PIM, 1 some rows invalid or failed, 2 wrong usage, 3 unusable manifest,
    4 credentials refused, 5 rows pending (run it again), 6 another run is at work, 130 and 143 interrupted.
    """
    from .. import units
    from ..jobs.options import UploadOptions
    from ..planning.options import ManifestOptions
    from .session import Session

    options = UploadOptions(
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
        max_duration=units.duration(max_duration) if max_duration else None,
        max_failures=max_failures,
        bwlimit=units.rate(bwlimit) if bwlimit else None,
        skip="none" if force else skip.value,
        strict=strict,
        preflight=not no_preflight,
        share=share and not no_preflight,
        carrier=carrier,
        verify=verify,
        dry_run=dry_run,
        reports=o.names(report),
        state=state,
        no_state=no_state,
    )
    session = Session(
        env_file=env_file,
        sandbox=sandbox,
        progress=progress.value,
        log_file=log_file,
        log_format=log_format.value,
        metrics_file=metrics_file,
        verbose=verbose,
        quiet=quiet,
    )
    raise typer.Exit(session.upload(options))
