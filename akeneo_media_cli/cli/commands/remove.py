"""`akeneo-media remove`: empty the values that the rows name."""

from __future__ import annotations

from typing import Annotated

import typer

from .. import options as o
from ..session.confirm import confirmation


@o.command(example="akeneo-media remove discontinued.csv --dry-run")
def remove(
    manifests: o.Manifests,
    manifest: o.ManifestInput,
    connection: o.Connection,
    reporting: o.Reporting,
    ledger: o.Ledgers,
    logging: o.Logging,
    max_removals: Annotated[
        int | None,
        o.option(
            "--max-removals", metavar="N", min=0, help="Remove nothing at all if more than N values would go."
        ),
    ] = None,
    only_file: Annotated[
        bool, o.option("--only-file", help="Only where the PIM holds the row's own file, by name and size.")
    ] = False,
    dry_run: o.DryRun = False,
    yes: o.Yes = False,
    sandbox: o.Sandbox = False,
) -> None:
    """Empty the values that the rows name. The files stay in the PIM: `runs undo` puts them back.

    A row needs no file. Exit status: 0 all are empty, 1 some rows are invalid or failed, 2 wrong usage or not
    confirmed, 3 the manifest cannot be used, 4 credentials refused, 5 rows are pending (run it again), 6
    another run is in progress.
    """
    from dataclasses import replace

    from ...jobs.options import RemoveOptions
    from ...manifest.columns import NO_FILE
    from ..session.session import Session

    rows = manifest.options(manifests)
    if not only_file:
        # The last setting fills what no other does.
        rows = replace(rows, sets=(*rows.sets, f"file={NO_FILE}"))
    options = RemoveOptions(
        rows,
        **o.run_fields(connection, reporting, ledger),
        dry_run=dry_run,
        confirm=None if dry_run else confirmation(yes=yes or sandbox),
        max_removals=max_removals,
        only_file=only_file,
    )
    session = Session(connection.env_file, sandbox, reporting, logging)
    raise typer.Exit(session.remove(options))
