"""Whatever is sent, the sandbox answers, as the PIM might; it never trips over itself."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
import requests
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from akeneo_media_cli.sandbox import Need, RunningSandbox, SandboxOptions, invent, start_sandbox
from akeneo_media_cli.sandbox.rules.filters import BY_TYPE, PRODUCT_FIELDS

from .client import LINES, Client
from .conftest import furnished

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-3, 200)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=6)
)
names = st.sampled_from(
    ["identifier", "uuid", "code", "values", "picture", "picture_both", "sku", "size", "color", "name",
     "locale", "scope", "channel", "data", "operator", "value", "IN", "=", "EMPTY", "shoe_1", "shoe_model",
     "family", "parent", "en_US", "mobile", "image", "media", "enabled", "categories", "attribute", "labels"]
)  # fmt: skip
things = st.recursive(
    scalars | names,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(names | st.text(max_size=4), inner, max_size=4)
    ),
    max_leaves=12,
)
bodies = st.binary(max_size=60) | things.map(lambda thing: json.dumps(thing).encode())
OPERATORS = sorted(
    {o for table in (BY_TYPE, PRODUCT_FIELDS) for operators in table.values() for o in operators}
)
quick = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def answered(answer: requests.Response) -> None:
    assert answer.status_code in {200, 201, 204, 301, 400, 401, 403, 404, 405, 406, 413, 415, 422, 500, 501}
    is_json = answer.headers.get("Content-Type", "").startswith("application/json")
    if is_json and answer.content and answer.status_code != 301:
        assert isinstance(answer.json(), (dict, list))


@pytest.fixture(scope="module")
def shared() -> Iterator[RunningSandbox]:
    """One of its own: what is sent at random renames and empties the products of other tests."""
    with furnished() as sandbox:
        yield sandbox


@pytest.fixture(autouse=True)
def no_defects(shared: RunningSandbox) -> Any:
    yield
    assert shared.stats()["defects"] == 0


@quick
@given(
    body=bodies,
    path=st.sampled_from(["/products/shoe_1", "/product-models/x", "/products-uuid/y", "/products"]),
)
def test_any_body(client: Client, body: bytes, path: str) -> None:
    kind = LINES if path == "/products" else "application/json"
    answered(client.call("PATCH", path, data=body, headers={"Content-Type": kind}))
    answered(client.call("POST", path, data=body, headers={"Content-Type": kind}))
    assert client.get("/locales").status_code == 200


@quick
@given(place=things, name=st.text(max_size=300), data=st.binary(max_size=100))
def test_any_upload(client: Client, place: Any, name: str, data: bytes) -> None:
    answered(
        client.send(
            "/media-files", {"product": json.dumps(place)}, name.encode("utf-8", "replace").decode(), data
        )
    )
    answered(client.send("/media-files", {"product_model": json.dumps(place)}, "a.jpg", data))


@quick
@given(body=st.binary(max_size=300).map(lambda b: b.replace(b"\n", b"\r\n--b")), end=st.booleans())
def test_any_multipart(client: Client, body: bytes, end: bool) -> None:
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    answered(
        client.call("POST", "/media-files", data=b"--b\r\n" + body + b"\r\n--b--" * end, headers=headers)
    )


@quick
@given(
    path=st.sampled_from(
        ["/products", "/product-models", "/attributes", "/media-files", "/locales", "/products-uuid"]
    ),
    query=st.dictionaries(
        st.sampled_from(
            ["search", "limit", "page", "attributes", "with_count", "pagination_type", "search_after"]
        ),
        things.map(lambda thing: thing if isinstance(thing, str) else json.dumps(thing)),
        max_size=3,
    ),
)
def test_any_query(client: Client, path: str, query: dict[str, str]) -> None:
    encoded = "&".join(f"{k}={quote(v.encode('utf-8', 'surrogatepass'))}" for k, v in query.items())
    answered(client.get(f"{path}?{encoded}"))


@quick
@given(path=st.text(max_size=30), method=st.sampled_from(["GET", "POST", "PATCH", "PUT", "DELETE", "HEAD"]))
def test_any_path(client: Client, path: str, method: str) -> None:
    encoded = quote(path.encode("utf-8", "surrogatepass"), safe="/")
    answered(client.call(method, f"/{encoded}"))
    answered(client.call(method, f"/media-files/{encoded}"))


FIELDS = (
    "identifier", "uuid", "code", "family", "family_variant", "parent", "categories", "groups", "enabled",
    "associations", "created", "metadata", "values", "_links",
)  # fmt: skip
ATTRIBUTES = (
    "sku",
    "name",
    "size",
    "color",
    "waterproof",
    "picture",
    "picture_both",
    "manual",
    "tiny",
    "french",
)
values = st.dictionaries(
    st.sampled_from(ATTRIBUTES) | names,
    things
    | st.lists(
        st.fixed_dictionaries(
            {
                "locale": st.sampled_from([None, "en_US", "fr_FR", "xx"]) | things,
                "scope": st.sampled_from([None, "mobile", "x"]) | things,
                "data": things,
            }
        ),
        max_size=3,
    ),
    max_size=3,
)
updates = st.fixed_dictionaries({}, optional=dict.fromkeys(FIELDS, things) | {"values": values | things})
ENTITIES = ("/products/shoe_1", "/products/fuzzed", "/products-uuid/11111111-1111-4111-8111-111111111111",
            "/product-models/shoe_model", "/product-models/fuzzed")  # fmt: skip


def taken_or_refused(answer: requests.Response) -> None:
    """No JSON makes the PIM fall over here, so none may do it to the sandbox."""
    answered(answer)
    assert answer.status_code != 500, answer.request.body


@quick
@given(body=updates, path=st.sampled_from(ENTITIES))
def test_any_update(client: Client, body: Any, path: str) -> None:
    taken_or_refused(client.patch(path, body))
    taken_or_refused(client.call("POST", path.rpartition("/")[0], json=body))
    taken_or_refused(client.get(path))


@quick
@given(lines=st.lists(updates | things, max_size=4))
def test_any_batch_of_updates(client: Client, lines: Any) -> None:
    for path in ("/products", "/products-uuid", "/product-models"):
        answer = client.patch_lines(path, *lines)
        taken_or_refused(answer)
        told = [json.loads(line) for line in answer.text.splitlines()]
        assert all(item["status_code"] != 500 for item in told)


@quick
@given(
    name=st.sampled_from(sorted({*PRODUCT_FIELDS, *ATTRIBUTES, "code", "type", "is_root", "updated"})),
    conditions=st.lists(
        st.fixed_dictionaries(
            {"operator": st.sampled_from(OPERATORS) | things},
            optional={"value": things | st.just("2026-01-01 00:00:00"), "locale": things, "scope": things,
                      "locales": things},
        )
        | things,
        max_size=2,
    )
    | things,
)  # fmt: skip
def test_any_search(client: Client, name: str, conditions: Any) -> None:
    search = json.dumps({name: conditions})
    for path in ("/products", "/products-uuid", "/product-models", "/attributes", "/families", "/categories",
                 "/attribute-groups", "/locales"):  # fmt: skip
        taken_or_refused(client.get(path, search=search))
        taken_or_refused(client.get(path, search=search, search_locale="en_US", search_scope="mobile"))


batches = st.lists(
    st.fixed_dictionaries({"code": names | scalars}, optional={"values": things}) | things, max_size=4
)


@pytest.fixture(scope="module")
def ee() -> Iterator[Client]:
    needs = [
        Need("asset", "shoe_1", "f", "media"),
        Need("record", "shoe_1", "f", "image"),
        Need("asset", "shoe_1", "f", "name", type="text"),
        Need("asset", "shoe_1", "f", "size", type="number"),
        Need("asset", "shoe_1", "f", "color", type="single_option", options=("IN",)),
        Need("asset", "shoe_1", "f", "picture", type="multiple_options", options=("IN",)),
        Need("asset", "shoe_1", "f", "value", type="date"),
        Need("record", "shoe_1", "f", "data", type="reference_entity_multiple_links"),
        Need("category", "c", "", "image"),
    ]
    with start_sandbox(invent(needs), options=SandboxOptions(save_time=0.0)) as sandbox:
        with Client(sandbox) as client:
            yield client
        assert sandbox.stats()["defects"] == 0


@quick
@given(body=batches, search=things)
def test_any_batch_of_assets_and_records(ee: Client, body: Any, search: Any) -> None:
    for path in ("/asset-families/f/assets", "/reference-entities/f/records"):
        answered(ee.patch(path, body))
        answered(ee.patch(f"{path}/shoe_1", body))
        answered(ee.get(path, search=json.dumps(search)))
        answered(ee.get(path, search=json.dumps({"code": search})))
    answered(ee.patch("/reference-entities/f", search))
    answered(ee.send("/category-media-files", {"category": json.dumps(search)}, "a.jpg"))


@quick
@given(
    place=st.fixed_dictionaries(
        {
            "code": st.just("c"),
            "attribute_code": names | scalars,
            "channel": scalars,
            "locale": scalars | things,
        }
    )
)
@example({"code": "c", "attribute_code": "image", "channel": 1, "locale": None})
@example({"code": "c", "attribute_code": "image", "channel": None, "locale": 0.5})
@example({"code": "c", "attribute_code": 7, "channel": None, "locale": True})
@example({"code": "c", "attribute_code": [], "channel": None, "locale": None})
@example({"code": {}, "attribute_code": "image", "channel": None, "locale": None})
def test_any_place_in_a_category(ee: Client, place: Any) -> None:
    answered(ee.send("/category-media-files", {"category": json.dumps(place)}, "a.jpg"))


@quick
@given(body=bodies)
def test_any_login(client: Client, body: bytes) -> None:
    for kind in ("application/json", "application/x-www-form-urlencoded"):
        answered(client.token(None, data=body, headers={"Content-Type": kind}))
