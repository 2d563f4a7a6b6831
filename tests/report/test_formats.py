"""JSON, JSONL and CSV: what programs read."""

from __future__ import annotations

import csv
import datetime
import io
import json
import math
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from akeneo_media_cli.report import write_reports
from akeneo_media_cli.report.csv_ import COLUMNS
from akeneo_media_cli.report.encode import dumps

from .samples import NASTY, hostile_items, item, long_report, report


def written(tmp_path: Path, suffix: str, of: Any) -> bytes:
    path = tmp_path / f"report{suffix}"
    write_reports([str(path)], of, stdout=io.StringIO())
    return path.read_bytes()


def read_csv(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode(), newline="")))


def test_json_has_the_contracts_keys_in_its_order(tmp_path: Path) -> None:
    rows = [item(2), item(4, "failed")]
    data = json.loads(written(tmp_path, ".json", report(*rows, exit_status=1)))
    assert list(data) == [
        *("tool", "pim", "run", "command", "exit_status"),
        *("started_at", "finished_at", "duration_seconds", "summary", "error", "items"),
    ]
    assert data["items"] == rows
    assert data["exit_status"] == 1
    assert data["summary"]["failed"] == 1


def test_json_without_rows(tmp_path: Path) -> None:
    assert json.loads(written(tmp_path, ".json", report()))["items"] == []


def test_json_gives_hostile_text_back_as_it_was(tmp_path: Path) -> None:
    rows = hostile_items()
    text = written(tmp_path, ".json", report(*rows)).decode("utf-8")
    assert json.loads(text)["items"] == rows
    assert "東京の写真" in text, "readable without a decoder"


def test_jsonl_has_a_line_for_each_row_and_no_other(tmp_path: Path) -> None:
    rows = hostile_items()
    text = written(tmp_path, ".jsonl", report(*rows)).decode("utf-8")
    assert [json.loads(line) for line in text.splitlines()] == rows


def test_standard_output_takes_json_in_any_encoding() -> None:
    raw = io.BytesIO()
    rows = hostile_items()
    out = io.TextIOWrapper(raw, encoding="ascii")
    write_reports(["-"], report(*rows), stdout=out)
    assert json.loads(raw.getvalue())["items"] == rows


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()) | st.binary(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters()) | st.integers(), inner),
        max_leaves=8,
    )
)
def test_anything_becomes_one_line_of_valid_json(value: Any) -> None:
    for ascii_only in (False, True):
        text = dumps({"extra": value}, ascii_only=ascii_only)
        assert len(text.splitlines()) == 1
        json.loads(text.encode("utf-8"), parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))


def test_what_yaml_holds_and_json_lacks_is_kept_as_near_as_it_goes() -> None:
    value = {
        "day": datetime.date(2026, 11, 23),
        "raw": b"\x00\xff",
        "set": {"b", "a"},
        "nan": math.nan,
        "huge": 1 << 5000,
        (1, 2): "tuple key",
        "other": 1 + 2j,
    }
    got = json.loads(dumps(value))
    assert got.pop("huge").startswith("0x1000")
    assert got == {
        "day": "2026-11-23",
        "raw": "AP8=",
        "set": ["a", "b"],
        "nan": "nan",
        "[1, 2]": "tuple key",
        "other": "(1+2j)",
    }


def test_a_value_that_holds_itself_ends_somewhere() -> None:
    knot: list[Any] = [1]
    knot.append(knot)
    assert json.loads(dumps(knot))[0] == 1
    assert "…" in dumps(knot)


def test_csv_is_flat_and_whole(tmp_path: Path) -> None:
    rows = [
        item(2, extra={"photographer": "Ada", "status": "final", "extra": "x"}),
        item(3, "failed", target={"type": "asset", "asset_family": "packshots", "code": "front"}),
        item(4, "invalid", target=None, size=None),
    ]
    data = written(tmp_path, ".csv", report(*rows))
    assert data.count(b"\r\n") == 4
    good, failed, invalid = read_csv(data)
    assert list(good) == [*COLUMNS, "photographer", "extra.status", "extra.extra"]
    assert (good["target.type"], good["target.identifier"], good["line"]) == ("product", "sku-2", "2")
    assert (good["photographer"], good["status"], good["extra.status"]) == ("Ada", "uploaded", "final")
    assert (failed["target.asset_family"], failed["target.code"]) == ("packshots", "front")
    assert (failed["error.kind"], failed["error.http_status"]) == ("extension_not_allowed", "422")
    assert invalid["error.message"] == "The tiff file extension is not allowed"
    assert (invalid["size"], invalid["target.type"]) == ("", "")


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =1+1", "＝1", "=cmd|'/c calc'!A1"]
)
def test_csv_runs_no_formula(tmp_path: Path, text: str) -> None:
    rows = [item(file=text, extra={text: text}, target={"type": "product", "identifier": text})]
    (row,) = read_csv(written(tmp_path, ".csv", report(*rows)))
    assert row["file"] == row["target.identifier"] == f"'{text}" == row[f"'{text}"]


def test_csv_leaves_numbers_alone(tmp_path: Path) -> None:
    (row,) = read_csv(written(tmp_path, ".csv", report(item(extra={"delta": -3, "on": True, "more": [1]}))))
    assert (row["delta"], row["on"], row["more"]) == ("-3", "true", "[1]")


def test_csv_survives_hostile_text(tmp_path: Path) -> None:
    rows = read_csv(written(tmp_path, ".csv", report(*hostile_items())))
    assert len(rows) == len(NASTY)
    assert all("\x1b" not in "".join(filter(None, row.values())) for row in rows)
    assert rows[7]["file"] == "two\nlines\r\nand\ttabs"
    assert rows[8]["file"] == "name-\\udcff\\udcfe.jpg"


def test_csv_does_not_grow_a_column_for_each_row(tmp_path: Path) -> None:
    rows = [item(n, extra={f"column {n}": "v"}) for n in range(1000)]
    got = read_csv(written(tmp_path, ".csv", report(*rows)))
    assert len(got[0]) == len(COLUMNS) + 201
    assert (got[5]["column 5"], got[5]["extra"]) == ("v", "")
    assert got[999]["extra"] == '{"column 999": "v"}'


@pytest.mark.parametrize("suffix", [".json", ".jsonl", ".csv", ".xml", ".md", ".html"])
@pytest.mark.parametrize("status", ["uploaded", "failed"])
def test_memory_does_not_grow_with_rows(tmp_path: Path, suffix: str, status: str) -> None:
    """From 1,000 rows to 7,000; HTML holds the rows that it shows, compactly."""

    def peak(rows: int) -> int:
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        write_reports([str(tmp_path / f"r{suffix}")], long_report(rows, status), stdout=io.StringIO())
        return tracemalloc.get_traced_memory()[1] - before

    written(tmp_path, suffix, long_report(10, status))
    tracemalloc.start()
    try:
        few, many = peak(1_000), peak(7_000)
    finally:
        tracemalloc.stop()
    allowed = 6_000_000 if suffix == ".html" else 200_000
    assert many - few < allowed
