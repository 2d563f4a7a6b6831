"""`akeneo-media media`: the read side of product media files."""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TextIO, cast

import typer

from ..exits import Exit
from . import options as o

if TYPE_CHECKING:
    from ..pim.answers.types import MediaFile
    from .reading import Reader

app = typer.Typer(
    help="The PIM's product media files: list, look at, fetch.", no_args_is_help=True, rich_markup_mode=None
)

FIELDS = ("code", "original_filename", "mime_type", "size", "extension")
_READ_CODES = "-"

Codes = Annotated[
    list[str], typer.Argument(metavar="CODE...", help="Media codes; - reads them from standard input.")
]


class ListFormat(StrEnum):
    """How a list is written."""

    table = "table"
    jsonl = "jsonl"
    csv = "csv"


@dataclass(frozen=True)
class Filter:
    """Which files to list. Patterns are globs without regard to case; sizes are bytes, inclusive."""

    name: str | None = None
    extensions: frozenset[str] = frozenset()
    mime: str | None = None
    least: int | None = None
    most: int | None = None

    def takes(self, file: MediaFile) -> bool:
        """Does the file pass?"""
        return (
            (self.name is None or fnmatchcase(file.original_filename.lower(), self.name.lower()))
            and (not self.extensions or file.extension.lower() in self.extensions)
            and (self.mime is None or fnmatchcase(file.mime_type.lower(), self.mime.lower()))
            and (self.least is None or file.size >= self.least)
            and (self.most is None or file.size <= self.most)
        )


@app.command("list")
def list_(
    limit: Annotated[
        int | None,
        typer.Option("--limit", metavar="N", min=1, envvar=o.env("limit"), help="No more than N."),
    ] = None,
    format: Annotated[
        ListFormat, typer.Option("--format", envvar=o.env("format"), help="How the list is written.")
    ] = ListFormat.table,
    name: Annotated[
        str | None,
        typer.Option(
            "--name", metavar="GLOB", envvar=o.env("name"), help="Only names like this: 'sku-*.jpg'."
        ),
    ] = None,
    extension: Annotated[
        list[str] | None,
        typer.Option("--extension", metavar="EXT", envvar=o.env("extension"), help="Only these; repeatable."),
    ] = None,
    mime: Annotated[
        str | None,
        typer.Option("--mime", metavar="TYPE", envvar=o.env("mime"), help="Only this type: 'image/*'."),
    ] = None,
    min_size: Annotated[
        str | None,
        typer.Option("--min-size", metavar="SIZE", envvar=o.env("min-size"), help="Only from this size: 5M."),
    ] = None,
    max_size: Annotated[
        str | None,
        typer.Option("--max-size", metavar="SIZE", envvar=o.env("max-size"), help="Only up to this size."),
    ] = None,
    env_file: o.EnvFile = None,
    retries: o.Retries = 5,
    timeout: o.Timeout = 60.0,
    log_file: o.LogFile = None,
    verbose: o.Verbose = 0,
    quiet: o.Quiet = False,
) -> None:
    """List media files as the PIM pages them, replaced and orphaned ones too. The PIM has no filter for
    them, so filters are applied here, to every page.

    Exit status: 0 listed, 2 wrong usage, 4 credentials refused, 5 the PIM does not answer.
    """
    from .. import units
    from .reading import quiet_if_unread, reading

    wanted = Filter(
        name,
        frozenset(e.lower().lstrip(".") for e in extension or ()),
        mime,
        units.size(min_size) if min_size else None,
        units.size(max_size) if max_size else None,
    )
    with (
        quiet_if_unread(),
        reading(
            env_file, retries=retries, timeout=timeout, log_file=log_file, verbose=verbose, quiet=quiet
        ) as reader,
    ):
        write = _writer(format, _data_out())
        left = limit
        for page in reader.reads.pages(reader.client.media_file_page):
            found = [file for file in page if wanted.takes(file)][:left]
            write(found)
            sys.stdout.flush()
            if left is not None:
                left -= len(found)
                if not left:
                    break


@app.command("get")
def get(
    codes: Codes,
    as_json: Annotated[
        bool, typer.Option("--json", envvar=o.env("json"), help="A JSON object a line.")
    ] = False,
    env_file: o.EnvFile = None,
    concurrency: o.Concurrency = 4,
    retries: o.Retries = 5,
    timeout: o.Timeout = 60.0,
    log_file: o.LogFile = None,
    verbose: o.Verbose = 0,
    quiet: o.Quiet = False,
) -> None:
    """What the PIM tells of media files: name, type, size.

    Exit status: 0 all were found, 1 some were not, 2 wrong usage, 4 credentials refused, 5 the PIM does not
    answer.
    """
    from ..pim.answers.types import MediaFile
    from .reading import quiet_if_unread, reading

    missing = 0
    with (
        quiet_if_unread(),
        reading(
            env_file,
            concurrency=concurrency,
            retries=retries,
            timeout=timeout,
            log_file=log_file,
            verbose=verbose,
            quiet=quiet,
        ) as reader,
    ):
        write = _writer(ListFormat.jsonl if as_json else ListFormat.table, _data_out())
        for some in _hundreds(_named(codes)):
            found = _answers(reader, some)
            write([file for file in found.values() if isinstance(file, MediaFile)])
            sys.stdout.flush()
            for failure in found.values():
                if not isinstance(failure, MediaFile):
                    missing += 1
                    typer.echo(f"error: {failure.message}", err=True)
    raise typer.Exit(Exit.ROWS_FAILED if missing else Exit.OK)


