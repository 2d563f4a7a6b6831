"""`akeneo-media missing`: a manifest of the values that are empty."""

from __future__ import annotations

from typing import Annotated

import typer

from ...errors import UsageError
from .. import options as o
from ..session.output import STDOUT, format_of, opened


@o.command(example="akeneo-media missing --attribute picture --family shoes -o todo.csv")
def missing(
    values: o.Values,
    connection: o.Connection,
    logging: o.Logging,
    category: Annotated[
        list[str] | None,
        o.option("--category", metavar="CODE", help="Only below this category; repeatable."),
    ] = None,
    output: Annotated[str, o.output_file("missing")] = STDOUT,
    format: Annotated[o.Format | None, o.output_format("missing")] = None,
) -> None:
    """Write a manifest of the media values that are empty, its `file` left to fill in.

    Only attributes of a product's own family count. `scan DIR --for todo.csv` fills it from a folder. Exit
    status: 0 written (even if nothing is missing), 2 wrong usage, 4 access refused, 5 no answer.
    """
    from ...jobs.missing import COLUMNS, Missing, MissingOptions
    from ...manifest.write import write_rows
    from ..session.reader import quiet_if_unread, reading

    if values.products and values.models:
        raise UsageError(
            "--products and --models exclude each other", "Leave both out for products and models."
        )
    written_as = format_of(output, format.value if format else None)
    options = MissingOptions(
        attributes=values.attribute or (),
        families=values.family or (),
        categories=category or (),
        products=not values.models,
        models=not values.products,
        locales=values.locale or (),
        scopes=values.scope or (),
    )
    with quiet_if_unread(), reading(connection, logging, output=output) as reader, opened(output) as out:
        found = Missing(reader.client, reader.reads, reader.note, options)
        write_rows(found.rows(), written_as, out, columns=COLUMNS)
    if not logging.quiet:
        typer.echo(found.summary(), err=True)
