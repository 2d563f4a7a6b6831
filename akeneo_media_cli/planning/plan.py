"""From manifests to rows in the ledger: the files looked at, what clashes told, what is done taken out."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import IO

from ..errors import Failure
from ..ledger import PlannedRow, Run
from ..link import is_link
from ..manifest.beside import names_no_file
from ..rows import Row
from ..storage import FileRoots, Renaming, check_file, name_of
from ..storage.links import Links
from .manifests import PimColumns, rows_of
from .options import ManifestOptions
from .rename import Rename
from .shards import Groups, rows_of_part
from .unchanged import NOTHING_SKIPPED, SkipPolicy

Note = Callable[[str, str], None]
Rows = Callable[[Note], Iterable[PlannedRow]]
"""Begins the stream of a run's rows; notes go to its argument."""


def planned_rows(
    options: ManifestOptions,
    stdin: IO[bytes],
    note: Note,
    pim: PimColumns | None = None,
    links: Links | None = None,
    *,
    names_apart: bool = True,
) -> Iterator[PlannedRow]:
    """Every row of the manifests, its file looked at. Raises as `rows_of`, `rows_of_part` and `Groups` do.

    `names_apart`: rows of different files with one name fall in one part; what only reads needs no such care.

    Links are only judged: what they lead to is looked at when the PIM is asked about their rows. Without
    `links` none may be followed.
    """
    links = links or Links(options.links, timeout=0, pool=0)
    rename = Rename(options.rename).name if options.rename else None
    roots = FileRoots(
        [str(root) for root in options.roots], allow_outside=options.allow_outside_root, checks=options.checks
    )
    part, parts = options.shard
    here = os.getcwd()  # noqa: PTH109 - text, to be joined to text
    groups = None
    if parts > 1 and names_apart:
        stdin, begins = _read_twice(options, stdin)
        groups = Groups.found(rows_of(options, stdin, _silent, pim), parts, rename)
        if "-" in options.manifests:
            stdin.seek(begins)
    rows = rows_of(options, stdin, note, pim)
    if parts > 1:
        rows = rows_of_part(rows, part, parts, groups)
    for seq, row in enumerate(rows, 1):
        if is_link(row.file) and row.archive is None:
            yield _linked(seq, row, links, rename)
        else:
            yield _planned(seq, row, roots, rename, here)


def _read_twice(options: ManifestOptions, stdin: IO[bytes]) -> tuple[IO[bytes], int]:
    """Standard input, or a copy of it that can be read again, and where the manifest in it begins."""
    if "-" not in options.manifests:
        return stdin, 0
    if stdin.seekable():
        return stdin, stdin.tell()
    copy = tempfile.TemporaryFile()  # noqa: SIM115 - gone with the process
    shutil.copyfileobj(stdin, copy)
    copy.seek(0)
    return copy, 0


def _silent(message: str, hint: str) -> None:
    """The second reading tells it."""


def _linked(seq: int, row: Row, links: Links, rename: Renaming | None) -> PlannedRow:
    shown = row.filename or row.file
    if row.problem is not None:
        return PlannedRow(seq, row, shown)
    taken = links.take(row.file, row.link.reveal() if row.link else None)
    if isinstance(taken, Failure):
        return PlannedRow(seq, replace(row, problem=taken), shown)
    path, link = taken
    name = name_of(row, link.name, rename)
    if isinstance(name, Failure):
        return PlannedRow(seq, replace(row, problem=name), shown)
    return PlannedRow(seq, row, name, path)


def _planned(seq: int, row: Row, roots: FileRoots, rename: Renaming | None, here: str) -> PlannedRow:
    if row.problem is not None:
        return PlannedRow(seq, row, row.filename or row.file)
    if not row.file and names_no_file(row):
        return PlannedRow(seq, replace(row, attribute=""), "")
    local = check_file(row, roots, rename)
    if isinstance(local, Failure):
        return PlannedRow(seq, replace(row, problem=local), row.filename or row.file)
    # Whole, as the ledger may be asked about it from another folder.
    path = local.path
    if row.archive is None:
        path = os.path.join(here, path)  # noqa: PTH118 - a million rows: Path costs ten times as much
    return PlannedRow(seq, row, local.name, path, local.size, local.mtime_ns, stamp=local.stamp)


def plan(run: Run, rows: Iterable[PlannedRow], *, note: Note, skip: SkipPolicy = NOTHING_SKIPPED) -> None:
    """Put every row into the run and settle what can be settled without the PIM.

    Raises ManifestError, UsageError and LedgerError; then nothing was sent.
    """
    run.add(rows)
    settled = run.settle_duplicates()
    if settled.dropped:
        note(
            f"{settled.dropped} rows repeat another row: the same file for the same value; they are left out",
            "",
        )
    # With --checksum the time of a file tells nothing.
    if skip.skip == "ledger" and not skip.checksum:
        run.mark_unchanged()
    elif skip.skip == "remote" and not skip.checksum:
        run.expect_unchanged()
