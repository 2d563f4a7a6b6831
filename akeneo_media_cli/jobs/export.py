"""`export`: a manifest of the media that products and models hold, so that they can go to another PIM.

Products come by cursor, a page of a hundred at a time, and a page's rows are given before the next is asked
for: memory does not grow with the catalogue.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from ..errors import AccessError, Kind, UsageError
from ..frozen import frozen
from ..pim.answers.types import Attribute, MediaFile, Product, ProductModel, ValueKey
from ..pim.client import PimClient
from ..preflight import checks
from ..rows import Row, Target, TargetType, clean_name, folded
from ..storage.saving import safe_folder, safe_name
from ..transfer.reads import ParallelReads
from .download import name_in_code

FOLDER = "media"
_MODELS = "models"
_KEPT_MODELS = 2_000

Note = Callable[[str, str], None]


@frozen
class ExportOptions:
    """What to list. Empty `attributes`: every media attribute; empty `families`, `locales`, `scopes`: any.

    `locales` and `scopes` leave values out that have another; those that have none stay. `names`: ask the PIM
    for each file's own name, one call a file; else the name is taken from the media code. `by_uuid`:
    name products by UUID, those without identifier too.
    """

    attributes: Sequence[str] = ()
    families: Sequence[str] = ()
    locales: Sequence[str] = ()
    scopes: Sequence[str] = ()
    products: bool = True
    models: bool = True
    names: bool = True
    by_uuid: bool = False

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that rows may fill."""
        targets = {
            TargetType.PRODUCT_UUID.value: self.products and self.by_uuid,
            TargetType.PRODUCT.value: self.products and not self.by_uuid,
            TargetType.PRODUCT_MODEL.value: self.models,
        }
        return (*(t for t, is_wanted in targets.items() if is_wanted), *_PLACE)


_PLACE = ("attribute", "locale", "scope", "file", "filename")


@frozen
class _Value:
    target: Target
    key: ValueKey
    code: str


@dataclass
class Counted:
    """The counts of an export."""

    values: int = 0
    entities: int = 0
    left_out: int | None = 0
    """Values of products without identifier, which a manifest of identifiers cannot name; None: not known."""


