"""Values and links of assets, sent through faults and beside other writers."""

from __future__ import annotations

import io
import random as chance
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from akeneo_media_cli.errors import UsageError
from akeneo_media_cli.exits import Exit
from akeneo_media_cli.jobs.beside.export import AssetExport
from akeneo_media_cli.jobs.undo import changed
from akeneo_media_cli.ledger import HeldFile
from akeneo_media_cli.ledger.codec import to_item
from akeneo_media_cli.planning.linking import LinkMode
from akeneo_media_cli.planning.plan import planned_rows
from akeneo_media_cli.planning.unchanged import SkipPolicy
from akeneo_media_cli.progress.base import Silent
from akeneo_media_cli.sandbox import RunningSandbox, SandboxOptions, start_sandbox
from akeneo_media_cli.transfer.coordinator import Policy
from akeneo_media_cli.transfer.environment import Environment
from akeneo_media_cli.transfer.reads import ParallelReads

from ..e2e.test_assets import shop
from .desk import Desk

UUID = "00000000-0000-4000-8000-000000000001"
LINKED = "asset_family,asset,attribute,file,link_product,link_attribute"


def catalogue() -> dict[str, Any]:
    body = shop(assets=[{"asset_family": "photos", "code": code} for code in ("old", "theirs")])
    body["products"].append({"uuid": UUID, "family": "shoes"})
    link = {"reference_entity_code": "brands"}
    body["asset_families"].append(
        {
            "code": "videos",
            "attributes": [
                {"code": "link", "type": "media_link"},
                {"code": "shown", "type": "boolean"},
                {"code": "shot", "type": "date"},
                {"code": "brand", "type": "reference_entity_single_link", **link},
                {"code": "brands", "type": "reference_entity_multiple_links", **link},
            ],
        }
    )
    body["reference_entities"] = [
        {
            "code": "brands",
            "attributes": [
                {"code": "logo", "type": "image"},
                {"code": "story", "type": "text", "value_per_locale": True},
            ],
        }
    ]
    body["records"] = [{"reference_entity": "brands", "code": code} for code in ("acme", "other")]
    return body


@pytest.fixture(scope="module")
def pim() -> Iterator[RunningSandbox]:
    with start_sandbox(catalogue(), options=SandboxOptions(save_time=0, retry_after=0)) as sandbox:
        yield sandbox
        assert sandbox.stats()["defects"] == 0


@pytest.fixture
def desk(pim: RunningSandbox, tmp_path: Path) -> Iterator[Desk]:
    found = Desk(pim, tmp_path, sleep=lambda _: None)
    yield found
    found.order()
    found.close()


def held(desk: Desk, code: str, attribute: str = "gallery") -> tuple[str, ...]:
    product = desk.other.get_product(code)
    assert product is not None
    return product.codes(attribute)


def put(desk: Desk, code: str, *assets: str) -> None:
    values = {"gallery": [{"locale": None, "scope": None, "data": list(assets)}]}
    (line,) = desk.other.patch_products([{"identifier": code, "values": values}])
    assert line.failure is None


def values(desk: Desk, family: str, code: str) -> dict[str, Any]:
    asset = desk.other.get_asset(family, code)
    assert asset is not None
    return {"-".join(part for part in key if part): data for key, data in asset.values.items()}


def linked(desk: Desk, *rows: str) -> Any:
    return desk.manifest(LINKED, *rows)


@pytest.mark.slow
def test_values_and_links_arrive_through_faults(desk: Desk) -> None:
    rows = [f"photos,f_{n},media,{desk.file(n)},p-{n % 7 + 1},gallery" for n in range(30)]
    desk.order("429=0.1", "500=0.1", "503=0.1", "reset-late=0.1", "500-late=0.1")
    # The look-up of all rows takes six answers in a row, and each fails four times in ten: with the pauses of
    # a real run it may last longer than a test may.
    desk.random = lambda: chance.random() / 50
    done = desk.upload(linked(desk, *rows), retries=30)
    desk.order()
    assert done.status is Exit.OK, done.notes
    for n in range(7):
        assert held(desk, f"p-{n + 1}") == tuple(f"f_{m}" for m in range(30) if m % 7 == n)
    assert desk.upload(linked(desk, *rows)).statuses() == {"unchanged": 30}


