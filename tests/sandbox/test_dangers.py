"""The PIM's dangers happen to a careless client, and the statistics see them
(docs/pim-behaviour.md, "Lost values", "Swapped bytes" and "When the answer is lost")."""

from __future__ import annotations

import hashlib
import json
from functools import partial

import pytest
import requests

from akeneo_media_cli.sandbox import Need, SandboxOptions, default_catalogue, invent, start_sandbox

from .client import FORM, JPG, Client, at_once, refusal, wait_for

SLOW = 0.4
"""Seconds of a save that two calls surely fall into together."""


def test_two_values_at_once_of_one_product_lose_one_though_both_answer_201() -> None:
    with start_sandbox(options=SandboxOptions(save_time=SLOW)) as sandbox, Client(sandbox) as client:
        statuses = at_once(
            [
                lambda: client.upload("shoe_1", "picture", "one.jpg"),
                lambda: client.upload("shoe_1", "picture_2", "two.jpg", JPG + b"2"),
            ]
        )
        assert statuses == [201, 201]
        values = client.get("/products/shoe_1").json()["values"]
        assert len({"picture", "picture_2"} & set(values)) == 1
        stats = sandbox.stats()
    assert stats["lost_values"] == 1
    assert stats["most_in_flight_per_entity"] == 2
    assert stats["orphans"] == 1
    assert stats["lost"][0]["entity"] == "product:shoe_1"


def test_a_patch_and_an_upload_of_one_product_lose_one() -> None:
    with start_sandbox(options=SandboxOptions(save_time=SLOW)) as sandbox, Client(sandbox) as client:
        name = {"values": {"name": [{"locale": None, "scope": None, "data": "Shoe"}]}}
        statuses = at_once([lambda: client.upload("shoe_1"), lambda: client.patch("/products/shoe_1", name)])
        assert sorted(statuses) == [201, 204]
        assert len({"picture", "name"} & set(client.get("/products/shoe_1").json()["values"])) == 1
        assert sandbox.stats()["lost_values"] == 1


def test_the_same_value_twice_at_once_is_no_lost_update() -> None:
    """The later writer meant to replace it."""
    with start_sandbox(options=SandboxOptions(save_time=SLOW)) as sandbox, Client(sandbox) as client:
        calls = [partial(client.upload, "shoe_1", name=f"{n}.jpg", data=JPG + bytes([n])) for n in range(2)]
        assert at_once(calls) == [201, 201]
        assert sandbox.stats()["lost_values"] == 0


def test_different_products_and_one_tree_at_once_lose_nothing() -> None:
    with start_sandbox(options=SandboxOptions(save_time=SLOW)) as sandbox, Client(sandbox) as client:
        calls = [partial(client.upload, f"shoe_{n}", name=f"{n}.jpg") for n in range(1, 5)]
        calls.append(partial(client.upload, "shoe_model", name="m.jpg", kind="product_model"))
        calls += [
            partial(client.upload, f"shoe_variant_{s}", "picture_scoped", f"{s}.jpg", scope="mobile")
            for s in "sm"
        ]
        assert at_once(calls) == [201] * 7
        stats = sandbox.stats()
        assert (stats["lost_values"], stats["orphans"], stats["values"]) == (0, 0, 7)
        assert stats["most_in_flight_per_entity"] == 1


def test_one_after_the_other_loses_nothing() -> None:
    with start_sandbox() as sandbox, Client(sandbox) as client:
        for attribute in ("picture", "picture_2", "manual"):
            name = "a.pdf" if attribute == "manual" else "a.jpg"
            data = b"%PDF-1.4" if attribute == "manual" else JPG
            assert client.upload("shoe_1", attribute, name, data).status_code == 201
        assert set(client.get("/products/shoe_1").json()["values"]) >= {"picture", "picture_2", "manual"}
        assert sandbox.stats()["lost_values"] == 0


def test_same_names_in_one_step_of_the_clock_swap_their_bytes() -> None:
    """One of the two answers 500; what the other holds are the first one's bytes
    (docs/pim-behaviour.md, "Swapped bytes")."""
    options = SandboxOptions(code_clock_step=3600.0, clock=lambda: 1_000_000_000.0)
    with start_sandbox(options=options) as sandbox, Client(sandbox) as client:
        assert client.upload("shoe_1", name="front.jpg", data=JPG + b"first").status_code == 201
        assert refusal(client.upload("shoe_2", name="front.jpg", data=JPG + b"second")) == (
            500,
            "Internal Server Error",
        )
        (value,) = sandbox.values()
        assert value["identifier"] == "shoe_1"
        assert value["sha256"] == hashlib.sha256(JPG + b"second").hexdigest()
        stats = sandbox.stats()
    assert (stats["collisions"], stats["swapped"]) == (1, 1)


def test_other_names_in_the_same_step_are_safe() -> None:
    options = SandboxOptions(code_clock_step=3600.0, clock=lambda: 1_000_000_000.0)
    with start_sandbox(options=options) as sandbox, Client(sandbox) as client:
        assert client.upload("shoe_1", name="front.jpg").status_code == 201
        assert client.upload("shoe_2", name="back.jpg").status_code == 201
        assert sandbox.stats()["swapped"] == 0


def test_names_in_flight_together_are_counted() -> None:
    with start_sandbox(options=SandboxOptions(save_time=SLOW)) as sandbox, Client(sandbox) as client:
        at_once([partial(client.upload, f"shoe_{n}", name="front.jpg") for n in range(1, 4)])
        stats = sandbox.stats()
    assert (stats["most_in_flight_per_name"], stats["most_in_flight_name"]) == (3, "front.jpg")
    assert (stats["most_in_flight"], stats["in_flight"]) == (3, 0)


