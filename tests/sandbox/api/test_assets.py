"""Assets as people use them: values of every type, options, links from products, naming conventions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from akeneo_media_cli.sandbox import Need, default_catalogue, invent, start_sandbox

from ..client import JPG, Client, refusal, violations

ASSETS = "/asset-families/photos/assets"


def catalogue() -> dict[str, Any]:
    per = {"value_per_locale": True, "value_per_channel": True}
    body = default_catalogue()
    body["edition"] = "ee"
    body["attributes"].append(
        {"code": "gallery", "type": "pim_catalog_asset_collection", "reference_data_name": "photos"}
    )
    body["families"][0]["attributes"].append("gallery")
    link = {"reference_entity_code": "brands"}
    body["asset_families"] = [
        {
            "code": "photos",
            "attribute_as_main_media": "media",
            "naming_convention": {
                "source": {"property": "media", "channel": None, "locale": None},
                "pattern": "/^(?<ref>[a-z]+)-(?P<number>\\d+)/i",
                "abort_asset_creation_on_error": False,
            },
            "attributes": [
                {"code": "media", "allowed_extensions": ["jpg"]},
                {"code": "ref", "type": "text", "max_characters": 5},
                {"code": "alt", "type": "text", **per},
                {"code": "number", "type": "number", "min_value": "1", "max_value": "100"},
                {"code": "weight", "type": "number", "decimals_allowed": True},
                {"code": "color", "type": "single_option", "options": ["red", {"code": "blue"}]},
                {"code": "tags", "type": "multiple_options", "options": ["new", "old"]},
                {"code": "shown", "type": "boolean"},
                {"code": "shot", "type": "date"},
                {"code": "link", "type": "media_link", "prefix": "https://cdn.example/"},
                {"code": "brand", "type": "reference_entity_single_link", **link},
                {"code": "brands", "type": "reference_entity_multiple_links", **link},
            ],
        }
    ]
    body["assets"] = [{"asset_family": "photos", "code": f"a{n}"} for n in range(3)]
    body["reference_entities"] = [{"code": "brands", "attributes": []}]
    body["records"] = [{"reference_entity": "brands", "code": "acme"}]
    return body


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    with start_sandbox(catalogue()) as sandbox, Client(sandbox) as client:
        yield client
        assert sandbox.stats()["defects"] == 0


def value(data: object, locale: str | None = None, channel: str | None = None) -> list[dict[str, object]]:
    return [{"locale": locale, "channel": channel, "data": data}]


GOOD: dict[str, Any] = {
    "ref": value("front"), "alt": value("A shoe", "en_US", "mobile"), "number": value("7"),
    "weight": value("0.5"), "color": value("red"), "tags": value(["new", "old"]), "shown": value(False),
    "shot": value("2026-11-29"), "link": value("a.jpg"), "brand": value("acme"), "brands": value(["acme"]),
}  # fmt: skip


def test_an_asset_takes_values_of_every_type(client: Client) -> None:
    assert client.patch(f"{ASSETS}/every", {"values": GOOD}).status_code == 201
    assert client.get(f"{ASSETS}/every").json()["values"] == GOOD
    emptied = {name: [{**items[0], "data": None}] for name, items in GOOD.items()}
    assert client.patch(f"{ASSETS}/every", {"values": emptied}).status_code == 204
    assert client.get(f"{ASSETS}/every").json()["values"] == {}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"ref": value("too long")}, "This value is too long. It should have 5 characters or less."),
        ({"ref": value(5)}, "This value should be of type string, integer given."),
        ({"alt": value("x", "en_US")},
         'A channel is expected for attribute "alt" because it has a value per channel.'),
        ({"alt": value("x", "fr_FR", "mobile")},
         'The locale "fr_FR" is not activated for the channel "mobile".'),
        ({"number": value("x")}, '"x" is not a number.'),
        ({"number": value(7)}, "This value should be of type string, integer given."),
        ({"number": value("1.5")}, "This attribute does not take decimals."),
        ({"number": value("0")}, "This value should be 1 or more."),
        ({"number": value("101")}, "This value should be 100 or less."),
        ({"color": value("green")}, 'The option "green" does not exist for the attribute "color".'),
        ({"color": value(["red"])}, "This value should be the code of an option."),
        ({"tags": value("new")}, "This value should be a list of option codes."),
        ({"shown": value("true")}, "This value should be of type boolean, string given."),
        ({"shot": value("29.11.2026")}, "This value is not a valid date."),
        ({"brand": value("nope")}, 'The record "nope" was not found.'),
        ({"brands": value("acme")}, "This value should be a list of codes."),
        ({"nope": value("x")}, 'Attribute "nope" does not exist for this asset.'),
    ],
)  # fmt: skip
def test_values_that_are_refused(client: Client, values: dict[str, Any], message: str) -> None:
    answer = client.patch(f"{ASSETS}/refused", {"values": values})
    assert refusal(answer) == (422, "The asset has data that does not comply with the business rules.")
    assert [error["message"] for error in answer.json()["errors"]] == [message]


def test_attributes_and_their_options_are_read(client: Client) -> None:
    base = "/asset-families/photos/attributes"
    assert client.get(f"{base}/number").json()["decimals_allowed"] is False
    assert "options" not in client.get(f"{base}/color").json()
    assert client.get(f"{base}/color/options").json() == [{"code": c, "labels": {}} for c in ("red", "blue")]
    assert client.get(f"{base}/color/options/red").json() == {"code": "red", "labels": {}}
    assert client.get(f"{base}/color/options/green").status_code == 404
    assert client.get(f"{base}/ref/options").status_code == 404


def test_an_asset_tells_of_its_file_without_a_download(client: Client) -> None:
    code = client.send("/asset-media-files", {}, "Front-12.jpg").headers["Asset-media-file-code"]
    assert client.patch(f"{ASSETS}/told", {"values": {"media": value(code)}}).status_code == 201
    values = client.get(f"{ASSETS}/told").json()["values"]
    linked = values["media"][0]["linked_data"]
    assert (linked["size"], linked["original_filename"]) == (len(JPG), "Front-12.jpg")
    assert set(linked) == {"size", "mime_type", "extension", "original_filename", "updated_at"}
    named = (values["ref"][0]["data"], values["number"][0]["data"])
    assert named == ("Front", "12"), "drawn from the name of the file by the naming convention"
    with start_sandbox({**catalogue(), "linked_data": False}) as older, Client(older) as other:
        code = other.send("/asset-media-files", {}, "a.jpg").headers["Asset-media-file-code"]
        other.patch(f"{ASSETS}/told", {"values": {"media": value(code)}})
        assert "linked_data" not in other.get(f"{ASSETS}/told").json()["values"]["media"][0]


@pytest.mark.parametrize("path", ["/products/shoe_1", "/product-models/shoe_model"])
def test_a_collection_of_assets_is_replaced_whole(client: Client, path: str) -> None:
    def gallery(*codes: object) -> dict[str, Any]:
        return {"values": {"gallery": [{"locale": None, "scope": None, "data": list(codes)}]}}

    for codes in (["a2", "a0"], ["a0", "a1", "a2"]):
        assert client.patch(path, gallery(*codes)).status_code == 204
        assert client.get(path).json()["values"]["gallery"][0]["data"] == codes
    missing = 'The asset "nope" does not exist in the asset family "photos".'
    assert violations(client.patch(path, gallery("a0", "nope"))) == [missing]
    assert "expects an array of strings as data." in refusal(client.patch(path, gallery(5)))[1]
    search = '{"gallery":[{"operator":"IN","value":["a1"]}]}'
    assert client.get(path.rpartition("/")[0], search=search).json()["_embedded"]["items"]
    assert client.patch(path, gallery()).status_code == 204


def test_what_a_manifest_of_assets_names_is_invented() -> None:
    needs = [
        Need("asset", "front", "photos", "media", extension="jpg"),
        Need("asset", "front", "photos", "alt", locale="en_US", type="text"),
        Need("asset", "front", "photos", "color", type="single_option", options=("red",)),
        Need("product", "p", "photos", "gallery", type="pim_catalog_asset_collection"),
    ]
    with start_sandbox(invent(needs)) as sandbox, Client(sandbox) as client:
        values = {"alt": value("A shoe", "en_US"), "color": value("red")}
        assert client.patch(f"{ASSETS}/front", {"values": values}).status_code == 204
        link = {"values": {"gallery": [{"locale": None, "scope": None, "data": ["front"]}]}}
        assert client.patch("/products/p", link).status_code == 204
        assert client.get("/attributes/gallery").json()["reference_data_name"] == "photos"
        family = client.get("/asset-families/photos").json()
        assert family["attribute_as_main_media"] == "media"
