"""One option: its names, its help, and the environment variable that sets it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import typer

from ...errors import UsageError

OPTION_VARIABLES: set[str] = set()
"""The environment variables of all options declared so far."""


def variable(name: str) -> str:
    """The environment variable of an option: `--max-duration` is AKENEO_MEDIA_MAX_DURATION."""
    return "AKENEO_MEDIA_" + name.lstrip("-").replace("-", "_").upper()


RETIRED = {
    "AKENEO_MEDIA_FORMAT": "AKENEO_MEDIA_MANIFEST_FORMAT (the format of the manifest that is read), "
    "AKENEO_MEDIA_SCAN_FORMAT and AKENEO_MEDIA_EXPORT_FORMAT (of the one that is written) or "
    "AKENEO_MEDIA_LIST_FORMAT (of `media list`)",
    "AKENEO_MEDIA_OUTPUT": "AKENEO_MEDIA_SCAN_OUTPUT, AKENEO_MEDIA_EXPORT_OUTPUT or "
    "AKENEO_MEDIA_REPORT_OUTPUT",
}
"""Variables that meant something else to each command, and what replaces them."""

PAIRS = frozenset({variable("share"), variable("recursive"), variable("verify")})
"""The variables of options that have a `--no-` form, which is a variable too."""


def option(*names: str, help: str, sets: str = "", **settings: Any) -> Any:
    """Declare an option for `Annotated`; `names` and `settings` as `typer.Option` takes them.

    `sets`: the name whose variable sets it, where other commands have an option of the same name that means
    something else.
    """
    long = sets or next(name for name in names if name.startswith("--")).partition("/")[0]
    OPTION_VARIABLES.add(variable(long))
    # Help says once that every option has a variable, not at each of them.
    return typer.Option(*names, help=help, envvar=variable(long), show_envvar=False, **settings)


def refuse_retired(environ: Mapping[str, str]) -> None:
    """Raises UsageError for a variable that is retired."""
    for name, instead in RETIRED.items():
        if environ.get(name):
            raise UsageError(
                f"{name} is not a variable any more: it meant something else to each command",
                f"Set {instead}.",
            )


def paths(given: Sequence[Path] | None) -> list[str]:
    """The paths of an option as they were written."""
    return [str(path) for path in given or ()]
