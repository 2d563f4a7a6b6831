"""Text, numbers and JSON as PHP and MySQL treat them."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from akeneo_media_cli.sandbox.php.text import (
    extension_of,
    folded,
    php_basename,
    php_decode,
    php_json,
    php_round,
)


@pytest.mark.parametrize(
    ("number", "rounded"), [(1.005, 1.01), (2.097152, 2.1), (0.1024, 0.1), (1005.0, 1005.0)]
)
def test_php_rounds_halves_up(number: float, rounded: float) -> None:
    assert php_round(number) == rounded


@given(st.text(max_size=30))
def test_folding_twice_changes_nothing(code: str) -> None:
    assert folded(folded(code)) == folded(code)
    assert folded(code + "  ") == folded(code)


def test_php_habits() -> None:
    assert php_basename(b"a/b\\c.jpg") == b"c.jpg"
    assert php_basename(b"c.jpg") == b"c.jpg"
    assert (extension_of("a.tar.gz"), extension_of(".jpg"), extension_of("a."), extension_of("a")) == (
        "gz",
        "jpg",
        "",
        "",
    )
    assert php_json({"a/b": "é"}) == '{"a\\/b":"\\u00e9"}'
    assert json.loads(php_json({"a/b": "é"})) == {"a/b": "é"}


@pytest.mark.parametrize(
    "text", [b"", b"{", b"NaN", b"[1e999999]", b'"\\ud800"', b"\xff", b"\xef\xbb\xbf{}", b"[" * 99_999]
)
def test_json_that_php_does_not_take(text: bytes) -> None:
    assert php_decode(text) is None
