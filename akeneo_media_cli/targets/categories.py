"""Enriched categories, in the cloud: one call sets a value (docs/pim-behaviour.md, "Enriched categories")."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import BinaryIO

from ..pim.answers.entity_types import Category
from ..pim.answers.types import Created, Downloaded, LineResult
from ..pim.client import PimClient
from ..pim.http.multipart import ValueRef
from ..rows import folded
from .base import Line, MakeBody, named
from .resolved import ResolvedTarget
from .stored import resembles


class Categories:
    """Categories by code."""

    attaches = False
    shares = False
    told = False

    def key(self, resolved: ResolvedTarget) -> str:
        return named("category", resolved)

    def group(self, resolved: ResolvedTarget) -> str:
        return "categories"

    def upload(self, client: PimClient, resolved: ResolvedTarget, make: MakeBody) -> Created:
        value = ValueRef(
            "category", resolved.target.code, resolved.attribute, resolved.locale, resolved.scope
        )
        return client.upload_category_media(make(value))

    def attach(self, client: PimClient, lines: Sequence[Line]) -> list[LineResult]:
        raise TypeError("a category's value is set by sending the file")

    def held(self, client: PimClient, resolved: ResolvedTarget) -> str | None:
        return held_by(client.category(resolved.target.code), resolved)

    def resembles(
        self, client: PimClient, resolved: ResolvedTarget, code: str, name: str, size: int | None
    ) -> bool:
        return resembles(code, name, size, lambda into: client.download_category_media(code, into))

    def download(self, client: PimClient, resolved: ResolvedTarget, code: str, into: BinaryIO) -> Downloaded:
        return client.download_category_media(code, into)


def held_by(category: Category | None, resolved: ResolvedTarget) -> str | None:
    """The media code of a value; the PIM names an attribute `code|uuid` there."""
    for value in () if category is None else category.values.values():
        if not isinstance(value, Mapping) or not isinstance(data := value.get("data"), Mapping):
            continue
        attribute = str(value.get("attribute_code", "")).partition("|")[0]
        place = (folded(attribute), value.get("locale"), value.get("channel"))
        code = data.get("file_path")
        if place == (folded(resolved.attribute), resolved.locale, resolved.scope) and isinstance(code, str):
            return code
    return None
