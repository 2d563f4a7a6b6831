"""Empty media values, found by the PIM's own filter: whose they are, and in which locales and channels."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from akeneo_media_cli.errors import AccessError, UsageError
from akeneo_media_cli.jobs.missing import Missing, MissingOptions
from akeneo_media_cli.pim.client import PimClient
from akeneo_media_cli.pim.connection import Connection
from akeneo_media_cli.progress.base import Silent
from akeneo_media_cli.sandbox import RunningSandbox, SandboxOptions, start_sandbox
from akeneo_media_cli.secret import Secret
from akeneo_media_cli.transfer.coordinator import Policy
from akeneo_media_cli.transfer.environment import Environment
from akeneo_media_cli.transfer.reads import ParallelReads

from ..e2e.conftest import catalogue
from ..pim.server import Reply, Request, Server, refuses, says
from .conftest import CONNECTIONS
from .desk import Desk, connection_to

UUID = "00000000-0000-4000-8000-000000000001"
Missed = dict[str, set[tuple[str, str | None, str | None]]]


@pytest.fixture(scope="module")
def pim(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSandbox]:
    """Two products, one without identifier, one without family; `p-1` has a picture and an English label."""
    known = catalogue(2, connections=CONNECTIONS)
    known["products"] = [
        product for product in known["products"] if product["identifier"] in ("p-1", "p-2", "v-1")
    ]
    known["products"].append({"uuid": UUID, "family": "shoes"})
    known["products"].append({"identifier": "bag", "family": None})
    known["categories"].append({"code": "sale", "parent": "master"})
    known["products"][1]["categories"] = ["sale"]
    with start_sandbox(known, options=SandboxOptions(save_time=0)) as sandbox:
        desk = Desk(sandbox, tmp_path_factory.mktemp("filled"))
        head = "product,attribute,locale,file"
        done = desk.upload(
            desk.manifest(head, f"p-1,picture,,{desk.file('a')}", f"p-1,label,en_US,{desk.file('b')}")
        )
        desk.close()
        assert done.statuses() == {"uploaded": 2}
        yield sandbox


def missing(pim: RunningSandbox, *attributes: str, user: str = "main", **options: Any) -> Missed:
    """The empty values by whose they are."""
    reads = ParallelReads(Policy(2, 0), Silent(), Environment())
    with PimClient(connection_to(pim, pim.connections[user])) as client:
        walk = Missing(client, reads, lambda *_: None, MissingOptions(attributes, **options))
        found: Missed = {}
        for row in walk.rows():
            assert row.target is not None
            found.setdefault(row.target.code, set()).add((row.attribute, row.locale, row.scope))
        assert walk.counted.total() == sum(map(len, found.values()))
        assert walk.summary().startswith("No value is empty.") is (not found)
    return found


PICTURE, SHOT = {("picture", None, None)}, {("shot", None, None)}


def test_a_value_is_missed_where_the_family_has_it_and_the_level_can_take_it(pim: RunningSandbox) -> None:
    assert missing(pim, "Picture") == {"p-2": PICTURE, UUID: PICTURE, "m-1": PICTURE}
    assert missing(pim, "shot") == {"p-1": SHOT, "p-2": SHOT, UUID: SHOT, "v-1": SHOT}
    assert missing(pim, "stray") == {}, "no family has it"


def test_locales_and_channels_are_those_of_the_attribute(pim: RunningSandbox) -> None:
    english, french = ("label", "en_US", None), ("label", "fr_FR", None)
    found = missing(pim, "label")
    assert (found["p-1"], found["p-2"]) == ({french}, {english, french})
    assert missing(pim, "french")["p-2"] == {("french", "fr_FR", None)}
    assert missing(pim, "shop")["p-2"] == {("shop", None, "ecommerce"), ("shop", None, "mobile")}
    assert missing(pim, "manual")["p-2"] == {
        ("manual", "en_US", "ecommerce"),
        ("manual", "fr_FR", "ecommerce"),
        ("manual", "en_US", "mobile"),
    }


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ({"models": False}, {"p-2", UUID}),
        ({"products": False}, {"m-1"}),
        ({"categories": ["sale"]}, {"p-2"}),
        ({"families": ["shoes"]}, {"p-2", UUID, "m-1"}),
    ],
)
def test_only_what_is_asked_for(pim: RunningSandbox, options: dict[str, Any], found: set[str]) -> None:
    assert set(missing(pim, "picture", **options)) == found


def test_only_the_locales_and_channels_asked_for(pim: RunningSandbox) -> None:
    found = missing(pim, "manual", locales=["EN_us"], scopes=["Mobile"])
    assert found["p-2"] == {("manual", "en_US", "mobile")}
    assert missing(pim, "label", locales=["en_US"]).keys() == {"p-2", UUID, "m-1"}


def test_products_without_identifier_cost_nothing_where_there_are_none() -> None:
    with start_sandbox(catalogue(2)) as sandbox:
        reads = ParallelReads(Policy(2, 0), Silent(), Environment())
        with PimClient(connection_to(sandbox, sandbox.credentials)) as client:
            rows = list(Missing(client, reads, lambda *_: None, MissingOptions(models=False)).rows())
        assert rows
        assert sandbox.stats()["calls"]["GET /products-uuid"] == {"200": 1}


def test_a_pim_that_knows_no_products_by_uuid_has_none_without_identifier() -> None:
    def handle(request: Request) -> Reply:
        what = request.path.split("/")[4]
        if what == "products-uuid":
            return refuses(404, 'No route found for "GET /api/rest/v1/products-uuid"')
        family = {"code": "shoes", "attributes": ["picture"]}
        if request.path.endswith("/families/shoes"):
            return says(200, family)
        items: dict[str, list[Any]] = {
            "attributes": [{"code": "picture", "type": "pim_catalog_image"}],
            "families": [family],
            "products": [{"identifier": "p-1", "family": "shoes", "values": {}}],
        }
        return says(200, {"_embedded": {"items": items.get(what, [])}, "_links": {}})

    reads = ParallelReads(Policy(2, 0), Silent(), Environment())
    with (
        Server(handle) as server,
        PimClient(Connection(server.url, token=Secret("t"), direct=True)) as client,
    ):
        walk = Missing(client, reads, lambda *_: None, MissingOptions(models=False))
        assert [row.target and row.target.code for row in walk.rows()] == ["p-1"]


def test_what_cannot_be_asked_for(pim: RunningSandbox) -> None:
    with pytest.raises(UsageError, match="pictrue"):
        missing(pim, "pictrue")
    with pytest.raises(UsageError, match="name"):
        missing(pim, "name")
    with pytest.raises(AccessError):
        missing(pim, "picture", user="sightless")
