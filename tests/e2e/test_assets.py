"""Assets as people use them: values beside the file, links to products and models, order kept."""

from __future__ import annotations

from typing import Any

import pytest

from akeneo_media_cli.cli.session.rehearsal import connection_to
from akeneo_media_cli.pim.client import PimClient

from .conftest import Bench, Bencher, catalogue, jpeg
from .many import running, wait_for
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


@pytest.mark.long
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
            "replaced": None,
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


def test_what_cannot_be_is_told_before_a_byte_goes_up(bench: Bencher) -> None:
    b = bench(shop())
    file = b.file("a.jpg", jpeg(1))
    header = (
        "asset_family,asset,attribute,file,link_product,link_product_model,link_attribute,link_locale,"
        "value.alt,value.tags,value.nothing,value.position,value.label-de_DE"
    )
    rows = {
        "target_unknown": ",p-999,,gallery,,,,,,",
        "attribute_not_collection": ",p-1,,name,,,,,,",
        "attribute_wrong_level": ",,m-1,details,,,,,,",
        "locale_required": ",p-1,,local_gallery,,,,,,",
        "locale_unexpected": ",p-1,,gallery,en_US,,,,,",
        "attribute_unknown": ",,,,,,,x,,",
        "scope_required": ",,,,,Alt,,,,",
        "value_invalid": ",,,,,,old,,,",
        "locale_unknown": ",,,,,,,,,Schuh",
        "row_malformed": ",p-1,m-1,gallery,,,,,,",
    }
    lines = [f"photos,a_{n},media,{file}{cells}" for n, cells in enumerate(rows.values())]
    more = [f"photos,b_1,media,{file},p-1,,papers,,,,,,", f"photos,b_2,media,{file},,,,,,,,seven,"]
    done = b.upload(b.manifest([header, *lines, *more]))
    assert done.status == 1
    kinds = done.kinds()
    assert {kind: kinds.get(n) for n, kind in enumerate(rows, 2)} == {kind: kind for kind in rows}
    assert [kinds[12], kinds[13]] == ["attribute_not_collection", "value_invalid"]
    assert done.statuses() == {"total": 12, "invalid": 12}
    assert [call for call in log(b) if call["method"] == "POST" and "oauth" not in call["path"]] == []


@pytest.mark.long
def test_first_and_replace_and_what_verify_says(bench: Bencher) -> None:
    b = bench(shop(assets=[{"asset_family": "photos", "code": f"old_{n}"} for n in range(3)]))
    header = "asset_family,asset,attribute,file,value.alt-en_US-mobile,link_product,link_attribute"
    with pim(b) as client:

        def put(codes: list[str]) -> None:
            value = {"gallery": [{"locale": None, "scope": None, "data": codes}]}
            client.patch_products([{"identifier": "p-1", "values": value}])

        def held() -> tuple[str, ...]:
            product = client.get_product("p-1")
            assert product is not None
            return product.codes("gallery")

        put(["old_0", "old_1"])
        lines = [f"photos,n_{n},media,{b.file(f'{n}.jpg', jpeg(n))},Alt {n},p-1,gallery" for n in range(2)]
        manifest = b.manifest([header, *lines])
        planned = b.upload(manifest, "--dry-run")
        assert planned.statuses() == {"total": 2, "planned": 2}
        assert planned.item(2)["link"]["change"] == "new"
        assert held() == ("old_0", "old_1")
        assert b.upload(manifest, "--link-first").status == 0
        assert held() == ("n_0", "n_1", "old_0", "old_1")
        assert b.run("verify", manifest).report["summary"]["held"] == 2

        put(["old_2", "n_1"])
        client.patch_assets(
            "photos",
            [{"code": "n_1", "values": {"alt": [{"locale": "en_US", "channel": "mobile", "data": "?"}]}}],
        )
        verified = b.run("verify", manifest)
        assert verified.kinds() == {2: "value_missing", 3: "value_differs"}

        replaced = b.upload(manifest, "--link-replace")
        assert replaced.statuses() == {"total": 2, "uploaded": 2}
        assert replaced.item(3)["values"][0]["before"] == "?"
        assert held() == ("n_0", "n_1")
        assert b.upload(manifest, "--link-replace").statuses() == {"total": 2, "unchanged": 2}
        assert b.upload(manifest, "--link-replace", "--link-first").status == 2
        assert replaced.item(2)["link"]["replaced"] == ["old_2", "n_1"]
        undone = b.run("runs", "undo", replaced.report["run"], "--yes")
        assert (undone.status, held()) == (0, ("old_2", "n_1"))


