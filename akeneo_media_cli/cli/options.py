"""The options that commands share, named once. Each is an environment variable too."""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from . import completion

if TYPE_CHECKING:
    from ..storage.links import LinkOptions

CONNECTION = "Connection"
MANIFEST = "Manifest"
RUNNING = "Running"
SAFETY = "What is sent"
OUTPUT = "Output"


class Skip(StrEnum):
    """Which rows need not be sent."""

    ledger = "ledger"
    remote = "remote"
    none = "none"


class ProgressMode(StrEnum):
    """How the run is shown."""

    auto = "auto"
    rich = "rich"
    plain = "plain"
    json = "json"
    none = "none"


class LogForm(StrEnum):
    """How log lines are written."""

    text = "text"
    json = "json"


class Format(StrEnum):
    """What a manifest is written in."""

    csv = "csv"
    tsv = "tsv"
    yaml = "yaml"
    json = "json"
    jsonl = "jsonl"
    xlsx = "xlsx"
    akeneo = "akeneo"


VARIABLES: set[str] = set()
"""Every variable that stands for an option."""


def env(name: str) -> str:
    """The environment variable of an option: `--max-duration` is AKENEO_MEDIA_MAX_DURATION."""
    variable = "AKENEO_MEDIA_" + name.lstrip("-").replace("-", "_").upper()
    VARIABLES.add(variable)
    return variable


PAIRS = frozenset({env("share"), env("recursive")})
"""The variables of options that have a `--no-` form, which is a variable too."""


def listed(text: str | None) -> list[str]:
    """The names in an option that takes several, with commas between them."""
    return [name.strip() for name in (text or "").split(",") if name.strip()]


def names(paths: list[Path] | None) -> list[str]:
    """An option's paths as they were written."""
    return [str(path) for path in paths or ()]


def links(allow_remote: bool, remote_host: list[str] | None, max_temp: str) -> LinkOptions:
    """What the three options say of links. Raises UsageError for a size that is none."""
    from .. import units
    from ..storage.links import LinkOptions

    return LinkOptions(allow_remote, tuple(remote_host or ()), units.size(max_temp))


def part(shard: str | None, carrier: str | None) -> tuple[int, int]:
    """Which part of how many `--shard` names. Raises UsageError for one that is none, or with `--carrier`."""
    from .. import units
    from ..errors import UsageError

    found = units.shard(shard, os.environ) if shard else (1, 1)
    if carrier is not None and found[1] > 1:
        raise UsageError(
            "--carrier and --shard do not go together: all parts would write to the carrier at once",
            "Upload the products that need a carrier by a run of its own, without --shard.",
        )
    return found


