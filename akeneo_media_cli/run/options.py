"""What a run was asked to do, as values: no command line here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class ManifestOptions:
    """Which rows there are. `shard` is (part, parts) from 1; `roots` empty: the manifest's folder."""

    manifests: Sequence[str]
    format: str | None = None
    sets: Sequence[str] = ()
    roots: Sequence[Path] = ()
    allow_outside_root: bool = False
    rename: str | None = None
    shard: tuple[int, int] = (1, 1)


@dataclass(frozen=True)
class UploadOptions:
    """How they are sent. Seconds and bytes; None: no limit. `skip` is `ledger`, `remote` or `none`."""

    manifest: ManifestOptions
    concurrency: int = 4
    retries: int = 5
    timeout: float = 60.0
    max_duration: float | None = None
    max_failures: int | None = None
    bwlimit: int | None = None
    skip: str = "ledger"
    strict: bool = False
    preflight: bool = True
    share: bool = True
    carrier: str | None = None
    verify: bool = False
    dry_run: bool = False
    reports: Sequence[str] = field(default_factory=tuple)
    metrics_file: Path | None = None
    state: Path | None = None
    no_state: bool = False
