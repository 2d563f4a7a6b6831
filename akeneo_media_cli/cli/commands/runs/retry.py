"""`akeneo-media runs retry`: the failed and invalid rows of a run, once more."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from ....errors import MediaError, UsageError
from ... import options as o
from ...terminal.process import say
from .ledgers import RunId, opened_ledger

if TYPE_CHECKING:
    from ....jobs.options import UploadOptions
    from ....ledger import Ledger, RunInfo


@o.command(example="akeneo-media runs retry last --report retry.html")
def retry(
    run: RunId,
    links: o.LinkAccess,
    connection: o.Connection,
    limits: o.Limits,
    reporting: o.Reporting,
    ledger_file: o.LedgerFile,
    logging: o.Logging,
    verify: o.Verify = None,
    allow_mismatch: o.AllowMismatch = False,
) -> None:
    """Upload the failed and invalid rows of a run again, and only those, with the run's own --skip, --share,
    --carrier, --fit, --root, --allow-outside-root, --rename, --link-first and --link-replace, which takes all
    rows of a collection. Rows as they were written: an edited manifest is not read again."""
    from ....jobs.options import UploadOptions
    from ....planning.linking import LinkMode
    from ....planning.options import ManifestOptions
    from ....planning.retry import Again, with_whole_collections
    from ....storage.content import ContentChecks
    from ...session.session import Session

    options = UploadOptions(
        ManifestOptions((), links=links.options(), checks=ContentChecks(allow_mismatch)),
        **o.run_fields(connection, reporting, o.Ledgers(ledger_file.state)),
        **limits.fields(),
        verify=verify,
    )
    session = Session(connection.env_file, reporting=reporting, logging=logging)
    try:
        with opened_ledger(ledger_file.state, connection.env_file) as ledger:
            info = _upload(ledger, run)
            rows = list(ledger.retry_rows(info.id))
            if info.arguments.get("link") == LinkMode.REPLACE.value:
                rows = with_whole_collections(rows, ledger.record(info.id).rows())
    except MediaError as error:
        raise typer.Exit(session.upload_nothing(options, error)) from None
    if not rows:
        say(f"Run {info.id} has no failed or invalid rows.")
        raise typer.Exit(session.upload_nothing(options))
    options = _as_before(options, info)
    folder = str(info.arguments.get("folder", ""))
    session.rows = lambda _, links: Again(options.manifest, folder, links).rows(rows)
    raise typer.Exit(session.upload(options))


def _upload(ledger: Ledger, run: str) -> RunInfo:
    info = ledger.run(run)
    if info.command != "upload":
        # Its rows name files to be written or compared: to send them would be another job.
        raise UsageError(
            f"run {info.id} was a `{info.command}`: only an upload can be tried again from the ledger",
            "run the same command again: what is done already is left alone",
        )
    return info


def _as_before(options: UploadOptions, info: RunInfo) -> UploadOptions:
    """The same with what the run itself was called with."""
    from dataclasses import replace

    from ....fit.recipe import Recipe
    from ....planning.linking import LinkMode
    from ....planning.unchanged import SkipPolicy

    return replace(
        options,
        fit=Recipe.of(info.arguments.get("fit")),
        manifest=replace(
            options.manifest,
            manifests=info.arguments.get("manifests", ()),
            roots=tuple(map(Path, info.arguments.get("roots", ()))),
            allow_outside_root=bool(info.arguments.get("allow_outside_root")),
            rename=info.arguments.get("rename"),
        ),
        # How files get to their places is as much of a row as its target.
        share=bool(info.arguments.get("share", True)),
        carrier=info.arguments.get("carrier"),
        link=LinkMode(str(info.arguments.get("link", LinkMode.APPEND.value))),
        # What the ledger holds of a row's value may be older than a run that did not go by it.
        skip=SkipPolicy(
            str(info.arguments.get("skip", "remote")),
            str(info.arguments.get("drift", "overwrite")),
            bool(info.arguments.get("checksum")),
        ),
    )
