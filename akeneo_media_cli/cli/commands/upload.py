"""`akeneo-media upload`: send every row's file to its target."""

from __future__ import annotations

import typer

from .. import options as o


@o.command(example="akeneo-media upload spring.csv --set attribute=picture --report spring.html")
def upload(
    manifests: o.Manifests,
    uploading: o.Uploading,
    manifest: o.ManifestInput,
    links: o.LinkAccess,
    fitting: o.Fitting,
    connection: o.Connection,
    limits: o.Limits,
    reporting: o.Reporting,
    ledger: o.Ledgers,
    logging: o.Logging,
    sandbox: o.Sandbox = False,
) -> None:
    """Upload every row's file to its target.

    Exit status: 0 everything is in the PIM, 1 some rows are invalid or failed, 2 wrong usage, 3 the manifest
    cannot be used, 4 credentials refused, 5 rows are pending (run it again), 6 another run is in progress,
    130 or 143 interrupted.
    """
    from ...jobs.options import UploadOptions
    from ..session.session import Session

    rows = manifest.options(manifests, links)
    o.check_carrier(rows.shard, uploading.carrier)
    fields = o.run_fields(connection, reporting, ledger)
    if connection.sought is not None:
        fields["concurrency"] = connection.sought
    options = UploadOptions(
        rows,
        **fields,
        **limits.fields(),
        skip=uploading.skip_policy(),
        strict=uploading.strict,
        preflight=not uploading.no_preflight,
        share=uploading.share and not uploading.no_preflight,
        carrier=uploading.carrier,
        verify=uploading.verify,
        dry_run=uploading.dry_run,
        fit=fitting.recipe_asked(preflight=not uploading.no_preflight),
        link=uploading.link_mode(),
        seek=connection.sought is not None,
        same_names=uploading.same_names.value if uploading.same_names else None,
    )
    session = Session(connection.env_file, sandbox, reporting, logging)
    raise typer.Exit(session.upload(options))
