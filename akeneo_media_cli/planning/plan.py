"""From manifests to rows in the ledger: the files looked at, what clashes told, what is done taken out."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from hashlib import blake2b
from typing import IO

from ..errors import Failure, UsageError
from ..ledger import PlannedRow, Run
from ..link import is_link
from ..manifest.beside import beside, names_no_file
from ..rows import Row, Target, TargetType, folded
from ..storage import FileRoots, Renaming, check_file, name_of
from ..storage.links import Links
from .manifests import PimColumns, rows_of
from .options import ManifestOptions
from .rename import Rename
from .unchanged import NOTHING_SKIPPED, SkipPolicy

Note = Callable[[str, str], None]
Rows = Callable[[Note], Iterable[PlannedRow]]
"""Begins the stream of a run's rows; notes go to its argument."""


def in_shard(target: Target | None, part: int, parts: int) -> bool:
    """Does a row fall in the part-th of so many parts? All rows of one product fall in one.

    A row without a target falls in the first, so that one report tells of it.
    """
    if parts == 1:
        return True
    if target is None:
        return part == 1
    entity = f"{target.type.value}\x1f{folded(target.parent)}\x1f{folded(target.code)}"
    digest = blake2b(entity.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big") % parts == part - 1


_PRODUCTS = (TargetType.PRODUCT, TargetType.PRODUCT_UUID)


def rows_of_part(rows: Iterable[Row], part: int, parts: int) -> Iterator[Row]:
    """The rows of the part-th of several parts; the others are read, too.

    Raises UsageError where some rows name products by identifier and others by UUID: only the PIM knows
    which of them are one product, whose rows would then fall in two parts and be sent at once.
    """
    first: dict[TargetType, Row] = {}
    for row in rows:
        target = _written(row)
        if target is not None and target.type in _PRODUCTS and row.problem is None:
            first.setdefault(target.type, row)
            if len(first) > 1:
                raise _mixed(*(first[way] for way in _PRODUCTS))
        if in_shard(target, part, parts):
            yield row


def _written(row: Row) -> Target | None:
    """The entity that no two parts may write to at once: the product that an asset is linked to, if any."""
    said = beside(row)
    return row.target if said is None or said.link is None else said.link.target


def _mixed(named: Row, by_uuid: Row) -> UsageError:
    return UsageError(
        f"{named.manifest}:{named.line} names a product by its identifier, {by_uuid.manifest}:{by_uuid.line} "
        "one by its UUID: --shard cannot keep all rows of a product in one part",
        "Name all products in one way, or put those by UUID into a manifest of their own and upload it after "
        "the other; or leave --shard out.",
    )


def planned_rows(
    options: ManifestOptions,
    stdin: IO[bytes],
    note: Note,
    pim: PimColumns | None = None,
    links: Links | None = None,
) -> Iterator[PlannedRow]:
    """Every row of the manifests, its file looked at. Raises as `rows_of` and `rows_of_part` do.

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
    rows = rows_of(options, stdin, note, pim)
    if parts > 1:
        rows = rows_of_part(rows, part, parts)
    for seq, row in enumerate(rows, 1):
        if is_link(row.file) and row.archive is None:
            yield _linked(seq, row, links, rename)
        else:
            yield _planned(seq, row, roots, rename, here)


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
