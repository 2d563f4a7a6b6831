"""`akeneo-media scan`: a manifest of a folder of files."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...errors import UsageError
from ...exits import Exit
from .. import options as o
from ..session.file_conflicts import NamedFiles
from ..session.output import STDOUT, format_of, opened

if TYPE_CHECKING:
    from ...manifest.scan import Scan, Unmatched, Walk
    from ...manifest.scan.fill import Unfilled
    from ...rows import Row, Target

_MOST_TOLD = 100


@o.command(example="akeneo-media scan photos --pattern '{product}_{attribute}.{ext}' -o photos.csv")
def scan(
    directory: Annotated[Path, typer.Argument(metavar="DIRECTORY", help="The folder with the files.")],
    connection: o.Connection,
    logging: o.Logging,
    pattern: Annotated[
        list[str] | None,
        o.option(
            "--pattern",
            metavar="PATTERN",
            help="What names mean, such as {product}_{attribute}.{ext}; repeatable, tried in order. "
            "Folders too: {product}/{attribute}.{ext}.",
        ),
    ] = None,
    regex: Annotated[
        list[str] | None,
        o.option(
            "--regex",
            metavar="REGEX",
            help="The same as a regular expression with named groups; tried after the patterns.",
        ),
    ] = None,
    map: Annotated[
        list[str] | None,
        o.option(
            "--map",
            sets="scan-map",
            metavar="NAME=ATTRIBUTE",
            help="What {attribute} in names means, such as front=picture; repeatable.",
        ),
    ] = None,
    set: o.Set = None,
    case: Annotated[
        bool,
        o.option("--case", help="Capital and small letters differ in patterns and --map."),
    ] = False,
    recursive: Annotated[
        bool, o.option("--recursive/--no-recursive", help="Go into the folders below.")
    ] = True,
    include: Annotated[
        list[str] | None,
        o.option(
            "--include",
            metavar="GLOB",
            help="Take files that would be left out: hidden, temporary, or by --exclude; repeatable.",
        ),
    ] = None,
    exclude: Annotated[
        list[str] | None,
        o.option("--exclude", metavar="GLOB", help="Leave out files, such as 'drafts/'; repeatable."),
    ] = None,
    follow_links: Annotated[bool, o.option("--follow-links", help="Follow symbolic links.")] = False,
    online: Annotated[
        bool,
        o.option("--online", help="Ask the PIM whether the products and models are there."),
    ] = False,
    strict: Annotated[
        bool,
        o.option("--strict", help="Exit with 1 if a file fits no pattern."),
    ] = False,
    assets: Annotated[
        str | None,
        o.option(
            "--assets",
            metavar="FAMILY",
            help="Make assets of this family, linked to the products that names tell; "
            "name their attribute: --set attribute=CODE --set link_attribute=CODE.",
        ),
    ] = None,
    code: Annotated[
        str | None,
        o.option(
            "--code",
            metavar="TEMPLATE",
            help="With --assets: their codes; {n} counts a product's files. [default: {product}_{n}]",
        ),
    ] = None,
    output: Annotated[str, o.output_file("scan")] = STDOUT,
    format: Annotated[o.Format | None, o.output_format("scan")] = None,
    for_: Annotated[
        Path | None,
        o.option(
            "--for",
            sets="scan-for",
            metavar="MANIFEST",
            help="Fill the rows of MANIFEST (from `missing`) with files named by their product's code.",
        ),
    ] = None,
    match: Annotated[
        str,
        o.option(
            "--match",
            metavar="COLUMN",
            help="With --for: which column of MANIFEST file names begin with, such as ean.",
        ),
    ] = "sku",
) -> None:
    """Write a manifest of the files in a folder, by what their names say.

    In a manifest on standard output the paths are absolute; in one that is a file, they start beside it.

    Exit status: 0 written; 1 there are files and none fits, a folder could not be read, with --strict a file
    did not fit, with --online a product does not exist; 2 wrong usage; with --online also 4 access refused, 5
    no answer.
    """
    from ...manifest.filters import Filter
    from ...manifest.scan import Scan, Walk
    from ..session.reader import quiet_if_unread, reading

    if not directory.is_dir():
        why = "is not a folder" if directory.exists() else "does not exist"
        raise UsageError(f"{directory} {why}", "Name the folder with the files.")
    written_as = format_of(output, format.value if format else None)
    NamedFiles(env_file=connection.env_file, output=output).check()
    teller = _Teller(quiet=logging.quiet, most=None if logging.verbose else _MOST_TOLD)
    wanted = Filter(include or (), exclude or ())
    walk = Walk(str(directory), recursive=recursive, follow_links=follow_links, filter=wanted)
    if for_ is not None:
        raise typer.Exit(_fill(for_, match, directory, walk, teller, written_as, output))
    if code is not None and assets is None:
        raise UsageError("--code is for assets", "Name their family: --assets FAMILY")
    found = Scan(
        patterns=pattern or (),
        regexes=regex or (),
        sets=set or (),
        renamed=map or (),
        case=case,
        assets=assets,
        code=code,
        note=teller.note,
    )
    with quiet_if_unread():
        try:
            rows = teller.matched(found, walk, _base(directory, output), skip=output)
            if not online:
                _write(rows, found, written_as, output)
            else:
                from ...preflight.existing import Existing

                with reading(connection, logging) as reader:
                    existing = Existing(reader.client, reader.reads, teller.missing)
                    _write(existing.checked(rows), found, written_as, output)
        except OSError as error:
            if isinstance(error, BrokenPipeError):
                raise
            raise UsageError(
                f"{directory} cannot be read: {error.strerror or error}", "Check the folder's rights."
            ) from None
    teller.summary(walk, output, directory)
    failed = (teller.unmatched and (strict or not teller.rows)) or walk.unreadable or teller.products_missing
    raise typer.Exit(Exit.ROWS_FAILED if failed else Exit.OK)


def _fill(
    manifest: Path, match: str, directory: Path, walk: Walk, teller: _Teller, format: str, output: str
) -> Exit:
    """`--for`: write the manifest's rows with the files that were found; 1 where a row has none."""
    import sys

    from ...jobs.missing import COLUMNS
    from ...manifest.columns import GROUPS, NO_FILE, canonical, spelled
    from ...manifest.scan.fill import Unfilled, fill
    from ...manifest.write import columns_of, write_rows
    from ...planning.manifests import rows_of
    from ...planning.options import ManifestOptions

    options = ManifestOptions([str(manifest)], sets=[f"file={NO_FILE}"])
    rows = [row for row in rows_of(options, sys.stdin.buffer, teller.note) if row.problem is None]
    others = {spelled(name): name for row in rows for name in row.extra}
    column = None if canonical(match) in GROUPS else others.get(spelled(match), "")
    if column == "":
        raise UsageError(
            f"--match {match}: {manifest} has no such column",
            f"Use sku for the product's own code, or another column: {', '.join(others) or 'it has none'}.",
        )
    # Read before it is written: the output may be the same file.
    found = list(fill(rows, walk.files(), _base(directory, output), column))
    filled = [row for row in found if not isinstance(row, Unfilled)]
    unfilled = [row for row in found if isinstance(row, Unfilled)]
    # Those that need a decision first: there may be very many of the others.
    for each in sorted(unfilled, key=lambda row: not row.several):
        teller.unfilled(each)
    teller.rows = len(filled)
    with opened(output) as out:
        write_rows(filled, format, out, columns=list(dict.fromkeys((*COLUMNS, *columns_of(filled)))))
    teller.summary(walk, output, directory)
    return Exit.OK if len(filled) == len(found) else Exit.ROWS_FAILED


