"""`akeneo-media export`: a manifest of what the PIM holds."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from ..errors import UsageError
from . import completion
from . import options as o
from .writing import STDOUT, format_of, opened

if TYPE_CHECKING:
    from ..rows import Row


def export(
    attribute: Annotated[
        list[str] | None,
        typer.Option(
            "--attribute",
            metavar="CODE",
            envvar=o.env("attribute"),
            help="A media attribute; repeatable. [default: all of them]",
        ),
    ] = None,
    family: Annotated[
        list[str] | None,
        typer.Option(
            "--family", metavar="CODE", envvar=o.env("family"), help="Only this family; repeatable."
        ),
    ] = None,
    products: Annotated[
        bool, typer.Option("--products", envvar=o.env("products"), help="Only products, no models.")
    ] = False,
    models: Annotated[
        bool, typer.Option("--models", envvar=o.env("models"), help="Only product models, no products.")
    ] = False,
    locale: Annotated[
        list[str] | None,
        typer.Option(
            "--locale",
            metavar="CODE",
            envvar=o.env("locale"),
            help="Of localizable values only this locale; repeatable.",
        ),
    ] = None,
    scope: Annotated[
        list[str] | None,
        typer.Option(
            "--scope",
            metavar="CODE",
            envvar=o.env("scope"),
            help="Of scopable values only this channel; repeatable.",
        ),
    ] = None,
    by_uuid: Annotated[
        bool,
        typer.Option(
            "--by-uuid",
            envvar=o.env("by-uuid"),
            help="Name products by UUID, those without identifier too.",
        ),
    ] = False,
    no_names: Annotated[
        bool,
        typer.Option(
            "--no-names",
            envvar=o.env("no-names"),
            help="Take file names from the media codes, and save a call a file.",
        ),
    ] = False,
    output: Annotated[
        str,
        typer.Option(
            "-o",
            "--output",
            metavar="FILE",
            envvar=o.env("output"),
            help="The manifest; - is standard output.",
            autocompletion=completion.written_manifests,
        ),
    ] = STDOUT,
    format: o.ManifestFormat = None,
    env_file: o.EnvFile = None,
    concurrency: o.Concurrency = 4,
    retries: o.Retries = 5,
    timeout: o.Timeout = 60.0,
    log_file: o.LogFile = None,
    verbose: o.Verbose = 0,
    quiet: o.Quiet = False,
) -> None:
    """Write a manifest of the media that products and product models hold, for `download` and `upload`.

    Exit status: 0 written, 2 wrong usage, 4 credentials refused, 5 the PIM does not answer. But for standard
    output, a manifest that is not complete is not left behind.
    """
    from ..jobs.export import Export, ExportOptions
    from ..wording import count
    from .reading import quiet_if_unread, reading

    written_as = format_of(output, format.value if format else None)
    options = ExportOptions(
        attributes=attribute or (),
        families=family or (),
        locales=locale or (),
        scopes=scope or (),
        products=products or not models,
        models=models or not products,
        names=not no_names,
        by_uuid=by_uuid,
    )
    with (
        quiet_if_unread(),
        reading(
            env_file,
            concurrency=concurrency,
            retries=retries,
            timeout=timeout,
            output=output,
            log_file=log_file,
            verbose=verbose,
            quiet=quiet,
        ) as reader,
        opened(output) as out,
    ):
        walk = Export(options, reader.client, reader.reads, reader.note)
        _write(walk.rows(), written_as, out, options.columns)
    if not quiet:
        where = "standard output" if output == STDOUT else output
        told = f"{count(walk.counted.values, 'file')} of {count(walk.counted.entities, 'product')} and models"
        typer.echo(f"{told} written to {where}", err=True)


def _write(rows: Iterable[Row], format: str, out: TextIO, columns: tuple[str, ...]) -> None:
    from ..manifest.write import write_rows

    try:
        write_rows(rows, format, out, columns=columns)
    except ValueError as error:
        raise UsageError(
            f"the PIM holds what no manifest can carry: {error}",
            "correct the code in the PIM, or leave it out",
        ) from None