def test_a_crowded_tree_answers_500_after_the_commit_and_a_lonely_one_does_not() -> None:
    options = SandboxOptions(save_time=SLOW, deadlock=1.0)
    with start_sandbox(options=options) as sandbox, Client(sandbox) as client:
        calls = [
            partial(client.upload, f"shoe_variant_{s}", "picture_scoped", f"{s}.jpg", scope="mobile")
            for s in "sm"
        ]
        assert at_once(calls) == [500, 500]
        assert len(sandbox.values()) == 2, "the values were saved before the deadlock"
        assert client.upload("shoe_model", kind="product_model").status_code == 201
        assert at_once([partial(client.upload, f"shoe_{n}", name=f"{n}.jpg") for n in (1, 2)]) == [201] * 2


def test_the_pim_goes_on_saving_when_its_client_hangs_up() -> None:
    with start_sandbox(options=SandboxOptions(save_time=SLOW)) as sandbox, Client(sandbox) as client:
        with pytest.raises(requests.exceptions.ReadTimeout):
            client.upload("shoe_1", timeout=(5, 0.1))
        with Client(sandbox) as other:
            assert other.upload("shoe_1", "picture_2", "b.jpg").status_code == 201
        stats = sandbox.stats()
        assert stats["most_in_flight_per_entity"] == 2, "the ghost still holds the product"
        assert stats["ghosts"] == 1
        assert stats["lost_values"] == 1, "and the second upload cost a value"


def test_a_body_that_is_cut_short_is_dropped_whole() -> None:
    with start_sandbox() as sandbox, Client(sandbox) as client:
        place = json.dumps({"identifier": "shoe_1", "attribute": "picture", "locale": None, "scope": None})
        body = (
            f'--b\r\nContent-Disposition: form-data; name="product"\r\n\r\n{place}\r\n'
            '--b\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n'
        ).encode() + JPG * 10_000
        with client.raw("POST", "/media-files", f"Content-Length: {len(body) + 1000}", FORM) as raw:
            raw.sendall(body)
        wait_for(lambda: sandbox.stats()["calls"].get("POST /media-files") == {"gone": 1})
        stats = sandbox.stats()
    assert (stats["values"], stats["files_on_disk"], stats["rows"]) == (0, 0, 0)


def test_search_lags_behind_what_a_single_read_knows() -> None:
    with start_sandbox(options=SandboxOptions(search_lag=3600)) as sandbox, Client(sandbox) as client:
        found = client.get("/products", search='{"identifier":[{"operator":"IN","value":["shoe_1"]}]}')
        assert found.json()["_embedded"]["items"] == []
        assert client.get("/products/shoe_1").status_code == 200
        client.admin("POST", "/faults", {"search_lag": 0})
        found = client.get("/products", search='{"identifier":[{"operator":"IN","value":["shoe_1"]}]}')
        assert len(found.json()["_embedded"]["items"]) == 1


def test_identical_uploads_are_duplicates_and_leave_orphans() -> None:
    with start_sandbox() as sandbox, Client(sandbox) as client:
        for _ in range(3):
            assert client.upload("shoe_1").status_code == 201
        assert client.upload("shoe_1", data=JPG + b"new").status_code == 201
        assert client.upload("shoe_2").status_code == 201
        stats = sandbox.stats()
    assert (stats["duplicates"], stats["orphans"], stats["media_files"], stats["values"]) == (2, 3, 5, 2)


def test_sharing_a_code_is_no_duplicate() -> None:
    with start_sandbox() as sandbox, Client(sandbox) as client:
        code = client.upload("shoe_1").headers["Location"].split("/media-files/")[1]
        value = {"values": {"picture": [{"locale": None, "scope": None, "data": code}]}}
        for _ in range(2):
            assert client.patch("/products/shoe_2", value).status_code == 204
        stats = sandbox.stats()
    assert (stats["duplicates"], stats["orphans"], stats["media_files"], stats["values"]) == (0, 0, 1, 2)


def test_assets_lose_values_to_simultaneous_patches_too() -> None:
    needs = [Need("asset", "a1", "photos", attribute, extension="jpg") for attribute in ("front", "back")]
    options = SandboxOptions(save_time=SLOW)
    with start_sandbox(invent(needs), options=options) as sandbox, Client(sandbox) as client:
        code = client.send("/asset-media-files", {}, "a.jpg").headers["Asset-media-file-code"]

        def attach(attribute: str) -> requests.Response:
            values = {attribute: [{"locale": None, "channel": None, "data": code}]}
            return client.patch("/asset-families/photos/assets/a1", {"values": values})

        assert at_once([lambda: attach("front"), lambda: attach("back")]) == [204, 204]
        assert sandbox.stats()["lost_values"] == 1


def test_a_user_who_does_not_own_products_only_makes_drafts() -> None:
    """201, and the product as it was (docs/pim-behaviour.md, "Rights")."""
    connections = {"main": "all", "contributor": {"drafts": True}}
    with start_sandbox({**default_catalogue(), "edition": "ee", "connections": connections}) as sandbox:
        with Client(sandbox, sandbox.connections["contributor"]) as client:
            assert client.upload("shoe_1").status_code == 201
            product = client.get("/products/shoe_1").json()
            assert "picture" not in product["values"]
            assert product["metadata"] == {"workflow_status": "draft_in_progress"}
            assert client.upload("shoe_model", kind="product_model").status_code == 201
        assert [value["code"] for value in sandbox.values()] == ["shoe_model"]
