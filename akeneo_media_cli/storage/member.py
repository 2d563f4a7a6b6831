"""The checks of a row's file that is a member of a ZIP: as those of a file, and nothing is written."""

from __future__ import annotations

import os

from ..errors import Failure, Kind
from ..manifest.archive import TROUBLE, Archive, UnsafeArchiveError, member_path, open_archive
from ..rows import Row
from .check import LocalFile, Renaming, check_size, name_of, printable
from .content import USUAL, ContentChecks
from .content import check_member as check_content
from .nearby import cell_hint


def check_member(
    row: Row, rename: Renaming | None = None, checks: ContentChecks = USUAL
) -> LocalFile | Failure:
    """The member that a row names, if it can be sent under the name that `rename` gives; else why not.

    Its time is its checksum: an export that was made again has new times and the same files.
    """
    shown = printable(row.file)
    path = os.path.abspath(row.archive or "")  # noqa: PTH100
    try:
        archive = open_archive(path)
    except (OSError, UnsafeArchiveError) as error:
        return Failure(Kind.FILE_UNREADABLE, f"{row.archive}: {error}", "Export it again.")
    info = archive.member(row.file)
    if info is None:
        near = archive.nearest(row.file.replace("\\", "/"))
        hint = cell_hint(row.file)
        if near:
            hint = f"{hint} Did you mean {printable(near)}?".strip()
        return Failure(
            Kind.FILE_MISSING,
            f"{shown} is not in {printable(row.archive or '')}",
            hint or "Export with media, and pack table and files together.",
        )
    failure = check_size(info.file_size, shown)
    if failure is not None:
        return failure
    name = name_of(row, row.file, rename)
    if isinstance(name, Failure):
        return name
    local = LocalFile(member_path(path, row.file), name, info.file_size, info.CRC)
    return _content(archive, row.file, local, shown, checks) or local


def _content(
    archive: Archive, member: str, local: LocalFile, shown: str, checks: ContentChecks
) -> Failure | None:
    try:
        return check_content(archive, member, local.size, local.name, shown, checks)
    except (OSError, *TROUBLE) as error:
        return Failure(
            Kind.FILE_UNREADABLE,
            f"{shown} cannot be unpacked: {error}",
            "Export it again.",
        )
