"""`--set KEY=VALUE`: a value for a column that rows leave out, made from the row's other columns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from string import Formatter

from ..errors import UsageError
from ..frozen import frozen
from ..link import hidden, is_link
from ..rows import php_basename
from .columns import canonical, spelled


class MissingPlaceholderError(Exception):
    """A row has no value for a placeholder; `name` is the placeholder."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


@frozen
class Setting:
    """One `--set`: the column it fills and the pieces of its value.

    `known`: the column has a meaning and is not only carried. `pieces` are pairs of literal
    text and the placeholder after it ("" for none).
    """

    option: str
    column: str
    known: bool
    pieces: tuple[tuple[str, str], ...]

    def value(self, lookup: Callable[[str], str | None]) -> str:
        """The text for one row; `lookup` gives a column's value in that row.

        Raises:
            MissingPlaceholderError: the row has no value for a placeholder.
        """
        out = []
        for literal, name in self.pieces:
            out.append(literal)
            if name:
                value = _of_file(name, lookup)
                if not value:
                    raise MissingPlaceholderError(name)
                out.append(value)
        return "".join(out)


def parse_settings(options: Sequence[str]) -> tuple[Setting, ...]:
    """`--set` options as typed; of two for one column the last wins, as everywhere on a command line.

    Raises:
        UsageError: no `=`, no column before it, or braces that do not make a placeholder.
    """
    settings: dict[str, Setting] = {}
    for option in options:
        key, equals, template = option.partition("=")
        # The first equals sign of a link is within its query.
        if not equals or not key.strip() or is_link(key.strip()):
            raise UsageError(
                f"--set {hidden(option)!r} is not KEY=VALUE",
                "For example: --set attribute=picture",
            )
        column = canonical(key)
        name = column or key.strip()
        settings.pop(name, None)
        settings[name] = Setting(option, name, column is not None, _pieces(option, template))
    return tuple(settings.values())


def _pieces(option: str, template: str) -> tuple[tuple[str, str], ...]:
    try:
        parsed = list(Formatter().parse(template))
    except ValueError as error:
        raise _bad_braces(option, str(error)) from None
    pieces = []
    for literal, name, spec, conversion in parsed:
        if name is not None and (not name.strip() or spec or conversion):
            raise _bad_braces(option, "a placeholder is a column's name and nothing else")
        pieces.append((literal, canonical(name) or spelled(name) if name else ""))
    return tuple(pieces)


def _bad_braces(option: str, why: str) -> UsageError:
    return UsageError(
        f"--set {hidden(option)!r}: {why}",
        "Placeholders look like {product}, {stem}, {ext}, {filename}; write {{ and }} for braces themselves.",
    )


def _of_file(name: str, lookup: Callable[[str], str | None]) -> str | None:
    value = lookup(name)
    if value or name not in ("stem", "ext", "filename"):
        return value
    base = php_basename(lookup("file") or "")
    if name == "filename":
        return base
    stem, _, ext = base.rpartition(".")
    if not stem:  # no dot, or only the one that hides a file
        stem, ext = base, ""
    return stem if name == "stem" else ext
