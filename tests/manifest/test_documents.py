"""YAML, JSON and JSONL."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest
import yaml

from akeneo_media_cli.errors import Kind, ManifestError
from akeneo_media_cli.manifest.documents import yaml_stream
from akeneo_media_cli.rows import Target, TargetType

from .reading import Reader

LAUGHS = (
    "a: &a [x,x,x,x,x,x,x,x,x,x]\n"
    + "".join(f"{b}: &{b} [{','.join([f'*{a}'] * 10)}]\n" for a, b in pairwise("abcdefghi"))
    + "uploads: []\n"
)


@pytest.fixture(params=["CSafeLoader", "SafeLoader"])
def loader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both of PyYAML's parsers: the fast one is not everywhere."""
    if not hasattr(yaml, request.param):
        pytest.skip("PyYAML was built without libyaml")
    monkeypatch.setattr(yaml_stream, "_LOADER", getattr(yaml, request.param))


def item(**values: object) -> dict[str, object]:
    return {"product": "a", "attribute": "p", "file": "f", **values}


@pytest.mark.usefixtures("loader")
@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("00123", "00123"),
        ("1.10", "1.10"),
        ("1e5", "1e5"),
        ("0x1F", "0x1F"),
        ("no", "no"),
        ("True", "True"),
        ("2026-01-01", "2026-01-01"),
        ("12:30:45", "12:30:45"),
        ("'null'", "null"),
        ("!!str null", "null"),
        ("!!int 007", "007"),
        ("! ~", "~"),
        ('" a "', " a "),
        ("=", "="),
    ],
)
def test_yaml_scalars_stay_as_written(read: Reader, written: str, code: str) -> None:
    (row,) = read(f"- product: {written}\n  attribute: p\n  file: f\n", ".yaml").rows
    assert row.target == Target(TargetType.PRODUCT, code)
    assert row.problem is None


@pytest.mark.parametrize("written", ["1.10", "1e5", "-0", "1E+2", "1" + "0" * 5000, "NaN"])
@pytest.mark.parametrize("suffix", [".json", ".jsonl"])
def test_json_numbers_stay_as_written(read: Reader, written: str, suffix: str) -> None:
    text = f'{{"product": {written}, "attribute": "p", "file": "f"}}'
    (row,) = read(f"[{text}]" if suffix == ".json" else text, suffix).rows
    assert row.target == Target(TargetType.PRODUCT, written)


def test_json_true_is_text(read: Reader) -> None:
    rows = read(json.dumps([item(product=True), item(product=False)]), ".json").rows
    assert [row.target and row.target.code for row in rows] == ["true", "false"]


def test_other_keys_are_carried_untouched(read: Reader) -> None:
    meta = {"list": [1, 2.5, None, True, "x"], "deep": {"a": {}}}
    (row,) = read(json.dumps([item(meta=meta, season="é", n=3, none=None)]), ".json").rows
    assert row.extra == {"meta": meta, "season": "é", "n": 3, "none": None}
    (row,) = read(
        '[{"product":"a","attribute":"p","file":"f","big":1e999,"not":NaN,"long":1' + "0" * 5000 + "}]",
        ".json",
    ).rows
    assert row.extra["big"] == "1e999" and row.extra["not"] == "NaN"
    assert row.problem is None
    json.dumps(row.extra, allow_nan=False)


@pytest.mark.usefixtures("loader")
@pytest.mark.parametrize("null", ["", "~", "null", "Null", "NULL", "!!null x"])
def test_an_explicit_null_is_not_filled(read: Reader, null: str) -> None:
    content = f"""
uploads:
- {{product: a, file: f}}
- product: a
  file: f
  locale: {null}
defaults: {{attribute: p, locale: fr_FR}}
"""
    rows = read(content, ".yaml", sets=["locale=en_US"]).rows
    assert [row.locale for row in rows] == ["en_US", None]


