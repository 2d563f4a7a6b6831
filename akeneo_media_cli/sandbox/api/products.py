"""Products by identifier and by UUID, and product models.

docs/pim-behaviour.md, "Batch PATCH" and "Searching and paging".
"""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from starlette.responses import JSONResponse, Response

from ..errors import DOCUMENTATION, ApiError, PropertyError, documented, unprocessable, violations
from ..php.text import php_decode, php_json, php_string, php_type
from ..rules.update import apply_body
from ..store.entities import MODEL, PRODUCT, Draft, Entity
from ..web.routing import COLLECTION, Exchange, Route
from .entity import shown
from .search import found_page

BATCH_MAX = 100
LINE_MAX = 1_000_000
BATCH_SHARE = 0.2
"""What a line of a batch costs of a single save (docs/pim-behaviour.md, "Cost of a call and limits")."""

_UUID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_EDIT = ("edit_products", "Access forbidden. You are not allowed to create or update products.")
_WITHOUT_IDENTIFIER = (
    "Validation failed. The identifier field is required for this endpoint. "
    "If you want to manipulate products without identifiers, please use products-uuid endpoints."
)
_EDIT_MODELS = ("edit_products", "Access forbidden. You are not allowed to create or update product models.")
_LIST = ("list_products", "Access forbidden. You are not allowed to list products.")
_LIST_MODELS = ("list_products", "Access forbidden. You are not allowed to list product models.")


@dataclass(frozen=True)
class Family:
    """One of the three ways to address an entity: what its paths, keys and texts are."""

    path: str
    kind: str
    title: str
    key: str
    """The key by which a batch line or an item names the entity."""
    patch_anchor: str
    post_anchor: str

    def find(self, exchange: Exchange, code: str) -> Entity | None:
        """The entity of a code, identifier or UUID."""
        entities = exchange.pim.entities
        if self.kind == MODEL:
            return entities.model(code)
        return entities.product_by_uuid(code) if self.key == "uuid" else entities.product(code)

    def read(self, exchange: Exchange, code: str) -> Entity:
        """The entity of a code for reading, where its spelling matters; raises ApiError 404."""
        entity = self.find(exchange, code)
        own = code if entity is None or self.key == "uuid" else self.code_of(exchange, entity)
        if entity is None or own != code:
            raise self.missing(code)
        return entity

    def code_of(self, exchange: Exchange, entity: Entity | Draft) -> str | None:
        """The code, identifier or UUID of an entity."""
        if self.key == "identifier":
            return exchange.pim.entities.identifier(entity)
        return entity.entity.key if isinstance(entity, Draft) else entity.key

    def missing(self, code: str) -> ApiError:
        """The 404 of a single read."""
        return ApiError(
            404, f'{self.title} "{code}" does not exist or you do not have permission to access it.'
        )


BY_IDENTIFIER = Family(
    "/products", PRODUCT, "Product", "identifier", "patch_products__code_", "post_products"
)
BY_UUID = Family(
    "/products-uuid", PRODUCT, "Product", "uuid", "patch_products_uuid__uuid_", "post_products_uuid"
)
MODELS = Family(
    "/product-models", MODEL, "Product model", "code", "patch_product_models__code_", "post_product_models"
)


