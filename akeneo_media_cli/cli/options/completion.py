"""What the shell may offer for an option or argument; whatever goes wrong, nothing is offered or said."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

import typer

_MOST = 200
_PLAIN = frozenset("/._-+,@%^~")


def manifests(incomplete: str) -> list[str]:
    """Files with a manifest's suffix."""
    from ...manifest.source import SUFFIXES

    return _files(incomplete, tuple(SUFFIXES))


def json_reports(incomplete: str) -> list[str]:
    """Files that may be a report to merge."""
    return _files(incomplete, (".json",))


def reports(incomplete: str) -> list[str]:
    """Names of reports: what is written so far with every suffix that there is."""
    from ...report import FORMATS

    return ["-"] * (not incomplete) + _named(incomplete, "report", FORMATS)


def written_manifests(incomplete: str) -> list[str]:
    """Names of manifests to be written."""
    from ...manifest.write import WRITABLE

    return ["-"] * (not incomplete) + _named(incomplete, "manifest", [f".{format}" for format in WRITABLE])


def runs(ctx: typer.Context, incomplete: str) -> list[str]:
    """Ids of the runs in the ledger that the command would ask; for `retry` those of uploads."""
    try:
        return _runs(ctx.params, incomplete, "upload" if ctx.info_name == "retry" else None)
    except Exception:  # no settings, no ledger, a damaged one: the command itself reports it
        return []


def _runs(params: Mapping[str, object], incomplete: str, command: str | None) -> list[str]:
    from ...ledger.peek import run_ids

    state, env_file = params.get("state"), params.get("env_file")
    if isinstance(state, (str, Path)):
        path = Path(state).expanduser()
    else:
        from ...ledger import default_path
        from ...settings import load_url

        named = Path(env_file) if isinstance(env_file, (str, Path)) else None
        path = default_path(load_url(os.environ, named, cwd=Path.cwd()))
    return [*(["last"] * "last".startswith(incomplete)), *run_ids(path, incomplete, command=command)]


def _named(incomplete: str, default: str, suffixes: Iterable[str]) -> list[str]:
    stem, dot, _ = incomplete.rpartition(".")
    whole = incomplete if os.path.basename(incomplete) else f"{incomplete}{default}"  # noqa: PTH119 - text, not a path
    # `out.j` may become out.json; the dot of `my.report` begins no suffix.
    begun = [f"{stem}{suffix}" for suffix in suffixes if dot and f"{stem}{suffix}".startswith(incomplete)]
    return [*_folders(incomplete), *(begun or [f"{whole}{suffix}" for suffix in suffixes])]


def _files(incomplete: str, suffixes: tuple[str, ...]) -> list[str]:
    found = [entry for entry in _entries(incomplete) if entry.lower().endswith(suffixes)]
    # Without any, the shell offers what it finds itself.
    return [*_folders(incomplete), *found] if found else []


def _folders(incomplete: str) -> list[str]:
    return [entry for entry in _entries(incomplete) if entry.endswith("/")]


def _entries(incomplete: str) -> list[str]:
    """What is in the folder that is being typed, folders with a `/`; nothing if a name needs quoting.

    What we offer stands on the command line as it is; the shell quotes only what it finds itself.
    """
    folder, beginning = os.path.split(incomplete)
    try:
        with os.scandir(folder or ".") as listed:
            entries = [
                os.path.join(folder, entry.name) + ("/" if entry.is_dir() else "")  # noqa: PTH118
                for entry in listed
                if entry.name.startswith(beginning) and (beginning or not entry.name.startswith("."))
            ]
    except (OSError, ValueError):
        return []
    plain = all(c.isalnum() or c in _PLAIN for entry in entries for c in entry)
    return sorted(entries)[:_MOST] if plain else []
