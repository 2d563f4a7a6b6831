"""The command reference, generated from the commands: `python -m akeneo_media_cli.cli.reference`."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator
from enum import Enum
from typing import Any, get_args, get_type_hints

import typer
from typer.models import ArgumentInfo, OptionInfo

from .options.variables import variable

_HEAD = """# Commands and options

Generated from the program itself (`python -m akeneo_media_cli.cli.reference > docs/commands.md`); a test
keeps the two together. Every option can also be set by an environment variable. The command line
overrides the environment, and the environment overrides `.env`. A repeatable option takes several values
from its variable, separated by spaces (paths by `:`, on Windows by `;`). A flag is 1 or 0; the variables of
a pair such as `--share` and `--no-share` must not contradict each other.

`akeneo-media --install-completion` sets up completion for your shell (bash, zsh, fish, PowerShell): commands,
options, report and manifest formats, the ids of runs. `--show-completion` shows the script.
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
    arguments: list[tuple[str, str]] = []
    options: dict[str, list[str]] = {"": []}
    for name, parameter in inspect.signature(callback).parameters.items():
        kind, info = get_args(hints[name])[:2]
        if isinstance(info, ArgumentInfo):
            arguments.append((info.metavar or name.upper(), info.help or ""))
        elif isinstance(info, OptionInfo) and not info.hidden:
            heading = info.rich_help_panel or ""
            options.setdefault(heading, []).append(_option(name, kind, info, parameter.default))
    usage = " ".join([path, "[OPTIONS]", *(name for name, _ in arguments)])
    paragraphs = (inspect.getdoc(callback) or "").split("\n\n")
    lines = [f"\n## `{path}`\n", f"```text\n{usage}\n```\n"]
    lines += [" ".join(part.split()) + "\n" for part in paragraphs]
    lines.append(f"```bash\n{getattr(callback, 'example', '')}\n```\n")
    rows = [f"| `{name}` | {_cell(text)} | |" for name, text in arguments]
    for heading, declared in options.items():
        rows += ([f"| **{heading}** | | |"] if heading else []) + declared
    if rows:
        lines += ["| | | variable |\n|---|---|---|", *rows]
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
        variables += [variable(part) for part in names if part.startswith("--no-")]
    return f"| {shown} | {text} | {', '.join(f'`{each}`' for each in variables)} |"


def _values(kind: Any) -> str:
    for each in (kind, *get_args(kind)):
        if inspect.isclass(each) and issubclass(each, Enum):
            return " ".join(str(member.value) for member in each)
    return "VALUE"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


if __name__ == "__main__":
    sys.stdout.write(reference())
