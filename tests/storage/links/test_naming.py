"""The names of files whose links have none."""

from __future__ import annotations

import pytest

from akeneo_media_cli.storage.links.naming import named, served_name


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ('attachment; filename="front.jpg"', "front.jpg"),
        ("inline; filename=front.jpg", "front.jpg"),
        ("attachment; filename*=UTF-8''gr%C3%BCn.jpg", "grün.jpg"),
        ('attachment; filename="grün.jpg"'.encode().decode("latin-1"), "grün.jpg"),
        ('attachment; filename="../../etc/front.jpg"', "front.jpg"),
        ('attachment; filename="C:\\\\pictures\\\\front.jpg"', "front.jpg"),
        ('attachment; filename=".."', None),
        ('attachment; filename="a\x01.jpg"', None),
        ('attachment; filename="' + "x" * 300 + '"', None),
        ("attachment", None),
        ("", None),
        (None, None),
    ],
)
def test_the_name_that_a_host_gives(header: str | None, name: str | None) -> None:
    assert served_name(header) == name


@pytest.mark.parametrize(
    ("own", "served", "kind", "name"),
    [
        ("front.jpg", "other.png", "image/png", "front.jpg"),
        ("download", "front.jpg", "image/png", "front.jpg"),
        ("download", None, "image/png; charset=x", "download.png"),
        ("download", None, "Image/JPEG", "download.jpg"),
        ("download", None, "text/html", "download"),
        ("download", None, "application/octet-stream", "download"),
        ("download", None, None, "download"),
        (".", None, "image/png", "..png"),
    ],
)
def test_the_links_own_name_counts_first(own: str, served: str | None, kind: str | None, name: str) -> None:
    assert named(own, served, kind) == name
