# ruff: noqa: E501 (the PIM's texts are long)
"""Products, models and structure: reading, searching, changing one or a hundred."""

from __future__ import annotations

import json
import uuid
from functools import partial

import pytest

from akeneo_media_cli.sandbox import RunningSandbox, default_catalogue, start_sandbox

from ..client import LINES, PDF, Client, refusal, violations

CHECK = " Check the expected format on the API documentation."
NO_SKU = "11111111-1111-4111-8111-111111111111"
ACL = "Access forbidden. You are not allowed to create or update products."


def media_code(client: Client, name: str = "a.jpg", **more: object) -> str:
    answer = client.upload("shoe_20", name=name, **more)  # type: ignore[arg-type]
    assert answer.status_code == 201, answer.text
    return answer.headers["Location"].partition("/media-files/")[2]


def value(data: object, locale: str | None = None, scope: str | None = None) -> list[dict[str, object]]:
    return [{"locale": locale, "scope": scope, "data": data}]


def lines_of(client: Client, path: str, *lines: object) -> list[dict[str, object]]:
    answer = client.patch_lines(path, *lines)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == LINES
    return [json.loads(line) for line in answer.text.splitlines()]


def test_a_product_by_identifier_and_by_uuid(client: Client) -> None:
    by_identifier = client.get("/products/shoe_1").json()
    assert by_identifier["identifier"] == "shoe_1"
    by_uuid = client.get(f"/products-uuid/{by_identifier['uuid'].upper()}").json()
    assert "identifier" not in by_uuid
    assert by_uuid["values"]["sku"] == value("shoe_1")
    missing = 'Product "{}" does not exist or you do not have permission to access it.'
    assert refusal(client.get("/products/nope")) == (404, missing.format("nope"))
    status, message = refusal(client.get("/products-uuid/nope"))
    assert (status, message[:28]) == (404, 'No route found for "GET http')
    assert client.get("/product-models/shoe_model").json()["code"] == "shoe_model"
    assert client.get("/products/shoe_variant_s").json()["parent"] == "shoe_model"


def test_search_by_identifier_uuid_and_code(client: Client) -> None:
    def found(path: str, search: object, **more: str) -> list[dict[str, object]]:
        answer = client.get(path, search=json.dumps(search), limit="100", **more)
        assert answer.status_code == 200, answer.text
        return list(answer.json()["_embedded"]["items"])

    items = found("/products", {"identifier": [{"operator": "IN", "value": ["SHOE_1", "shoe_2", "no"]}]})
    assert [item["identifier"] for item in items] == ["shoe_1", "shoe_2"]
    items = found(
        "/products-uuid", {"uuid": [{"operator": "IN", "value": [NO_SKU, "x"]}]}, attributes="picture"
    )
    assert [(item["uuid"], item["values"]) for item in items] == [(NO_SKU, {})]
    items = found("/product-models", {"identifier": [{"operator": "IN", "value": ["shoe_model", "no"]}]})
    assert [item["code"] for item in items] == ["shoe_model"]
    items = found("/products", {"parent": [{"operator": "=", "value": "shoe_model"}]})
    assert [item["identifier"] for item in items] == ["shoe_variant_m", "shoe_variant_s"]
    items = found("/products", {"size": [{"operator": "IN", "value": ["s"]}]})
    assert [item["identifier"] for item in items] == ["shoe_variant_s"]
    items = found("/products", {"sku": [{"operator": "STARTS WITH", "value": "shoe_v"}]})
    assert len(items) == 2
    items = found("/products", {"sku": [{"operator": "CONTAINS", "value": "VARIANT"}]})
    assert len(items) == 2
    assert found("/products", {"family": [{"operator": "NOT IN", "value": ["shoes"]}]}) == []
    assert found("/products", {"family": [{"operator": "EMPTY"}]}) == []
    assert len(found("/products", {"updated": [{"operator": ">", "value": "2020-01-01 00:00:00"}]})) > 20


def test_products_without_identifier_are_only_listed_by_uuid(client: Client) -> None:
    def uuids(path: str) -> set[str]:
        return {item["uuid"] for item in client.get(path, limit="100").json()["_embedded"]["items"]}

    assert NO_SKU in uuids("/products-uuid")
    assert NO_SKU not in uuids("/products")


