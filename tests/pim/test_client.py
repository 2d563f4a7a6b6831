"""Each endpoint: what is asked on the wire, and what becomes of the answers, good and garbled."""

from __future__ import annotations

import hashlib
import io
import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from akeneo_media_cli.errors import Failure, Kind
from akeneo_media_cli.pim.calls import batches, media_path, query, segment
from akeneo_media_cli.pim.client import PimClient
from akeneo_media_cli.pim.entity_types import AssetFamily, Category, Entity, MediaAttribute
from akeneo_media_cli.pim.errors import Refusal, Trouble
from akeneo_media_cli.pim.multipart import FileBody, PathSource, Place
from akeneo_media_cli.pim.parse import Garbled
from akeneo_media_cli.pim.types import (
    Attribute,
    Channel,
    Family,
    FamilyVariant,
    Locale,
    MediaFile,
    Product,
    ProductModel,
    Routes,
    SystemInformation,
    size_limit,
)

from .conftest import Pim
from .server import Reply, Request, page, refuses, says

API = "/api/rest/v1"
CODE = "6/4/c/9/64c9_small.jpg"


def listing(items: list[Any], following: str | None = None) -> Reply:
    links = {"next": {"href": following}} if following else {}
    return says(200, {"_links": links, "current_page": 1, "_embedded": {"items": items}})


def asked(request: Request) -> dict[str, Any]:
    """A request's query, its search decoded."""
    found = {name: values[0] for name, values in parse_qs(urlsplit(request.target).query).items()}
    return {**found, "search": json.loads(found["search"])} if "search" in found else found


def answering(pim: Pim, *replies: Reply) -> Any:
    left = list(replies)
    return pim(lambda r: left.pop(0))


@pytest.fixture
def body(tmp_path: Path) -> Any:
    path = tmp_path / "a.jpg"
    path.write_bytes(b"picture")
    return lambda place=None: FileBody(PathSource(path), place=place)


def product(**changes: Any) -> dict[str, Any]:
    return {
        "uuid": "170c9950-1e6a-468c-a035-d8f31e3e1eea",
        "identifier": "shoe_44",
        "enabled": True,
        "family": "shoes",
        "parent": None,
        "values": {
            "sku": [{"locale": None, "scope": None, "data": "shoe_44"}],
            "picture": [{"locale": None, "scope": None, "data": CODE}],
            "front": [{"locale": "en_US", "scope": "print", "data": CODE, "_links": {}}],
        },
        **changes,
    }


# Products.


def test_a_product(pim: Pim) -> None:
    client, server = answering(pim, says(200, product(metadata={"workflow_status": "draft_in_progress"})))
    found = client.get_product("shoe 44/ä%")
    assert found is not None
    assert (found.identifier, found.family, found.parent) == ("shoe_44", "shoes", None)
    assert found.media_code("picture") == CODE
    assert found.media_code("front", "en_US", "print") == CODE
    assert found.media_code("front") is None
    assert found.workflow_status == "draft_in_progress"
    assert server.requests[0].target == f"{API}/products/shoe%2044%2F%C3%A4%25"


def test_a_product_by_uuid_has_its_identifier_among_its_values(pim: Pim) -> None:
    data = product()
    del data["identifier"]
    client, server = answering(pim, says(200, data))
    found = client.get_product_by_uuid(data["uuid"])
    assert found is not None
    assert found.identifier is None
    assert found.uuid == data["uuid"]
    assert found.values[("sku", None, None)] == "shoe_44"
    assert server.requests[0].path == f"{API}/products-uuid/{data['uuid']}"


def test_a_model(pim: Pim) -> None:
    data = {"code": "m", "family": "shoes", "family_variant": "by_size", "parent": "root", "values": []}
    client, _ = answering(pim, says(200, data))
    found = client.get_product_model("m")
    assert found == ProductModel("m", "shoes", "by_size", "root", {}, None)


