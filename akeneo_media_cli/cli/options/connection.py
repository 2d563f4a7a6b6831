"""Which PIM a command talks to, and how."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar

from .command import OptionGroup
from .variables import option

EnvFile = Annotated[
    Path | None,
    option(
        "--env-file",
        metavar="FILE",
        help="Read settings from FILE instead of .env; it overrides environment variables.",
    ),
]
Sandbox = Annotated[
    bool,
    option(
        "--sandbox",
        help="Use a temporary local PIM that has everything the manifest names.",
    ),
]
Timeout = Annotated[
    float,
    option("--timeout", metavar="SECONDS", min=0.1, help="Request timeout: seconds without an answer."),
]


@dataclass(frozen=True)
class Settings(OptionGroup):
    """Where the address and the credentials come from."""

    heading: ClassVar[str] = "Connection"

    env_file: EnvFile = None


@dataclass(frozen=True)
class Calls(Settings):
    """How requests are sent one after another. `timeout` in seconds; `retries` after the first attempt."""

    timeout: Timeout = 60.0
    retries: Annotated[
        int,
        option("--retries", metavar="N", min=0, max=100, help="How often a temporary error is retried."),
    ] = 5


@dataclass(frozen=True)
class Connection(Calls):
    """How requests are sent in parallel."""

    concurrency: Annotated[
        int,
        option("--concurrency", metavar="N", min=1, max=64, help="How many requests run in parallel."),
    ] = 4