def test_search_after_goes_through_all_in_order(client: Client) -> None:
    seen: list[str] = []
    answer = client.get("/products", pagination_type="search_after", limit="7").json()
    while True:
        seen += [item["identifier"] for item in answer["_embedded"]["items"]]
        if "next" not in answer["_links"]:
            break
        answer = client.get(answer["_links"]["next"]["href"]).json()
    assert seen == sorted(seen)
    assert len(seen) == len(set(seen)) == client.sandbox.stats()["products"] - 1


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"search": "x"}, (400, "Search query parameter should be valid JSON.")),
        ({"search": '{"sku":{"operator":"="}}'}, (422, 'Structure of filter "sku" should respect this structure: {"sku":[{"operator": "my_operator", "value": "my_value"}]}')),
        ({"search": '{"sku":[{"value":"x"}]}'}, (422, 'Operator is missing for the property "sku".')),
        ({"search": '{"sku":[{"operator":[]}]}'}, (422, 'Operator has to be a string, "array" given.')),
        ({"search": '{"sku":[{"operator":"BETWEEN","value":1}]}'}, (422, 'Filter on property "sku" is not supported or does not support operator "BETWEEN"')),
        ({"search": '{"what":[{"operator":"EMPTY"}]}'}, (404, '"what" does not exist or you do not have permission to access it.')),
        ({"search": '{"identifier":[{"operator":"IN","value":null}]}'}, (422, "The identifier filter can't contain null value")),
        ({"search": json.dumps({"identifier": [{"operator": "IN", "value": [str(n) for n in range(101)]}]})}, (400, "The identifier filter can't contain more than 100 product identifiers.")),
        ({"attributes": "nope"}, (422, 'Attribute "nope" does not exist.')),
        ({"attributes": "no,picture,none"}, (422, 'Attributes "no, none" do not exist.')),
        ({"limit": "101"}, (422, "You cannot request more than 100 items.")),
        ({"page": "101", "limit": "100"}, (422, 'You have reached the maximum number of pages you can retrieve with the "page" pagination type. Please use the search after pagination type instead')),
    ],
)  # fmt: skip
def test_searches_that_are_refused(client: Client, query: dict[str, str], expected: tuple[int, str]) -> None:
    assert refusal(client.get("/products", **query)) == expected


def test_models_answer_a_bad_search_in_their_own_way(client: Client) -> None:
    assert refusal(client.get("/product-models", search="x")) == (
        422,
        "Search query parameter should be valid JSON.",
    )


def test_a_patch_sets_and_empties_values(client: Client) -> None:
    code = media_code(client)
    answer = client.patch("/products/shoe_13", {"values": {"picture": value(code), "name": value("X")}})
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["Location"].endswith("/api/rest/v1/products/shoe_13")
    values = client.get("/products/shoe_13").json()["values"]
    assert values["picture"][0]["_links"]["download"]["href"].endswith(f"/media-files/{code}/download")
    assert client.patch("/products/shoe_13", {"values": {"picture": value(None)}}).status_code == 204
    assert set(client.get("/products/shoe_13").json()["values"]) == {"sku", "name"}


def test_a_patch_by_uuid_reaches_a_product_without_identifier(client: Client) -> None:
    code = media_code(client)
    assert client.patch(f"/products-uuid/{NO_SKU}", {"values": {"picture": value(code)}}).status_code == 204
    assert client.get(f"/products-uuid/{NO_SKU}").json()["values"]["picture"][0]["data"] == code


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"values": {"picture": value("a/b/nope.jpg")}}, 'Property "picture" expects a valid pathname as data, "a/b/nope.jpg" given.'),
        ({"values": {"nope": value("x")}}, "The nope attribute does not exist in your PIM."),
        ({"values": {"picture": value(5)}}, 'Property "picture" expects a string as data, "integer" given.'),
        ({"values": {"picture": "x"}}, 'Property "picture" expect to be an array'),
        ({"values": {"picture": ["x"]}}, 'Property "picture" expects an array with valid data, one of the values is not an array.'),
        ({"values": {"picture": [{"locale": None, "scope": None}]}}, 'Property "picture" expects an array with the key "data".' + CHECK),
        ({"values": {"picture": value("x", locale=5)}}, 'Property "picture" expects a product value with a string as locale, "integer" given.'),  # type: ignore[arg-type]
        ({"values": {"name": value("a") + value("b")}}, 'You cannot update the same product value on the "name" attribute twice, with the same scope and locale.'),
        ({"values": "x"}, "This value should be of type array|(Traversable&ArrayAccess)."),
        ({"group": "x"}, 'Property "group" does not exist.'),
        ({"enabled": None}, 'Property "enabled" expects a boolean as data, "NULL" given.'),
        ({"family": ["x"]}, 'Property "family" expects a string as data, "array" given.'),
        ({"family": "x"}, "The x family does not exist in your PIM."),
        ({"parent": "x"}, 'Property "parent" expects a valid parent code. The parent product model does not exist, "x" given.'),
        ({"categories": "x"}, 'Property "categories" expects an array as data, "string" given.'),
    ],
)  # fmt: skip
def test_patches_that_are_refused_name_the_documentation(
    client: Client, body: dict[str, object], message: str
) -> None:
    answer = client.patch("/products/shoe_14", body)
    assert refusal(answer) == (422, message + CHECK)
    href = "http://api.akeneo.com/api-reference.html#patch_products__code_"
    assert answer.json()["_links"] == {"documentation": {"href": href}}


