"""`akeneo-media sandbox`: a local PIM to rehearse against, until interrupted."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from ...errors import UsageError
from ...exits import Exit
from ...units import duration
from .. import options as o
from ..terminal.process import unwritable


@o.command(example="akeneo-media sandbox --from spring.csv --port 8000")
def sandbox(
    host: Annotated[str, o.option("--host", metavar="ADDRESS", help="Where to listen.")] = "127.0.0.1",
    port: Annotated[
        int,
        o.option("--port", metavar="N", min=0, max=65535, help="0: any that is free."),
    ] = 0,
    catalog: Annotated[
        Path | None,
        o.option(
            "--catalog",
            metavar="FILE",
            help="Products, attributes and all, in JSON.",
        ),
    ] = None,
    from_: Annotated[
        list[Path] | None,
        o.option("--from", metavar="MANIFEST", help="Invent all that a manifest needs."),
    ] = None,
    data: Annotated[
        Path | None,
        o.option(
            "--data",
            metavar="DIR",
            help="Keep everything here. [default: nothing is kept]",
        ),
    ] = None,
    as_json: Annotated[bool, o.option("--json", help="Print one line: url and credentials.")] = False,
    fault: Annotated[
        list[str] | None,
        o.option("--fault", metavar="NAME=CHANCE", help="Such as 429=0.05; repeatable."),
    ] = None,
    latency: Annotated[
        str,
        o.option("--latency", metavar="DURATION", help="Before each call, such as 80ms."),
    ] = "0",
    save_time: Annotated[
        str,
        o.option("--save-time", metavar="DURATION", help="How long a save takes."),
    ] = "10ms",
    max_concurrency: Annotated[
        int | None,
        o.option(
            "--max-concurrency",
            metavar="N",
            min=1,
            help="More at once get 429.",
        ),
    ] = None,
    token_ttl: Annotated[
        str,
        o.option("--token-ttl", metavar="DURATION", help="How long a token lives."),
    ] = "1h",  # noqa: S107 - no password, a time
    down_after: Annotated[
        int | None,
        o.option("--down-after", metavar="CALLS", min=0, help="503 from then on."),
    ] = None,
    down_for: Annotated[
        str | None,
        o.option("--down-for", metavar="DURATION", help="How long that lasts."),
    ] = None,
    deadlock: Annotated[
        float,
        o.option(
            "--deadlock",
            metavar="CHANCE",
            min=0,
            max=1,
            help="Of a 500 after the commit, for two saves at once in one tree of models.",
        ),
    ] = 0.0,
    search_lag: Annotated[
        str,
        o.option(
            "--search-lag",
            metavar="DURATION",
            help="Search finds nothing younger.",
        ),
    ] = "0",
    code_clock_step: Annotated[
        str,
        o.option(
            "--code-clock-step",
            metavar="DURATION",
            help="How long the clock in media codes stands still: same-named uploads collide.",
        ),
    ] = "0",
    pam: Annotated[
        bool,
        o.option("--pam", help="With the routes of the old PAM (PIM 2.x and 3.x)."),
    ] = False,
    edition: Annotated[
        str,
        o.option("--edition", help="ce, or ee with assets, records and categories."),
    ] = "ce",
    php: Annotated[
        str,
        o.option("--php", help="8.2 or 8.4: they find other types in some files, and refuse them."),
    ] = "8.2",
    seed: Annotated[int | None, o.option("--seed", metavar="N", help="Makes faults repeatable.")] = None,
) -> None:
    """Serve a local PIM until interrupted: to rehearse manifests, to test pipelines. It is not a real PIM."""
    from ...sandbox import CatalogueError, SandboxMissing, SandboxOptions, parse_faults, serve
    from ..session import rehearsal

    if catalog is not None and from_:
        raise UsageError("--catalog and --from cannot both say what the sandbox holds", "give one of them")
    if edition not in ("ce", "ee"):
        raise UsageError(f"there is no edition {edition!r}", "ce or ee")
    if php not in ("8.2", "8.4"):
        raise UsageError(f"Unknown PHP version {php!r}", "Use 8.2 or 8.4.")
    try:
        faults = parse_faults(fault or [])
    except ValueError as error:
        raise UsageError(f"--fault: {error}") from None
    options = SandboxOptions(
        faults=faults,
        latency=_seconds(latency),
        save_time=_seconds(save_time),
        max_concurrency=max_concurrency,
        token_ttl=duration(token_ttl),
        down_after=down_after,
        down_for=duration(down_for) if down_for else None,
        deadlock=deadlock,
        search_lag=_seconds(search_lag),
        code_clock_step=max(_seconds(code_clock_step), 1e-6),
        edition=edition,
        pam=pam,
        php="8.4" if php == "8.4" else "8.2",
        seed=seed,
    )
    try:
        holds = _catalogue(catalog, o.paths(from_), rehearsal)
        serve(
            holds,
            host=host,
            port=port,
            data=data,
            options=options,
            announce=lambda running: _announce(running, as_json),
        )
    except SandboxMissing:
        raise UsageError(rehearsal.MISSING, rehearsal.HOW_TO_INSTALL) from None
    except CatalogueError as error:
        raise UsageError(f"--catalog {catalog}: {error}", "docs/sandbox.md shows its shape") from None
    except OSError as error:
        raise UsageError(
            f"cannot listen on {host}:{port}: {error.strerror or error}", "try --port 0"
        ) from None
    raise typer.Exit(Exit.OK)


def _seconds(text: str) -> float:
    return 0.0 if text.strip() in ("0", "0s", "0ms") else duration(text)


def _catalogue(catalog: Path | None, manifests: list[str], rehearsal: Any) -> Any:
    if catalog is not None:
        try:
            return json.loads(catalog.read_text(encoding="utf-8"))
        except OSError as error:
            raise UsageError(
                f"--catalog {catalog}: {error.strerror}", "name a file that can be read"
            ) from None
        except ValueError as error:
            raise UsageError(
                f"--catalog {catalog} is not JSON: {error}", "docs/sandbox.md shows its shape"
            ) from None
    if manifests:
        from ...planning.options import ManifestOptions
        from ...sandbox import invent

        return invent(rehearsal.needs(ManifestOptions(manifests), sys.stdin.buffer))
    return None


def _announce(running: Any, as_json: bool) -> None:
    try:
        _introduce(running, as_json)
    except OSError as error:
        # Nobody would know how to reach it. Not left as it is: that would say that it cannot listen.
        raise unwritable(error) from None


def _introduce(running: Any, as_json: bool) -> None:
    """Tell how to reach it: on standard output, as it is what was asked for."""
    if as_json:
        typer.echo(json.dumps(running.description()))
        return
    who = running.credentials
    typer.echo(f"# A sandbox, no PIM: {running.url} shows what arrived. Ctrl-C ends it.")
    for name, value in (
        ("URL", running.url),
        ("CLIENT_ID", who.client_id),
        ("CLIENT_SECRET", who.client_secret),
        ("USERNAME", who.username),
        ("PASSWORD", who.password),
    ):
        typer.echo(f"export AKENEO_{name}={value}")
