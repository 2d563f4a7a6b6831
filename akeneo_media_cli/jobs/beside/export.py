"""`export --assets`: a manifest of what asset families hold, their values and links with it.

First every asset, a page at a time: a row for each file, with the other values in the first of them. Then the
products and models, with a row for each asset that their collections hold, in its order: so an upload of the
manifest to another PIM makes the same collections, and neither side holds more than a page in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

from ...errors import UsageError
from ...manifest.beside import LINK_COLUMNS, LINK_TARGETS, PREFIX
from ...pim.answers.entity_types import Entity, MediaAttribute
from ...pim.answers.types import ASSET_COLLECTION, Attribute, Channel, Product, ProductModel, ValueKey
from ...pim.client import PimClient
from ...preflight import checks
from ...rows import Row, Target, TargetType, clean_name
from ...storage.saving import safe_folder, safe_name
from ...transfer.reads import ParallelReads
from ..download import name_in_code

FOLDER = "assets"
_PLACE = ("asset_family", "asset", "attribute", "locale", "scope", "file", "filename")
_MEDIA = "media_file"


@dataclass
class CountedAssets:
    """The counts of an export."""

    assets: int = 0
    files: int = 0
    links: int = 0


class _Family(NamedTuple):
    """An asset family as an export sees it."""

    code: str
    media: frozenset[str]
    others: tuple[MediaAttribute, ...]


@dataclass
class AssetExport:
    """One walk through some asset families, and the products that hold their assets."""

    families: Sequence[str]
    client: PimClient
    reads: ParallelReads
    links: bool = True
    counted: CountedAssets = field(default_factory=CountedAssets)

    def rows(self) -> tuple[tuple[str, ...], Iterator[Row]]:
        """The columns that rows may fill, and the rows as they are taken.

        Raises UsageError for a family that is not there, AccessError and TemporaryError.
        """
        families = [self._family(code) for code in dict.fromkeys(self.families)]
        channels = self.reads.one(self.client.channels)
        values = dict.fromkeys(
            name for family in families for each in family.others for name in _names(each, channels)
        )
        return (*_PLACE, *values, *(LINK_COLUMNS if self.links else ())), self._all(families)

    def _family(self, code: str) -> _Family:
        if self.reads.one(partial(self.client.asset_family, code)) is None:
            known = [family.code for family in self.reads.one(self.client.asset_families)]
            raise UsageError(
                f"--assets {code}: there is no such asset family in the PIM, or this user may not see it",
                f"{checks.nearest(code, known)}its families are {', '.join(known) or 'none'}",
            )
        attributes = self.reads.one(partial(self.client.asset_attributes, code))
        return _Family(
            code,
            frozenset(each.code for each in attributes if each.type == _MEDIA),
            tuple(each for each in attributes if each.type != _MEDIA),
        )

    def _all(self, families: Sequence[_Family]) -> Iterator[Row]:
        for family in families:
            for assets in self.reads.pages(partial(self.client.asset_page, family.code)):
                for asset in assets:
                    yield from self._asset(family, asset)
        collections = self._collections(families) if self.links else []
        if collections:
            yield from self._linked(self.client.product_model_page, collections)
            yield from self._linked(self.client.product_page, collections)

    # Assets.

    def _asset(self, family: _Family, asset: Entity) -> Iterator[Row]:
        self.counted.assets += 1
        target = Target(TargetType.ASSET, asset.code, family.code)
        known = {each.code for each in family.others}
        extra = {
            _name(key): text
            for key, data in asset.values.items()
            if key[0] in known and (text := _written(data))
        }
        for key, code in asset.values.items():
            if key[0] in family.media and isinstance(code, str) and code:
                self.counted.files += 1
                yield _file_row(target, key, code, asset.linked.get(key), extra)
                extra = {}
        if extra:
            yield Row("", 0, "", target, "", extra=extra)

    # Links.

    def _collections(self, families: Sequence[_Family]) -> list[Attribute]:
        codes = {family.code for family in families}
        found = self.reads.one(partial(self.client.attributes_of_type, ASSET_COLLECTION))
        return [each for each in found if each.reference_data_name in codes]

    def _linked(self, page: Callable[..., Any], collections: Sequence[Attribute]) -> Iterator[Row]:
        families = {each.code: each.reference_data_name or "" for each in collections}
        above: dict[str, Mapping[ValueKey, Any]] = {}
        for entities in self.reads.pages(partial(page, attributes=sorted(families))):
            self._learn_parents(entities, above)
            for entity in entities:
                yield from self._links_of(entity, families, above)

    def _learn_parents(
        self, entities: Sequence[Product | ProductModel], above: dict[str, Mapping[ValueKey, Any]]
    ) -> None:
        """Values of the models above show in their variants too, but are not theirs."""
        missing = {entity.parent for entity in entities if entity.parent} - above.keys()
        above.clear() if len(above) > 2_000 else None
        for code in sorted(missing):
            model = self.reads.one(partial(self.client.get_product_model, code))
            above[code] = {} if model is None else model.values

    def _links_of(
        self,
        entity: Product | ProductModel,
        families: Mapping[str, str],
        above: Mapping[str, Mapping[ValueKey, Any]],
    ) -> Iterator[Row]:
        if isinstance(entity, ProductModel):
            column, code = TargetType.PRODUCT_MODEL, entity.code
        else:
            column, code = TargetType.PRODUCT, entity.identifier or ""
        for key in entity.values:
            attribute, locale, scope = key
            if attribute not in families or (entity.parent and key in above.get(entity.parent, {})):
                continue
            named = next(name for name, kind in LINK_TARGETS.items() if kind is column)
            link = {named: code, "link_attribute": attribute}
            link.update({"link_locale": locale} if locale else {})
            link.update({"link_scope": scope} if scope else {})
            for asset in entity.codes(*key):
                self.counted.links += 1
                target = Target(TargetType.ASSET, asset, families[attribute])
                yield Row("", 0, "", target, "", extra=dict(link))


def _file_row(
    target: Target, key: ValueKey, code: str, linked: tuple[str, int] | None, extra: dict[str, Any]
) -> Row:
    attribute, locale, scope = key
    name = linked[0] if linked is not None else name_in_code(code)
    plain, shown = safe_name(name, name_in_code(code)), clean_name(name)
    place = "-".join(filter(None, key))
    return Row(
        "",
        0,
        f"{FOLDER}/{safe_folder(target.parent)}/{safe_folder(target.code)}/{place}/{plain}",
        target,
        attribute,
        locale,
        scope,
        shown if shown != plain else None,
        extra=extra,
    )


def _name(key: ValueKey) -> str:
    """The column of a value: the attribute, then its locale and channel, if it has any."""
    return PREFIX + "-".join(part for part in key if part)


def _names(attribute: MediaAttribute, channels: Sequence[Channel]) -> Iterator[str]:
    """Every column that values of an attribute may need."""
    scopes = [channel.code for channel in channels] if attribute.scopable else [None]
    locales = {code for channel in channels for code in channel.locales}
    for scope in scopes:
        of_scope = {c for channel in channels if channel.code == scope for c in channel.locales}
        for locale in sorted(of_scope or locales) if attribute.localizable else [None]:
            yield _name((attribute.code, locale, scope))


def _written(data: Any) -> str:
    """A value as a cell's text; empty if no cell can hold it."""
    if isinstance(data, list):
        return ";".join(str(each) for each in data)
    if isinstance(data, bool):
        return "true" if data else "false"
    return str(data) if isinstance(data, (str, int, float)) else ""
