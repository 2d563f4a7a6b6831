"""The rules of the PIM's catalogue, one by one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from akeneo_media_cli.errors import Failure, Kind
from akeneo_media_cli.pim.answers.types import Attribute, Channel
from akeneo_media_cli.preflight import checks
from akeneo_media_cli.preflight.checks import Scoping

CHANNELS = (Channel("ecommerce", ("en_US", "fr_FR")), Channel("mobile", ("en_US",)))
KNOWN = Scoping.of(CHANNELS, ("en_US", "fr_FR", "es_ES"))
BLIND = Scoping.of(None, None)


def image(scopable: bool = False, localizable: bool = False, **more: object) -> Attribute:
    return Attribute("picture", "pim_catalog_image", scopable, localizable, **more)  # type: ignore[arg-type]


def kind(found: object) -> Kind | None:
    return found.kind if isinstance(found, Failure) else None


@pytest.mark.parametrize("type_", ["pim_catalog_image", "pim_catalog_file"])
def test_media_attributes_take_media(type_: str) -> None:
    assert checks.attribute_type(Attribute("a", type_)) is None


@pytest.mark.parametrize("type_", ["pim_catalog_identifier", "pim_catalog_text", "pim_assets_collection", ""])
def test_all_others_would_be_overwritten(type_: str) -> None:
    found = checks.attribute_type(Attribute("a", type_))
    assert found is not None
    assert found.kind is Kind.ATTRIBUTE_NOT_MEDIA
    assert "overwrite" in found.hint


@pytest.mark.parametrize("scopable", [False, True])
@pytest.mark.parametrize("localizable", [False, True])
@pytest.mark.parametrize("scope", [None, "ecommerce"])
@pytest.mark.parametrize("locale", [None, "en_US"])
def test_scope_and_locale_are_there_exactly_where_the_attribute_has_them(
    scopable: bool, localizable: bool, scope: str | None, locale: str | None
) -> None:
    found = checks.scoping(image(scopable, localizable), locale, scope, KNOWN)
    if scopable is not (scope is not None):
        assert kind(found) is (Kind.SCOPE_REQUIRED if scopable else Kind.SCOPE_UNEXPECTED)
    elif localizable is not (locale is not None):
        assert kind(found) is (Kind.LOCALE_REQUIRED if localizable else Kind.LOCALE_UNEXPECTED)
    else:
        assert found == (locale, scope)


def test_codes_come_back_as_the_pim_spells_them() -> None:
    assert checks.scoping(image(True, True), "FR_fr", "ECommerce ", KNOWN) == ("fr_FR", "ecommerce")


def test_a_mistyped_channel_is_told_with_the_nearest_and_all() -> None:
    found = checks.scoping(image(True), None, "Ecomerce", KNOWN)
    assert kind(found) is Kind.CHANNEL_UNKNOWN
    assert isinstance(found, Failure)
    assert found.hint == "Did you mean ecommerce? The channels are ecommerce, mobile"


def test_a_mistyped_locale_is_told_with_the_nearest_and_all() -> None:
    found = checks.scoping(image(False, True), "fr_FX", None, KNOWN)
    assert kind(found) is Kind.LOCALE_UNKNOWN
    assert isinstance(found, Failure)
    assert found.hint == "Did you mean fr_FR? Enabled are en_US, es_ES, fr_FR"


def test_a_locale_must_be_the_channels() -> None:
    found = checks.scoping(image(True, True), "fr_FR", "mobile", KNOWN)
    assert kind(found) is Kind.LOCALE_NOT_IN_CHANNEL
    assert isinstance(found, Failure)
    assert "en_US" in found.hint


def test_a_locale_must_be_the_attributes() -> None:
    found = checks.scoping(image(False, True, available_locales=("fr_FR",)), "en_US", None, KNOWN)
    assert kind(found) is Kind.LOCALE_NOT_AVAILABLE
    right = image(False, True, available_locales=("FR_FR",))
    assert checks.scoping(right, "fr_fr", None, KNOWN) == ("fr_FR", None)


def test_what_may_not_be_read_is_not_checked() -> None:
    assert checks.scoping(image(True, True), "xx_XX", "nowhere", BLIND) == ("xx_XX", "nowhere")
    assert kind(checks.scoping(image(True, True), None, "nowhere", BLIND)) is Kind.LOCALE_REQUIRED
    channels_only = Scoping.of(CHANNELS, None)
    assert checks.scoping(image(True, True), "FR_fr", "ecommerce", channels_only) == ("fr_FR", "ecommerce")
    found = checks.scoping(image(True, True), "fr_FR", "mobile", channels_only)
    assert kind(found) is Kind.LOCALE_NOT_IN_CHANNEL


@pytest.mark.parametrize(
    ("name", "allowed", "fits"),
    [
        ("a.jpg", (), True),
        ("a", (), True),
        ("a.jpg", ("jpg", "png"), True),
        ("a.JPG", ("jpg",), True),
        ("a.jpg", ("JPG",), True),
        ("a.jpg.exe", ("jpg",), False),
        ("jpg", ("jpg",), False),
        ("a.", ("jpg",), False),
        (".jpg", ("jpg",), True),
        ("a.jpeg", ("jpg",), False),
    ],
)
def test_extensions(name: str, allowed: tuple[str, ...], fits: bool) -> None:
    found = checks.file_fits(image(allowed_extensions=allowed), name, 1)
    assert kind(found) is (None if fits else Kind.EXTENSION_NOT_ALLOWED)
    if found is not None:
        assert found.hint.startswith(f"picture takes {', '.join(sorted(e.lower() for e in allowed))}")


@pytest.mark.parametrize(
    ("limit", "size"), [("1.00", 1_000_000), ("10.5", 10_752_000), ("0.5", 512_000), ("0.01", 10_000)]
)
def test_sizes_by_the_pims_own_arithmetic(limit: str, size: int) -> None:
    attribute = Attribute.read({"code": "picture", "type": "pim_catalog_image", "max_file_size": limit})
    assert checks.file_fits(attribute, "a.jpg", size) is None
    found = checks.file_fits(attribute, "a.jpg", size + 1)
    assert kind(found) is Kind.FILE_TOO_LARGE
    assert found is not None
    assert f"{size:,}" in found.message


def test_no_limit_is_no_limit() -> None:
    assert checks.file_fits(image(), "a.jpg", 10**12) is None


def test_levels() -> None:
    assert checks.level("picture", 1, 1, "") is None
    assert kind(checks.level("picture", None, 0, "")) is Kind.ATTRIBUTE_NOT_IN_FAMILY
    found = checks.level("picture", 0, 1, "the product model m-1")
    assert kind(found) is Kind.ATTRIBUTE_WRONG_LEVEL
    assert found is not None
    assert found.hint == "Use the product model m-1."


def test_near_misses_are_found_in_whatever_case_and_cost_little() -> None:
    assert checks.nearest("PICTUER", ["picture", "manual"]) == "Did you mean picture? "
    assert checks.nearest("xyz", ["picture", "manual"]) == ""
    assert checks.nearest("", []) == ""
    many = [f"attribute_number_{n}" for n in range(5000)]
    for _ in range(10_000):
        assert checks.nearest("atribute_number_77", many)


@given(st.text(max_size=300), st.lists(st.text(max_size=20), max_size=8))
def test_no_code_is_too_odd(code: str, known: list[str]) -> None:
    found = checks.unknown_attribute(code, known)
    assert found.kind is Kind.ATTRIBUTE_UNKNOWN
    assert found.hint


@given(st.text(max_size=20), st.text(max_size=20))
def test_odd_scopes_and_locales_are_findings(locale: str, scope: str) -> None:
    found = checks.scoping(image(True, True), locale, scope, KNOWN)
    assert isinstance(found, Failure) or found[1] in ("ecommerce", "mobile")
