"""`--set KEY=VALUE` and its placeholders."""

from __future__ import annotations

import pytest

from akeneo_media_cli.errors import Kind, UsageError
from akeneo_media_cli.rows import Target, TargetType

from .reading import Reader


def test_what_a_row_leaves_empty_is_filled_and_nothing_else(read: Reader) -> None:
    content = "product,attribute,file,locale,note\na,,f,,\nb,own,g,de_DE,mine\n"
    rows = read(content, sets=["attribute=picture", "channel=web", "locale=fr_FR", "note=n-{sku}"]).rows
    assert [(r.attribute, r.scope, r.locale, r.extra) for r in rows] == [
        ("picture", "web", "fr_FR", {"note": "n-a"}),
        ("own", "web", "de_DE", {"note": "mine"}),
    ]


@pytest.mark.parametrize(
    ("template", "file", "value"),
    [
        ("{stem}", "x/y.z.jpg", "y.z"),
        ("{ext}", "x/y.z.JPG", "JPG"),
        ("{filename}", "x/y.jpg", "y.jpg"),
        ("{stem}", ".hidden", ".hidden"),
        ("{stem}", "x\\y.jpg", "y"),
        ("{stem}", "plain", "plain"),
        ("{file}", "file:caf%C3%A9", "café"),
        ("a{{b}}{stem}", "c.jpg", "a{b}c"),
        ("{Season Name}-{season_name}", "f", "s-s"),
        ("plain = text", "f", "plain = text"),
    ],
)
def test_placeholders(read: Reader, template: str, file: str, value: str) -> None:
    (row,) = read(f"attribute,file,Season Name\np,{file},s\n", sets=[f"product={template}"]).rows
    assert row.target == Target(TargetType.PRODUCT, value)


def test_a_filename_column_goes_before_the_files_own_name(read: Reader) -> None:
    (row,) = read("attribute,file,filename\np,f.jpg,shown.png\n", sets=["product={filename}"]).rows
    assert row.target == Target(TargetType.PRODUCT, "shown.png")


def test_later_options_may_use_earlier_ones(read: Reader) -> None:
    (row,) = read("product,x\na,1\n", sets=["attribute=p", "file={product}_{attribute}.jpg"]).rows
    assert row.file == "a_p.jpg"


def test_the_last_of_two_options_wins(read: Reader) -> None:
    (row,) = read("product,file\na,f\n", sets=["attribute=p", "attribute=q"]).rows
    assert row.attribute == "q"


def test_the_command_line_beats_defaults_and_may_empty_them(read: Reader) -> None:
    content = "defaults: {attribute: d, locale: fr_FR, season: s}\nuploads: [{product: a, file: f}]"
    (row,) = read(content, ".yaml", sets=["attribute=set", "locale=", "note={season}{locale}"]).rows
    assert row.problem is not None and "`locale`" in row.problem.message
    (row,) = read(content, ".yaml", sets=["note={season}-{locale}", "attribute=set", "locale="]).rows
    assert (row.attribute, row.locale, row.extra) == ("set", None, {"note": "s-fr_FR", "season": "s"})


def test_numbers_that_are_carried_can_be_used(read: Reader) -> None:
    (row,) = read('[{"attribute": "p", "file": "f", "n": 7}]', ".json", sets=["product=sku-{n}"]).rows
    assert row.target == Target(TargetType.PRODUCT, "sku-7")


def test_a_target_of_the_options_gives_way_to_the_rows_own(read: Reader) -> None:
    rows = read("product_model,file\nm,f\n,g\n", sets=["product=a", "attribute=p"]).rows
    assert [row.target for row in rows] == [
        Target(TargetType.PRODUCT_MODEL, "m"),
        Target(TargetType.PRODUCT, "a"),
    ]


@pytest.mark.parametrize("name", ["season", "locale", "stem2"])
def test_a_placeholder_without_value_is_the_rows_problem(read: Reader, name: str) -> None:
    found = read("product,file,locale\na,f,\n", sets=[f"attribute={{{name}}}"])
    assert found.kinds == [Kind.ROW_MALFORMED]
    assert found.rows[0].problem is not None and f"`{name}`" in found.rows[0].problem.message
    # A row that needs no filling has no such problem.
    assert read("product,file,attribute\na,f,p\n", sets=[f"attribute={{{name}}}"]).kinds == [None]


@pytest.mark.parametrize(
    "option", ["attribute", "=x", " =x", "a={", "a=}", "a={}", "a={ }", "a={b!r}", "a={b:>3}", "a={b{c}}"]
)
def test_options_that_make_no_sense(read: Reader, option: str) -> None:
    with pytest.raises(UsageError) as caught:
        read("product,file\na,f\n", sets=[option])
    assert option in str(caught.value) or repr(option) in str(caught.value)
    assert caught.value.exit_status == 2


def test_stray_bytes_of_a_file_name_go_no_further(read: Reader) -> None:
    found = read("attribute,file\np,file:caf%E9.jpg\n", sets=["filename=x-{filename}", "product={stem}"])
    (row,) = found.rows
    assert (row.file, row.filename, row.target) == ("caf\udce9.jpg", "x-caf_.jpg", None)
    assert row.problem is not None and "not valid UTF-8" in row.problem.message


def test_a_template_cannot_look_inside_objects(read: Reader) -> None:
    """`str.format` would: `{product.__class__}`. Here it is a column that nobody has."""
    found = read("product,file\na,f\n", sets=["attribute={product.__class__}"])
    assert found.kinds == [Kind.ROW_MALFORMED]
