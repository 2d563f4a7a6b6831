"""What ended a run, in every format."""

from __future__ import annotations

import io
import json
from typing import Any
from xml.etree import ElementTree

import pytest

from akeneo_media_cli.report import FORMATS, Report
from akeneo_media_cli.report.markdown import LARGEST, markdown, quoted
from akeneo_media_cli.report.summary import write_summary

from .samples import NASTY, item, report


def failed(message: str, hint: str) -> Report:
    error = {"kind": "unavailable", "http_status": 503, "message": message, "hint": hint}
    return report(item(2, "pending"), exit_status=5, error=error)


def written(of: Report, suffix: str) -> str:
    out = io.StringIO()
    FORMATS[suffix](of, out)
    return out.getvalue()


@pytest.mark.parametrize("text", NASTY, ids=range(len(NASTY)))
def test_whatever_it_says_no_format_breaks(text: str) -> None:
    of = failed(text, text)
    assert json.loads(written(of, ".json"))["error"]["message"] == text
    properties = ElementTree.fromstring(written(of, ".xml").encode("utf-8")).iter("property")
    told = {found.get("name"): found.get("value") for found in properties}
    assert told["error.kind"] == "unavailable"
    assert told["error.http_status"] == "503"
    page = written(of, ".html")
    assert '<section class="cause" id="error"><h3>PIM unavailable</h3>' in page
    assert "<script>alert(1)" not in page
    assert "<img src=x" not in page
    short = markdown(of)
    assert f"**PIM unavailable:** {quoted(text, 1000)}\n" in short
    assert len(short.encode()) <= LARGEST
    assert len(written(of, ".jsonl").splitlines()) == 1


def test_nothing_is_said_where_nothing_was() -> None:
    of = report(item(2))
    assert json.loads(written(of, ".json"))["error"] is None
    for suffix in (".xml", ".html", ".md"):
        assert "PIM unavailable" not in written(of, suffix)


def test_people_are_told_with_the_cure() -> None:
    out: Any = io.StringIO()
    write_summary(failed("the PIM\nis down", "wait"), stream=out, environ={})
    assert "error: the PIM is down\n  -> wait\n" in out.getvalue()