def test_what_is_not_there(pim: Pim) -> None:
    client, _ = pim(lambda r: refuses(404, "It does not exist."))
    assert client.get_product("x") is None
    assert client.get_product_by_uuid("x") is None
    assert client.get_product_model("x") is None
    assert client.attribute("x") is None
    assert client.family("x") is None
    assert client.family_variant("x", "y") is None
    assert client.media_file("a/b") is None
    assert client.system_information() is None
    assert client.asset_family("x") is None
    assert client.get_asset("x", "y") is None
    assert client.reference_entity("x") is None
    assert client.get_record("x", "y") is None
    assert client.category("x") is None


def test_a_web_servers_404_is_no_missing_product(pim: Pim) -> None:
    client, _ = pim(lambda r: page(404, "The requested URL was not found on this server."))
    with pytest.raises(Refusal) as caught:
        client.get_product("x")
    assert caught.value.failure.kind is Kind.ROUTE_MISSING


@pytest.mark.parametrize("there", [True, False])
def test_a_slash_in_an_identifier_goes_around_apache(pim: Pim, there: bool) -> None:
    client, server = answering(pim, page(404, "Not Found"), listing([product()] if there else []))
    assert (client.get_product("a/b") is not None) == there
    assert asked(server.requests[1])["search"] == {"identifier": [{"operator": "IN", "value": ["a/b"]}]}


@pytest.mark.parametrize(
    ("method", "path", "field"),
    [
        ("search_products", "/products", "identifier"),
        ("search_products_by_uuid", "/products-uuid", "uuid"),
        ("search_product_models", "/product-models", "identifier"),
    ],
)
def test_searches(pim: Pim, method: str, path: str, field: str) -> None:
    client, server = answering(pim, listing([product(code="m")]))
    found = getattr(client, method)(["shoe_44", "ä,b"], ["picture", "front"])
    assert len(found) == 1
    (request,) = server.requests
    assert request.path == API + path
    assert asked(request) == {
        "search": {field: [{"operator": "IN", "value": ["shoe_44", "ä,b"]}]},
        "attributes": "picture,front",
        "limit": "100",
    }


def test_long_searches_are_split(pim: Pim) -> None:
    client, server = pim(lambda r: listing([]))
    codes = [f"{'ü' * 40}-{n}" for n in range(250)]
    assert client.search_products(codes) == []
    seen = [asked(r)["search"]["identifier"][0]["value"] for r in server.requests]
    assert [code for batch in seen for code in batch] == codes
    assert all(len(r.target) < 7200 for r in server.requests)
    assert len(seen) > 3
    server.requests.clear()
    client.search_products([str(n) for n in range(250)])
    assert [len(asked(r)["search"]["identifier"][0]["value"]) for r in server.requests] == [100, 100, 50]
    server.requests.clear()
    assert client.search_products([]) == []
    assert server.requests == []


@given(st.lists(st.text(max_size=200), max_size=300))
def test_splitting_loses_nothing(codes: list[str]) -> None:
    seen: dict[str, list[str]] = {}

    def path_of(batch: list[str]) -> str:
        path = "/x" + query(search=json.dumps(batch))
        seen[path] = batch
        return path

    paths = list(batches(codes, path_of))
    assert [code for path in paths for code in seen[path]] == codes
    assert all(len(path) <= 7000 or len(seen[path]) == 1 for path in paths)
    assert all(len(seen[path]) <= 100 for path in paths)


def test_a_single_code_longer_than_a_path_is_still_asked_for() -> None:
    assert len(list(batches(["x" * 9000, "y"], "/".join))) == 2


# Batches.


def line(code: str, media: str = CODE) -> dict[str, Any]:
    return {
        "identifier": code,
        "values": {"picture": [{"locale": None, "scope": None, "data": media}]},
    }


def collection(*lines: dict[str, Any], tail: str = "") -> Reply:
    return Reply(200, "\n".join(map(json.dumps, lines)).encode() + tail.encode())


