"""What a family's naming convention makes of a code."""

from __future__ import annotations

import pytest

from akeneo_media_cli.errors import Failure, Kind
from akeneo_media_cli.pim.answers.entity_types import NamingConvention
from akeneo_media_cli.preflight.naming import extracted, readable, refused


def convention(pattern: str, *, aborts: bool = True) -> NamingConvention:
    return NamingConvention("code", pattern, aborts)


def test_a_code_that_does_not_match_is_refused_or_noted() -> None:
    wanted = "/^(?<ref>[a-z]+)_(?P<number>\\d+)$/i"
    assert refused(convention(wanted), "Shoe_12") is None
    failure = refused(convention(wanted), "shoe-12")
    assert isinstance(failure, Failure)
    assert failure.kind is Kind.NAMING_CONVENTION
    assert "shoe-12" in failure.message
    assert isinstance(refused(convention(wanted, aborts=False), "shoe-12"), str)
    assert extracted(convention(wanted), "Shoe_12") == {"ref": "Shoe", "number": "12"}


@pytest.mark.parametrize(
    "pattern",
    ["", "/", "ok", "/^(a+)+$/", "/(/", "/\\p{L}/", "/a/e", "/^(?:ab)?$/", f"/{'a' * 600}/"],
    ids=lambda pattern: pattern[:12],
)
def test_a_pattern_that_python_may_read_otherwise_is_left_to_the_pim(pattern: str) -> None:
    assert readable(pattern) is None
    assert refused(convention(pattern), "anything") is None


@pytest.mark.parametrize("pattern", ["#^a#", "{^a}", "~^A~i", "  /^a/  "])
def test_delimiters_are_those_of_php(pattern: str) -> None:
    assert refused(convention(pattern), "abc") is None
    assert refused(convention(pattern), "xyz") is not None
