"""Assets as people use them: values beside the file, links to products and models, order kept."""

from __future__ import annotations

from typing import Any

from akeneo_media_cli.cli.session.rehearsal import connection_to
from akeneo_media_cli.pim.client import PimClient

from .conftest import Bench, Bencher, catalogue, jpeg
from .test_share import log

HEADER = (
    "asset_family,asset,attribute,file,value.label-en_US,value.alt-en_US-ecommerce,value.alt-en_US-mobile,"
    "value.tags,link_product,link_product_model,link_attribute"
)


def shop(**more: Any) -> dict[str, Any]:
    """A PIM whose products hold assets of the family `photos` in `gallery`, its models in `looks`."""
    body = catalogue(products=30)
    collections = [
        {"code": code, "type": "pim_catalog_asset_collection", "reference_data_name": "photos"}
        for code in ("gallery", "looks", "details")
    ]
    body["attributes"] += [
        *collections,
        {"code": "papers", "type": "pim_catalog_asset_collection", "reference_data_name": "documents"},
        {
            "code": "local_gallery",
            "type": "pim_catalog_asset_collection",
            "reference_data_name": "photos",
            "localizable": True,
        },
    ]
    body["families"][0]["attributes"] += ["gallery", "looks", "details", "papers", "local_gallery"]
    body["family_variants"]["shoes"][0]["variant_attribute_sets"][0]["attributes"].append("details")
    body["edition"] = "ee"
    body["asset_families"] = [
        {
            "code": "photos",
            "attribute_as_main_media": "media",
            "attributes": [
                {"code": "media", "type": "media_file"},
                {"code": "label", "type": "text", "value_per_locale": True},
                {"code": "alt", "type": "text", "value_per_locale": True, "value_per_channel": True},
                {"code": "tags", "type": "multiple_options", "options": ["new", "sale", "front"]},
                {"code": "position", "type": "number"},
            ],
        },
        {"code": "documents", "attributes": [{"code": "media", "type": "media_file"}]},
    ]
    return {**body, **more}


def forty(b: Bench) -> list[str]:
    """40 rows: two assets for each of 15 products, and 10 for the model, the last first."""
    lines = [HEADER]
    for n in range(40):
        file = b.file(f"photo-{n}.jpg", jpeg(n))
        product = f"p-{n % 15 + 1}" if n < 30 else ""
        model = "m-1" if n >= 30 else ""
        code = f"a_{n}" if n < 30 else f"a_{69 - n}"
        attribute = "gallery" if product else "looks"
        lines.append(
            f"photos,{code},media,{file},Label {n},Shop {n},Phone {n},new;sale,{product},{model},{attribute}"
        )
    return lines


def pim(b: Bench) -> PimClient:
    return PimClient(connection_to(b.sandbox), timeout=10, pool=1)


def writes(b: Bench) -> list[str]:
    """The method and path of every call that changed something, uploads left out."""
    return [
        f"{call['method']} {call['path']}"
        for call in log(b)
        if call["method"] == "PATCH" or (call["method"] == "POST" and "media-files" not in call["path"])
        if "oauth" not in call["path"]
    ]


def test_forty_assets_get_values_and_links_in_their_order(bench: Bencher) -> None:
    b = bench(shop(assets=[{"asset_family": "photos", "code": "old"}]))
    with pim(b) as client:
        held = {"values": {"gallery": [{"locale": None, "scope": None, "data": ["old"]}]}}
        client.patch_products([{"identifier": "p-1", **held}])
        done = b.upload(b.manifest(forty(b)))
        assert done.status == 0, done.err
        assert done.statuses() == {"total": 40, "uploaded": 40}
        assert len(writes(b)) - 1 <= 6, writes(b)
        product = client.get_product("p-1")
        assert product is not None
        assert product.codes("gallery") == ("old", "a_0", "a_15")
        model = client.get_product_model("m-1")
        assert model is not None
        assert model.codes("looks") == tuple(f"a_{n}" for n in range(39, 29, -1))
        asset = client.get_asset("photos", "a_3")
        assert asset is not None
        assert asset.values["label", "en_US", None] == "Label 3"
        assert asset.values["alt", "en_US", "mobile"] == "Phone 3"
        assert asset.values["alt", "en_US", "ecommerce"] == "Shop 3"
        assert asset.values["tags", None, None] == ["new", "sale"]
        item = done.item(2)
        assert item["link"] == {
            "target": {"type": "product", "identifier": "p-1"},
            "attribute": "gallery",
            "locale": None,
            "scope": None,
            "change": "new",
        }
        assert item["values"][0] == {
            "attribute": "label",
            "locale": "en_US",
            "channel": None,
            "data": "Label 0",
            "before": None,
            "change": "new",
        }

        before = len(writes(b))
        again = b.upload("manifest.csv")
        assert again.statuses() == {"total": 40, "unchanged": 40}
        assert len(writes(b)) == before

        more = [HEADER, f"photos,a_40,media,{b.file('more.jpg', jpeg(40))},,,,,p-1,,gallery"]
        more.append("photos,a_3,,,New label,,,,p-2,,gallery")
        assert b.upload(b.manifest(more, "more.csv")).statuses() == {"total": 2, "uploaded": 2}
        product = client.get_product("p-1")
        assert product is not None
        assert product.codes("gallery") == ("old", "a_0", "a_15", "a_40")
        other = client.get_product("p-2")
        assert other is not None
        assert other.codes("gallery") == ("a_1", "a_16", "a_3")
        asset = client.get_asset("photos", "a_3")
        assert asset is not None
        assert asset.values["label", "en_US", None] == "New label"
        assert asset.values["tags", None, None] == ["new", "sale"]
    assert b.sandbox.stats()["defects"] == 0