@pytest.mark.parametrize("reverse", [False, True])
def test_defaults_fill_wherever_they_stand(read: Reader, reverse: bool) -> None:
    keys = [
        ("defaults", {"attribute": "p", "SKU": "d", "season": "x", "locale": "fr_FR"}),
        ("root", "../media"),
        ("uploads", [{"file": "f"}, {"file": "g", "product_model": "m", "season": "y", "locale": ""}]),
    ]
    found = read(json.dumps(dict(keys[::-1] if reverse else keys)), ".json")
    first, second = found.rows
    assert first.target == Target(TargetType.PRODUCT, "d")
    assert second.target == Target(TargetType.PRODUCT_MODEL, "m")
    assert (first.extra, second.extra) == ({"season": "x"}, {"season": "y"})
    assert (first.locale, second.locale) == ("fr_FR", None)
    assert first.root == str(read.folder / "../media")
    assert found.notes == []


def test_a_default_helps_to_name_the_target_that_a_row_begins(read: Reader) -> None:
    content = """
defaults: {asset_family: pack, product: d, attribute: p}
uploads:
- {asset: a, file: f}
- {product: b, file: f}
- {product: , file: f}
"""
    rows = read(content, ".yaml").rows
    assert [row.target for row in rows[:2]] == [
        Target(TargetType.ASSET, "a", "pack"),
        Target(TargetType.PRODUCT, "b"),
    ]
    assert rows[2].problem is not None and rows[2].problem.kind is Kind.TARGET_MISSING


def test_rows_that_are_no_rows(read: Reader) -> None:
    content = json.dumps([1, "x", None, [], {}, item(file={"f": 1}), item(sku="b"), item(meta=[[]])])
    found = read(content, ".json")
    assert found.kinds == [Kind.ROW_MALFORMED] * 4 + [Kind.TARGET_MISSING] + [Kind.ROW_MALFORMED] * 2 + [None]
    assert [row.line for row in found.rows] == list(range(1, 9))
    assert found.rows[5].problem is not None and "`file`" in found.rows[5].problem.message
    assert found.rows[6].problem is not None and "both mean `product`" in found.rows[6].problem.message


@pytest.mark.usefixtures("loader")
@pytest.mark.parametrize(
    ("suffix", "content"),
    [
        (".json", '[{"product": "a", "product": "b", "attribute": "p", "file": "f"}]'),
        (".jsonl", '{"product": "a", "product": "b", "attribute": "p", "file": "f"}'),
        (".yaml", "- {product: a, attribute: p, product: b, file: f}"),
        (".yaml", "- {product: a, attribute: p, file: f, meta: {a: 1, a: 2}}"),
        (".json", '[{"product": "a", "attribute": "p", "file": "f", "meta": {"b": 1, "b": 2}}]'),
    ],
)
def test_a_key_given_twice_is_told(read: Reader, suffix: str, content: str) -> None:
    (row,) = read(content, suffix).rows
    assert row.problem is not None
    assert "is there twice" in row.problem.message


def test_half_a_character_never_gets_through(read: Reader) -> None:
    rows = read(
        r'[{"product":"\ud800","attribute":"p","file":"f"},{"product":"a","attribute":"p","file":"\udce9"},'
        r'{"product":"a","attribute":"p","file":"f","\ud800":1},{"product":"a","attribute":"p","file":"f","x":"\ud800"},'
        r'{"product":"\ud83d\ude00","attribute":"p","file":"f","x":{"\ud800":1}}]',
        ".json",
    ).rows
    assert [row.problem is not None and "half a character" in row.problem.message for row in rows] == [
        True
    ] * 5
    assert rows[4].target == Target(TargetType.PRODUCT, "\U0001f600")
    for row in rows:
        repr(row).encode("utf-8")
        assert "\ud800" not in row.file and "\udce9" not in row.file


