"""The rows that the manifests of a command have, as they are written."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import IO, Protocol

from ..manifest import Reading, read_batches
from ..manifest.filters import Filter
from ..rows import Row, RowBatch, single
from ..wording import count
from .options import ManifestOptions


class PimColumns(Protocol):
    """What the PIM knows about the columns of its own layout."""

    def media(self, codes: Collection[str]) -> Collection[str]:
        """Those of the attributes that hold media."""

    def identifiers(self) -> Sequence[str]:
        """The attributes that identify products, the main one first."""


def rows_of(
    options: ManifestOptions,
    stdin: IO[bytes],
    note: Callable[[str, str], None],
    pim: PimColumns | None = None,
) -> Iterator[Row]:
    """`batches_of`, row by row."""
    return single(batches_of(options, stdin, note, pim))


def batches_of(
    options: ManifestOptions,
    stdin: IO[bytes],
    note: Callable[[str, str], None],
    pim: PimColumns | None = None,
) -> Iterator[Row | RowBatch]:
    """All rows, whatever shard they are in; raises as `read_batches` and `pim` do.

    `pim` is asked about the columns of the PIM's own layout, where the options do not say.
    """
    rows = read_batches(
        options.manifests,
        format=options.format,
        sets=options.sets,
        stdin=stdin,
        note=note,
        how=Reading(
            sheet=options.sheet,
            columns=options.columns,
            media=pim.media if pim is not None else None,
            identifiers=pim.identifiers if pim is not None else None,
            maps=options.maps,
            quote=options.quote,
            encoding=options.encoding,
        ),
    )
    wanted = Filter(options.include, options.exclude)
    return _filtered(single(rows), wanted, note) if wanted else rows


def _filtered(rows: Iterator[Row], wanted: Filter, note: Callable[[str, str], None]) -> Iterator[Row]:
    excluded = 0
    for row in rows:
        if row.file and wanted.excludes(row.file):
            excluded += 1
        else:
            yield row
    if excluded:
        note(f"{count(excluded, 'row')} left out, as --exclude says", "")
