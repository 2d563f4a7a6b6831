"""Assets, records, reference entities' images, categories' pictures, PAM assets: media outside products.

They were read about, not measured (docs/pim-behaviour.md, "Assets and reference entities"). A thing is read
whole and written whole as products are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ..php.text import folded
from .catalogue import Catalogue
from .entities import ValueKey
from .media import MediaStore

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
        """Puts a thing in its place."""
        thing.created = thing.created or self._clock()
        thing.updated = thing.updated or thing.created
        self._things[_place(thing.key)] = thing

    def find(self, key: ThingKey) -> Thing | None:
        """A thing, found as MySQL finds it by code."""
        return self._things.get(_place(key))

    def of(self, kind: str, parent: str = "") -> list[Thing]:
        """The things of one family or reference entity."""
        return [thing for thing in self._things.values() if thing.key[:2] == (kind, parent)]

    def all(self) -> list[Thing]:
        """Every thing there is."""
        return list(self._things.values())

    def write(self, key: ThingKey, base: dict[ValueKey, Any], values: dict[ValueKey, Any]) -> list[ValueKey]:
        """Writes a thing whole, as read before and changed since; says what others' values that cost."""
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


def _attribute(given: Mapping[str, Any], media: str) -> dict[str, Any]:
    defaults: dict[str, Any] = {
        "code": given["code"], "labels": {}, "type": media, "value_per_locale": False,
        "value_per_channel": False,        "is_required_for_completeness": False, "is_read_only": False,
    }  # fmt: skip
    if given.get("type", media) == media:
        defaults |= {"max_file_size": None, "allowed_extensions": []}
        if media == "media_file":
            defaults["media_type"] = "image"
    return {**defaults, **given}


def shape_errors(given: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What is wrong with the shape of an asset or a record in a batch, before its values are looked at."""
    if "code" not in given:
        return [{"property": "code", "message": "The property code is required"}]
    if not isinstance(given["code"], str):
        return [{"property": "code", "message": "The property code must be a string"}]
    values = given.get("values", {})
    if not isinstance(values, dict):
        return (
            []
            if values == []
            else [{"property": "values", "message": "Array value found, but an object is required"}]
        )
    out = []
    for attribute, items in values.items():
        good = isinstance(items, list) and all(
            isinstance(i, dict) and {"locale", "channel", "data"} <= set(i) and not set(i) & {"scope"}
            for i in items
        )
        if not good:
            message = 'A value needs "locale", "channel" and "data", and nothing else.'
            out.append({"property": f"values.{attribute}", "message": message})
    return out


def value_errors(
    catalogue: Catalogue, media: MediaStore, collection: Collection, key: ValueKey, data: Any
) -> list[dict[str, Any]]:
    """What is wrong with one value of an asset or a record
    (docs/pim-behaviour.md, "Assets and reference entities")."""
    code, locale, channel = key
    attribute = collection.attributes.get(code)
    if attribute is None:
        message = f'Attribute "{code}" does not exist for this {collection.kind}.'
        return [{"property": "values", "message": message}]
    at = {"property": f"values.{code}"}
    messages = [*_place_messages(catalogue, attribute, locale, channel)]
    if collection.media_attribute(code) and data is not None:
        row = media.find(data) if isinstance(data, str) else None
        if row is None:
            messages.append(f'The file "{data}" was not found.')
        else:
            allowed = [str(e).lower() for e in attribute.get("allowed_extensions") or []]
            if allowed and row.extension.lower() not in allowed:
                messages.append(
                    f'".{row.extension}" files are not allowed for this attribute. '
                    f"Allowed extensions are: {','.join(allowed)}"
                )
            limit = attribute.get("max_file_size")
            if limit and row.size > float(limit) * 1_000_000:
                messages.append("The file exceeds the max file size set for the attribute.")
    return [{**at, "message": message} for message in messages]


def _place_messages(
    catalogue: Catalogue, attribute: Mapping[str, Any], locale: str | None, channel: str | None
) -> list[str]:
    code, out = attribute["code"], []
    for given, wanted, name, per in (
        (channel, attribute["value_per_channel"], "channel", "channel"),
        (locale, attribute["value_per_locale"], "locale", "locale"),
    ):
        if given is None and wanted:
            out.append(f'A {name} is expected for attribute "{code}" because it has a value per {per}.')
        if given is not None and not wanted:
            out.append(
                f'A {name} is not expected for attribute "{code}" because it has not a value per {per}.'
            )
    known = catalogue.channels.get(folded(channel)) if channel else None
    if channel and known is None:
        out.append(f'The channel "{channel}" does not exist.')
    active = catalogue.locales.get(folded(locale)) if locale else None
    if locale and (active is None or not active.get("enabled", True)):
        out.append(f'The locale "{locale}" does not exist or is not activated.')
    elif locale and known is not None and locale not in known.get("locales", ()):
        out.append(f'The locale "{locale}" is not activated for the channel "{channel}".')
    return out


class NamingError(Exception):
    """A naming convention that aborts the creation of an asset."""


def named_values(collection: Collection, code: str, filename: str | None) -> dict[ValueKey, Any]:
    """What a family's naming convention draws from an asset's code or its main media's name, at its creation.

    Raises NamingError where the pattern does not match and the family says that this aborts.
    """
    convention = collection.body.get("naming_convention") or {}
    if not convention:
        return {}
    source = convention.get("source") or {}
    text = code if source.get("property", "code") == "code" else filename
    pattern = str(convention.get("pattern", "")).strip()
    bare = pattern[1 : pattern.rfind(pattern[0])] if len(pattern) > 1 else pattern
    found = re.search(bare, text) if text is not None else None
    if found is None:
        if convention.get("abort_asset_creation_on_error"):
            raise NamingError(
                "Error during naming convention execution: "
                f'the pattern "{pattern}" does not match the source "{text or ""}".'
            )
        return {}
    named = {name: value for name, value in found.groupdict().items() if value is not None}
    return {
        ValueKey(name, None, None): value for name, value in named.items() if name in collection.attributes
    }
