"""The HTML report: as a file, and in a browser."""

from __future__ import annotations

import io
import itertools
import json
import re
import struct
import subprocess
import sys
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from akeneo_media_cli.report import Report, write_reports
from akeneo_media_cli.report.page.html import MOST_ROWS, write
from akeneo_media_cli.report.page.thumbnails import thumbnailer
from akeneo_media_cli.report.timeline import Timeline

from .browser import CHROMIUM, Page, browser
from .samples import NASTY, hostile_items, item, long_report, report


def page_of(of: Report) -> str:
    out = io.StringIO()
    write(of, out)
    return out.getvalue()


def rows_in(page: str) -> list[list[Any]]:
    data = re.search('<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert data
    rows: list[list[Any]] = json.loads(data[1])
    return rows


def test_every_row_of_a_small_run_is_there() -> None:
    page = page_of(report(item(2), item(3, "failed"), exit_status=1))
    assert rows_in(page) == [
        [
            1,
            "uploaded",
            "spring.csv",
            2,
            "images/2.jpg",
            "product sku-2 picture",
            1002,
            0.41,
            1,
            "",
            "",
            "",
            None,
        ],
        [
            *(2, "failed", "spring.csv", 3, "images/3.jpg", "product sku-3 picture", 1003, 0.41, 1),
            *("extension_not_allowed", "The tiff file extension is not allowed"),
            *("picture takes jpg, jpeg, png: convert the file, or name another attribute", None),
        ],
    ]
    assert "Extension not allowed: 1 row" in page
    assert "<b>How to fix:</b> picture takes jpg" in page
    assert "<b>1</b>failed" in page
    assert "<code>akeneo-media runs retry 20261123T101500Z-3f2a</code>" in page
    assert "<svg" not in page, "no row tells when it was sent"


def test_a_report_without_rows_or_pim() -> None:
    page = page_of(report(pim=None, run=None, summary={"total": 0}))
    assert rows_in(page) == []
    assert "There was nothing to do" in page
    assert "to look at" not in page


def test_a_large_run_keeps_its_failures_and_a_sample() -> None:
    def items() -> Iterator[Mapping[str, Any]]:
        return (item(n, "failed" if n % 100 == 0 else "uploaded") for n in range(1, 50_001))

    page = page_of(report(items=items))
    rows = rows_in(page)
    assert len(rows) == MOST_ROWS
    assert sum(row[1] == "failed" for row in rows) == 500
    good = [row[0] for row in rows if row[1] == "uploaded"]
    assert max(b - a for a, b in itertools.pairwise(good)) <= 4, "evenly"
    assert "holds 500 of 500 to look at and a sample of 19,500 others" in re.sub(r"\s+", " ", page)
    assert len(page) < 6_000_000


def test_a_large_run_that_failed_altogether() -> None:
    page = page_of(long_report(30_000, "failed"))
    assert len(rows_in(page)) == MOST_ROWS
    assert "holds 20,000 of 30,000 to look at and a sample of 0 others" in re.sub(r"\s+", " ", page)
    assert 'data-kind="extension_not_allowed">Show all 30,000<' in page


def test_hints_stand_with_their_rows_where_they_differ() -> None:
    rows = [
        item(n, "invalid", error={"kind": "k", "http_status": None, "message": "m", "hint": f"cure {n}"})
        for n in (1, 2)
    ]
    page = page_of(report(*rows))
    assert '<span class="hint">cure 2</span>' in page
    assert "<b>How to fix:</b>" not in page


def test_timeline_spreads_rows_over_their_time() -> None:
    timeline = Timeline("2026-11-23T10:15:00Z", 120.0)
    timeline.add(
        item(1, started_at="2026-11-23T10:15:10Z", finished_at="2026-11-23T10:15:40Z", size=3_000_000)
    )
    timeline.add(item(2, finished_at="2026-11-23T10:15:20.500Z", duration_seconds=None, size=None))
    timeline.add(item(3, "failed", finished_at="2026-11-23T11:15:20Z", duration_seconds=1.0))
    timeline.add(item(4, finished_at="when?"))
    timeline.add(item(5, "unchanged", finished_at="2026-11-23T10:15:00Z"))
    charts = timeline.charts()
    assert "Throughput: at most 100.0 kB/s, on average 25.0 kB/s" in charts
    assert "Rows in flight: at most 1.0, on average 0.3" in charts
    assert Timeline("never", 0.0).charts() == ""
    empty = Timeline("2026-11-23T10:15:00Z", 0.0)
    empty.add(item(1, finished_at="2026-11-23T10:15:00Z", size=0, duration_seconds=0))
    assert "<svg" in empty.charts()


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    Image.new("RGB", (900, 600), (200, 30, 30)).save(tmp_path / "a.jpg")
    Image.new("P", (10, 500)).save(tmp_path / "b.png")
    Image.new("L", (5, 5)).save(tmp_path / "tiff.jpg", "TIFF")
    (tmp_path / "broken.jpg").write_bytes((tmp_path / "a.jpg").read_bytes()[:400])
    (tmp_path / "text.jpg").write_text("no picture")
    (tmp_path / "folder.jpg").mkdir()

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    bomb = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0))
    (tmp_path / "bomb.png").write_bytes(bomb + chunk(b"IDAT", b"") + chunk(b"IEND", b""))
    fair = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 8_000, 8_000, 8, 0, 0, 0, 0))
    (tmp_path / "fair.png").write_bytes(fair + chunk(b"IDAT", b"") + chunk(b"IEND", b""))
    with (tmp_path / "huge.jpg").open("wb") as huge:
        huge.truncate(60_000_000)
    return tmp_path