@pytest.mark.parametrize("body", [b"", b"{", b"null"])
def test_a_body_that_is_no_json(client: Client, body: bytes) -> None:
    answer = client.call(
        "PATCH", "/products/shoe_14", data=body, headers={"Content-Type": "application/json"}
    )
    assert refusal(answer) == (400, "Invalid json message received")


def test_a_patch_checks_the_attributes_rules_again(client: Client) -> None:
    jpg, pdf = media_code(client), media_code(client, "a.pdf", data=PDF)
    wrong = "The jpg file extension is not allowed for the manual attribute. Allowed extensions are pdf, txt."
    assert violations(client.patch("/products/shoe_15", {"values": {"manual": value(jpg)}})) == [wrong]
    assert client.patch("/products/shoe_15", {"values": {"manual": value(pdf)}}).status_code == 204


def test_a_batch_answers_line_by_line(client: Client) -> None:
    code = media_code(client)
    answers = lines_of(
        client,
        "/products",
        {"identifier": "shoe_16", "values": {"picture": value(code)}},
        {"identifier": "made_by_typo", "values": {"picture": value(code)}},
        {"identifier": "made_by_typo", "enabled": False},
        {"identifier": "shoe_variant_m", "values": {"picture_2": value(code)}},
        "{",
        "",
        "[]",
        {"identifier": 5},
        {"identifier": " "},
        {"identifier": "shoe_16", "group": "x"},
        {"identifier": "shoe_16", "values": {"manual": value(code)}},
        '{"identifier":"shoe_16"}' + " " * 1_000_000,
        {"identifier": "a,b"},
    )
    bad = {"status_code": 400, "message": "Invalid json message received"}
    missing = {"status_code": 422, "message": "Identifier is missing."}
    docs = {"documentation": {"href": "http://api.akeneo.com/api-reference.html#patch_products__code_"}}
    assert answers[:4] == [
        {"line": 1, "identifier": "shoe_16", "status_code": 204},
        {"line": 2, "identifier": "made_by_typo", "status_code": 201},
        {"line": 3, "identifier": "made_by_typo", "status_code": 204},
        {"line": 4, "identifier": "shoe_variant_m", "status_code": 204},
    ]
    assert answers[4:9] == [
        {"line": 5, **bad},
        {"line": 6, **bad},
        {"line": 7, **missing},
        {"line": 8, "status_code": 422, "message": "identifier must be of type string."},
        {"line": 9, **missing},
    ]
    assert list(answers[9]) == ["line", "identifier", "status_code", "message", "_links"]
    assert answers[9]["_links"] == docs
    assert answers[10]["errors"][0]["attribute"] == "manual"  # type: ignore[index]
    assert answers[11] == {"line": 12, "status_code": 413, "message": "Line is too long."}
    assert answers[12]["errors"] == [
        {
            "property": "identifier",
            "message": "This field should not contain any comma or semicolon or leading/trailing space",
        }
    ]
    assert "picture_2" not in client.get("/products/shoe_variant_m").json()["values"], (
        "204, and nothing written"
    )
    assert client.call("DELETE", "/products/made_by_typo").status_code == 204
    assert client.call("DELETE", "/products/made_by_typo").status_code == 404


def test_a_batch_has_a_hundred_lines_at_most(client: Client) -> None:
    line = json.dumps({"identifier": "shoe_17", "enabled": True})
    assert len(lines_of(client, "/products", *[line] * 100, "")) == 100
    answer = client.patch_lines("/products", *[line] * 101)
    assert refusal(answer) == (413, "Too many resources to process, 100 is the maximum allowed.")


