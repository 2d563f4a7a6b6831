"""What the PIM's refusals are taken for: the answers are a real PIM's, of several versions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from akeneo_media_cli.errors import AccessError, Kind
from akeneo_media_cli.pim.answers.types import Attribute
from akeneo_media_cli.pim.errors import Refusal
from akeneo_media_cli.pim.http.multipart import FileBody, ValueRef
from akeneo_media_cli.pim.http.source import PathSource

from .conftest import Pim
from .server import Reply, page, refuses, says

PICTURE = Attribute("picture", "pim_catalog_image")


def values(message: str, attribute: str, locale: str | None = None, scope: str | None = None) -> Any:
    return {
        "property": "values",
        "message": message,
        "attribute": attribute,
        "locale": locale,
        "scope": scope,
    }


def invalid(*errors: Any) -> Reply:
    return refuses(422, "Validation failed.", *errors)


@pytest.fixture
def refused(pim: Pim, tmp_path: Path) -> Any:
    """`refused(reply, ...)`: the failure of an upload that is answered so."""

    def call(
        reply: Reply,
        *,
        name: str = "small.jpg",
        size: int = 775,
        attribute: str = "picture",
        locale: str | None = None,
        scope: str | None = None,
        known: Attribute | None = None,
        code: str = "shoe_1",
    ) -> Any:
        path = tmp_path / "file"
        with path.open("wb") as out:
            out.truncate(size)
        client, _ = pim(lambda r: reply)
        body = FileBody(
            PathSource(path), value=ValueRef("product", code, attribute, locale, scope), filename=name
        )
        with pytest.raises(Refusal) as caught:
            client.upload_product(body, known)
        failure = caught.value.failure
        assert failure.hint
        assert failure.http_status == reply.status
        return failure

    return call


SIMPLE = [
    ('Product "shoe_1" does not exist.', {}, Kind.TARGET_UNKNOWN),
    ('Le produit "SHOE_1" est inconnu.', {}, Kind.TARGET_UNKNOWN),
    ('Product "product" does not exist.', {"code": "product"}, Kind.TARGET_UNKNOWN),
    ('Property "file" is required.', {}, Kind.REFUSED),
    (
        "The picture attribute requires a value per channel (nothing was detected) and a "
        "locale (en_US was detected).",
        {"locale": "en_US", "known": Attribute("picture", "pim_catalog_image", True, True)},
        Kind.SCOPE_REQUIRED,
    ),
    (
        "The picture attribute requires neither a channel (print was detected) nor a "
        "locale (nothing was detected).",
        {"scope": "print", "known": PICTURE},
        Kind.SCOPE_UNEXPECTED,
    ),
    (
        'Attribute "picture" expects a locale, none given.',
        {"known": Attribute("picture", "pim_catalog_image", False, True)},
        Kind.LOCALE_REQUIRED,
    ),
    (
        'Attribute "picture" does not expect a locale, "en_US" given.',
        {"locale": "en_US", "known": PICTURE},
        Kind.LOCALE_UNEXPECTED,
    ),
    ("The picture attribute is out of order.", {"known": PICTURE}, Kind.REFUSED),
    # Nobody asked for the attribute before: --no-preflight.
    ("The picture attribute does not exist in your PIM.", {}, Kind.ATTRIBUTE_UNKNOWN),
    ('Property "picture" does not exist.', {}, Kind.ATTRIBUTE_UNKNOWN),
    ('Attribute "picture" expects a locale, none given.', {}, Kind.LOCALE_REQUIRED),
    ('Attribute "picture" expects a scope, none given.', {}, Kind.SCOPE_REQUIRED),
    (
        "The picture attribute does not require a value per channel (nothing was detected) but requires a "
        "value per locale (nothing was detected).",
        {},
        Kind.LOCALE_REQUIRED,
    ),
    (
        "The picture attribute requires a value per channel (mobile was detected) and a locale (nothing was "
        "detected).",
        {"scope": "mobile"},
        Kind.LOCALE_REQUIRED,
    ),
    (
        "The picture attribute requires neither a channel (nothing was detected) nor a locale (en_US was "
        "detected).",
        {"locale": "en_US"},
        Kind.REFUSED,
    ),
    ("The fr_FR attribute does not exist in your PIM.", {"locale": "fr_FR"}, Kind.LOCALE_UNKNOWN),
    (
        'You should at least give one of the following properties: "product" or "product_model".',
        {"size": 9_000_000},
        Kind.BODY_TOO_LARGE,
    ),
    ('Property "product" is required.', {"size": 9_000_000}, Kind.BODY_TOO_LARGE),
    (
        'You should at least give one of the following properties: "product" or "product_model".',
        {},
        Kind.REFUSED,
    ),
]


@pytest.mark.parametrize(("message", "sent", "kind"), SIMPLE)
def test_refusals_without_errors(refused: Any, message: str, sent: dict[str, Any], kind: Kind) -> None:
    failure = refused(refuses(422, message), **sent)
    assert failure.kind is kind
    assert failure.message == message


def test_the_hint_for_a_body_that_php_dropped(refused: Any) -> None:
    message = 'You should at least give one of the following properties: "product" or "product_model".'
    assert "post_max_size" in refused(refuses(422, message), size=9_000_000).hint


def test_texts_refine_the_hint(refused: Any) -> None:
    scoped = refused(
        refuses(422, "The picture attribute requires a value per channel (print was detected)"), scope="print"
    )
    assert "scope" in scoped.hint
    unknown = refused(refuses(422, "Das Attribut picture gibt es nicht."))
    assert "exists" in unknown.hint


VIOLATIONS = [
    (
        values(
            "The picture attribute requires a value per channel. The nope channel (scope) "
            "must exist in your PIM",
            "picture",
            None,
            "nope",
        ),
        {"scope": "nope"},
        Kind.CHANNEL_UNKNOWN,
    ),
    (
        values("The picture attribute requires a valid locale. The de_DE locale does not exist.", "picture"),
        {"locale": "de_DE"},
        Kind.LOCALE_UNKNOWN,
    ),
    (
        values("The fr_FR locale is not bound to the mobile channel.", "PICTURE", "fr_FR", "mobile"),
        {"locale": "fr_FR", "scope": "mobile"},
        Kind.LOCALE_NOT_IN_CHANNEL,
    ),
    (
        values("The en_US locale is not available on the picture attribute.", "picture", "en_US"),
        {
            "locale": "en_US",
            "known": Attribute("picture", "pim_catalog_image", False, True, ("fr_FR", "de_DE")),
        },
        Kind.LOCALE_NOT_AVAILABLE,
    ),
    (
        values(
            "The exe file extension is not allowed for the picture attribute. Allowed "
            "extensions are pdf, txt.",
            "picture",
        ),
        {"name": "virus.exe"},
        Kind.EXTENSION_NOT_ALLOWED,
    ),
    (
        values("The file extension is not allowed (allowed extensions: jpg, gif, png).", "picture"),
        {"name": "a.bmp"},
        Kind.EXTENSION_NOT_ALLOWED,
    ),
    (
        values("The  file extension is not allowed for the picture attribute.", "picture"),
        {"name": "noextension"},
        Kind.EXTENSION_NOT_ALLOWED,
    ),
    (
        values("Die Endung tiff ist verboten.", "picture"),
        {"name": "a.tiff", "known": Attribute("picture", "pim_catalog_image", allowed_extensions=("jpg",))},
        Kind.EXTENSION_NOT_ALLOWED,
    ),
    (
        values(
            "The MIME type is not allowed for pdf (allowed types: application/pdf, found text/plain).",
            "picture",
        ),
        {"name": "a.pdf"},
        Kind.MIME_NOT_ALLOWED,
    ),
    (
        values(
            "The file p1.pdf is too large (1000001 bytes). The picture attribute can not "
            "exceed 1000000 bytes.",
            "picture",
        ),
        {"name": "p1.pdf", "size": 1_000_001},
        Kind.FILE_TOO_LARGE,
    ),
    (
        values("The file is too large (1.05 MB). Allowed maximum size is 1 MB.", "picture"),
        {"size": 1_050_000},
        Kind.FILE_TOO_LARGE,
    ),
    (
        values("The a/b/c/d/0f_small.jpg value is not in the picture attribute option list.", "picture"),
        {},
        Kind.REFUSED,
    ),
    (
        {
            "property": "attribute",
            "message": 'Cannot set the property "picture" to this entity as it is not in the attribute set',
        },
        {},
        Kind.ATTRIBUTE_WRONG_LEVEL,
    ),
    (
        {"property": "attribute", "message": 'Attribute "picture" does not belong to the family "shoes"'},
        {},
        Kind.ATTRIBUTE_NOT_IN_FAMILY,
    ),
    (values("This value is not valid.", "weight"), {}, Kind.TARGET_INVALID),
    ({"property": "identifier", "message": "already set on another product"}, {}, Kind.TARGET_INVALID),
]


@pytest.mark.parametrize(("error", "sent", "kind"), VIOLATIONS)
def test_violations(refused: Any, error: Any, sent: dict[str, Any], kind: Kind) -> None:
    failure = refused(invalid(error), **sent)
    assert failure.kind is kind
    assert failure.message == f"Validation failed. {error['message']}"


def test_another_attribute_is_named(refused: Any) -> None:
    failure = refused(invalid(values("Not valid.", "weight"), values("Not valid.", "colour")))
    assert failure.kind is Kind.TARGET_INVALID
    assert "colour, weight" in failure.hint


def test_of_several_violations_ours_counts(refused: Any) -> None:
    failure = refused(
        invalid(
            values("Not valid.", "weight"),
            values("The file m.txt is too large (1.05 MB). The picture attribute ...", "picture"),
            values("The MIME type is not allowed for txt (allowed types: text/plain)", "picture"),
        ),
        name="m.txt",
    )
    assert failure.kind is Kind.FILE_TOO_LARGE
    assert "MIME" in failure.message


def test_the_hint_names_what_the_attribute_takes(refused: Any) -> None:
    known = Attribute("picture", "pim_catalog_image", allowed_extensions=("jpg", "png"))
    failure = refused(invalid(values("no", "picture")), name="a.TIFF", known=known)
    assert failure.hint.startswith("picture takes jpg, png:")


@pytest.mark.parametrize(
    ("reply", "kind", "words"),
    [
        (page(413, "Request Entity Too Large"), Kind.BODY_TOO_LARGE, "client_max_body_size"),
        (page(403, "Request blocked. We can't connect"), Kind.BLOCKED, "firewall"),
        (says(403, {"message": "Forbidden"}), Kind.BLOCKED, "firewall"),
        (
            refuses(403, 'Product "shoe_1" cannot be updated. You only have a view right on this product.'),
            Kind.FORBIDDEN,
            "right",
        ),
        (refuses(403, 'You only have a view permission on the locale "de_DE".'), Kind.FORBIDDEN, "right"),
        (
            refuses(404, 'Product "shoe_1" does not exist or you do not have permission to access it.'),
            Kind.TARGET_UNKNOWN,
            "right",
        ),
        (refuses(404, 'No route found for "POST /api/rest/v1/media-files"'), Kind.ROUTE_MISSING, "version"),
        (page(404, "Not Found"), Kind.ROUTE_MISSING, "AKENEO_URL"),
        (refuses(405, "Method Not Allowed"), Kind.ROUTE_MISSING, "version"),
        (refuses(400, "Invalid json message received"), Kind.REFUSED, "message"),
        (refuses(415, '"x" in "Content-Type" header is not valid.'), Kind.REFUSED, "message"),
        (page(422, "Unprocessable"), Kind.REFUSED, "message"),
        (page(501, "Not Implemented"), Kind.REFUSED, "message"),
        (page(411, "Length Required"), Kind.REFUSED, "message"),
    ],
)
def test_other_statuses(refused: Any, reply: Reply, kind: Kind, words: str) -> None:
    failure = refused(reply, locale="de_DE")
    assert failure.kind is kind
    assert words in failure.hint


def test_pages_are_shown_as_words(refused: Any) -> None:
    reply = Reply(
        413,
        b"<html><style>body{color:red}</style><h1>413  Request&nbsp;Entity</h1>\n<script>x()</script>"
        b"<hr>nginx \xff</html>",
    )
    assert refused(reply).message == "HTTP 413 Said: 413 Request Entity nginx \ufffd"
    assert refused(Reply(413)).message == "HTTP 413 Said"


@pytest.mark.parametrize("errors", ["text", [1, None], [{"message": 5}], {}])
def test_errors_of_any_shape(refused: Any, errors: Any) -> None:
    body = {"code": 422, "message": ["x"], "errors": errors}
    assert refused(says(422, body)).kind in (Kind.REFUSED, Kind.TARGET_INVALID)


def test_a_403_that_names_nothing_is_about_the_user(pim: Pim, tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"x")
    client, _ = pim(lambda r: refuses(403, "You are not allowed to access the web API."))
    body = FileBody(PathSource(tmp_path / "a.jpg"), value=ValueRef("product", "shoe_1", "picture"))
    with pytest.raises(AccessError) as caught:
        client.upload_product(body)
    assert caught.value.kind is Kind.API_FORBIDDEN
    # Elsewhere the same text may be about that endpoint alone: a PIM was seen to say it of categories.
    with pytest.raises(Refusal) as refusal:
        client.categories(["master"])
    assert refusal.value.failure.kind is Kind.FORBIDDEN
    with pytest.raises(Refusal) as refusal:
        client.upload_asset_media(FileBody(PathSource(tmp_path / "a.jpg")))
    assert refusal.value.failure.kind is Kind.FORBIDDEN