def test_thumbnails_are_small_and_of_pictures_only(pictures: Path) -> None:
    thumbnail = thumbnailer()
    for name in ("a.jpg", "b.png"):
        small = thumbnail(str(pictures / name))
        assert small
        uri = small.uri
        assert uri.startswith("data:image/webp;base64,")
        assert len(uri) < 4000
    for name in (
        "tiff.jpg",
        "broken.jpg",
        "text.jpg",
        "folder.jpg",
        "bomb.png",
        "fair.png",
        "huge.jpg",
        "none",
    ):
        assert thumbnail(str(pictures / name)) is None, name


def test_the_page_has_thumbnails_where_files_are_found(pictures: Path) -> None:
    def locate(row: Mapping[str, Any]) -> str | None:
        return str(pictures / row["file"]) if row["line"] > 1 else None

    rows = [item(n, file="a.jpg") for n in range(1, 400)]
    shown = [row[12] for row in rows_in(page_of(report(*rows, locate=locate)))]
    assert shown[0] is None
    assert shown[1].startswith("data:")
    assert sum(map(bool, shown)) == 300


def test_without_pillow_there_are_no_thumbnails() -> None:
    code = """
import sys
sys.modules["PIL"] = None  # as if it were not installed
from akeneo_media_cli.report.page.thumbnails import thumbnailer
assert thumbnailer()("a.jpg") is None
"""
    subprocess.run([sys.executable, "-c", code], check=True)


in_browser = pytest.mark.skipif(
    CHROMIUM is None, reason="Chromium is not installed (apt install chromium): the page was not looked at"
)


@pytest.fixture(scope="module")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with browser(tmp_path_factory.mktemp("profile")) as page:
        yield page


def show(tab: Page, tmp_path: Path, of: Report) -> None:
    path = tmp_path / "report.html"
    write_reports([str(path)], of, stdout=io.StringIO())
    tab.open(path.as_uri())
    assert tab.problems == []
    assert tab.requests == [path.as_uri()]


def column(tab: Page, index: int) -> list[str]:
    texts: list[str] = tab.run(
        f"[...document.querySelectorAll('#rows tr')].map(tr => tr.children[{index}].textContent)"
    )
    return texts