def test_a_collection_that_another_writer_saved_over_is_set_once_more(desk: Desk) -> None:
    taken = 0

    def take_away(info: Any) -> None:
        nonlocal taken
        if info.method == "PATCH" and info.path.endswith("/products") and not taken:
            taken += 1
            put(desk, "p-8", "theirs")

    put(desk, "p-8", "old")
    desk.on_call = take_away
    done = desk.upload(linked(desk, f"photos,w_1,media,{desk.file('w')},p-8,gallery"))
    assert done.statuses() == {"uploaded": 1}
    assert taken
    assert held(desk, "p-8") == ("theirs", "w_1")


def test_a_collection_that_is_taken_away_each_time_is_told(desk: Desk) -> None:
    def take_away(info: Any) -> None:
        if info.method == "PATCH" and info.path.endswith("/products"):
            put(desk, "p-9", "theirs")

    desk.on_call = take_away
    done = desk.upload(linked(desk, f"photos,w_2,media,{desk.file('w2')},p-9,gallery"))
    assert done.kinds() == {2: "value_lost"}


def test_one_file_for_two_products_goes_up_once(desk: Desk) -> None:
    file = desk.file("two")
    rows = [f"photos,two,media,{file},{product},gallery" for product in ("p-10", "p-11")]
    with desk.counted() as calls:
        done = desk.upload(linked(desk, *rows, "photos,two,,,p-12,gallery"))
    assert done.statuses() == {"uploaded": 3}
    assert done.summary["read_back"] == 3
    assert calls["POST /asset-media-files"] == 1
    assert [held(desk, f"p-{n}") for n in (10, 11, 12)] == [("two",)] * 3
    with desk.counted() as calls:
        assert desk.upload(linked(desk, *rows)).statuses() == {"unchanged": 2}
    assert not [call for call in calls if not call.startswith("GET ")]


def test_a_family_without_files_takes_values_of_every_type(desk: Desk) -> None:
    header = "asset_family,asset,value.link,value.shown,value.shot,value.brand,value.brands"
    manifest = desk.manifest(header, "videos,v_1,a.mp4,yes,2026-11-29,acme,acme;other")
    assert desk.upload(manifest).statuses() == {"uploaded": 1}
    assert values(desk, "videos", "v_1") == {
        "link": "a.mp4",
        "shown": True,
        "shot": "2026-11-29",
        "brand": "acme",
        "brands": ["acme", "other"],
    }
    wrong = desk.manifest(header, "videos,v_2,,,,nobody,", "videos,v_3,,,,,acme;nobody")
    assert desk.upload(wrong).kinds() == {2: "value_invalid", 3: "value_invalid"}


def test_null_empties_a_value_and_an_empty_cell_leaves_it(desk: Desk) -> None:
    first = desk.manifest("asset_family,asset,value.link,value.shown", "videos,v_4,a.mp4,true")
    assert desk.upload(first).statuses() == {"uploaded": 1}
    emptied = desk.manifest(
        "- {asset_family: videos, asset: v_4, value.link: null, value.shown: ''}", name="m.yaml"
    )
    done = desk.upload(emptied)
    assert done.statuses() == {"uploaded": 1}
    assert values(desk, "videos", "v_4") == {"shown": True}
    said = done.row(1).beside
    assert said is not None
    assert [(value.change, value.before) for value in said.values] == [("empty", "a.mp4")]
    assert desk.upload(emptied).statuses() == {"unchanged": 1}


