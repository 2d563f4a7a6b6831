"""How complete a product is in each channel and locale: the share of its family's required attributes."""

from __future__ import annotations

from typing import Any

from ..store.entities import Entities, Entity, ValueKey


def completeness(entities: Entities, entity: Entity) -> list[dict[str, Any]]:
    """`scope`, `locale` and `data` in per cent, for each locale of each channel; none without a family."""
    catalogue = entities.catalogue
    family = catalogue.families.find(entities.family(entity))
    if family is None:
        return []
    required = family.get("attribute_requirements") or {}
    out = []
    for channel in catalogue.channels.values():
        for locale in channel.get("locales", ()):
            wanted = [
                key
                for code in required.get(channel["code"], ())
                if (key := _place(entities, code, locale, channel["code"])) is not None
            ]
            filled = sum(entities.value(entity, key) is not None for key in wanted)
            ratio = 100 * filled // len(wanted) if wanted else 100
            out.append({"scope": channel["code"], "locale": locale, "data": ratio})
    return out


def _place(entities: Entities, code: str, locale: str, scope: str) -> ValueKey | None:
    attribute = entities.catalogue.attribute(code)
    if attribute is None:
        return None
    available = attribute["available_locales"]
    if available and locale not in available:
        return None
    return ValueKey(
        attribute["code"],
        locale if attribute["localizable"] else None,
        scope if attribute["scopable"] else None,
    )
