"""`akeneo-media fit`: convert pictures so that an attribute takes them."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...errors import Failure, Kind, UsageError
from ...exits import Exit
from .. import options as o
from ..terminal.process import say

if TYPE_CHECKING:
    from ...fit.convert import Fitted
    from ...fit.recipe import Recipe, Takes


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
    from ...jobs.fitting import check_installed
    from ...units import size

    check_installed()
    recipe = conversion.recipe()
    takes = _takes(for_, size(max_bytes) if max_bytes else None, recipe.form, connection, logging)
    to.mkdir(parents=True, exist_ok=True)
    _sweep(to)
    failed = 0
    written: dict[Path, Path] = {}
    for path, made in _all(files, to, recipe, takes):
        done = made if isinstance(made, Failure) else made.into(to, written)
        if isinstance(done, Failure):
            failed += 1
            say(f"error: {path}: {done.message}\n  {done.hint}")
        elif not logging.quiet:
            say(done)
    raise typer.Exit(Exit.ROWS_FAILED if failed else Exit.OK)


@dataclass
class _Made:
    """A picture that is to get its name: what was `done` to it, None for one that fits as it is."""

    source: Path
    scratch: Path
    done: Fitted | None

    def into(self, to: Path, written: dict[Path, Path]) -> str | Failure:
        """Give it its name in the folder, and say so in a line; `written` holds the files that were there."""
        name = self.source.name if self.done is None else f"{self.source.stem}.{self.done.extension}"
        into = to / name
        other = written.setdefault(into, self.source)
        clash = None
        if other is not self.source:
            clash = f"{other} became {into}, too"
        elif into.exists() and into.samefile(self.source):
            clash = "it would replace itself"
        if clash is not None:
            return Failure(Kind.FILE_EXISTS, clash, "Choose another folder with --to.")
        try:
            self.scratch.replace(into)
        except OSError as error:
            return Failure(
                Kind.FILE_UNREADABLE, error.strerror or str(error), "Check the folder and its rights."
            )
        return f"{self.source}: fits as it is" if self.done is None else _line(self.source, into, self.done)


def _all(files: list[Path], to: Path, recipe: Recipe, takes: Takes) -> Iterator[tuple[Path, _Made | Failure]]:
    """Every picture in turn, converted on half of the cores: each picture at work takes some 40 MB."""
    scratches = [to / f".{path.name}.{os.getpid()}-{n}.tmp" for n, path in enumerate(files)]
    # libvips works outside of Python's lock.
    with ThreadPoolExecutor(max(1, (os.cpu_count() or 1) // 2)) as pool:
        tasks = [pool.submit(_converted, *pair, recipe, takes) for pair in zip(files, scratches, strict=True)]
        try:
            for path, task in zip(files, tasks, strict=True):
                yield path, task.result()
        finally:
            pool.shutdown(cancel_futures=True)
            for scratch in scratches:
                scratch.unlink(missing_ok=True)


def _converted(path: Path, scratch: Path, recipe: Recipe, takes: Takes) -> _Made | Failure:
    from ...fit.convert import fit as convert
    from ...fit.convert import needs_fitting
    from ...fit.reading import UnfitError, look

    try:
        picture = look(str(path))
        extension, size = path.suffix.lstrip("."), path.stat().st_size
        if picture is not None and not needs_fitting(picture, extension, size, recipe, takes):
            shutil.copyfile(path, scratch)
            return _Made(path, scratch, None)
        return _Made(path, scratch, convert(str(path), str(scratch), recipe, takes))
    except UnfitError as unfit:
        return unfit.failure
    except OSError as error:
        return Failure(Kind.FILE_UNREADABLE, error.strerror or str(error), "Check the file and its rights.")


_SCRATCH = re.compile(r"\..+\.(\d+)-\d+\.tmp")


def _sweep(to: Path) -> None:
    """Remove what a `fit` that was killed left behind."""
    for path in to.glob(".*.tmp"):
        found = _SCRATCH.fullmatch(path.name)
        if found and not _alive(int(found[1])):
            path.unlink(missing_ok=True)


def _alive(pid: int) -> bool:
    if os.name != "posix":
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


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
