"""The rows that the manifests of a command have, as they are written."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import BinaryIO

from ..manifest import read_manifests
from ..rows import Row
from .options import ManifestOptions


def rows_of(options: ManifestOptions, stdin: BinaryIO, note: Callable[[str, str], None]) -> Iterator[Row]:
    """All rows, whatever shard they are in; raises as `read_manifests`."""
    return read_manifests(
        options.manifests,
        format=options.format,
        sets=options.sets,
        stdin=stdin,
        note=note,
        sheet=options.sheet,
    )