SEARCH = """
(text => {{
  const box = document.getElementById("search");
  box.value = text;
  box.dispatchEvent(new Event("input"));
  return new Promise(done => setTimeout(done, 200));
}})({})
"""


@in_browser
def test_rows_can_be_searched_filtered_and_sorted(tab: Page, tmp_path: Path) -> None:
    rows = [item(n, size=(n * 7919) % 1000) for n in range(1, 251)] + [
        item(n, "failed") for n in range(300, 320)
    ]
    show(tab, tmp_path, report(*rows, exit_status=1))
    assert tab.run("document.getElementById('count').textContent") == "270 rows, page 1 of 3"
    assert len(column(tab, 0)) == 100
    tab.run("document.getElementById('next').click()")
    assert column(tab, 0)[0] == "101"
    tab.run("document.querySelector('button[data-column=\"6\"]').click()")
    sizes = [int(text.replace(",", "")) for text in column(tab, 6)]
    assert sizes == sorted(sizes)
    assert tab.run("document.querySelector('[aria-sort]').textContent") == "bytes"
    tab.run("document.querySelector('button[data-column=\"6\"]').click()")
    sizes = [int(text.replace(",", "")) for text in column(tab, 6)]
    assert sizes == sorted(sizes, reverse=True)
    tab.run(SEARCH.format(json.dumps("SKU-17 picture")))
    assert sorted(column(tab, 5)) == sorted(f"product sku-{n} picture" for n in (17, *range(170, 180)))
    tab.run(SEARCH.format(json.dumps("")))
    tab.run("document.querySelector('button.more').click()")
    assert set(column(tab, 1)) == {"failed"}
    assert len(column(tab, 1)) == 20
    tab.run("document.activeElement.blur()")
    tab.call("Input.dispatchKeyEvent", type="keyDown", key="/", text="/")
    assert tab.run("document.activeElement.id") == "search"


@in_browser
def test_hostile_text_is_shown_not_run(tab: Page, tmp_path: Path) -> None:
    show(tab, tmp_path, report(*hostile_items(), command=NASTY[3], run=NASTY[2], exit_status=1))
    assert tab.run("document.scripts.length") == 2
    assert tab.run("document.querySelectorAll('img, iframe, a, form').length") == 0
    assert column(tab, 4)[2:4] == [NASTY[2], NASTY[3]]
    assert tab.problems == []


@in_browser
def test_a_hundred_thousand_rows_open(tab: Page, tmp_path: Path) -> None:
    show(tab, tmp_path, long_report(100_000))
    assert tab.run("performance.timing.domInteractive - performance.timing.navigationStart") < 5000
    assert tab.run("document.getElementById('count').textContent") == "20,000 rows, page 1 of 200"


@in_browser
def test_nothing_is_wider_than_the_window(tab: Page, tmp_path: Path) -> None:
    for width, scheme in ((1200, "light"), (380, "dark")):
        tab.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False
        )
        tab.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        show(tab, tmp_path, report(*hostile_items(), item(99), exit_status=1))
        assert tab.run("document.documentElement.scrollWidth") <= width
        dark = tab.run("getComputedStyle(document.body).backgroundColor") == "rgb(13, 17, 23)"
        assert dark == (scheme == "dark")


@in_browser
def test_print_shows_the_rows_and_no_controls(tab: Page, tmp_path: Path) -> None:
    show(tab, tmp_path, report(*[item(n) for n in range(1, 300)]))
    tab.call("Emulation.setEmulatedMedia", media="print")
    assert tab.run("getComputedStyle(document.getElementById('tools')).display") == "none"
    tab.run("window.dispatchEvent(new Event('beforeprint'))")
    assert len(column(tab, 0)) == 299
    tab.run("window.dispatchEvent(new Event('afterprint'))")
    assert len(column(tab, 0)) == 100
    tab.call("Emulation.setEmulatedMedia", media="")
