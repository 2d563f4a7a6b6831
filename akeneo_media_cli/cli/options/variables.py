"""One option: its names, its help, and the environment variable that sets it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer

OPTION_VARIABLES: set[str] = set()
"""The environment variables of all options declared so far."""


def variable(name: str) -> str:
    """The environment variable of an option: `--max-duration` is AKENEO_MEDIA_MAX_DURATION."""
    return "AKENEO_MEDIA_" + name.lstrip("-").replace("-", "_").upper()


PAIRS = frozenset({variable("share"), variable("recursive")})
"""The variables of options that have a `--no-` form, which is a variable too."""


def option(*names: str, help: str, **settings: Any) -> Any:
    """Declare an option for `Annotated`; `names` and `settings` as `typer.Option` takes them."""
    long = next(name for name in names if name.startswith("--")).partition("/")[0]
    OPTION_VARIABLES.add(variable(long))
    # Help says once that every option has a variable, not at each of them.
    return typer.Option(*names, help=help, envvar=variable(long), show_envvar=False, **settings)


def paths(given: Sequence[Path] | None) -> list[str]:
    """The paths of an option as they were written."""
    return [str(path) for path in given or ()]
