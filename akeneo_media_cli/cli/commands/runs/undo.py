"""`akeneo-media runs undo`: what values held before a run, put back."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ....errors import UsageError
from ... import options as o
from ...session.confirm import confirmation
from .ledgers import RunId, note, opened_ledger

if TYPE_CHECKING:
    from ....ledger import Ledger, RunInfo

_CHANGES = ("upload", "remove", "undo")


@o.command(example="akeneo-media runs undo last --dry-run")
def undo(
    run: RunId,
    connection: o.Connection,
    reporting: o.Reporting,
    ledger_file: o.LedgerFile,
    logging: o.Logging,
    only: Annotated[
        Path | None,
        o.option("--only", metavar="MANIFEST", help="Undo only the values that this manifest names."),
    ] = None,
    dry_run: o.DryRun = False,
    yes: o.Yes = False,
) -> None:
    """Put back what each value held before RUN, where it still holds what that run put there.

    Values that somebody changed since are left as they are and reported as failed. An undo is a run of its
    own, which can be undone; `last` goes on with an undo that was cut off. Exit status: 0 all are put back, 1
    some could not be, 2 wrong usage or not confirmed, 4 credentials refused, 5 rows are pending (run it
    again), 6 another run is in progress.
    """
    from ....jobs.options import UndoOptions
    from ....jobs.remove import removal_rows
    from ....jobs.undo import only as only_rows
    from ....jobs.undo import undoable, undone_rows
    from ....manifest.columns import NO_FILE
    from ....planning.manifests import rows_of
    from ....planning.options import ManifestOptions
    from ...session.session import Session

    with opened_ledger(ledger_file.state, connection.env_file) as ledger:
        info = _undoable(ledger, run)
        rows = undoable(ledger.record(info.id))
    if only is not None:
        named = rows_of(ManifestOptions([str(only)], sets=[f"file={NO_FILE}"]), sys.stdin.buffer, note)
        rows = only_rows(rows, removal_rows(named))
    options = UndoOptions(
        ManifestOptions(()),
        **o.run_fields(connection, reporting, o.Ledgers(ledger_file.state)),
        dry_run=dry_run,
        confirm=None if dry_run else confirmation(yes=yes),
        undoes=info.id,
        rows=rows,
    )
    session = Session(connection.env_file, reporting=reporting, logging=logging)
    session.rows = lambda _, links: undone_rows(rows)
    raise typer.Exit(session.undo(options))


def _undoable(ledger: Ledger, reference: str) -> RunInfo:
    """The run to undo. Raises UsageError for one that changed no value."""
    info = ledger.run(reference)
    if reference == "last":
        changes = [
            each
            for each in ledger.runs(1000)
            if each.command in _CHANGES and not each.arguments.get("dry_run")
        ]
        if not changes:
            raise UsageError("no run has changed a value yet", "`akeneo-media runs list` shows all runs.")
        info = changes[0]
        if info.command == "undo" and info.exit_status not in (0, 1):
            # Cut off or not confirmed: the same command is to go on with it, not to undo the undo.
            info = ledger.run(str(info.arguments["undoes"]))
    if info.command not in _CHANGES:
        raise UsageError(
            f"run {info.id} was a `{info.command}`, which changes no value in the PIM",
            "Name an upload, a remove or an undo: `akeneo-media runs list` shows them.",
        )
    if info.arguments.get("dry_run"):
        raise UsageError(f"run {info.id} was a dry run: it changed nothing", "There is nothing to undo.")
    return info
