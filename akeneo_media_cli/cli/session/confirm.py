"""Asking the user before something is changed that is not easily seen."""

from __future__ import annotations

import sys
from collections.abc import Callable

import typer

from ...errors import UsageError


def confirmation(*, yes: bool) -> Callable[[str], bool] | None:
    """What asks on the terminal; None with `--yes`. Raises UsageError without a terminal."""
    if yes:
        return None
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError(
            "this command asks before it changes values, and there is no terminal to ask on",
            "Look with --dry-run first, then add --yes.",
        )
    return lambda question: typer.confirm(question, err=True)
