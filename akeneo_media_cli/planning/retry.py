"""The rows of an earlier run once more, from the ledger alone: their files are looked at again."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from ..errors import Failure, Kind
from ..ledger import PlannedRow
from ..link import is_link
from ..manifest.beside import collection_of
from ..rows import Row, Status
from ..storage import FileRoots, check_file
from ..storage.links import Links
from ..storage.sources import NotAFileError, Sources
from .options import ManifestOptions
from .rename import Rename

_AS_WRITTEN = (Kind.ROW_MALFORMED, Kind.TARGET_MISSING, Kind.TARGET_AMBIGUOUS)
"""What only another manifest changes."""


def collections_of(rows: Iterable[PlannedRow]) -> set[tuple[object, ...]]:
    """The collections that the rows' assets go into."""
    return {found for planned in rows if (found := collection_of(planned.row)) is not None}


def with_whole_collections(rows: Sequence[PlannedRow], run: Iterable[PlannedRow]) -> list[PlannedRow]:
    """`rows` with all others of their run that go into the same collections, in its order.

    A collection that is replaced is what all of its rows say, not those alone that failed.
    """
    wanted = {planned.seq for planned in rows}
    collections = collections_of(rows)
    return [p for p in run if p.seq in wanted or (collections and collection_of(p.row) in collections)]


class Again:
    """Rows that failed or were invalid, looked at again."""

    def __init__(self, options: ManifestOptions, folder: str, links: Links) -> None:
        """`options` are those of the earlier run, which was started in `folder`."""
        roots = [os.path.join(folder, root) for root in options.roots]  # noqa: PTH118 - text
        self._roots = FileRoots(roots, allow_outside=options.allow_outside_root, checks=options.checks)
        self._rename = Rename(options.rename).name if options.rename else None
        self._folder = folder
        self._links = links
        self._sources = Sources()

    def rows(self, rows: Iterable[PlannedRow]) -> Iterator[PlannedRow]:
        """The rows, numbered from 1; what is still wrong with one is its problem."""
        for seq, old in enumerate(rows, 1):
            row = replace(old.row, problem=None)
            if old.path is None:
                yield self._planned_again(seq, row, old)
            elif is_link(old.path):
                judged = self._links.judge(old.path)
                problem = judged if isinstance(judged, Failure) else None
                path = None if problem else old.path
                yield PlannedRow(seq, replace(row, problem=problem), old.name, path)
            else:
                yield self._looked_at(seq, row, old, old.path)

    def _looked_at(self, seq: int, row: Row, old: PlannedRow, path: str) -> PlannedRow:
        try:
            size, mtime_ns, stamp = self._sources.state(path)
        except OSError as error:
            kind = Kind.FILE_MISSING if isinstance(error, FileNotFoundError) else Kind.FILE_UNREADABLE
            return _gone(seq, row, old, kind, error.strerror or str(error))
        except NotAFileError as error:
            return _gone(seq, row, old, Kind.FILE_NOT_REGULAR, str(error))
        return PlannedRow(seq, row, old.name, path, size, mtime_ns, stamp=stamp, recipe=old.recipe)

    def _planned_again(self, seq: int, row: Row, old: PlannedRow) -> PlannedRow:
        """A row that was found wrong when it was read: its file may be right by now."""
        was = old.failure
        if row.has_no_media and (was is None or was.kind not in _AS_WRITTEN):
            return PlannedRow(seq, row, old.name)
        # What is not in the ledger: the rest of a link, and which ZIP a file was in.
        unknown = is_link(row.file) or row.manifest.lower().endswith(".zip")
        if was is not None and (old.status is not Status.INVALID or was.kind in _AS_WRITTEN or unknown):
            return PlannedRow(seq, replace(row, problem=was), old.name)
        there = replace(
            row,
            manifest=self._from_there(row.manifest),
            root=None if row.root is None else self._from_there(row.root),
        )
        found = check_file(there, self._roots, self._rename)
        if isinstance(found, Failure):
            return PlannedRow(seq, replace(row, problem=found), row.filename or row.file)
        path = self._from_there(found.path)
        return PlannedRow(seq, row, found.name, path, found.size, found.mtime_ns, stamp=found.stamp)

    def _from_there(self, path: str) -> str:
        return os.path.join(os.getcwd(), self._folder, path)  # noqa: PTH109, PTH118 - text


def _gone(seq: int, row: Row, old: PlannedRow, kind: Kind, why: str) -> PlannedRow:
    hint = "put the file back where it was, or run the manifest again"
    return PlannedRow(seq, replace(row, problem=Failure(kind, f"{old.path}: {why}", hint)), old.name)
