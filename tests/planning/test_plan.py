"""Rows from manifests: shards, names made of the row, rows tried again, batches to look up."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from akeneo_media_cli import units
from akeneo_media_cli.errors import Failure, Kind, UsageError
from akeneo_media_cli.ledger import PlannedRow
from akeneo_media_cli.planning.feed import ENTITIES, ROWS, Feed
from akeneo_media_cli.planning.plan import in_shard, rows_of_part
from akeneo_media_cli.planning.rename import Rename
from akeneo_media_cli.rows import Row, Target, TargetType

PRODUCT = Target(TargetType.PRODUCT, "sku-1")


def row(target: Target | None = PRODUCT, **more: object) -> Row:
    return Row("m.csv", 2, "a.jpg", target, "picture", **more)  # type: ignore[arg-type]


# Shards.


@given(code=st.text(min_size=1), parts=st.integers(1, 20))
def test_all_rows_of_a_product_fall_in_one_shard_however_it_is_written(code: str, parts: int) -> None:
    def where(written: str) -> list[int]:
        target = Target(TargetType.PRODUCT, written)
        return [part for part in range(1, parts + 1) if in_shard(target, part, parts)]

    assert len(where(code)) == 1
    assert where(code) == where(code + " ")


def test_a_row_without_target_falls_in_the_first_shard() -> None:
    assert in_shard(None, 1, 3)
    assert not in_shard(None, 2, 3)


UUID = Target(TargetType.PRODUCT_UUID, "fc24e6c3-933c-4a93-8a81-e5c703d134d5")


@pytest.mark.parametrize("order", [(PRODUCT, UUID), (UUID, PRODUCT)])
def test_products_named_in_both_ways_are_refused_by_every_part(order: tuple[Target, Target]) -> None:
    model = Target(TargetType.PRODUCT_MODEL, "m")
    rows = [Row("m.csv", n, "a.jpg", target, "picture") for n, target in enumerate([model, *order], 2)]
    by_identifier, by_uuid = (rows[1 + order.index(target)].line for target in (PRODUCT, UUID))
    for part in range(1, 6):
        with pytest.raises(UsageError, match=f"m.csv:{by_identifier} .* m.csv:{by_uuid} "):
            list(rows_of_part(rows, part, 5))


def test_a_row_that_nobody_will_send_mixes_nothing() -> None:
    rows = [row(), row(UUID, problem=Failure(Kind.ROW_MALFORMED, "no file", "name one")), row(None)]
    parts = [list(rows_of_part(rows, part, 3)) for part in (1, 2, 3)]
    assert sum(map(len, parts)) == 3


# Names.


def named(template: str, shown: str = "a.jpg", **more: object) -> str | Failure:
    return Rename(template).name(row(**more), shown)


@pytest.mark.parametrize(
    ("template", "shown", "name"),
    [
        ("{product}-{filename}", "a.jpg", "sku-1-a.jpg"),
        ("{sku}_{stem}", "a.b.JPG", "sku-1_a.b.JPG"),
        ("{identifier}.{ext}", "a.jpg", "sku-1.jpg"),
        ("{season}", "a.jpg", "spring.jpg"),
        ("{product}", "README", "sku-1"),
        ("{filename}{{1}}", "a.jpg", "a.jpg{1}.jpg"),
        ("{attribute}/{stem}", "a.jpg", "picture_a.jpg"),
        ("{stem}\n\x9b{number}", "a.jpg", "a__7.jpg"),
    ],
)
def test_names_are_made_of_columns_and_keep_their_extension(template: str, shown: str, name: str) -> None:
    assert named(template, shown, extra={"season": "spring", "number": 7}) == name


def test_a_target_gives_its_column_and_its_parents() -> None:
    asset = row(Target(TargetType.ASSET, "chair", "packshots"))
    assert Rename("{asset_family}-{asset}").name(asset, "x.png") == "packshots-chair.png"


@pytest.mark.parametrize(
    "template", ["{", "{}", "{0}", "{a.b}", "{a!r}", "{a:>3}", "{a[0]}", "front.jpg", ""]
)
def test_templates_that_are_none_are_told_at_once(template: str) -> None:
    with pytest.raises(UsageError, match="--rename"):
        Rename(template)


@pytest.mark.parametrize("template", ["{season}", "{locale}-{filename}", "{product_model}-{filename}"])
def test_a_column_that_the_row_leaves_empty_makes_no_name(template: str) -> None:
    made = named(template, extra={"season": ""})
    assert isinstance(made, Failure)
    assert made.kind is Kind.ROW_MALFORMED


def test_a_name_that_the_pim_would_not_take_is_told_before() -> None:
    made = named("{long}-{filename}", extra={"long": "x" * 300})
    assert isinstance(made, Failure)
    assert made.kind is Kind.NAME_TOO_LONG


@pytest.mark.parametrize(
    ("template", "shown", "cure"),
    [
        ("{filename}-{tail}", "noext", "end the template"),
        ("{tail}", "noext", "end the template"),
        ("{stem}.jpg", "a.longer-than-ten", "rename the file"),
    ],
)
def test_an_extension_that_the_pim_would_not_take_is_told_before(
    template: str, shown: str, cure: str
) -> None:
    made = named(template, shown, extra={"tail": "sku-1.averylongtail"})
    assert isinstance(made, Failure)
    assert made.kind is Kind.EXTENSION_TOO_LONG
    assert cure in made.hint


def test_the_longest_extension_that_the_pim_takes_is_taken() -> None:
    assert named("{product}.a123456789", "noext") == "sku-1.a123456789"


def test_a_row_without_target_can_have_a_name_too() -> None:
    assert Rename("{filename}").name(row(None), "a.jpg") == "a.jpg"


# Batches to look up.


@given(entities=st.lists(st.integers(0, 150), max_size=1500))
def test_batches_hold_every_row_once_in_order_and_few_entities(entities: list[int]) -> None:
    rows = [
        PlannedRow(seq, row(Target(TargetType.PRODUCT, f"SKU-{n}") if n else None), "x")
        for seq, n in enumerate(entities, 1)
    ]
    feed = Feed(lambda after, limit: rows[after : after + limit])
    got: list[PlannedRow] = []
    while (batch := feed()) is not None:
        assert 0 < len(batch) <= ROWS
        assert len({r.row.target for r in batch if r.row.target}) <= ENTITIES
        got += batch
    assert got == rows
    assert feed() is None


# What people write.


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
