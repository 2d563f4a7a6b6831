"""What a row's value held before is told in the report and kept in the ledger."""

from __future__ import annotations

import json

import pytest

from .conftest import Bencher, jpeg
from .test_places import COLUMNS, enterprise, row
from .test_uuid import U, mixed

ENTITIES = (
    "edition",
    "asset_families",
    "assets",
    "reference_entities",
    "records",
    "category_attributes",
)


@pytest.mark.long
def test_products_and_models_tell_what_is_new_and_what_is_replaced(bench: Bencher) -> None:
    b = bench()
    lines = ["product,product_model,attribute,file", "p-1,,picture,a.jpg", ",m-1,picture,b.jpg"]
    for name in ("a.jpg", "b.jpg"):
        b.file(name, jpeg(name))
    first = b.upload(b.manifest(lines))
    assert [(i["change"], i["before"]) for i in first.report["items"]] == [("new", None)] * 2
    old = {i["line"]: i["media_code"] for i in first.report["items"]}

    b.file("a.jpg", jpeg("another", 3000))
    lines.append("p-2,,picture,b.jpg")
    planned = b.upload(b.manifest(lines), "--dry-run")
    done = b.upload(b.manifest(lines))
    for each in (planned, done):
        assert each.item(2)["change"] == "replace"
        assert each.item(2)["before"] == {"media_code": old[2], "name": "a.jpg", "size": 2000}
        assert (each.item(3)["status"], each.item(3)["change"]) == ("unchanged", "none")
        assert (each.item(4)["change"], each.item(4)["before"]) == ("new", None)
    shown = b.run("runs", "show", "last", "--json", report=False)
    assert json.loads(shown.out)["items"][0]["before"] == done.item(2)["before"]


@pytest.mark.long
def test_places_of_every_kind_tell_what_they_held(bench: Bencher) -> None:
    b = bench(mixed(**{k: v for k, v in enterprise().items() if k in ENTITIES}))
    targets = [
        {"asset_family": "photos", "asset": "there", "attribute": "media"},
        {"reference_entity": "brand", "record": "acme", "attribute": "logo"},
        {"reference_entity": "brand", "attribute": "image"},
        {"category": "master", "attribute": "banner"},
    ]
    name = b.file("a.jpg", jpeg("a"))
    targets += [{"uuid": U.format(n), "attribute": "picture"} for n in (1, 11)]
    lines = [COLUMNS, *(row(name, **cells) for cells in targets)]
    first = b.upload(b.manifest(lines))
    assert first.status == 0, first.err
    assert {i["change"] for i in first.report["items"]} == {"new"}
    b.file("a.jpg", jpeg("b", 3000))
    second = b.upload("manifest.csv")
    assert second.status == 0, second.err
    for was, now in zip(first.report["items"], second.report["items"], strict=True):
        assert (now["status"], now["change"]) == ("uploaded", "replace")
        assert now["before"] == {"media_code": was["media_code"], "name": "a.jpg", "size": 2000}


def test_nobody_knows_what_a_value_held_that_was_not_asked_about(bench: Bencher) -> None:
    b = bench()
    done = b.upload(
        b.manifest(["product,attribute,file", f"p-1,picture,{b.file('a.jpg', jpeg(1))}"]), "--no-preflight"
    )
    assert done.status == 0, done.err
    assert (done.item(2)["change"], done.item(2)["before"]) == (None, None)
