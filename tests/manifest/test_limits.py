"""Small manifests that would take much memory or disk are refused as a whole, not expanded."""

from __future__ import annotations

import json

import pytest

from akeneo_media_cli.errors import ManifestError

from .reading import Reader

MB = 1_000_000


def refused(read: Reader, content: str | bytes, suffix: str) -> str:
    with pytest.raises(ManifestError) as caught:
        read(content, suffix)
    assert caught.value.hint
    assert len(str(caught.value)) < 2_000
    return str(caught.value)


def test_aliases_that_stand_for_much_text(read: Reader) -> None:
    big = f"- &big '{'A' * MB}'\n"
    one = big + f"- {{product: a, attribute: p, file: f, x: [{'*big,' * 17}]}}\n"
    assert "more than 16,777,216 characters, aliases written out" in refused(read, one, ".yaml")
    many = big + "- {product: a, attribute: p, file: f, x: *big}\n" * 40
    said = refused(read, many, ".yaml")
    assert "line 35, column 42" in said and "stand for far more text than the file has" in said
    keys = big + "- {product: a, attribute: p, file: f, *big : x}\n" * 40
    assert "far more text" in refused(read, keys, ".yaml")
    merged = f"- &d {{product: a, attribute: p, file: f, x: '{'A' * MB}'}}\n" + "- <<: *d\n" * 40
    assert "far more text" in refused(read, merged, ".yaml")


def test_ordinary_aliases_may_be_as_many_as_rows(read: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    """What they add is measured by the size of the file, not by a number that a big file reaches."""
    monkeypatch.setattr("akeneo_media_cli.manifest.documents._HARMLESS", 1)
    row = "- {<<: *d, product: sku-1, file: images/sku-1.jpg}\n"
    content = "- &d {product: a, attribute: picture, locale: en_US, file: f}\n" + row * 1000
    assert len(read(content, ".yaml").rows) == 1001


@pytest.mark.parametrize("suffix", [".yaml", ".json"])
def test_defaults_that_fill_much_into_every_row(read: Reader, suffix: str) -> None:
    def content(length: int, rows: int) -> str:
        defaults = {"attribute": "p", "file": "f", "product": "a", "x": "A" * length}
        return json.dumps({"defaults": defaults, "uploads": [{}] * rows})

    assert "`defaults` has 1,000,0" in refused(read, content(MB, 40), suffix)
    assert len(read(content(MB, 30), suffix).rows) == 30
    assert len(read(content(100, 3000), suffix).rows) == 3000


def test_a_long_key_beside_uploads_is_not_compared_or_shown_whole(read: Reader) -> None:
    found = read(json.dumps({"k" * MB: 1, "uploads": []}), ".json")
    assert len(found.notes[0]) < 300
    assert "kkk" in refused(read, json.dumps({"k" * MB: 1}), ".json")
