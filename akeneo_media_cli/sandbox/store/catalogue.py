"""The catalogue that a sandbox starts from: its defaults filled in, its codes easy to look up.

docs/sandbox.md documents the shape, and what it adds for assets, records, categories and the old PAM.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..php.text import folded

MEDIA_TYPES = ("pim_catalog_image", "pim_catalog_file")
OPTION_TYPES = ("pim_catalog_simpleselect", "pim_catalog_multiselect")
ASSOCIATION_TYPES = (
    ("PACK", "Pack", "Pack"),
    ("UPSELL", "Upsell", "Vente incitative"),
    ("X_SELL", "Cross sell", "Vente croisée"),
    ("SUBSTITUTION", "Substitution", "Remplacement"),
)
"""Code, English and French label."""
_ATTRIBUTE_DEFAULTS: dict[str, Any] = {
    "code": "", "type": "pim_catalog_image", "group": "other", "unique": False,
    "useable_as_grid_filter": False,
    "allowed_extensions": [], "metric_family": None, "default_metric_unit": None, "reference_data_name": None,
    "available_locales": [], "max_characters": None, "validation_rule": None, "validation_regexp": None,
    "wysiwyg_enabled": None, "number_min": None, "number_max": None, "decimals_allowed": None,
    "negative_allowed": None, "date_min": None, "date_max": None, "max_file_size": None,
    "minimum_input_length": None, "sort_order": 0, "localizable": False, "scopable": False, "labels": {},
    "guidelines": {}, "auto_option_sorting": None, "default_value": None, "group_labels": {},
}  # fmt: skip


_LISTS = (
    "attributes", "families", "channels", "locales", "categories", "products", "product_models",
    "category_attributes", "asset_families", "assets", "reference_entities", "records", "pam_assets",
)  # fmt: skip


class CatalogueError(ValueError):
    """A catalogue that cannot be used; the message says where."""


class Index(dict[str, dict[str, Any]]):
    """Things by code, found as MySQL finds them: case, accents and trailing spaces do not count."""

    def __init__(self, items: Iterable[Mapping[str, Any]]) -> None:
        super().__init__((folded(item["code"]), dict(item)) for item in items)

    def find(self, code: Any) -> dict[str, Any] | None:
        """The entry of a code, or None."""
        return self.get(folded(code)) if isinstance(code, str) else None


class Catalogue:
    """Structure: what attributes, families, channels and locales there are. Entities live in their stores."""

    def __init__(self, source: Mapping[str, Any]) -> None:
        self.source = check_shape(source)
        self.attributes = Index({**_ATTRIBUTE_DEFAULTS, **item} for item in _list(source, "attributes"))
        self.families = Index(_list(source, "families"))
        self.channels = Index(_list(source, "channels"))
        self.locales = Index(_list(source, "locales"))
        self.categories = Index(_list(source, "categories"))
        self.variants = {
            folded(family): Index(items) for family, items in (source.get("family_variants") or {}).items()
        }
        self.limits: dict[str, int] = dict(source.get("limits") or {})
        self.options = self._options(source)
        self.linked_data: bool = source.get("linked_data") is not False
        """Whether assets describe their files, as in the cloud; `"linked_data": false` makes an older PIM."""
        identifiers = [a for a in self.attributes.values() if a["type"] == "pim_catalog_identifier"]
        main = [a for a in identifiers if a.get("is_main_identifier")] or identifiers
        if not main:
            sku = {**_ATTRIBUTE_DEFAULTS, "code": "sku", "type": "pim_catalog_identifier", "unique": True}
            main = [{**sku, "useable_as_grid_filter": True, "is_main_identifier": True}]
            self.attributes["sku"] = main[0]
        self.identifier: str = main[0]["code"]

    def _options(self, source: Mapping[str, Any]) -> dict[str, dict[str, dict[str, Any]]]:
        """The options of each select attribute by code: those it names, and those that values use."""
        named: dict[str, dict[str, Mapping[str, Any]]] = {
            attribute["code"]: {
                item["code"]: item
                for item in (
                    option if isinstance(option, Mapping) else {"code": str(option)}
                    for option in attribute.get("options", ())
                )
            }
            for attribute in self.attributes.values()
            if attribute["type"] in OPTION_TYPES
        }
        for entity in [*_list(source, "products"), *_list(source, "product_models")]:
            for code, items in (entity.get("values") or {}).items():
                for data in (item.get("data") for item in items if code in named):
                    for option in data if isinstance(data, list) else [data]:
                        if isinstance(option, str):
                            named[code].setdefault(option, {"code": option})
        return {
            code: {
                name: {
                    "code": name,
                    "attribute": code,
                    "sort_order": item.get("sort_order", number),
                    "labels": item.get("labels") or {},
                }
                for number, (name, item) in enumerate(sorted(options.items()))
            }
            for code, options in named.items()
        }

    def currencies(self) -> list[dict[str, Any]]:
        """The currencies of the channels, where the catalogue lists none."""
        named = {code: None for channel in self.channels.values() for code in channel.get("currencies", ())}
        return _list(self.source, "currencies") or [{"code": code, "enabled": True} for code in named]

    def attribute_groups(self) -> list[dict[str, Any]]:
        """The groups that attributes are in, where the catalogue lists none."""
        groups: dict[str, dict[str, Any]] = {}
        in_order = sorted(self.attributes.values(), key=lambda item: item["code"] != self.identifier)
        for item in in_order:
            group = {
                "code": item["group"],
                "sort_order": 100,
                "attributes": [],
                "labels": item["group_labels"],
            }
            groups.setdefault(item["group"], group)["attributes"].append(item["code"])
        return _list(self.source, "attribute_groups") or list(groups.values())

    def association_types(self) -> list[dict[str, Any]]:
        """The four that every PIM has, where the catalogue lists none."""
        more = {"is_two_way": False, "is_quantified": False}
        return _list(self.source, "association_types") or [
            {"code": code, "labels": {"en_US": english, "fr_FR": french}, **more}
            for code, english, french in ASSOCIATION_TYPES
        ]

    def attribute(self, code: Any) -> dict[str, Any] | None:
        """An attribute by code, as the PIM finds it."""
        return self.attributes.find(code)

    def channel_code(self, code: str | None) -> str | None:
        """A channel's code as the catalogue spells it; unknown ones as given."""
        known = self.channels.find(code)
        return known["code"] if known else code

    def locale_code(self, code: str | None) -> str | None:
        """A locale's code as the catalogue spells it; unknown ones as given."""
        known = self.locales.find(code)
        return known["code"] if known else code

    def is_active(self, code: Any) -> bool:
        """Whether a locale is known and activated."""
        known = self.locales.find(code)
        return known is not None and bool(known.get("enabled", True))

    def has_group(self, code: Any) -> bool:
        """Whether there is a group of products of that code."""
        return any(folded(group["code"]) == folded(str(code)) for group in self.source.get("groups") or ())

    def below(self, codes: Iterable[str]) -> set[str]:
        """The codes of all categories below some others."""
        found: set[str] = set()
        wanted = {folded(code) for code in codes}
        while wanted:
            children = [
                item["code"]
                for item in self.categories.values()
                if folded(item.get("parent") or "") in wanted and item["code"] not in found
            ]
            found.update(children)
            wanted = {folded(code) for code in children}
        return found

    def variant(self, family: str | None, code: str | None) -> dict[str, Any] | None:
        """A family variant by its own code, in its family where that is known."""
        for name, index in self.variants.items():
            if family is None or name == folded(family):
                found = index.find(code)
                if found:
                    return found
        return None

    def family_of_variant(self, code: str) -> str | None:
        """The code of the family that has a family variant."""
        for name, index in self.variants.items():
            family = self.families.get(name)
            if family and index.find(code):
                return str(family["code"])
        return None

    def axes(self, family: str | None, variant: str | None, level: int) -> list[str]:
        """The codes of a level's axes."""
        found = self.variant(family, variant)
        sets = found["variant_attribute_sets"] if found else ()
        return [code for item in sets if item["level"] == level for code in item.get("axes", ())]

    def own_attributes(self, family: str | None, variant: str | None, level: int) -> set[str] | None:
        """Codes that an entity at `level` (0: root model) of a family variant holds itself; None: any."""
        found = self.variant(family, variant)
        if found is None:
            return None
        sets = {
            s["level"]: {*s.get("attributes", ()), *s.get("axes", ())}
            for s in found["variant_attribute_sets"]
        }
        if level:
            return sets.get(level, set())
        return self.family_attributes(family) - set().union(*sets.values())

    def family_attributes(self, family: str | None) -> set[str]:
        """Codes of a family's attributes; none for no family."""
        known = self.families.find(family)
        return set(known.get("attributes", ())) if known else set()

    def depth(self, family: str | None, variant: str | None) -> int:
        """The level of a family variant's products: 1 or 2."""
        found = self.variant(family, variant)
        return len(found["variant_attribute_sets"]) if found else 0


