"""`akeneo-media demo`: the sample manifests, uploaded to a sandbox, and what arrived."""

from __future__ import annotations

import contextlib
import sys
import threading
from pathlib import Path
from typing import Annotated, Any

import typer

from ...errors import UsageError
from .. import options as o

SAMPLES = "sample_manifests"
PATTERNS = ("*.csv", "*.yaml", "*.jsonl")


@o.command(example="akeneo-media demo --keep")
def demo(
    samples: Annotated[
        Path,
        o.option("--samples", metavar="DIR", help="Where the sample manifests are."),
    ] = Path(SAMPLES),
    keep: Annotated[
        bool,
        o.option("--keep", help="Keep the sandbox running, to look at its page."),
    ] = False,
    progress: o.Progress = o.ProgressMode.auto,
) -> None:
    """Start a sandbox PIM, upload the sample manifests to it, and show the result."""
    from ...jobs.options import UploadOptions
    from ...planning.options import ManifestOptions
    from ..session.session import Session
    from .demo_table import show_values

    manifests = [str(path) for pattern in PATTERNS for path in sorted(samples.glob(pattern))]
    if not manifests:
        raise UsageError(
            f"there are no sample manifests in {samples}",
            "run it in a checkout of akeneo-media-cli, or name a folder of manifests with --samples DIR",
        )
    options = UploadOptions(ManifestOptions(manifests), no_state=True)
    session = Session(sandbox=True, reporting=o.Reporting(progress=progress))
    typer.echo(f"Uploading {', '.join(manifests)} to a sandbox PIM.", err=True)

    def look(running: Any) -> None:
        show_values(running, sys.stderr)
        if keep:
            with contextlib.suppress(KeyboardInterrupt):
                typer.echo(f"The sandbox's page: {running.url} (Ctrl-C ends it)", err=True)
                threading.Event().wait()

    session.after = look
    raise typer.Exit(session.upload(options))
