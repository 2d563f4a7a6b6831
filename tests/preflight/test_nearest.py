"""What a product or model that is not there probably is, asked of a PIM on a real socket."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from akeneo_media_cli.pim.client import PimClient
from akeneo_media_cli.pim.connection import Connection
from akeneo_media_cli.preflight import nearest
from akeneo_media_cli.preflight.nearest import NearestCodes
from akeneo_media_cli.rows import Target, TargetType
from akeneo_media_cli.sandbox import RunningSandbox, start_sandbox
from akeneo_media_cli.secret import Secret

from ..e2e.conftest import catalogue

PRODUCTS = ("00012", "sku-1001", "A103", "blue-shirt", "4006381333931")


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:
    source = catalogue(5)
    source["products"] = [*source["products"], *({"identifier": code} for code in PRODUCTS)]
    with start_sandbox(source) as running:
        yield running


@pytest.fixture
def client(sandbox: RunningSandbox) -> Iterator[PimClient]:
    who = sandbox.credentials
    connection = Connection(
        sandbox.url, who.client_id, Secret(who.client_secret), who.username, Secret(who.password)
    )
    with PimClient(connection) as client:
        yield client


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("12", "The PIM has 00012: spreadsheets drop the zeros"),
        ("sku_1001", "Did you mean sku-1001?"),
        ("blue-shrit", "Did you mean blue-shirt?"),
        ("A104", ""),
        ("sku-1002", ""),
        ("sku-1001-5", ""),
        ("m-1", "There is a product model m-1: name it in the column product_model."),
        ("fc24e6c3-933c-4a93-8a81-e5c703d134d5", "It looks like a UUID: those belong in the column"),
        ("zzzzzz", ""),
    ],
)  # fmt: skip
def test_a_product_that_is_not_there(client: PimClient, code: str, said: str) -> None:
    hint = NearestCodes(client).hint(Target(TargetType.PRODUCT, code))
    assert hint.startswith(said) if said else hint == ""


def test_a_model_that_is_a_product(client: PimClient) -> None:
    hint = NearestCodes(client).hint(Target(TargetType.PRODUCT_MODEL, "blue-shirt"))
    assert hint == "There is a product blue-shirt: name it in the column product."


def test_hints_have_an_end(client: PimClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nearest, "_MOST_HINTS", 1)
    codes = NearestCodes(client)
    assert codes.hint(Target(TargetType.PRODUCT, "sku_1001"))
    assert codes.hint(Target(TargetType.PRODUCT, "sku_1001")) == ""
