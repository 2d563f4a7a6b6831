"""The names that `--rename` makes of a row's columns and of its file's name."""

from __future__ import annotations

import pytest

from akeneo_media_cli.errors import Failure, Kind, UsageError
from akeneo_media_cli.planning.rename import Rename
from akeneo_media_cli.rows import Row, Target, TargetType

PRODUCT = Target(TargetType.PRODUCT, "sku-1")


def row(target: Target | None = PRODUCT, **more: object) -> Row:
    return Row("m.csv", 2, "a.jpg", target, "picture", **more)  # type: ignore[arg-type]


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


@pytest.mark.parametrize(
    ("template", "target", "name"),
    [
        ("{product_model}.jpg", Target(TargetType.PRODUCT_MODEL, "m/1"), "m_1.jpg"),
        ("{uuid}.jpg", Target(TargetType.PRODUCT_UUID, "0-1"), "0-1.jpg"),
        ("{reference_entity}_{record}", Target(TargetType.RECORD, "red", "color"), "color_red.jpg"),
        ("{category}", Target(TargetType.CATEGORY, "shoes"), "shoes.jpg"),
        ("{pam_asset}", Target(TargetType.PAM_ASSET, "old"), "old.jpg"),
    ],
)
def test_each_kind_of_target_has_its_column(template: str, target: Target, name: str) -> None:
    assert Rename(template).name(row(target), "x.jpg") == name


def test_locale_and_channel_make_names_too() -> None:
    named_by = row(locale="en_US", scope="web")
    assert Rename("{stem}-{locale}-{scope}-{channel}").name(named_by, "a.jpg") == "a-en_US-web-web.jpg"


@pytest.mark.parametrize(
    ("template", "shown", "name"),
    [
        ("{stem}.jpg", "a.jpeg", "a.jpg"),
        ("{stem}.png", "a.jpeg", "a.png.jpeg"),
        ("{stem}.JPG", "a.jpg", "a.JPG"),
    ],
)
def test_an_extension_may_only_become_one_of_the_same_format(template: str, shown: str, name: str) -> None:
    assert named(template, shown) == name
