"""Products and product models: one call sets a value; a code may be set on any number of them
(docs/pim-behaviour.md, "Sharing one media file")."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, BinaryIO

from ..errors import Failure, Kind
from ..pim.answers.types import Created, Downloaded, LineResult, Product, ProductModel
from ..pim.client import PimClient
from ..pim.http.multipart import ValueRef
from ..rows import php_basename
from .base import Line, MakeBody, named, values_of
from .resolved import ResolvedTarget


class _CatalogMedia:
    """Files in the products' storage."""

    attaches = False
    shares = True
    told = True

    def resembles(
        self, client: PimClient, resolved: ResolvedTarget, code: str, name: str, size: int | None
    ) -> bool:
        media = client.media_file(code)
        return media is not None and media.size == size and media.original_filename == php_basename(name)

    def download(self, client: PimClient, resolved: ResolvedTarget, code: str, into: BinaryIO) -> Downloaded:
        return client.download_media_file(code, into)


class Products(_CatalogMedia):
    """Products by identifier."""

    def key(self, resolved: ResolvedTarget) -> str:
        return named("product", resolved)

    def group(self, resolved: ResolvedTarget) -> str:
        return "products"

    def upload(self, client: PimClient, resolved: ResolvedTarget, make: MakeBody) -> Created:
        value = ValueRef("product", resolved.target.code, resolved.attribute, resolved.locale, resolved.scope)
        return client.upload_product(make(value), resolved.definition)

    def attach(self, client: PimClient, lines: Sequence[Line]) -> list[LineResult]:
        return _checked(client.patch_products(_bodies("identifier", lines)))

    def held(self, client: PimClient, resolved: ResolvedTarget) -> str | None:
        return _value(client.get_product(resolved.target.code), resolved)


class Models(_CatalogMedia):
    """Product models by code."""

    def key(self, resolved: ResolvedTarget) -> str:
        return named("product_model", resolved)

    def group(self, resolved: ResolvedTarget) -> str:
        return "models"

    def upload(self, client: PimClient, resolved: ResolvedTarget, make: MakeBody) -> Created:
        value = ValueRef(
            "product_model", resolved.target.code, resolved.attribute, resolved.locale, resolved.scope
        )
        return client.upload_product_model(make(value), resolved.definition)

    def attach(self, client: PimClient, lines: Sequence[Line]) -> list[LineResult]:
        return _checked(client.patch_product_models(_bodies("code", lines)))

    def held(self, client: PimClient, resolved: ResolvedTarget) -> str | None:
        return _value(client.get_product_model(resolved.target.code), resolved)


class ProductsByUuid(_CatalogMedia):
    """Products without identifier: the PIM takes no upload for them, only codes of files it has
    (docs/pim-behaviour.md, "Sharing one media file")."""

    def key(self, resolved: ResolvedTarget) -> str:
        return named("product_uuid", resolved)

    def group(self, resolved: ResolvedTarget) -> str:
        return "products-uuid"

    def upload(self, client: PimClient, resolved: ResolvedTarget, make: MakeBody) -> Created:
        raise TypeError("a product without identifier takes no upload")

    def attach(self, client: PimClient, lines: Sequence[Line]) -> list[LineResult]:
        return _checked(client.patch_products_by_uuid(_bodies("uuid", lines)))

    def held(self, client: PimClient, resolved: ResolvedTarget) -> str | None:
        return _value(client.get_product_by_uuid(resolved.target.code), resolved)


def _bodies(key: str, lines: Sequence[Line]) -> list[dict[str, Any]]:
    return [{key: line[0][0].target.code, "values": values_of(line, "scope")} for line in lines]


def _value(entity: Product | ProductModel | None, resolved: ResolvedTarget) -> str | None:
    return None if entity is None else entity.media_code(resolved.attribute, resolved.locale, resolved.scope)


def _checked(results: list[LineResult]) -> list[LineResult]:
    """A PATCH creates what does not exist: an entity that was seen before and is created now was deleted."""
    return [replace(each, status=404, failure=_gone(each.code)) if each.created else each for each in results]


def _gone(code: str) -> Failure:
    return Failure(
        Kind.TARGET_UNKNOWN,
        f"{code} was deleted during this run, and the PIM created an empty one for its media",
        "Delete the empty one in the PIM, or restore the old one, then run the same command again.",
        201,
    )
