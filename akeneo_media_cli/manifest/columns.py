"""The names that columns may have, and what a typo of one probably meant."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from functools import lru_cache
from urllib.parse import quote_from_bytes, unquote_to_bytes

from ..errors import UsageError
from ..rows import Target, TargetType
from ..suggest import nearest

GROUPS: dict[str, TargetType] = {
    "product": TargetType.PRODUCT,
    "product_uuid": TargetType.PRODUCT_UUID,
    "product_model": TargetType.PRODUCT_MODEL,
    "asset_family": TargetType.ASSET,
    "asset": TargetType.ASSET,
    "reference_entity": TargetType.RECORD,
    "record": TargetType.RECORD,
    "category": TargetType.CATEGORY,
    "pam_asset": TargetType.PAM_ASSET,
}
"""Each target column and the kind of target that it names or helps to name."""

PARENTS: dict[TargetType, tuple[str, str]] = {
    TargetType.ASSET: ("asset_family", "asset"),
    TargetType.RECORD: ("reference_entity", "record"),
}
"""The targets that two columns name: the one for `Target.parent`, then the one for `Target.code`."""

COLUMNS: tuple[str, ...] = (*GROUPS, "attribute", "locale", "scope", "file", "filename")
"""Every column with a meaning, in the order in which writers put them."""

ALIASES = {"sku": "product", "identifier": "product", "uuid": "product_uuid", "channel": "scope"}

NO_FILE = "(no file)"
"""What stands in `file` of a row that names none, where manifests need no such column."""

LONGEST_NAME = 64
"""Characters of a column's name that are compared with others, or shown; longer ones are never meant."""

_LONGEST_RENAMED = 1000
SPELLINGS = {name: name for name in COLUMNS} | ALIASES
"""The known columns by what they may be called."""
_GAPS = re.compile(r"[\s-]+")
_FILE_URI = "file:"
_HALF = re.compile("[\ud800-\udfff]")
_NOT_PLAIN = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


def spelled(name: str) -> str:
    """A column's name as columns are compared: without case, ends trimmed, spaces and hyphens as `_`."""
    return _GAPS.sub("_", name.strip().lower())


def has_half_characters(text: str) -> bool:
    """Does text hold lone surrogates, which stand for stray bytes and can be neither sent nor stored?"""
    return not text.isascii() and _HALF.search(text) is not None


def canonical(name: str) -> str | None:
    """The known column that a manifest's `name` stands for, aliases included; None for any other."""
    return _canonical(name) if len(name) <= LONGEST_NAME else None


@lru_cache(maxsize=4096)
def _canonical(name: str) -> str | None:
    return SPELLINGS.get(spelled(name))


def near_miss(name: str) -> str | None:
    """The known column or alias that an unknown `name` is probably a typo of, if there is one."""
    if len(name) > LONGEST_NAME:  # comparing takes time and memory by length
        return None
    return nearest(name, SPELLINGS, cutoff=0.75, fold=spelled)


class Renamed:
    """`--map COLUMN=NAME`: what the columns of manifests are called here."""

    def __init__(self, options: Sequence[str] = ()) -> None:
        """Options as typed. Raises UsageError for one of another form, and for a column with two names."""
        self._names: dict[str, str] = {}
        self._unmet: dict[str, str] = {}
        for option in options:
            # The last equals sign: a header may have one, the name of a column here has none.
            column, equals, name = (part.strip() for part in option.rpartition("="))
            if not (column and equals and name):
                raise UsageError(f"--map {option!r} is not COLUMN=NAME", "For example: --map Artikel=product")
            if self._names.get(spelled(column), name) != name:
                raise UsageError(f"--map gives the column {column!r} two names", "Keep one of them.")
            self._names[spelled(column)] = name
            self._unmet[spelled(column)] = column

    def __bool__(self) -> bool:
        return bool(self._names)

    def __call__(self, name: str) -> str:
        """What a manifest's column is called here, without spaces at its ends."""
        name = name.strip()
        if len(name) > _LONGEST_RENAMED or (found := self._names.get(spelled(name))) is None:
            return name
        self._unmet.pop(spelled(name), None)
        return found

    def is_new(self, name: str) -> bool:
        """Is this a name that an option gives?"""
        return name in self._names.values()

    @property
    def unmet(self) -> list[str]:
        """The columns of the options that no manifest had so far."""
        return list(self._unmet.values())


def as_text(value: object) -> str | None:
    """A carried value as templates have it: as it is written; None for what is not a single value."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, (str, int, float)) else None


def target_columns(target: Target) -> dict[str, str]:
    """The columns that name `target`, with their values: the reverse of reading them."""
    if target.type in PARENTS:
        parent, own = PARENTS[target.type]
        return {parent: target.parent, own: target.code}
    return {target.type.value: target.code}


def file_from_text(text: str) -> str:
    """The path that a `file` cell names.

    `file:caf%E9.jpg` is the percent-encoded form for names that text cannot carry: bytes that are not
    UTF-8, control characters, spaces at the ends. Anything else is the path itself.
    """
    if not text.startswith(_FILE_URI):
        return text
    path = text[len(_FILE_URI) :]
    if path.startswith("///"):
        path = path[2:]
    return os.fsdecode(unquote_to_bytes(path))


def file_as_text(path: str) -> str:
    """What a `file` cell must say so that `file_from_text` gives `path` again.

    Raises:
        ValueError: no file can have this name (a surrogate that stands for no byte).
    """
    if path == path.strip() and not path.startswith(_FILE_URI) and not _NOT_PLAIN.search(path):
        return path
    quoted = quote_from_bytes(os.fsencode(path), safe="/")
    # An empty authority ("//") before an absolute path keeps a path that itself begins with slashes whole.
    return f"{_FILE_URI}//{quoted}" if path.startswith("/") else _FILE_URI + quoted
