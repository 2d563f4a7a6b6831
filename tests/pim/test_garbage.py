"""Answers that are none of a PIM's, and paths that must not lead elsewhere."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from akeneo_media_cli.errors import Failure
from akeneo_media_cli.pim.answers.parse import Garbled
from akeneo_media_cli.pim.answers.types import (
    Product,
    Routes,
)
from akeneo_media_cli.pim.api.calls import media_path, segment
from akeneo_media_cli.pim.client import PimClient
from akeneo_media_cli.pim.errors import Refusal, Trouble

from .conftest import (
    Pim,
    answering,
    product,
)
from .server import Reply, says


def refused_by(call: Any) -> Failure | None:
    try:
        call()
    except (Refusal, Trouble) as error:
        # Trouble where the garbage passed for an answer once, so that there seems to be a PIM.
        return error.failure
    return None


@pytest.mark.parametrize(
    "garbage",
    [
        b"",
        b"<html>Welcome, please log in</html>",
        b"[]",
        b"null",
        b"5",
        b'"text"',
        b"{}",
        b'{"code": 5.5, "identifier": null, "uuid": [], "size": "x"}',
        b'{"code": "x", "type": {}, "values": 3, "identifier": "x", "routes": 3, "size": true}',
        b'{"code": "x", "values": {"a": 3}, "identifier": "x", "type": "t", "allowed_extensions": [1]}',
        b'{"_embedded": {"items": 3}, "routes": {"x": 3}, "code": "c", "attributes": "x"}',
        b'{"_embedded": {"items": [3]}, "_links": 5, "routes": {"x": {"route": 1}}}',
        b"\xff\xfe\x00",
        b"[" * 100_000,
    ],
)
def test_garbage_is_a_clear_error_everywhere(pim: Pim, garbage: bytes) -> None:
    client, _ = pim(lambda r: Reply(200, garbage))
    calls: list[Any] = [
        lambda: client.get_product("x"),
        lambda: client.get_product_model("x"),
        lambda: client.search_products(["x"]),
        lambda: client.attributes(["x"]),
        lambda: client.attribute("x"),
        client.channels,
        lambda: client.family("x"),
        lambda: client.family_variant("x", "y"),
        lambda: client.media_file("x"),
        client.media_file_page,
        client.routes,
        client.system_information,
        lambda: client.asset_attributes("x"),
        lambda: client.get_asset("x", "y"),
        lambda: client.patch_assets("x", [{"code": "a"}]),
        lambda: client.reference_entity("x"),
    ]
    refusals = 0
    for failure in map(refused_by, calls):
        if failure:
            refusals += 1
            assert "PIM" in failure.message
            assert failure.hint
    assert refusals >= 9


def test_an_answer_cut_short_is_trouble(pim: Pim) -> None:
    client, _ = pim(lambda r: Reply(raw=b'HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{"code', close=True))
    with pytest.raises(Trouble) as caught:
        client.get_product("x")
    assert not caught.value.maybe_done


def test_an_endless_answer_is_cut(pim: Pim, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("akeneo_media_cli.pim.http.transport.LARGEST", 100_000)
    client, _ = pim(lambda r: Reply(200, b" " * 5_000_000))
    with pytest.raises(Trouble):
        client.get_product("x")


def test_odd_products() -> None:
    assert Product.read({"uuid": "u", "identifier": 123, "values": {}, "metadata": None}).identifier == "123"
    with pytest.raises(Garbled):
        Product.read({"values": {}})
    assert Routes.read({"routes": []}).names == frozenset()


@given(st.text(min_size=1))
def test_a_segment_stays_one(code: str) -> None:
    encoded = segment(code)
    assert encoded.isascii()
    assert not set(encoded) & set("/?#. ") or encoded not in (".", "..")
    assert "/" not in encoded


def test_dots_are_no_way_up() -> None:
    assert segment("..") == "%2E%2E"
    assert media_path("../../products/x") == "%2E%2E/%2E%2E/products/x"
    assert media_path("a/b.c/d_e.jpg") == "a/b.c/d_e.jpg"


def test_the_client_says_what_it_counted(pim: Pim) -> None:
    client, _ = answering(pim, Reply(429), says(200, product()))
    assert isinstance(client, PimClient)
    with pytest.raises(Trouble):
        client.get_product("x")
    client.get_product("x")
    counts = client.counts
    assert (counts.requests, counts.logins, counts.throttled) == (3, 1, 1)
