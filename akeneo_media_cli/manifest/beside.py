"""What a row for an asset or a record says beside its file: other values, and the product it is linked to.

These columns are carried in `Row.extra` as they are written, so that rows without them cost nothing:
`value.CODE`, `value.CODE-LOCALE`, `value.CODE-CHANNEL`, `value.CODE-LOCALE-CHANNEL`, and `link_product` and
its like with `link_attribute`, `link_locale`, `link_scope`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from ..errors import Failure, Kind
from ..frozen import frozen
from ..rows import Row, Target, TargetType, folded
from ..suggest import nearest
from .columns import LONGEST_NAME, spelled
from .sheets.cells import Unread

PREFIX = "value."
LINK_TARGETS: Mapping[str, TargetType] = {
    "link_product": TargetType.PRODUCT,
    "link_product_uuid": TargetType.PRODUCT_UUID,
    "link_product_model": TargetType.PRODUCT_MODEL,
}
LINK_COLUMNS = (*LINK_TARGETS, "link_attribute", "link_locale", "link_scope")
_ALIASES = {"link_sku": "link_product", "link_uuid": "link_product_uuid", "link_channel": "link_scope"}
_MOST_PARTS = 3
_PLURAL = re.compile(r"values[.]\s*(?=\w)", re.IGNORECASE)
_WITH_VALUES = (TargetType.ASSET, TargetType.RECORD)


class WrittenValue(NamedTuple):
    """One `value.` column that a row fills: its name, the attribute, and what follows it.

    `places` are a locale, a channel, or both in this order: only the attribute tells which. `data` is as
    written; None empties the value.
    """

    column: str
    attribute: str
    places: tuple[str, ...]
    data: Any


class Link(NamedTuple):
    """The asset collection that a row's asset goes into."""

    target: Target
    attribute: str
    locale: str | None = None
    scope: str | None = None


@frozen
class Beside:
    """All that a row says beside its file."""

    values: Sequence[WrittenValue] = ()
    link: Link | None = None


def is_beside(name: str) -> bool:
    """Does a column of this name hold another value of an asset, or a link to it?"""
    return len(name) <= LONGEST_NAME * 4 and _meaning(name) is not None


def near_beside(name: str) -> str | None:
    """The column that an unknown name is probably a slip of, such as `link_prodct` or `values.alt`."""
    if len(name) > LONGEST_NAME:
        return None
    plural = _PLURAL.match(name.strip())
    return PREFIX + name.strip()[plural.end() :] if plural else nearest(name, LINK_COLUMNS, cutoff=0.85)


def written_to(row: Row) -> Target | None:
    """The entity that a row's last request writes to: the product that its asset is linked to, or its own."""
    said = beside(row)
    return row.target if said is None or said.link is None else said.link.target


@lru_cache(maxsize=1024)
def _meaning(name: str) -> str | None:
    """`value.` columns as they are written, `link_` columns as they are called here; None for any other."""
    name = name.strip()
    if name[: len(PREFIX)].lower() == PREFIX and len(name) > len(PREFIX):
        return PREFIX + name[len(PREFIX) :].strip()
    link = spelled(name)
    link = _ALIASES.get(link, link)
    return link if link in LINK_COLUMNS else None


def beside(row: Row) -> Beside | None:
    """What a row says beside its file; None for nothing. The row is one that `wrong_beside` passed."""
    return says_beside(row.target, row.extra)


def says_beside(target: Target | None, extra: Mapping[str, Any]) -> Beside | None:
    """As `beside`, of a row that is being made."""
    if not extra or target is None or target.type not in _WITH_VALUES:
        return None
    values, link = _read(extra)
    if not values and not any(link.get(column) for column in LINK_TARGETS):
        return None
    return Beside(values, _link(link))


def collection_of(row: Row) -> tuple[object, ...] | None:
    """The collection that a row's asset goes into: equal for all rows that write it so."""
    said = beside(row)
    if said is None or said.link is None:
        return None
    link = said.link
    places = (link.attribute, link.locale or "", link.scope or "")
    return link.target.type, folded(link.target.code), *map(folded, places)


def has_beside(row: Row) -> bool:
    """Does a row say anything beside its file?"""
    # The target first: most rows are for products, and pay nothing.
    return row.target is not None and bool(row.target.parent) and beside(row) is not None


def names_no_file(row: Row) -> bool:
    """Is a row's file no matter: it gives values or a link only?"""
    return not row.file and row.target is not None and bool(row.target.parent) and has_beside(row)


def wrong_beside(target: Target | None, extra: Mapping[str, Any]) -> Failure | None:
    """What is wrong with these columns as they are written, whatever the PIM says of them."""
    values, link = _read(extra)
    linked = [column for column in LINK_TARGETS if link.get(column)]
    if not values and not linked:
        return None
    shown = values[0].column if values else linked[0]
    if target is None or target.type not in _WITH_VALUES or not target.code:
        return _malformed(
            f"`{shown}` is for assets and records, and the row names another target",
            "Leave the cell empty, or name the target by asset_family and asset, or reference_entity and "
            "record.",
        )
    wrong = next(filter(None, map(_wrong_value, values)), None)
    return wrong or _wrong_link(target, link, linked)


def _wrong_value(value: WrittenValue) -> Failure | None:
    if isinstance(value.data, Unread):
        return _malformed(value.data.why, value.data.hint)
    if value.attribute and "" not in value.places and len(value.places) < _MOST_PARTS:
        return None
    return _malformed(
        f"the column `{value.column}` does not name a value",
        "Write value.CODE, value.CODE-LOCALE, value.CODE-CHANNEL or value.CODE-LOCALE-CHANNEL.",
    )


def _wrong_link(target: Target, link: Mapping[str, str], linked: Sequence[str]) -> Failure | None:
    if not linked:
        return None
    if target.type is not TargetType.ASSET:
        return _malformed(
            f"`{linked[0]}` links assets to products, and the row names a record",
            "Leave the cell empty: records are linked by reference entity attributes of products.",
        )
    if len(linked) > 1:
        return _malformed(
            f"the row names more than one product to link to: {', '.join(linked)}",
            "Write a row for each product; rows for one asset may name one file.",
        )
    if not link.get("link_attribute"):
        return _malformed(
            f"the row names `{linked[0]}` but no `link_attribute`",
            "Name the product's asset collection, for all rows: --set link_attribute=CODE",
        )
    return None


def _read(extra: Mapping[str, Any]) -> tuple[list[WrittenValue], dict[str, str]]:
    values: list[WrittenValue] = []
    link: dict[str, str] = {}
    for name, data in extra.items():
        meaning = _meaning(name) if len(name) <= LONGEST_NAME * 4 else None
        if meaning is None:
            continue
        if isinstance(data, str):
            data = data.strip()  # noqa: PLW2901 - as cells of other columns
        if data == "":
            continue
        if meaning.startswith(PREFIX):
            code, *places = (part.strip() for part in meaning[len(PREFIX) :].split("-"))
            values.append(WrittenValue(name, code, tuple(places), data))
        elif data is not None:
            link[meaning] = str(data)
    return values, link


def _link(link: Mapping[str, str]) -> Link | None:
    for column, kind in LINK_TARGETS.items():
        if code := link.get(column):
            return Link(
                Target(kind, code),
                link.get("link_attribute", ""),
                link.get("link_locale") or None,
                link.get("link_scope") or None,
            )
    return None


def _malformed(message: str, hint: str) -> Failure:
    return Failure(Kind.ROW_MALFORMED, message, hint)