def test_records_take_values_too(desk: Desk) -> None:
    header = "reference_entity,record,attribute,file,value.story-en_US"
    manifest = desk.manifest(header, f"brands,made,logo,{desk.file('logo')},Since 1900")
    with desk.counted() as calls:
        assert desk.upload(manifest).statuses() == {"uploaded": 1}
    assert calls["PATCH /reference-entities/{family}/records"] == 1
    record = desk.other.get_record("brands", "made")
    assert record is not None
    assert record.values["story", "en_US", None] == "Since 1900"
    assert record.media_code("logo")


def test_rows_that_disagree_about_a_value_are_told(desk: Desk) -> None:
    manifest = desk.manifest("asset_family,asset,value.link", "videos,v_5,a.mp4", "videos,V_5,b.mp4")
    done = desk.upload(manifest)
    assert done.kinds() == {3: "conflicting_rows"}
    assert done.statuses() == {"uploaded": 1, "invalid": 1}


def test_rows_disagree_wherever_they_stand_in_the_manifest(desk: Desk) -> None:
    first = ["videos,d_x,yes,one.mp4,2026-11-29", "videos,d_y,no,,"]
    between = [f"videos,d_{n},,{n}.mp4," for n in range(110)]
    last = ["videos,D_X,true,,", "videos,d_y,yes,,", "videos,d_x,,one.mp4,2026-11-30", "videos,d_x,maybe,,"]
    manifest = desk.manifest("asset_family,asset,value.shown,value.link,value.shot", *first, *between, *last)
    wrong = {115: "conflicting_rows", 116: "conflicting_rows", 117: "value_invalid"}
    assert desk.upload(manifest, dry_run=True).kinds() == wrong
    done = desk.upload(manifest)
    assert done.kinds() == wrong
    assert done.statuses() == {"uploaded": 113, "invalid": 3}
    assert "manifest.csv:2 gives another value for shot of d_x" in str(done.row(116).failure)
    assert values(desk, "videos", "d_x") == {"shown": True, "link": "one.mp4", "shot": "2026-11-29"}
    assert values(desk, "videos", "d_y") == {"shown": False}


@pytest.mark.long
def test_rows_of_links_alone_outlast_a_pim_that_falters_once_anywhere(desk: Desk) -> None:
    rows = [f"photos,{code},,,p-19,gallery" for code in ("old", "theirs")]
    after, done = 0, 1
    while done > after:
        after, done = after + 1, 0

        def falter(_: Any, after: int = after) -> None:
            nonlocal done
            done += 1
            # The request after this one is refused, and no other.
            desk.order(*(["503=1"] if done == after else []))

        put(desk, "p-19")
        desk.on_call = falter
        ended = desk.upload(linked(desk, *rows))
        desk.on_call = None
        desk.order()
        assert ended.statuses() == {"uploaded": 2}, (after, ended.notes)
        assert held(desk, "p-19") == ("old", "theirs")
    assert after > 8


def test_an_asset_that_nothing_creates_is_not_linked(desk: Desk) -> None:
    done = desk.upload(linked(desk, "photos,nowhere,,,p-13,gallery", "photos,theirs,,,p-13,gallery"))
    assert done.kinds() == {2: "target_unknown"}
    assert held(desk, "p-13") == ("theirs",)


def test_a_product_by_uuid_holds_assets(desk: Desk) -> None:
    header = LINKED.replace("link_product", "link_product_uuid")
    manifest = desk.manifest(header, f"photos,u_1,media,{desk.file('uuid')},{UUID},gallery")
    assert desk.upload(manifest).statuses() == {"uploaded": 1}
    product = desk.other.get_product_by_uuid(UUID)
    assert product is not None
    assert product.codes("gallery") == ("u_1",)
    assert desk.upload(manifest).statuses() == {"unchanged": 1}


