"""A catalogue that has everything a manifest names, so that it can be rehearsed with no PIM at hand."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from .text import folded

PICTURES = frozenset(
    "jpg jpeg jpe jfif jif png gif webp tif tiff bmp psd svg heic heif avif eps ai ico".split()
)
"""Extensions that make an invented attribute one for images."""

_CHANNEL, _LOCALE = "ecommerce", "en_US"


class Need(NamedTuple):
    """One place that a manifest names, by the contract's `target.type` and columns.

    `parent` is the asset family or reference entity. `extension` is the file's, with or without its dot.
    """

    kind: str
    code: str
    parent: str = ""
    attribute: str = ""
    locale: str | None = None
    scope: str | None = None
    extension: str = ""


class _Use:
    """How one attribute is used by all the rows that name it."""

    def __init__(self, code: str) -> None:
        self.code = code
        self.locales: set[str | None] = set()
        self.scopes: set[str | None] = set()
        self.extensions: set[str] = set()

    def add(self, need: Need) -> None:
        self.locales.add(need.locale)
        self.scopes.add(need.scope)
        self.extensions.add(need.extension.lower().lstrip("."))

    @property
    def localizable(self) -> bool:
        """By the rows that give a locale: one row with and one without cannot both be right, and a PIM would take
        one of the two kinds. The kind that tells more wins."""
        return self.locales != {None}

    @property
    def scopable(self) -> bool:
        return self.scopes != {None}

    @property
    def picture(self) -> bool:
        return self.extensions <= PICTURES


class _Uses(dict[str, _Use]):
    """Uses by attribute code, as the PIM tells codes apart."""

    def note(self, need: Need) -> None:
        self.setdefault(folded(need.attribute), _Use(need.attribute)).add(need)


def invent(needs: Iterable[Need]) -> dict[str, Any]:
    """A catalogue for `start_sandbox` that has every product, model, asset, record, category and attribute of `needs`.

    Media attributes take any extension and size. One that is used both with and without a locale (or channel)
    is localizable (or scopable): the rows without one are then wrong, as they would be in a PIM. Every channel has
    every locale that is named. Products have no family, so that any attribute fits them.
    """
    products, models, uuids = dict[str, str](), dict[str, str](), dict[str, str]()
    categories, pam = dict[str, str](), dict[str, bool]()
    values, enriched = _Uses(), _Uses()
    collections: dict[tuple[str, str], _Uses] = {}
    things: dict[tuple[str, str, str], str] = {}
    locales, scopes = {_LOCALE: None}, {_CHANNEL: None}
    for need in needs:
        if need.locale:
            locales.setdefault(need.locale)
        if need.scope:
            scopes.setdefault(need.scope)
        if need.kind in ("product", "product_uuid", "product_model"):
            where = {"product": products, "product_uuid": uuids, "product_model": models}[need.kind]
            where.setdefault(folded(need.code), need.code)
            values.note(need)
        elif need.kind in ("asset", "record"):
            collections.setdefault((need.kind, need.parent), _Uses())
            if need.code:
                collections[need.kind, need.parent].note(need)
                things.setdefault((need.kind, need.parent, folded(need.code)), need.code)
        elif need.kind == "category":
            categories.setdefault(folded(need.code), need.code)
            enriched.note(need)
        elif need.kind == "pam_asset":
            pam[need.code] = pam.get(need.code, False) or need.locale is not None
    attributes = [_product_attribute(use) for use in values.values() if folded(use.code) != "sku"]
    codes = [a["code"] for a in attributes]
    cloud = bool(collections or categories)
    return {
        "edition": "ee" if cloud else "ce",
        "attributes": [{"code": "sku", "type": "pim_catalog_identifier", "unique": True}, *attributes],
        "families": [{"code": "invented", "attributes": ["sku", *codes], "labels": {"en_US": "Invented"}}],
        "family_variants": {"invented": [_variant()]},
        "channels": [{"code": code, "currencies": ["USD"], "locales": list(locales), "category_tree": "master",
                      "labels": {}} for code in scopes],
        "locales": [{"code": code, "enabled": True} for code in locales],
        "categories": [{"code": "master", "parent": None, "labels": {}},
                       *({"code": code, "parent": "master", "labels": {}} for key, code in categories.items()
                         if key != "master")],
        "category_attributes": [_plain(use, "image") for use in enriched.values()],
        "products": [*({"identifier": code} for code in products.values()),
                     *({"uuid": code} for code in uuids.values())],
        "product_models": [{"code": code, "family": "invented", "family_variant": "invented_by_size"}
                           for code in models.values()],
        "asset_families": [
            {"code": parent, "labels": {}, "attribute_as_main_media": next((u.code for u in uses.values()), None),
             "attributes": [_asset_attribute(use) for use in uses.values()]}
            for (kind, parent), uses in collections.items() if kind == "asset"],
        "assets": [{"asset_family": parent, "code": code} for (kind, parent, _), code in things.items()
                   if kind == "asset"],
        "reference_entities": [
            {"code": parent, "labels": {}, "attributes": [_plain(use, "image") for use in uses.values()]}
            for (kind, parent), uses in collections.items() if kind == "record"],
        "records": [{"reference_entity": parent, "code": code} for (kind, parent, _), code in things.items()
                    if kind == "record"],
        "pam_assets": [{"code": code, "localizable": localizable} for code, localizable in pam.items()],
    }  # fmt: skip


def _variant() -> dict[str, Any]:
    own = {"level": 1, "axes": [], "attributes": ["sku"]}
    return {"code": "invented_by_size", "labels": {}, "variant_attribute_sets": [own]}


def _product_attribute(use: _Use) -> dict[str, Any]:
    return {
        "code": use.code,
        "type": "pim_catalog_image" if use.picture else "pim_catalog_file",
        "localizable": use.localizable,
        "scopable": use.scopable,
    }


def _plain(use: _Use, kind: str) -> dict[str, Any]:
    per = {"value_per_locale": use.localizable, "value_per_channel": use.scopable}
    return {"code": use.code, "type": kind, **per}


def _asset_attribute(use: _Use) -> dict[str, Any]:
    return {**_plain(use, "media_file"), "media_type": "image" if use.picture else "other"}
