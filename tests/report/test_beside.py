"""Values and links of assets in every report that rows are listed in."""

from __future__ import annotations

import csv
import io
from typing import Any

from akeneo_media_cli.report import csv_, markdown
from akeneo_media_cli.report.items import aim, others
from akeneo_media_cli.report.page import html

from .samples import item, report

LINK = {
    "target": {"type": "product", "identifier": "shoe-1"},
    "attribute": "gallery",
    "locale": None,
    "scope": None,
    "change": "new",
}
VALUE = {
    "attribute": "alt",
    "locale": "en_US",
    "channel": None,
    "data": "A <b>shoe</b>",
    "before": None,
    "change": "new",
}
ASSET = {"type": "asset", "asset_family": "photos", "code": "front_1"}


def linked(line: int = 2, **fields: Any) -> dict[str, Any]:
    return item(line, target=ASSET, attribute="media", link=LINK, values=[VALUE], **fields)


def test_a_row_says_where_its_asset_goes_and_what_it_sets() -> None:
    assert aim(linked()) == "asset photos front_1 media -> product shoe-1 gallery"
    assert others(linked()) == "alt-en_US: 'A <b>shoe</b>'; linked"
    unchanged = {**linked(), "link": {**LINK, "change": "none"}, "values": [{**VALUE, "change": "none"}]}
    assert others(unchanged) == ""


def test_csv_has_columns_for_them_only_where_rows_have_them() -> None:
    plain, full = io.StringIO(), io.StringIO()
    csv_.write(report(item()), plain)
    csv_.write(report(item(), linked(3)), full)
    assert "link.target" not in plain.getvalue()
    first, second = csv.DictReader(io.StringIO(full.getvalue()))
    assert (first["link.target"], first["values"]) == ("", "")
    assert second["link.target"] == "product shoe-1"
    assert second["link.attribute"] == "gallery"
    assert second["link.change"] == "new"
    assert '"alt"' in second["values"]


def test_pages_show_them_as_text() -> None:
    page = io.StringIO()
    html.write(report(linked()), page)
    assert "-> product shoe-1 gallery" in page.getvalue()
    assert "alt-en_US" in page.getvalue()
    assert "<b>shoe" not in page.getvalue()
    error = {"kind": "draft", "http_status": None, "message": "a draft", "hint": "approve it"}
    assert "product shoe-1 gallery" in markdown.markdown(report(linked(status="failed", error=error)))
