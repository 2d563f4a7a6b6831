# ruff: noqa: E501 (the PIM's texts are long)
"""`/media-files`: what is taken, what is refused and in which words, what is left behind."""

from __future__ import annotations

import hashlib
import json
import re
from urllib.parse import quote

import pytest
import requests

from akeneo_media_cli.sandbox import RunningSandbox

from ..client import FORM, JPG, PDF, PNG, Client, refusal, violations

CODE = re.compile(r"([0-9a-f]/){4}[0-9a-f]{40}_[A-Za-z0-9_.]*")


def stored(client: Client) -> tuple[int, int]:
    """Rows in the file table and files on disk."""
    stats = client.sandbox.stats()
    return stats["rows"], stats["files_on_disk"]


def code_of(answer: requests.Response) -> str:
    assert answer.status_code == 201, answer.text
    return answer.headers["Location"].split("/media-files/")[1]


def test_a_file_comes_back_as_it_was_sent(client: Client) -> None:
    data = JPG + bytes(range(256)) * 5000
    answer = client.upload("shoe_1", name="Ünïcode 😀.JPG", data=data)
    code = code_of(answer)
    assert CODE.fullmatch(code)
    assert answer.content == b""
    assert answer.headers["Content-Length"] == "0"
    about = client.get(f"/media-files/{code}").json()
    assert about.pop("_links")["download"]["href"] == f"{answer.headers['Location']}/download"
    assert about == {
        "code": code,
        "original_filename": "Ünïcode 😀.JPG",
        "mime_type": "image/jpeg",
        "size": len(data),
        "extension": "JPG",
    }
    download = client.get(f"/media-files/{code}/download")
    assert download.content == data
    assert download.headers["Content-Type"] == "image/jpeg"
    assert "Content-Length" not in download.headers
    value = client.get("/products/shoe_1").json()["values"]["picture"][0]
    assert value["data"] == code
    (found,) = [v for v in client.sandbox.values() if v["media_code"] == code]
    assert found["sha256"] == hashlib.sha256(data).hexdigest()
    assert (found["size"], found["identifier"], found["attribute"]) == (len(data), "shoe_1", "picture")


@pytest.mark.parametrize(
    ("sent", "kept", "safe"),
    [
        (b"a b-c.jpg", "a b-c.jpg", "a_b_c.jpg"),
        (b'quo\\"te.jpg', 'quo"te.jpg', "quo_te.jpg"),
        (b"back\\\\slash.jpg", "slash.jpg", "slash.jpg"),
        (b"../../etc/x.jpg", "x.jpg", "x.jpg"),
        (b"%22.jpg", "%22.jpg", "_22.jpg"),
        (b"trailing.", "trailing.", "trailing."),
        (b"noext", "noext", "noext"),
        ("é".encode() + b".jpg", "é.jpg", "__.jpg"),
        (b"n" * 120 + b".jpg", "n" * 120 + ".jpg", "n" * 95 + ".jpg"),
        (b"semi;colon.jpg", "semi;colon.jpg", "semi_colon.jpg"),
    ],
)
def test_names_are_kept_as_php_takes_them(client: Client, sent: bytes, kept: str, safe: str) -> None:
    code = code_of(
        post(client, part(b'name="product"', place()), part(b'name="file"; filename="%s"' % sent, JPG))
    )
    assert code[49:] == safe
    assert client.get(f"/media-files/{code}").json()["original_filename"] == kept


def place(**changes: object) -> bytes:
    values = {"identifier": "shoe_2", "attribute": "picture", "locale": None, "scope": None, **changes}
    return json.dumps(values).encode()


def part(disposition: bytes, value: bytes) -> bytes:
    return b"--b\r\nContent-Disposition: form-data; %s\r\n\r\n%s\r\n" % (disposition, value)


def post(client: Client, *parts: bytes, end: bytes = b"--b--\r\n", kind: str = FORM) -> requests.Response:
    headers = {"Content-Type": kind.removeprefix("Content-Type: ")}
    return client.call("POST", "/media-files", data=b"".join(parts) + end, headers=headers)


