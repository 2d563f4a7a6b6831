"""A catalogue invented for a manifest takes all that the manifest sends."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from akeneo_media_cli.sandbox import Need, SandboxOptions, invent, start_sandbox
from akeneo_media_cli.sandbox.store.catalogue import Catalogue
from akeneo_media_cli.sandbox.store.things import Things

from .client import JPG, Client

NEEDS = [
    Need("product", "sku-1", "", "picture", None, None, "jpg"),
    Need("product", "SKU-1", "", "PICTURE", None, None, ".JPG"),
    Need("product", "sku-2", "", "notice", "fr_FR", None, "pdf"),
    Need("product", "sku-2", "", "notice", "de_DE", None, "jpg"),
    Need("product_model", "m-1", "", "banner", "en_GB", "print", "png"),
    Need("product_uuid", "11111111-1111-4111-8111-111111111111", "", "picture", None, None, "jpg"),
    Need("asset", "a-1", "photos", "media", None, "print", "tif"),
    Need("record", "acme", "brands", "logo", "fr_FR", None, "png"),
    Need("record", "", "brands", "image", None, None, "png"),
    Need("category", "winter", "", "image", "fr_FR", "print", "jpg"),
    Need("pam_asset", "old", "", "", None, None, "jpg"),
    Need("pam_asset", "manual", "", "", "de_DE", "print", "pdf"),
]


def test_everything_that_is_named_is_there_and_takes_its_files() -> None:
    with start_sandbox(invent(NEEDS)) as sandbox, Client(sandbox) as client:
        assert client.upload("sku-1").status_code == 201
        assert client.upload("sku-2", "notice", "a.pdf", locale="de_DE").status_code == 201
        assert client.upload("m-1", "banner", locale="en_GB", scope="print", kind="product_model").ok
        product = client.get("/products-uuid/11111111-1111-4111-8111-111111111111").json()
        assert client.upload(product["values"]["sku"][0]["data"]).status_code == 201
        code = client.send("/asset-media-files", {}, "a.tif").headers["Asset-media-file-code"]
        item = {"code": "a-1", "values": {"media": [{"locale": None, "channel": "print", "data": code}]}}
        assert client.patch("/asset-families/photos/assets", [item]).json()[0]["status_code"] == 204
        answer = client.send("/reference-entities-media-files", {}, "a.png")
        code = answer.headers["Reference-entities-media-file-code"]
        item = {"code": "acme", "values": {"logo": [{"locale": "fr_FR", "channel": None, "data": code}]}}
        assert client.patch("/reference-entities/brands/records", [item]).json()[0]["status_code"] == 204
        assert client.patch("/reference-entities/brands", {"image": code}).status_code == 204
        place = {"code": "winter", "attribute_code": "image", "channel": "print", "locale": "fr_FR"}
        assert client.send("/category-media-files", {"category": json.dumps(place)}, "a.jpg", JPG).ok
        assert client.send("/assets/old/reference-files/no-locale", {}, "a.jpg").ok
        assert client.send("/assets/manual/variation-files/print/de_DE", {}, "a.pdf").ok
        stats = sandbox.stats()
        types = {a["code"]: a["type"] for a in client.get("/attributes").json()["_embedded"]["items"]}
    assert (stats["products"], stats["product_models"], stats["values"]) == (3, 1, 10)
    assert types["picture"] == types["banner"] == "pim_catalog_image"
    assert types["notice"] == "pim_catalog_file", "one of its files is no picture"


def test_only_what_needs_them_gets_the_enterprise_routes() -> None:
    assert invent(NEEDS[:3])["edition"] == "ce"
    assert invent(NEEDS)["edition"] == "ee"
    assert invent([])["attributes"][0]["code"] == "sku"
    with (
        start_sandbox(invent(NEEDS[:3]), options=SandboxOptions(edition="ee")) as sandbox,
        Client(sandbox) as client,
    ):
        assert client.get("/asset-families").status_code == 200
        assert client.get("/system-information").json()["edition"] == "EE"


def test_an_attribute_used_both_ways_is_localizable() -> None:
    needs = [Need("product", "a", "", "p", locale) for locale in (None, "en_US")]
    (attribute,) = [a for a in invent(needs)["attributes"] if a["code"] == "p"]
    assert (attribute["localizable"], attribute["scopable"]) == (True, False)


words = st.text(min_size=1, max_size=12)
some = st.none() | words
kinds = st.sampled_from(
    ["product", "product_uuid", "product_model", "asset", "record", "category", "pam_asset"]
)


@given(st.lists(st.builds(Need, kinds, words, words, words, some, some, words), max_size=30))
def test_whatever_is_named_makes_a_catalogue(needs: list[Need]) -> None:
    source = json.loads(json.dumps(invent(needs)))
    catalogue = Catalogue(source)
    Things(catalogue, lambda: 1.0, lambda _: None)
    for need in needs:
        if need.kind.startswith("product"):
            assert catalogue.attribute(need.attribute) is not None
        if need.locale is not None:
            assert catalogue.locales.find(need.locale) is not None
        if need.scope is not None:
            assert catalogue.channels.find(need.scope) is not None
