"""Which PIM a command talks to, and how."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, ClassVar

from ...frozen import frozen
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


@frozen
class Settings(OptionGroup):
    """Where the address and the credentials come from."""

    heading: ClassVar[str] = "Connection"

    env_file: EnvFile = None


@frozen
class Calls(Settings):
    """How requests are sent one after another. `timeout` in seconds; `retries` after the first attempt."""

    timeout: Timeout = 60.0
    retries: Annotated[
        int,
        option("--retries", metavar="N", min=0, max=100, help="How often a temporary error is retried."),
    ] = 5


@frozen
class Connection(Calls):
    """How requests are sent in parallel."""

    concurrency: Annotated[
        str,
        option(
            "--concurrency",
            metavar="N",
            help="How many requests run in parallel: a number up to 64, or auto to let uploads find how many "
            "the PIM can take (auto:8: at most 8; else 10).",
        ),
    ] = "4"

    @property
    def calls(self) -> int:
        """How many requests run in parallel where the number is not sought. Raises UsageError."""
        sought = self.sought
        return min(_USUAL, sought) if sought else _number(self.concurrency, self.concurrency)

    @property
    def sought(self) -> int | None:
        """The most that may run while uploads seek the number; None: it is given. Raises UsageError."""
        word, colon, most = self.concurrency.strip().lower().partition(":")
        if word != "auto":
            return None
        return _number(most, self.concurrency) if colon else _SOUGHT


_USUAL = 4
_SOUGHT = 10
_MOST = 64


def _number(text: str, given: str) -> int:
    number = int(text) if text.strip().isascii() and text.strip().isdigit() and len(text) < 9 else 0
    if not 1 <= number <= _MOST:
        from ...errors import UsageError

        raise UsageError(
            f"--concurrency {given!r} is not a number from 1 to {_MOST}",
            "Give a number such as 4, or auto, or auto:8.",
        )
    return number
