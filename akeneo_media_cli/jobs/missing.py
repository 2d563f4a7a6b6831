"""`missing`: a manifest of the media values that are empty, by the PIM's own filter, a hundred in a call.

See docs/pim-behaviour.md, "Undoing and emptying".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial

from ..errors import Failure, Kind, UsageError
from ..frozen import frozen
from ..ledger import PlannedRow
from ..pim.answers.types import Attribute, Product, ProductModel
from ..pim.client import PimClient
from ..preflight import checks
from ..preflight.catalogue import Catalogue, Note
from ..preflight.preflight import Preflight
from ..rows import Row, Target, TargetType, folded
from ..targets.resolved import ResolvedTarget
from ..transfer.reads import ParallelReads
from ..wording import count

COLUMNS = ("product", "product_uuid", "product_model", "attribute", "locale", "scope", "file")


@frozen
class MissingOptions:
    """Where to look. Empty `attributes`: every media attribute; empty others: any."""

    attributes: Sequence[str] = ()
    families: Sequence[str] = ()
    categories: Sequence[str] = ()
    locales: Sequence[str] = ()
    scopes: Sequence[str] = ()
    products: bool = True
    models: bool = True


class Missing:
    """One walk through the empty values of a PIM."""

    def __init__(self, client: PimClient, reads: ParallelReads, note: Note, options: MissingOptions) -> None:
        self._client = client
        self._reads = reads
        self._options = options
        self._catalogue = Catalogue(client, note)
        self._preflight = Preflight(client, self._catalogue, note, files=False)
        self.counted: Counter[str] = Counter()
        """Empty values by attribute."""

    def rows(self) -> Iterator[Row]:
        """A row for each empty value; `file` is empty. Checks what is asked for at once.

        Raises UsageError, AccessError and TemporaryError.
        """
        return self._walk(self._attributes())

    def summary(self) -> str:
        """What was found, in a sentence."""
        if not self.counted:
            return "No value is empty. Attributes that are not in a product's family do not count."
        each = ", ".join(f"{code}: {number:,}" for code, number in sorted(self.counted.items()))
        return f"{count(self.counted.total(), 'value')} missing ({each})"

    def _attributes(self) -> list[Attribute]:
        media = {folded(each.code): each for each in self._reads.one(self._client.media_attributes)}
        wanted = []
        for code in self._options.attributes:
            if folded(code) not in media:
                failure = checks.unknown_attribute(code, [each.code for each in media.values()])
                raise UsageError(f"--attribute {code}: it is no image or file attribute", failure.hint)
            wanted.append(media[folded(code)])
        return wanted or list(media.values())

    def _walk(self, attributes: Sequence[Attribute]) -> Iterator[Row]:
        products = ["products"] if self._options.products else []
        if products and attributes and self._some_have_no_identifier(attributes[0]):
            products.append("products-uuid")
        for attribute in attributes:
            for locale, scope in self._places(attribute):
                if self._options.models:
                    yield from self._empty("product-models", attribute, locale, scope)
                for kind in products:
                    yield from self._empty(kind, attribute, locale, scope)

    def _some_have_no_identifier(self, attribute: Attribute) -> bool:
        """Are there products that a list of products leaves out? `attribute` limits what comes along."""
        families = self._options.families
        page = partial(self._client.unidentified_page, families=families, attributes=[attribute.code])
        try:
            products, _ = self._reads.one(page)
        except UsageError as error:
            # Before 7.0 every product has an identifier (docs/pim-behaviour.md, "Versions").
            if error.kind is not Kind.ROUTE_MISSING:
                raise
            return False
        return bool(products)

    def _places(self, attribute: Attribute) -> list[tuple[str | None, str | None]]:
        """The locales and channels that the attribute has values for, and that are asked for."""
        if not (attribute.localizable or attribute.scopable):
            return [(None, None)]
        scoping = self._reads.one(self._catalogue.scoping)
        channels = scoping.channels or {}
        wanted_scopes = {folded(code) for code in self._options.scopes}
        wanted_locales = {folded(code) for code in self._options.locales}
        places: dict[tuple[str | None, str | None], None] = {}
        for channel in channels.values():
            if attribute.scopable and wanted_scopes and folded(channel.code) not in wanted_scopes:
                continue
            for locale in channel.locales if attribute.localizable else (None,):
                if locale and wanted_locales and folded(locale) not in wanted_locales:
                    continue
                if locale and attribute.available_locales and locale not in attribute.available_locales:
                    continue
                places[locale, channel.code if attribute.scopable else None] = None
        return list(places)

    def _empty(self, kind: str, attribute: Attribute, locale: str | None, scope: str | None) -> Iterator[Row]:
        def page(at: str) -> tuple[list[Product | ProductModel], str]:
            return self._client.empty_page(
                kind,
                attribute.code,
                locale,
                scope,
                at,
                families=self._options.families,
                categories=self._options.categories,
            )

        for entities in self._reads.pages(page):
            for row in self._judged(entities, attribute, locale, scope):
                self.counted[attribute.code] += 1
                yield row

    def _judged(
        self,
        entities: Sequence[Product | ProductModel],
        attribute: Attribute,
        locale: str | None,
        scope: str | None,
    ) -> Iterator[Row]:
        rows = []
        families = [entity.family for entity in entities if entity.family]
        self._reads.one(lambda: self._catalogue.learn_families(families))
        for entity in entities:
            family = (
                self._reads.one(partial(self._catalogue.family, entity.family)) if entity.family else None
            )
            if family is None or attribute.code not in family.attributes:
                continue
            if entity.media_code(attribute.code, locale, scope):
                continue
            rows.append((entity, Row("", 0, "", _target(entity), attribute.code, locale, scope)))
        # Of variants and models only the level that owns the attribute can take the file.
        leveled = [
            n for n, (entity, _) in enumerate(rows) if entity.parent or isinstance(entity, ProductModel)
        ]
        wrong = set()
        if leveled:
            planned = [PlannedRow(n, rows[n][1], "") for n in leveled]
            found: Sequence[ResolvedTarget | Failure] = self._reads.one(lambda: self._preflight.look(planned))
            wrong = {n for n, each in zip(leveled, found, strict=True) if isinstance(each, Failure)}
        return (row for n, (_, row) in enumerate(rows) if n not in wrong)


def _target(entity: Product | ProductModel) -> Target:
    if isinstance(entity, ProductModel):
        return Target(TargetType.PRODUCT_MODEL, entity.code)
    if entity.identifier:
        return Target(TargetType.PRODUCT, entity.identifier)
    return Target(TargetType.PRODUCT_UUID, entity.uuid or "")
