"""Markdown: read as GitHub reads it, and never more than it takes."""

from __future__ import annotations

import html
import io
import re
from typing import Any

from markdown_it import MarkdownIt

from akeneo_media_cli.report.markdown import LARGEST, markdown, quoted, write

from .samples import NASTY, hostile_items, item, long_report, report


def rendered(text: str) -> str:
    return str(MarkdownIt("js-default", {"html": True, "linkify": False}).render(text))


def cells(text: str) -> list[list[str]]:
    """The text of each table row's cells, as a reader sees it."""
    rows = re.findall("<tr>(.*?)</tr>", rendered(text), re.DOTALL)
    return [
        [html.unescape(re.sub("<[^>]*>", "", cell)) for cell in re.findall("<t[hd][^>]*>(.*?)</t[hd]>", row)]
        for row in rows
    ]


def test_totals_failures_and_what_to_do() -> None:
    out = io.StringIO()
    write(report(item(2), item(3, "failed"), exit_status=1), out)
    text = out.getvalue()
    assert text.startswith("## akeneo-media upload: 1 uploaded, 1 failed\n")
    assert "### Extension not allowed: 1 row\n" in text
    assert "**How to fix:** picture takes jpg, jpeg, png: convert" in html.unescape(text)
    table = cells(text)
    assert dict(zip(*table[:2], strict=True)) == {
        **{"rows": "2", "uploaded": "1", "unchanged": "0", "planned": "0", "invalid": "0", "failed": "1"},
        **{"pending": "0", "sent": "481.2 kB", "requests": "9", "retries": "1", "throttled": "0"},
        **{"time": "9.1 s"},
    }
    assert table[3] == [
        "spring.csv:3",
        "images/3.jpg",
        "product sku-3 picture",
        "The tiff file extension is not allowed",
    ]
    assert text.rstrip().endswith("tries only these rows.")


def test_hostile_text_stays_in_its_cell_and_is_nothing_but_text() -> None:
    for row in hostile_items():
        text = markdown(report(row))
        (line,) = [line for line in cells(text) if line[1:2] and line[1] != "file" and len(line) == 4]
        assert all(line)
        tags = set(re.findall("<([a-z0-9]+)", rendered(text)))
        assert tags <= {"h2", "h3", "p", "strong", "code", "table", "thead", "tbody", "tr", "th", "td"}
        assert "@octocat" not in text
        assert "http://" not in text


def test_code_shows_the_text_itself() -> None:
    for text in NASTY[:6]:
        shown = re.search("<code>(.*)</code>", rendered(f"x {quoted(text, 1000)} y"))
        assert shown
        assert html.unescape(shown[1]) == text
    assert quoted("my_picture-1.jpg", 100) == "`my_picture-1.jpg`"
    assert quoted("_x_ www.evil.example", 100) == "<code>&#95;x&#95; www&#46;evil.example</code>"
    assert quoted("", 100) == ""


def test_ten_thousand_failures_fit_a_comment() -> None:
    text = markdown(long_report(10_000, "failed"))
    assert "and 9,980 more in the full report" in text
    assert len(text.encode()) < LARGEST


def test_many_causes_with_long_texts_fit_a_comment() -> None:
    def bad(line: int, kind: int) -> dict[str, Any]:
        error = {
            "kind": f"kind_{kind}",
            "http_status": 422,
            "message": "&|" * 3000,
            "hint": f"<{line}>" * 900,
        }
        return item(line, "failed", file="|" * 4000, error=error)

    rows = [bad(line, line % 40) for line in range(800)]
    text = markdown(report(*rows, exit_status=1))
    assert LARGEST / 2 < len(text.encode()) <= LARGEST
    assert re.search(r"\n\d+ more rows of \d+ more causes: see the full report\.\n", text)
    assert "were not uploaded" in text


def test_an_empty_report() -> None:
    text = markdown(report(summary={"total": 0}, pim=None, run=None))
    assert text.startswith("## akeneo-media upload: no rows\n")
    assert "There was nothing to do" in text
