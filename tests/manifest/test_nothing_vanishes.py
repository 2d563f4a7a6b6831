"""No row of any manifest disappears without a word: rows in the file = rows read + lines told as left out."""

from __future__ import annotations

import csv
import io
import json
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from akeneo_media_cli.errors import ManifestError

from .reading import Read, Reader
from .sheets.test_sheets import ods, rows_in

HEADER = ("sku", "attribute", "file", "note")
LEFT_OUT = re.compile(r"([0-9,]+) lines? left out")

code = st.sampled_from(
    [
        "a",
        "00123",
        "",
        " ",
        "4.0E+12",
        '="1"',
        "#N/A",
        "sku",
        "SKU",
        "product",
        "x;y",
        "it's",
        '5"',
        "é",
        "'q'",
    ]
)
note = st.sampled_from(["", "n", "note", "a, b", "line\nbreak", "'", "\ufeff", "attribute"])
rows = st.lists(st.tuples(code, code, code, note), max_size=12)


def told(found: Read) -> int:
    """Lines that the notes say are left out."""
    return sum(int(match[1].replace(",", "")) for line in found.notes if (match := LEFT_OUT.search(line)))


def filled(cells: Sequence[str]) -> bool:
    return any(cell.strip() for cell in cells)


def check(content: str | bytes, suffix: str, expected: int, **how: Any) -> None:
    with tempfile.TemporaryDirectory() as folder:
        found = Reader(Path(folder))(content, suffix, **how)
    assert len({row.line for row in found.rows}) + told(found) == expected, found


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("titles", [[], [["Spring pictures"], ["made by", "me"]]])
@given(rows=rows, again=st.lists(st.integers(0, 12), max_size=2), bom=st.booleans())
def test_of_a_csv(
    delimiter: str, titles: list[list[str]], rows: list[tuple[str, ...]], again: list[int], bom: bool
) -> None:
    lines: list[Sequence[str]] = [*titles, HEADER, *rows]
    for at in again:  # as where files were joined
        lines.insert(len(titles) + 1 + min(at, len(rows)), HEADER)
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter, quoting=csv.QUOTE_ALL).writerows(lines)
    text = out.getvalue()
    if bom:
        text = "\ufeff" + text
    check(text, ".csv", len([line for line in lines if filled(line)]) - 1)


@given(rows=rows, apart=st.integers(0, 3))
def test_of_a_workbook(rows: list[tuple[str, ...]], apart: int) -> None:
    # A remark beside the table makes a line that has nothing below the header.
    lines = [["Title"], *[[""]] * apart, list(HEADER), *[[*row, "", "remark"] for row in rows]]
    check(rows_in(lines), ".xlsx", 1 + len(rows))


@given(rows=rows)
def test_of_an_ods(rows: list[tuple[str, ...]]) -> None:
    def cell(text: str) -> str:
        text = text.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;").replace("\n", " ")
        return f'<table:table-cell office:value-type="string" office:string-value="{text}"/>'

    body = "".join(f"<table:table-row>{''.join(map(cell, row))}</table:table-row>" for row in (HEADER, *rows))
    check(ods(body), ".ods", len([row for row in rows if filled(row)]))


@given(rows=rows, files=st.lists(st.sampled_from(["a.txt", "b.jpg"]), max_size=3))
def test_of_documents(rows: list[tuple[str, ...]], files: list[str]) -> None:
    items: list[Any] = [dict(zip(HEADER, row, strict=True)) for row in rows]
    items += [{"sku": "a", "file": files, "attribute": "p_{n}"}, 1, None, "x", []]
    check(json.dumps(items), ".json", len(items))
    check(yaml.safe_dump(items), ".yaml", len(items))
    check("".join(json.dumps(item) + "\n" for item in items), ".jsonl", len(items))


@given(rows=rows, extra=st.booleans())
def test_of_the_pims_layout(rows: list[tuple[str, ...]], extra: bool) -> None:
    out = io.StringIO(newline="")
    names = ("sku", "picture", "manual-en_US", "name")
    more = ("too", "many") if extra else ()
    csv.writer(out, delimiter=";", quoting=csv.QUOTE_ALL).writerows([names, *(row + more for row in rows)])
    expected = len([row for row in rows if filled(row + more)])
    check(out.getvalue(), ".csv", expected, format="akeneo", columns=["picture", "manual"])


def test_a_report_has_an_item_for_every_row_or_a_word(command: list[str], tmp_path: Path) -> None:
    """Through the whole command: rows that repeat others are told, and no other is missing."""
    import subprocess

    lines = [
        "Title",
        "sku,attribute,file",
        "a,p,a.txt",
        "a,p,a.txt",
        "b,p,",
        "c,p,missing.txt",
        "4.0E+12,p,a.txt",
    ]
    (tmp_path / "m.csv").write_text("\n".join([*lines, "sku,attribute,file", "d,p,a.txt", "e,p,a.bak"]))
    (tmp_path / "a.txt").write_bytes(b"a text")
    done = subprocess.run(
        [*command, "validate", "m.csv", "--report", "r.json"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    report = json.loads((tmp_path / "r.json").read_text())
    assert [item["line"] for item in report["items"]] == [3, 5, 6, 7, 9, 10]
    assert "1 line left out: above the header" in done.stderr
    assert "1 line left out: a header again" in done.stderr
    assert "1 row" in done.stderr and "repeat" in done.stderr


def test_a_manifest_without_a_header_is_no_manifest(tmp_path: Path) -> None:
    with pytest.raises(ManifestError):
        Reader(tmp_path)("a,p,f\nb,p,g\n")
