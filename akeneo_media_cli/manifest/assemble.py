"""From a row's named values to a `Row`, whatever format the values were written in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..errors import Failure, Kind, ManifestError
from ..link import hidden
from ..rows import Row, RowBatch, Target, TargetType, clean_name
from ..wording import count
from . import advice
from .beside import is_beside, near_beside, says_beside, wrong_beside
from .columns import (
    COLUMNS,
    GROUPS,
    LONGEST_NAME,
    NO_FILE,
    PARENTS,
    Renamed,
    as_text,
    canonical,
    file_from_text,
    has_half_characters,
    near_miss,
    spelled,
)
from .oddities import is_plain, odd_code, several
from .template import MissingPlaceholderError, Setting

if TYPE_CHECKING:
    from .header import Header

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
    """Makes the rows of one manifest, and notes once what is odd about its columns.

    What a row leaves out is filled by `--set` first, then by the manifest's `defaults`: the command line
    overrides the file. A target column is filled only where it helps to name the target that the row (or a
    stronger layer) began to name, so that defaults for products do no harm to a row for a model.
    """

    def __init__(
        self, manifest: str, settings: Sequence[Setting], note: Note, renamed: Renamed | None = None
    ) -> None:
        self.manifest = manifest
        self.named = renamed or Renamed()
        self.root: str | None = None
        self.defaults: Mapping[str, str | None] = {}
        self.default_extra: Mapping[str, Any] = {}
        self.settings = settings
        self.note = note
        self.has_beside = any(is_beside(setting.column) for setting in settings)
        """Have rows columns for what assets hold beside their file? Else none is looked for them."""
        self._names: set[str] = set()
        self._lacking: dict[str, str] = {}
        """By known column that is lacking: the column that probably stands for it."""

    @property
    def fills(self) -> bool:
        """Whether anything fills what rows leave out."""
        return bool(self.settings or self.defaults or self.default_extra)

    def fills_file(self) -> bool:
        """Whether a row can do without a `file` of its own."""
        return self.has_beside or "file" in self.defaults or any(s.column == "file" for s in self.settings)

    def uses(self, placeholder: str) -> bool:
        """Whether a `--set` has this placeholder."""
        return any(name == placeholder for setting in self.settings for _, name in setting.pieces)

    def no_file_column(
        self, names: Sequence[str], known: Mapping[str, str], sample: Sequence[Sequence[str]] = ()
    ) -> ManifestError:
        """The error for a manifest in which nothing names files.

        `names` are the columns it has, `known` those with a meaning, by it; `sample` are some of its rows.
        """
        filled = {s.column for s in self.settings if s.known} | set(self.defaults)
        known = {**dict.fromkeys(filled, ""), **known}
        hint = advice.for_no_file(names[:_MOST_NAMES], known, sample)
        shown = ", ".join(name[:LONGEST_NAME] for name in names[:20]) or "none"
        return ManifestError(
            f"{self.manifest}: no column `file` (columns found: {shown})",
            hint or "Add a column `file` with each file's path, or fill it: --set 'file={product}.jpg'",
        )

    def columns(self, names: Sequence[str], known: Mapping[str, Any]) -> None:
        """Note what is odd about the columns of a table."""
        for name in names:
            if not name or canonical(name) is not None:
                continue
            if is_beside(name):
                self.has_beside = True
            else:
                self.unknown_column(name, known)

    def unknown_column(self, name: str, present: Sequence[str] | Mapping[str, Any]) -> None:
        """Warn about an unknown column that looks like a known one, once a manifest.

        `present` are the known columns beside it.
        """
        if name in self._names or len(self._names) >= _MOST_NAMES or len(name) > LONGEST_NAME:
            return
        self._names.add(name)
        filled = {s.column for s in self.settings if s.known} | set(self.defaults)
        slip = near_miss(name) or near_beside(name)
        for column, lacking in advice.for_columns([name], {*present, *filled}).items():
            if slip is None and column not in self._lacking and not self.named.is_new(name):
                self._lacking[column] = lacking
                self._carried(name, f"If it is `{column}`, add: {advice.to_map(name, column)}")
        if slip and not self.named.is_new(name):
            # Also beside the column that is meant: values under a slip are missed there.
            beside = f" There is `{canonical(slip)}` as well." if canonical(slip) in present else ""
            self._carried(name, f"Did you mean `{slip}`?{beside}")

    def _carried(self, name: str, hint: str) -> None:
        self.note(
            f"{self.manifest}: the column `{name}` has no meaning and is only carried into the report", hint
        )

    def left_out(self, lines: int, why: str) -> None:
        """Note that lines of the manifest are no rows."""
        self.note(f"{self.manifest}: {count(lines, 'line')} left out: {why}", "")

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
        if wrong is not None and wrong.kind is Kind.TARGET_MISSING and self._lacking:
            wrong = self._advised(wrong)
        if problem is None:
            problem = wrong or (wrong_beside(target, extra) if self.has_beside else None)
        without = not file or (file == NO_FILE and not attribute)
        if problem is None and not (without and self.has_beside and says_beside(target, extra)):
            problem = _incomplete(file, attribute, target, extra)
        locale, scope = values.get("locale") or None, values.get("scope") or None
        if problem is None and target is not None and not is_plain(target.code, attribute, locale, scope):
            problem = odd_code(target.code) or several(attribute, locale, scope)
        return Row(
            self.manifest,
            line,
            file_from_text(file),
            target,
            attribute,
            locale,
            scope,
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
                if spelled(key) == name and (text := as_text(value)) is not None:
                    return text
        return None

    def _advised(self, failure: Failure) -> Failure:
        """A row without target, where a column probably names it."""
        options = [advice.to_map(name, column) for column, name in self._lacking.items() if column in GROUPS]
        if not options:
            return failure
        return Failure(failure.kind, failure.message, f"{failure.hint} Or add: {' '.join(options)}")


def short_way(make: Assembler, header: Header) -> Callable[[int, list[str]], Row | None] | None:
    """Makes the ordinary rows quickly, if the header allows one kind of target and nothing fills.

    It returns None for a line in which anything is unusual: that is for the assembler.
    """
    known = header.known
    columns = [column for column in GROUPS if column in known]
    kinds = {GROUPS[column] for column in columns}
    if make.fills or make.has_beside or len(kinds) != 1 or "file" not in known or "attribute" not in known:
        return None
    kind = kinds.pop()
    above_column, own_column = PARENTS.get(kind, (None, columns[0]))
    if own_column not in known or (above_column is not None and above_column not in known):
        return None
    manifest, extra, width, words = make.manifest, header.extra, len(header.names), header.words
    own, file_at, attribute_at = known[own_column], known["file"], known["attribute"]
    parent = known[above_column] if above_column is not None else None
    locale_at, scope_at, name_at = known.get("locale"), known.get("scope"), known.get("filename")

    def short(line: int, cells: list[str]) -> Row | None:
        if len(cells) != width:
            return None
        file, code, attribute = cells[file_at].strip(), cells[own].strip(), cells[attribute_at].strip()
        above = cells[parent].strip() if parent is not None else ""
        if not (file and code and attribute and (above or parent is None)):
            return None
        locale = (cells[locale_at].strip() or None) if locale_at is not None else None
        scope = (cells[scope_at].strip() or None) if scope_at is not None else None
        if file in words or file[:5] == "file:" or not is_plain(code, attribute, locale, scope):
            return None
        name = cells[name_at].strip() if name_at is not None else None
        return Row(
            manifest,
            line,
            file,
            Target(kind, code, above),
            attribute,
            locale,
            scope,
            clean_name(name) if name else None,
            None,
            {name: cells[at] for name, at in extra} if extra else {},
        )

    return short


_CATALOG = (TargetType.PRODUCT, TargetType.PRODUCT_UUID, TargetType.PRODUCT_MODEL)
_UNUSUAL = ("://", "file:", *"?#@%")
"""What makes a file's text worth a closer look: links, and what links hide."""