class Export:
    """One walk through a PIM's products and models."""

    def __init__(self, options: ExportOptions, client: PimClient, reads: ParallelReads, note: Note) -> None:
        self._options = options
        self._client = client
        self._reads = reads
        self._note = note
        self._models: dict[str, ProductModel | None] = {}
        self._locales = {folded(code) for code in options.locales}
        self._scopes = {folded(code) for code in options.scopes}
        self.counted = Counted()

    def rows(self) -> Iterator[Row]:
        """The manifest's rows. What is asked for is checked at once, the rows come as they are taken.

        Raises UsageError, AccessError and TemporaryError.
        """
        attributes = self._attributes()
        self._check_families()
        return self._all(attributes)

    def _all(self, attributes: Sequence[str]) -> Iterator[Row]:
        if self._options.models:
            yield from self._walk(self._client.product_model_page, attributes)
        if self._options.products:
            page = self._client.product_page_by_uuid if self._options.by_uuid else self._client.product_page
            yield from self._walk(page, attributes)
            if not self._options.by_uuid:
                self.counted.left_out = self._unidentified(attributes)

    def _unidentified(self, attributes: Sequence[str]) -> int | None:
        """How many values products without identifier hold; None if the PIM does not say."""
        page = partial(self._client.unidentified_page, families=self._options.families, attributes=attributes)
        found = 0
        try:
            for products in self._reads.pages(page):
                self._learn_models([each.parent for each in products if each.parent], set(attributes))
                found += sum(len(list(self._own_values(each, set(attributes)))) for each in products)
        except (AccessError, UsageError) as error:
            # Before 7.0 every product has an identifier (docs/pim-behaviour.md, "Versions").
            return 0 if error.kind is Kind.ROUTE_MISSING else None
        return found

    # Checks of the options.

    def _attributes(self) -> list[str]:
        known = self._reads.one(self._client.media_attributes)
        codes = {folded(attribute.code): attribute.code for attribute in known}
        wanted = []
        for code in self._options.attributes:
            if folded(code) not in codes:
                raise self._unusable(code, self._reads.one(partial(self._client.attribute, code)), known)
            wanted.append(codes[folded(code)])
        if not known:
            raise UsageError("the PIM has no image or file attribute", "There is nothing to export.")
        return list(dict.fromkeys(wanted or codes.values()))

    def _unusable(self, code: str, found: Attribute | None, media: Sequence[Attribute]) -> UsageError:
        failure = (
            checks.unknown_attribute(code, [attribute.code for attribute in media])
            if found is None
            else checks.attribute_type(found)
        )
        assert failure is not None
        return UsageError(f"--attribute {code}: {failure.message}", failure.hint)

    def _check_families(self) -> None:
        for code in self._options.families:
            if self._reads.one(partial(self._client.family, code)) is None:
                raise UsageError(
                    f"--family {code}: there is no such family in the PIM, or this user may not see it",
                    "A family's code is shown in the PIM under Settings, Families.",
                )

    # Pages.

    def _walk(self, page: Callable[..., Any], attributes: Sequence[str]) -> Iterator[Row]:
        families = self._options.families
        for entities in self._reads.pages(partial(page, families=families, attributes=attributes)):
            yield from self._rows_of(entities, set(attributes))

    def _rows_of(self, entities: Sequence[Product | ProductModel], attributes: set[str]) -> list[Row]:
        self._learn_models([e.parent for e in entities if e.parent], attributes)
        values = [value for entity in entities for value in self._own_values(entity, attributes)]
        names = self._names(values)
        self.counted.entities += len({value.target for value in values})
        self.counted.values += len(values)
        return [self._row(value, name) for value, name in zip(values, names, strict=True)]

    def _own_values(self, entity: Product | ProductModel, attributes: set[str]) -> Iterator[_Value]:
        """The media values that an entity holds itself.

        The PIM shows those of the models above as well, and an attribute has its value at one level of a
        tree only: a value that the model above has too is not the entity's own.
        """
        target = self._target(entity)
        above = self._models.get(entity.parent) if entity.parent else None
        for key, code in entity.values.items():
            attribute, locale, scope = key
            if attribute not in attributes or not isinstance(code, str) or not code:
                continue
            if self._locales and locale is not None and folded(locale) not in self._locales:
                continue
            if self._scopes and scope is not None and folded(scope) not in self._scopes:
                continue
            if above is None or key not in above.values:
                yield _Value(target, key, code)

    def _target(self, entity: Product | ProductModel) -> Target:
        if isinstance(entity, ProductModel):
            return Target(TargetType.PRODUCT_MODEL, entity.code)
        if self._options.by_uuid:
            return Target(TargetType.PRODUCT_UUID, entity.uuid or "")
        return Target(TargetType.PRODUCT, entity.identifier or "")

    def _learn_models(self, codes: Sequence[str], attributes: set[str]) -> None:
        if len(self._models) > _KEPT_MODELS:
            self._models.clear()
        missing = [code for code in dict.fromkeys(codes) if code not in self._models]
        if not missing:
            return
        limited = sorted(attributes)
        found = self._reads.one(lambda: self._client.search_product_models(missing, limited))
        self._models.update({model.code: model for model in found})
        for code in missing:
            if code not in self._models:
                # Search lags behind what was just created (docs/pim-behaviour.md, "Searching and paging").
                self._models[code] = self._reads.one(partial(self._client.get_product_model, code))

    def _names(self, values: Sequence[_Value]) -> list[str]:
        codes = list(dict.fromkeys(value.code for value in values))
        known: dict[str, str] = {}
        if self._options.names:
            questions = [partial(self._client.media_file, code) for code in codes]
            for code, media in zip(codes, self._reads.all(questions), strict=True):
                if isinstance(media, MediaFile):
                    known[code] = media.original_filename
                else:
                    why = f": {media}" if media is not None else ""
                    self._note(
                        f"the PIM does not describe the media file {code}{why}",
                        "Its name is taken from the code.",
                    )
        return [known.get(value.code) or name_in_code(value.code) for value in values]

    def _row(self, value: _Value, name: str) -> Row:
        attribute, locale, scope = value.key
        plain = safe_name(name, name_in_code(value.code))
        shown = clean_name(name)
        place = "-".join(filter(None, (attribute, locale, scope)))
        return Row(
            manifest="",
            line=0,
            file=f"{FOLDER}/{_folder(value.target)}/{place}/{plain}",
            target=value.target,
            attribute=attribute,
            locale=locale,
            scope=scope,
            filename=shown if shown != plain else None,
        )


def _folder(target: Target) -> str:
    folder = safe_folder(target.code)
    if target.type is TargetType.PRODUCT_MODEL:
        return f"{_MODELS}/{folder}"
    # A product of this name would lie among the models' folders.
    return f"%{ord(folder[0]):02X}{folder[1:]}" if folder.lower() == _MODELS else folder
