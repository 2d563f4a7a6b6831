"""What a cell comes to, by the type of the attribute that it is for."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from akeneo_media_cli.pim.answers.entity_types import MediaAttribute
from akeneo_media_cli.preflight.typed import WrongDataError, read, same


def of(kind: str, **more: Any) -> MediaAttribute:
    return MediaAttribute("a", kind, **more)


@pytest.mark.parametrize(
    ("attribute", "written", "data"),
    [
        (of("text"), "A shoe", "A shoe"),
        (of("text"), 7, "7"),
        (of("text", max_characters=3), "abc", "abc"),
        (of("media_link"), "a.jpg", "a.jpg"),
        (of("number"), "12.50", "12.50"),
        (of("number"), 7, "7"),
        (of("number", least=Decimal(1), most=Decimal(7)), "7", "7"),
        (of("boolean"), "Yes", True),
        (of("boolean"), "0", False),
        (of("boolean"), False, False),
        (of("date"), "2026-11-29", "2026-11-29"),
        (of("date"), "2026-11-29 00:00:00", "2026-11-29"),
        (of("date"), "2026-11-29T10:00:00+00:00", "2026-11-29T10:00:00+00:00"),
        (of("single_option"), "red", "red"),
        (of("multiple_options"), "red; blue;;red", ["red", "blue"]),
        (of("multiple_options"), ["red", "blue"], ["red", "blue"]),
        (of("reference_entity_single_link"), "acme", "acme"),
        (of("reference_entity_multiple_links"), "acme;other", ["acme", "other"]),
    ],
    ids=str,
)
def test_data_is_what_the_api_takes(attribute: MediaAttribute, written: Any, data: Any) -> None:
    found = read(attribute, written)
    assert found == data
    assert type(found) is type(data)


@pytest.mark.parametrize(
    ("attribute", "written"),
    [
        (of("text", max_characters=3), "abcd"),
        (of("text"), ["a"]),
        (of("number"), "seven"),
        (of("number"), "1,5"),
        (of("number", decimals=False), "1.5"),
        (of("number", most=Decimal(7)), "8"),
        (of("number", least=Decimal(1)), "-1"),
        (of("boolean"), "perhaps"),
        (of("date"), "29.11.2026"),
        (of("single_option"), ["a", "b"]),
        (of("table"), "x"),
    ],
    ids=str,
)
def test_what_an_attribute_does_not_take_is_told(attribute: MediaAttribute, written: Any) -> None:
    with pytest.raises(WrongDataError) as caught:
        read(attribute, written)
    assert caught.value.hint


def test_one_value_in_two_ways_of_writing_is_one() -> None:
    assert same(of("number"), "7", "7.00")
    assert not same(of("text"), "7", "7.00")
    assert same(of("date"), "2026-11-29", "2026-11-29T00:00:00+00:00")
    assert same(of("multiple_options"), ["a", "b"], ["b", "a"])
    assert not same(of("reference_entity_multiple_links"), ["a", "b"], ["b", "a"])
    assert not same(of("boolean"), True, "true")