def test_an_extra_value_may_not_nest_without_end(read: Reader) -> None:
    deep = "[" * 20 + "]" * 20
    (row,) = read(f'{{"product":"a","attribute":"p","file":"f","x":{deep}}}', ".jsonl").rows
    assert row.problem is not None and "nested" in row.problem.message


def test_jsonl_counts_items_and_skips_blank_lines(read: Reader) -> None:
    first, last = (json.dumps(item(file=name), ensure_ascii=False) for name in ("f", "\u2028g"))
    content = f"{first}\r\n\r\n  \n{last}"
    assert [(row.line, row.file) for row in read(content, ".ndjson").rows] == [(1, "f"), (2, "\u2028g")]


def test_an_item_larger_than_the_window(read: Reader) -> None:
    long = "x" * 200_000
    rows = read(json.dumps([item(), item(note=long), item(file="g")], indent=2), ".json").rows
    assert [row.file for row in rows] == ["f", "f", "g"]
    assert rows[1].extra == {"note": long}


@pytest.mark.parametrize("padding", range(65_520, 65_545))
def test_a_value_cut_by_the_window_is_read_whole(read: Reader, padding: int) -> None:
    rows = read(
        "[" + " " * padding + ' 12345, {"product": 678, "attribute": "p", "file": "f"}, 9]', ".json"
    ).rows
    assert rows[1].target == Target(TargetType.PRODUCT, "678")
    assert len(rows) == 3


@pytest.mark.usefixtures("loader")
def test_yaml_anchors_and_merge_keys(read: Reader) -> None:
    content = """
x-base: &base {attribute: p, locale: fr_FR}
x-more: &more {locale: en_US, scope: web}
x-key: &key product
uploads:
- &first {<<: *base, *key : a, file: f}
- {<<: [*base, *more], product: b, file: f, locale: de_DE}
- *first
"""
    found = read(content, ".yaml")
    assert found.notes == []
    assert [(r.target and r.target.code, r.attribute, r.locale, r.scope) for r in found.rows] == [
        ("a", "p", "fr_FR", None),
        ("b", "p", "de_DE", "web"),
        ("a", "p", "fr_FR", None),
    ]


