"""Assets in families and records in reference entities, which differ in words only
(docs/pim-behaviour.md, "Assets and reference entities")."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from starlette.responses import JSONResponse, Response

from ..errors import ApiError, unprocessable
from ..rules.search import check_structure
from ..rules.things import NamingError, named_values, shape_errors, value_errors
from ..store.catalogue import shown
from ..store.entities import ValueKey
from ..store.media import ASSETS, CATALOG
from ..store.things import (
    ASSET,
    RECORD,
    REFERENCE_ENTITY,
    Collection,
    Thing,
    ThingKey,
    values_of,
)
from ..web.routing import FORM, Exchange, Route
from .entity import shown_time
from .media import sent_file, streamed
from .paging import after, criteria
from .products import BATCH_MAX, BATCH_SHARE

_IMAGE = ValueKey("image", None, None)


@dataclass(frozen=True)
class Words:
    """What paths, headers and messages call one of the two kinds."""

    kind: str
    family: str
    things: str
    media: str
    header: str
    title: str
    parent_title: str
    storage: str
    forbidden: str
    name: str


ASSETS_WORDS = Words(
    ASSET, "/asset-families", "assets", "/asset-media-files", "Asset-media-file-code", "asset",
    "Asset family", ASSETS, "Access forbidden. You are not allowed to create or update assets.",
    "akeneo_asset_manager",
)  # fmt: skip
RECORDS_WORDS = Words(
    RECORD, "/reference-entities", "records", "/reference-entities-media-files",
    "Reference-entities-media-file-code", "record", "Reference entity", CATALOG,
    "Access forbidden. You are not allowed to create or update reference entity records.",
    "akeneo_reference_entities",
)  # fmt: skip


class Endpoints:
    """The endpoints of one kind."""

    def __init__(self, words: Words) -> None:
        self.words = words

    def _collections(self, exchange: Exchange) -> dict[str, Collection]:
        things = exchange.pim.things
        return things.families if self.words.kind == ASSET else things.entities

    def _collection(self, exchange: Exchange) -> Collection:
        """The family or entity that a path names: here case counts
        (docs/pim-behaviour.md, "Assets and reference entities")."""
        code = exchange.params["family"]
        found = self._collections(exchange).get(code)
        if found is None:
            raise ApiError(404, f'{self.words.parent_title} "{code}" does not exist.')
        return found

    def _thing(self, exchange: Exchange, collection: Collection) -> Thing:
        code = exchange.params["code"]
        thing = exchange.pim.things.find(ThingKey(collection.kind, collection.code, code))
        if thing is None:
            where = f'the {self.words.parent_title.lower()} "{collection.code}"'
            raise ApiError(404, f'{self.words.title.capitalize()} "{code}" does not exist for {where}.')
        return thing

    async def upload(self, exchange: Exchange) -> Response:
        """POST: a file that no asset refers to yet; its code is in a header."""
        sent = sent_file(exchange)
        extension = sent.name.rpartition(b".")[2] if b"." in sent.name else b""
        if extension and not extension.isalnum():
            raise unprocessable("File extension cannot contain special characters.")
        await asyncio.sleep(exchange.pim.options.save_time)
        row = exchange.pim.store_file(exchange.call, sent, self.words.storage)
        location = exchange.link(f"{self.words.media}/{row.code}")
        return Response(status_code=201, headers={self.words.header: row.code, "Location": location})

    async def download(self, exchange: Exchange) -> Response:
        """GET the bytes; there is no route for a file's name and size."""
        code = exchange.params["code"]
        row = exchange.pim.media.find(code, self.words.storage)
        if row is None:
            raise ApiError(404, f'Media file "{code}" does not exist.')
        return streamed(exchange, row)

    async def families(self, exchange: Exchange) -> Response:
        """GET the list of families or entities."""
        found = [(code, item) for code, item in sorted(self._collections(exchange).items())]
        return JSONResponse(
            after(exchange, self.words.family, found, self._family_shown(exchange), "code", {})
        )

    async def family(self, exchange: Exchange) -> Response:
        """GET one family or entity."""
        return JSONResponse(self._family_shown(exchange)(self._collection(exchange)))

    def _family_shown(self, exchange: Exchange) -> Any:
        def show(item: Collection) -> dict[str, Any]:
            body = {"labels": {}, **item.body}
            if self.words.kind == RECORD:
                body["image"] = _image(exchange, item)
                if body["image"]:
                    href = exchange.link(f"{self.words.media}/{body['image']}")
                    body["_links"] = {"image_download": {"href": href}}
            else:
                body = {
                    "attribute_as_main_media": None,
                    "naming_convention": {},
                    "product_link_rules": [],
                    **body,
                }
            return body

        return show

    async def patch_family(self, exchange: Exchange) -> Response:
        """PATCH a reference entity's labels and image; creates none."""
        collection, given = self._collection(exchange), exchange.decoded()
        if not isinstance(given, dict):
            raise ApiError(400, "Invalid json message received")
        if "image" in given:
            image = given["image"]
            if image is not None and (not isinstance(image, str) or exchange.pim.media.find(image) is None):
                message = "The reference entity has data that does not comply with the business rules."
                item = {"property": "image", "message": f'The file "{image}" was not found.'}
                raise ApiError(422, message, errors=[item])
            key = ThingKey(REFERENCE_ENTITY, "", collection.code)
            exchange.pim.write_thing(exchange.call, key, {}, {_IMAGE: image} if image is not None else {})
        if isinstance(given.get("labels"), dict):
            collection.body["labels"] = {**collection.body.get("labels", {}), **given["labels"]}
        href = exchange.link(f"{self.words.family}/{collection.code}")
        return Response(status_code=204, headers={"Location": href})

    async def attributes(self, exchange: Exchange) -> Response:
        """GET the attributes: a plain array."""
        return JSONResponse([shown(item) for item in self._collection(exchange).attributes.values()])

    async def attribute(self, exchange: Exchange) -> Response:
        """GET one attribute."""
        return JSONResponse(shown(self._attribute(exchange)))

    def _attribute(self, exchange: Exchange) -> dict[str, Any]:
        found = self._collection(exchange).attributes.get(exchange.params["code"])
        if found is None:
            raise ApiError(404, f'Attribute "{exchange.params["code"]}" does not exist.')
        return found

    def _options(self, exchange: Exchange) -> dict[str, dict[str, Any]]:
        attribute = self._attribute(exchange)
        if attribute["type"] not in ("single_option", "multiple_options"):
            raise ApiError(404, f'Attribute "{attribute["code"]}" does not support options.')
        return self._collection(exchange).options(attribute["code"])

    async def options(self, exchange: Exchange) -> Response:
        """GET an attribute's options: a plain array."""
        return JSONResponse(list(self._options(exchange).values()))

    async def option(self, exchange: Exchange) -> Response:
        """GET one option."""
        found = self._options(exchange).get(exchange.params["option"])
        if found is None:
            name, code = exchange.params["option"], exchange.params["code"]
            raise ApiError(404, f'Option "{name}" does not exist for the attribute "{code}".')
        return JSONResponse(found)

    async def list_all(self, exchange: Exchange) -> Response:
        """GET assets or records, with `search` by code; pages of a hundred by search_after."""
        collection = self._collection(exchange)
        found = [
            (thing.key.code, thing)
            for thing in exchange.pim.things.of(collection.kind, collection.code)
            if exchange.pim.searchable(thing)
        ]
        wanted_by = criteria(exchange)
        check_structure(wanted_by)
        for condition in wanted_by.get("code", ()):
            if condition["operator"] == "IN" and isinstance(condition.get("value"), list):
                wanted = {str(code) for code in condition["value"]}
                found = [pair for pair in found if pair[0] in wanted]
        path = f"{self.words.family}/{collection.code}/{self.words.things}"
        query = {"limit": "100", **exchange.query(), "pagination_type": "search_after"}
        pairs = sorted(found, key=lambda pair: pair[0])
        given = {name: value for name, value in query.items() if name in ("search", "limit")}

        def show(thing: Thing) -> dict[str, Any]:
            return self.shown(exchange, collection, thing)

        return JSONResponse(after(exchange, path, pairs, show, "code", given, query))

    async def get(self, exchange: Exchange) -> Response:
        """GET one asset or record."""
        collection = self._collection(exchange)
        return JSONResponse(self.shown(exchange, collection, self._thing(exchange, collection)))

    def shown(self, exchange: Exchange, collection: Collection, thing: Thing) -> dict[str, Any]:
        """An asset or record as the API shows it."""
        values: dict[str, list[dict[str, Any]]] = {}
        for key, data in thing.values.items():
            item: dict[str, Any] = {"locale": key.locale, "channel": key.scope, "data": data}
            if collection.media_attribute(key.attribute):
                item["_links"] = {"download": {"href": exchange.link(f"{self.words.media}/{data}")}}
                if collection.kind == ASSET and exchange.pim.catalogue.linked_data:
                    item["linked_data"] = _linked_data(exchange, data)
            values.setdefault(key.attribute, []).append(item)
        return {
            "code": thing.key.code,
            "values": values,
            "created": shown_time(thing.created),
            "updated": shown_time(thing.updated),
        }

    async def patch(self, exchange: Exchange) -> Response:
        """PATCH one; creates it if it is missing."""
        collection, given = self._collection(exchange), exchange.decoded()
        code = exchange.params["code"]
        if not isinstance(given, dict) or given.get("code", code) != code:
            raise unprocessable(
                "The code provided in the request body must match the code provided in the url."
            )
        try:
            answer = await self._one(exchange, collection, {**given, "code": code}, 1.0)
        except NamingError as error:
            raise unprocessable(str(error)) from None
        if answer["status_code"] == 422:
            more = {"errors": answer["errors"]} if "errors" in answer else {}
            raise ApiError(422, answer["message"], **more)
        href = exchange.link(f"{self.words.family}/{collection.code}/{self.words.things}/{code}")
        return Response(status_code=answer["status_code"], headers={"Location": href})

    async def patch_many(self, exchange: Exchange) -> Response:
        """PATCH up to 100, a JSON array; a naming convention that aborts ends it all with 422
        (docs/pim-behaviour.md, "Assets and reference entities")."""
        collection, given = self._collection(exchange), exchange.decoded()
        if not isinstance(given, list) or not all(isinstance(item, dict) for item in given):
            raise ApiError(
                400,
                f"The list of {self.words.things} has an invalid format.",
                errors=[{"property": "", "message": "The data is not a list of objects."}],
            )
        if len(given) > BATCH_MAX:
            raise ApiError(413, f"Too many resources to process, {BATCH_MAX} is the maximum allowed.")
        try:
            return JSONResponse([await self._one(exchange, collection, item, BATCH_SHARE) for item in given])
        except NamingError as error:
            raise unprocessable(str(error)) from None

    async def _one(
        self, exchange: Exchange, collection: Collection, given: dict[str, Any], share: float
    ) -> dict[str, Any]:
        """One item of a batch: its own answer, `{"code", "status_code", "message"?, "errors"?}`."""
        pim, code = exchange.pim, given.get("code")
        bad_shape = shape_errors(given)
        if bad_shape or not isinstance(code, str):
            message = f"The {self.words.title} has an invalid format."
            return {"code": code, "status_code": 422, "message": message, "errors": bad_shape}
        key = ThingKey(collection.kind, collection.code, code)
        thing = pim.things.find(key)
        base = dict(thing.values) if thing else {}
        changes = values_of(given.get("values") or {})
        errors = [
            e
            for k, data in changes.items()
            for e in value_errors(pim.catalogue, pim.media, pim.things, collection, k, data)
        ]
        if thing is None and not all(c.isalnum() or c in "_-" for c in code):
            errors.append(
                {
                    "property": "code",
                    "message": "This field may only contain letters, numbers and underscores.",
                }
            )
        if errors:
            message = f"The {self.words.title} has data that does not comply with the business rules."
            return {"code": code, "status_code": 422, "message": message, "errors": errors}
        values = {**base, **changes}
        if thing is None and collection.kind == ASSET:
            values = {**named_values(collection, code, _main_media(exchange, collection, values)), **values}
        with pim.holding_key(exchange.call, f"{key.kind}:{key.parent}/{key.code}"):
            await asyncio.sleep(pim.options.save_time * share)
            pim.write_thing(exchange.call, key, base, values)
        return {"code": code, "status_code": 204 if thing else 201}


