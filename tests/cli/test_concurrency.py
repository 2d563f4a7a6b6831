"""What `--concurrency` may be: a number, or `auto` with or without the most that it may find."""

from __future__ import annotations

import pytest

from akeneo_media_cli.cli.options.connection import Connection
from akeneo_media_cli.errors import UsageError


@pytest.mark.parametrize(
    ("given", "calls", "sought"),
    [
        ("4", 4, None),
        ("64", 64, None),
        ("auto", 4, 10),
        ("AUTO:8", 4, 8),
        ("auto:2", 2, 2),
        (" 7 ", 7, None),
    ],
)
def test_a_number_or_auto(given: str, calls: int, sought: int | None) -> None:
    connection = Connection(concurrency=given)
    assert (connection.calls, connection.sought) == (calls, sought)


@pytest.mark.parametrize(
    "given", ["0", "65", "-1", "4.5", "", "auto:", "auto:0", "auto:65", "auto4", "many", "٤"]
)
def test_anything_else_is_an_error_that_shows_it(given: str) -> None:
    connection = Connection(concurrency=given)
    with pytest.raises(UsageError, match="not a number from 1 to 64") as error:
        _ = connection.sought or connection.calls
    assert repr(given) in error.value.failure.message