@pytest.mark.usefixtures("loader")
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (LAUGHS, "more than 10,000 values"),
        ("- !!python/object/apply:os.system [touch owned]\n", "python/object/apply:os.system is not allowed"),
        ("- !!binary aGk=\n", "binary is not allowed"),
        ("!!set {a, b}\n", "set is not allowed"),
        ("!mine [a, b]\n", "!mine is not allowed"),
        ("uploads: !!omap []\n", "omap is not allowed"),
        ("- ? !!python/name:os.x\n  : 1\n", "is not allowed"),
        ("- " + "[" * 500, "nested more than 32 deep"),
        # Newer releases of libyaml stop by themselves at 1,000.
        ("- " + "[" * 5000, "nest"),
        ("".join(f"- &a{i} x\n" for i in range(1100)), "more than 1,000 anchors"),
        ("- [" + "x," * 11_000 + "]\n", "more than 10,000 values"),
        ("- {" + ",".join(f"k{i}: v" for i in range(11_000)) + "}\n", "more than 10,000 values"),
        ("- &a [*a]\n", "line 1, column 7: there is no complete `&a`"),
        ("- *b\n", "there is no complete `&b`"),
        ("- <<: 3\n", "`<<` takes a mapping"),
        ("- ? [a]\n  : b\n", "a key is not text"),
        ("? {a: b}\n: c\n", "a key is not text"),
        ("- a: &x ~\n  *x : b\n", "a key is not text"),
        ("just words\n", "a list of rows, or a mapping"),
        ("# nothing\n", "is empty"),
        ("- a: b: c\n", "line 1, column 7: "),
        ("- {a\n", "line 2, column 1: "),
        ("- \x01\n", "U+0001 at 2"),
        ("---\n- a\n---\n- b\n", "a second document begins"),
        ("product: a\nfile: f\n", "has no `uploads` (found: product, file)"),
        ("uploads: {a: b}\n", "`uploads` is not a list"),
        ("uploads: []\nuploads: []\n", "`uploads` is there twice"),
        ("root: [a]\nuploads: []\n", "`root` is not the name of a folder"),
        ('root: "a\\0b"\nuploads: []\n', "`root` is not the name of a folder"),
        ("defaults: 3\nuploads: []\n", "`defaults` is not a mapping"),
        ("defaults: {a: 1, a: 2}\nuploads: []\n", "`defaults` has `a` twice"),
        ("defaults: {file: [f]}\nuploads: []\n", "`defaults`: the value of `file` is not text"),
        ("defaults: {sku: a, product: b}\nuploads: []\n", "both mean `product`"),
        (
            "- {product: a, attribute: p, path: f}\n",
            "no column `file` (columns found: product, attribute, path)",
        ),
    ],
)
def test_yaml_that_cannot_be_used(read: Reader, content: str, said: str) -> None:
    with pytest.raises(ManifestError) as caught:
        read(content, ".yml")
    assert said in str(caught.value)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (" \n ", "is empty"),
        ("3", "a list of rows, or a mapping"),
        ("[", "line 1, column 2: "),
        ("[{},]", "line 1, column 5: Expecting value"),
        ("[{}\n {}]", "line 2, column 2: Expecting ',' or ']'"),
        ("[] []", "line 1, column 4: text after the end"),
        ('{"uploads": [], }', "Expecting a name in double quotes"),
        ('{"uploads" []}', "Expecting ':'"),
        ("{}", "has no `uploads` (found: nothing)"),
        ('{"uploads": {}}', "`uploads` is not a list"),
        ('[{"a": "line\nbreak"}]', "line 1, column 13: Invalid control character"),
        ("[" * 100_000, "nested too deep"),
        ('["' + "x" * (1 << 25) + '"]', "not a complete item within"),
        ("[" + '{"product": "é"},\n' * 900 + '{"product" "x"}]', "line 901, column 12: Expecting ':'"),
    ],
)
def test_json_that_cannot_be_used(read: Reader, content: str, said: str) -> None:
    with pytest.raises(ManifestError) as caught:
        read(content, ".json")
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (" \n\n", "is empty"),
        ('{"file": "f"}\n\n{"file" "g"}\n', "line 3, column 9: "),
        ("[" * 100_000, "line 1 is nested too deep"),
        ('{"file": "' + "x" * (1 << 24), "line 1 is longer than"),
        ('{"product": "a"}\n', "no column `file`"),
    ],
)
def test_jsonl_that_cannot_be_used(read: Reader, content: str, said: str) -> None:
    with pytest.raises(ManifestError) as caught:
        read(content, ".jsonl")
    assert said in str(caught.value)


@pytest.mark.parametrize("content", ["[]", '{"uploads": []}', '{"uploads": null}'])
def test_no_rows_are_no_mistake(read: Reader, content: str) -> None:
    for suffix in (".json", ".yaml"):
        found = read(content, suffix)
        assert found.rows == []
        assert "has no rows" in found.notes[0]


def test_odd_keys_are_told_once(read: Reader) -> None:
    found = read(
        "default: {a: b}\nversion: 1\nuploads:\n" + "- {prodct: a, attribute: p, file: f}\n" * 3, ".yaml"
    )
    assert len(found.notes) == 3
    assert "Did you mean `defaults`?" in found.notes[0]
    assert "`version`" in found.notes[1] and "x-" in found.notes[1]
    assert "Did you mean `product`?" in found.notes[2]
    assert "`attribut`" in read("defaults: {attribut: p}\nuploads: [{product: a, file: f}]", ".yaml").notes[0]


def test_names_that_never_end_do_not_fill_the_memory(read: Reader) -> None:
    rows = "".join(json.dumps(item(**{f"produc{i}": 1})) + "\n" for i in range(1500))
    assert len(read(rows, ".jsonl").rows) == 1500