def test_a_batch_of_models_and_of_uuids(client: Client) -> None:
    code, new = media_code(client), str(uuid.uuid4())
    picture = {"values": {"picture": value(code)}}
    assert lines_of(client, "/product-models", {"code": "shoe_model", **picture}, {"code": "new_model"}, {}) == [
        {"line": 1, "code": "shoe_model", "status_code": 204},
        {"line": 2, "code": "new_model", "status_code": 422, "message": "Validation failed.",
         "errors": [{"property": "family_variant", "message": "The product model family variant must not be empty."}]},
        {"line": 3, "status_code": 422, "message": "Code is missing."},
    ]  # fmt: skip
    docs = {"documentation": {"href": "http://api.akeneo.com/api-reference.html#patch_products_uuid__uuid_"}}
    assert lines_of(client, "/products-uuid", {"uuid": new, **picture}, {"uuid": new}, {"uuid": "x"}) == [
        {"line": 1, "uuid": new, "status_code": 201},
        {"line": 2, "uuid": new, "status_code": 204},
        {
            "line": 3,
            "uuid": "x",
            "status_code": 422,
            "message": f"This is not a valid UUID.{CHECK}",
            "_links": docs,
        },
    ]
    assert client.call("DELETE", f"/products-uuid/{new}").status_code == 204


def test_creating_products_and_models(client: Client) -> None:
    assert client.call("POST", "/products", json={"identifier": "made", "family": "shoes"}).status_code == 201
    used = "The {} identifier is already used for another product."
    assert violations(client.call("POST", "/products", json={"identifier": "MADE"})) == [used.format("MADE")]
    assert violations(client.patch("/products/made", {"identifier": "shoe_1"})) == [used.format("shoe_1")]
    assert client.patch("/products/made", {"identifier": "renamed"}).status_code == 204
    assert client.get("/products/made").status_code == 404
    assert client.get("/products/renamed").status_code == 200
    assert refusal(client.patch("/products/other", {"identifier": "another"})) == (
        422,
        'The identifier "another" provided in the request body must match the identifier "other" provided in the url.',
    )
    answer = client.call("POST", "/products-uuid", json={"values": {"sku": value("by_uuid")}})
    assert answer.status_code == 201
    assert client.get("/products/by_uuid").status_code == 200
    model = {"code": "sub", "family_variant": "shoes_by_size", "family": "shoes"}
    assert client.call("POST", "/product-models", json=model).status_code == 201
    assert violations(client.call("POST", "/product-models", json=model)) == [
        "The same code is already set on another product model"
    ]
    assert refusal(client.call("POST", "/products", json={})) == (
        422,
        "Validation failed. The identifier field is required for this endpoint. "
        "If you want to manipulate products without identifiers, please use products-uuid endpoints.",
    )
    assert client.call("DELETE", "/product-models/sub").status_code == 204
    for code in ("renamed", "by_uuid"):
        assert client.call("DELETE", f"/products/{code}").status_code == 204


def test_an_empty_list_is_a_body_and_a_number_is_not(client: Client) -> None:
    assert client.patch("/products/shoe_18", []).status_code == 204
    assert refusal(client.patch("/products/shoe_18", 5)) == (400, "Invalid json message received")
    assert client.sandbox.stats()["defects"] == 0


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/attributes", "picture"),
        ("/families", "shoes"),
        ("/families/shoes/variants", "shoes_by_size"),
        ("/channels", "ecommerce"),
        ("/locales", "en_US"),
        ("/categories", "master"),
    ],
)
def test_structure_is_read_one_by_one_and_in_lists(client: Client, path: str, code: str) -> None:
    listed = client.get(path, limit="100").json()["_embedded"]["items"]
    single = client.get(f"{path}/{code.upper()}").json()
    assert single["code"] == code
    assert {
        **single,
        "_links": {"self": {"href": f"{client.sandbox.url}/api/rest/v1{path}/{code}"}},
    } in listed
    status, message = refusal(client.get(f"{path}/nope"))
    assert (status, message.endswith('"nope" does not exist.')) == (404, True)


def test_structure_is_filtered(client: Client) -> None:
    def codes(path: str, search: object) -> list[str]:
        answer = client.get(path, search=json.dumps(search), limit="100")
        return [item["code"] for item in answer.json()["_embedded"]["items"]]

    assert codes("/attributes", {"code": [{"operator": "IN", "value": ["picture", "MANUAL", "no"]}]}) == [
        "manual",
        "picture",
    ]
    assert "name" not in codes("/attributes", {"type": [{"operator": "IN", "value": ["pim_catalog_image"]}]})
    assert codes("/locales", {"enabled": [{"operator": "=", "value": False}]}) == ["de_DE"]
    assert codes("/families", {"has_products": [{"operator": "=", "value": True}]}) == ["shoes"]
    assert codes("/categories", {"is_root": [{"operator": "=", "value": True}]}) == ["master"]
    assert codes("/channels", "ignored") == ["ecommerce", "mobile"]
    assert len(codes("/attributes", {"updated": [{"operator": ">", "value": "2020-01-01T00:00:00Z"}]})) > 5
    assert refusal(client.get("/families/nope/variants")) == (404, 'Family "nope" does not exist.')
    assert (
        client.get("/attributes", limit="1", page="2")
        .json()["_links"]["previous"]["href"]
        .endswith("/attributes?page=1&limit=1&with_count=false")
    )


