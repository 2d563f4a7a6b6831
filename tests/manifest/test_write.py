"""What our writers write, our readers read back the same."""

from __future__ import annotations

import io
import json
import tempfile
import zipfile
from pathlib import Path

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from akeneo_media_cli.errors import Failure, Kind, UsageError
from akeneo_media_cli.manifest.columns import canonical, file_as_text, file_from_text
from akeneo_media_cli.manifest.oddities import odd_code, several
from akeneo_media_cli.manifest.write import write_rows
from akeneo_media_cli.rows import Row, Target, TargetType, clean_name

from .reading import Reader

FORMATS = ["csv", "tsv", "yaml", "json", "jsonl", "xlsx"]
TRAPS = [
    "null",
    "~",
    "",
    "1e5",
    "00123",
    "=1+1",
    "#x",
    "- a",
    "a: b",
    "no",
    "[x",
    "{x",
    "*a",
    "&a",
    "!x",
    "<<",
]

characters = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
text = st.one_of(st.text(characters, min_size=1, max_size=12), st.sampled_from([t for t in TRAPS if t]))
# CSV trims the cells of known columns, and the PIM knows no difference either.
code = text.map(str.strip).filter(lambda t: bool(t) and odd_code(t) is None and several(t, t, t) is None)
raw_names = st.one_of(
    st.binary(min_size=1, max_size=12)
    .filter(lambda b: b"\0" not in b)
    .map(lambda b: b.decode("utf-8", "surrogateescape")),
    text,
    st.sampled_from(["file:x", " a ", "a\n", "//a", "/a b", "///x", "a%41", "caf\udce9.jpg", "x" * 300]),
)
targets = st.one_of(
    st.builds(
        Target,
        st.sampled_from(
            [
                TargetType.PRODUCT,
                TargetType.PRODUCT_UUID,
                TargetType.PRODUCT_MODEL,
                TargetType.CATEGORY,
                TargetType.PAM_ASSET,
            ]
        ),
        code,
        st.just(""),
    ),
    st.builds(Target, st.just(TargetType.ASSET), code, code),
    st.builds(Target, st.just(TargetType.RECORD), st.one_of(st.just(""), code), code),
)
extra_names = code.filter(lambda name: canonical(name) is None and "\ufeff" not in name)
rows = st.builds(
    Row,
    manifest=st.just("m"),
    line=st.just(0),
    file=raw_names,
    target=targets,
    attribute=code,
    locale=st.one_of(st.none(), code),
    scope=st.one_of(st.none(), code),
    filename=st.one_of(st.none(), code.map(clean_name).map(str.strip).filter(bool)),
    extra=st.dictionaries(extra_names, text, max_size=2),
)


def facts(row: Row) -> tuple[object, ...]:
    # A CSV has every column in every row: what a row does not have is empty there.
    extra = {name: value for name, value in row.extra.items() if value}
    return (row.file, row.target, row.attribute, row.locale, row.scope, row.filename, extra, row.problem)


def written(some: list[Row], format: str) -> bytes:
    file = io.BytesIO()
    stream = io.TextIOWrapper(file, encoding="utf-8", newline="")
    write_rows(some, format, stream)
    stream.flush()
    return file.getvalue()


