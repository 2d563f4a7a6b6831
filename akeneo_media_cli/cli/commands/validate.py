"""`akeneo-media validate`: find every mistake before the first byte is sent."""

from __future__ import annotations

from collections import Counter
from typing import Annotated

import typer

from .. import options as o
from ..terminal.process import say

Online = Annotated[
    bool,
    o.option("--online", help="Also check attributes, channels, locales and products in the PIM."),
]
Strict = Annotated[
    bool,
    o.option("--strict", help="Exit with 3 if any row is invalid, as upload --strict does."),
]


@o.command(example="akeneo-media validate spring.csv --online")
def validate(
    manifests: o.Manifests,
    manifest: o.ManifestInput,
    links: o.LinkAccess,
    fitting: o.Fitting,
    connection: o.Connection,
    reporting: o.Reporting,
    logging: o.Logging,
    online: Online = False,
    strict: Strict = False,
    carrier: o.Carrier = None,
    sandbox: o.Sandbox = False,
) -> None:
    """Run all the checks that upload makes before it sends anything.

    Without --online no PIM is needed. Exit status: 0 no mistakes, 1 some rows are invalid, 2 wrong usage,
    3 the manifest cannot be used, with --strict also if any row is invalid; with --online also
    4 credentials refused, 5 the PIM could not answer every question.
    """
    from ...jobs.options import ValidateOptions
    from ..session.session import Session

    found = Counter[str]()
    rows = manifest.options(manifests, links, found)
    o.check_carrier(rows.shard, carrier)
    options = ValidateOptions(
        rows,
        **o.run_fields(connection, reporting),
        online=online,
        strict=strict,
        carrier=carrier,
        fit=fitting.recipe_asked(),
    )
    session = Session(connection.env_file, sandbox, reporting, logging)
    status = session.validate(options)
    # With JSON events standard error is for programs.
    if found and not logging.quiet and reporting.progress is not o.ProgressMode.json:
        say(_kinds(found))
    raise typer.Exit(status)


def _kinds(found: Counter[str]) -> str:
    """A table of what the files are."""
    width = len(f"{max(found.values()):,}")
    lines = (f"  {number:>{width},}  {kind}" for kind, number in found.most_common())
    return "\n".join(("", "Files by content:", *lines))
