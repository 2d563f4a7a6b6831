"""Products by identifier and by UUID, and product models (pim-facts A3, A6, B 5, 9)."""

from __future__ import annotations

import json
import re
import uuid
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any
from urllib.parse import quote

from starlette.responses import JSONResponse, Response

from ..catalogue import MEDIA_TYPES
from ..entities import MODEL, PRODUCT, Draft, Entity, ValueKey
from ..errors import ApiError, PropertyError, documented, unprocessable
from ..rules import Sent, set_value
from ..text import folded, php_json
from ..web import COLLECTION, JSON, Ask, Route
from .search import found_page

BATCH_MAX = 100
LINE_MAX = 1_000_000
BATCH_SHARE = 0.2
"""What a line of a batch costs of a single save (A6: 50 products in 0.49 s, 50 uploads in 2.9 s)."""

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
    return datetime.fromtimestamp(int(seconds), timezone.utc).isoformat()


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
            ask, self.way.path, list(pool.values()), lambda entity: shown(ask, entity, self.way), self.way.key
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
            what = (
                "identifier is already set on another product"
                if self.way.kind == PRODUCT
                else "code is already used"
            )
            item = {"property": self.way.key, "message": f"The same {what}."}
            raise ApiError(422, "Validation failed.", errors=[item])
        return await self._update(ask, code, given, 1.0)

    async def patch(self, ask: Ask) -> Response:
        """PATCH one; creates what is not there."""
        return await self._update(ask, ask.params[self.param], _object(ask.decoded()), 1.0)

    async def patch_many(self, ask: Ask) -> Response:
        """PATCH up to 100, a JSON object a line; answers a line for each, in order (B 5)."""
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
            try:
                given = json.loads(line)
            except ValueError:
                given = None
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
        draft = entities.read(entity) if entity else self._fresh(ask, code, given)
        with pim.holding(ask.call, draft.entity):
            sent = self._apply(ask, draft, code, given)
            await pim.save(ask.call, draft, sent, share)
        shown_code = entities.identifier(draft) if self.way.key == "identifier" else draft.entity.key
        location = ask.link(f"{self.way.path}/{quote(str(shown_code), safe='/')}")
        return Response(status_code=201 if entity is None else 204, headers={"Location": location})

    def _fresh(self, ask: Ask, code: str, given: dict[str, Any]) -> Draft:
        entities = ask.pim.entities
        if self.way.kind == MODEL:
            data: dict[str, Any] = {"family": None, "family_variant": None, "parent": None, "categories": []}
            if not given.get("family_variant") and not given.get("parent"):
                item = {
                    "property": "family_variant",
                    "message": "The product model family variant must not be empty.",
                }
                raise ApiError(422, "Validation failed.", errors=[item])
            return entities.fresh(MODEL, code, data)
        data = {"enabled": True, "family": None, "categories": [], "groups": [], "parent": None}
        if self.way.key == "uuid":
            if not re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", code.lower()):
                raise ApiError(
                    422,
                    "Validation failed.",
                    errors=[{"property": "uuid", "message": "The uuid must be valid"}],
                )
            return entities.fresh(PRODUCT, code.lower(), data)
        if given.get("identifier", code) != code:
            raise unprocessable(
                f'The identifier "{given["identifier"]}" provided in the request body must match '
                f'the identifier "{code}" provided in the url.'
            )
        draft = entities.fresh(PRODUCT, str(uuid.uuid4()), data)
        draft.values[ValueKey(ask.pim.catalogue.identifier, None, None)] = code
        return draft

    def _apply(self, ask: Ask, draft: Draft, code: str, given: dict[str, Any]) -> dict[ValueKey, Sent]:
        """Sets what a body gives, and says how it spelled locales and scopes."""
        pim, sent = ask.pim, {}
        identifier = pim.catalogue.identifier
        for name in [name for name in draft.data if name in given]:
            self._check_field(ask, name, given[name])
            draft.data[name] = given[name]
        if self.way.key == "identifier" and isinstance(given.get("identifier"), str):
            draft.values[ValueKey(identifier, None, None)] = given["identifier"]
        values = given.get("values") or {}
        if not isinstance(values, dict):
            raise self._refusal('Property "values" expects an array as data.')
        own = pim.entities.own(draft)
        for attribute, items in values.items():
            known = pim.catalogue.attribute(attribute)
            if known and own is not None and known["code"] not in own:
                continue
            if self.way.key == "identifier" and known and known["code"] == identifier:
                continue
            if not isinstance(items, list) or not all(isinstance(i, dict) for i in items):
                raise self._refusal(f'Property "{attribute}" expects an array with valid data.')
            for item in items:
                locale, scope = item.get("locale"), item.get("scope")
                if {"locale", "scope", "data"} - set(item):
                    missing = next(n for n in ("locale", "scope", "data") if n not in item)
                    raise self._refusal(f'Property "{attribute}" expects an array with the key "{missing}".')
                try:
                    key = set_value(pim.catalogue, pim.media, draft, attribute, locale, scope, item["data"])
                except PropertyError as error:
                    raise self._refusal(str(error)) from None
                sent[key] = (locale, scope)
        return sent

    def _check_field(self, ask: Ask, name: str, value: Any) -> None:
        pim = ask.pim
        if name == "family" and value is not None and pim.catalogue.families.find(value) is None:
            raise self._refusal(
                f'Property "family" expects a valid family code. The family does not exist, "{value}" given.'
            )
        if name == "parent" and value is not None and pim.entities.model(value) is None:
            raise self._refusal(
                f'Property "parent" expects a valid parent code. The parent product model does not exist, "{value}" given.'
            )

    def _refusal(self, message: str) -> ApiError:
        return documented(message, f"patch_{self.way.anchor}")


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ApiError(400, "Invalid json message received")
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


__all__ = ["BY_IDENTIFIER", "BY_UUID", "JSON", "MODELS", "folded", "routes", "shown"]
