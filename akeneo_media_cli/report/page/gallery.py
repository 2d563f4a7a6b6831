"""What a run changes, as pictures: each value's file before beside its file after, for the HTML report."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import PurePosixPath
from typing import Any

from ...wording import count, one_line, size
from ..items import Report, aim
from .thumbnails import Thumbnail, thumbnailer

_EDGE = 160


def gallery(report: Report) -> Iterator[str]:
    """The section with the pictures, as HTML; nothing for a run that changes no value or shows no preview."""
    if report.preview <= 0:
        return
    shown = 0
    begun = False
    thumbnail = thumbnailer(_EDGE)
    for item in report.items():
        if item.get("change") not in ("new", "replace") or item.get("error"):
            continue
        if not begun:
            begun = True
            yield '<h2 id="changes">Changes</h2>\n<div class="tools" id="filter" hidden>'
            yield '<select id="change" aria-label="All changes"><option value="">All changes</option>'
            yield '<option value="new">New</option><option value="replace">Replaced</option></select></div>\n'
            yield '<div class="gallery" id="gallery">\n'
        if shown < report.preview:
            yield _card(report, item, thumbnail)
        shown += 1
    if begun:
        yield "</div>\n"
    if shown > report.preview:
        yield f"<p>{count(shown - report.preview, 'more row')} not shown: see --preview.</p>\n"


def _card(report: Report, item: Mapping[str, Any], thumbnail: Any) -> str:
    change = str(item["change"])
    before = item.get("before")
    title = f"{one_line(aim(item), 120)}"
    old = _figure(
        "before",
        _earlier(report, item, before.get("media_code"), thumbnail) if before else None,
        before.get("name") if before else None,
        before.get("size") if before else None,
    )
    empties = item.get("status") == "removed" or (
        item.get("status") in ("restored", "planned") and not item.get("media_code") and not item.get("file")
    )
    path = report.locate(item) if report.locate and not empties else None
    picture = thumbnail(path) if path else None
    if picture is None and item.get("media_code") and not path:
        picture = _earlier(report, item, str(item["media_code"]), thumbnail)
    name = None if empties else item.get("name") or item.get("file")
    fitted = item.get("fitted")
    if fitted:
        new = _converted(report, item, fitted, picture, thumbnail)
        done = f'<p class="hint">{escape(one_line(", ".join(fitted.get("steps") or ()), 300))}</p>'
    else:
        new, done = _figure("after", picture, name, None if empties else item.get("size")), ""
    return (
        f'<article data-change="{escape(change)}"><h3>{escape(title)}</h3>'
        f'<div class="pair{" converted" if fitted else ""}">{old}{new}</div>{done}</article>\n'
    )


def _converted(
    report: Report,
    item: Mapping[str, Any],
    fitted: Mapping[str, Any],
    source: Thumbnail | None,
    thumbnail: Any,
) -> str:
    """The row's own picture, and what it was converted to."""
    before, after = (report.converted(item) if report.converted else None) or (b"", b"")
    source = source or (thumbnail(before) if before else None)
    result: Thumbnail | None = thumbnail(after) if after else None
    if result is None and item.get("media_code"):
        result = _earlier(report, item, item["media_code"], thumbnail)
    return _figure("source", source, item.get("file"), None, _facts(fitted["from"])) + _figure(
        "after", result, item.get("name"), None, _facts(fitted["to"])
    )


def _facts(side: Mapping[str, Any]) -> list[str]:
    return [
        f"{side['width']} x {side['height']}",
        size(int(side["bytes"])),
        f"{one_line(side['format'], 20)}, {one_line(side['colour'], 60)}",
    ]


def _earlier(report: Report, item: Mapping[str, Any], code: Any, thumbnail: Any) -> Thumbnail | None:
    content = report.earlier(item, str(code)) if report.earlier and code else None
    found: Thumbnail | None = thumbnail(content) if content else None
    return found


def _figure(
    label: str, picture: Thumbnail | None, name: Any, bytes_: Any, facts: Sequence[str] | None = None
) -> str:
    shown = one_line(name or "", 120)
    if picture is not None:
        look = f'<img src="{picture.uri}" alt="{escape(shown)}" loading="lazy">'
    elif not shown:
        look = '<span class="icon empty">empty</span>'
    else:
        kind = PurePosixPath(shown).suffix.lstrip(".").upper()[:5] or "FILE"
        look = f'<span class="icon">{escape(kind)}</span>'
    if facts is None:
        facts = [f"{picture.width} x {picture.height}"] if picture is not None else []
        facts = [*facts, size(int(bytes_))] if bytes_ else facts
    told = f"<b>{escape(shown)}</b>" if shown else ""
    return f"<figure>{look}<figcaption>{label} {told} {escape(', '.join(facts))}</figcaption></figure>"