def test_a_collection_is_not_replaced_by_half_of_what_was_meant(desk: Desk) -> None:
    put(desk, "p-14", "old")
    rows = [f"photos,r_1,media,{desk.file('r1')},p-14,gallery", "photos,r_2,media,gone.jpg,p-14,gallery"]
    done = desk.upload(linked(desk, *rows), link=LinkMode.REPLACE)
    assert done.statuses() == {"invalid": 1, "pending": 1}
    assert held(desk, "p-14") == ("old",)
    assert done.status is Exit.ROWS_FAILED
    desk.file("gone")
    assert desk.upload(linked(desk, *rows), link=LinkMode.REPLACE).statuses() == {"uploaded": 2}
    assert held(desk, "p-14") == ("r_1", "r_2")


def test_a_replaced_collection_comes_back_as_it_was_and_the_undo_of_that_too(desk: Desk) -> None:
    put(desk, "p-20", "theirs", "old")
    rows = [f"photos,{code},media,{desk.file(code)},p-20,gallery" for code in ("old", "k_1", "k_2")]
    done = desk.upload(linked(desk, *rows), link=LinkMode.REPLACE)
    assert done.statuses() == {"uploaded": 3}
    assert held(desk, "p-20") == ("old", "k_1", "k_2")
    item = to_item(done.row(2))
    assert (item["link"]["change"], item["link"]["replaced"]) == ("none", ["theirs", "old"])
    assert [to_item(done.row(n))["link"]["replaced"] for n in (3, 4)] == [None, None]
    undone = desk.undo(done.run)
    assert undone.statuses() == {"restored": 3}
    assert held(desk, "p-20") == ("theirs", "old")
    again = desk.undo(undone.run)
    assert again.statuses() == {"restored": 3}
    assert held(desk, "p-20") == ("old", "k_1", "k_2")
    assert desk.undo(again.run).statuses() == {"restored": 3}
    assert held(desk, "p-20") == ("theirs", "old")


def test_a_replaced_collection_that_somebody_changed_is_left_alone(desk: Desk) -> None:
    put(desk, "p-21", "theirs", "old")
    row = linked(desk, f"photos,k_3,media,{desk.file('k3')},p-21,gallery")
    done = desk.upload(row, link=LinkMode.REPLACE)
    put(desk, "p-21", "k_3", "old")
    undone = desk.undo(done.run)
    assert undone.kinds() == {2: "changed_in_pim"}
    assert held(desk, "p-21") == ("k_3", "old")
    (failure,) = [planned.failure for planned in undone.rows]
    assert failure is not None
    assert ("k_3, old" in failure.message, "theirs, old" in failure.hint) == (True, True)
    assert not changed(undone.row(2))
    put(desk, "p-21", "theirs", "old")
    assert desk.undo(done.run).statuses() == {"restored": 1}, "the file: the collection is as it was"


def test_assets_that_are_taken_out_count_as_a_change_though_none_is_put_in(desk: Desk) -> None:
    put(desk, "p-22", "theirs", "old")
    done = desk.upload(linked(desk, "photos,old,,,p-22,gallery"), link=LinkMode.REPLACE)
    assert (done.statuses(), held(desk, "p-22")) == ({"uploaded": 1}, ("old",))
    assert desk.undo(done.run).statuses() == {"restored": 1}
    assert held(desk, "p-22") == ("theirs", "old")


def test_what_a_replaced_collection_held_is_known_though_no_answer_came(desk: Desk) -> None:
    put(desk, "p-23", "theirs", "old")
    desk.on_call = lambda info: desk.order(
        *(["reset-late=1x@/products"] if info.path.startswith("/api/rest/v1/products?") else [])
    )
    rows = linked(desk, "photos,old,,,p-23,gallery")
    done = desk.upload(rows, link=LinkMode.REPLACE, retries=0)
    desk.on_call = None
    desk.order()
    assert (done.statuses(), held(desk, "p-23")) == ({"pending": 1}, ("old",))
    assert desk.upload(rows, link=LinkMode.REPLACE).statuses() == {"unchanged": 1}
    assert desk.undo(done.run).statuses() == {"restored": 1}
    assert held(desk, "p-23") == ("theirs", "old")


