"""What a run sends, and when it stops."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, TypedDict

from ...frozen import frozen
from .command import OptionGroup
from .variables import option, paths

if TYPE_CHECKING:
    from ...planning.linking import LinkMode
    from ...planning.unchanged import SkipPolicy
    from .connection import Connection
    from .reporting import Ledgers, Reporting


class Drift(StrEnum):
    """What to do with a value that was changed in the PIM since it was set from here."""

    overwrite = "overwrite"
    keep = "keep"
    fail = "fail"


class SameNames(StrEnum):
    """How files of one name are sent that go to different products."""

    overlap = "overlap"
    serial = "serial"


class Skip(StrEnum):
    """Which rows need not be sent."""

    ledger = "ledger"
    remote = "remote"
    none = "none"


MaxDuration = Annotated[
    str | None,
    option(
        "--max-duration",
        metavar="DURATION",
        help="Start no new rows after this long, such as 30m; the rest stay pending.",
    ),
]
Overwrite = Annotated[
    bool,
    option(
        "--overwrite",
        help="Replace local files that differ from what the PIM has. [default: report them and leave them]",
    ),
]
Carrier = Annotated[
    str | None,
    option(
        "--carrier",
        metavar="IDENTIFIER:ATTRIBUTE",
        help="A value to upload files to first that go to products without identifier; it is restored.",
    ),
]


DryRun = Annotated[bool, option("--dry-run", help="Show what would be done, and do nothing.")]
Yes = Annotated[bool, option("--yes", "-y", help="Do not ask before values are changed.")]
Verify = Annotated[
    bool | None,
    option("--verify/--no-verify", help="Read back every value that was sent. [default: verify]"),
]


class LimitFields(TypedDict):
    """The limits as values: seconds, rows, bytes a second; None: no limit."""

    max_duration: float | None
    max_failures: int | None
    bwlimit: int | None


@frozen
class Limits(OptionGroup):
    """When a run stops starting rows, and how fast it is."""

    heading: ClassVar[str] = "Limits"

    max_duration: MaxDuration = None
    max_failures: Annotated[
        int | None,
        option("--max-failures", metavar="N", min=1, help="Start no new rows after N rows have failed."),
    ] = None
    bwlimit: Annotated[
        str | None,
        option(
            "--bwlimit",
            metavar="RATE",
            help="Bandwidth limit in bytes per second: 5M is 5,000,000, 5Mi is 5,242,880.",
        ),
    ] = None

    def fields(self) -> LimitFields:
        """The same as values. Raises UsageError for what cannot be read."""
        return {
            "max_duration": seconds(self.max_duration),
            "max_failures": self.max_failures,
            "bwlimit": _rate(self.bwlimit),
        }


def seconds(text: str | None) -> float | None:
    """A duration in seconds; None for none. Raises UsageError for one that cannot be read."""
    from ... import units

    return units.duration(text) if text else None


def _rate(text: str | None) -> int | None:
    from ... import units

    return units.rate(text) if text else None


@frozen
class Uploading(OptionGroup):
    """Which rows are sent, and how."""

    heading: ClassVar[str] = "What is sent"

    skip: Annotated[
        Skip,
        option(
            "--skip",
            help="Skip rows that the PIM already has (remote), or that this machine sent before, without "
            "asking the PIM (ledger).",
        ),
    ] = Skip.remote
    drift: Annotated[
        Drift,
        option(
            "--drift",
            help="What to do with a value that this machine set and that was changed in the PIM since.",
        ),
    ] = Drift.overwrite
    checksum: Annotated[
        bool, option("--checksum", help="Compare files by SHA-256, not by size and time.")
    ] = False
    force: Annotated[bool, option("--force", help="Send every row: the same as --skip none.")] = False
    strict: Annotated[bool, option("--strict", help="Send nothing if any row is invalid.")] = False
    no_preflight: Annotated[
        bool,
        option(
            "--no-preflight",
            help="Do not check rows against the PIM's attributes and products first, at your own risk.",
        ),
    ] = False
    share: Annotated[
        bool,
        option(
            "--share/--no-share",
            help="Send a file once that goes to several products or models; the others reuse it.",
        ),
    ] = True
    same_names: Annotated[
        SameNames | None,
        option(
            "--same-names",
            help="Send files of one name side by side, compared byte for byte where they may have met "
            "(overlap), or one by one (serial). [default: overlap]",
        ),
    ] = None
    carrier: Carrier = None
    verify: Verify = None
    dry_run: Annotated[bool, option("--dry-run", help="Show what would be uploaded.")] = False
    link_first: Annotated[
        bool, option("--link-first", help="Put linked assets before those that a collection holds.")
    ] = False
    link_replace: Annotated[
        bool,
        option(
            "--link-replace",
            help="Make the manifest's assets, in its order, the whole collection of each linked product.",
        ),
    ] = False

    def link_mode(self) -> LinkMode:
        """`--link-first` and `--link-replace` as one value. Raises UsageError for both."""
        from ...errors import UsageError
        from ...planning.linking import LinkMode

        if self.link_first and self.link_replace:
            raise UsageError(
                "--link-first and --link-replace cannot be combined",
                "--link-replace already puts the manifest's assets in its order.",
            )
        if self.link_replace:
            return LinkMode.REPLACE
        return LinkMode.FIRST if self.link_first else LinkMode.APPEND

    def skip_policy(self) -> SkipPolicy:
        """`--skip`, `--force`, `--drift` and `--checksum` as one value."""
        from ...planning.unchanged import SkipPolicy

        return SkipPolicy("none" if self.force else self.skip.value, self.drift.value, self.checksum)


class RunFields(TypedDict):
    """What the options of all runs come to: see `jobs.options.RunOptions`."""

    concurrency: int
    retries: int
    timeout: float
    reports: Sequence[str]
    preview: int
    state: Path | None
    no_state: bool


def run_fields(connection: Connection, reporting: Reporting, ledger: Ledgers | None = None) -> RunFields:
    """The fields of `RunOptions` that no command treats in its own way; without `ledger` none is kept."""
    return {
        "concurrency": connection.calls,
        "retries": connection.retries,
        "timeout": connection.timeout,
        "reports": paths(reporting.report),
        "preview": reporting.preview,
        "state": ledger.state if ledger else None,
        "no_state": ledger.no_state if ledger else True,
    }


def check_carrier(shard: tuple[int, int], carrier: str | None) -> None:
    """Raise UsageError for `--carrier` with `--shard`."""
    from ...errors import UsageError

    if carrier is not None and shard[1] > 1:
        raise UsageError(
            "--carrier and --shard cannot be combined: all parts would write to the carrier at once",
            "Upload the products that need a carrier in a run of their own, without --shard.",
        )
