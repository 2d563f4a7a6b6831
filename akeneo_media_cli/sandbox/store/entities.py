"""Products and models, read whole and written whole: the PIM's lost updates
(docs/pim-behaviour.md, "Lost values")."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ..php.text import folded
from .catalogue import Catalogue

PRODUCT, MODEL = "product", "product_model"


class ValueKey(NamedTuple):
    """The place of one value in its entity."""

    attribute: str
    locale: str | None
    scope: str | None


@dataclass
class Entity:
    """A product or a product model as the database holds it: its own values only."""

    kind: str
    key: str
    """The UUID of a product, the code of a model."""
    data: dict[str, Any]
    values: dict[ValueKey, Any]
    created: float
    updated: float
    changed: dict[ValueKey, float] = field(default_factory=dict)


@dataclass
class Draft:
    """A whole entity in the memory of one call. What it does not address is as old as its reading."""

    entity: Entity
    data: dict[str, Any]
    values: dict[ValueKey, Any]
    base: dict[ValueKey, Any]
    is_new: bool = False

    @property
    def dirty(self) -> bool:
        """Whether a save has anything to write; the PIM skips one that has not
        (docs/pim-behaviour.md, "Batch PATCH")."""
        return self.is_new or self.values != self.base or self.data != self.entity.data


class Lost(NamedTuple):
    """A value that a save overwrote without addressing it."""

    key: ValueKey
    was: Any
    became: Any


class Entities:
    """All products and models of the sandbox."""

    def __init__(
        self, catalogue: Catalogue, clock: Callable[[], float], saved: Callable[[Entity, bool], None]
    ) -> None:
        self.catalogue = catalogue
        self.products: dict[str, Entity] = {}
        self.models: dict[str, Entity] = {}
        self._by_identifier: dict[str, str] = {}
        self._clock, self._saved = clock, saved

    def add(self, kind: str, body: dict[str, Any]) -> Entity:
        """Adds an entity of a catalogue. Values that it inherits are left to its parent."""
        body = dict(body)
        given = body.pop("values", None) or {}
        identifier = body.pop("identifier", None)
        values = {
            ValueKey(attribute, item.get("locale"), item.get("scope")): item.get("data")
            for attribute, items in given.items()
            for item in items
        }
        data = new_data(kind)
        if kind == PRODUCT:
            key = str(body.pop("uuid", "") or _uuid_of(identifier)).lower()
            if identifier:
                values.setdefault(ValueKey(self.catalogue.identifier, None, None), identifier)
        else:
            key = str(body.pop("code"))
        data.update({name: body[name] for name in data if name in body})
        now = self._clock()
        entity = Entity(kind, key, data, values, now, now)
        own = self.own(entity)
        if own is not None:
            entity.values = {k: v for k, v in values.items() if k.attribute in own}
        self.put(entity)
        return entity

    def put(self, entity: Entity) -> None:
        """Puts an entity in its place, and keeps identifiers findable."""
        if entity.kind == MODEL:
            self.models[folded(entity.key)] = entity
            return
        before = self.products.get(entity.key)
        if before is not None and self.identifier(before) is not None:
            self._by_identifier.pop(folded(str(self.identifier(before))), None)
        self.products[entity.key] = entity
        identifier = self.identifier(entity)
        if identifier is not None:
            self._by_identifier[folded(identifier)] = entity.key

    def identifier(self, entity: Entity | Draft) -> str | None:
        """A product's identifier: the value of the main identifier attribute."""
        value = entity.values.get(ValueKey(self.catalogue.identifier, None, None))
        return value if isinstance(value, str) else None

    def product(self, identifier: Any) -> Entity | None:
        """A product by identifier."""
        return self.products.get(self._by_identifier.get(folded(str(identifier)), ""))

    def product_by_uuid(self, key: str) -> Entity | None:
        """A product by UUID."""
        return self.products.get(key.lower())

    def model(self, code: Any) -> Entity | None:
        """A product model by code."""
        return self.models.get(folded(str(code)))

    def ancestors(self, entity: Entity | Draft) -> Iterator[Entity]:
        """The parent, and its parent."""
        parent = entity.data.get("parent")
        while parent:
            model = self.model(parent)
            if model is None:
                return
            yield model
            parent = model.data.get("parent")

    def tree(self, entity: Entity | Draft) -> str | None:
        """The code of the root model of an entity's tree; None for a simple product."""
        above = list(self.ancestors(entity))
        if above:
            return above[-1].key
        own = entity.entity if isinstance(entity, Draft) else entity
        return own.key if own.kind == MODEL else None

    def own(self, entity: Entity | Draft) -> set[str] | None:
        """Codes of the attributes that belong to an entity's level; None: any (a simple product)."""
        kind = entity.entity.kind if isinstance(entity, Draft) else entity.kind
        above = list(self.ancestors(entity))
        if kind == PRODUCT:
            if not above:
                return None
            family, variant = above[0].data.get("family"), above[0].data.get("family_variant")
            return self.catalogue.own_attributes(family, variant, self.catalogue.depth(family, variant))
        variant = entity.data.get("family_variant") or (
            above[0].data.get("family_variant") if above else None
        )
        return self.catalogue.own_attributes(entity.data.get("family"), variant, len(above))

    def family(self, entity: Entity | Draft) -> str | None:
        """The code of an entity's family, its own or that of its parents."""
        own = entity.data.get("family")
        return own or next((above.data.get("family") for above in self.ancestors(entity)), None)

    def value(self, entity: Entity, key: ValueKey) -> Any:
        """A value of an entity, its own or that of its parents; None for none."""
        if key in entity.values:
            return entity.values[key]
        return next((above.values[key] for above in self.ancestors(entity) if key in above.values), None)

    def rename(self, model: Entity, code: str) -> None:
        """Gives a model another code, and updates its children."""
        if model.key == code:
            return
        before = model.key
        self.remove(model)
        model.key = code
        self.put(model)
        self._saved(model, False)
        for child in [*self.models.values(), *self.products.values()]:
            if folded(str(child.data.get("parent") or "")) == folded(before):
                child.data["parent"] = code
                self._saved(child, False)

    def read(self, entity: Entity) -> Draft:
        """A call's own copy of a whole entity."""
        return Draft(entity, dict(entity.data), dict(entity.values), dict(entity.values))

    def fresh(self, kind: str, key: str) -> Draft:
        """A copy of an entity that does not exist yet."""
        now = self._clock()
        return Draft(Entity(kind, key, new_data(kind), {}, now, now), new_data(kind), {}, {}, is_new=True)

    def write(self, draft: Draft) -> list[Lost]:
        """Writes a copy back whole; returns the values of other saves that this lost."""
        entity, now = draft.entity, self._clock()
        lost = [
            Lost(key, entity.values.get(key), draft.values.get(key))
            for key in {*entity.values, *draft.base}
            if entity.values.get(key) != draft.base.get(key) and draft.values.get(key) == draft.base.get(key)
        ]
        before = entity.values
        for key in {*before, *draft.values}:
            if before.get(key) != draft.values.get(key):
                entity.changed[key] = now
        if not draft.is_new and entity.kind == PRODUCT and self.identifier(entity) is not None:
            self._by_identifier.pop(folded(str(self.identifier(entity))), None)
        entity.values = {k: v for k, v in draft.values.items() if v is not None}
        entity.data = dict(draft.data)
        entity.updated = now
        self.put(entity)
        self._saved(entity, False)
        return lost

    def remove(self, entity: Entity) -> None:
        """Deletes an entity."""
        self.forget(entity.kind, entity.key)
        self._saved(entity, True)

    def forget(self, kind: str, key: str) -> None:
        """Removes an entity, if it is there."""
        if kind == MODEL:
            self.models.pop(folded(key), None)
            return
        entity = self.products.pop(key, None)
        if entity is not None:
            self._by_identifier.pop(folded(str(self.identifier(entity))), None)

    def all(self) -> Iterator[Entity]:
        """Every product, then every model."""
        yield from self.products.values()
        yield from self.models.values()


def new_data(kind: str) -> dict[str, Any]:
    """What a new entity has beside values."""
    if kind == MODEL:
        return {"family": None, "family_variant": None, "parent": None, "categories": []}
    return {"enabled": True, "family": None, "categories": [], "groups": [], "parent": None}


def _uuid_of(identifier: Any) -> uuid.UUID:
    """A UUID for a product that the catalogue gives none: always the same, so that a kept state fits."""
    if not identifier:
        return uuid.uuid4()
    return uuid.UUID(bytes=hashlib.sha256(str(identifier).encode()).digest()[:16], version=4)
