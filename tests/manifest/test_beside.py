"""Columns for what assets and records hold beside their files, in every format."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from akeneo_media_cli.errors import Kind
from akeneo_media_cli.manifest import read_manifests
from akeneo_media_cli.manifest.beside import Link, beside, is_beside, near_beside
from akeneo_media_cli.rows import Row, Target, TargetType

GALLERY = Link(Target(TargetType.PRODUCT, "p-1"), "gallery")


def rows(tmp_path: Path, name: str, text: str, settings: tuple[str, ...] = ()) -> tuple[list[Row], list[str]]:
    (tmp_path / name).write_text(text, encoding="utf-8")
    notes: list[str] = []
    found = read_manifests(
        [str(tmp_path / name)],
        format=None,
        sets=settings,
        stdin=io.BytesIO(),
        note=lambda message, _: notes.append(message),
    )
    return list(found), notes


def test_a_table_says_values_and_links_and_an_empty_cell_says_nothing(tmp_path: Path) -> None:
    header = "asset_family,asset,attribute,file,value.alt-en_US-mobile,Value.tags,Link Product,link_attribute"
    (full, empty), notes = rows(
        tmp_path,
        "m.csv",
        f"{header}\nf,a,media,a.jpg, A shoe ,new;old,p-1,gallery\nf,b,media,b.jpg,,,,gallery\n",
    )
    assert not notes
    said = beside(full)
    assert said is not None
    assert [value[1:] for value in said.values] == [
        ("alt", ("en_US", "mobile"), "A shoe"),
        ("tags", (), "new;old"),
    ]
    assert said.link == GALLERY
    assert beside(empty) is None
    assert empty.problem is None


@pytest.mark.parametrize("name", ["m.yaml", "m.json", "m.jsonl"])
def test_null_empties_in_documents_and_types_are_kept(tmp_path: Path, name: str) -> None:
    item: dict[str, Any] = {
        "asset_family": "f",
        "asset": "a",
        "value.a": None,
        "value.b": ["x", "y"],
        "value.c": True,
        "value.d": "",
    }
    text = json.dumps(item) if name == "m.jsonl" else json.dumps([item])
    ((row,), _) = rows(tmp_path, name, text)
    said = beside(row)
    assert row.problem is None
    assert said is not None
    data = {value.attribute: value.data for value in said.values}
    # YAML's true may be meant as a text: the attribute tells.
    assert data == {"a": None, "b": ["x", "y"], "c": "true" if name == "m.yaml" else True}


def test_a_number_in_yaml_is_what_is_written(tmp_path: Path) -> None:
    ((row,), _) = rows(tmp_path, "m.yaml", "- {asset_family: f, asset: a, value.ean: 00123, value.n: 1.10}\n")
    said = beside(row)
    assert said is not None
    assert [value.data for value in said.values] == ["00123", "1.10"]


def test_a_row_without_a_file_needs_values_or_a_link(tmp_path: Path) -> None:
    (with_value, without), _ = rows(
        tmp_path, "m.csv", "asset_family,asset,attribute,value.a\nf,a,media,x\nf,b,media,\n"
    )
    assert with_value.problem is None
    assert without.problem is not None
    assert "file" in without.problem.message


def test_settings_fill_these_columns_too(tmp_path: Path) -> None:
    ((row,), _) = rows(
        tmp_path,
        "m.csv",
        "asset_family,asset,attribute,file,sku\nf,a,media,a.jpg,p-1\n".replace(",sku", ",link_product"),
        settings=("link_attribute=gallery", "value.alt={link_product} from the side"),
    )
    said = beside(row)
    assert said is not None
    assert said.link == GALLERY
    assert said.values[0].data == "p-1 from the side"


@pytest.mark.parametrize(
    ("columns", "cells", "told"),
    [
        ("product,attribute,file,value.a", "p,picture,a.jpg,x", "for assets and records"),
        ("asset_family,asset,attribute,file,value.a-b-c-d", "f,a,m,a.jpg,x", "does not name a value"),
        ("asset_family,asset,attribute,file,link_product", "f,a,m,a.jpg,p", "link_attribute"),
        (
            "asset_family,asset,attribute,file,link_product,link_product_model,link_attribute",
            "f,a,m,a.jpg,p,q,g",
            "more than one product",
        ),
        (
            "reference_entity,record,attribute,file,link_product,link_attribute",
            "e,r,i,a.jpg,p,g",
            "links assets",
        ),
    ],
)
def test_a_row_that_cannot_be_meant_is_malformed(tmp_path: Path, columns: str, cells: str, told: str) -> None:
    ((row,), _) = rows(tmp_path, "m.csv", f"{columns}\n{cells}\n")
    assert row.problem is not None
    assert row.problem.kind is Kind.ROW_MALFORMED
    assert told in row.problem.message


def test_other_columns_are_none_of_these() -> None:
    assert not any(map(is_beside, ["value", "value.", "values.a", "link", "product", "linkproduct"]))
    assert all(map(is_beside, ["value.a", "VALUE.a-en_US", "link_product_uuid", "link channel"]))


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("link_prodct", "link_product"),
        ("Link Attribut", "link_attribute"),
        ("values.alt-en_US", "value.alt-en_US"),
    ],
)
def test_a_slip_of_such_a_column_is_told(tmp_path: Path, written: str, meant: str) -> None:
    _, notes = rows(tmp_path, "m.csv", f"asset_family,asset,attribute,file,{written}\nf,a,m,a.jpg,x\n")
    assert len(notes) == 1
    assert written in notes[0]
    assert near_beside(written) == meant


def test_a_column_of_ones_own_is_no_slip() -> None:
    assert not any(map(near_beside, ["link", "url", "values", "product_link", "linked", "attribute_link"]))
