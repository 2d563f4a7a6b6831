"""Commands whose signatures name groups of options; `--help` shows each group under its heading."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from copy import copy
from dataclasses import Field, fields
from enum import Enum
from functools import cache, wraps
from math import inf
from pathlib import Path
from typing import Annotated, Any, ClassVar, TypeVar, cast, get_args, get_type_hints

import typer
from typer.core import TyperCommand, TyperGroup

from ...frozen import frozen

Function = TypeVar("Function", bound=Callable[..., Any])

_VARIABLES = "Every option can be set by an environment variable: --dry-run by AKENEO_MEDIA_DRY_RUN=1."


@frozen
class OptionGroup:
    """Base of the groups: a dataclass whose fields are `Annotated` options with their defaults."""

    heading: ClassVar[str] = "Options"

    @classmethod
    @cache  # Many commands have the same groups.
    def parameters(cls) -> tuple[inspect.Parameter, ...]:
        """The options as Typer reads them from a function's signature."""
        hints = get_type_hints(cls, include_extras=True)
        return tuple(_parameter(each, hints[each.name], cls.heading) for each in fields(cls))


def _parameter(field: Field[Any], hint: Any, heading: str) -> inspect.Parameter:
    kind, option = get_args(hint)
    # A copy, because commands also use some of these options outside of their group.
    option = copy(option)
    option.rich_help_panel = heading
    return inspect.Parameter(
        field.name, inspect.Parameter.KEYWORD_ONLY, default=field.default, annotation=Annotated[kind, option]
    )


def command(*, example: str) -> Callable[[Function], Function]:
    """Let a function be a command: a parameter that is an `OptionGroup` stands for all its options."""

    def decorate(function: Function) -> Function:
        groups: dict[str, type[OptionGroup]] = {}
        parameters: list[inspect.Parameter] = []
        hints = get_type_hints(function, include_extras=True)
        for name, parameter in inspect.signature(function).parameters.items():
            hint = hints[name]
            if inspect.isclass(hint) and issubclass(hint, OptionGroup):
                groups[name] = hint
                parameters.extend(hint.parameters())
            else:
                parameters.append(parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY, annotation=hint))

        @wraps(function)
        def call(**values: Any) -> Any:
            for name, group in groups.items():
                values[name] = group(**{f.name: values.pop(f.name) for f in fields(group)})
            return function(**values)

        described = cast(Any, call)
        described.__signature__ = inspect.Signature(parameters)
        described.__annotations__ = {each.name: each.annotation for each in parameters}
        described.example = example
        return cast(Function, call)

    return decorate


_PATH_CHECKS = ("exists", "writable", "resolve_path", "allow_dash", "path_type")


def _made(kind: Any, checks: Any, given: Any) -> Any:
    """The value of an option. Raises ValueError where Typer has to look closer: also at what is wrong."""
    if type(given) is kind:
        return given
    if type(given) is not str or checks.parser is not None:
        raise ValueError
    if kind is Path and not any(getattr(checks, name) for name in _PATH_CHECKS):
        return Path(given)
    if kind is bool and given in ("0", "1"):
        return given == "1"
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind(given)
    if kind in (int, float) and not checks.clamp:
        value = kind(given)
        lowest = -inf if checks.min is None else checks.min
        highest = inf if checks.max is None else checks.max
        if lowest <= value <= highest:
            return value
    raise ValueError


def _spare_pydantic(parameter: Any) -> None:
    """Convert plain values here: Typer would load pydantic for it, a fifth of the time of a short upload."""
    descriptor = getattr(parameter, "type_descriptor", None)
    if descriptor is None:
        return
    many = parameter.multiple or parameter.nargs == -1
    kind = get_args(descriptor.annotation)[0] if many else descriptor.annotation
    checks = descriptor.parameter_info
    convert = parameter.process_value

    def process(ctx: Any, value: Any) -> Any:
        if parameter.required and not value:
            return convert(ctx, value)
        try:
            if many:
                value = [_made(kind, checks, each) for each in value] if value else ()
            elif value is not None:
                value = _made(kind, checks, value)
        except ValueError:
            return convert(ctx, value)
        return value if parameter.callback is None else parameter.callback(ctx, parameter, value)

    parameter.process_value = process


def add(app: typer.Typer, name: str, function: Callable[..., Any]) -> None:
    """Make a decorated function the command `name` of `app`."""
    app.command(name, cls=GroupedCommand, epilog=cast(Any, function).example)(function)


class Group(TyperGroup):
    """Commands under one name."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """As Typer does, but see `_spare_pydantic`."""
        for parameter in self.get_params(ctx):
            _spare_pydantic(parameter)
        return super().parse_args(ctx, args)


class GroupedCommand(TyperCommand):
    """A command whose help is plain text, which comes in half the time that Typer's boxes take."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """As Typer does, but see `_spare_pydantic`."""
        for parameter in self.get_params(ctx):
            _spare_pydantic(parameter)
        return super().parse_args(ctx, args)

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the options under the headings of their groups, those of this command alone first."""
        sections: dict[str, list[tuple[str, str]]] = {"Arguments": [], "Options": []}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None:
                default = "Arguments" if parameter.param_type_name == "argument" else "Options"
                heading = getattr(parameter, "rich_help_panel", None) or default
                sections.setdefault(heading, []).append(record)
        # `--help` itself comes last.
        sections["Options"] = sections.pop("Options")
        for heading, records in sections.items():
            if records:
                with formatter.section(heading):
                    formatter.write_dl(records)

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        """Write the example as it is to be typed."""
        formatter.write(f"\n{_VARIABLES}\n\nExample:\n")
        for line in (self.epilog or "").splitlines():
            formatter.write(f"  {line}\n")
