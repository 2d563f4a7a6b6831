"""What is suggested in place of a name that does not exist."""

from __future__ import annotations

import pytest

from akeneo_media_cli.suggest import nearest


@pytest.mark.parametrize(
    ("name", "known", "found"),
    [
        ("atribute", ["attribute", "file"], "attribute"),
        ("Pictur_2", ["picture_1", "picture_2"], "picture_2"),
        ("fronnt.jpg", ["front.jpg", "back.jpg"], "front.jpg"),
        ("A104.jpg", ["A103.jpg", "A1040.jpg"], None),
        ("picture", ["picture_2"], None),
        ("xyz", ["attribute"], None),
        ("", ["a"], None),
        ("name" * 10_000, ["nam"], None),
    ],
)
def test_the_nearest_name_has_the_same_digits(name: str, known: list[str], found: str | None) -> None:
    assert nearest(name, known) == found
