"""Assets, records, reference entities' images, categories' pictures, PAM assets: media outside products.

They were read about, not measured (docs/pim-behaviour.md, "Assets and reference entities"). A thing is read
whole and written whole as products are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ..php.text import folded
from .catalogue import Catalogue
from .entities import ValueKey

ASSET, RECORD, REFERENCE_ENTITY, CATEGORY, PAM_ASSET = (
    "asset",
    "record",
    "reference_entity",
    "category",
    "pam_asset",
)


class ThingKey(NamedTuple):
    """What a thing is, in which family or reference entity, and its code."""

    kind: str
    parent: str
    code: str


@dataclass
class Thing:
    """Something with values by attribute, locale and channel. Of `changed` and the rest, seconds."""

    key: ThingKey
    values: dict[ValueKey, Any] = field(default_factory=dict)
    created: float = 0.0
    updated: float = 0.0
    changed: dict[ValueKey, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Collection:
    """An asset family or a reference entity: what its things may hold."""

    kind: str
    """`asset` or `record`, which its things are."""
    body: dict[str, Any]
    attributes: dict[str, dict[str, Any]]

    @property
    def code(self) -> str:
        """The family's or entity's own code."""
        return str(self.body["code"])

    def media_attribute(self, code: str) -> bool:
        """Whether an attribute holds a file."""
        return self.attributes.get(code, {}).get("type") in ("media_file", "image")

    def options(self, code: str) -> dict[str, dict[str, Any]]:
        """The options of an attribute by code, as the API shows them."""
        given = self.attributes.get(code, {}).get("options") or []
        named = [item if isinstance(item, Mapping) else {"code": str(item)} for item in given]
        return {item["code"]: {"code": item["code"], "labels": item.get("labels") or {}} for item in named}


class Things:
    """All of them by key."""

    def __init__(
        self, catalogue: Catalogue, clock: Callable[[], float], saved: Callable[[Thing], None]
    ) -> None:
        source = catalogue.source
        self._clock, self._saved = clock, saved
        self._things: dict[ThingKey, Thing] = {}
        self.families = _collections(ASSET, source.get("asset_families") or [], "media_file")
        self.entities = _collections(RECORD, source.get("reference_entities") or [], "image")
        self.category_attributes = {
            str(a["code"]): _attribute(a, "image") for a in source.get("category_attributes") or []
        }
        self.pam_assets = {str(item["code"]): dict(item) for item in source.get("pam_assets") or []}
        for kind, parent, items in (
            (ASSET, "asset_family", source.get("assets") or []),
            (RECORD, "reference_entity", source.get("records") or []),
        ):
            for item in items:
                self.put(
                    Thing(
                        ThingKey(kind, str(item[parent]), str(item["code"])),
                        values_of(item.get("values") or {}),
                    )
                )
        for code in self.pam_assets:
            self.put(Thing(ThingKey(PAM_ASSET, "", code)))

    def put(self, thing: Thing) -> None:
        """Adds or replaces one."""
        thing.created = thing.created or self._clock()
        thing.updated = thing.updated or thing.created
        self._things[_place(thing.key)] = thing

    def find(self, key: ThingKey) -> Thing | None:
        """One by its key; the code is compared as MySQL does."""
        return self._things.get(_place(key))

    def of(self, kind: str, parent: str = "") -> list[Thing]:
        """All of one family or reference entity."""
        return [thing for thing in self._things.values() if thing.key[:2] == (kind, parent)]

    def all(self) -> list[Thing]:
        """All of them."""
        return list(self._things.values())

    def write(self, key: ThingKey, base: dict[ValueKey, Any], values: dict[ValueKey, Any]) -> list[ValueKey]:
        """Writes one whole, as read before and changed since; returns the values of others that this lost."""
        now = self._clock()
        thing = self.find(key) or Thing(key, created=now)
        lost = [k for k, v in thing.values.items() if v != base.get(k) and values.get(k) == base.get(k)]
        for k in {*thing.values, *values}:
            if thing.values.get(k) != values.get(k):
                thing.changed[k] = now
        thing.values = {k: v for k, v in values.items() if v is not None}
        thing.updated = now
        self.put(thing)
        self._saved(thing)
        return lost


def _place(key: ThingKey) -> ThingKey:
    return ThingKey(key.kind, key.parent, folded(key.code))


def values_of(given: Mapping[str, Any]) -> dict[ValueKey, Any]:
    """Values as assets and records have them, `channel` and all, by key."""
    return {
        ValueKey(attribute, item.get("locale"), item.get("channel")): item.get("data")
        for attribute, items in given.items()
        for item in items
    }


def _collections(kind: str, items: list[dict[str, Any]], media: str) -> dict[str, Collection]:
    out = {}
    for item in items:
        body = {name: value for name, value in item.items() if name != "attributes"}
        attributes = {str(a["code"]): _attribute(a, media) for a in item.get("attributes") or []}
        out[str(item["code"])] = Collection(kind, body, attributes)
    return out


_BY_TYPE: Mapping[str, Mapping[str, Any]] = {
    "media_file": {"max_file_size": None, "allowed_extensions": [], "media_type": "image"},
    "image": {"max_file_size": None, "allowed_extensions": []},
    "media_link": {"prefix": None, "suffix": None, "media_type": "image"},
    "text": {
        "max_characters": None,
        "is_textarea": False,
        "is_rich_text_editor": False,
        "validation_rule": "none",
        "validation_regexp": None,
    },
    "number": {"decimals_allowed": False, "min_value": None, "max_value": None},
}
"""What an attribute of a type has beside what all have."""


def _attribute(given: Mapping[str, Any], media: str) -> dict[str, Any]:
    kind = given.get("type", media)
    return {
        "code": given["code"],
        "labels": {},
        "type": kind,
        "value_per_locale": False,
        "value_per_channel": False,
        "is_required_for_completeness": False,
        "is_read_only": False,
        **_BY_TYPE.get(kind, {}),
        **given,
    }