FILE = part(b'name="file"; filename="a.jpg"', JPG)
PRODUCT = part(b'name="product"', place())
NEITHER = 'You should at least give one of the following properties: "product" or "product_model".'
KEYS = 'Product property must contain "identifier", "attribute", "locale" and "scope" properties.'
MODEL_KEYS = 'Product model property must contain "code", "attribute", "locale" and "scope" properties.'
CRASH = (500, "Internal Server Error")


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ([FILE], (422, NEITHER)),
        ([], (422, NEITHER)),
        ([part(b'name="product"; filename="p.json"', place()), FILE], (422, NEITHER)),
        ([PRODUCT, part(b'name="product_model"', b"{}"), FILE],
         (422, 'You should give either a "product" or a "product_model" key.')),
        ([part(b'name="product"', b"null"), FILE], (400, "Invalid json message received")),
        ([part(b'name="product"', b"{"), FILE], (400, "Invalid json message received")),
        ([part(b'name="product"', b"\xff"), FILE], (400, "Invalid json message received")),
        ([part(b'name="product"', json.dumps(place().decode()).encode()), FILE], (422, KEYS)),
        ([part(b'name="product"', b"5"), FILE], (422, KEYS)),
        ([part(b'name="product"', b"[]"), FILE], (422, KEYS)),
        ([part(b'name="product"', place(identifier=None)), FILE], (422, KEYS)),
        ([part(b'name="product_model"', place(code="shoe_model")[:-1] + b"}"), part(b'name="file"', JPG)],
         (422, 'Property "file" is required.')),
        ([part(b'name="product_model"', place()), FILE], (422, MODEL_KEYS)),
        ([part(b'name="product"', place(identifier="nope")), FILE], (422, 'Product "nope" does not exist.')),
        ([part(b'name="product"', place(identifier="nope"))], (422, 'Product "nope" does not exist.')),
        ([PRODUCT], (422, 'Property "file" is required.')),
        ([PRODUCT, part(b'name="file"', JPG)], (422, 'Property "file" is required.')),
        ([PRODUCT, part(b"name=\"file\"; filename*=UTF-8''a.jpg", JPG)], (422, 'Property "file" is required.')),
        ([PRODUCT, part(b'name="file"; filename=""', b"")], CRASH),
        ([PRODUCT, part(b'name="file[]"; filename="a.jpg"', JPG)], CRASH),
        ([part(b'name="product[identifier]"', b"x"), FILE], CRASH),
        ([part(b'name="product"', place(locale=5)), FILE],
         (422, 'Property "picture" expects a value with a string as locale, "integer" given.')),
        ([part(b'name="product"', place(attribute=5)), FILE], (422, "The 5 attribute does not exist in your PIM.")),
        ([part(b'name="product"', place(identifier=True)), FILE], (422, 'Product "1" does not exist.')),
        ([part(b'name="product"', place(attribute=["a"])), FILE], CRASH),
    ],
)  # fmt: skip
def test_what_the_form_lacks(client: Client, parts: list[bytes], expected: tuple[int, str]) -> None:
    assert refusal(post(client, *parts)) == expected


@pytest.mark.parametrize("kind", ["multipart/form-data", "multipart/form-data; boundary="])
def test_without_boundary_php_reads_nothing(client: Client, kind: str) -> None:
    assert refusal(post(client, PRODUCT, FILE, kind=kind)) == (422, NEITHER)


def test_a_quoted_boundary_and_odd_parts_are_fine(client: Client) -> None:
    odd = part(b'name="x.y"', b"1") + part(b"name=bare", b"1") + part(b'name="product"', place())
    assert post(client, odd, FILE, kind='multipart/form-data; charset=utf-8; boundary="b"').status_code == 201