def test_a_batch(pim: Pim) -> None:
    refusal = {
        "line": 2,
        "identifier": "b",
        "status_code": 422,
        "message": "Validation failed.",
        "errors": [
            {
                "property": "values",
                "attribute": "picture",
                "message": "The jpg file extension is not allowed for the picture attribute.",
            }
        ],
    }
    client, server = answering(
        pim,
        collection(
            {"line": 1, "identifier": "a", "status_code": 204},
            refusal,
            {"line": 3, "identifier": "c", "status_code": 201},
            {"line": 4, "identifier": "d", "status_code": 500, "message": "Internal Server Error"},
            {"line": 5, "identifier": "e", "status_code": 403, "message": "No."},
            {"line": 6, "identifier": "f", "status_code": 413, "message": "Line is too long."},
        ),
    )
    results = client.patch_products([line(c) for c in "abcdef"])
    assert [(r.line, r.code, r.status, r.created, r.retryable) for r in results] == [
        (1, "a", 204, False, False),
        (2, "b", 422, False, False),
        (3, "c", 201, True, False),
        (4, "d", 500, False, True),
        (5, "e", 403, False, False),
        (6, "f", 413, False, False),
    ]
    assert [r.failure.kind if r.failure else None for r in results] == [
        None,
        Kind.EXTENSION_NOT_ALLOWED,
        None,
        Kind.SERVER_ERROR,
        Kind.FORBIDDEN,
        Kind.REFUSED,
    ]
    (request,) = server.requests
    assert (request.method, request.path) == ("PATCH", f"{API}/products")
    assert request.headers["content-type"] == "application/vnd.akeneo.collection+json"
    assert [json.loads(each) for each in request.body.split(b"\n")] == [line(c) for c in "abcdef"]


@pytest.mark.parametrize(
    ("reply", "statuses"),
    [
        (collection({"line": 1, "status_code": 204}), [204, None, None]),
        (collection({"line": 1, "status_code": 204}, tail='\n{"line":2,"sta'), [204, None, None]),
        (collection({"line": 3, "status_code": 204}), [None, None, 204]),
        (collection({"status_code": 204}, {"status_code": 201}), [204, 201, None]),
        (Reply(200, b""), [None, None, None]),
        (Reply(200, b"\x00\xff\n[]\n5\nnull"), [None, None, None]),
        (
            Reply(
                raw=b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                b'1f\r\n{"line":1,"status_code": 204 }\n\r\nff\r\n{"li',
                close=True,
            ),
            [204, None, None],
        ),
        (
            Reply(
                raw=b'HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n{"line":1,"status_code": 204 }\n',
                close=True,
            ),
            [204, None, None],
        ),
    ],
)
def test_fewer_lines_than_sent_are_said_to_be_unanswered(
    pim: Pim, reply: Reply, statuses: list[int | None]
) -> None:
    client, _ = answering(pim, reply)
    results = client.patch_products([line(c) for c in "abc"])
    assert [r.status for r in results] == statuses
    assert [r.answered for r in results] == [s is not None for s in statuses]
    assert all(r.retryable for r in results if not r.answered)


def test_batches_of_models_and_uuids(pim: Pim) -> None:
    client, server = pim(lambda r: collection({"line": 1, "code": "m", "status_code": 204}))
    (model,) = client.patch_product_models([{"code": "m", "values": {}}])
    (product_line,) = client.patch_products_by_uuid([{"uuid": "u-1", "values": {}}])
    assert (model.code, product_line.code) == ("m", "u-1")
    assert [r.path for r in server.requests] == [f"{API}/product-models", f"{API}/products-uuid"]


def test_a_batch_refused_as_a_whole(pim: Pim) -> None:
    client, _ = pim(
        lambda r: refuses(403, "Access forbidden. You are not allowed to create or update products.")
    )
    with pytest.raises(Refusal) as caught:
        client.patch_products([line("a")])
    assert caught.value.failure.kind is Kind.FORBIDDEN
    with pytest.raises(ValueError, match="100"):
        client.patch_products([line("a")] * 101)
    with pytest.raises(ValueError, match="100"):
        client.patch_assets("f", [{}] * 101)


