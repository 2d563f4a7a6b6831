"""`akeneo-media media list`: the PIM's media files, filtered."""

from __future__ import annotations

import sys
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Annotated

from ....frozen import frozen
from ... import options as o
from .writer import ListFormat, data_out, writer

if TYPE_CHECKING:
    from ....pim.answers.types import MediaFile


@frozen
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


@o.command(example="akeneo-media media list --name 'sku-*.jpg' --min-size 5M")
def list_(
    calls: o.Calls,
    logging: o.Logging,
    limit: Annotated[
        int | None,
        o.option("--limit", metavar="N", min=1, help="List at most N."),
    ] = None,
    format: Annotated[
        ListFormat, o.option("--format", sets="list-format", help="The format of the list.")
    ] = ListFormat.table,
    name: Annotated[
        str | None,
        o.option("--name", metavar="GLOB", help="Only names that match, such as 'sku-*.jpg'."),
    ] = None,
    extension: Annotated[
        list[str] | None,
        o.option("--extension", metavar="EXT", help="Only this file extension; repeatable."),
    ] = None,
    mime: Annotated[
        str | None,
        o.option("--mime", metavar="TYPE", help="Only this MIME type, such as 'image/*'."),
    ] = None,
    min_size: Annotated[
        str | None,
        o.option("--min-size", metavar="SIZE", help="Only files of at least this size, such as 5M."),
    ] = None,
    max_size: Annotated[
        str | None,
        o.option("--max-size", metavar="SIZE", help="Only files of at most this size."),
    ] = None,
) -> None:
    """List the PIM's media files in its order, including replaced ones and ones that nothing uses. The PIM
    cannot filter them, so every page is read and filtered here.

    Exit status: 0 the list is complete, 2 wrong usage, 4 credentials refused, 5 the PIM does not answer at
    the moment.
    """
    from .... import units
    from ...session.reader import quiet_if_unread, reading

    wanted = Filter(
        name,
        frozenset(e.lower().lstrip(".") for e in extension or ()),
        mime,
        units.size(min_size) if min_size else None,
        units.size(max_size) if max_size else None,
    )
    with quiet_if_unread(), reading(o.Connection(**vars(calls)), logging) as reader:
        write = writer(format, data_out())
        left = limit
        for page in reader.reads.pages(reader.client.media_file_page):
            found = [file for file in page if wanted.takes(file)][:left]
            write(found)
            sys.stdout.flush()
            if left is not None:
                left -= len(found)
                if not left:
                    break
