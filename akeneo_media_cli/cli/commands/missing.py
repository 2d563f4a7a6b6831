"""`akeneo-media missing`: a manifest of the values that are empty."""

from __future__ import annotations

from typing import Annotated

import typer

from ...errors import UsageError
from .. import options as o
from ..session.output import STDOUT, format_of, opened


@o.command(example="akeneo-media missing --attribute picture --family shoes -o todo.csv")
def missing(
    connection: o.Connection,
    logging: o.Logging,
    attribute: Annotated[
        list[str] | None,
        o.option("--attribute", metavar="CODE", help="A media attribute; repeatable. [default: all of them]"),
    ] = None,
    family: Annotated[
        list[str] | None, o.option("--family", metavar="CODE", help="Only this family; repeatable.")
    ] = None,
    category: Annotated[
        list[str] | None,
        o.option("--category", metavar="CODE", help="Only below this category; repeatable."),
    ] = None,
    products: Annotated[bool, o.option("--products", help="Only products, no models.")] = False,
    models: Annotated[bool, o.option("--models", help="Only product models, no products.")] = False,
    locale: Annotated[
        list[str] | None,
        o.option("--locale", metavar="CODE", help="Of localizable values only this locale; repeatable."),
    ] = None,
    scope: Annotated[
        list[str] | None,
        o.option("--scope", metavar="CODE", help="Of scopable values only this channel; repeatable."),
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

    if products and models:
        raise UsageError(
            "--products and --models exclude each other", "Leave both out for products and models."
        )
    written_as = format_of(output, format.value if format else None)
    options = MissingOptions(
        attributes=attribute or (),
        families=family or (),
        categories=category or (),
        products=not models,
        models=not products,
        locales=locale or (),
        scopes=scope or (),
    )
    with quiet_if_unread(), reading(connection, logging, output=output) as reader, opened(output) as out:
        found = Missing(reader.client, reader.reads, reader.note, options)
        write_rows(found.rows(), written_as, out, columns=COLUMNS)
    if not logging.quiet:
        typer.echo(found.summary(), err=True)