def _base(directory: Path, output: str) -> str:
    """The prefix of a file's path: nothing that depends on where the manifest is read, if it can be."""
    here = os.path.abspath(directory)  # noqa: PTH100 - links on the way stay as the user named them
    if output == STDOUT:
        return here
    beside = os.path.dirname(os.path.abspath(output))  # noqa: PTH100, PTH120
    try:
        relative = os.path.relpath(here, beside)
    except ValueError:  # another drive
        return here
    if relative == os.curdir:
        return ""
    # A path that climbs out of the manifest's folder holds only while both stay where they are.
    return here if Path(relative).parts[0] == os.pardir else relative


def _write(rows: Iterable[Row], found: Scan, format: str, output: str) -> None:
    from ...manifest.write import write_rows

    with opened(output) as out:
        write_rows(rows, format, out, columns=found.columns)


class _Teller:
    """Writes notes to standard error, and counts."""

    def __init__(self, *, quiet: bool, most: int | None) -> None:
        self.rows = 0
        self.unmatched = 0
        self.rows_unfilled = 0
        self.products_missing = 0
        self._quiet = quiet
        self._most = most

    def matched(self, found: Scan, walk: Walk, base: str, *, skip: str) -> Iterator[Row]:
        """The rows; files that fit no pattern are listed. The manifest itself, `skip`, is ignored."""
        from ...manifest.scan import Unmatched

        manifest = None if skip == STDOUT else os.path.realpath(skip)
        for row in found.rows(walk, base):
            if not isinstance(row, Unmatched):
                self.rows += 1
                yield row
            elif manifest is None or os.path.realpath(os.path.join(walk.folder, row.path)) != manifest:  # noqa: PTH118
                self._unfit(row)

    def note(self, message: str, hint: str) -> None:
        """Note something odd."""
        self._say(f"warning: {message}. {hint}")

    def missing(self, target: Target, nearest: str | None) -> None:
        """List a product that is not in the PIM."""
        self.products_missing += 1
        meant = f"; did you mean {nearest}?" if nearest else ""
        if self._most is None or self.products_missing <= self._most:
            self._say(f"not in the PIM: {target.type.value.replace('_', ' ')} {target.code}{meant}")

    def summary(self, walk: Walk, output: str, directory: Path) -> None:
        """Write the totals."""
        from ...wording import count

        for folder, why in walk.unreadable:
            self._say(f"cannot be read: {folder}: {why}")
        if self._most is not None and self.products_missing > self._most:
            self._say(f"not in the PIM: {self.products_missing:,} products and models in all (-v: list them)")
        for told, what, which in ((self.unmatched, "row", "file"), (self.rows_unfilled, "file", "row")):
            if self._most is not None and told > self._most:
                self._say(f"no {what} for {count(told - self._most, f'more {which}')} (-v: list them)")
        if walk.leftovers:
            self._say(
                f"left out: {count(walk.leftovers, 'hidden, temporary or system file')} (--include GLOB)"
            )
        if walk.excluded:
            self._say(f"left out: {count(walk.excluded, 'file')} that --exclude matches")
        if walk.links:
            self._say(f"left out: {count(walk.links, 'symbolic link')} (--follow-links)")
        if walk.special:
            self._say(f"left out: {count(walk.special, 'pipe, socket or device')}")
        where = "standard output" if output == STDOUT else output
        unfit = f"; {count(self.unmatched, 'file')} without a row" if self.unmatched else ""
        unfit += f"; {count(self.rows_unfilled, 'row')} without a file" if self.rows_unfilled else ""
        self._say(f"{count(self.rows, 'row')} written to {where}{unfit}")
        outside = output != STDOUT and os.path.isabs(_base(directory, output))  # noqa: PTH117
        if outside and self.rows:
            self._say(f"The files are not below the manifest: upload it with --root {directory}")

    def unfilled(self, found: Unfilled) -> None:
        """List a row that no file was found for."""
        self.rows_unfilled += 1
        if found.row.target is not None and (self._most is None or self.rows_unfilled <= self._most):
            self._say(f"no file for {found.row.target.code} {found.row.attribute}: {found.reason}")

    def _unfit(self, file: Unmatched) -> None:
        self.unmatched += 1
        if self._most is None or self.unmatched <= self._most:
            self._say(f"no row for {file.path}: {file.reason}")

    def _say(self, message: str) -> None:
        from ...wording import one_line

        if not self._quiet:
            typer.echo(one_line(message), err=True)