@app.command("download")
def download(
    codes: Codes,
    to: Annotated[
        Path,
        typer.Option(
            "--to", metavar="DIR", envvar=o.env("to"), help="The folder to put them in; it is made."
        ),
    ] = Path(),
    overwrite: o.Overwrite = False,
    env_file: o.EnvFile = None,
    concurrency: o.Concurrency = 4,
    retries: o.Retries = 5,
    timeout: o.Timeout = 60.0,
    max_duration: o.MaxDuration = None,
    max_failures: o.MaxFailures = None,
    bwlimit: o.BwLimit = None,
    report: o.Report = None,
    progress: o.Progress = o.ProgressMode.auto,
    log_file: o.LogFile = None,
    verbose: o.Verbose = 0,
    quiet: o.Quiet = False,
) -> None:
    """Fetch media files into a folder, under the names that the PIM shows, made safe.

    A file that is there already and the same is left alone. Two files of one name: the later in the command
    gets a part of its code into its name.
    """
    from .. import units
    from ..errors import UsageError
    from ..jobs.download import code_rows
    from ..jobs.options import DownloadOptions
    from ..planning.options import ManifestOptions
    from .session import Session

    if to.exists() and not to.is_dir():
        raise UsageError(f"--to {to} is no folder", "name a folder; one that is not there is made")
    options = DownloadOptions(
        manifest=ManifestOptions(()),
        concurrency=concurrency,
        retries=retries,
        timeout=timeout,
        max_duration=units.duration(max_duration) if max_duration else None,
        max_failures=max_failures,
        bwlimit=units.rate(bwlimit) if bwlimit else None,
        overwrite=overwrite,
        to=to,
        reports=o.names(report),
        no_state=True,
    )
    session = Session(
        env_file=env_file,
        progress=progress.value,
        log_file=log_file,
        verbose=verbose,
        quiet=quiet,
        rows=lambda *_: code_rows(_named(codes)),
    )
    raise typer.Exit(session.download(options))


# Asking.


def _answers(reader: Reader, codes: list[str]) -> dict[str, Any]:
    """A MediaFile or a Failure for each code."""
    from ..pim.errors import Refusal
    from ..transfer.downloads import unknown_media

    # Without a code, the call would list all files.
    asked = [code for code in codes if code.strip("/ ")]
    answers = reader.reads.all([partial(reader.client.media_file, code) for code in asked])
    found: dict[str, Any] = {code: unknown_media(code) for code in codes}
    for code, answer in zip(asked, answers, strict=True):
        if answer is not None:
            found[code] = answer.failure if isinstance(answer, Refusal) else answer
    return found


def _named(codes: Iterable[str]) -> Iterator[str]:
    """The codes, those on standard input in the place of `-`."""
    for code in codes:
        if code == _READ_CODES:
            yield from filter(None, (line.strip() for line in sys.stdin))
        else:
            yield code.strip()


def _hundreds(codes: Iterable[str]) -> Iterator[list[str]]:
    some: list[str] = []
    for code in dict.fromkeys(codes):
        some.append(code)
        if len(some) == 100:
            yield some
            some = []
    if some:
        yield some


# Writing.


def _data_out() -> TextIO:
    """Standard output for data: UTF-8, whatever the terminal takes; no line ends but our own."""
    out = cast(Any, sys.stdout)
    if hasattr(out, "reconfigure"):
        out.reconfigure(encoding="utf-8", errors="backslashreplace", newline="")
    return sys.stdout


def _writer(format: ListFormat, out: TextIO) -> Callable[[Iterable[MediaFile]], None]:
    if format is ListFormat.jsonl:
        return partial(_write_jsonl, out)
    if format is ListFormat.csv:
        return _csv_writer(out)
    out.write(f"{'SIZE':>9}  {'TYPE':<24}  {'NAME':<40}  CODE\n")
    return partial(_write_table, out)


def _write_jsonl(out: TextIO, files: Iterable[MediaFile]) -> None:
    from ..report.encode import dumps

    out.writelines(dumps({field: getattr(file, field) for field in FIELDS}) + "\n" for file in files)


def _csv_writer(out: TextIO) -> Callable[[Iterable[MediaFile]], None]:
    from ..report.csv_ import cell

    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(FIELDS)

    def write(files: Iterable[MediaFile]) -> None:
        writer.writerows([cell(getattr(file, field)) for field in FIELDS] for file in files)

    return write


def _write_table(out: TextIO, files: Iterable[MediaFile]) -> None:
    from ..wording import one_line, size

    for file in files:
        name = one_line(file.original_filename, 120)
        out.write(
            f"{size(file.size):>9}  {one_line(file.mime_type, 40):<24}  {name:<40}  {one_line(file.code)}\n"
        )