@pytest.mark.long
def test_a_folder_becomes_assets_and_goes_from_one_pim_to_another(bench: Bencher) -> None:
    b, other = bench(shop()), bench(shop())
    for n in (1, 2):
        for side in ("front", "side"):
            b.file(f"photos/p-{n}/{side}.jpg", jpeg(f"{n}{side}"))
    done = b.run(
        "scan",
        "photos",
        "--pattern",
        "{product}/{side}.{ext}",
        "--assets",
        "photos",
        *("--set", "attribute=media", "--set", "link_attribute=gallery"),
        *("--set", "value.label-en_US={side} of {link_product}", "-o", "scan.csv"),
        report=False,
    )
    assert done.status == 0, done.err
    assert b.upload("scan.csv").statuses() == {"total": 4, "uploaded": 4}
    more = ["asset_family,asset,value.tags,value.position", "photos,p_1_1,new;front,7"]
    assert b.upload(b.manifest(more, "more.csv")).statuses() == {"total": 1, "uploaded": 1}
    assert b.run("export", "--assets", "photos", "-o", "all.csv", report=False).status == 0
    assert b.run("download", "all.csv").status == 0

    connection = {name: value for name, value in other.environ.items() if name.startswith("AKENEO_")}
    sent = b.upload("all.csv", env=connection)
    assert sent.status == 0, sent.err
    with pim(b) as here, pim(other) as there:
        for code in ("p_1_1", "p_1_2", "p_2_1", "p_2_2"):
            one, two = here.get_asset("photos", code), there.get_asset("photos", code)
            assert one is not None
            assert two is not None
            plain = {key: data for key, data in one.values.items() if key[0] != "media"}
            assert plain == {key: data for key, data in two.values.items() if key[0] != "media"}
            assert plain
        for code in ("p-1", "p-2"):
            one_, two_ = here.get_product(code), there.get_product(code)
            assert one_ is not None
            assert two_ is not None
            assert one_.codes("gallery") == two_.codes("gallery") != ()
    digests = [{v["sha256"] for v in each.sandbox.values()} for each in (b, other)]
    assert digests[0] == digests[1]
    again = b.upload("all.csv", env=connection)
    assert again.statuses()["unchanged"] == again.statuses()["total"]


@pytest.mark.long
@pytest.mark.parametrize("moment", ["/asset-families/{family}/assets", "/products"])
def test_a_killed_run_is_completed_by_the_next(bench: Bencher, moment: str) -> None:
    b = bench(shop(), save_time=0.1)
    manifest = b.manifest(forty(b))
    with running(b, "upload", manifest) as process:
        wait_for(lambda: any(c["method"] == "PATCH" and c["endpoint"] == moment for c in log(b)), process)
    last = b.upload(manifest)
    assert last.status == 0, last.err
    with pim(b) as client:
        products = client.search_products([f"p-{n}" for n in range(1, 16)])
        assert {p.identifier: p.codes("gallery") for p in products} == {
            f"p-{n + 1}": (f"a_{n}", f"a_{n + 15}") for n in range(15)
        }
        model = client.get_product_model("m-1")
        assert model is not None
        assert model.codes("looks") == tuple(f"a_{n}" for n in range(39, 29, -1))
        assets = client.search_assets("photos", [f"a_{n}" for n in range(40)])
        assert len([a for a in assets if a.values["label", "en_US", None]]) == 40
    assert b.upload(manifest).statuses() == {"total": 40, "unchanged": 40}
    assert b.sandbox.stats()["lost_values"] == 0