def _linked_data(exchange: Exchange, code: Any) -> dict[str, Any]:
    """What the cloud says about an asset's file since 2026, so that clients need not download it."""
    row = exchange.pim.media.find(code) if isinstance(code, str) else None
    if row is None:
        return {}
    return {
        "size": row.size,
        "mime_type": row.mime_type,
        "extension": row.extension,
        "original_filename": row.original_filename,
        "updated_at": shown_time(row.created),
    }


def _image(exchange: Exchange, collection: Collection) -> str | None:
    thing = exchange.pim.things.find(ThingKey(REFERENCE_ENTITY, "", collection.code))
    return thing.values.get(_IMAGE) if thing else None


def _main_media(exchange: Exchange, collection: Collection, values: dict[ValueKey, Any]) -> str | None:
    main = collection.body.get("attribute_as_main_media")
    code = next((data for key, data in values.items() if key.attribute == main), None)
    row = exchange.pim.media.find(code) if isinstance(code, str) else None
    return row.original_filename if row else None


def routes(words: Words) -> list[Route]:
    """The routes of one kind."""
    ends, rest = Endpoints(words), "/api/rest/v1"
    family, things = f"{rest}{words.family}", f"{rest}{words.family}/{{family}}/{words.things}"
    edit, code = ("edit_assets", words.forbidden), r"[a-zA-Z0-9_./]+"
    out = [
        Route(
            f"{words.name}_media_file_create",
            "POST",
            f"{rest}{words.media}",
            ends.upload,
            takes=(FORM,),
            right=edit,
        ),
        Route(
            f"{words.name}_media_file_download",
            "GET",
            f"{rest}{words.media}/{{code}}",
            ends.download,
            pattern=code,
        ),
        Route(f"{words.name}_family_list", "GET", family, ends.families),
        Route(f"{words.name}_family_get", "GET", f"{family}/{{family}}", ends.family),
        Route(f"{words.name}_attribute_list", "GET", f"{family}/{{family}}/attributes", ends.attributes),
        Route(
            f"{words.name}_attribute_get", "GET", f"{family}/{{family}}/attributes/{{code}}", ends.attribute
        ),
        Route(
            f"{words.name}_attribute_option_list",
            "GET",
            f"{family}/{{family}}/attributes/{{code}}/options",
            ends.options,
        ),
        Route(
            f"{words.name}_attribute_option_get",
            "GET",
            f"{family}/{{family}}/attributes/{{code}}/options/{{option}}",
            ends.option,
        ),
        Route(f"{words.name}_{words.title}_list", "GET", things, ends.list_all),
        Route(f"{words.name}_{words.title}_get", "GET", f"{things}/{{code}}", ends.get),
        Route(f"{words.name}_{words.title}_update", "PATCH", f"{things}/{{code}}", ends.patch, right=edit),
        Route(f"{words.name}_{words.title}_update_list", "PATCH", things, ends.patch_many, right=edit),
    ]
    if words.kind == RECORD:
        out.append(
            Route(
                f"{words.name}_family_update", "PATCH", f"{family}/{{family}}", ends.patch_family, right=edit
            )
        )
    return out
