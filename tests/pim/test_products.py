"""Products and models: what is asked on the wire, and what becomes of the answers."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from akeneo_media_cli.errors import Kind
from akeneo_media_cli.pim.answers.types import (
    ProductModel,
)
from akeneo_media_cli.pim.api.calls import batches, query
from akeneo_media_cli.pim.errors import Refusal

from .conftest import (
    API,
    CODE,
    Pim,
    answering,
    asked,
    listing,
    product,
)
from .server import page, refuses, says


def test_a_product(pim: Pim) -> None:
    data = product(identifier="shoe 44/ä%", metadata={"workflow_status": "draft_in_progress"})
    client, server = answering(pim, says(200, data))
    found = client.get_product("shoe 44/ä%")
    assert found is not None
    assert (found.identifier, found.family, found.parent) == ("shoe 44/ä%", "shoes", None)
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
