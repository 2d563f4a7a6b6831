"""`akeneo-media export`: a manifest of what the PIM holds."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from ...errors import UsageError
from ...exits import Exit
from .. import options as o
from ..session.output import STDOUT, format_of, opened
from ..terminal.process import say

if TYPE_CHECKING:
    from ...rows import Row


@o.command(example="akeneo-media export --family shoes -o shoes.csv")
def export(
    values: o.Values,
    connection: o.Connection,
    logging: o.Logging,
    by_uuid: Annotated[
        bool,
        o.option(
            "--by-uuid",
            help="Name products by UUID, those without identifier too.",
        ),
    ] = False,
    no_names: Annotated[
        bool,
        o.option(
            "--no-names",
            help="Take file names from the media codes, and save a call a file.",
        ),
    ] = False,
    assets: Annotated[
        list[str] | None,
        o.option(
            "--assets",
            metavar="FAMILY",
            help="The assets of this family instead, with their values and links; repeatable.",
        ),
    ] = None,
    output: Annotated[str, o.output_file("export")] = STDOUT,
    format: Annotated[o.Format | None, o.output_format("export")] = None,
) -> None:
    """Write a manifest of the media that products and product models hold, for `download` and `upload`.

    Exit status: 0 written, 1 written without the values of products that have no identifier, 2 wrong usage,
    4 credentials refused, 5 the PIM does not answer. But for standard output, a manifest that is not complete
    is not left behind.
    """
    from ...jobs.export import Export, ExportOptions
    from ...wording import count
    from ..session.reader import quiet_if_unread, reading

    written_as = format_of(output, format.value if format else None)
    if assets:
        if values.attribute or values.family or values.locale or values.scope or by_uuid:
            raise UsageError(
                "--assets cannot be combined with --attribute, --family, --locale, --scope or --by-uuid",
                "Export products and assets into manifests of their own.",
            )
        told = _export_assets(assets, connection, logging, written_as, output)
        if not logging.quiet:
            typer.echo(told, err=True)
        return
    options = ExportOptions(
        attributes=values.attribute or (),
        families=values.family or (),
        locales=values.locale or (),
        scopes=values.scope or (),
        products=values.products or not values.models,
        models=values.models or not values.products,
        names=not no_names,
        by_uuid=by_uuid,
    )
    with (
        quiet_if_unread(),
        reading(connection, logging, output=output) as reader,
        opened(output) as out,
    ):
        walk = Export(options, reader.client, reader.reads, reader.note)
        _write(walk.rows(), written_as, out, options.columns)
    if not logging.quiet:
        where = "standard output" if output == STDOUT else output
        told = f"{count(walk.counted.values, 'file')} of {count(walk.counted.entities, 'product')} and models"
        typer.echo(f"{told} written to {where}", err=True)
    raise typer.Exit(_left_out(walk.counted.left_out))


def _export_assets(
    families: list[str], connection: o.Connection, logging: o.Logging, format: str, output: str
) -> str:
    from ...jobs.beside.export import AssetExport
    from ...wording import count
    from ..session.reader import quiet_if_unread, reading

    with (
        quiet_if_unread(),
        reading(connection, logging, output=output) as reader,
        opened(output) as out,
    ):
        walk = AssetExport(families, reader.client, reader.reads)
        columns, rows = walk.rows()
        _write(rows, format, out, columns)
    counted = walk.counted
    where = "standard output" if output == STDOUT else output
    return (
        f"{count(counted.assets, 'asset')} with {count(counted.files, 'file')} and "
        f"{count(counted.links, 'link')} written to {where}"
    )


def _left_out(values: int | None) -> Exit:
    """Say what the manifest does not have; the exit status."""
    from ...wording import count

    if values is None:
        say(
            "warning: the PIM does not tell whether products without identifier hold media\n"
            "  They would be left out: add --by-uuid to be sure."
        )
    if not values:
        return Exit.OK
    say(
        f"error: {count(values, 'value')} of products without identifier left out\n"
        "  Add --by-uuid: it names products by UUID, those without identifier too."
    )
    return Exit.ROWS_FAILED


def _write(rows: Iterable[Row], format: str, out: TextIO, columns: tuple[str, ...]) -> None:
    from ...manifest.write import write_rows

    try:
        write_rows(rows, format, out, columns=columns)
    except ValueError as error:
        raise UsageError(
            f"the PIM holds what no manifest can carry: {error}",
            "correct the code in the PIM, or leave it out",
        ) from None