def test_a_lost_batch_may_be_done(pim: Pim) -> None:
    def handle(request: Request) -> None:
        request.reset()

    client, _ = pim(handle)
    with pytest.raises(Trouble) as caught:
        client.patch_products([line("a")])
    assert caught.value.maybe_done


# Uploads elsewhere.


def test_asset_and_record_media(pim: Pim, body: Any) -> None:
    client, server = answering(
        pim,
        Reply(
            201,
            headers={"asset-media-file-code": CODE, "Location": f"http://x{API}/asset-media-files/{CODE}"},
        ),
        Reply(201, headers={"Reference-Entities-Media-File-Code": CODE}),
        Reply(201, headers={"Location": f"http://x{API}/asset-media-files/{CODE}"}),
        Reply(201),
    )
    made = client.upload_asset_media(body())
    assert (made.code, made.location) == (CODE, f"{API}/asset-media-files/{CODE}")
    assert client.upload_record_media(body()).code == CODE
    assert client.upload_asset_media(body()).code == CODE
    with pytest.raises(Refusal):
        client.upload_asset_media(body())
    assert [r.path for r in server.requests] == [
        f"{API}/asset-media-files",
        f"{API}/reference-entities-media-files",
        f"{API}/asset-media-files",
        f"{API}/asset-media-files",
    ]
    assert b'name="product"' not in server.requests[0].body


def test_category_media_and_models(pim: Pim, body: Any) -> None:
    client, _ = answering(
        pim,
        Reply(201, headers={"Location": f"{API}/category-media-files/{CODE}/download"}),
        Reply(201, headers={"Location": f"/pim{API}/media-files/{CODE}"}),
    )
    assert client.upload_category_media(body(Place("category", "shoes", "banner"))).code == CODE
    made = client.upload_product_model(body(Place("product_model", "m", "picture")))
    assert (made.code, made.location) == (CODE, f"/pim{API}/media-files/{CODE}")
    with pytest.raises(ValueError, match="product_model"):
        client.upload_product_model(body(Place("product", "m", "picture")))
    with pytest.raises(ValueError, match="product"):
        client.upload_product(body())


def test_the_old_pam(pim: Pim, body: Any) -> None:
    partly = {"message": "Some variation files were not generated properly.", "errors": [{"message": "x"}]}
    where = {"Location": f"http://x{API}/assets/a%20b/reference-files/no-locale"}
    client, server = answering(
        pim,
        Reply(201, headers=where),
        says(201, partly, **where),
        Reply(201, b"{}", headers={"Location": f"{API}/assets/a/variation-files/print/en_US"}),
        Reply(201, b"[]", headers={"Location": f"{API}/elsewhere"}),
        refuses(404, 'Asset "a b" does not exist.'),
    )
    made = client.upload_pam_reference("a b", body())
    assert (made.code, made.location, made.note) == (
        "a b",
        f"{API}/assets/a%20b/reference-files/no-locale",
        "",
    )
    assert client.upload_pam_reference("a b", body()).note.endswith("properly. x")
    client.upload_pam_variation("a", "print", body(), "en_US")
    with pytest.raises(Refusal) as caught:
        client.upload_pam_variation("a", "print", body())
    assert caught.value.failure.kind is Kind.NOT_CREATED
    with pytest.raises(Refusal) as caught:
        client.upload_pam_reference("a b", body())
    assert caught.value.failure.kind is Kind.TARGET_UNKNOWN
    assert [r.path for r in server.requests][:4] == [
        f"{API}/assets/a%20b/reference-files/no-locale",
        f"{API}/assets/a%20b/reference-files/no-locale",
        f"{API}/assets/a/variation-files/print/en_US",
        f"{API}/assets/a/variation-files/print/no-locale",
    ]


# Assets and records.


