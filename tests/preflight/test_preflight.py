"""Batches of rows held against a PIM on a real socket: what is asked, how often, and what it means."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import pytest

from akeneo_media_cli.errors import AccessError, Failure, Kind
from akeneo_media_cli.ledger import UNKNOWN, PlannedRow
from akeneo_media_cli.pim.client import PimClient
from akeneo_media_cli.pim.connection import Connection
from akeneo_media_cli.pim.errors import Refusal, Trouble
from akeneo_media_cli.pim.http.multipart import FileBody, ValueRef
from akeneo_media_cli.pim.http.source import PathSource
from akeneo_media_cli.preflight.catalogue import Catalogue
from akeneo_media_cli.preflight.preflight import Preflight, ResolvedTarget
from akeneo_media_cli.rows import Row, Target, TargetType
from akeneo_media_cli.sandbox import RunningSandbox, SandboxOptions, parse_faults, start_sandbox
from akeneo_media_cli.secret import Secret

from ..e2e.conftest import catalogue
from ..pim.server import Reply, Request, Server, page, says

DEEP = {
    "family_variants": {
        "shoes": [
            {
                "code": "by_size",
                "variant_attribute_sets": [
                    {"level": 1, "axes": ["name"], "attributes": ["label"]},
                    {"level": 2, "axes": ["size"], "attributes": ["sku", "size", "shot"]},
                ],
            }
        ]
    },
    "product_models": [
        {"code": "m-1", "family": "shoes", "family_variant": "by_size"},
        {"code": "sub", "family": "shoes", "family_variant": "by_size", "parent": "m-1"},
    ],
    "products": [{"identifier": "v-1", "family": "shoes", "parent": "sub"}],
}


@dataclass
class Desk:
    """A PIM, a client of it, and what the user was told."""

    sandbox: RunningSandbox
    client: PimClient
    notes: list[tuple[str, str]] = field(default_factory=list)

    def preflight(self, **more: Any) -> Preflight:
        def note(message: str, hint: str) -> None:
            self.notes.append((message, hint))

        return Preflight(self.client, Catalogue(self.client, note), note, **more)

    def calls(self) -> dict[str, int]:
        return {c: sum(answers.values()) for c, answers in self.sandbox.stats()["calls"].items()}


@pytest.fixture
def desk() -> Iterator[Callable[..., Desk]]:
    with ExitStack() as stack:

        def make(source: dict[str, Any] | None = None, user: str = "main", **options: Any) -> Desk:
            sandbox = stack.enter_context(
                start_sandbox(source or catalogue(20), options=SandboxOptions(**options))
            )
            who = sandbox.connections[user]
            connection = Connection(
                sandbox.url, who.client_id, Secret(who.client_secret), who.username, Secret(who.password)
            )
            return Desk(sandbox, stack.enter_context(PimClient(connection)))

        yield make


def row(seq: int, code: str, attribute: str = "picture", name: str = "a.jpg", **more: Any) -> PlannedRow:
    kind = more.pop("kind", TargetType.PRODUCT)
    return PlannedRow(seq, Row("m.csv", seq, name, Target(kind, code), attribute, **more), name, name, 10, 1)


def resolved_targets(found: list[ResolvedTarget | Failure]) -> list[ResolvedTarget]:
    assert all(isinstance(each, ResolvedTarget) for each in found), found
    return [each for each in found if isinstance(each, ResolvedTarget)]


MODEL = TargetType.PRODUCT_MODEL


def test_a_hundred_products_take_one_search(desk: Callable[..., Desk]) -> None:
    d = desk(catalogue(100))
    found = d.preflight().look([row(n, f"p-{n}") for n in range(1, 101)])
    assert [a.target.code for a in resolved_targets(found)] == [f"p-{n}" for n in range(1, 101)]
    assert {a.before for a in resolved_targets(found)} == {None}
    calls = d.calls()
    assert calls.pop("GET /products") == 1
    assert calls.pop("GET /attributes") == 1
    # No row names a channel or a locale: nobody waits for their lists.
    assert "GET /channels" not in calls
    assert "GET /locales" not in calls
    assert all(count == 1 for count in calls.values())


def test_the_catalogue_is_asked_once_for_all_batches_and_threads(desk: Callable[..., Desk]) -> None:
    d = desk(latency=0.01)
    preflight = d.preflight()
    threads = [
        threading.Thread(
            target=preflight.look,
            args=([row(n, f"p-{n}", "label", locale="en_US"), row(n + 1, f"V-{n}", "shot")],),
        )
        for n in range(1, 9)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    calls = d.calls()
    assert calls["GET /channels"] == calls["GET /locales"] == 1
    # Two codes that may be asked for together or one after the other.
    assert calls["GET /attributes"] <= 2
    assert calls["GET /product-models"] == 1
    assert d.notes == []


def test_a_list_of_attributes_too_long_for_a_path_is_left_out(desk: Callable[..., Desk]) -> None:
    source = catalogue(5)
    codes = [f"picture_with_quite_a_long_code_{n:03}" for n in range(99)]
    source["attributes"] += [{"code": code, "type": "pim_catalog_image"} for code in codes]
    found = desk(source).preflight().look([row(n, "p-1", code) for n, code in enumerate(codes)])
    assert {a.before for a in resolved_targets(found)} == {None}


def test_what_search_has_not_heard_of_is_read_by_itself(desk: Callable[..., Desk]) -> None:
    d = desk(search_lag=3600.0)
    preflight = d.preflight()
    batch = [row(1, "p-1"), row(2, "m-1", kind=MODEL), row(3, "v-1", "shot"), row(4, "nobody"), row(5, "v-2")]
    found = preflight.look(batch)
    assert resolved_targets(found[:3])[2].tree == "m-1"
    assert [f.kind for f in found[3:] if isinstance(f, Failure)] == [
        Kind.TARGET_UNKNOWN,
        Kind.ATTRIBUTE_WRONG_LEVEL,
    ]


def test_every_level_of_a_tree_takes_its_own(desk: Callable[..., Desk]) -> None:
    d = desk({**catalogue(1), **DEEP})
    batch = [
        row(1, "m-1", "picture", kind=MODEL),
        row(2, "sub", "label", kind=MODEL, locale="en_US"),
        row(3, "v-1", "shot"),
        row(4, "m-1", "label", kind=MODEL, locale="en_US"),
        row(5, "m-1", "shot", kind=MODEL),
        row(6, "sub", "picture", kind=MODEL),
        row(7, "sub", "shot", kind=MODEL),
        row(8, "v-1", "picture"),
        row(9, "v-1", "label", locale="en_US"),
    ]
    found = d.preflight().look(batch)
    assert {a.tree for a in resolved_targets(found[:3])} == {"m-1"}
    hints = [f.hint for f in found[3:] if isinstance(f, Failure) and f.kind is Kind.ATTRIBUTE_WRONG_LEVEL]
    assert hints == [
        "Use the product models below it.",
        "Use the variants below it.",
        "Use the product model m-1.",
        "Use the variants below it.",
        "Use the product model m-1.",
        "Use the product model sub.",
    ]


def test_the_media_that_a_value_holds_comes_along(desk: Callable[..., Desk]) -> None:
    d = desk()
    code = put(d, "p-1", "manual", "fr_FR", "ecommerce")
    (resolved,) = resolved_targets(
        d.preflight().look([row(1, "P-1", "Manual", locale="FR_fr", scope="ECOMMERCE")])
    )
    assert (resolved.before, resolved.locale, resolved.scope, resolved.attribute) == (
        code,
        "fr_FR",
        "ecommerce",
        "manual",
    )
    assert [n for n in resolved.notes if "fr_FR" in n]
    assert [n for n in resolved.notes if "p-1" in n]


def put(d: Desk, product: str, attribute: str, locale: str | None = None, scope: str | None = None) -> str:
    """A file of ten bytes named a.jpg goes up; its media code."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(b"0123456789")
        file.flush()
        place = ValueRef("product", product, attribute, locale, scope)
        body = FileBody(PathSource(file.name), value=place, filename="a.jpg")
        return d.client.upload_product(body).code


