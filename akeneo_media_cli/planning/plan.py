"""From manifests to rows in the ledger: files are checked, conflicts reported, finished rows taken out."""

from __future__ import annotations

import gc
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import IO, NamedTuple

from ..errors import Failure
from ..ledger import PlannedBatch, PlannedRow, Run
from ..link import is_link
from ..manifest.beside import names_no_file
from ..rows import Row, RowBatch, Status, single
from ..storage import FileRoots, Renaming, check_file, name_of
from ..storage.links import Links
from ..wording import count
from .batches import BatchLooker, FoundBatch
from .manifests import PimColumns, batches_of, rows_of
from .options import ManifestOptions
from .rename import Rename
from .shards import Groups, rows_of_part
from .unchanged import NOTHING_SKIPPED, SkipPolicy

Note = Callable[[str, str], None]
Rows = Callable[[Note], Iterable[PlannedRow | FoundBatch]]
"""Begins the stream of a run's rows; notes go to its argument."""


def planned_rows(
    options: ManifestOptions,
    stdin: IO[bytes],
    note: Note,
    pim: PimColumns | None = None,
    links: Links | None = None,
    *,
    names_apart: bool = True,
) -> Iterator[PlannedRow | FoundBatch]:
    """Every row of the manifests, its file looked at. Raises as `rows_of`, `rows_of_part` and `Groups` do.

    `names_apart`: rows of different files with one name fall in one part; what only reads needs no such care.

    Links are only checked: what they lead to is looked at when the PIM is asked about their rows. Without
    `links` none may be followed.
    """
    links = links or Links(options.links, timeout=0, pool=0)
    rename = Rename(options.rename).name if options.rename else None
    roots = FileRoots(
        [str(root) for root in options.roots], allow_outside=options.allow_outside_root, checks=options.checks
    )
    part, parts = options.shard
    here = os.getcwd()  # noqa: PTH109 - text, to be joined to text
    looker = BatchLooker(roots, here)
    groups = None
    if parts > 1 and names_apart:
        stdin, begins = _read_twice(options, stdin)
        groups = Groups.found(rows_of(options, stdin, _silent, pim), parts, rename)
        if "-" in options.manifests:
            stdin.seek(begins)
    rows = batches_of(options, stdin, note, pim)
    if parts > 1:
        rows = rows_of_part(single(rows), part, parts, groups)
    elif rename is not None:
        rows = single(rows)
    seq = 0
    for row in rows:
        seq += 1
        if isinstance(row, RowBatch):
            yield FoundBatch(seq, row, looker)
            seq += len(row) - 1
        elif is_link(row.file) and row.archive is None:
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


class Later(NamedTuple):
    """Rows from one seq to another whose files are still to be looked at."""

    looker: BatchLooker
    first: int
    last: int


def plan(
    run: Run,
    rows: Iterable[PlannedRow | FoundBatch],
    *,
    note: Note,
    skip: SkipPolicy = NOTHING_SKIPPED,
    status: Status | None = None,
) -> None:
    """Put every row into the run and settle what can be settled without the PIM.

    `status`: what rows are that have no problem; None: open.

    Raises ManifestError, UsageError and LedgerError; then nothing was sent.
    """
    # With --checksum the time of a file says nothing.
    trusting = skip.skip in ("ledger", "remote") and not skip.checksum
    # A file that was sent before and is untouched was looked at then.
    known = trusting and run.remembers()
    later: list[Later] | None = [] if known else None
    with _no_collection():
        run.add(judged(rows, later), status, skip.skip if known else "none")
    settled = run.settle_duplicates()
    if settled.dropped:
        note(
            f"{count(settled.dropped, 'row')} {'repeats' if settled.dropped == 1 else 'repeat'} another row: "
            "the same file for the same value; left out",
            "",
        )
    if trusting and skip.skip == "ledger":
        run.mark_unchanged()
    elif trusting:
        run.expect_unchanged()
    for looker, first, last in later or ():
        looker.judge_open(run, first, last)


@contextmanager
def _no_collection() -> Iterator[None]:
    """Rows are no garbage and hold no cycles: to look for some takes an eighth of all time."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def judged(
    rows: Iterable[PlannedRow | FoundBatch], later: list[Later] | None = None
) -> Iterator[PlannedRow | PlannedBatch]:
    """The rows with their files' content looked at; batches whose files are still to be go into `later`."""
    for row in rows:
        if not isinstance(row, FoundBatch):
            yield row
            continue
        yield from row.planned(judged=later is None)
        if later is not None:
            later.append(Later(row.looker, row.seq, row.seq + len(row.batch) - 1))