def test_assets(pim: Pim) -> None:
    asset = {"code": "a1", "values": {"media": [{"locale": None, "channel": "print", "data": CODE}]}}
    attributes = [
        {
            "code": "media",
            "type": "media_file",
            "media_type": "image",
            "allowed_extensions": ["jpg"],
            "max_file_size": "10.5",
            "value_per_locale": True,
            "value_per_channel": False,
            "is_read_only": False,
        }
    ]
    client, server = answering(
        pim,
        says(200, {"code": "packshots", "attribute_as_main_media": "media"}),
        says(200, attributes),
        says(200, asset),
        listing([asset], f"http://x{API}/asset-families/packshots/assets?search_after=a1"),
        listing([]),
        says(200, [{"code": "a1", "status_code": 204}, {"code": "a2", "status_code": 422, "message": "no"}]),
        says(200, [{"code": "r1", "status_code": 201}]),
    )
    assert client.asset_family("packshots") == AssetFamily("packshots", "media")
    assert client.asset_attributes("packshots") == [
        MediaAttribute("media", "media_file", "image", False, True, ("jpg",), 10_500_000, False)
    ]
    found = client.get_asset("packshots", "a1")
    assert isinstance(found, Entity)
    assert found.media_code("media", None, "print") == CODE
    assert [a.code for a in client.search_assets("packshots", ["a1", "a2"])] == ["a1"]
    results = client.patch_assets("packshots", [{"code": "a1"}, {"code": "a2"}, {"code": "a3"}])
    assert [(r.code, r.status) for r in results] == [("a1", 204), ("a2", 422), ("a3", None)]
    (record,) = client.patch_records("designer", [{"code": "r1"}])
    assert record.created
    assert asked(server.requests[4]) == {"search_after": "a1"}
    assert server.requests[5].headers["content-type"] == "application/json"
    assert server.requests[5].json == [{"code": "a1"}, {"code": "a2"}, {"code": "a3"}]


def test_asset_values_refused_at_the_patch(pim: Pim) -> None:
    said = {
        "code": "a1",
        "status_code": 422,
        "message": "The asset has data that does not comply with the business rules.",
        "errors": [
            {
                "property": "values.media",
                "message": '".txt" files are not allowed for this attribute. Allowed extensions are: jpg,png',
            }
        ],
    }
    client, _ = answering(pim, says(200, [said]))
    values = {"media": [{"locale": None, "channel": None, "data": "a/b/c/d/0f_note.txt"}]}
    (result,) = client.patch_assets("packshots", [{"code": "a1", "values": values}])
    assert result.failure is not None
    assert result.failure.kind is Kind.EXTENSION_NOT_ALLOWED


def test_an_array_cut_short_leaves_all_unanswered(pim: Pim) -> None:
    cut = b'HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n[{"code":"a1","status_code":204},'
    client, _ = answering(pim, Reply(raw=cut, close=True))
    assert [r.status for r in client.patch_assets("f", [{"code": "a1"}, {"code": "a2"}])] == [None, None]


def test_a_naming_convention_refuses_the_batch(pim: Pim) -> None:
    client, _ = pim(lambda r: refuses(422, "Error during naming convention execution: no match"))
    with pytest.raises(Refusal) as caught:
        client.patch_assets("f", [{"code": "a1"}])
    assert "naming convention" in caught.value.failure.message


def test_reference_entities(pim: Pim) -> None:
    record = {"code": "r1", "values": {"photo": [{"locale": "en_US", "channel": None, "data": CODE}]}}
    client, server = answering(
        pim,
        says(200, {"code": "designer", "image": CODE, "labels": {}}),
        Reply(204),
        refuses(422, "no"),
        says(200, [{"code": "photo", "type": "image", "max_file_size": None}]),
        says(200, record),
        listing([record]),
    )
    entity = client.reference_entity("designer")
    assert entity is not None
    assert entity.image == CODE
    client.patch_reference_entity("designer", CODE)
    assert server.requests[1].json == {"code": "designer", "image": CODE}
    with pytest.raises(Refusal):
        client.patch_reference_entity("designer", CODE)
    assert client.record_attributes("designer")[0].type == "image"
    found = client.get_record("designer", "r1")
    assert found is not None
    assert found.media_code("photo", "en_US") == CODE
    assert len(client.search_records("designer", ["r1"])) == 1


