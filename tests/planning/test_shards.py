"""Which rows fall in one part: those of one product, and those of different files with one name."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from akeneo_media_cli.errors import UsageError
from akeneo_media_cli.planning import shards
from akeneo_media_cli.planning.rename import Rename
from akeneo_media_cli.planning.shards import Groups, rows_of_part
from akeneo_media_cli.rows import Row, Target, TargetType


def row(product: str, file: str, line: int = 2) -> Row:
    return Row("m.csv", line, file, Target(TargetType.PRODUCT, product), "picture")


def division(rows: list[Row], parts: int, rename: str | None = None) -> list[list[Row]]:
    """As each machine finds it, from a reading of its own."""
    naming = Rename(rename).name if rename else None
    return [
        list(rows_of_part(rows, part, parts, Groups.found(rows, parts, naming)))
        for part in range(1, parts + 1)
    ]


@given(
    st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40), st.integers(0, 3)), max_size=60),
    st.integers(2, 6),
)
def test_no_name_of_two_files_and_no_product_is_in_two_parts(
    drawn: list[tuple[int, int, int]], parts: int
) -> None:
    rows = [row(f"p-{p}", f"{folder}/{name}.jpg", n) for n, (p, name, folder) in enumerate(drawn, 2)]
    found = division(rows, parts)
    assert sorted(r.line for part in found for r in part) == [r.line for r in rows]
    products = [{r.target for r in part} for part in found]
    names = [{(r.file.rpartition("/")[2], r.file) for r in part} for part in found]
    for one in range(parts):
        for other in range(one + 1, parts):
            assert not products[one] & products[other]
            for name, file in names[one]:
                assert all(file == theirs for called, theirs in names[other] if called == name)


def test_one_file_of_many_products_is_no_reason_to_keep_them_together() -> None:
    """Its bytes are the same, whichever upload they come from."""
    rows = [row(f"p-{n}", "logo.jpg", n) for n in range(400)]
    assert [len(part) > 150 for part in division(rows, 2)] == [True, True]


def test_front_jpg_everywhere_is_refused_by_every_part_and_a_template_helps() -> None:
    rows = [row(f"p-{n}", f"p-{n}/front.jpg", n) for n in range(400)]
    for part in (1, 2):
        with pytest.raises(UsageError, match="front: --shard cannot divide them into 2 parts") as caught:
            list(rows_of_part(rows, part, 2, Groups.found(rows, 2, None)))
        assert "--rename '{product}-{filename}'" in caught.value.hint
    assert [len(part) > 150 for part in division(rows, 2, "{product}-{filename}")] == [True, True]


def test_a_chain_of_names_that_is_longer_than_a_part_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shards, "SMALL", 5)
    chain = [row(f"p-{n // 2}", f"{n % 2}/name-{(n + 1) // 2}.jpg", n) for n in range(40)]
    with pytest.raises(UsageError, match="have the same name"):
        division(chain, 4)
    assert len(division(chain[:4], 4)) == 4


def test_a_conversion_may_change_the_extension() -> None:
    rows = [row("p-1", "a/x.tif"), row("p-2", "b/x.png"), row("p-3", "c/x.jpg")]
    assert sorted(map(len, division(rows, 3))) == [0, 0, 3]
