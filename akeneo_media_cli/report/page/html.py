"""The report as one HTML file that needs no network: what failed, why, and what to do."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping
from html import escape
from importlib.resources import files
from typing import Any, TextIO

from ...exits import Exit
from ...wording import count, duration, one_line, size, title
from ..encode import dumps
from ..groups import Group, cause, grouped, hint_of, message_of
from ..items import GOOD, Report, aim, moved, others, statuses, where
from ..meaning import meaning
from ..timeline import Timeline
from .gallery import gallery
from .thumbnails import thumbnailer

MOST_ROWS = 20_000
"""Rows that the page holds: all of a smaller run, else the failures and a sample."""

_MOST_BAD = MOST_ROWS * 9 // 10
_MOST_PICTURES = 300
_ROWS = 10  # of each cause
_TEXT = 500  # characters of a message in the table
_ERROR = 1000  # characters of what ended the run
_COLUMNS = (
    "row",
    "status",
    "manifest",
    "line",
    "file",
    "target",
    "bytes",
    "seconds",
    "tries",
    "cause",
    "found",
)
_NUMBERS = {"row", "line", "bytes", "seconds", "tries"}


def write(report: Report, out: TextIO) -> None:
    """The page: what the run came to, a timeline, failures by cause, and the rows, to be searched
    and sorted without a library.

    Past `MOST_ROWS` rows the page holds the failures and an even sample, so that it opens at once; memory is
    bounded by `MOST_ROWS` too. A content security policy forbids every script and request but its own.
    """
    census = _Census(report)
    style, script = _asset("page.css"), _asset("page.js")
    policy = (
        f"default-src 'none'; style-src {_digest(style)}; script-src {_digest(script)}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    name = f"akeneo-media {one_line(report.command, 40)} {one_line(report.run or '', 80)}".strip()
    out.write(
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta name="color-scheme" content="light dark">\n<meta name="referrer" content="no-referrer">\n'
        f"<title>{escape(name)}</title>\n<style>{style}</style>\n</head>\n<body>\n"
    )
    out.write(_head(report))
    out.write(_error(report))
    if report.duration_seconds is not None:
        out.write(census.timeline.charts())
    out.writelines(_causes(census))
    out.writelines(gallery(report))
    out.writelines(_table(report, census))
    tool = f"{report.tool.get('name', '')} {report.tool.get('version', '')}"
    out.write(f"<footer>{escape(one_line(tool, 80))}</footer>\n")
    out.write('<script type="application/json" id="data">[')
    before = "\n"
    for row in _rows(report, census):
        # Inside a script element only `<` could end it, or begin a comment.
        out.write(before + dumps(row).replace("<", "\\u003c"))
        before = ",\n"
    out.write(f"]</script>\n<script>{script}</script>\n</body>\n</html>\n")


class _Census:
    """What one pass over the rows tells, before the page can begin."""

    def __init__(self, report: Report) -> None:
        self.timeline = Timeline(report.started_at, report.duration_seconds or 0.0)
        self.good = self.bad = 0
        self.statuses: dict[str, None] = {}
        self.groups: list[Group] = grouped(self._counted(report), _ROWS)

    def _counted(self, report: Report) -> Iterator[Mapping[str, Any]]:
        for item in report.items():
            self.timeline.add(item)
            self.statuses.setdefault(str(item.get("status")))
            if cause(item) is None:
                self.good += 1
            else:
                self.bad += 1
            yield item


def _asset(name: str) -> str:
    return (files(__package__) / name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _prose(text: str) -> str:
    parts = escape(text).split("`")
    return "".join(f"<code>{part}</code>" if n % 2 else part for n, part in enumerate(parts))


def _head(report: Report) -> str:
    pim = report.pim or {}
    about = [pim.get("url"), f"PIM {pim['version']}" if pim.get("version") else None, report.run]
    about.append(" to ".join(filter(None, (report.started_at, report.finished_at))))
    line = " · ".join(escape(one_line(part, 200)) for part in about if part)
    summary = report.summary
    way, amount = moved(summary)
    cards = [("rows", f"{int(summary.get('total') or 0):,}", "")]
    cards += [
        (one_line(name, 40), f"{number:,}", _class(name)) for name, number in statuses(summary) if number
    ]
    cards += [(way, size(amount), "")] if amount else []
    if report.duration_seconds is not None:
        cards += [("time", duration(report.duration_seconds), "")]
    cards += [
        (key.replace("_", " "), f"{int(summary[key]):,}", "")
        for key in (
            *("requests", "retries", "throttled", "shared", "read_back"),
            *("changed_in_pim", "unasked", "converted"),
        )
        if summary.get(key)
    ]
    items = "".join(
        f'<li class="{look}"><b>{escape(value)}</b>{escape(name)}</li>' for name, value, look in cards
    )
    fine = " fine" if report.exit_status == Exit.OK else ""
    status = "" if report.exit_status is None else f" (exit status {int(report.exit_status)})"
    return (
        f"<header><h1>akeneo-media {escape(one_line(report.command, 40))}</h1>\n"
        f'<p class="about">{line}</p></header>\n<main>\n'
        f'<p class="meaning{fine}">{_prose(meaning(report))}{status}</p>\n'
        f'<ul class="cards">{items}</ul>\n'
    )


def _error(report: Report) -> str:
    if report.error is None:
        return ""
    kind = escape(title(str(report.error.get("kind"))))
    message = escape(one_line(report.error.get("message"), _ERROR))
    hint = _prose(one_line(report.error.get("hint") or "", _ERROR))
    fix = f'<p class="fix"><b>How to fix:</b> {hint}</p>\n' if hint else ""
    return f'<section class="cause" id="error"><h3>{kind}</h3>\n<p>{message}</p>\n{fix}</section>\n'


def _class(status: str) -> str:
    if status in GOOD:
        return "good"
    return "wait" if status == "pending" else "bad"


def _causes(census: _Census) -> Iterator[str]:
    if not census.groups:
        return
    yield f"<h2>{count(census.bad, 'row')} to look at, by cause</h2>\n"
    for group in census.groups:
        yield f'<section class="cause"><h3>{escape(title(group.kind))}: {count(group.count, "row")}</h3>\n'
        if group.hint:
            yield f'<p class="fix"><b>How to fix:</b> {_prose(one_line(group.hint, _TEXT))}</p>\n'
        yield '<div class="scroll"><table><thead><tr><th>where</th><th>file</th><th>target</th>'
        yield "<th>what was found</th></tr></thead><tbody>\n"
        for item in group.rows:
            hint = one_line(hint_of(item), _TEXT) if group.hint is None else ""
            cells = (
                one_line(where(item), 160),
                one_line(item.get("file") or "", 300),
                one_line(aim(item), 300),
            )
            yield "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells)
            yield f"<td>{escape(one_line(message_of(item), _TEXT))}"
            yield f'<span class="hint">{_prose(hint)}</span></td></tr>\n' if hint else "</td></tr>\n"
        yield "</tbody></table></div>\n"
        if group.count > len(group.rows):
            kind = escape(one_line(group.kind, 80))
            yield f'<p><button class="more" data-kind="{kind}">Show all {group.count:,}</button></p>\n'
        yield "</section>\n"


def _table(report: Report, census: _Census) -> Iterator[str]:
    total = census.good + census.bad
    yield '<h2 id="all">Rows</h2>\n'
    if total > MOST_ROWS:
        bad, good = _kept(census)
        yield (
            f"<p>This run has {total:,} rows. To stay quick this page holds {bad:,} of {census.bad:,} to "
            f"look at and a sample of {good:,} others; the JSON and CSV reports hold them all.</p>\n"
        )
    yield "<noscript><p>Searching and sorting the rows needs JavaScript.</p></noscript>\n"
    yield '<div class="tools" id="tools" hidden><input type="search" id="search" aria-label="Search rows" '
    yield 'placeholder="Search ( / )">'
    yield _select("status", "All statuses", [(name, name) for name in census.statuses])
    yield _select("kind", "All causes", [(g.kind, f"{title(g.kind)} ({g.count:,})") for g in census.groups])
    yield '<button id="back">Back</button><button id="next">Next</button>'
    yield '<span id="count" role="status"></span></div>\n'
    heads = "".join(
        f'<th scope="col"{look}><button data-column="{n}">{name}</button></th>'
        for n, name in enumerate(_COLUMNS)
        for look in [' class="number"' if name in _NUMBERS else ""]
    )
    yield f'<div class="scroll"><table id="table"><thead><tr>{heads}</tr></thead>'
    yield '<tbody id="rows"></tbody></table></div>\n</main>\n'


def _select(name: str, everything: str, options: list[tuple[str, str]]) -> str:
    choices = "".join(
        f'<option value="{escape(one_line(value, 80))}">{escape(one_line(text, 120))}</option>'
        for value, text in options
    )
    every = f'<option value="">{everything}</option>'
    return f'<select id="{name}" aria-label="{everything}">{every}{choices}</select>'


def _kept(census: _Census) -> tuple[int, int]:
    bad = min(census.bad, max(_MOST_BAD, MOST_ROWS - census.good))
    return bad, min(census.good, MOST_ROWS - bad)


def _rows(report: Report, census: _Census) -> Iterator[list[Any]]:
    bad, good = _kept(census)
    picture = thumbnailer() if report.locate else None
    seen_bad = seen_good = pictures = 0
    for number, item in enumerate(report.items(), 1):
        # Every so-manieth of each kind: an even sample, and all of them where all are kept.
        if cause(item) is None:
            keep = (seen_good + 1) * good // census.good > seen_good * good // census.good
            seen_good += 1
        else:
            keep = (seen_bad + 1) * bad // census.bad > seen_bad * bad // census.bad
            seen_bad += 1
        if not keep:
            continue
        thumbnail = None
        if picture and report.locate and pictures < _MOST_PICTURES:
            path = report.locate(item)
            small = picture(path) if path else None
            thumbnail = small.uri if small else None
            pictures += thumbnail is not None
        yield _row(number, item, thumbnail)


def _row(number: int, item: Mapping[str, Any], thumbnail: str | None) -> list[Any]:
    kind = cause(item)
    return [
        number,
        one_line(item.get("status"), 40),
        one_line(item.get("manifest") or "-", 160),
        item.get("line"),
        one_line(item.get("file") or "", 300),
        one_line(aim(item), 300),
        item.get("size"),
        item.get("duration_seconds"),
        item.get("attempts"),
        one_line(kind, 80) if kind else "",
        one_line(message_of(item) if item.get("error") else others(item), _TEXT),
        one_line(hint_of(item), _TEXT),
        thumbnail,
    ]