# The catalogue.


def test_attributes(pim: Pim) -> None:
    data = {
        "code": "picture",
        "type": "pim_catalog_image",
        "scopable": True,
        "localizable": False,
        "available_locales": ["fr_FR"],
        "allowed_extensions": ["jpg"],
        "max_file_size": "10.50",
    }
    client, server = pim(lambda r: says(200, data) if r.path.endswith("/picture") else listing([data]))
    expected = Attribute("picture", "pim_catalog_image", True, False, ("fr_FR",), ("jpg",), 10_752_000)
    assert client.attribute("picture") == expected
    assert client.attributes(["picture", "nope"]) == [expected]
    assert client.media_attributes() == [expected]
    assert client.identifier_attributes() == [expected]
    searches = [asked(r)["search"] for r in server.requests[1:]]
    assert searches == [
        {"code": [{"operator": "IN", "value": ["picture", "nope"]}]},
        {"type": [{"operator": "IN", "value": ["pim_catalog_image", "pim_catalog_file"]}]},
        {"type": [{"operator": "IN", "value": ["pim_catalog_identifier"]}]},
    ]


@pytest.mark.parametrize(
    ("size", "limit"),
    [
        (None, None),
        ("", None),
        ("10.00", 10_000_000),
        ("10.50", 10_752_000),
        ("0.5", 512_000),
        ("0.01", 10_000),
        ("0.29", 296_000),
        ("9999.99", 10_239_989_000),
        (1, 1_000_000),
        (1.5, 1_536_000),
    ],
)
def test_size_limits_as_the_pim_counts(size: Any, limit: int | None) -> None:
    assert size_limit(size) == limit


@pytest.mark.parametrize("size", ["ten", "NaN", "Infinity", [], {}])
def test_size_limits_that_are_none(size: Any) -> None:
    with pytest.raises(Garbled):
        size_limit(size)


def test_the_rest_of_the_catalogue(pim: Pim) -> None:
    variant = {
        "code": "by_size",
        "variant_attribute_sets": [
            {"level": 2, "axes": ["size"], "attributes": ["sku", "size"]},
            {"level": 1, "axes": ["color"], "attributes": ["picture"]},
        ],
    }
    client, server = answering(
        pim,
        listing([{"code": "print", "locales": ["en_US"]}], f"http://wrong:9{API}/channels?page=2&limit=100"),
        listing([{"code": "web", "locales": ["fr_FR", "en_US"]}]),
        listing([{"code": "en_US", "enabled": True}]),
        says(200, {"code": "shoes", "attributes": ["sku", "picture"]}),
        says(200, variant),
        listing([{"code": "master", "parent": None, "labels": {}}]),
        says(200, {"code": "master", "parent": None, "values": {"banner|x": {"data": {}}}}),
        says(200, {"version": "7.0.100", "edition": "CE"}),
    )
    assert client.channels() == [Channel("print", ("en_US",)), Channel("web", ("fr_FR", "en_US"))]
    assert client.locales() == [Locale("en_US", True)]
    assert client.family("shoes") == Family("shoes", ("sku", "picture"))
    found = client.family_variant("shoes", "by_size")
    assert isinstance(found, FamilyVariant)
    assert [found.level(a) for a in ("name", "picture", "color", "size")] == [0, 1, 1, 2]
    assert client.categories(["master"]) == [Category("master", None, {})]
    category = client.category("master")
    assert category is not None
    assert "banner|x" in category.values
    assert client.system_information() == SystemInformation("7.0.100", "CE")
    assert server.requests[1].target == f"{API}/channels?page=2&limit=100"


