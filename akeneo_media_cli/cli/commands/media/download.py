"""`akeneo-media media download`: media files by their codes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ... import options as o
from .codes import Codes, named


@o.command(example="akeneo-media media download a/b/c/d/abcd_front.jpg --to photos")
def download(
    codes: Codes,
    connection: o.Connection,
    limits: o.Limits,
    reporting: o.Reporting,
    logging: o.Logging,
    to: Annotated[
        Path,
        o.option("--to", metavar="DIR", help="The folder for the files; it is created."),
    ] = Path(),
    overwrite: o.Overwrite = False,
) -> None:
    """Download media files to a folder, under the names that the PIM shows, made safe for file systems.

    Files that are already there and identical are left alone. If two files have the same name, the second
    gets part of its media code added to its name.
    """
    from ....errors import UsageError
    from ....jobs.download import code_rows
    from ....jobs.options import DownloadOptions
    from ....planning.options import ManifestOptions
    from ...session.session import Session

    if to.exists() and not to.is_dir():
        raise UsageError(f"--to {to} is not a folder", "Name a folder; it is created if it does not exist.")
    options = DownloadOptions(
        ManifestOptions(()),
        **o.run_fields(connection, reporting),
        **limits.fields(),
        overwrite=overwrite,
        to=to,
    )
    session = Session(connection.env_file, reporting=reporting, logging=logging)
    session.rows = lambda *_: code_rows(named(codes))
    raise typer.Exit(session.download(options))