# What users may not do.

USERS = {
    "main": {},
    "blind": {"list_attributes": False},
    "sightless": {"list_products": False},
    "noperm": "may not use the API",
}


def test_without_the_right_to_attributes_nothing_goes(desk: Callable[..., Desk]) -> None:
    d = desk(catalogue(3, connections=USERS), user="blind")
    preflight = d.preflight()
    for _ in range(2):
        found = preflight.look([row(1, "p-1"), row(2, "p-2")])
        assert {f.kind for f in found if isinstance(f, Failure)} == {Kind.ATTRIBUTE_UNREADABLE}
    assert len(d.notes) == 1
    assert d.calls()["GET /attributes"] == 1


def test_without_the_right_to_products_they_are_taken_as_written_and_said_once(
    desk: Callable[..., Desk],
) -> None:
    d = desk(catalogue(3, connections=USERS), user="sightless", latency=0.02)
    preflight = d.preflight()
    found: list[ResolvedTarget | Failure] = []
    threads = [
        threading.Thread(target=lambda: found.extend(preflight.look([row(1, "P-1")]))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [(a.target.code, a.before) for a in resolved_targets(found)] == [("P-1", UNKNOWN)] * 4
    assert [message for message, _ in d.notes] == [
        "the user may not read products: whether they exist is not checked"
    ]


def test_without_the_api_there_is_no_point(desk: Callable[..., Desk]) -> None:
    d = desk(catalogue(3, connections=USERS), user="noperm")
    with pytest.raises(AccessError) as caught:
        d.preflight().look([row(1, "p-1")])
    assert caught.value.kind is Kind.API_FORBIDDEN


def test_trouble_and_refusals_come_through(desk: Callable[..., Desk]) -> None:
    d = desk()
    preflight = d.preflight()
    faults = d.sandbox.store.options.faults.faults
    faults.extend(parse_faults(["503=1x@attributes"]).faults)
    with pytest.raises(Trouble):
        preflight.look([row(1, "p-1")])
    faults.extend(parse_faults(["403-html=1x@products"]).faults)
    with pytest.raises(Refusal):
        preflight.look([row(1, "p-1")])
    assert len(resolved_targets(preflight.look([row(1, "p-1")]))) == 1


def test_channels_that_may_not_be_read_are_said_once() -> None:
    """A PIM whose user may read attributes and products, but neither channels, locales nor families."""

    def handle(request: Request) -> Reply:
        what = request.path.split("/")[4]
        if what in ("channels", "locales", "families"):
            return says(
                403, {"code": 403, "message": f"Access forbidden. You are not allowed to list {what}."}
            )
        items = {
            "attributes": [{"code": "picture", "type": "pim_catalog_image", "scopable": True}],
            "products": [{"identifier": "p-1", "family": "shoes", "parent": "m-1", "values": {}}],
            "product-models": [
                {"code": "m-1", "family": "shoes", "family_variant": "by_size", "values": {}, "parent": None}
            ],
        }[what]
        return says(200, {"_embedded": {"items": items}, "_links": {}})

    notes: list[str] = []

    def note(message: str, hint: str) -> None:
        notes.append(message)

    with (
        Server(handle) as server,
        PimClient(Connection(server.url, "1", Secret("s"), "u", Secret("p"))) as client,
    ):
        preflight = Preflight(client, Catalogue(client, note), note)
        for _ in range(2):
            (resolved,) = resolved_targets(preflight.look([row(1, "p-1", scope="Anything")]))
            assert (resolved.scope, resolved.tree) == ("Anything", "m-1")
    assert sorted(notes) == [
        f"the user may not read {what}: rows are not checked against them"
        for what in ("channels", "families", "family variants", "locales")
    ]


def test_a_pim_that_hides_its_attributes_list_still_tells_the_unknown(desk: Callable[..., Desk]) -> None:
    def handle(request: Request) -> Reply:
        if request.path.endswith("/attributes"):
            wanted = "pim_catalog_image" in request.target
            return page(404, "?") if wanted else says(200, {"_embedded": {"items": []}, "_links": {}})
        if "/attributes/" in request.path:
            return says(404, {"code": 404, "message": "Attribute does not exist."})
        return says(200, {"_embedded": {"items": []}, "_links": {}})

    with (
        Server(handle) as server,
        PimClient(Connection(server.url, "1", Secret("s"), "u", Secret("p"))) as client,
    ):
        found = Preflight(client, Catalogue(client, print), print).look([row(1, "p-1", "pictrue")])
    assert isinstance(found[0], Failure)
    assert found[0].kind is Kind.ATTRIBUTE_UNKNOWN


# What need not be sent.


def test_enterprise_says_that_there_is_a_draft() -> None:
    def handle(request: Request) -> Reply:
        what = request.path.split("/")[4]
        items: list[dict[str, Any]] = []
        if what == "attributes":
            items = [{"code": "picture", "type": "pim_catalog_image"}]
        if what == "products":
            items = [
                {"identifier": "p-1", "values": {}, "metadata": {"workflow_status": "draft_in_progress"}}
            ]
        return says(200, {"_embedded": {"items": items}, "_links": {}})

    with (
        Server(handle) as server,
        PimClient(Connection(server.url, "1", Secret("s"), "u", Secret("p"))) as client,
    ):
        (resolved,) = resolved_targets(
            Preflight(client, Catalogue(client, print), print).look([row(1, "p-1")])
        )
    assert resolved.draft
