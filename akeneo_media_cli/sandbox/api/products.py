"""Products by identifier and by UUID, and product models (docs/pim-behaviour.md, "Batch PATCH" and
"Searching and paging")."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from starlette.responses import JSONResponse, Response

from ..errors import ApiError, PropertyError, crash, documented, unprocessable
from ..php.text import php_decode, php_json
from ..rules.update import apply_body
from ..store.catalogue import MEDIA_TYPES
from ..store.entities import MODEL, PRODUCT, Draft, Entity, ValueKey
from ..web.routing import COLLECTION, Ask, Route
from .search import found_page

BATCH_MAX = 100
LINE_MAX = 1_000_000
BATCH_SHARE = 0.2
"""What a line of a batch costs of a single save (A6: 50 products in 0.49 s, 50 uploads in 2.9 s)."""

_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_ASSOCIATIONS = ("PACK", "UPSELL", "X_SELL", "SUBSTITUTION")
_EDIT = ("edit_products", "Access forbidden. You are not allowed to create or update products.")
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
    """What a batch line and an item name the entity by."""
    anchor: str

    def find(self, ask: Ask, code: str) -> Entity | None:
        """The entity of a code, identifier or UUID."""
        entities = ask.pim.entities
        if self.kind == MODEL:
            return entities.model(code)
        return entities.product_by_uuid(code) if self.key == "uuid" else entities.product(code)

    def missing(self, code: str) -> ApiError:
        """The 404 of a single read."""
        return ApiError(
            404, f'{self.title} "{code}" does not exist or you do not have permission to access it.'
        )


BY_IDENTIFIER = Family("/products", PRODUCT, "Product", "identifier", "products__code_")
BY_UUID = Family("/products-uuid", PRODUCT, "Product", "uuid", "products_uuid__uuid_")
MODELS = Family("/product-models", MODEL, "Product model", "code", "product_models__code_")


def shown(ask: Ask, entity: Entity, way: Family) -> dict[str, Any]:
    """An entity as the API shows it, with the values of its parents."""
    entities = ask.pim.entities
    body: dict[str, Any] = {}
    if entity.kind == MODEL:
        body["code"] = entity.key
    else:
        body["uuid"] = entity.key
        if way.key == "identifier":
            body["identifier"] = entities.identifier(entity)
    body.update(entity.data)
    above = list(entities.ancestors(entity))
    if above and not body.get("family"):
        body["family"] = above[0].data.get("family")
    values = dict(entity.values)
    for parent in above:
        values = {**parent.values, **values}
    body["values"] = _values(ask, values)
    body["created"], body["updated"] = _time(entity.created), _time(entity.updated)
    body["associations"] = {
        name: {"products": [], "product_models": [], "groups": []} for name in _ASSOCIATIONS
    }
    body["quantified_associations"] = {}
    if ask.pim.edition == "ee" and entity.kind == PRODUCT:
        drafted = entity.key in ask.pim.drafted
        body["metadata"] = {"workflow_status": "draft_in_progress" if drafted else "working_copy"}
    return body


def _values(ask: Ask, values: dict[ValueKey, Any]) -> dict[str, Any]:
    out: dict[str, list[dict[str, Any]]] = {}
    for key, data in values.items():
        item: dict[str, Any] = {"locale": key.locale, "scope": key.scope, "data": data}
        attribute = ask.pim.catalogue.attribute(key.attribute)
        if attribute and attribute["type"] in MEDIA_TYPES:
            if ask.pim.media.find(data) is None:
                continue
            item["_links"] = {"download": {"href": ask.link(f"/media-files/{data}/download")}}
        out.setdefault(key.attribute, []).append(item)
    return out


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(int(seconds), UTC).isoformat()


class Endpoints:
    """The endpoints of one way to address entities."""

    def __init__(self, way: Family) -> None:
        self.way = way
        self.param = "uuid" if way.key == "uuid" else "code"

    async def get(self, ask: Ask) -> Response:
        """GET one, from the database: never stale."""
        code = ask.params[self.param]
        entity = self.way.find(ask, code)
        if entity is None:
            raise self.way.missing(code)
        return JSONResponse(shown(ask, entity, self.way))

    async def list_all(self, ask: Ask) -> Response:
        """GET a page by search: membership may lag, values do not."""
        entities = ask.pim.entities
        pool = entities.models if self.way.kind == MODEL else entities.products
        body = found_page(
            ask, self.way.path, pool.values(), lambda entity: shown(ask, entity, self.way), self.way.key
        )
        return JSONResponse(body)

    async def create(self, ask: Ask) -> Response:
        """POST a new one."""
        given = _object(ask.decoded())
        code = given.get(self.way.key)
        if self.way.key == "uuid" and code is None:
            code = str(uuid.uuid4())
        if not isinstance(code, str) or not code:
            raise unprocessable(f"{self.way.key.capitalize()} is missing.")
        if self.way.find(ask, code) is not None:
            what = "product model" if self.way.kind == MODEL else "product"
            message = (
                f"The same {'code' if what != 'product' else 'identifier'} is already set on another {what}"
            )
            raise ApiError(422, "Validation failed.", errors=[{"property": self.way.key, "message": message}])
        return await self._update(ask, code, given, 1.0)

    async def patch(self, ask: Ask) -> Response:
        """PATCH one; creates what is not there."""
        return await self._update(ask, ask.params[self.param], _object(ask.decoded()), 1.0)

    async def patch_many(self, ask: Ask) -> Response:
        """PATCH up to 100, a JSON object a line; answers a line for each, in order
        (docs/pim-behaviour.md, "Batch PATCH")."""
        lines = ask.body.split(b"\n")
        if lines and not lines[-1]:
            lines.pop()
        if len(lines) > BATCH_MAX:
            raise ApiError(413, f"Too many resources to process, {BATCH_MAX} is the maximum allowed.")
        answers = [php_json(await self._line(ask, number, line)) for number, line in enumerate(lines, 1)]
        return Response("\n".join(answers), media_type=COLLECTION)

    async def _line(self, ask: Ask, number: int, line: bytes) -> dict[str, Any]:
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
            answer = await self._update(ask, code, given, BATCH_SHARE)
        except ApiError as error:
            return {**start, key: code, "status_code": error.status, "message": error.message, **error.more}
        return {**start, key: code, "status_code": answer.status_code}

    async def delete(self, ask: Ask) -> Response:
        """DELETE one."""
        code = ask.params[self.param]
        entity = self.way.find(ask, code)
        if entity is None:
            raise self.way.missing(code)
        ask.pim.entities.remove(entity)
        return Response(status_code=204)

    async def _update(self, ask: Ask, code: str, given: dict[str, Any], share: float) -> Response:
        pim, entities = ask.pim, ask.pim.entities
        entity = self.way.find(ask, code)
        try:
            draft = entities.read(entity) if entity else self._fresh(ask, code, given)
            with pim.holding(ask.call, draft.entity):
                sent = apply_body(pim, draft, given, self.way.key == "identifier")
                await pim.save(ask.call, draft, sent, share)
        except PropertyError as error:
            raise documented(str(error), f"patch_{self.way.anchor}") from None
        shown_code = entities.identifier(draft) if self.way.key == "identifier" else draft.entity.key
        location = ask.link(f"{self.way.path}/{quote(str(shown_code), safe='/')}")
        return Response(status_code=201 if entity is None else 204, headers={"Location": location})

    def _fresh(self, ask: Ask, code: str, given: dict[str, Any]) -> Draft:
        """A new entity. Raises ApiError or PropertyError for a body or code that cannot be one's."""
        entities = ask.pim.entities
        if given.get(self.way.key, code) != code:
            raise unprocessable(
                f'The {self.way.key} "{given[self.way.key]}" provided in the request body must match '
                f'the {self.way.key} "{code}" provided in the url.'
            )
        if self.way.kind == MODEL:
            return entities.fresh(MODEL, code)
        if self.way.key == "uuid":
            if not _UUID.fullmatch(code):
                raise PropertyError("This is not a valid UUID.")
            return entities.fresh(PRODUCT, code.lower())
        draft = entities.fresh(PRODUCT, str(uuid.uuid4()))
        draft.values[ValueKey(ask.pim.catalogue.identifier, None, None)] = code
        return draft


def _object(value: Any) -> dict[str, Any]:
    if value == []:
        return {}
    if not isinstance(value, dict):
        raise crash()
    return value


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
        out += [
            Route(f"{name}_list", "GET", base, ends.list_all, right=lists),
            Route(f"{name}_get", "GET", one, ends.get, pattern=".+", right=lists),
            Route(f"{name}_create", "POST", base, ends.create, right=edit),
            Route(f"{name}_partial_update", "PATCH", one, ends.patch, pattern=".+", right=edit),
            Route(
                f"{name}_partial_update_list", "PATCH", base, ends.patch_many, takes=(COLLECTION,), right=edit
            ),
            Route(f"{name}_delete", "DELETE", one, ends.delete, pattern=".+", right=edit),
        ]
    return out