@pytest.mark.parametrize(
    ("path", "search", "expected"),
    [
        ("/attributes", '{"code":[{"operator":"LIKE","value":["x"]}]}',
         (400, 'In order to search on attribute codes you must use "IN" operator, "LIKE" given.')),
        ("/attributes", '{"code":[{"operator":"IN","value":[1]}]}', (400, "This value should be of type string.")),
        ("/attributes", '{"is_main_identifier":[{"operator":"=","value":1}]}',
         (400, "This value should be of type bool.")),
        ("/attributes", "5", (400, "The search query parameter must be a valid JSON.")),
        ("/families", '{"label":[]}',
         (400, 'Available search filters are "code, updated, has_products" and you tried to search on '
               'unavailable filter "label"')),
        ("/families", '{"updated":[{"operator":">","value":"2020-01-01"}]}',
         (400, "This value is not a valid datetime.")),
        ("/categories", '{"code":"x"}', (400, "This value should be of type array|(Traversable&ArrayAccess).")),
        ("/locales", '{"enabled":[{"operator":"=","value":"yes"}]}',
         (422, 'Filter "enabled" with operator "=" expects a boolean value.')),
        ("/locales", '{"enabled":[{"operator":"="}]}', (422, 'Value is missing for the property "enabled".')),
        ("/locales", "null", (400, "Search query parameter should be valid JSON.")),
    ],
)  # fmt: skip
def test_searches_of_structure_that_are_refused(
    client: Client, path: str, search: str, expected: tuple[int, str]
) -> None:
    assert refusal(client.get(path, search=search)) == expected


def test_attribute_options(client: Client) -> None:
    listed = client.get("/attributes/size/options").json()["_embedded"]["items"]
    assert [option["code"] for option in listed] == ["m", "s"]
    single = client.get("/attributes/SIZE/options/S").json()
    assert single == {"code": "s", "attribute": "size", "sort_order": 1, "labels": {}}
    assert refusal(client.get("/attributes/picture/options")) == (
        404,
        'Attribute "picture" does not support options. Only attributes of type "pim_catalog_simpleselect", '
        '"pim_catalog_multiselect" support options.',
    )


def products_found(client: Client, search: object, path: str = "/products", **query: str) -> list[str]:
    answer = client.get(path, search=json.dumps(search), limit="100", **query)
    assert answer.status_code == 200, answer.text
    key = {"/products": "identifier", "/products-uuid": "uuid"}.get(path, "code")
    return [item[key] for item in answer.json()["_embedded"]["items"]]


def one(name: str, operator: str, value: object = None, **more: object) -> dict[str, object]:
    return {name: [{"operator": operator, "value": value, **more}]}


