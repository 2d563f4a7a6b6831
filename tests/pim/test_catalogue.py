"""Attributes, channels, families, routes, and the PIM's arithmetic."""

from __future__ import annotations

from typing import Any

import pytest

from akeneo_media_cli.pim.answers.entity_types import Category, plain_size_limit
from akeneo_media_cli.pim.answers.parse import Garbled
from akeneo_media_cli.pim.answers.types import (
    Attribute,
    Channel,
    Family,
    FamilyVariant,
    Locale,
    SystemInformation,
    size_limit,
)
from akeneo_media_cli.pim.errors import Trouble

from .conftest import (
    API,
    Pim,
    answering,
    asked,
    listing,
)
from .server import page, says


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


@pytest.mark.parametrize("limit_of", [size_limit, plain_size_limit])
@pytest.mark.parametrize(
    ("size", "limit"),
    [
        ("-1", None),
        ("-0.01", None),
        ("-1E+5000", None),
        ("1E+5000", None),
        ("1E+100000", None),
        ("9" * 5000, None),
        ("1E+12", None),
        ("999999999999", 999_999_999_999_000_000),
        ("1E-50000", 0),
        ("0", 0),
    ],
)
def test_a_size_beyond_sense_limits_no_file(limit_of: Any, size: str, limit: int | None) -> None:
    assert limit_of(size) == limit


@pytest.mark.parametrize("size", ["ten", "NaN", "Infinity", "1E+99999999999999999999", [], {}])
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
    with pytest.raises(Trouble):
        client.routes()
