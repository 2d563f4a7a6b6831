"""The command line as a whole: its commands, and what every way out of it looks like."""

from __future__ import annotations

import errno
import os
import sys
from importlib import import_module
from typing import Annotated, Any

import typer

from .. import __version__
from ..console import hush
from ..errors import MediaError, UsageError
from ..exits import Exit
from .options.command import Group, add
from .options.variables import PAIRS, refuse_retired
from .terminal.process import catch_termination, open_streams, say, unwritable, wind_up

_UNWRITABLE = (errno.EBADF, errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)

_COMMANDS = (
    "upload",
    "validate",
    "verify",
    "check",
    "scan",
    "sandbox",
    "demo",
    "fit",
    "download",
    "export",
    "remove",
    "missing",
)
_GROUPS = ("media", "runs", "report")


def application(only: str | None = None) -> typer.Typer:
    """The command line with all its commands, or with `only` one of them ("": none).

    Typer builds every option of every command before it looks which is called: that takes longer than all
    else that `--version` does.
    """
    app = typer.Typer(
        name="akeneo-media",
        cls=Group,
        help="Upload media files into Akeneo PIM: thousands of files, nothing lost, nothing sent twice.",
        no_args_is_help=True,
        # Plain help comes in half the time that rich help takes.
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    )
    app.callback()(main)
    for name in _COMMANDS:
        if only in (None, name):
            add(app, name, getattr(_module(name), name))
    for name in _GROUPS:
        if only in (None, name):
            module = _module(name)
            group = typer.Typer(cls=Group, help=module.__doc__, no_args_is_help=True, rich_markup_mode=None)
            # A callback keeps a group with a single command a group.
            group.callback()(lambda: None)
            for inner, function in module.COMMANDS.items():
                add(group, inner, function)
            app.add_typer(group, name=name)
    return app


def _module(name: str) -> Any:
    return import_module(f".commands.{name}", __package__)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"akeneo-media {__version__}")
        raise typer.Exit


def main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Upload media files into Akeneo PIM: thousands of files, nothing lost, nothing sent twice."""


def _called(arguments: list[str]) -> str | None:
    """The only command that there is need of; None: all, as for a list of them or a slip in a name."""
    if "_AKENEO_MEDIA_COMPLETE" in os.environ or not arguments:
        return None
    if arguments[0] == "--version":
        return ""
    return arguments[0] if arguments[0] in (*_COMMANDS, *_GROUPS) else None


def run() -> None:
    """Run the command line and leave with one of the exit statuses; no traceback reaches the user."""
    try:
        open_streams()
        catch_termination()
        _options_from_surroundings()
        application(_called(sys.argv[1:]))(prog_name="akeneo-media")
    except MediaError as error:
        say(f"error: {error}")
        sys.exit(error.exit_status)
    except KeyboardInterrupt:
        sys.exit(Exit.INTERRUPTED)
    except BrokenPipeError:
        # The reader of our standard output has gone: nothing is left to say to it, not even at exit.
        hush(sys.stdout)
        sys.exit(Exit.ROWS_FAILED)
    except Exception as error:
        if isinstance(error, OSError) and error.filename is None and error.errno in _UNWRITABLE:
            say(f"error: {unwritable(error)}")
            sys.exit(Exit.ROWS_FAILED)
        from .terminal.defect import keep

        say(keep())
        sys.exit(Exit.DEFECT)
    finally:
        wind_up()


def _options_from_surroundings() -> None:
    """Read options from `.env` too; the environment overrides it.

    Raises UsageError for variables that contradict each other.
    """
    arguments = sys.argv[1:]
    if (
        not arguments
        or "--help" in arguments
        or "--version" in arguments
        or "_AKENEO_MEDIA_COMPLETE" in os.environ
    ):
        return
    from pathlib import Path

    from ..settings import affirmed, option_environment

    os.environ.update(affirmed(os.environ, PAIRS, "the environment"))
    named = os.environ.get("AKENEO_MEDIA_ENV_FILE")
    for n, argument in enumerate(arguments):
        if argument == "--env-file" and n + 1 < len(arguments):
            named = arguments[n + 1]
        elif argument.startswith("--env-file="):
            named = argument.partition("=")[2]
    try:
        file = Path(named) if named else None
        options = option_environment(os.environ, file, cwd=Path.cwd(), pairs=PAIRS)
    except UsageError:
        # The command reports it when it reads its settings, with everything else that is wrong.
        return
    refuse_retired(options)
    os.environ.update(options)