def batch_way(
    make: Assembler, header: Header
) -> Callable[[Sequence[int], list[list[str]]], RowBatch | None] | None:
    """Makes rows by column, as `short_way` does one by one; None for records with anything unusual."""
    known, width = header.known, len(header.names)
    columns = [column for column in GROUPS if column in known]
    if short_way(make, header) is None or len(columns) != 1 or GROUPS[columns[0]] not in _CATALOG:
        return None
    words, extra = header.words, header.extra

    def batch(numbers: Sequence[int], records: list[list[str]]) -> RowBatch | None:
        if set(map(len, records)) != {width}:
            return None
        cells = list(zip(*records, strict=True))

        def column(name: str) -> list[str] | None:
            return list(map(str.strip, cells[known[name]])) if name in known else None

        files, codes, attributes = column("file"), column(columns[0]), column("attribute")
        assert files is not None and codes is not None and attributes is not None
        text = "\n".join(files)
        if (
            "" in files
            or "" in codes
            or any(mark in text for mark in _UNUSUAL)
            or not words.isdisjoint(files)
        ):
            return None
        names = column("filename")
        if names is not None and any(names):
            return None
        locales, scopes = column("locale"), column("scope")
        text = "\n".join(codes)
        places = {*attributes, *(locales or ()), *(scopes or ())} - {""}
        if "" in attributes or any(mark in text for mark in "+=#") or not all(map(str.isidentifier, places)):
            return None
        extras = None
        if extra:
            carried = zip(*(cells[at] for _, at in extra), strict=True)
            extras = [dict(zip((name for name, _ in extra), each, strict=True)) for each in carried]
        return RowBatch(
            make.manifest, GROUPS[columns[0]], numbers, files, codes, attributes, locales, scopes, extras
        )

    return batch


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
