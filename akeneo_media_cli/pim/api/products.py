"""Products and product models: by one, by a hundred, and their batch PATCH."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from ..answers.types import LineResult, Product, ProductModel
from .calls import BATCH, COLLECTION, LONGEST_PATH, Calls, batches, criteria, query, segment

T = TypeVar("T")


class ProductCalls(Calls):
    """All raise Refusal, Trouble, AccessError, UsageError.

    Searches are answered from an index that lags: what was just made may be missing there, and only a
    single read tells that it does not exist (docs/pim-behaviour.md, "Searching and paging"). Values are fresh
    in both.
    """

    def get_product(self, identifier: str) -> Product | None:
        """A product by identifier, in any case; None where there is none that this user may see."""
        return self.one(
            f"/products/{segment(identifier)}", identifier, Product.read, self.search_products, _identifier
        )

    def get_product_by_uuid(self, uuid: str) -> Product | None:
        """A product by UUID; its identifier is only among its values there. PIM 7 and later."""
        return self.get_or_none(f"/products-uuid/{segment(uuid)}", Product.read)

    def get_product_model(self, code: str) -> ProductModel | None:
        """A product model by code; None where there is none that this user may see."""
        path = f"/product-models/{segment(code)}"
        return self.one(path, code, ProductModel.read, self.search_product_models, _code)

    def search_products(self, identifiers: Sequence[str], attributes: Sequence[str] = ()) -> list[Product]:
        """Those of the products that the index knows, in no certain order, by as few calls as it takes.

        `attributes` limits the values that come along; all must exist, or the PIM refuses the search.
        """
        return self._search("products", "identifier", identifiers, attributes, Product.read)

    def search_products_by_uuid(self, uuids: Sequence[str], attributes: Sequence[str] = ()) -> list[Product]:
        """As `search_products`, by UUID. PIM 7 and later."""
        return self._search("products-uuid", "uuid", uuids, attributes, Product.read)

    def search_product_models(
        self, codes: Sequence[str], attributes: Sequence[str] = ()
    ) -> list[ProductModel]:
        """As `search_products`, for models: the field is called identifier there too
        (docs/pim-behaviour.md, "Searching and paging")."""
        return self._search("product-models", "identifier", codes, attributes, ProductModel.read)

    def product_page(
        self, at: str = "", *, families: Sequence[str] = (), attributes: Sequence[str] = ()
    ) -> tuple[list[Product], str]:
        """A page of all products with an identifier, by cursor: offsets end at 10,000
        (docs/pim-behaviour.md, "Searching and paging").

        And where the next one is: `at` of the next call, empty after the last page. `families` empty: any;
        `attributes` limits the values that come along, and all must exist.
        """
        return self.page(at or _walk("products", families, attributes), Product.read)

    def product_page_by_uuid(
        self, at: str = "", *, families: Sequence[str] = (), attributes: Sequence[str] = ()
    ) -> tuple[list[Product], str]:
        """As `product_page`, with products that have no identifier; it tells no identifiers. PIM 7 on."""
        return self.page(at or _walk("products-uuid", families, attributes), Product.read)

    def unidentified_page(
        self, at: str = "", *, families: Sequence[str] = (), attributes: Sequence[str] = ()
    ) -> tuple[list[Product], str]:
        """As `product_page_by_uuid`, only products that have no identifier."""
        path = at or _walk("products-uuid", families, attributes, identifier=("EMPTY", ""))
        return self.page(path, Product.read)

    def product_model_page(
        self, at: str = "", *, families: Sequence[str] = (), attributes: Sequence[str] = ()
    ) -> tuple[list[ProductModel], str]:
        """As `product_page`, for models."""
        return self.page(at or _walk("product-models", families, attributes), ProductModel.read)

    def empty_page(
        self,
        kind: str,
        attribute: str,
        locale: str | None,
        scope: str | None,
        at: str = "",
        *,
        families: Sequence[str] = (),
        categories: Sequence[str] = (),
    ) -> tuple[list[Product | ProductModel], str]:
        """A page of the products or models whose value is empty, as `product_page`
        (docs/pim-behaviour.md, "Undoing and emptying").

        `kind` is `products`, `product-models`, or `products-uuid` for those without identifier (PIM 7 on).
        """
        reader: Callable[[Any], Product | ProductModel] = (
            ProductModel.read if kind == "product-models" else Product.read
        )
        if at:
            return self.page(at, reader)
        empty = {"operator": "EMPTY", "value": ""}
        place = {name: code for name, code in (("locale", locale), ("scope", scope)) if code}
        search: dict[str, list[dict[str, Any]]] = {attribute: [{**empty, **place}]}
        if kind == "products-uuid":
            search["identifier"] = [empty]
        if families:
            search["family"] = [{"operator": "IN", "value": list(families)}]
        if categories:
            search["categories"] = [{"operator": "IN CHILDREN", "value": list(categories)}]
        text = json.dumps(search, ensure_ascii=False, separators=(",", ":"))
        asked = query(pagination_type="search_after", limit=BATCH, search=text, attributes=attribute)
        return self.page(f"/{kind}{asked}", reader)

    def patch_products(self, lines: Sequence[Mapping[str, Any]]) -> list[LineResult]:
        """Up to 100 products; a result for each line, also for those that the answer left out.

        Creates a product whose `identifier` is unknown, and says 204 for a value of another level without
        writing it (docs/pim-behaviour.md, "Batch PATCH"): look both up first. Raises ValueError for more than
        100 lines.
        """
        return self.patch_lines("/products", lines, "identifier")

    def patch_products_by_uuid(self, lines: Sequence[Mapping[str, Any]]) -> list[LineResult]:
        """As `patch_products`, with `uuid` in each line. PIM 7 and later."""
        return self.patch_lines("/products-uuid", lines, "uuid")

    def patch_product_models(self, lines: Sequence[Mapping[str, Any]]) -> list[LineResult]:
        """As `patch_products`, with `code` in each line."""
        return self.patch_lines("/product-models", lines, "code")

    def probe_editing(self) -> None:
        """May the user edit products? Changes nothing: it is a batch of no lines.

        The right is looked at before the lines are (docs/pim-behaviour.md, "Batch PATCH"), so that any answer
        but a refusal of the right means yes. Raises Refusal (FORBIDDEN where the right is missing).
        """
        answer = self.call("PATCH", "/products", body=b"", headers={"Content-Type": COLLECTION})
        if answer.status not in (200, 204, 400, 413, 422):
            raise self.refused(answer)

    def _search(
        self,
        kind: str,
        field: str,
        codes: Sequence[str],
        attributes: Sequence[str],
        reader: Callable[[Any], T],
    ) -> list[T]:
        limited = {"attributes": ",".join(attributes)} if attributes else {}

        def path_of(batch: list[str]) -> str:
            search = criteria(**{field: ("IN", batch)})
            return f"/{kind}" + query(search=search, limit=BATCH, **limited)

        found: list[T] = []
        for path in batches(codes, path_of):
            for page in self.pages(path, reader):
                found += page
                if len(page) >= BATCH:
                    # As many as were asked for: the PIM names a next page after every full one
                    # (docs/pim-behaviour.md, "Searching and paging").
                    break
        return found


def _identifier(product: Product) -> str | None:
    return product.identifier


def _code(model: ProductModel) -> str | None:
    return model.code


def _walk(
    kind: str, families: Sequence[str], attributes: Sequence[str], **conditions: tuple[str, Any]
) -> str:
    asked: dict[str, str | int] = {"pagination_type": "search_after", "limit": BATCH}
    if families:
        conditions["family"] = ("IN", list(families))
    if conditions:
        asked["search"] = criteria(**conditions)
    path = f"/{kind}" + query(**asked)
    limited = f"/{kind}" + query(**asked, attributes=",".join(attributes))
    # Without the limit more values come than are needed: slow, but short enough for a server.
    return limited if attributes and len(limited) <= LONGEST_PATH else path