def shown(item: Mapping[str, Any]) -> dict[str, Any]:
    """An item of the structure without what only the sandbox knows about it."""
    return {name: value for name, value in item.items() if name != "options"}


def check_shape(source: Any) -> Mapping[str, Any]:
    """Checks a catalogue before anything is built from it. Raises CatalogueError."""
    if not isinstance(source, Mapping):
        raise CatalogueError("a catalogue is a JSON object")
    for key in _LISTS:
        for item in _list(source, key):
            code = item.get("code")
            if key != "products" and (not isinstance(code, str) or not code):
                raise CatalogueError(f"an entry of {key!r} has no 'code': {dict(item)!r:.80}")
            _check_values(key, item.get("values") or {})
    for key in ("connections", "limits", "family_variants"):
        if not isinstance(source.get(key, {}), (Mapping, type(None))):
            raise CatalogueError(f"{key!r} of a catalogue is an object")
    for name, limit in (source.get("limits") or {}).items():
        if isinstance(limit, bool) or not isinstance(limit, int):
            raise CatalogueError(f"the limit {name!r} is a number of bytes")
    for parent, key in (("asset_family", "assets"), ("reference_entity", "records")):
        for item in _list(source, key):
            if not isinstance(item.get(parent), str):
                raise CatalogueError(f"an entry of {key!r} has no {parent!r}: {dict(item)!r:.80}")
    return source


def _check_values(key: str, values: Any) -> None:
    good = isinstance(values, Mapping) and all(
        isinstance(items, list) and all(isinstance(item, Mapping) for item in items)
        for items in values.values()
    )
    if not good:
        raise CatalogueError(f"'values' in {key!r} name lists of objects by attribute")


def _list(source: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    value = source.get(key)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(item, Mapping) for item in value):
        raise CatalogueError(f"{key!r} of a catalogue is a list of objects")
    return value