Manifests = Annotated[
    list[str],
    typer.Argument(
        metavar="MANIFEST...",
        help="Files that list what goes where; - is standard input.",
        autocompletion=completion.manifests,
    ),
]
EnvFile = Annotated[
    Path | None,
    typer.Option(
        "--env-file", metavar="FILE", envvar=env("env-file"), help="Read settings from FILE, not .env."
    ),
]
Sandbox = Annotated[
    bool,
    typer.Option(
        "--sandbox",
        envvar=env("sandbox"),
        help="Rehearse against a throw-away local PIM that has all the manifest names.",
    ),
]
Root = Annotated[
    list[Path] | None,
    typer.Option(
        "--root",
        metavar="DIR",
        envvar=env("root"),
        help="Where relative file paths start; repeatable, first hit wins. [default: the manifest's folder]",
    ),
]
AllowOutsideRoot = Annotated[
    bool,
    typer.Option(
        "--allow-outside-root",
        envvar=env("allow-outside-root"),
        help="Take files that lie outside every root: absolute paths, .., links.",
    ),
]
AllowRemote = Annotated[
    bool,
    typer.Option(
        "--allow-remote",
        envvar=env("allow-remote"),
        help="Follow links that stand in place of files: https, s3, gs, sftp.",
    ),
]
RemoteHost = Annotated[
    list[str] | None,
    typer.Option(
        "--remote-host",
        metavar="HOST",
        envvar=env("remote-host"),
        help="A host that https links may lead to, *.example.com for all below one; also an address or "
        "network of your own (10.1.2.0/24), which no link may lead to otherwise; repeatable.",
    ),
]
MaxTemp = Annotated[
    str,
    typer.Option(
        "--max-temp",
        metavar="SIZE",
        envvar=env("max-temp"),
        help="Room on disk for files whose length their link does not tell, in all.",
    ),
]
ManifestFormat = Annotated[
    Format | None,
    typer.Option(
        "--format",
        envvar=env("format"),
        help="What the manifest is written in. [default: by suffix; standard input: by content]",
    ),
]
Sheet = Annotated[
    str | None,
    typer.Option(
        "--sheet",
        metavar="NAME",
        envvar=env("sheet"),
        help="Which sheet of a spreadsheet to read. [default: the first]",
    ),
]
Columns = Annotated[
    str | None,
    typer.Option(
        "--columns",
        metavar="A,B",
        envvar=env("columns"),
        help="Columns of the PIM's own export layout that hold media. [default: ask the PIM]",
    ),
]
Set = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        envvar=env("set"),
        help="A value for a column that a row leaves empty, such as attribute=picture; repeatable.",
    ),
]
Concurrency = Annotated[
    int,
    typer.Option(
        "--concurrency",
        metavar="N",
        min=1,
        max=64,
        envvar=env("concurrency"),
        help="Calls in flight at once.",
    ),
]
Retries = Annotated[
    int,
    typer.Option(
        "--retries", metavar="N", min=0, max=100, envvar=env("retries"), help="Tries after the first."
    ),
]
Timeout = Annotated[
    float,
    typer.Option(
        "--timeout",
        metavar="SECONDS",
        min=0.1,
        envvar=env("timeout"),
        help="Silence after which a call is given up.",
    ),
]
MaxDuration = Annotated[
    str | None,
    typer.Option(
        "--max-duration",
        metavar="DURATION",
        envvar=env("max-duration"),
        help="Start no more rows after this long, such as 30m; the rest stay pending.",
    ),
]
MaxFailures = Annotated[
    int | None,
    typer.Option(
        "--max-failures",
        metavar="N",
        min=1,
        envvar=env("max-failures"),
        help="Start no more rows after N have failed.",
    ),
]
BwLimit = Annotated[
    str | None,
    typer.Option(
        "--bwlimit",
        metavar="RATE",
        envvar=env("bwlimit"),
        help="Bytes a second in all: 5M is 5,000,000, 5Mi is 5,242,880.",
    ),
]
SkipMode = Annotated[
    Skip,
    typer.Option(
        "--skip",
        envvar=env("skip"),
        help="Leave out what this machine sent before (ledger), or what the PIM holds (remote).",
    ),
]
Force = Annotated[bool, typer.Option("--force", envvar=env("force"), help="Send every row: --skip none.")]
Strict = Annotated[
    bool,
    typer.Option("--strict", envvar=env("strict"), help="Send nothing if any row is invalid."),
]
NoPreflight = Annotated[
    bool,
    typer.Option(
        "--no-preflight",
        envvar=env("no-preflight"),
        help="Do not ask the PIM about attributes and products first, at your own risk.",
    ),
]
Share = Annotated[
    bool,
    typer.Option(
        "--share/--no-share",
        envvar=env("share"),
        help="Send a file that goes to several products or models once, and give the others its code.",
    ),
]
Carrier = Annotated[
    str | None,
    typer.Option(
        "--carrier",
        metavar="IDENTIFIER:ATTRIBUTE",
        envvar=env("carrier"),
        help="Where a file for a product without identifier goes up first; its own value is put back.",
    ),
]
Rename = Annotated[
    str | None,
    typer.Option(
        "--rename",
        metavar="TEMPLATE",
        envvar=env("rename"),
        help="The name that the PIM is to show, such as {product}-{filename}.",
    ),
]
Verify = Annotated[
    bool,
    typer.Option("--verify", envvar=env("verify"), help="Read every value back at the end."),
]
DryRun = Annotated[
    bool,
    typer.Option("--dry-run", envvar=env("dry-run"), help="Do everything but send."),
]
Shard = Annotated[
    str | None,
    typer.Option("--shard", metavar="I/N", envvar=env("shard"), help="Only the I-th of N parts of the rows."),
]
Report = Annotated[
    list[Path] | None,  # Paths, as those are what a variable has `:` between.
    typer.Option(
        "--report",
        metavar="FILE",
        envvar=env("report"),
        help="Write a report: .json, .jsonl, .csv, .xml (JUnit), .md or .html; - is JSON on standard output.",
        autocompletion=completion.reports,
    ),
]
Progress = Annotated[
    ProgressMode,
    typer.Option(
        "--progress",
        envvar=env("progress"),
        help="How the run is shown; auto: rich on a terminal, else plain.",
    ),
]
State = Annotated[
    Path | None,
    typer.Option(
        "--state",
        metavar="FILE",
        envvar=env("state"),
        help="The ledger: what was sent where. [default: one file a PIM in the user's state folder]",
    ),
]
NoState = Annotated[
    bool,
    typer.Option("--no-state", envvar=env("no-state"), help="Keep no ledger: remember nothing of this run."),
]
LogFile = Annotated[
    Path | None,
    typer.Option("--log-file", metavar="FILE", envvar=env("log-file"), help="Write the log to FILE as well."),
]
LogFormat = Annotated[
    LogForm, typer.Option("--log-format", envvar=env("log-format"), help="How log lines are written.")
]
Verbose = Annotated[
    int,
    typer.Option(
        "-v", "--verbose", count=True, envvar=env("verbose"), help="Say more; -vv: every request to the PIM."
    ),
]
Quiet = Annotated[bool, typer.Option("-q", "--quiet", envvar=env("quiet"), help="Say nothing but errors.")]
MetricsFile = Annotated[
    Path | None,
    typer.Option(
        "--metrics-file",
        metavar="FILE",
        envvar=env("metrics-file"),
        help="Write figures for Prometheus' node_exporter (text format).",
    ),
]
Overwrite = Annotated[
    bool,
    typer.Option(
        "--overwrite",
        envvar=env("overwrite"),
        help="Replace files that differ from what the PIM holds; else they are told of and left alone.",
    ),
]
