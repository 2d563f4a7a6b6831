"""Who sends the file of a product without identifier, and which product's value can carry it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from akeneo_media_cli.errors import Failure, Kind, UsageError
from akeneo_media_cli.pim.client import PimClient
from akeneo_media_cli.pim.connection import Connection
from akeneo_media_cli.planning.carriers import Carriers, Way, parse_carrier
from akeneo_media_cli.preflight.catalogue import Catalogue
from akeneo_media_cli.preflight.preflight import Preflight
from akeneo_media_cli.sandbox import RunningSandbox, parse_faults, start_sandbox
from akeneo_media_cli.secret import Secret
from akeneo_media_cli.targets.resolved import ResolvedTarget

from ..e2e.conftest import catalogue
from ..ledger.ledger_rows import Notes, planned

Reach = Callable[..., Preflight]


@pytest.fixture(scope="module")
def pim() -> Iterator[RunningSandbox]:
    with start_sandbox(
        catalogue(5, connections={"main": {}, "sightless": {"list_products": False}})
    ) as sandbox:
        yield sandbox


@pytest.fixture
def reach(pim: RunningSandbox) -> Iterator[Reach]:
    with ExitStack() as stack:

        def make(user: str = "main") -> Preflight:
            who = pim.connections[user]
            secret, password = Secret(who.client_secret), Secret(who.password)
            there = Connection(pim.url, who.client_id, secret, who.username, password, direct=True)
            client = stack.enter_context(PimClient(there))
            return Preflight(client, Catalogue(client, Notes()), Notes(), files=False)

        yield make


@pytest.fixture
def preflight(reach: Reach) -> Preflight:
    return reach()


@pytest.mark.parametrize("text", ["", "nocolon", ":picture", "sku:", " : "])
def test_a_carrier_is_a_product_and_an_attribute(text: str) -> None:
    with pytest.raises(UsageError, match="carrier"):
        parse_carrier(text)


def test_an_identifier_with_a_colon_can_carry() -> None:
    assert parse_carrier("shop:sku-1:picture") == ("shop:sku-1", "picture")


def test_who_carries(preflight: Preflight) -> None:
    nobody = Carriers(None, preflight)
    assert nobody.way(planned(1), "c") is Way.LATER
    # Looked up again, as its batch met trouble: it is put off once.
    assert nobody.way(planned(1), "c") is Way.LATER
    assert list(nobody.deferred) == [1]
    alone = nobody.way(planned(2), None)
    assert isinstance(alone, Failure)
    assert alone.kind is Kind.NO_CARRIER
    nobody.sends(None, 3)
    nobody.sends("c", 3)
    nobody.no_more()
    assert nobody.way(planned(1), "c") is Way.CARRIED
    assert isinstance(nobody.way(planned(1), "d"), Failure)
    given = Carriers("p-1:picture", preflight, ["known"])
    assert given.way(planned(1), "known") is Way.CARRIED
    way = given.way(planned(1), "c")
    assert isinstance(way, ResolvedTarget)
    assert way.target.code == "p-1"
    assert given.way(planned(1), "c") == way, "nobody else sends it"
    assert given.way(planned(2), "c") is Way.CARRIED
    assert isinstance(Carriers("p-1:picture", None).way(planned(1), None), Failure)


def test_a_carrier_whose_level_cannot_be_told_is_refused(reach: Reach) -> None:
    found = Carriers("p-1:picture", reach("sightless")).way(planned(1), None)
    assert isinstance(found, Failure)
    assert "is unknown" in found.message


@pytest.mark.parametrize(
    ("carrier", "said", "fix"),
    [
        ("nobody:picture", "nobody", "Name a product that exists"),
        ("p-5:name", "name", "Name an image or file attribute"),
        ("p-5:pictrue", "pictrue", "Name an image or file attribute that exists"),
        ("p-5:shop", "shop", "Name an image or file attribute without locales"),
        ("p-5:label", "label", "Name an image or file attribute without locales"),
        ("v-1:picture", "level", "Name an attribute of the product itself"),
        ("v-1:stray", "family", "Name an attribute of the product's family"),
    ],
)
def test_a_carrier_that_cannot_carry_is_told_in_terms_of_the_option(
    preflight: Preflight, carrier: str, said: str, fix: str
) -> None:
    found = Carriers(carrier, preflight).way(planned(1), "c")
    assert isinstance(found, Failure)
    assert found.kind is Kind.NO_CARRIER
    assert f"--carrier {carrier} cannot be used" in found.message
    assert said in found.message
    assert found.hint.startswith(fix)
    assert found.hint.endswith("with --carrier IDENTIFIER:ATTRIBUTE.")


def test_a_carrier_is_looked_up_once_and_takes_only_what_its_attribute_takes(
    pim: RunningSandbox, preflight: Preflight
) -> None:
    carriers = Carriers("p-5:front", preflight)
    way = carriers.way(planned(1, name="a.jpg", size=10), "a")
    assert isinstance(way, ResolvedTarget)
    before = pim.stats()["total"]
    for n, (name, size, kind) in enumerate((("b.gif", 10, "not take .gif"), ("c.jpg", 10_001, "10,001")), 2):
        unfit = carriers.way(planned(n, name=name, size=size), name)
        assert isinstance(unfit, Failure)
        assert unfit.kind is Kind.NO_CARRIER
        assert kind in unfit.message
        assert isinstance(carriers.way(planned(n, name=name, size=size), name), Failure), "nobody sends it"
    assert carriers.way(planned(4), "d") == way
    assert pim.stats()["total"] == before


def test_a_pim_that_refuses_to_tell_of_the_carrier(pim: RunningSandbox, preflight: Preflight) -> None:
    pim.store.options.faults = parse_faults(["403-html=1@/products"])
    found = Carriers("p-1:picture", preflight).way(planned(1), "c")
    pim.store.options.faults = parse_faults([])
    assert isinstance(found, Failure)
    assert found.kind is Kind.NO_CARRIER
    assert "403" in found.message