def test_without_the_preflight_nothing_beside_a_file_is_sent(desk: Desk) -> None:
    done = desk.upload(
        linked(desk, f"photos,x_1,media,{desk.file('x1')},p-15,gallery"), preflight=False, share=False
    )
    assert done.kinds() == {2: "row_malformed"}


def test_the_ledger_alone_does_not_tell_whether_a_link_is_there(desk: Desk) -> None:
    manifest = linked(desk, f"photos,l_1,media,{desk.file('l1')},p-16,gallery")
    assert desk.upload(manifest).statuses() == {"uploaded": 1}
    put(desk, "p-16", "old")
    with desk.counted() as calls:
        done = desk.upload(manifest, skip=SkipPolicy("ledger"))
    assert done.statuses() == {"uploaded": 1}
    assert held(desk, "p-16") == ("old", "l_1")
    assert calls["POST /asset-media-files"] == 0


def test_a_strict_run_sends_nothing_beside_files_either(desk: Desk) -> None:
    rows = [
        f"photos,s_1,media,{desk.file('s1')},p-17,gallery",
        f"photos,s_2,media,{desk.file('s2')},p-none,gallery",
    ]
    done = desk.upload(linked(desk, *rows), strict=True)
    assert done.status is Exit.MANIFEST
    assert held(desk, "p-17") == ()
    assert desk.upload(linked(desk, rows[0]), strict=True).statuses() == {"uploaded": 1}
    assert held(desk, "p-17") == ("s_1",)


def test_an_export_has_every_asset_value_and_link_in_order(tmp_path: Path) -> None:
    body = catalogue()
    body["assets"] += [
        {"asset_family": "videos", "code": f"e_{n}", "values": {"link": [{"data": f"{n}.mp4"}]}}
        for n in range(130)
    ]
    with start_sandbox(body, options=SandboxOptions(save_time=0)) as sandbox:
        desk = Desk(sandbox, tmp_path, sleep=lambda _: None)
        put(desk, "p-3", "theirs", "old")
        look = {"looks": [{"locale": None, "scope": None, "data": ["old"]}]}
        desk.other.patch_product_models([{"code": "m-1", "values": look}])
        reads = ParallelReads(Policy(), Silent(), Environment())
        walk = AssetExport(["videos", "photos"], desk.other, reads)
        columns, found = walk.rows()
        rows = list(found)
        desk.close()
        with pytest.raises(UsageError, match="photo"):
            AssetExport(["photo"], desk.other, reads).rows()
    assert {"value.link", "value.alt-en_US-mobile", "value.label-fr_FR", "link_product"} <= set(columns)
    assert "value.alt-fr_FR-mobile" not in columns, "the channel has no such locale"
    videos = [row for row in rows if row.target and row.target.parent == "videos"]
    assert [row.extra for row in videos if row.target and row.target.code == "e_7"] == [
        {"value.link": "7.mp4"}
    ]
    assert len(videos) == 130
    links = [(row.target.code, row.extra) for row in rows if row.target and "link_attribute" in row.extra]
    # A variant shows what its model holds: that is no link of its own.
    assert links == [
        ("old", {"link_product_model": "m-1", "link_attribute": "looks"}),
        ("theirs", {"link_product": "p-3", "link_attribute": "gallery"}),
        ("old", {"link_product": "p-3", "link_attribute": "gallery"}),
    ]


@pytest.fixture
def lagging(desk: Desk) -> Iterator[Desk]:
    """The search does not list what was created in the last hour."""
    desk.sandbox.store.options.search_lag = 3600
    yield desk
    desk.sandbox.store.options.search_lag = 0


