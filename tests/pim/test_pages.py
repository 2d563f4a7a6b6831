"""Lists a page at a time: by cursor, and asked for again where one met trouble."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from akeneo_media_cli.errors import Kind
from akeneo_media_cli.pim.api.calls import LONGEST_PATH
from akeneo_media_cli.pim.errors import Refusal, Trouble

from .conftest import API, Pim, answering, listing
from .server import Reply, Request, refuses


def product(number: int) -> dict[str, Any]:
    return {
        "identifier": f"sku-{number}",
        "uuid": f"u-{number}",
        "family": "shoes",
        "parent": None,
        "values": {},
    }


def query_of(request: Request) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(request.target).query))


def model(number: int) -> dict[str, Any]:
    return {
        "code": f"m-{number}",
        "family": "shoes",
        "family_variant": "by_size",
        "parent": None,
        "values": {},
    }


@pytest.mark.parametrize(
    ("method", "path", "item", "field"),
    [
        ("product_page", "/products", product, "identifier"),
        ("product_page_by_uuid", "/products-uuid", product, "uuid"),
        ("product_model_page", "/product-models", model, "code"),
    ],
)
def test_a_walk_by_cursor(pim: Pim, method: str, path: str, item: Any, field: str) -> None:
    following = "pagination_type=search_after&limit=100&search_after=sku-2%2F%C3%A9&search=%7B%7D"
    client, server = answering(
        pim,
        listing([item(1), item(2)], f"http://elsewhere:81{API}{path}?{following}"),
        refuses(503, "down"),
        listing([item(3)]),
    )
    page = getattr(client, method)
    first, at = page(families=["shoes", "boots & co"], attributes=["picture", "shot"])
    assert [getattr(each, field) for each in first] == [item(n)[field] for n in (1, 2)]
    asked = server.requests[0]
    assert asked.path == API + path
    assert query_of(asked) == {
        "pagination_type": "search_after",
        "limit": "100",
        "search": json.dumps(
            {"family": [{"operator": "IN", "value": ["shoes", "boots & co"]}]}, separators=(",", ":")
        ),
        "attributes": "picture,shot",
    }
    with pytest.raises(Trouble):
        page(at)
    second, at = page(at)
    assert at == ""
    assert len(second) == 1
    assert server.requests[1].target == server.requests[2].target == f"{API}{path}?{following}"


def test_a_link_that_something_on_the_way_decoded_is_encoded_again(pim: Pim) -> None:
    client, server = answering(
        pim,
        listing([product(1)], f"http://pim{API}/products?search_after=sku 2/\u00e9&limit=100"),
        listing([product(3)]),
    )
    _, at = client.product_page()
    client.product_page(at)
    assert query_of(server.requests[-1]) == {"search_after": "sku 2/\u00e9", "limit": "100"}


def test_too_many_attributes_for_a_path_are_left_out(pim: Pim) -> None:
    client, server = answering(pim, listing([]))
    assert client.product_page(attributes=[f"attribute_{n}" for n in range(1000)]) == ([], "")
    assert len(server.requests[0].target) < LONGEST_PATH
    assert "attributes" not in query_of(server.requests[0])


def test_an_empty_page_is_the_last_whatever_it_links_to(pim: Pim) -> None:
    client, _ = answering(pim, listing([], f"http://x{API}/media-files?page=2"))
    assert client.media_file_page() == ([], "")


def test_a_page_that_links_to_itself_is_the_last(pim: Pim) -> None:
    client, server = pim(lambda r: listing([product(1)], f"http://x{r.target}"))
    assert client.product_page()[1] == ""
    assert len(server.requests) == 1


@pytest.mark.parametrize("body", [b"<html>", b'{"_embedded": 3}', b'{"_embedded": {"items": [{}]}}'])
def test_what_is_no_page_is_refused(pim: Pim, body: bytes) -> None:
    client, _ = answering(pim, Reply(200, body))
    with pytest.raises(Refusal) as caught:
        client.product_page()
    assert caught.value.failure.kind is Kind.REFUSED
