"""Foreign text as a line of a terminal or log shows it."""

from __future__ import annotations

import pytest

from akeneo_media_cli.wording import one_line


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("shoe  red.jpg", "shoe  red.jpg"),
        (" a \r\n  b\tc\n", "a b c"),
        ("a\n\n \u2028b", "a b"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("a\udcffb", "a\\xffb"),
    ],
    ids=["two spaces of a name stay", "breaks", "blank lines", "escape", "stray byte"],
)
def test_a_text_on_one_line(text: str, shown: str) -> None:
    assert one_line(text) == shown


def test_the_middle_of_a_long_text_is_left_out() -> None:
    assert one_line("folder/" * 20 + "picture.jpg", 40).endswith("picture.jpg")
    assert len(one_line("x" * 100, 40)) == 40