def test_products_are_searched_by_values_and_properties() -> None:
    catalogue = default_catalogue()
    catalogue["products"] = [
        {
            "identifier": "b",
            "family": "shoes",
            "categories": ["boots"],
            "values": {"name": value("Über Shoe")},
        },
        {"identifier": "A", "family": "shoes", "enabled": False, "categories": ["master"]},
        {"identifier": "c"},
        {"identifier": "d", "parent": "shoe_model", "values": {"size": value("s")}},
    ]
    catalogue["product_models"][0]["values"] = {"name": value("model")}
    catalogue["categories"].append({"code": "boots", "parent": "master", "labels": {}})
    catalogue["families"][0]["attribute_requirements"] = {"ecommerce": ["sku", "name"], "mobile": ["sku"]}
    with start_sandbox(catalogue) as sandbox, Client(sandbox) as client:
        for expected, search in [
            ("Abcd", {}),
            ("A", one("enabled", "=", False)),
            ("Ab", one("categories", "IN CHILDREN", ["master"])),
            ("A", one("categories", "IN", ["master"])),
            ("cd", one("categories", "NOT IN CHILDREN", ["master"])),
            ("Acd", one("categories", "IN OR UNCLASSIFIED", ["master"])),
            ("cd", one("categories", "UNCLASSIFIED")),
            ("c", one("family", "EMPTY")),
            ("Abd", one("family", "IN", ["SHOES"])),
            ("d", one("parent", "NOT EMPTY")),
            ("b", one("name", "STARTS WITH", "über")),
            ("d", one("name", "CONTAINS", "MODEL")),
            ("d", one("name", "!=", "über shoe")),
            ("d", one("name", "DOES NOT CONTAIN", "shoe")),
            ("A", one("name", "EMPTY")),
            ("bd", one("completeness", "=", 100, scope="ecommerce")),
            ("A", one("completeness", "<", 100, scope="ecommerce")),
            ("A", one("completeness", "!=", 100, scope="ecommerce")),
            ("Abd", one("completeness", "GREATER OR EQUALS THAN ON ALL LOCALES", 50, scope="ecommerce", locales=["en_US"])),
            ("Abcd", one("updated", ">", "2020-01-01 00:00:00")),
            ("", one("updated", "BETWEEN", ["2020-01-01 00:00:00", "2020-01-02 00:00:00"])),
            ("Abcd", one("created", "SINCE LAST N DAYS", 1)),
            ("A", one("identifier", "STARTS WITH", "a")),
            ("bcd", one("sku", "NOT IN", ["a"])),
            ("d", one("size", "IN", ["S"])),
        ]:  # fmt: skip
            assert "".join(products_found(client, search)) == expected, search
        assert "".join(products_found(client, {}, scope="mobile")) == "Ab"
        assert "".join(products_found(client, one("family", "EMPTY"), scope="mobile")) == ""
        assert products_found(client, one("parent", "EMPTY"), "/product-models") == ["shoe_model"]
        assert products_found(client, one("picture", "EMPTY"), "/product-models") == ["shoe_model"]
        assert products_found(client, one("picture_scoped", "EMPTY", scope="mobile"), "/product-models") == []
        complete = client.get("/products/A", with_completenesses="true").json()["completenesses"]
        assert [item["data"] for item in complete] == [50, 50, 100]
        options = client.get("/products/d", with_attribute_options="true").json()["values"]["size"]
        assert options[0]["linked_data"] == {"attribute": "size", "code": "s", "labels": {}}


@pytest.mark.parametrize(
    ("search", "message"),
    [
        (one("identifier", "IN", "x"), "The identifier filter value should be an array"),
        (one("identifier", "IN", [1]), 'Property "identifier" expects an array of strings as data.'),
        (one("family", "IN", ["nope"]), 'Object "family" with code "nope" does not exist'),
        (one("groups", "IN", ["nope"]), 'Object "groups" with code "nope" does not exist'),
        (one("size", "IN", ["nope"]), 'Object "option" with code "nope" does not exist'),
        (one("categories", "IN", ["no", "none"]), 'Categories "no, none" do not exist.'),
        (one("enabled", "=", "true"), 'Property "enabled" expects a boolean as data, "string" given.'),
        (one("family", "IN", [["x"]]), 'Property "family" expects a string as data, "array" given.'),
        (one("picture", "=", 5), 'Property "picture" expects a string as data, "integer" given.'),
        (one("completeness", "=", 100), 'Property "completeness" expects a valid scope.'),
        (one("completeness", "=", "x", scope="mobile"), 'Property "completeness" expects a numeric as data, "string" given.'),
        (one("picture_localized", "EMPTY"), 'Attribute "picture_localized" expects a locale, none given.'),
        (one("picture_localized", "EMPTY", locale="xx"), 'Locale "xx" does not exist or is not activated.'),
        (one("picture_localized", "EMPTY", locale=5), 'Property "picture_localized" expects a string with the key "locale".'),
        (one("picture_scoped", "EMPTY", scope="x"), 'Attribute "picture_scoped" expects an existing scope, "x" given.'),
        (one("updated", ">", "2020-01-01"), 'Property "updated" expects a string with the format "Y-m-d H:i:s" as data, "" given.'),
        (one("updated", "SINCE LAST N DAYS", "x"), 'Property "updated" expects an integer as data, "string" given.'),
        (one("updated", "BETWEEN", 1), 'Property "updated" expects an array as data, "integer" given.'),
        (one("PICTURE", "EMPTY"), 'Filter on property "PICTURE" is not supported or does not support operator "EMPTY"'),
    ],
)  # fmt: skip
def test_conditions_that_are_refused(client: Client, search: object, message: str) -> None:
    assert refusal(client.get("/products", search=json.dumps(search))) == (422, message)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"scope": "nope"}, 'Scope "nope" does not exist.'),
        ({"locales": "xx,yy"}, 'Locales "xx, yy" do not exist or are not activated.'),
        ({"locales": "fr_FR", "scope": "mobile"}, 'Locale "fr_FR" is not activated for the scope "mobile".'),
    ],
)
def test_parameters_of_lists_that_are_refused(client: Client, query: dict[str, str], message: str) -> None:
    for path in ("/products", "/products-uuid", "/product-models"):
        assert refusal(client.get(path, **query)) == (422, message)


