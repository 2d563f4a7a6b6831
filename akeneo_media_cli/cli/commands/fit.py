"""`akeneo-media fit`: convert pictures so that an attribute takes them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...errors import Failure, Kind, UsageError
from ...exits import Exit
from .. import options as o
from ..terminal.process import say

if TYPE_CHECKING:
    from ...fit.convert import Fitted
    from ...fit.recipe import Takes


@o.command(example="akeneo-media fit photos/*.tif --max-edge 2000 --max-bytes 250k --to web")
def fit(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="The pictures; they are only read.")],
    conversion: o.Conversion,
    connection: o.Connection,
    logging: o.Logging,
    to: Annotated[
        Path, o.option("--to", metavar="DIR", help="The folder for the converted pictures.")
    ] = Path("fitted"),
    for_: Annotated[
        str | None,
        o.option(
            "--for",
            metavar="ATTRIBUTE",
            help="Ask the PIM what this attribute takes. [default: jpg of any size]",
        ),
    ] = None,
    max_bytes: Annotated[
        str | None,
        o.option("--max-bytes", metavar="SIZE", help="At most this many bytes: 250k, 2M, 2Mi."),
    ] = None,
) -> None:
    """Convert pictures on this machine: upright, in sRGB, in a format and size that an attribute takes.

    A picture that fits already is copied as it is. Exit status: 0 all are converted, 1 some could not be,
    2 wrong usage.
    """
    from ...units import size

    recipe = conversion.recipe()
    takes = _takes(for_, size(max_bytes) if max_bytes else None, recipe.form, connection, logging)
    to.mkdir(parents=True, exist_ok=True)
    failed = 0
    for path in files:
        done = _converted(path, to, recipe, takes)
        if isinstance(done, Failure):
            failed += 1
            say(f"error: {path}: {done.message}\n  {done.hint}")
        elif not logging.quiet:
            say(done)
    raise typer.Exit(Exit.ROWS_FAILED if failed else Exit.OK)


def _converted(path: Path, to: Path, recipe: object, takes: Takes) -> str | Failure:
    """One picture; what became of it, in a line."""
    import shutil

    from ...fit.convert import fit as convert
    from ...fit.convert import needs_fitting
    from ...fit.reading import UnfitError, look
    from ...fit.recipe import Recipe

    assert isinstance(recipe, Recipe)
    scratch = to / f".{path.name}.{os.getpid()}.tmp"
    try:
        picture = look(str(path))
        if picture is not None and not needs_fitting(
            picture, path.suffix.lstrip("."), path.stat().st_size, recipe, takes
        ):
            shutil.copyfile(path, to / path.name)
            return f"{path}: fits as it is"
        done = convert(str(path), str(scratch), recipe, takes)
        into = to / f"{path.stem}.{done.extension}"
        if into.exists() and into.samefile(path):
            return Failure(Kind.FILE_EXISTS, "it would replace itself", "Choose another folder with --to.")
        scratch.replace(into)
        return _line(path, into, done)
    except UnfitError as unfit:
        return unfit.failure
    except ImportError:
        raise UsageError(
            "converting pictures needs the extra `fit`", "Install it: pip install 'akeneo-media-cli[fit]'"
        ) from None
    except OSError as error:
        return Failure(Kind.FILE_UNREADABLE, error.strerror or str(error), "Check the file and its rights.")
    finally:
        scratch.unlink(missing_ok=True)


def _line(path: Path, into: Path, done: Fitted) -> str:
    from ...wording import size

    notes = "".join(f"\n  note: {note}" for note in done.notes)
    was, now = size(done.source.bytes), size(done.result.bytes)
    return f"{path} -> {into}: {was} to {now}; {', '.join(done.steps)}{notes}"


def _takes(
    attribute: str | None,
    max_bytes: int | None,
    form: str | None,
    connection: o.Connection,
    logging: o.Logging,
) -> Takes:
    from ...fit.recipe import EXTENSIONS, Takes

    if attribute is None:
        return Takes(EXTENSIONS[form or "jpg"], max_bytes)
    from ..session.reader import reading

    with reading(connection, logging) as reader:
        found = reader.reads.one(lambda: reader.client.attribute(attribute))
    if found is None:
        raise UsageError(
            f"--for {attribute}: the PIM has no such attribute", "Give the code of a media attribute."
        )
    limits = [each for each in (max_bytes, found.max_file_size) if each is not None]
    return Takes(tuple(found.allowed_extensions), min(limits) if limits else None)
