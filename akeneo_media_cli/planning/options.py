"""Which rows a command was asked to read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field
from pathlib import Path

from ..frozen import frozen
from ..storage.content import ContentChecks
from ..storage.links import LinkOptions


@frozen
class ManifestOptions:
    """Which rows there are. `shard` is (part, parts) from 1; `roots` empty: the manifest's folder.

    `sheet`: which one of a spreadsheet; None: the first. `columns` of the PIM's own layout that hold media,
    by name or attribute; empty: the PIM is asked. `maps`: `--map` options as typed. `quote` and `encoding` of
    CSV and TSV; None: found. Rows whose file matches a glob of `exclude` and none of `include` are left out.
    `links`: which links are followed for files. `checks`: how their content is looked at.
    """

    manifests: Sequence[str]
    format: str | None = None
    sheet: str | None = None
    columns: Sequence[str] = ()
    sets: Sequence[str] = ()
    maps: Sequence[str] = ()
    quote: str | None = None
    encoding: str | None = None
    include: Sequence[str] = ()
    exclude: Sequence[str] = ()
    roots: Sequence[Path] = ()
    allow_outside_root: bool = False
    rename: str | None = None
    shard: tuple[int, int] = (1, 1)
    links: LinkOptions = field(default_factory=LinkOptions)
    checks: ContentChecks = field(default_factory=ContentChecks)
