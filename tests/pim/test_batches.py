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
from .server import Reply, Request, refuses, says


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
        (collection({"status_code": 204}, {"status_code": 201}), [None, None, None]),
        (collection({"status_code": 204}, {"status_code": 201}, tail='\n{"sta'), [None, None, None]),
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


def told(number: int | None, key: str, code: str | None, status: int) -> dict[str, Any]:
    numbered = {} if number is None else {"line": number}
    return {**numbered, **({} if code is None else {key: code}), "status_code": status, "message": "x"}


@pytest.mark.parametrize(
    ("answers", "statuses"),
    [
        # Numbered: in any order, each with its own key or none.
        ([(3, "c", 204), (1, "a", 422), (2, "b", 201)], [422, 201, 204]),
        ([(3, None, 204), (1, None, 422)], [422, None, 204]),
        ([(1, "A ", 204), (2, "B", 204), (3, "ç", 204)], [204, 204, 204]),
        ([(1, "a", 204), (2, "c", 204), (3, "c", 204)], [204, None, 204]),
        ([(1, "a", 204), (1, "a", 422), (2, "b", 204)], [None, 204, None]),
        # Counted from elsewhere: the key tells, or nothing does.
        ([(0, "a", 204), (1, "b", 422), (2, "c", 204)], [204, 422, 204]),
        ([(1, "b", 422), (2, "c", 204)], [None, None, None]),
        ([(0, None, 204), (1, None, 422), (2, None, 204)], [None, None, None]),
        ([(2, "b", 204), (3, "c", 204), (4, "d", 204)], [None, 204, 204]),
        # Not numbered: by key, and by position only where none is missing.
        ([(None, "c", 204), (None, "b", 422), (None, "a", 201)], [201, 422, 204]),
        ([(None, "a", 204), (None, "c", 204)], [204, None, 204]),
        ([(None, None, 204), (None, None, 422), (None, None, 201)], [204, 422, 201]),
        ([(None, None, 204), (None, None, 204)], [None, None, None]),
        ([(None, None, 204), (None, None, 204), (None, None, 204), (None, None, 204)], [None] * 3),
        ([(None, "a", 204), (None, None, 400), (None, "c", 204)], [204, 400, 204]),
        ([(None, "b", 204), (None, None, 400), (None, "c", 204)], [None, None, 204]),
    ],
)
def test_a_line_is_told_only_its_own_answer(
    pim: Pim, answers: list[tuple[int | None, str | None, int]], statuses: list[int | None]
) -> None:
    client, _ = answering(pim, collection(*(told(n, "identifier", c, s) for n, c, s in answers)))
    results = client.patch_products([line(c) for c in "abc"])
    assert [(r.line, r.code) for r in results] == [(1, "a"), (2, "b"), (3, "c")]
    assert [r.status for r in results] == statuses
    assert [r.failure is not None for r in results] == [s in (400, 422) for s in statuses]


def test_uuids_and_models_are_told_by_their_own_key(pim: Pim) -> None:
    def handle(request: Request) -> Reply:
        key = "uuid" if request.path.endswith("uuid") else "code"
        other = {"identifier": "a", "label": "b"}
        return collection(*({**told(n, key, c, 204), **other} for n, c in ((1, "B-2"), (2, "B-2"))))

    client, _ = pim(handle)
    by_uuid = client.patch_products_by_uuid([{"uuid": "a-1"}, {"uuid": "b-2"}])
    models = client.patch_product_models([{"code": "a-1"}, {"code": "b-2"}])
    assert [r.status for r in by_uuid] == [r.status for r in models] == [None, 204]


@pytest.mark.parametrize("method", ["patch_assets", "patch_records"])
@pytest.mark.parametrize(
    ("answers", "statuses"),
    [
        ([("c", 204), ("b", 422), ("a", 201)], [201, 422, 204]),
        ([("A", 204), ("c ", 204)], [204, None, 204]),
        ([("b", 204), ("x", 422)], [None, 204, None]),
        ([(None, 204), (None, 204), (None, 204)], [None, None, None]),
        ([("a", 204), ("a", 422), ("b", 204), ("c", 204)], [None, 204, 204]),
    ],
)
def test_assets_and_records_are_told_by_code(
    pim: Pim, method: str, answers: list[tuple[str | None, int]], statuses: list[int | None]
) -> None:
    # A member `line` means nothing here.
    client, _ = answering(pim, says(200, [told(1, "code", c, s) for c, s in answers]))
    results = getattr(client, method)("f", [{"code": c, "values": {}} for c in "abc"])
    assert [r.status for r in results] == statuses
    assert [r.failure is not None for r in results] == [s == 422 for s in statuses]


def test_two_lines_for_one_asset_are_answered_in_their_order(pim: Pim) -> None:
    client, _ = answering(pim, says(200, [told(None, "code", c, s) for c, s in (("a", 201), ("A", 422))]))
    results = client.patch_assets("f", [{"code": "a", "values": {}}, {"code": "A", "values": {}}])
    assert [r.status for r in results] == [201, 422]


def test_batches_of_models_and_uuids(pim: Pim) -> None:
    client, server = pim(lambda r: collection({"line": 1, "status_code": 204}))
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
