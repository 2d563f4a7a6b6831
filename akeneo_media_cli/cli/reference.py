"""The command reference, made from the commands themselves: `python -m akeneo_media_cli.cli.reference`."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator
from enum import Enum
from typing import Any, get_args, get_type_hints

import typer
from typer.models import ArgumentInfo, OptionInfo

from .options import env

_HEAD = """# Commands and options

Made from the program itself (`python -m akeneo_media_cli.cli.reference > docs/commands.md`); a test holds
the two together. Every option is an environment variable too. The command line goes before the
environment, and that before `.env`. An option that may be given several times takes several values from
its variable, separated by spaces (paths: by `:`, on Windows by `;`). A switch is 1 or 0; the variables of a
pair such as `--share` and `--no-share` must not contradict each other.

`akeneo-media --install-completion` teaches the shell (bash, zsh, fish, PowerShell) to complete commands,
options and their values: report suffixes, formats, the ids of runs. `--show-completion` shows what it adds.
"""


def reference() -> str:
    """The whole reference in Markdown."""
    from .app import application

    return _HEAD + "".join(
        _section(path, callback) for path, callback in sorted(commands(application(), "akeneo-media"))
    )


def commands(app: typer.Typer, path: str) -> Iterator[tuple[str, Callable[..., Any]]]:
    """Every command by how it is called, with the function behind it."""
    for command in app.registered_commands:
        if command.callback is not None:
            yield f"{path} {command.name or command.callback.__name__}", command.callback
    for group in app.registered_groups:
        if group.typer_instance is not None:
            yield from commands(group.typer_instance, f"{path} {group.name}")


def _section(path: str, callback: Callable[..., Any]) -> str:
    hints = get_type_hints(callback, include_extras=True)
    arguments, options = [], []
    for name, parameter in inspect.signature(callback).parameters.items():
        kind, info = get_args(hints[name])[:2]
        if isinstance(info, ArgumentInfo):
            arguments.append((info.metavar or name.upper(), info.help or ""))
        elif isinstance(info, OptionInfo) and not info.hidden:
            options.append(_option(name, kind, info, parameter.default))
    lines = [f"\n## `{path}`\n", " ".join([path, "[OPTIONS]", *(name for name, _ in arguments)])]
    lines[1] = f"```text\n{lines[1]}\n```\n"
    paragraphs = inspect.getdoc(callback) or ""
    lines.append("\n\n".join(" ".join(part.split()) for part in paragraphs.split("\n\n")) + "\n")
    if arguments or options:
        lines.append("| | | variable |\n|---|---|---|")
        lines += [f"| `{name}` | {_cell(text)} | |" for name, text in arguments]
        lines += options
    return "\n".join(lines) + "\n"


def _option(name: str, kind: Any, info: OptionInfo, default: Any) -> str:
    # In an annotation Typer keeps the first name where a default would stand.
    declared = [text for text in (info.default, *(info.param_decls or ())) if isinstance(text, str)]
    # Typer makes a pair of a switch that is given no names.
    plain = f"--{name}/--no-{name}" if kind is bool else f"--{name}"
    names = [part for text in declared or [plain] for part in text.split("/")]
    value = info.metavar or _values(kind)
    flag = kind is bool or info.count
    text = _cell(info.help or "")
    if not (flag or default is None or "[default" in text or default is inspect.Parameter.empty):
        text += f" Default: {default.value if isinstance(default, Enum) else default}."
    shown = ", ".join(f"`{part}`" for part in names) + ("" if flag else f" {_cell(value)}")
    variables = [info.envvar] if isinstance(info.envvar, str) else []
    if variables and any(part.startswith("--no-") for part in names[1:]):
        variables += [env(part) for part in names if part.startswith("--no-")]
    return f"| {shown} | {text} | {', '.join(f'`{variable}`' for variable in variables)} |"


def _values(kind: Any) -> str:
    for each in (kind, *get_args(kind)):
        if inspect.isclass(each) and issubclass(each, Enum):
            return " ".join(str(member.value) for member in each)
    return "VALUE"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


if __name__ == "__main__":
    sys.stdout.write(reference())