def test_another_spelling_reads_nothing_and_a_patch_in_it_renames() -> None:
    with start_sandbox() as sandbox, Client(sandbox) as client:
        assert client.get("/products/SHOE_1").status_code == 404
        assert client.upload("SHOE_1").status_code == 201
        assert client.patch("/products/SHOE_1", {}).status_code == 204
        assert client.get("/products/shoe_1").status_code == 404
        assert "picture" in client.get("/products/SHOE_1").json()["values"]
        assert client.patch_lines("/product-models", {"code": "Shoe_Model"}).json()["status_code"] == 204
        assert client.get("/product-models/shoe_model").status_code == 404
        assert client.get("/products/shoe_variant_s").json()["parent"] == "Shoe_Model"


def test_what_cannot_change_is_refused(client: Client) -> None:
    for body, message in [
        ({"parent": "shoe_model"}, 'Property "parent" cannot be modified, "shoe_model" given.'),
        ({"family_variant": "no"}, 'Property "family_variant" expects a valid family variant code. The family variant does not exist, "no" given.'),
    ]:  # fmt: skip
        assert refusal(client.patch("/product-models/shoe_model", body)) == (422, message + CHECK)
    assert refusal(client.patch(f"/products-uuid/{NO_SKU}", {"uuid": "x"})) == (
        422,
        f'The uuid "x" provided in the request body must match the uuid "{NO_SKU}" provided in the url.',
    )
    wrong = client.patch("/products/shoe_1", {"parent": "shoe_model"})
    assert violations(wrong) == [
        'Attribute "size" cannot be empty, as it is defined as an axis for this entity'
    ]


def test_an_identifier_has_its_limits(client: Client) -> None:
    assert refusal(client.patch("/products/shoe_1", {"identifier": 5})) == (
        422,
        'Property "sku" expects a string as data, "integer" given.' + CHECK,
    )
    assert refusal(client.patch("/products/shoe_1", {"identifier": None}))[0] == 422
    long = client.patch("/products/" + "x" * 256, {})
    assert violations(long) == [
        "The sku attribute must not contain more than 255 characters. The submitted value is too long."
    ]


def test_lists_keep_their_search_in_their_links(client: Client) -> None:
    search = '{"enabled":[{"operator":"=","value":true}]}'
    link = client.get("/locales", search=search).json()["_links"]["self"]["href"]
    encoded = "%7B%22enabled%22:%5B%7B%22operator%22:%22%3D%22,%22value%22:true%7D%5D%7D"
    assert link.endswith(f"/locales?page=1&limit=10&with_count=false&search={encoded}")


def test_rights(shared: RunningSandbox) -> None:
    with Client(shared, shared.connections["readonly"]) as reader:
        assert refusal(reader.patch("/products/shoe_1", {})) == (403, ACL)
        assert reader.upload("shoe_19").status_code == 201, "the endpoint has no check of its own"
        assert refusal(reader.get("/categories")) == (403, "You are not allowed to access the web API.")
    with Client(shared, shared.connections["noperm"]) as nobody:
        for path in ("/products", "/system-information", "/media-files"):
            assert refusal(nobody.get(path)) == (403, "You are not allowed to access the web API.")
    with Client(shared, shared.connections["blind"]) as blind:
        assert blind.who.client_id == "blind"
        assert refusal(blind.get("/attributes")) == (
            403,
            "Access forbidden. You are not allowed to list attributes.",
        )
        assert blind.get("/products").status_code == 403
        assert blind.get("/channels").status_code == 200


@pytest.mark.parametrize(
    ("body", "more", "expected"),
    [
        ({"grant_type": "password", "username": "x", "password": "x"}, {}, "No user found for the given username and password"),
        ({"grant_type": "password", "username": "x"}, {}, 'Parameter "grant_type", "username" or "password" is missing, empty or invalid'),
        ({"grant_type": "foo"}, {}, 'Parameter "grant_type", "username" or "password" is missing, empty or invalid'),
        ({"grant_type": "password"}, {"auth": ("x", "y")}, 'Parameter "client_id" is missing or does not match any client, or secret is invalid'),
        ({"grant_type": "password"}, {"auth": None, "headers": {"Authorization": "Basic !"}}, 'Parameter "client_id" is missing or does not match any client, or secret is invalid'),
        ({"grant_type": "client_credentials"}, {}, "This grant type is not authorized for this client"),
        ({"grant_type": "refresh_token"}, {}, 'Parameter "grant_type" or "refresh_token" is missing or empty'),
        ({"grant_type": "refresh_token", "refresh_token": "x"}, {}, "Refresh token is invalid or has expired"),
        ([], {}, 'Parameter "grant_type", "username" or "password" is missing, empty or invalid'),
    ],
)  # fmt: skip
def test_logins_that_are_refused(
    client: Client, body: object, more: dict[str, object], expected: str
) -> None:
    assert refusal(client.token(body, **more)) == (422, expected)


