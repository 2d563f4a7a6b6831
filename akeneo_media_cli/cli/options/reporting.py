"""What a run shows, reports, logs and remembers."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, ClassVar

from ...frozen import frozen
from . import completion
from .command import OptionGroup
from .variables import option


class ProgressMode(StrEnum):
    """How the run is shown."""

    auto = "auto"
    rich = "rich"
    plain = "plain"
    json = "json"
    none = "none"


class LogForm(StrEnum):
    """The format of log lines."""

    text = "text"
    json = "json"


Report = Annotated[
    list[Path] | None,  # Paths, because their variable separates them by `:`.
    option(
        "--report",
        metavar="FILE",
        help="Write a report: .json, .jsonl, .csv, .xml (JUnit), .md or .html; - is JSON on standard output; "
        "repeatable.",
        autocompletion=completion.reports,
    ),
]
Progress = Annotated[
    ProgressMode,
    option("--progress", help="How progress is shown; auto: rich on a terminal, else plain."),
]


@frozen
class Reporting(OptionGroup):
    """What a run shows and writes about itself."""

    heading: ClassVar[str] = "Reports"

    report: Report = None
    metrics_file: Annotated[
        Path | None,
        option("--metrics-file", metavar="FILE", help="Write metrics for Prometheus' node_exporter."),
    ] = None
    rejects: Annotated[
        Path | None,
        option(
            "--rejects",
            metavar="FILE",
            help="Write the rows that are invalid or failed as a manifest with a column error, to fix and "
            "run again.",
        ),
    ] = None
    progress: Progress = ProgressMode.auto
    preview: Annotated[
        int,
        option(
            "--preview",
            metavar="N",
            min=0,
            help="Show at most N changes as pictures in an HTML report, old beside new; 0 shows none.",
        ),
    ] = 500


@frozen
class LedgerFile(OptionGroup):
    """Which ledger is read."""

    heading: ClassVar[str] = "Ledger"

    state: Annotated[
        Path | None,
        option(
            "--state",
            metavar="FILE",
            help="The ledger, which remembers what was sent where. [default: a file per PIM in the user's "
            "state folder]",
        ),
    ] = None


@frozen
class Ledgers(LedgerFile):
    """Where a run is remembered, if it is."""

    no_state: Annotated[bool, option("--no-state", help="Keep no ledger: remember nothing of this run.")] = (
        False
    )


@frozen
class Logging(OptionGroup):
    """What is logged, and where."""

    heading: ClassVar[str] = "Logging"

    log_file: Annotated[
        Path | None, option("--log-file", metavar="FILE", help="Write the log to FILE too.")
    ] = None
    log_format: Annotated[LogForm, option("--log-format", help="The format of log lines.")] = LogForm.text
    verbose: Annotated[
        int, option("-v", "--verbose", count=True, help="Show more; -vv shows every request to the PIM.")
    ] = 0
    quiet: Annotated[bool, option("-q", "--quiet", help="Show only errors.")] = False