@pytest.mark.parametrize("format", FORMATS)
@given(some=st.lists(rows, min_size=1, max_size=4))
@example(some=[Row("m", 0, "\ufefff", Target(TargetType.PRODUCT, "x"), "p")])
@example(some=[Row("m", 0, "f", Target(TargetType.PRODUCT, "a\rb"), "p", extra={"n": " x", "o": "\ty"})])
def test_rows_read_back_the_same(format: str, some: list[Row]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        found = Reader(Path(folder))(written(some, format), f".{format}")
    assert [facts(row) for row in found.rows] == [facts(row) for row in some]


@given(raw_names)
def test_any_file_name_has_a_text(name: str) -> None:
    spelled = file_as_text(name)
    spelled.encode("utf-8")
    assert spelled == spelled.strip()
    assert file_from_text(spelled) == name


def test_plain_names_stay_plain() -> None:
    assert file_as_text("images/Ünï côdé (1).jpg") == "images/Ünï côdé (1).jpg"
    assert file_as_text("caf\udce9.jpg") == "file:caf%E9.jpg"
    with pytest.raises(ValueError, match="surrogates not allowed"):
        file_as_text("\ud800")


def row(**changes: object) -> Row:
    values: dict[str, object] = {
        "file": "f.jpg",
        "target": Target(TargetType.PRODUCT, "00123"),
        "attribute": "p",
    }
    return Row("m", 1, **{**values, **changes})  # type: ignore[arg-type]


def test_what_others_read() -> None:
    """The files are for people and other programs as well."""
    some = [row(locale="no", extra={"n": "null"}), row(target=Target(TargetType.ASSET, "a", "pack"))]
    expected = [
        {"product": "00123", "attribute": "p", "locale": "no", "file": "f.jpg", "n": "null"},
        {"asset_family": "pack", "asset": "a", "attribute": "p", "file": "f.jpg"},
    ]
    assert yaml.safe_load(written(some, "yaml")) == expected
    assert json.loads(written(some, "json")) == expected
    assert [json.loads(line) for line in written(some, "jsonl").splitlines()] == expected
    assert written(some, "csv").decode() == (
        "product,asset_family,asset,attribute,locale,file,n\n00123,,,p,no,f.jpg,null\n,pack,a,p,,f.jpg,\n"
    )


def test_a_sheet_holds_nothing_but_text_below_a_bold_frozen_header() -> None:
    names = ("00123", "1e5", "=1+1", "http://x/y", "2026-01-01", "{=A1}", "TRUE")
    some = [row(target=Target(TargetType.PRODUCT, name), extra={"n": "7"}) for name in names]
    with zipfile.ZipFile(io.BytesIO(written(some, "xlsx"))) as archive:
        sheet = archive.read("xl/worksheets/sheet1.xml").decode()
        assert not [name for name in archive.namelist() if "rels" in name and "worksheets" in name]
    assert sheet.count('t="inlineStr"') == sheet.count("<c ") == 4 * (len(names) + 1)
    assert "<f" not in sheet
    assert 'ySplit="1"' in sheet
    assert 'state="frozen"' in sheet
    with CalamineWorkbook.from_filelike(io.BytesIO(written(some, "xlsx"))) as book:
        cells = book.get_sheet_by_index(0).to_python()
    assert cells[0] == ["product", "attribute", "file", "n"]
    assert [line[0] for line in cells[1:]] == list(names)


def test_what_no_sheet_holds_is_told() -> None:
    with pytest.raises(UsageError, match="32,767"):
        written([row(extra={"n": "x" * 32_768})], "xlsx")
    assert written([row(extra={"n": "x" * 32_767})], "xlsx")


def test_no_rows() -> None:
    assert json.loads(written([], "json")) == yaml.safe_load(written([], "yaml")) == []
    assert written([], "jsonl") == b""


def test_a_csv_streams_where_its_columns_are_named() -> None:
    stream = io.StringIO(newline="")
    seen: list[str] = []

    def some() -> object:
        for name in ("a", "b"):
            seen.append(stream.getvalue())
            yield row(file=name)

    write_rows(some(), "csv", stream, columns=["file", "product", "attribute"])  # type: ignore[arg-type]
    assert seen == ["file,product,attribute\n", "file,product,attribute\na,00123,p\n"]
    with pytest.raises(ValueError, match="locale"):
        write_rows([row(locale="fr_FR")], "csv", stream, columns=["file", "product", "attribute"])


@pytest.mark.parametrize(
    "bad",
    [
        row(target=None),
        row(problem=Failure(Kind.FILE_MISSING, "m", "h")),
        row(attribute="\udce9"),
        row(target=Target(TargetType.PRODUCT, "a\0")),
        row(extra={"\ud800": "x"}),
        row(file="\ud800"),
    ],
)
@pytest.mark.parametrize("format", FORMATS)
def test_rows_that_no_manifest_can_carry(bad: Row, format: str) -> None:
    with pytest.raises(ValueError):
        written([bad], format)


def test_an_unknown_format() -> None:
    with pytest.raises(ValueError, match="cannot write 'akeneo'"):
        written([row()], "akeneo")
