"""Assets, records, categories and the old PAM."""

from __future__ import annotations

from typing import Any

import pytest

from akeneo_media_cli.errors import Kind
from akeneo_media_cli.pim.answers.entity_types import AssetFamily, Entity, MediaAttribute
from akeneo_media_cli.pim.errors import Refusal, Trouble
from akeneo_media_cli.pim.http.multipart import ValueRef

from .conftest import (
    API,
    CODE,
    Pim,
    answering,
    asked,
    listing,
)
from .server import Reply, refuses, says


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
    with pytest.raises(Trouble):
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
    assert client.upload_category_media(body(ValueRef("category", "shoes", "banner"))).code == CODE
    made = client.upload_product_model(body(ValueRef("product_model", "m", "picture")))
    assert (made.code, made.location) == (CODE, f"/pim{API}/media-files/{CODE}")
    with pytest.raises(ValueError, match="product_model"):
        client.upload_product_model(body(ValueRef("product", "m", "picture")))
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
    with pytest.raises(Trouble) as trouble:
        client.upload_pam_variation("a", "print", body())
    assert trouble.value.failure.kind is Kind.NOT_CREATED
    with pytest.raises(Refusal) as caught:
        client.upload_pam_reference("a b", body())
    assert caught.value.failure.kind is Kind.TARGET_UNKNOWN
    assert [r.path for r in server.requests][:4] == [
        f"{API}/assets/a%20b/reference-files/no-locale",
        f"{API}/assets/a%20b/reference-files/no-locale",
        f"{API}/assets/a/variation-files/print/en_US",
        f"{API}/assets/a/variation-files/print/no-locale",
    ]


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
