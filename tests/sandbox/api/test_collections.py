"""Assets, records, categories and the old PAM (docs/pim-behaviour.md, "Assets and reference entities")."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from akeneo_media_cli.sandbox import CatalogueError, RunningSandbox, SandboxOptions, start_sandbox

from ..client import JPG, PNG, Client, refusal

CATALOGUE: dict[str, Any] = {
    "edition": "ee",
    "connections": {"main": "all", "readonly": {"edit_assets": False}},
    "channels": [
        {"code": "web", "locales": ["en_US", "fr_FR"]},
        {"code": "print", "locales": ["en_US"]},
    ],
    "locales": [{"code": "en_US"}, {"code": "fr_FR"}, {"code": "de_DE", "enabled": False}],
    "categories": [{"code": "winter", "parent": None, "labels": {}}],
    "category_attributes": [{"code": "image", "value_per_locale": True}],
    "asset_families": [
        {
            "code": "photos",
            "attribute_as_main_media": "media",
            "attributes": [
                {"code": "media", "allowed_extensions": ["jpg", "png"], "max_file_size": "0.01"},
                {"code": "both", "value_per_locale": True, "value_per_channel": True},
                {"code": "label", "type": "text"},
                {"code": "ref", "type": "text"},
            ],
            "naming_convention": {
                "source": {"property": "code", "channel": None, "locale": None},
                "pattern": "/^(?P<ref>[a-z]+)_\\d+$/",
                "abort_asset_creation_on_error": True,
            },
        },
        {
            "code": "mild",
            "attribute_as_main_media": "media",
            "attributes": [{"code": "media"}, {"code": "ref", "type": "text"}],
            "naming_convention": {
                "source": {"property": "media", "channel": None, "locale": None},
                "pattern": "/^(?P<ref>\\w+)\\.jpg$/",
                "abort_asset_creation_on_error": False,
            },
        },
    ],
    "assets": [{"asset_family": "photos", "code": "a_1"}],
    "reference_entities": [{"code": "brands", "attributes": [{"code": "logo"}]}],
    "records": [{"reference_entity": "brands", "code": "acme"}],
    "pam_assets": [{"code": "old", "localizable": False}, {"code": "manual", "localizable": True}],
}


@pytest.fixture(scope="module")
def ee() -> Iterator[RunningSandbox]:
    with start_sandbox(CATALOGUE, options=SandboxOptions(save_time=0.0)) as sandbox:
        yield sandbox


@pytest.fixture
def client(ee: RunningSandbox) -> Iterator[Client]:
    with Client(ee) as client:
        yield client


def value(data: object, locale: str | None = None, channel: str | None = None) -> list[dict[str, object]]:
    return [{"locale": locale, "channel": channel, "data": data}]


def asset_code(client: Client, name: str = "a.jpg", data: bytes = JPG) -> str:
    answer = client.send("/asset-media-files", {}, name, data)
    assert (answer.status_code, answer.content) == (201, b"")
    code = answer.headers["Asset-media-file-code"]
    assert answer.headers["Location"].endswith(f"/asset-media-files/{code}")
    return code


ASSETS = "/asset-families/photos/assets"


def test_an_asset_gets_its_file_in_two_calls(client: Client) -> None:
    code = asset_code(client)
    answer = client.patch(ASSETS, [{"code": "a_1", "values": {"media": value(code)}}])
    assert (answer.status_code, answer.json()) == (200, [{"code": "a_1", "status_code": 204}])
    shown = client.get(f"{ASSETS}/A_1").json()["values"]["media"]
    assert shown[0].pop("linked_data")["original_filename"] == "a.jpg"
    href = f"{client.sandbox.url}/api/rest/v1/asset-media-files/{code}"
    assert shown == [{**value(code)[0], "_links": {"download": {"href": href}}}]
    assert client.get(f"/asset-media-files/{code}").content == JPG
    assert refusal(client.get(f"/media-files/{code}"))[0] == 404, "another storage"
    assert refusal(client.get("/asset-media-files/a/b/no.jpg"))[0] == 404
    (found,) = [v for v in client.sandbox.values() if v["code"] == "a_1"]
    assert (found["type"], found["parent"], found["attribute"]) == ("asset", "photos", "media")


def test_a_batch_of_assets_answers_each(client: Client) -> None:
    code, big, pdf = asset_code(client), asset_code(client, "b.jpg", JPG * 1000), asset_code(client, "c.pdf")
    rules = "The asset has data that does not comply with the business rules."
    shape = "The asset has an invalid format."

    def messages(item: dict[str, Any]) -> list[str]:
        return [error["message"] for error in item["errors"]]

    answers = client.patch(
        ASSETS,
        [
            {"code": "new_2", "values": {"media": value(code), "both": value(code, "fr_FR", "web")}},
            {"code": "bad_1", "values": {"media": value("no/such.jpg")}},
            {"code": "bad_2", "values": {"media": value(pdf)}},
            {"code": "bad_3", "values": {"media": value(big)}},
            {"code": "bad_4", "values": {"media": value(code, "en_US", "web")}},
            {"code": "bad_5", "values": {"both": value(code)}},
            {"code": "bad_6", "values": {"both": value(code, "fr_FR", "print")}},
            {"code": "bad_7", "values": {"both": value(code, "de_DE", "nope")}},
            {"code": "bad_8", "values": {"nope": value(code)}},
            {"code": "bad 9", "values": {}},
            {"code": "bad_10", "values": {"media": [{"locale": None, "scope": None, "data": code}]}},
            {"code": "bad_11", "values": {"media": code}},
            {"code": "bad_12", "values": 5},
            {"code": 5},
            {},
        ],
    ).json()
    assert answers[0] == {"code": "new_2", "status_code": 201}
    assert {item["status_code"] for item in answers[1:]} == {422}
    assert [item["message"] for item in answers[1:]] == [rules] * 9 + [shape] * 5
    assert messages(answers[1]) == ['The file "no/such.jpg" was not found.']
    assert messages(answers[2]) == [
        '".pdf" files are not allowed for this attribute. Allowed extensions are: jpg,png'
    ]
    assert messages(answers[3]) == ["The file exceeds the max file size set for the attribute."]
    assert len(messages(answers[4])) == len(messages(answers[5])) == len(messages(answers[7])) == 2
    assert messages(answers[6]) == ['The locale "fr_FR" is not activated for the channel "print".']
    assert messages(answers[8]) == ['Attribute "nope" does not exist for this asset.']
    assert client.get(f"{ASSETS}/new_2").json()["values"]["ref"] == value("new"), "drawn from its code"
    assert client.get(f"{ASSETS}/bad_1").status_code == 404


def test_a_naming_convention_that_aborts_refuses_the_batch_but_not_what_was_saved(client: Client) -> None:
    answer = client.patch(ASSETS, [{"code": "fine_7"}, {"code": "NotFine"}, {"code": "never_8"}])
    status, message = refusal(answer)
    assert status == 422
    assert message.startswith("Error during naming convention execution: ")
    assert client.get(f"{ASSETS}/fine_7").status_code == 200
    assert client.get(f"{ASSETS}/never_8").status_code == 404
    assert refusal(client.patch(f"{ASSETS}/NotFine", {}))[1] == message


def test_a_naming_convention_may_read_the_files_name_and_be_mild(client: Client) -> None:
    path = "/asset-families/mild/assets"
    good, odd = asset_code(client, "front.jpg"), asset_code(client, "back.png", PNG)
    body = [
        {"code": "one", "values": {"media": value(good)}},
        {"code": "two", "values": {"media": value(odd)}},
        {"code": "three"},
    ]
    assert [item["status_code"] for item in client.patch(path, body).json()] == [201] * 3
    assert client.get(f"{path}/one").json()["values"]["ref"] == value("front")
    assert "ref" not in client.get(f"{path}/two").json()["values"]


def test_batches_that_are_refused_whole(client: Client) -> None:
    assert refusal(client.patch(ASSETS, {})) == (400, "The list of assets has an invalid format.")
    many = [{"code": "a_1"}] * 101
    assert refusal(client.patch(ASSETS, many)) == (
        413,
        "Too many resources to process, 100 is the maximum allowed.",
    )
    missing = 'Asset family "PHOTOS" does not exist.'
    assert refusal(client.patch("/asset-families/PHOTOS/assets", [])) == (404, missing), "here case counts"
    collection = "application/vnd.akeneo.collection+json"
    answer = client.call("PATCH", ASSETS, data=b"[]", headers={"Content-Type": collection})
    assert answer.status_code == 415


def test_one_asset_alone(client: Client) -> None:
    code = asset_code(client)
    assert client.patch(f"{ASSETS}/solo_1", {"values": {"media": value(code)}}).status_code == 201
    assert client.patch(f"{ASSETS}/solo_1", {"code": "solo_1"}).status_code == 204
    assert refusal(client.patch(f"{ASSETS}/solo_1", {"values": {"media": value("x")}}))[0] == 422
    assert refusal(client.patch(f"{ASSETS}/solo_1", {"code": "other"}))[0] == 422
    assert refusal(client.get(f"{ASSETS}/nope")) == (
        404,
        'Asset "nope" does not exist for the asset family "photos".',
    )


def test_assets_are_listed_and_searched(client: Client) -> None:
    client.patch("/asset-families/mild/assets", [{"code": f"l{n:03}"} for n in range(100)])
    client.patch("/asset-families/mild/assets", [{"code": "l100"}])
    page = client.get("/asset-families/mild/assets").json()
    seen = [item["code"] for item in page["_embedded"]["items"]]
    assert len(seen) == 100
    seen += [item["code"] for item in client.get(page["_links"]["next"]["href"]).json()["_embedded"]["items"]]
    assert [code for code in seen if code.startswith("l")] == [f"l{n:03}" for n in range(101)]
    search = json.dumps({"code": [{"operator": "IN", "value": ["l001", "nope"]}]})
    found = client.get("/asset-families/mild/assets", search=search).json()["_embedded"]["items"]
    assert [item["code"] for item in found] == ["l001"]


def test_families_and_their_attributes(client: Client) -> None:
    family = client.get("/asset-families/photos").json()
    assert (family["code"], family["attribute_as_main_media"]) == ("photos", "media")
    assert [f["code"] for f in client.get("/asset-families").json()["_embedded"]["items"]] == [
        "mild",
        "photos",
    ]
    attributes = client.get("/asset-families/photos/attributes").json()
    assert attributes[0] == {
        "code": "media", "labels": {}, "type": "media_file", "media_type": "image", "value_per_locale": False,
        "value_per_channel": False, "is_required_for_completeness": False, "is_read_only": False,
        "max_file_size": "0.01", "allowed_extensions": ["jpg", "png"],
    }  # fmt: skip
    assert client.get("/asset-families/photos/attributes/both").json()["value_per_channel"] is True
    assert client.get("/asset-families/photos/attributes/nope").status_code == 404
    assert refusal(client.get("/asset-families/nope")) == (404, 'Asset family "nope" does not exist.')


def test_records_and_the_image_of_their_entity(client: Client) -> None:
    answer = client.send("/reference-entities-media-files", {}, "logo.png", PNG)
    code = answer.headers["Reference-entities-media-file-code"]
    records = "/reference-entities/brands/records"
    answer = client.patch(records, [{"code": "acme", "values": {"logo": value(code)}}, {"code": "new"}])
    assert [item["status_code"] for item in answer.json()] == [204, 201]
    assert client.get(f"{records}/acme").json()["values"]["logo"][0]["data"] == code
    assert client.get(f"/reference-entities-media-files/{code}").content == PNG
    assert client.get(f"/media-files/{code}").status_code == 200, "they share the products' storage"
    assert client.get("/reference-entities/brands/attributes").json()[0]["type"] == "image"
    brands = "/reference-entities/brands"
    assert client.get(brands).json()["image"] is None
    assert client.patch(brands, {"image": code, "labels": {"en_US": "Brands"}}).status_code == 204
    assert client.get(brands).json()["image"] == code
    assert refusal(client.patch(brands, {"image": "nope"}))[0] == 422
    assert refusal(client.patch(brands, []))[0] == 400
    assert client.patch(brands, {"image": None}).status_code == 204
    assert client.get(brands).json()["image"] is None


def test_a_user_who_may_not_edit_assets_is_refused(ee: RunningSandbox) -> None:
    with Client(ee, ee.connections["readonly"]) as reader:
        texts = {
            "/asset-media-files": "Access forbidden. You are not allowed to create or update assets.",
            "/reference-entities-media-files": (
                "Access forbidden. You are not allowed to create or update reference entity records."
            ),
        }
        for path, text in texts.items():
            assert refusal(reader.send(path, {}, "a.jpg")) == (403, text)


def test_what_a_file_for_an_asset_lacks(client: Client) -> None:
    answer = client.call("POST", "/asset-media-files", files={"x": (None, "y")})
    assert refusal(answer) == (422, 'Property "file" is required.')
    answer = client.send("/asset-media-files", {}, "a.j-g")
    assert refusal(answer) == (422, "File extension cannot contain special characters.")


def category(**changes: object) -> dict[str, str]:
    given = {"code": "winter", "attribute_code": "image", "channel": None, "locale": "en_US", **changes}
    return {"category": json.dumps(given)}


def test_a_category_gets_its_picture_in_one_call(client: Client) -> None:
    answer = client.send("/category-media-files", category(), "w.jpg")
    assert answer.status_code == 201
    assert client.get(answer.headers["Location"]).content == JPG
    code = answer.headers["Location"].partition("/category-media-files/")[2].removesuffix("/download")
    shown = client.get("/categories/winter", with_enriched_attributes="true").json()["values"]
    ((key, held),) = shown.items()
    assert key.startswith("image|")
    assert key.endswith("|en_US")
    assert (held["data"]["file_path"], held["locale"], held["channel"]) == (code, "en_US", None)
    assert "values" not in client.get("/categories/winter").json()
    assert client.get("/categories/nope").status_code == 404


@pytest.mark.parametrize(
    ("fields", "status", "message"),
    [
        ({}, 422, 'Property "category" is required.'),
        ({"category": "{"}, 400, "Invalid json message received"),
        (
            {"category": "{}"},
            422,
            'Category property must contain "code", "attribute_code", "channel" and "locale" properties.',
        ),
        (category(code="nope"), 422, 'Category "nope" does not exist.'),
        (category(locale=None), 422, "Validation failed."),
        (category(attribute_code="nope"), 422, "Validation failed."),
        ({"category[x]": "y"}, 500, "Internal Server Error"),
    ],
)
def test_a_categorys_picture_that_is_refused(
    client: Client, fields: dict[str, str], status: int, message: str
) -> None:
    assert refusal(client.send("/category-media-files", fields, "w.jpg")) == (status, message)


def test_the_old_pam(client: Client) -> None:
    answer = client.send("/assets/old/reference-files/no-locale", {}, "o.jpg")
    assert answer.status_code == 201
    assert answer.headers["Location"].endswith("/api/rest/v1/assets/old/reference-files/no-locale")
    assert client.get("/assets/old/reference-files/no-locale").json()["locale"] is None
    assert client.get("/assets/old/reference-files/no-locale/download").content == JPG
    answer = client.send("/assets/manual/variation-files/web/fr_FR", {}, "v.jpg", JPG + b"v")
    assert answer.status_code == 201
    assert client.get("/assets/manual/variation-files/web/fr_FR/download").content == JPG + b"v"
    shown = client.get("/assets/manual").json()
    assert (shown["localizable"], shown["reference_files"]) == (True, [])
    assert [(f["scope"], f["locale"]) for f in shown["variation_files"]] == [("web", "fr_FR")]
    paths = {route["route"] for route in client.get("").json()["routes"].values()}
    assert "/api/rest/v1/assets/{code}/reference-files/{locale}" in paths


@pytest.mark.parametrize(
    ("path", "status", "start"),
    [
        ("/assets/nope/reference-files/no-locale", 404, 'Asset "nope" does not exist.'),
        ("/assets/old/variation-files/nope/no-locale", 404, 'Channel "nope" does not exist.'),
        ("/assets/manual/reference-files/de_DE", 404, 'Locale "de_DE" does not exist or is not activated.'),
        ("/assets/manual/variation-files/print/fr_FR", 404, "You cannot have a variation file"),
        ("/assets/manual/reference-files/no-locale", 422, 'The asset "manual" is localizable'),
        ("/assets/old/reference-files/en_US", 422, 'The asset "old" is not localizable'),
    ],
)
def test_pam_files_that_are_refused(client: Client, path: str, status: int, start: str) -> None:
    found, message = refusal(client.send(path, {}, "o.jpg"))
    assert (found, message[: len(start)]) == (status, start)


def test_pam_files_that_are_not_there(client: Client) -> None:
    assert client.get("/assets/nope").status_code == 404
    assert client.get("/assets/old/variation-files/web/no-locale").status_code == 404


@pytest.mark.parametrize(
    "catalogue",
    [
        {"attributes": {}},
        {"attributes": [{"type": "pim_catalog_image"}]},
        {"products": ["x"]},
        {"product_models": [{"family": "x"}]},
        {"asset_families": [{}]},
        {"assets": [{"code": "x"}]},
        {"connections": []},
        {"limits": {"post_max_size": "big"}},
        [],
    ],
)
def test_a_catalogue_that_cannot_be_used(catalogue: Any) -> None:
    with pytest.raises(CatalogueError):
        start_sandbox(catalogue)