def test_other_refusals_of_the_token_endpoint(client: Client, shared: RunningSandbox) -> None:
    assert refusal(client.token({"x": "y" * 300})) == (
        413,
        "Request content exceeded the maximum allowed size of 300 bytes",
    )
    status, message = refusal(client.token(None, data="<x/>", headers={"Content-Type": "application/xml"}))
    assert status == 415
    assert message.endswith('Only "application/json" or "application/x-www-form-urlencoded" are allowed.')
    answer = client.call("GET", f"{shared.url}/api/oauth/v1/token")
    assert answer.status_code == 405
    assert answer.headers["Allow"] == "POST"
    with Client(shared, shared.connections["readonly"]) as reader:
        mine = {"grant_type": "refresh_token", "refresh_token": reader.tokens["refresh_token"]}
    assert refusal(client.token(mine)) == (422, "Refresh token is invalid or has expired")


def test_the_way_in(client: Client, shared: RunningSandbox) -> None:
    token = client.tokens["access_token"]
    none = "Full authentication is required to access this resource."
    for header in ("", "Bearer", "Bearer ", "Basic eDp5", "bearer x"):
        assert refusal(client.call("GET", "/media-files", headers={"Authorization": header})) == (401, none)
    answer = client.call("GET", "/media-files", headers={"Authorization": ""}, params={"access_token": token})
    assert answer.status_code == 200
    only = 'Only "application/json" is allowed.'
    answer = client.call("GET", "/media-files", headers={"Accept": "image/*"})
    assert refusal(answer) == (406, f'"image/*" in "Accept" header is not valid. {only}')
    assert refusal(client.get("/media-files?x[]=1")) == (
        400,
        "Bracket syntax is not supported in query parameters.",
    )
    url = f"{shared.url}/api/rest/v1/products/shoe_1"
    answer = client.call("PUT", "/products/shoe_1", json={})
    assert refusal(answer) == (
        405,
        f'No route found for "PUT {url}": Method Not Allowed (Allow: GET, PATCH, DELETE)',
    )
    assert refusal(client.get("/nope")) == (404, f'No route found for "GET {shared.url}/api/rest/v1/nope"')
    assert client.call("HEAD", "/media-files").status_code == 200
    assert client.call("POST", "/attributes", json={}).status_code == 501


def test_the_root_lists_only_the_routes_there_are(client: Client) -> None:
    body = client.call("GET", "", headers={"Authorization": ""}).json()
    assert body["host"] == client.sandbox.url
    paths = {(route["route"], method) for route in body["routes"].values() for method in route["methods"]}
    assert ("/api/rest/v1/media-files", "POST") in paths
    assert not {path for path, _ in paths if "asset" in path or "reference" in path}
    assert client.call("POST", "/asset-media-files").status_code == 404
    assert client.get("/system-information").json() == {"version": "master", "edition": "CE"}


def test_location_and_links_repeat_the_host_that_was_asked(client: Client) -> None:
    answer = client.call("GET", "/channels", headers={"Host": "pim.example"})
    assert answer.json()["_links"]["self"]["href"].startswith("http://pim.example/api/rest/v1/channels?")


def test_two_levels_of_models() -> None:
    catalogue = default_catalogue()
    catalogue["family_variants"]["shoes"] = [
        {
            "code": "deep",
            "labels": {},
            "variant_attribute_sets": [
                {"level": 1, "axes": ["size"], "attributes": ["size", "picture"]},
                {"level": 2, "axes": [], "attributes": ["sku", "picture_2"]},
            ],
        }
    ]
    catalogue["product_models"] = [
        {"code": "root", "family": "shoes", "family_variant": "deep"},
        {"code": "sub", "family": "shoes", "family_variant": "deep", "parent": "root"},
    ]
    catalogue["products"] = [{"identifier": "variant", "parent": "sub"}]
    with start_sandbox(catalogue) as sandbox, Client(sandbox) as client:
        model = partial(client.upload, kind="product_model")
        assert model("root").status_code == 422
        assert model("sub").status_code == 201
        assert client.upload("variant").status_code == 422
        assert client.upload("variant", "picture_2").status_code == 201
        assert model("root", "picture_scoped", scope="mobile").status_code == 201
        product = client.get("/products/variant").json()
        assert product["family"] == "shoes"
        assert set(product["values"]) == {"sku", "picture", "picture_2", "picture_scoped"}
