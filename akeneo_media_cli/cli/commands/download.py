"""`akeneo-media download`: the reverse of `upload`."""

from __future__ import annotations

import sys

import typer

from .. import options as o


@o.command(example="akeneo-media download spring.csv --root photos")
def download(
    manifests: o.Manifests,
    manifest: o.RowSelection,
    connection: o.Connection,
    limits: o.Limits,
    reporting: o.Reporting,
    ledger: o.Ledgers,
    logging: o.Logging,
    overwrite: o.Overwrite = False,
) -> None:
    """Download what the PIM holds for each row to the row's file; folders are created.

    Exit status: 0 every file is here, 1 some are missing, differ or failed, 2 wrong usage, 3 the manifest
    cannot be used, 4 credentials refused, 5 rows are pending (run it again), 6 another run is in progress.
    """
    from ...jobs.download import placed_rows
    from ...jobs.options import DownloadOptions
    from ..session.session import Session

    rows = manifest.options(manifests)
    options = DownloadOptions(
        rows, **o.run_fields(connection, reporting, ledger), **limits.fields(), overwrite=overwrite
    )
    session = Session(connection.env_file, reporting=reporting, logging=logging)
    session.rows = lambda note, _: placed_rows(rows, sys.stdin.buffer, note)
    raise typer.Exit(session.download(options))