def test_routes_are_asked_for_without_a_token(pim: Pim) -> None:
    routes = {
        "pim_api_media_file_create": {"route": f"{API}/media-files", "methods": ["POST"]},
        "x": {"route": f"{API}/products-uuid/", "methods": ["get", "patch"]},
    }
    client, server = answering(
        pim, says(200, {"host": "x", "routes": routes}), page(503, "down"), page(404, "no")
    )
    found = client.routes()
    assert found.has("pim_api_media_file_create")
    assert found.has("/media-files")
    assert not found.has("/media-files", "GET")
    assert not found.has("/asset-media-files")
    assert found.has("/products-uuid", "PATCH")
    assert server.logins == []
    assert "authorization" not in server.requests[0].headers
    with pytest.raises(Trouble):
        client.routes()
    with pytest.raises(Refusal):
        client.routes()


# Media files.


def item(number: int) -> dict[str, Any]:
    return {
        "code": f"a/b/{number}",
        "original_filename": "ü.jpg",
        "mime_type": "image/jpeg",
        "size": 775,
        "extension": "jpg",
    }


def test_media_files(pim: Pim) -> None:
    client, server = answering(
        pim,
        says(200, item(1)),
        listing([item(1), item(2)], f"http://x{API}/media-files?page=2&limit=100&with_count=false"),
        listing([item(3)], f"http://x{API}/media-files?page=3"),
        listing([], f"http://x{API}/media-files?page=4"),
    )
    assert client.media_file("a/b c/ä") == MediaFile("a/b/1", "ü.jpg", "image/jpeg", 775, "jpg")
    assert server.requests[0].target == f"{API}/media-files/a/b%20c/%C3%A4"
    pages = client.list_media_files()
    assert [f.code for f in next(pages)] == ["a/b/1", "a/b/2"]
    assert len(server.requests) == 2, "a page is asked for when it is needed"
    assert [[f.code for f in each] for each in pages] == [["a/b/3"]]


def test_pages_that_lead_in_circles_end(pim: Pim) -> None:
    client, server = pim(lambda r: listing([item(1)], f"http://x{API}/media-files?page=2"))
    assert len(list(client.list_media_files())) == 2
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("download_media_file", f"/media-files/{CODE}/download"),
        ("download_category_media", f"/category-media-files/{CODE}/download"),
        ("download_asset_media", f"/asset-media-files/{CODE}"),
        ("download_record_media", f"/reference-entities-media-files/{CODE}"),
    ],
)
def test_downloads(pim: Pim, method: str, path: str) -> None:
    content = bytes(range(256)) * 4000
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(p), p) for p in (content[:9], content[9:])) + b"0\r\n\r\n"
    chunked = Reply(raw=b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks)
    client, server = answering(
        pim, chunked, Reply(200, content), refuses(404, f'Media file "{CODE}" does not exist.')
    )
    for _ in range(2):
        into = io.BytesIO()
        told: list[int] = []
        found = getattr(client, method)(CODE, into, told.append)
        assert into.getvalue() == content
        assert (found.size, found.sha256) == (len(content), hashlib.sha256(content).hexdigest())
        assert sum(told) == len(content)
    assert server.connections == 1
    with pytest.raises(Refusal) as caught:
        getattr(client, method)(CODE, io.BytesIO())
    assert caught.value.failure.kind is Kind.TARGET_UNKNOWN
    assert [r.target for r in server.requests] == [API + path] * 3


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nff\r\nworl",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\nhello",
    ],
)
def test_a_download_that_breaks_off_is_no_file(pim: Pim, raw: bytes) -> None:
    client, _ = answering(pim, Reply(raw=raw, close=True))
    with pytest.raises(Trouble) as caught:
        client.download_media_file(CODE, io.BytesIO())
    assert caught.value.failure.kind is Kind.CONNECTION
    assert not caught.value.maybe_done


def test_a_full_disk_is_no_fault_of_the_network(pim: Pim) -> None:
    class Full(io.BytesIO):
        def write(self, data: Any, /) -> int:
            raise OSError(28, "No space left on device")

    client, server = pim(lambda r: Reply(200, b"x" * 1_000_000))
    with pytest.raises(OSError, match="No space left"):
        client.download_media_file(CODE, Full())
    assert b"".join(client.stream_media_file(CODE)) == b"x" * 1_000_000
    assert len(server.requests) == 2


