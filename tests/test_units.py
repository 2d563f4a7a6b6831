"""Durations, sizes, rates and shards as people write them."""

from __future__ import annotations

import pytest

from akeneo_media_cli import units
from akeneo_media_cli.errors import UsageError


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90), ("30m", 1800), ("1h30m", 5400), ("2d", 172800), ("250ms", 0.25), (" 1 h 5s", 3605)],
)
def test_durations(text: str, seconds: float) -> None:
    assert units.duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("5M", 5_000_000),
        ("5Mi", 5_242_880),
        ("500k", 500_000),
        ("1.5G", 1_500_000_000),
        ("7", 7),
        ("5MB", 5_000_000),
    ],
)
def test_sizes_and_rates(text: str, number: int) -> None:
    assert units.size(text) == number
    assert units.rate(f"{text}/s") == number


@pytest.mark.parametrize(
    "text", ["", "x", "0", "-5", "5 5", "5x", "1e9", "i", "5i", "9" * 400, "nan", "∞", "1h30", "5" * 16]
)
@pytest.mark.parametrize("read", [units.duration, units.rate])
def test_what_is_no_amount_is_told(read: object, text: str) -> None:
    with pytest.raises(UsageError):
        read(text)  # type: ignore[operator]


@pytest.mark.parametrize(
    "text", ["", "2", "0/3", "4/3", "a/b", "1/0", "-1/3", "1/" + "9" * 5000, "auto", "auto/3"]
)
def test_what_is_no_shard_is_told(text: str) -> None:
    with pytest.raises(UsageError):
        units.shard(text, {})


def test_shards_that_the_environment_numbers() -> None:
    assert units.shard(" 2 / 8 ", {}) == (2, 8)
    assert units.shard("auto/8", {"JOB_COMPLETION_INDEX": "0"}) == (1, 8)
    assert units.shard("auto", {"CI_NODE_INDEX": "3", "CI_NODE_TOTAL": "4"}) == (3, 4)
