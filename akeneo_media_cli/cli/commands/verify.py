"""`akeneo-media verify`: check that the PIM holds the files of the manifest."""

from __future__ import annotations

from typing import Annotated

import typer

from .. import options as o

Deep = Annotated[
    bool,
    o.option("--deep", help="Download every file and compare its SHA-256."),
]


@o.command(example="akeneo-media verify spring.csv --deep --report verify.csv")
def verify(
    manifests: o.Manifests,
    manifest: o.ManifestInput,
    links: o.LinkAccess,
    fitting: o.Fitting,
    connection: o.Connection,
    reporting: o.Reporting,
    ledger: o.Ledgers,
    logging: o.Logging,
    deep: Deep = False,
    max_duration: o.MaxDuration = None,
    sandbox: o.Sandbox = False,
) -> None:
    """Check that the PIM holds each row's file: by name and size, with --deep byte for byte.

    Exit status: 0 it holds all of them, 1 some differ or are missing, 2 wrong usage, 3 the manifest cannot
    be used, 4 credentials refused, 5 rows are pending (run it again), 6 another run is in progress.
    """
    from ...jobs.options import VerifyOptions
    from ..session.session import Session

    options = VerifyOptions(
        manifest.options(manifests, links),
        **o.run_fields(connection, reporting, ledger),
        max_duration=o.seconds(max_duration),
        deep=deep,
        fit=fitting.recipe_asked(),
    )
    session = Session(connection.env_file, sandbox, reporting, logging)
    raise typer.Exit(session.verify(options))
