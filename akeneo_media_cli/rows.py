"""The row, as the whole package uses it, and its statuses.

A row is one file for one place in the PIM. Every package may import this
module; it imports nothing but the standard library, `errors` and `secret`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

from .errors import Failure
from .secret import Secret


class Status(StrEnum):
    """The status of a row (those after `pending` are statuses of
    `verify`, `download`, `remove` and `runs undo`)."""

    UPLOADED = "uploaded"
    UNCHANGED = "unchanged"
    PLANNED = "planned"
    INVALID = "invalid"
    FAILED = "failed"
    PENDING = "pending"
    HELD = "held"
    DIFFERS = "differs"
    MISSING = "missing"
    DOWNLOADED = "downloaded"
    REMOVED = "removed"
    RESTORED = "restored"


class TargetType(StrEnum):
    """The kinds of entity that hold media; the value is `target.type` in reports."""

    PRODUCT = "product"
    PRODUCT_UUID = "product_uuid"
    PRODUCT_MODEL = "product_model"
    ASSET = "asset"
    RECORD = "record"
    CATEGORY = "category"
    PAM_ASSET = "pam_asset"


_OWN_KEY = {TargetType.PRODUCT: "identifier", TargetType.PRODUCT_UUID: "uuid"}
_PARENT_KEY = {TargetType.ASSET: "asset_family", TargetType.RECORD: "reference_entity"}


class Target(NamedTuple):
    """The entity that is to hold the file.

    `code` names the entity itself: identifier, UUID or code as `type` has it; empty only for a
    record row without record (the reference entity's own image). `parent` is the asset family or
    reference entity, empty for all others.
    """

    type: TargetType
    code: str
    parent: str = ""

    def as_report(self) -> dict[str, str]:
        """The report's `target`: `{"type": "product", "identifier": "sku-1"}` and the like."""
        out = {"type": self.type.value}
        if self.parent:
            out[_PARENT_KEY[self.type]] = self.parent
        out[_OWN_KEY.get(self.type, "code")] = self.code
        return out

    def __str__(self) -> str:
        parts = [self.type.value, self.parent, self.code]
        return " ".join(p for p in parts if p)


@dataclass(slots=True)
class Row:
    """One line of a manifest, as written; `problem` says why it cannot be used, if it cannot.

    `line` is the first line in a CSV, the item's number from 1 in YAML, JSON and JSONL, the row of a sheet.
    `file` is as written; `filename` is the name the PIM is to show, where the manifest gives one.
    `root` is the folder that a manifest's own `root` key names, resolved against the manifest.
    `archive` is the ZIP whose member `file` names, where it is in one. `link` is the link that `file` is only
    the presentable part of, where it holds a secret.
    """

    manifest: str
    line: int
    file: str
    target: Target | None
    attribute: str
    locale: str | None = None
    scope: str | None = None
    filename: str | None = None
    root: str | None = None
    extra: dict[str, Any] = field(default_factory=dict)
    problem: Failure | None = None
    archive: str | None = None
    link: Secret | None = None

    @property
    def has_no_media(self) -> bool:
        """Is it a row for an asset or record that names no media value: it gives other values, or a link?"""
        target = self.target
        return not self.attribute and target is not None and bool(target.parent and target.code)


@dataclass(slots=True)
class RowBatch:
    """Lines of one table with nothing unusual about them, column by column: a `Row` each, at less cost.

    They are for products or models of one `type`, name no link and no `filename`, and have no problem. An
    empty text in `locales` or `scopes` is null; None: all are. `extras` None: there are no extra columns.
    """

    manifest: str
    type: TargetType
    lines: Sequence[int]
    files: list[str]
    codes: list[str]
    attributes: list[str]
    locales: list[str] | None
    scopes: list[str] | None
    extras: list[dict[str, Any]] | None

    def __len__(self) -> int:
        return len(self.files)

    def row(self, n: int) -> Row:
        """The n-th of them, from 0."""
        return Row(
            self.manifest,
            self.lines[n],
            self.files[n],
            Target(self.type, self.codes[n]),
            self.attributes[n],
            (self.locales[n] or None) if self.locales else None,
            (self.scopes[n] or None) if self.scopes else None,
            extra=self.extras[n] if self.extras else {},
        )


def single(rows: Iterable[Row | RowBatch]) -> Iterator[Row]:
    """Row by row."""
    for row in rows:
        if isinstance(row, RowBatch):
            yield from map(row.row, range(len(row)))
        else:
            yield row


def folded(code: str) -> str:
    """A code as MySQL's `utf8mb4_unicode_ci` compares it: without case, accents or trailing spaces.

    The PIM finds `SKU-1`, `sku-1` and `sku-1 ` as one product
    (docs/pim-behaviour.md, "Spelling of identifiers and codes"), so locks and conflict checks must take them
    as one. Coarser than MySQL is safe; finer is not.
    """
    code = code.rstrip()
    if code.isascii():
        return code.lower()
    decomposed = unicodedata.normalize("NFKD", code.casefold())
    # A lone accent decomposes to a space and itself.
    return "".join(c for c in decomposed if not unicodedata.combining(c)).rstrip()


def php_basename(name: str) -> str:
    """What PHP keeps of a sent file name: the part after the last slash or backslash.

    The scheduler keeps two of these apart in time: the PIM makes its media code of it
    (docs/pim-behaviour.md, "Swapped bytes").
    """
    return name.replace("\\", "/").rsplit("/", 1)[-1]


_CODE = re.compile(r"(?:.*/)?[0-9a-f]{40}_(.*)", re.DOTALL)


def name_in_code(code: str) -> str | None:
    """The file name at the end of a media code, with `_` for whatever is not plain; None where there is none.

    Source: docs/pim-behaviour.md, "Swapped bytes".
    """
    found = _CODE.fullmatch(code)
    return None if found is None else found.group(1)


_UNSHOWABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


def clean_name(name: str) -> str:
    """A file name as the PIM may show it: control characters, and bytes that are not UTF-8, become `_`."""
    return name if name.isascii() and name.isprintable() else _UNSHOWABLE.sub("_", name)
