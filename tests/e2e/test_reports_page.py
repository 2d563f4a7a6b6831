"""docs/reports.md shows what a real run leaves behind."""

from __future__ import annotations

import csv
import json
import re
import shutil
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from akeneo_media_cli.progress.base import Silent
from akeneo_media_cli.report import FORMATS

from .conftest import Bench, Bencher

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "reports.md").read_text(encoding="utf-8")


def section(name: str) -> str:
    return re.split(r"\n## (?=[A-Z])", PAGE.split(f"\n## {name}\n", 1)[1])[0]


def blocks(name: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", section(name), re.DOTALL)


@pytest.fixture
def ran(bench: Bencher) -> Bench:
    """A bench on which the page's manifest was uploaded, every report and `events` left beside it."""
    names = ("runner-red", "runner-blue")
    catalog = {
        "attributes": [{"code": "picture", "type": "pim_catalog_image"}],
        "families": [{"code": "shoes", "attributes": ["picture"]}],
        "products": [{"identifier": name, "family": "shoes"} for name in names],
    }
    b = bench(catalog)
    shutil.copytree(ROOT / "sample_manifests" / "images", b.folder / "images")
    (manifest,) = re.findall(r"\A.*?```csv\n(.*?)```", PAGE, re.DOTALL)
    (b.folder / "spring.csv").write_text(manifest)
    reports = [part for suffix in FORMATS for part in ("--report", f"r{suffix}")]
    done = b.upload("spring.csv", *reports, "--progress", "json", "--metrics-file", "m.prom")
    assert done.status == 1
    (b.folder / "events").write_text(done.err)
    return b


def shape(value: Any) -> Any:
    """The keys of a JSON value, in order, and the types of what they hold."""
    if isinstance(value, dict):
        return [(key, shape(each)) for key, each in value.items()]
    if isinstance(value, list):
        return [shape(each) for each in value]
    return type(value).__name__


def test_the_examples_are_what_a_run_leaves(ran: Bench) -> None:
    (shown,) = map(json.loads, blocks("JSON", "json"))
    report = json.loads((ran.folder / "r.json").read_text("utf-8"))
    assert shape(shown) == shape(report)
    assert [item["error"] for item in shown["items"]] == [item["error"] for item in report["items"]]
    told = re.findall(r"^\| (`[^|]*`) \|", section("JSON"), re.MULTILINE)
    names = {name for cell in told for name in re.findall(r"`(\w+)`", cell)}
    assert {*report["summary"], *(key for item in report["items"] for key in item)} <= names

    (table,) = blocks("CSV", "csv")
    rows = list(csv.reader((ran.folder / "r.csv").read_text("utf-8").splitlines()))
    assert list(csv.reader(table.splitlines())) == [rows[0], rows[2]]

    (xml,) = blocks("JUnit", "xml")
    written = ET.fromstring((ran.folder / "r.xml").read_bytes())
    for case, other in zip(ET.fromstring(xml).iter("testcase"), written.iter("testcase"), strict=True):
        assert case.get("name") == other.get("name")
        assert ["".join(found.itertext()) for found in case] == ["".join(found.itertext()) for found in other]
    assert written.find(".//property[@name='summary.uploaded']") is not None

    (markdown,) = blocks("Markdown", "markdown")
    head, _, names_, dashes, values = markdown.splitlines()
    lines = (ran.folder / "r.md").read_text("utf-8").splitlines()
    assert lines[:4] == [head, "", names_, dashes]
    assert len(lines[4].split("|")) == len(values.split("|"))


def test_the_events_are_what_a_run_writes(ran: Bench) -> None:
    (shown,) = blocks("Events", "json")
    heard = map(json.loads, (ran.folder / "events").read_text().splitlines())
    events = {event["event"]: event for event in heard}
    for example in map(json.loads, shown.splitlines()):
        assert shape(example) == shape(events[example["event"]])
    told = re.findall(r"^\| `(\w+)` \| ", section("Events"), re.MULTILINE)
    methods = {name for name in vars(Silent) if not name.startswith("_")}
    # Pieces of files, estimates and questions are no events, and rows settled at once are told one by one.
    assert set(told) == methods - {"row_sent", "rows_expected", "asking", "rows_settled"}


def test_the_metrics_are_what_a_run_writes(ran: Bench) -> None:
    (shown,) = blocks("Metrics", "text")
    written = (ran.folder / "m.prom").read_text()
    assert re.findall("^[a-z_]+(?=[{])", shown, re.MULTILINE) == list(
        dict.fromkeys(re.findall("^[a-z_]+(?=[{])", written, re.MULTILINE))
    )


def test_every_suffix_is_told_of() -> None:
    assert re.findall(r"^\| `(\.\w+)` \|", PAGE, re.MULTILINE) == list(FORMATS)
