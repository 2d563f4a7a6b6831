"""A catalogue that has everything a manifest names, so that it can be rehearsed without a PIM."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from .php.text import folded

PICTURES = frozenset(
    ("jpg", "jpeg", "jpe", "jfif", "jif", "png", "gif", "webp", "tif", "tiff", "bmp", "psd", "svg", "heic",
     "heif", "avif", "eps", "ai", "ico")
)  # fmt: skip
"""Files with these extensions get an image attribute."""

_CHANNEL, _LOCALE = "ecommerce", "en_US"


class Need(NamedTuple):
    """One place that a manifest names, by `target.type` and columns as reports have them.

    `parent` is the asset family or reference entity; for a product, the asset family that `attribute`, an
    asset collection, takes its assets from. `extension` is the file's, with or without its dot. `type` is the
    attribute's where it does not hold a file: `text`, `single_option`..., `pim_catalog_asset_collection`.
    `options` are codes that an option attribute must have.
    """

    kind: str
    code: str
    parent: str = ""
    attribute: str = ""
    locale: str | None = None
    scope: str | None = None
    extension: str = ""
    type: str = ""
    options: tuple[str, ...] = ()


class _Use:
    """How one attribute is used by all the rows that name it."""

    def __init__(self, code: str) -> None:
        self.code = code
        self.locales: set[str | None] = set()
        self.scopes: set[str | None] = set()
        self.extensions: set[str] = set()
        self.type = self.parent = ""
        self.options: dict[str, None] = {}

    def add(self, need: Need) -> None:
        self.locales.add(need.locale)
        self.scopes.add(need.scope)
        self.extensions.add(need.extension.lower().lstrip("."))
        self.type, self.parent = need.type or self.type, need.parent or self.parent
        self.options.update(dict.fromkeys(need.options))

    @property
    def localizable(self) -> bool:
        """Whether any row gives a locale: a PIM would refuse the rows without one."""
        return self.locales != {None}

    @property
    def scopable(self) -> bool:
        return self.scopes != {None}

    @property
    def picture(self) -> bool:
        return self.extensions <= PICTURES


class _Uses(dict[str, _Use]):
    """Uses by attribute code, which the PIM compares without regard to case."""

    def note(self, need: Need) -> None:
        self.setdefault(folded(need.attribute), _Use(need.attribute)).add(need)


class _Named:
    """All that the needs name, each once."""

    def __init__(self, needs: Iterable[Need]) -> None:
        self.products: dict[str, dict[str, Any]] = {}
        self.models: dict[str, str] = {}
        self.categories: dict[str, str] = {"master": "master"}
        self.pam: dict[str, bool] = {}
        self.values, self.enriched = _Uses(), _Uses()
        self.collections: dict[tuple[str, str], _Uses] = {}
        self.things: dict[tuple[str, str, str], str] = {}
        self.locales: dict[str, None] = {_LOCALE: None}
        self.scopes: dict[str, None] = {_CHANNEL: None}
        for need in needs:
            self._add(need)

    def _add(self, need: Need) -> None:
        if need.locale:
            self.locales[need.locale] = None
        if need.scope:
            self.scopes[need.scope] = None
        kind, code = need.kind, need.code
        if kind == "product":
            self.products.setdefault(folded(code), {"identifier": code})
        elif kind == "product_uuid":
            self.products.setdefault(f"uuid {code.lower()}", {"uuid": code, "identifier": f"sku-of-{code}"})
        elif kind == "product_model":
            self.models.setdefault(folded(code), code)
        elif kind == "category":
            self.categories.setdefault(folded(code), code)
            self.enriched.note(need)
        elif kind == "pam_asset":
            self.pam[code] = self.pam.get(code, False) or need.locale is not None
        elif kind in ("asset", "record"):
            uses = self.collections.setdefault((kind, need.parent), _Uses())
            if code:
                if need.attribute:
                    uses.note(need)
                self.things.setdefault((kind, need.parent, folded(code)), code)
        if kind.startswith("product"):
            if need.parent:
                self.collections.setdefault(("asset", need.parent), _Uses())
            self.values.note(need)

    def collected(self, wanted: str, attribute: Callable[[_Use], dict[str, Any]]) -> list[dict[str, Any]]:
        """Asset families or reference entities, with their attributes."""
        out = []
        for (kind, parent), uses in self.collections.items():
            if kind == wanted:
                attributes = [attribute(use) for use in uses.values()]
                main = next((item["code"] for item in attributes if item["type"] == "media_file"), None)
                body = {"code": parent, "labels": {}, "attributes": attributes}
                out.append({**body, "attribute_as_main_media": main} if kind == "asset" else body)
        return out

    def members(self, wanted: str, parent_key: str) -> list[dict[str, Any]]:
        """Assets or records, empty."""
        return [
            {parent_key: parent, "code": code}
            for (kind, parent, _), code in self.things.items()
            if kind == wanted
        ]


def invent(needs: Iterable[Need]) -> dict[str, Any]:
    """A catalogue for `start_sandbox` with everything that is named: products, models, assets, attributes...

    Media attributes take any extension and size. One that is used both with and without a locale (or
    channel) is localizable (or scopable): the rows without one are then wrong, as they would be in a PIM.
    Every channel has every locale that is named. Products have no family, so that any attribute fits them;
    those named by UUID have an identifier too, as nearly all products do.
    """
    named = _Named(needs)
    attributes = [_product_attribute(use) for code, use in named.values.items() if code != "sku"]
    codes = ["sku", *(attribute["code"] for attribute in attributes)]
    variant = {"level": 1, "axes": [], "attributes": ["sku"]}
    return {
        "edition": "ee" if named.collections or named.enriched else "ce",
        "attributes": [{"code": "sku", "type": "pim_catalog_identifier", "unique": True}, *attributes],
        "families": [{"code": "invented", "attributes": codes, "labels": {}}],
        "family_variants": {
            "invented": [{"code": "invented_variants", "labels": {}, "variant_attribute_sets": [variant]}]
        },
        "channels": [_channel(code, named) for code in named.scopes],
        "locales": [{"code": code, "enabled": True} for code in named.locales],
        "categories": [
            {"code": code, "parent": None if code == "master" else "master", "labels": {}}
            for code in named.categories.values()
        ],
        "category_attributes": [_plain(use, "image") for use in named.enriched.values()],
        "products": list(named.products.values()),
        "product_models": [
            {"code": code, "family": "invented", "family_variant": "invented_variants"}
            for code in named.models.values()
        ],
        "asset_families": named.collected("asset", _asset_attribute),
        "assets": named.members("asset", "asset_family"),
        "reference_entities": named.collected("record", lambda use: _plain(use, "image")),
        "records": named.members("record", "reference_entity"),
        "pam_assets": [{"code": code, "localizable": localizable} for code, localizable in named.pam.items()],
    }


def _channel(code: str, named: _Named) -> dict[str, Any]:
    locales = list(named.locales)
    return {"code": code, "currencies": ["USD"], "locales": locales, "category_tree": "master", "labels": {}}


def _product_attribute(use: _Use) -> dict[str, Any]:
    return {
        "code": use.code,
        "type": use.type or ("pim_catalog_image" if use.picture else "pim_catalog_file"),
        "reference_data_name": use.parent or None,
        "localizable": use.localizable,
        "scopable": use.scopable,
    }


def _plain(use: _Use, kind: str) -> dict[str, Any]:
    per = {"value_per_locale": use.localizable, "value_per_channel": use.scopable}
    body = {"code": use.code, "type": use.type or kind, **per}
    return {**body, "options": list(use.options)} if use.options else body


def _asset_attribute(use: _Use) -> dict[str, Any]:
    body = _plain(use, "media_file")
    return body if use.type else {**body, "media_type": "image" if use.picture else "other"}