def test_the_last_of_two_parts_counts(client: Client) -> None:
    before = stored(client)
    second = part(b'name="file"; filename="b.png"', PNG)
    code = code_of(post(client, part(b'name="product"', place(identifier="x")), PRODUCT, FILE, second))
    assert code.endswith("_b.png")
    assert stored(client) == (before[0] + 1, before[1] + 1)


def test_a_multipart_without_its_end_is_a_failed_upload(client: Client) -> None:
    before = stored(client)
    assert refusal(post(client, PRODUCT, FILE, end=b"")) == CRASH
    assert refusal(post(client, PRODUCT, FILE[:-2], end=b"")) == CRASH
    assert refusal(post(client, FILE, PRODUCT[:-10], end=b""))[0] in (400, 422)
    assert stored(client) == before


def test_what_is_no_multipart_is_passed_over(client: Client) -> None:
    assert refusal(post(client, b"hello", end=b"")) == (422, NEITHER)
    assert refusal(post(client, b"--b\r\nno header\r\n\r\nx\r\n")) == (422, NEITHER)


@pytest.mark.parametrize("kind", ["", "application/json", "Multipart/Form-Data; boundary=b", "text/plain"])
def test_another_content_type_is_415(client: Client, kind: str) -> None:
    answer = client.call("POST", "/media-files", data=PRODUCT + FILE, headers={"Content-Type": kind})
    status, message = refusal(answer)
    assert status == 415
    assert message.startswith(
        f'"{kind.partition(";")[0]}" in' if kind else 'The "Content-Type" header is missing.'
    )


@pytest.mark.parametrize(
    ("name", "rows", "files"),
    [("n" * 252 + ".jpg", 0, 1), ("x.abcdefghijk", 0, 1), ("n" * 251 + ".jpg", 1, 1), ("x.abcdefghij", 1, 1)],
)
def test_names_too_long_crash_and_leave_their_bytes(client: Client, name: str, rows: int, files: int) -> None:
    before = stored(client)
    answer = client.upload("shoe_3", name=name)
    assert answer.status_code == (201 if rows else 500)
    assert stored(client) == (before[0] + rows, before[1] + files)


def test_latin_1_in_a_name_crashes(client: Client) -> None:
    before = stored(client)
    assert refusal(post(client, PRODUCT, part(b'name="file"; filename="caf\xe9.jpg"', JPG))) == CRASH
    assert stored(client) == (before[0], before[1] + 1)


def test_a_long_name_with_an_odd_extension_crashes_after_saving(client: Client) -> None:
    before = stored(client)
    assert refusal(client.upload("shoe_4", name="n" * 120 + ".é")) == CRASH
    assert stored(client) == (before[0] + 1, before[1] + 1)
    assert "picture" in client.get("/products/shoe_4").json()["values"]


@pytest.mark.parametrize(
    ("attribute", "locale", "scope", "message"),
    [
        ("nope", None, None, "The nope attribute does not exist in your PIM."),
        ("picture", "en_US", None,
         "The picture attribute requires neither a channel (nothing was detected) nor a locale (en_US was detected)."),
        ("picture_localized", None, "mobile",
         "The picture_localized attribute does not require a value per channel (mobile was detected) "
         "but requires a value per locale (nothing was detected)."),
        ("picture_scoped", "en_US", None,
         "The picture_scoped attribute requires a value per channel (nothing was detected) "
         "but does not require a value per locale (en_US was detected)."),
        ("picture_both", None, None,
         "The picture_both attribute requires a value per channel (nothing was detected) "
         "and a locale (nothing was detected)."),
        ("color", None, None, 'Property "color" expects an array as data, "string" given.'),
        ("waterproof", None, None, 'Property "waterproof" expects a boolean as data, "string" given.'),
    ],
)  # fmt: skip
def test_values_that_cannot_be_set(
    client: Client, attribute: str, locale: str | None, scope: str | None, message: str
) -> None:
    before = stored(client)
    answer = client.upload("shoe_5", attribute, locale=locale, scope=scope)
    assert refusal(answer) == (422, message)
    assert "errors" not in answer.json()
    assert stored(client) == (before[0], before[1] + 1), "the bytes stay, the row goes"