@pytest.mark.long
def test_undo_and_remove_take_back_what_was_added_and_nothing_else(bench: Bencher) -> None:
    b = bench(shop(assets=[{"asset_family": "photos", "code": code} for code in ("old", "theirs")]))
    header = "asset_family,asset,attribute,file,value.alt-en_US-mobile,link_product,link_attribute"
    with pim(b) as client:

        def held() -> tuple[str, ...]:
            product = client.get_product("p-1")
            assert product is not None
            return product.codes("gallery")

        def alt(code: str) -> object:
            asset = client.get_asset("photos", code)
            assert asset is not None
            return asset.values.get(("alt", "en_US", "mobile"))

        gallery = {"gallery": [{"locale": None, "scope": None, "data": ["old"]}]}
        client.patch_products([{"identifier": "p-1", "values": gallery}])
        before = {"alt": [{"locale": "en_US", "channel": "mobile", "data": "Before"}]}
        client.patch_assets("photos", [{"code": "old", "values": before}])
        lines = [f"photos,n_{n},media,{b.file(f'{n}.jpg', jpeg(n))},Alt {n},p-1,gallery" for n in range(2)]
        manifest = b.manifest([header, *lines, "photos,old,,,After,,"])
        assert b.upload(manifest).statuses() == {"total": 3, "uploaded": 3}
        assert held() == ("old", "n_0", "n_1")
        # Somebody puts another asset there: it is not the run's to take out.
        gallery["gallery"][0]["data"] = ["old", "n_0", "theirs", "n_1"]
        client.patch_products([{"identifier": "p-1", "values": gallery}])

        assert b.run("runs", "undo", "last", "--dry-run").status == 0
        assert held() == ("old", "n_0", "theirs", "n_1")
        undone = b.run("runs", "undo", "last", "--yes")
        assert undone.report["summary"]["restored"] == 3, undone.err
        assert held() == ("old", "theirs")
        assert (alt("n_0"), alt("n_1"), alt("old")) == (None, None, "Before")
        assert not b.sandbox.values()
        assert undone.item(2)["link"]["change"] == "removed"

        assert b.upload(manifest).statuses() == {"total": 3, "uploaded": 3}
        assert held() == ("old", "theirs", "n_0", "n_1")
        removed = b.run("remove", manifest, "--yes")
        assert removed.report["summary"]["removed"] == 3, removed.err
        assert held() == ("old", "theirs")
        assert (alt("n_0"), alt("old")) == (None, None)
        assert not b.sandbox.values()
        again = b.run("remove", manifest, "--yes")
        assert again.report["summary"]["unchanged"] == 3


@pytest.mark.slow
def test_a_thousand_assets_of_five_hundred_products_take_thirty_writes(bench: Bencher) -> None:
    body = shop()
    body["products"] += [{"identifier": f"q-{n}", "family": "shoes"} for n in range(500)]
    b = bench(body)
    header = "asset_family,asset,attribute,file,value.label-en_US,link_product,link_attribute"
    lines = [
        f"photos,c_{n},media,{b.file(f'{n}.jpg', jpeg(n))},Label {n},q-{n % 500},gallery" for n in range(1000)
    ]
    done = b.upload(b.manifest([header, *lines]))
    assert done.statuses() == {"total": 1000, "uploaded": 1000}
    uploads = [call for call in log(b) if call["endpoint"] == "/asset-media-files"]
    assert len(uploads) == 1000
    assert len(writes(b)) <= 30
    with pim(b) as client:
        product = client.get_product("q-7")
        assert product is not None
        assert product.codes("gallery") == ("c_7", "c_507")


def test_rows_of_values_and_links_alone_are_tried_again(bench: Bencher) -> None:
    b = bench(shop(assets=[{"asset_family": "photos", "code": code} for code in ("old", "theirs")]))
    header = "asset_family,asset,value.position,link_product,link_attribute"
    lines = ["photos,old,,p-1,gallery", "photos,late,,p-1,gallery", "photos,old,7,new,gallery"]
    with pim(b) as client:
        value = {"gallery": [{"locale": None, "scope": None, "data": ["theirs"]}]}
        client.patch_products([{"identifier": "p-1", "values": value}])
        done = b.upload(b.manifest([header, *lines]), "--link-replace")
        assert done.statuses() == {"total": 3, "invalid": 1, "failed": 1, "pending": 1}
        assert done.kinds() == {2: "not_attached", 3: "target_unknown", 4: "target_unknown"}
        client.patch_assets("photos", [{"code": "late", "values": {}}])
        client.patch_products([{"identifier": "new", "family": "shoes"}])
        (b.folder / "manifest.csv").unlink()
        again = b.run("runs", "retry", "last")
        assert (again.status, again.statuses()) == (0, {"total": 3, "uploaded": 3})
        found = [client.get_product(code) for code in ("p-1", "new")]
        assert [product and product.codes("gallery") for product in found] == [("old", "late"), ("old",)]
        asset = client.get_asset("photos", "old")
        assert asset is not None
        assert asset.values["position", None, None] == "7"