class Endpoints:
    """The endpoints of one way to address entities."""

    def __init__(self, way: Family) -> None:
        self.way = way
        self.param = "uuid" if way.key == "uuid" else "code"

    async def get(self, exchange: Exchange) -> Response:
        """GET one, from the database: never stale."""
        return JSONResponse(
            shown(exchange, self.way.read(exchange, exchange.params[self.param]), self.way.key)
        )

    async def list_all(self, exchange: Exchange) -> Response:
        """GET a page by search: membership may lag, values do not."""
        entities = exchange.pim.entities
        pool = entities.models if self.way.kind == MODEL else entities.products
        body = found_page(
            exchange,
            self.way.path,
            pool.values(),
            lambda entity: shown(exchange, entity, self.way.key),
            self.way.key,
        )
        return JSONResponse(body)

    async def create(self, exchange: Exchange) -> Response:
        """POST a new one."""
        given, key = _object(exchange.decoded()), self.way.key
        code = given.get(key)
        if key == "uuid" and code is None:
            code = str(uuid.uuid4())
        if key == "identifier" and code is None:
            raise _needs_identifier("post_products_uuid")
        if not isinstance(code, str):
            name = exchange.pim.catalogue.identifier if key == "identifier" else key
            message = f'Property "{name}" expects a string as data, "{php_type(code)}" given.'
            raise documented(message, self.way.post_anchor)
        if self.way.find(exchange, code) is not None:
            message = (
                f"The {code} identifier is already used for another product."
                if key == "identifier"
                else f"The same {key} is already set on another {self.way.title.lower()}"
            )
            raise violations([{"property": key, "message": message}])
        return await self._update(exchange, code, given, 1.0, self.way.post_anchor)

    async def patch(self, exchange: Exchange) -> Response:
        """PATCH one; creates it if it does not exist."""
        return await self._update(exchange, exchange.params[self.param], _object(exchange.decoded()), 1.0)

    async def patch_many(self, exchange: Exchange) -> Response:
        """PATCH up to 100, a JSON object a line; answers a line for each, in order."""
        lines = exchange.body.split(b"\n")
        if lines and not lines[-1]:
            lines.pop()
        if len(lines) > BATCH_MAX:
            raise ApiError(413, f"Too many resources to process, {BATCH_MAX} is the maximum allowed.")
        answers = [php_json(await self._line(exchange, number, line)) for number, line in enumerate(lines, 1)]
        return Response("\n".join(answers), media_type=COLLECTION)

    async def _line(self, exchange: Exchange, number: int, line: bytes) -> dict[str, Any]:
        key, start = self.way.key, {"line": number}
        try:
            if len(line) > LINE_MAX:
                raise ApiError(413, "Line is too long.")
            given = php_decode(line)
            if given is None:
                raise ApiError(400, "Invalid json message received")
            code = given.get(key) if isinstance(given, dict) else None
            if code is not None and not isinstance(code, str):
                raise unprocessable(f"{key} must be of type string.")
            if code is None or not code.strip():
                raise unprocessable(f"{key.capitalize()} is missing.")
        except ApiError as error:
            return {**start, "status_code": error.status, "message": error.message}
        try:
            answer = await self._update(exchange, code, given, BATCH_SHARE)
        except ApiError as error:
            return {**start, key: code, "status_code": error.status, "message": error.message, **error.more}
        return {**start, key: code, "status_code": answer.status_code}

    async def delete(self, exchange: Exchange) -> Response:
        """DELETE one."""
        code = exchange.params[self.param]
        entity = self.way.find(exchange, code)
        if entity is None:
            what = self.way.title.lower()
            raise ApiError(
                404,
                f"The {code} {what} does not exist in your PIM or you do not have permission to access it.",
            )
        exchange.pim.entities.remove(entity)
        return Response(status_code=204)

    async def _update(
        self, exchange: Exchange, code: str, given: dict[str, Any], share: float, anchor: str | None = None
    ) -> Response:
        pim, entities = exchange.pim, exchange.pim.entities
        entity = self.way.find(exchange, code)
        try:
            name = self._name(exchange, code, given, entity)
            draft = entities.read(entity) if entity else self._fresh(exchange, name)
            with pim.holding(exchange.call, draft.entity):
                sent = apply_body(entities, pim.media, draft, {**given, self.way.key: name}, self.way.key)
                await pim.save(exchange.call, draft, sent, share)
            if entity and self.way.kind == MODEL:
                entities.rename(entity, name)
        except PropertyError as error:
            raise documented(str(error), anchor or self.way.patch_anchor) from None
        shown_code = self.way.code_of(exchange, draft)
        location = exchange.link(f"{self.way.path}/{quote(str(shown_code), safe='/')}")
        return Response(status_code=201 if entity is None else 204, headers={"Location": location})

    def _name(self, exchange: Exchange, code: str, given: dict[str, Any], entity: Entity | None) -> str:
        """The name that the body gives the entity, else the URL's. Another spelling renames it."""
        key = self.way.key
        name = given.get(key, code)
        if key == "uuid":
            if not isinstance(name, str) or name.lower() != code.lower():
                raise unprocessable(
                    f'The uuid "{php_string(name)}" provided in the request body must match '
                    f'the uuid "{code}" provided in the url.'
                )
            if not re.fullmatch(_UUID, name):
                raise PropertyError("This is not a valid UUID.")
            return name
        if key == "identifier" and name is None:
            raise _needs_identifier("patch_products_uuid__uuid_")
        if not isinstance(name, str):
            shown_key = exchange.pim.catalogue.identifier if key == "identifier" else key
            raise PropertyError(f'Property "{shown_key}" expects a string as data, "{php_type(name)}" given.')
        if entity is None and name != code:
            raise unprocessable(
                f'The {key} "{name}" provided in the request body must match the {key} "{code}" provided in '
                "the url."
            )
        if key == "code" and exchange.pim.entities.model(name) not in (None, entity):
            message = "The same code is already set on another product model."
            raise violations([{"property": "code", "message": message}])
        return name

    def _fresh(self, exchange: Exchange, name: str) -> Draft:
        """A new entity of that identifier, UUID or code."""
        if self.way.key == "identifier":
            return exchange.pim.entities.fresh(PRODUCT, str(uuid.uuid4()))
        return exchange.pim.entities.fresh(self.way.kind, name.lower() if self.way.key == "uuid" else name)


def _object(value: Any) -> dict[str, Any]:
    if value == []:
        return {}
    if isinstance(value, list):
        return {str(number): item for number, item in enumerate(value)}
    if not isinstance(value, dict):
        raise ApiError(400, "Invalid json message received")
    return value


def _needs_identifier(anchor: str) -> ApiError:
    return ApiError(422, _WITHOUT_IDENTIFIER, _links={"documentation": {"href": DOCUMENTATION + anchor}})


def routes() -> list[Route]:
    """Models, products, products by UUID."""
    out: list[Route] = []
    for way, name, edit, lists in (
        (MODELS, "pim_api_product_model", _EDIT_MODELS, _LIST_MODELS),
        (BY_IDENTIFIER, "pim_api_product", _EDIT, _LIST),
        (BY_UUID, "pim_api_product_uuid", _EDIT, _LIST),
    ):
        ends, base = Endpoints(way), f"/api/rest/v1{way.path}"
        one = f"{base}/{{{ends.param}}}"
        pattern = _UUID if way.key == "uuid" else ".+"
        delete = Route(f"{name}_delete", "DELETE", one, ends.delete, pattern=pattern, right=edit)
        out += [
            *([delete] if way.key == "uuid" else []),
            Route(f"{name}_list", "GET", base, ends.list_all, right=lists),
            Route(f"{name}_get", "GET", one, ends.get, pattern=pattern, right=lists),
            Route(f"{name}_create", "POST", base, ends.create, right=edit),
            Route(f"{name}_partial_update", "PATCH", one, ends.patch, pattern=pattern, right=edit),
            Route(
                f"{name}_partial_update_list",
                "PATCH",
                base,
                ends.patch_many,
                takes=(COLLECTION,),
                right=_EDIT,
            ),
            *([] if way.key == "uuid" else [delete]),
        ]
    return out