@pytest.mark.parametrize(
    ("attribute", "locale", "scope", "name", "data", "messages"),
    [
        ("picture_scoped", None, "nope", "a.jpg", JPG,
         ["The picture_scoped attribute requires a value per channel. The nope channel (scope) must exist in your PIM"]),
        ("picture_localized", "xx_XX", None, "a.jpg", JPG,
         ["The picture_localized attribute requires a valid locale. The xx_XX locale does not exist."]),
        ("picture_localized", "de_DE", None, "a.jpg", JPG,
         ["The picture_localized attribute requires a valid locale. The de_DE locale does not exist."]),
        ("picture_both", "fr_FR", "mobile", "a.jpg", JPG,
         ["The picture_both attribute requires a valid locale. The fr_FR locale is not bound to the mobile channel."]),
        ("picture_both", "en_us", "mobile", "a.jpg", JPG,
         ["The picture_both attribute requires a valid locale. The en_us locale is not bound to the mobile channel."]),
        ("french", "en_US", None, "a.jpg", JPG, ["The en_US locale is not available on the french attribute."]),
        ("manual", None, None, "a.exe", b"text",
         ["The exe file extension is not allowed for the manual attribute. Allowed extensions are pdf, txt."]),
        ("manual", None, None, "a.pdf", b"text",
         ["The MIME type is not allowed for pdf (allowed types: application/pdf, found text/plain)."]),
        ("tiny", None, None, "a.jpg", PNG,
         ["The MIME type is not allowed for jpg (allowed types: image/jpeg, found image/png)."]),
        ("tiny", None, None, "a.gif", PNG + b"x" * 20_000,
         ["The file a.gif is too large (0.02 MB). The tiny attribute can not exceed 0.01 MB.",
          "The gif file extension is not allowed for the tiny attribute. Allowed extensions are jpg, png.",
          "The MIME type is not allowed for gif (allowed types: image/gif, found image/png)."]),
    ],
)  # fmt: skip
def test_values_found_wrong(
    client: Client,
    attribute: str,
    locale: str | None,
    scope: str | None,
    name: str,
    data: bytes,
    messages: list[str],
) -> None:
    before = stored(client)
    answer = client.upload("shoe_6", attribute, name, data, locale, scope)
    assert violations(answer) == messages
    assert answer.json()["errors"][0] == {
        "property": "values",
        "message": messages[0],
        "attribute": attribute,
        "locale": locale,
        "scope": scope,
    }
    assert stored(client) == (before[0], before[1] + 1)


def test_levels_of_a_family_variant(client: Client) -> None:
    other = 'Cannot set the property "{}" to this entity as it is not in the attribute set'
    answer = client.upload("shoe_model", "picture_scoped", scope="mobile", kind="product_model")
    assert violations(answer) == [other.format("picture_scoped")]
    assert answer.json()["errors"][0]["property"] == "attribute"
    assert violations(client.upload("shoe_variant_s")) == [other.format("picture")]
    assert violations(client.upload("shoe_variant_s", "stray")) == [
        'Attribute "stray" does not belong to the family "shoes"'
    ]
    assert refusal(client.upload("shoe_model", "nope", kind="product_model")) == (
        422,
        'Property "nope" does not exist.',
    )
    assert client.upload("shoe_model", kind="product_model").status_code == 201
    assert "picture" in client.get("/products/shoe_variant_s").json()["values"], "a variant shows its model's"


def test_an_identifier_attribute_is_overwritten(client: Client) -> None:
    code = code_of(client.upload("shoe_7", "sku"))
    assert client.get("/products/shoe_7").status_code == 404
    assert client.get(f"/products/{code}").json()["identifier"] == code


