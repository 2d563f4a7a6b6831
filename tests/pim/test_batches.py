"""Batch PATCHes: each line has its answer, or is said to have none."""

from __future__ import annotations

import json
from typing import Any

import pytest

from akeneo_media_cli.errors import Kind
from akeneo_media_cli.pim.errors import Refusal, Trouble

from .conftest import (
    API,
    CODE,
    Pim,
    answering,
)
from .server import Reply, Request, refuses


def line(code: str, media: str = CODE) -> dict[str, Any]:
    return {
        "identifier": code,
        "values": {"picture": [{"locale": None, "scope": None, "data": media}]},
    }


def collection(*lines: dict[str, Any], tail: str = "") -> Reply:
    return Reply(200, "\n".join(map(json.dumps, lines)).encode() + tail.encode())


def test_a_batch(pim: Pim) -> None:
    refusal = {
        "line": 2,
        "identifier": "b",
        "status_code": 422,
        "message": "Validation failed.",
        "errors": [
            {
                "property": "values",
                "attribute": "picture",
                "message": "The jpg file extension is not allowed for the picture attribute.",
            }
        ],
    }
    client, server = answering(
        pim,
        collection(
            {"line": 1, "identifier": "a", "status_code": 204},
            refusal,
            {"line": 3, "identifier": "c", "status_code": 201},
            {"line": 4, "identifier": "d", "status_code": 500, "message": "Internal Server Error"},
            {"line": 5, "identifier": "e", "status_code": 403, "message": "No."},
            {"line": 6, "identifier": "f", "status_code": 413, "message": "Line is too long."},
        ),
    )
    results = client.patch_products([line(c) for c in "abcdef"])
    assert [(r.line, r.code, r.status, r.created, r.retryable) for r in results] == [
        (1, "a", 204, False, False),
        (2, "b", 422, False, False),
        (3, "c", 201, True, False),
        (4, "d", 500, False, True),
        (5, "e", 403, False, False),
        (6, "f", 413, False, False),
    ]
    assert [r.failure.kind if r.failure else None for r in results] == [
        None,
        Kind.EXTENSION_NOT_ALLOWED,
        None,
        Kind.SERVER_ERROR,
        Kind.FORBIDDEN,
        Kind.REFUSED,
    ]
    (request,) = server.requests
    assert (request.method, request.path) == ("PATCH", f"{API}/products")
    assert request.headers["content-type"] == "application/vnd.akeneo.collection+json"
    assert [json.loads(each) for each in request.body.split(b"\n")] == [line(c) for c in "abcdef"]


@pytest.mark.parametrize(
    ("reply", "statuses"),
    [
        (collection({"line": 1, "status_code": 204}), [204, None, None]),
        (collection({"line": 1, "status_code": 204}, tail='\n{"line":2,"sta'), [204, None, None]),
        (collection({"line": 3, "status_code": 204}), [None, None, 204]),
        (collection({"status_code": 204}, {"status_code": 201}), [204, 201, None]),
        (Reply(200, b""), [None, None, None]),
        (Reply(200, b"\x00\xff\n[]\n5\nnull"), [None, None, None]),
        (
            Reply(
                raw=b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                b'1f\r\n{"line":1,"status_code": 204 }\n\r\nff\r\n{"li',
                close=True,
            ),
            [204, None, None],
        ),
        (
            Reply(
                raw=b'HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n{"line":1,"status_code": 204 }\n',
                close=True,
            ),
            [204, None, None],
        ),
    ],
)
def test_fewer_lines_than_sent_are_said_to_be_unanswered(
    pim: Pim, reply: Reply, statuses: list[int | None]
) -> None:
    client, _ = answering(pim, reply)
    results = client.patch_products([line(c) for c in "abc"])
    assert [r.status for r in results] == statuses
    assert [r.answered for r in results] == [s is not None for s in statuses]
    assert all(r.retryable for r in results if not r.answered)


def test_batches_of_models_and_uuids(pim: Pim) -> None:
    client, server = pim(lambda r: collection({"line": 1, "code": "m", "status_code": 204}))
    (model,) = client.patch_product_models([{"code": "m", "values": {}}])
    (product_line,) = client.patch_products_by_uuid([{"uuid": "u-1", "values": {}}])
    assert (model.code, product_line.code) == ("m", "u-1")
    assert [r.path for r in server.requests] == [f"{API}/product-models", f"{API}/products-uuid"]


def test_a_batch_refused_as_a_whole(pim: Pim) -> None:
    client, _ = pim(
        lambda r: refuses(403, "Access forbidden. You are not allowed to create or update products.")
    )
    with pytest.raises(Refusal) as caught:
        client.patch_products([line("a")])
    assert caught.value.failure.kind is Kind.FORBIDDEN
    with pytest.raises(ValueError, match="100"):
        client.patch_products([line("a")] * 101)
    with pytest.raises(ValueError, match="100"):
        client.patch_assets("f", [{}] * 101)


def test_a_lost_batch_may_be_done(pim: Pim) -> None:
    def handle(request: Request) -> None:
        request.reset()

    client, _ = pim(handle)
    with pytest.raises(Trouble) as caught:
        client.patch_products([line("a")])
    assert caught.value.maybe_done
