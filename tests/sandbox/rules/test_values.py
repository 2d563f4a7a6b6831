"""Arithmetic of an attribute's limits."""

from __future__ import annotations

import pytest

from akeneo_media_cli.sandbox.rules.values import byte_limit


@pytest.mark.parametrize(
    ("given", "expected"),
    [("1.00", 1_000_000), ("10.00", 10_000_000), ("0.01", 10_000), ("0.50", 512_000), ("10.50", 10_752_000),
     ("9999.99", 10_239_989_000), (None, None), ("", None), ("0.00", None), (2, 2_000_000)],
)  # fmt: skip
def test_max_file_size_in_bytes(given: object, expected: int | None) -> None:
    assert byte_limit(given) == expected
