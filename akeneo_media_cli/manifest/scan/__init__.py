"""Rows from the names of files: what `scan` writes as a manifest."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

from ...errors import UsageError
from ...frozen import frozen
from ...rows import Row, TargetType
from ..assemble import Assembler, Note
from ..columns import COLUMNS, GROUPS, file_as_text
from ..template import parse_settings
from .assets import AssetNames
from .patterns import ANY, EXTENSION, Expression, Miss, Pattern, Rules, parse_renamed, patterns_of
from .walk import Walk

__all__ = ["Scan", "Unmatched", "Walk"]

_BARE = (TargetType.PAM_ASSET, TargetType.RECORD)


@frozen
class Unmatched:
    """A file that no row could be made of: its path below the folder, and why."""

    path: str
    reason: str


class Scan:
    """Patterns, tried in their order, and what is to be done with what they find."""

    def __init__(
        self,
        *,
        patterns: Sequence[str] = (),
        regexes: Sequence[str] = (),
        sets: Sequence[str] = (),
        renamed: Sequence[str] = (),
        case: bool = False,
        assets: str | None = None,
        code: str | None = None,
        note: Note,
    ) -> None:
        """All as typed: `--pattern`, `--regex` (tried after them), `--set`, `--map`. Raises UsageError.

        `assets` is the family of assets that files are for, whose codes `code` makes; they are linked to the
        products that names tell.
        """
        self._assets = AssetNames(assets, code) if assets else None
        rules = Rules(parse_renamed(renamed, case=case), case)
        self._patterns: list[Pattern | Expression] = [
            *(pattern for written in patterns for pattern in patterns_of(written, rules)),
            *(Expression(written, rules) for written in regexes),
        ]
        if not self._patterns:
            raise UsageError(
                "no pattern says what the files' names mean",
                "For example: --pattern '{product}_{attribute}.{ext}', or '{product}/{attribute}.{ext}'",
            )
        self._settings = parse_settings(sets)
        self._note = note
        self._told: set[str] = set()
        for pattern in self._patterns:
            self._check(pattern)

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that a row may have, in the order in which they are written."""
        named = {name for pattern in self._patterns for name in pattern.fields}
        named |= {setting.column for setting in self._settings} | {"file"}
        named -= {ANY, EXTENSION}
        if self._assets is not None:
            named = self._assets.columns(named)
        return (*(c for c in COLUMNS if c in named), *sorted(named.difference(COLUMNS)))

    def rows(self, walk: Walk, base: str) -> Iterator[Row | Unmatched]:
        """A row for each file that fits, and what did not; `base` is put before each path. Raises OSError."""
        make = Assembler(walk.folder, self._settings, self._note)
        make.has_beside = make.has_beside or self._assets is not None
        for number, path in enumerate(walk.files(), 1):
            found = self._found(path)
            if isinstance(found, Unmatched):
                yield found
                continue
            values: dict[str, str | None] = {"file": file_as_text(os.path.join(base, path))}  # noqa: PTH118
            extra = {}
            if self._assets is not None:
                found = self._assets.named(found, path)
            for name, value in found.items():
                if name in COLUMNS:
                    values[name] = value
                elif name != EXTENSION:
                    extra[name] = value
            row = make.row(number, values, extra)
            yield row if row.problem is None else Unmatched(path, row.problem.message)

    def _found(self, path: str) -> dict[str, str] | Unmatched:
        for pattern in self._patterns:
            # What `--map` names is known; all else about an attribute in a name is a guess.
            if isinstance(pattern, Pattern) and (named := pattern.match_named(path)) is not None:
                return named
        nearest: tuple[Miss, str] | None = None
        for pattern in self._patterns:
            found = pattern.match(path)
            if not isinstance(found, Miss):
                self._tell_of_other_cut(pattern, path, found)
                return found
            if nearest is None or found.depth > nearest[0].depth:
                nearest = found, pattern.written
        assert nearest is not None
        miss, written = nearest
        return Unmatched(path, f"{miss.reason} ({written})")

    def _tell_of_other_cut(self, pattern: Pattern | Expression, path: str, found: dict[str, str]) -> None:
        """Warn once a pattern: what was cut in the wrong place only the PIM would notice."""
        if pattern.written in self._told or not isinstance(pattern, Pattern):
            return
        other = pattern.other(path)
        if other is not None:
            self._told.add(pattern.written)
            field = next(name for name in found if found[name] != other[name])
            self._note(
                f"{path} is ambiguous: {field} is taken as {found[field]!r}, not as {other[field]!r}",
                "Name the attributes (--map picture=picture), or use a more specific pattern.",
            )

    def _check(self, pattern: Pattern | Expression) -> None:
        """Can a row come of it at all?"""
        named = {*pattern.fields, *(setting.column for setting in self._settings)}
        kinds = {GROUPS[name] for name in named if name in GROUPS}
        if self._assets is not None:
            kinds.add(TargetType.ASSET)
        if not kinds:
            raise UsageError(
                f"{pattern.written!r} does not say what the files are for",
                "Put {product} or another target into it, or name one for all: --set product=...",
            )
        if "attribute" not in named and not kinds.intersection(_BARE):
            raise UsageError(
                f"{pattern.written!r} does not say the attribute",
                "Put {attribute} into it, or name one for all: --set attribute=picture",
            )
