"""Which rows there are, and where their files are."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import typer

from ...frozen import frozen
from . import completion
from .command import OptionGroup
from .variables import option

if TYPE_CHECKING:
    from ...planning.options import ManifestOptions
    from ...storage.links import LinkOptions


class Format(StrEnum):
    """The format of a manifest."""

    csv = "csv"
    tsv = "tsv"
    yaml = "yaml"
    json = "json"
    jsonl = "jsonl"
    xlsx = "xlsx"
    akeneo = "akeneo"


def output_file(command: str) -> Any:
    """`-o`, where a command writes a manifest."""
    return option(
        "-o",
        "--output",
        sets=f"{command}-output",
        metavar="FILE",
        help="The manifest; - is standard output.",
        autocompletion=completion.written_manifests,
    )


def output_format(command: str) -> Any:
    """`--format` of a manifest that a command writes."""
    return option(
        "--format", sets=f"{command}-format", help="The format to write. [default: by file extension]"
    )


Manifests = Annotated[
    list[str],
    typer.Argument(
        metavar="MANIFEST...",
        help="Manifests: tables of files and where they go; - is standard input.",
        autocompletion=completion.manifests,
    ),
]
Set = Annotated[
    list[str] | None,
    option(
        "--set",
        metavar="KEY=VALUE",
        help="Fill a column that a row leaves empty, such as attribute=picture; repeatable.",
    ),
]


AllowMismatch = Annotated[
    bool,
    option(
        "--allow-mismatch",
        help="Accept files whose content is not what their name says, is cut off, or will be refused.",
    ),
]


def _listed(text: str | None) -> list[str]:
    """The names in an option that takes several, separated by commas."""
    return [name.strip() for name in (text or "").split(",") if name.strip()]


@frozen
class LinkAccess(OptionGroup):
    """Which links are followed in place of files."""

    heading: ClassVar[str] = "Links"

    allow_remote: Annotated[
        bool,
        option("--allow-remote", help="Follow links in place of files: https, s3, gs, sftp."),
    ] = False
    remote_host: Annotated[
        list[str] | None,
        option(
            "--remote-host",
            metavar="HOST",
            help="A host that https links may use; *.example.com for all its subdomains; an address or "
            "network (10.1.2.0/24) for private ones; repeatable.",
        ),
    ] = None
    max_temp: Annotated[
        str,
        option(
            "--max-temp",
            metavar="SIZE",
            help="Disk space for temporary files: converted pictures, linked files of unknown size.",
        ),
    ] = "1G"

    def options(self) -> LinkOptions:
        """The same as values. Raises UsageError for a size that cannot be read."""
        from ... import units
        from ...storage.links import LinkOptions

        return LinkOptions(self.allow_remote, tuple(self.remote_host or ()), units.size(self.max_temp))


@frozen
class RowSelection(OptionGroup):
    """How manifests are read, for commands whose files are on this machine."""

    heading: ClassVar[str] = "Manifest"

    root: Annotated[
        list[Path] | None,
        option(
            "--root",
            metavar="DIR",
            help="The folder that relative file paths start from; repeatable, the first that has the file "
            "wins. [default: the manifest's folder]",
        ),
    ] = None
    allow_outside_root: Annotated[
        bool,
        option(
            "--allow-outside-root",
            help="Accept files outside every root: absolute paths, .., symbolic links.",
        ),
    ] = False
    format: Annotated[
        Format | None,
        option(
            "--format",
            sets="manifest-format",
            help="The manifest's format. [default: by file extension; standard input: by content]",
        ),
    ] = None
    sheet: Annotated[
        str | None,
        option("--sheet", metavar="NAME", help="The sheet of a spreadsheet to read. [default: the first]"),
    ] = None
    columns: Annotated[
        str | None,
        option(
            "--columns",
            metavar="A,B",
            help="The media columns of a manifest in Akeneo's own export format. [default: ask the PIM]",
        ),
    ] = None
    set: Set = None
    map: Annotated[
        list[str] | None,
        option(
            "--map",
            metavar="COLUMN=NAME",
            help="What a column is called here, such as Artikelnummer=product; repeatable.",
        ),
    ] = None
    quote: Annotated[
        str | None,
        option(
            "--quote",
            metavar="CHAR",
            help="The quote character of a CSV or TSV manifest. [default: found]",
        ),
    ] = None
    encoding: Annotated[
        str | None,
        option("--encoding", metavar="NAME", help="The encoding of a CSV or TSV manifest. [default: found]"),
    ] = None
    include: Annotated[
        list[str] | None,
        option(
            "--include", metavar="GLOB", help="Keep rows whose file matches; wins over --exclude; repeatable."
        ),
    ] = None
    exclude: Annotated[
        list[str] | None,
        option("--exclude", metavar="GLOB", help="Leave out rows whose file matches; repeatable."),
    ] = None
    shard: Annotated[
        str | None,
        option("--shard", metavar="I/N", help="Process only the I-th of N parts of the rows."),
    ] = None

    def options(self, manifests: Sequence[str]) -> ManifestOptions:
        """The same as values, for these manifests. Raises UsageError for a part that cannot be read."""
        from ... import units
        from ...planning.options import ManifestOptions

        return ManifestOptions(
            manifests=manifests,
            format=self.format.value if self.format else None,
            sheet=self.sheet,
            columns=_listed(self.columns),
            sets=self.set or (),
            maps=self.map or (),
            quote=self.quote,
            encoding=self.encoding,
            include=self.include or (),
            exclude=self.exclude or (),
            roots=self.root or (),
            allow_outside_root=self.allow_outside_root,
            shard=units.shard(self.shard, os.environ) if self.shard else (1, 1),
        )


@frozen
class ManifestInput(RowSelection):
    """How manifests are read, for commands that read files to compare or to send them."""

    rename: Annotated[
        str | None,
        option(
            "--rename",
            metavar="TEMPLATE",
            help="The file name that the PIM shows, such as {product}-{filename}.",
        ),
    ] = None
    allow_mismatch: AllowMismatch = False
    check_pictures: Annotated[
        bool,
        option(
            "--check-pictures",
            help="Decode every picture before it is sent. Needs the extra report (Pillow).",
        ),
    ] = False

    def options(
        self, manifests: Sequence[str], links: LinkAccess | None = None, found: Counter[str] | None = None
    ) -> ManifestOptions:
        """As `RowSelection.options`, with the links that may be followed. `found` counts files by kind."""
        from dataclasses import replace

        from ...storage.content import ContentChecks

        checks = ContentChecks(self.allow_mismatch, self.check_pictures, found)
        options = replace(super().options(manifests), rename=self.rename, checks=checks)
        return replace(options, links=links.options()) if links else options