def test_a_text_attribute_takes_the_code_as_text(client: Client) -> None:
    code = code_of(client.upload("shoe_8", "name"))
    assert client.get("/products/shoe_8").json()["values"]["name"][0]["data"] == code


@pytest.mark.parametrize("identifier", ["SHOE_9", "shoe_9 ", "shöe_9"])
def test_codes_are_found_as_mysql_finds_them(client: Client, identifier: str) -> None:
    assert client.upload(identifier, "PICTURE_LOCALIZED", locale="EN_us").status_code == 201
    assert "picture_localized" in client.get("/products/shoe_9").json()["values"]
    assert client.get("/products/shoe_9").json()["values"]["picture_localized"][0]["locale"] == "en_US"


def test_a_file_over_phps_limit_crashes_before_it_is_stored(client: Client) -> None:
    before = stored(client)
    assert refusal(client.upload("shoe_1", data=b"x" * 3_000_001)) == CRASH
    assert stored(client) == before


@pytest.mark.parametrize(("name", "data"), [("empty.jpg", b""), ("a.pdf", PDF), ("fake.jpg", b"text")])
def test_an_attribute_without_extensions_takes_anything(client: Client, name: str, data: bytes) -> None:
    assert client.upload("shoe_10", name=name, data=data).status_code == 201


def test_the_list_of_media_files(client: Client) -> None:
    for n in range(3):
        client.upload("shoe_11", name=f"{n}.jpg")
    page = client.get("/media-files", limit=2, page=2, with_count="true").json()
    assert page["current_page"] == 2
    assert len(page["_embedded"]["items"]) == 2
    assert page["items_count"] == client.sandbox.stats()["media_files"]
    base = f"{client.sandbox.url}/api/rest/v1/media-files?page={{}}&limit=2&with_count=true"
    numbers = {"self": 2, "first": 1, "previous": 1, "next": 3}
    assert page["_links"] == {name: {"href": base.format(n)} for name, n in numbers.items()}
    item = page["_embedded"]["items"][0]
    assert set(item["_links"]) == {"self", "download"}
    assert item["_links"]["self"]["href"].endswith(f"/media-files/{quote(item['code'])}")


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"limit": "101"}, "You cannot request more than 100 items."),
        ({"limit": "0"}, '"0" is not a valid limit number.'),
        ({"limit": "x"}, '"x" is not a valid limit number.'),
        ({"limit": "1.5"}, '"1.5" is not a valid limit number.'),
        ({"page": "0"}, '"0" is not a valid page number.'),
        ({"page": "x"}, '"x" is not a valid page number.'),
        ({"with_count": "1"},
         'Parameter "with_count" has to be a boolean. Only "true" or "false" allowed, "1" given.'),
        ({"pagination_type": "search_after"}, "Pagination type is not supported."),
        ({"pagination_type": "x"}, "Pagination type does not exist."),
    ],
)  # fmt: skip
def test_wrong_parameters_of_a_list(client: Client, query: dict[str, str], message: str) -> None:
    assert refusal(client.get("/media-files", **query)) == (422, message)


def test_unknown_media_files(client: Client, shared: RunningSandbox) -> None:
    missing = (404, 'Media file "a/b/c/d/no.jpg" does not exist.')
    assert refusal(client.get("/media-files/a/b/c/d/no.jpg")) == missing
    assert refusal(client.get("/media-files/a/b/c/d/no.jpg/download")) == missing
    assert refusal(client.get("/category-media-files/a/b/c/d/no.jpg/download")) == missing
    code = code_of(client.upload("shoe_12"))
    answer = client.get(f"/media-files/{code.replace('/', '%2F')}")
    assert (answer.status_code, answer.headers["Content-Type"]) == (404, "text/html; charset=utf-8")
    assert client.get("/media-files/what-is-this").status_code == 404
    shared.inside(lambda: shared.store.media.path(code).unlink())
    assert refusal(client.get(f"/media-files/{code}/download")) == (
        404,
        f'Media file "{code}" is not present on the filesystem.',
    )
