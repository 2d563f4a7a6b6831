"""From a row's named values to a `Row`, whatever format the values were written in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..errors import Failure, Kind, ManifestError
from ..link import hidden
from ..rows import Row, Target, TargetType, clean_name
from .columns import (
    COLUMNS,
    GROUPS,
    LONGEST_NAME,
    PARENTS,
    canonical,
    file_from_text,
    has_half_characters,
    near_miss,
    spelled,
)
from .template import MissingPlaceholderError, Setting

Note = Callable[[str, str], None]
"""Takes a message and a hint that concern the manifest, not one of its rows."""

_MOST_NAMES = 1000  # of unknown columns remembered, so that odd documents cannot make memory grow

_TARGETS_HINT = (
    "Name exactly one of: product, product_uuid, product_model, asset_family with asset, "
    "reference_entity with record, category, pam_asset."
)


def malformed(message: str, hint: str) -> Failure:
    """A row that is wrong as written."""
    return Failure(Kind.ROW_MALFORMED, message, hint)


class Assembler:
    """Makes the rows of one manifest, and tells once what is odd about its columns.

    What a row leaves out is filled by `--set` first, then by the manifest's `defaults`: the command line
    beats the file. A target column is filled only where it helps to name the target that the row (or a
    stronger layer) began to name, so that defaults for products do no harm to a row for a model.
    """

    def __init__(self, manifest: str, settings: Sequence[Setting], note: Note) -> None:
        self.manifest = manifest
        self.root: str | None = None
        self.defaults: Mapping[str, str | None] = {}
        self.default_extra: Mapping[str, Any] = {}
        self.settings = settings
        self.note = note
        self._names: set[str] = set()

    @property
    def fills(self) -> bool:
        """Whether anything fills what rows leave out."""
        return bool(self.settings or self.defaults or self.default_extra)

    def fills_file(self) -> bool:
        """Whether a row can do without a `file` of its own."""
        return "file" in self.defaults or any(s.column == "file" for s in self.settings)

    def no_file_column(self, names: Sequence[str]) -> ManifestError:
        """The error for a manifest in which nothing names files; `names` are the columns it has."""
        slip = next((n for n in names[:_MOST_NAMES] if near_miss(n) == "file"), None)
        hint = f"Did you mean `file` by `{slip}`? " if slip else ""
        shown = ", ".join(name[:LONGEST_NAME] for name in names[:20]) or "none"
        return ManifestError(
            f"{self.manifest}: no column `file` (columns found: {shown})",
            hint + "Add a column `file` with each file's path, or fill it: --set 'file={product}.jpg'",
        )

    def unknown_column(self, name: str, present: Sequence[str] | Mapping[str, Any]) -> None:
        """Warn about an unknown column that looks like a slip of a known one, once a manifest.

        `present` are the known columns that stand beside it.
        """
        if name in self._names or len(self._names) >= _MOST_NAMES or len(name) > LONGEST_NAME:
            return
        self._names.add(name)
        meant = near_miss(name)
        if meant:
            # Also beside the column that is meant: what stands under a slip is missed there.
            beside = f" There is `{canonical(meant)}` as well." if canonical(meant) in present else ""
            self.note(
                f"{self.manifest}: the column `{name}` has no meaning and is only carried into the report",
                f"Did you mean `{meant}`?{beside}",
            )

    def row(
        self,
        line: int,
        values: dict[str, str | None],
        extra: dict[str, Any],
        problem: Failure | None = None,
    ) -> Row:
        """The row of `values` by known column (absent: left out, None: explicitly null) and `extra`.

        Both are filled in place. The first thing wrong becomes the row's `problem`, after `problem` itself.
        """
        if self.fills:
            problem = problem or self._fill(values, extra)
        file = values.get("file") or ""
        attribute = values.get("attribute") or ""
        filename = values.get("filename")
        target, wrong = _target(values)
        if problem is None:
            problem = wrong or _incomplete(file, attribute, target, extra)
        return Row(
            self.manifest,
            line,
            file_from_text(file),
            target,
            attribute,
            values.get("locale") or None,
            values.get("scope") or None,
            clean_name(filename) if filename else None,
            self.root,
            extra,
            problem,
        )

    def _fill(self, values: dict[str, str | None], extra: dict[str, Any]) -> Failure | None:
        begun = _begun(values)
        for setting in self.settings:
            if not _wanted(setting.column, setting.known, values, extra, begun):
                continue
            try:
                text = setting.value(lambda name: self._lookup(name, values, extra))
            except MissingPlaceholderError as missing:
                return malformed(
                    f"--set {hidden(setting.option)} needs `{missing.name}`, which this row does not have",
                    f"Give the row a value for `{missing.name}`, or its own `{setting.column}`.",
                )
            if has_half_characters(text) and setting.column != "filename":  # that one is cleaned
                return malformed(
                    f"--set {hidden(setting.option)} takes text from a file name that is not valid UTF-8",
                    f"Rename the file, or give the row its own `{setting.column}`.",
                )
            if setting.known:
                values[setting.column] = text
            else:
                extra[setting.column] = text
        begun = _begun(values)
        for column, value in self.defaults.items():
            if _wanted(column, True, values, extra, begun):
                values[column] = value
        for name, carried in self.default_extra.items():
            extra.setdefault(name, carried)
        return None

    def _lookup(self, name: str, values: Mapping[str, str | None], extra: Mapping[str, Any]) -> str | None:
        if name in COLUMNS:
            value = values[name] if name in values else self.defaults.get(name)
            if not value or name != "file":
                return value
            # What a row shows of itself must not show what is secret about its link.
            return hidden(file_from_text(value))
        for carried in (extra, self.default_extra):
            for key, value in carried.items():
                if spelled(key) == name and isinstance(value, (str, int, float)):
                    return str(value)
        return None


def _begun(values: Mapping[str, str | None]) -> set[TargetType]:
    return {kind for column, kind in GROUPS.items() if values.get(column)}


def _wanted(
    column: str, known: bool, values: Mapping[str, Any], extra: Mapping[str, Any], begun: set[TargetType]
) -> bool:
    if not known:
        return bool(extra.get(column, "") == "")
    if column in values:
        return False
    return column not in GROUPS or not begun or GROUPS[column] in begun


def _target(values: Mapping[str, str | None]) -> tuple[Target | None, Failure | None]:
    named = [column for column in GROUPS if values.get(column)]
    kinds = {GROUPS[column] for column in named}
    if not kinds:
        return None, Failure(Kind.TARGET_MISSING, "the row names no target", _TARGETS_HINT)
    if len(kinds) > 1:
        message = f"the row names more than one target: {', '.join(named)}"
        return None, Failure(Kind.TARGET_AMBIGUOUS, message, _TARGETS_HINT)
    kind = kinds.pop()
    if kind not in PARENTS:
        return Target(kind, values[named[0]] or ""), None
    parent, own = PARENTS[kind]
    # A reference entity without record is a target of its own: the entity's image (issue "Every place").
    if parent not in named or (kind is TargetType.ASSET and own not in named):
        lacking = own if parent in named else parent
        return None, Failure(
            Kind.TARGET_MISSING,
            f"the row names `{named[0]}` but no `{lacking}`",
            f"Fill in `{lacking}` as well: `{parent}` and `{own}` together name the target.",
        )
    return Target(kind, values.get(own) or "", values[parent] or ""), None


def _incomplete(file: str, attribute: str, target: Target | None, extra: Mapping[str, Any]) -> Failure | None:
    lacking = []
    if not file:
        lacking.append("file")
    # The old PAM's files and a reference entity's own image belong to no attribute
    # (docs/pim-behaviour.md, "The old PAM" and "Assets and reference entities").
    bare = target is not None and (target.type is TargetType.PAM_ASSET or not target.code)
    if not attribute and not bare:
        lacking.append("attribute")
    if not lacking:
        return None
    names = " and ".join(f"`{name}`" for name in lacking)
    slip = next((f" Did you mean `{near_miss(n)}` by `{n}`?" for n in extra if near_miss(n) in lacking), "")
    return malformed(
        f"the row has no {names}",
        f"Fill in {names}, or give one value for all rows: --set {lacking[0]}=...{slip}",
    )
