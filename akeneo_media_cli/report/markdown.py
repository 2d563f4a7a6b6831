"""The report as Markdown: short, as a comment on a pull request or a step summary takes it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TextIO

from ..wording import count, duration, one_line, size, title
from .groups import Group, grouped, hint_of, message_of
from .items import Report, aim, moved, statuses, where
from .meaning import meaning

LARGEST = 60_000
"""Bytes at most: a comment on GitHub takes 65,536 characters."""

_ROWS = 20  # of each cause
_MESSAGE = 300
_ERROR = 1000  # characters of what ended the run
_MARKUP = re.compile(r"[&<>\"'\\`*_\[\]|~@$#]|(?<=[Ww])\.|:(?=//|[\w+-]+:)")
_PLAIN = re.compile(r"\w(?:(?!://|[Ww]\.)[\w .,:/()+=-])*")
_ADDRESS = re.compile(r"https?://[\w.:/-]+")
_INNER_UNDERSCORE = re.compile("(?<=[A-Za-z0-9])&#95;(?=[A-Za-z0-9])")


def write(report: Report, out: TextIO) -> None:
    """Totals, then failures by cause with how to fix them, then what to do; at most `LARGEST` bytes."""
    out.write(markdown(report))


def markdown(report: Report) -> str:
    """The text that `write` writes."""
    command = one_line(report.command, 40)
    tail = f"\n{_prose(meaning(report))}\n"
    text = f"## akeneo-media {_prose(command)}: {_verdict(report)}\n\n{_totals(report)}{_error(report)}"
    room = LARGEST - len((text + tail).encode()) - 200
    groups = grouped(report.items(), _ROWS)
    for shown, group in enumerate(groups):
        section = _section(group, room)
        room -= len(section.encode())
        if room < 0 or not section:
            rows = count(sum(other.count for other in groups[shown:]), "more row")
            text += f"\n{rows} of {count(len(groups) - shown, 'more cause')}: see the full report.\n"
            break
        text += section
    return text + tail


def quoted(text: object, limit: int) -> str:
    """Foreign text as code that nothing in it can leave: no markup, link, mention, reference or formula.

    Plain text stands in backticks, which read well as source too. Anything else becomes character references
    in a `<code>` element: those are safe in a table, and neither GitHub nor GitLab looks for mentions in it.
    """
    return _code(one_line(text, limit))


def _code(line: str) -> str:
    if _PLAIN.fullmatch(line):
        return f"`{line}`"
    shown = _escaped(line)
    return f"<code>{shown}</code>" if shown else ""


def _escaped(text: str) -> str:
    escaped = _MARKUP.sub(lambda m: f"&#{ord(m.group())};", text)
    return _INNER_UNDERSCORE.sub("_", escaped)  # within a word it is not markup, and names are full of it


def _prose(text: str) -> str:
    """Our own words, which may quote commands in backticks, around foreign ones."""
    parts = text.split("`")
    return "".join(_code(part) if n % 2 else _escaped(part) for n, part in enumerate(parts))


def _verdict(report: Report) -> str:
    bad = [f"{n:,} {_escaped(one_line(name, 40))}" for name, n in statuses(report.summary) if n]
    return ", ".join(bad) or "no rows"


def _totals(report: Report) -> str:
    summary = report.summary
    rows: list[tuple[str, str]] = [("rows", f"{int(summary.get('total') or 0):,}")]
    rows += [(_escaped(one_line(name, 40)), f"{number:,}") for name, number in statuses(summary)]
    way, amount = moved(summary)
    rows += [(way, size(amount))] if amount else []
    rows += [(key, f"{int(summary.get(key) or 0):,}") for key in ("requests", "retries", "throttled")]
    rows += [
        (key.replace("_", " "), f"{int(summary[key]):,}")
        for key in ("read_back", "changed_in_pim", "unasked", "converted")
        if summary.get(key)
    ]
    if report.duration_seconds is not None:
        rows.append(("time", duration(report.duration_seconds)))
    names, values = zip(*rows, strict=True)
    dashes = " | ".join("---:" for _ in rows)
    url = one_line((report.pim or {}).get("url") or "", 200)
    address = f"`{url}`" if _ADDRESS.fullmatch(url) else quoted(url, 200)
    about = ", ".join(filter(None, (address, quoted(report.run or "", 80))))
    return f"| {' | '.join(names)} |\n| {dashes} |\n| {' | '.join(values)} |\n" + (
        f"\n{about}\n" if about else ""
    )


def _error(report: Report) -> str:
    """What ended the run, and how to fix it."""
    if report.error is None:
        return ""
    kind = _escaped(title(str(report.error.get("kind"))))
    hint = _prose(one_line(report.error.get("hint") or "", _ERROR))
    fix = f"\n\n**How to fix:** {hint}" if hint else ""
    return f"\n**{kind}:** {quoted(report.error.get('message'), _ERROR)}{fix}\n"


def _section(group: Group, room: int) -> str:
    """A cause and as many of its rows as `room` bytes take; empty if that is none."""
    head = f"\n### {_escaped(title(group.kind))}: {count(group.count, 'row')}\n\n"
    if group.hint:
        head += f"**How to fix:** {_prose(one_line(group.hint, _MESSAGE))}\n\n"
    head += "| where | file | target | what was found |\n| --- | --- | --- | --- |\n"
    room -= len(head.encode()) + 100
    lines: list[str] = []
    for item in group.rows:
        line = _line(item, with_hint=group.hint is None)
        room -= len(line.encode())
        if room < 0:
            break
        lines.append(line)
    if not lines:
        return ""
    left = group.count - len(lines)
    return head + "".join(lines) + (f"\nand {left:,} more in the full report\n" if left else "")


def _line(item: Mapping[str, Any], *, with_hint: bool) -> str:
    found = quoted(message_of(item), _MESSAGE)
    hint = one_line(hint_of(item), _MESSAGE) if with_hint else ""
    if hint:
        found += f" {_prose(hint)}"
    cells = (quoted(where(item), 120), quoted(item.get("file") or "", 120), quoted(aim(item), 160), found)
    return f"| {' | '.join(cells)} |\n"
