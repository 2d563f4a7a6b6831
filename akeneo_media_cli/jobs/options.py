"""What a run was asked to do, as values: no command line here."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, field
from pathlib import Path
from typing import TYPE_CHECKING

from ..frozen import frozen
from ..ledger import PlannedRow
from ..planning.linking import LinkMode
from ..planning.options import ManifestOptions
from ..planning.unchanged import SkipPolicy

if TYPE_CHECKING:
    from ..fit.recipe import Recipe


@frozen
class RunOptions:
    """What all commands over a manifest share. `timeout` in seconds; `retries` are tries after the first."""

    manifest: ManifestOptions
    concurrency: int = 4
    retries: int = 5
    timeout: float = 60.0
    reports: Sequence[str] = field(default_factory=tuple)
    state: Path | None = None
    no_state: bool = False
    preview: int = 500
    """How many changes the HTML report shows as pictures."""

    def arguments(self) -> dict[str, object]:
        """How the run was called, for `runs show`; nothing of it is secret."""
        return {"manifests": list(self.manifest.manifests), "concurrency": self.concurrency}


@frozen
class UploadOptions(RunOptions):
    """How rows are sent. Seconds and bytes; None: no limit. `fit`: how pictures are converted; None: none is.

    `verify` None: values are read back where the user may read them; True: it is an error if not.
    `same_names`: are files of one name sent side by side (`overlap`) or one by one (`serial`)? None: side by
    side, unless the PIM is known not to bear it. `seek`: find how many of `concurrency` requests it can take.
    """

    max_duration: float | None = None
    max_failures: int | None = None
    bwlimit: int | None = None
    skip: SkipPolicy = field(default_factory=SkipPolicy)
    strict: bool = False
    preflight: bool = True
    share: bool = True
    carrier: str | None = None
    verify: bool | None = None
    dry_run: bool = False
    fit: Recipe | None = None
    link: LinkMode = LinkMode.APPEND
    same_names: str | None = None
    seek: bool = False

    def arguments(self) -> dict[str, object]:
        manifest = self.manifest
        return {
            **super().arguments(),
            "fit": asdict(self.fit) if self.fit else None,
            "folder": os.getcwd(),  # noqa: PTH109 - text
            "roots": [str(root) for root in manifest.roots],
            "allow_outside_root": manifest.allow_outside_root,
            "rename": manifest.rename,
            "link": self.link.value,
            "skip": self.skip.skip,
            "drift": self.skip.drift,
            "checksum": self.skip.checksum,
            "dry_run": self.dry_run,
            "share": self.share,
            "carrier": self.carrier,
        }


@frozen
class ValidateOptions(RunOptions):
    """How rows are checked. `online`: against the PIM's catalogue and entities too.

    `strict`: one invalid row makes the manifest unusable.
    """

    online: bool = False
    strict: bool = False
    carrier: str | None = None
    fit: Recipe | None = None


@frozen
class VerifyOptions(RunOptions):
    """How rows are compared with the PIM. `deep`: by their bytes, not only by name and size.

    `max_duration`: seconds after which no more rows are asked about; None: no limit.
    """

    deep: bool = False
    max_duration: float | None = None
    fit: Recipe | None = None

    def arguments(self) -> dict[str, object]:
        return {**super().arguments(), "deep": self.deep}


@frozen
class DownloadOptions(RunOptions):
    """How files are fetched. `to`: the folder for media files that are named by code, None for manifests.

    `overwrite`: replace files that differ. Seconds and bytes; None: no limit.
    """

    max_duration: float | None = None
    max_failures: int | None = None
    bwlimit: int | None = None
    overwrite: bool = False
    to: Path | None = None

    def arguments(self) -> dict[str, object]:
        return {**super().arguments(), "overwrite": self.overwrite}


@frozen
class SettingOptions(RunOptions):
    """How values are put back or emptied. `confirm` asks the user; None: do not ask."""

    dry_run: bool = False
    confirm: Callable[[str], bool] | None = None

    def arguments(self) -> dict[str, object]:
        return {**super().arguments(), "dry_run": self.dry_run}


@frozen
class UndoOptions(SettingOptions):
    """Which run is undone, by its id, and its rows that changed a value."""

    undoes: str = ""
    rows: Sequence[PlannedRow] = ()

    def arguments(self) -> dict[str, object]:
        return {**super().arguments(), "undoes": self.undoes}


@frozen
class RemoveOptions(SettingOptions):
    """What is removed. `max_removals`: stop before anything when there are more; None: any number.

    `only_file`: only where the PIM holds the row's own file.
    """

    max_removals: int | None = None
    only_file: bool = False