# Garbage.


def refused_by(call: Any) -> Failure | None:
    try:
        call()
    except Refusal as refusal:
        return refusal.failure
    return None


@pytest.mark.parametrize(
    "garbage",
    [
        b"",
        b"<html>Welcome, please log in</html>",
        b"[]",
        b"null",
        b"5",
        b'"text"',
        b"{}",
        b'{"code": 5.5, "identifier": null, "uuid": [], "size": "x"}',
        b'{"code": "x", "type": {}, "values": 3, "identifier": "x", "routes": 3, "size": true}',
        b'{"code": "x", "values": {"a": 3}, "identifier": "x", "type": "t", "allowed_extensions": [1]}',
        b'{"_embedded": {"items": 3}, "routes": {"x": 3}, "code": "c", "attributes": "x"}',
        b'{"_embedded": {"items": [3]}, "_links": 5, "routes": {"x": {"route": 1}}}',
        b"\xff\xfe\x00",
        b"[" * 100_000,
    ],
)
def test_garbage_is_a_clear_error_everywhere(pim: Pim, garbage: bytes) -> None:
    client, _ = pim(lambda r: Reply(200, garbage))
    calls: list[Any] = [
        lambda: client.get_product("x"),
        lambda: client.get_product_model("x"),
        lambda: client.search_products(["x"]),
        lambda: client.attributes(["x"]),
        lambda: client.attribute("x"),
        client.channels,
        lambda: client.family("x"),
        lambda: client.family_variant("x", "y"),
        lambda: client.media_file("x"),
        lambda: list(client.list_media_files()),
        client.routes,
        client.system_information,
        lambda: client.asset_attributes("x"),
        lambda: client.get_asset("x", "y"),
        lambda: client.patch_assets("x", [{"code": "a"}]),
        lambda: client.reference_entity("x"),
    ]
    refusals = 0
    for failure in map(refused_by, calls):
        if failure:
            refusals += 1
            assert "no PIM" in failure.message
            assert failure.hint
    assert refusals >= 9


def test_an_answer_cut_short_is_trouble(pim: Pim) -> None:
    client, _ = pim(lambda r: Reply(raw=b'HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{"code', close=True))
    with pytest.raises(Trouble) as caught:
        client.get_product("x")
    assert not caught.value.maybe_done


def test_an_endless_answer_is_cut(pim: Pim, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("akeneo_media_cli.pim.transport.LARGEST", 100_000)
    client, _ = pim(lambda r: Reply(200, b" " * 5_000_000))
    with pytest.raises(Trouble):
        client.get_product("x")


def test_odd_products() -> None:
    assert Product.read({"uuid": "u", "identifier": 123, "values": {}, "metadata": None}).identifier == "123"
    with pytest.raises(Garbled):
        Product.read({"values": {}})
    assert Routes.read({"routes": []}).names == frozenset()


# Paths.


@given(st.text(min_size=1))
def test_a_segment_stays_one(code: str) -> None:
    encoded = segment(code)
    assert encoded.isascii()
    assert not set(encoded) & set("/?#. ") or encoded not in (".", "..")
    assert "/" not in encoded


def test_dots_are_no_way_up() -> None:
    assert segment("..") == "%2E%2E"
    assert media_path("../../products/x") == "%2E%2E/%2E%2E/products/x"
    assert media_path("a/b.c/d_e.jpg") == "a/b.c/d_e.jpg"


def test_the_client_says_what_it_counted(pim: Pim) -> None:
    client, _ = answering(pim, Reply(429), says(200, product()))
    assert isinstance(client, PimClient)
    with pytest.raises(Trouble):
        client.get_product("x")
    client.get_product("x")
    counts = client.counts
    assert (counts.requests, counts.logins, counts.throttled) == (3, 1, 1)
