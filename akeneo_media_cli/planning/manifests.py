"""The rows that the manifests of a command have, as they are written."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import IO

from ..manifest import Reading, read_manifests
from ..rows import Row
from .options import ManifestOptions

Media = Callable[[Collection[str]], Collection[str]]
"""Takes codes of attributes, gives those that hold media."""


Identifiers = Callable[[], Sequence[str]]
"""Gives the attributes that identify products, the main one first."""


def rows_of(
    options: ManifestOptions,
    stdin: IO[bytes],
    note: Callable[[str, str], None],
    media: Media | None = None,
    identifiers: Identifiers | None = None,
) -> Iterator[Row]:
    """All rows, whatever shard they are in; raises as `read_manifests` and `media` do.

    `media` is asked which columns of the PIM's own layout hold media, where the options do not say.
    """
    return read_manifests(
        options.manifests,
        format=options.format,
        sets=options.sets,
        stdin=stdin,
        note=note,
        how=Reading(
            sheet=options.sheet,
            columns=options.columns,
            media=media,
            identifiers=identifiers,
            maps=options.maps,
            quote=options.quote,
            encoding=options.encoding,
        ),
    )