def test_an_asset_that_the_search_does_not_list_yet_is_no_new_one(lagging: Desk) -> None:
    desk = lagging
    header = "asset_family,asset,attribute,file,value.position"
    first = desk.manifest(header, f"photos,l_1,media,{desk.file('l1')},1")
    assert desk.upload(first).statuses() == {"uploaded": 1}
    before = values(desk, "photos", "l_1")
    with desk.counted() as calls:
        assert desk.upload(first).statuses() == {"unchanged": 1}, "and it is not sent again"
    assert calls["GET /asset-families/{family}/assets/{code}"] == 1
    second = desk.manifest(header, f"photos,L_1,media,{desk.file('l2')},2")
    done = desk.upload(second)
    (row,) = done.rows
    assert row.before == HeldFile(before["media"], "l1.jpg", 121)
    assert desk.undo(done.run).statuses() == {"restored": 1}
    assert values(desk, "photos", "l_1") == before


def test_values_of_a_record_that_the_search_does_not_list_yet_come_back(lagging: Desk) -> None:
    desk = lagging
    header = "reference_entity,record,value.story-en_US"
    for story in ("one", "two"):
        done = desk.upload(desk.manifest(header, f"brands,l_2,{story}"))
        assert done.statuses() == {"uploaded": 1}
    assert desk.undo(done.run).statuses() == {"restored": 1}
    record = desk.other.get_record("brands", "l_2")
    assert record is not None
    assert record.values == {("story", "en_US", None): "one"}


def test_an_asset_whose_creation_had_no_answer_is_asked_for(lagging: Desk) -> None:
    desk = lagging

    def lose(info: Any) -> None:
        desk.order(*(["reset-late=1x@/photos/assets"] if info.path.endswith("/l_3") else []))

    manifest = desk.manifest("asset_family,asset,value.position", "photos,l_3,1")
    desk.on_call = lose
    assert desk.upload(manifest, retries=0).statuses() == {"pending": 1}
    desk.on_call = None
    with desk.counted() as calls:
        assert desk.upload(manifest).statuses() == {"unchanged": 1}
    assert "PATCH /asset-families/{family}/assets" not in calls


def test_new_assets_cost_no_read_each(lagging: Desk) -> None:
    desk = lagging
    rows = [f"photos,n_{n},{n}" for n in range(120)]
    with desk.counted() as calls:
        desk.upload(desk.manifest("asset_family,asset,value.position", *rows), dry_run=True)
    assert calls["GET /asset-families/{family}/assets"] == 2
    assert "GET /asset-families/{family}/assets/{code}" not in calls


def test_what_failed_to_be_linked_can_be_undone(desk: Desk) -> None:
    def take_away(info: Any) -> None:
        if info.method == "PATCH" and info.path.endswith("/products"):
            put(desk, "p-18", "theirs")

    desk.on_call = take_away
    done = desk.upload(linked(desk, f"photos,z_1,media,{desk.file('z1')},p-18,gallery"))
    assert done.kinds() == {2: "value_lost"}
    assert changed(done.row(2))
    assert values(desk, "photos", "z_1")["media"]
    invalid = desk.upload(linked(desk, f"photos,z_2,media,{desk.file('z2')},p-none,gallery"))
    assert not changed(invalid.row(2))


def test_a_part_has_all_rows_of_a_product_that_assets_are_linked_to(desk: Desk) -> None:
    rows = [f"photos,h_{n},media,{desk.file(f'h{n}')},p-{n % 9 + 1},gallery" for n in range(27)]
    options = linked(desk, *rows, "photos,p-1,media,h0.jpg,,gallery")
    parts: dict[str, set[int]] = {}
    for part in (1, 2, 3):
        planned = planned_rows(replace(options, shard=(part, 3)), io.BytesIO(), lambda *_: None)
        for row in planned:
            if product := row.row.extra["link_product"]:
                parts.setdefault(product, set()).add(part)
    assert len(parts) == 9
    assert {len(found) for found in parts.values()} == {1}
    assert len(set.union(*parts.values())) > 1
