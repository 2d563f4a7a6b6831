"""What the PIM is made of: attributes, channels, locales, families, categories, routes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from ..answers.entity_types import Category
from ..answers.types import (
    MEDIA_TYPES,
    Attribute,
    Channel,
    Family,
    FamilyVariant,
    Locale,
    Routes,
    SystemInformation,
)
from .calls import BATCH, Calls, batches, criteria, query, segment

T = TypeVar("T")


class CatalogueCalls(Calls):
    """All raise Refusal (FORBIDDEN where the user may not list them), Trouble, AccessError, UsageError."""

    def attributes(self, codes: Sequence[str]) -> list[Attribute]:
        """Those of the attributes that exist, a hundred a call."""

        def path_of(batch: list[str]) -> str:
            return "/attributes" + query(search=criteria(code=("IN", batch)), limit=BATCH)

        return [
            attribute for path in batches(codes, path_of) for attribute in self._all(path, Attribute.read)
        ]

    def attribute(self, code: str) -> Attribute | None:
        """One attribute; None where there is none."""
        return self.get_or_none(f"/attributes/{segment(code)}", Attribute.read)

    def attributes_of_type(self, *types: str) -> list[Attribute]:
        """All attributes of these types, such as `pim_catalog_image`."""
        search = criteria(type=("IN", list(types)))
        return self._all("/attributes" + query(search=search, limit=BATCH), Attribute.read)

    def media_attributes(self) -> list[Attribute]:
        """All image and file attributes."""
        search = criteria(type=("IN", list(MEDIA_TYPES)))
        return self._all("/attributes" + query(search=search, limit=BATCH), Attribute.read)

    def identifier_attributes(self) -> list[Attribute]:
        """The attributes that identify products: `sku`, in the cloud up to ten."""
        search = criteria(type=("IN", ["pim_catalog_identifier"]))
        return self._all("/attributes" + query(search=search, limit=BATCH), Attribute.read)

    def channels(self) -> list[Channel]:
        """All channels with their locales."""
        return self._all("/channels" + query(limit=BATCH), Channel.read)

    def locales(self) -> list[Locale]:
        """The enabled locales."""
        path = "/locales" + query(search=criteria(enabled=("=", True)), limit=BATCH)
        return self._all(path, Locale.read)

    def family(self, code: str) -> Family | None:
        """A family; None where there is none."""
        return self.get_or_none(f"/families/{segment(code)}", Family.read)

    def families(self, codes: Sequence[str]) -> list[Family]:
        """Those of the families that exist, a hundred a call. PIM 4 and later."""

        def path_of(batch: list[str]) -> str:
            return "/families" + query(search=criteria(code=("IN", batch)), limit=BATCH)

        return [family for path in batches(codes, path_of) for family in self._all(path, Family.read)]

    def family_variant(self, family: str, code: str) -> FamilyVariant | None:
        """A family variant: which attributes live at which level of a model's tree."""
        return self.get_or_none(f"/families/{segment(family)}/variants/{segment(code)}", FamilyVariant.read)

    def categories(self, codes: Sequence[str]) -> list[Category]:
        """Those of the categories that exist, a hundred a call."""

        def path_of(batch: list[str]) -> str:
            return "/categories" + query(search=criteria(code=("IN", batch)), limit=BATCH)

        return [category for path in batches(codes, path_of) for category in self._all(path, Category.read)]

    def category(self, code: str) -> Category | None:
        """One category, in the cloud with its values; None where there is none."""
        path = f"/categories/{segment(code)}" + query(with_enriched_attributes="true")
        return self.get_or_none(path, Category.read)

    def routes(self) -> Routes:
        """The endpoints that this PIM has. Needs no token."""
        answer = self.call("GET", "", signed=False)
        if answer.status != 200:
            raise self.refused(answer)
        return self.decoded(answer, Routes.read)

    def system_information(self) -> SystemInformation | None:
        """Version and edition; None before PIM 6 (docs/pim-behaviour.md, "Versions")."""
        return self.get_or_none("/system-information", SystemInformation.read)

    def _all(self, path: str, reader: Callable[[Any], T]) -> list[T]:
        return [item for page in self.pages(path, reader) for item in page]
