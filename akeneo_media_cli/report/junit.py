"""The report as JUnit XML: a case a row, as GitLab, Jenkins and GitHub's reporters read it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, TextIO
from xml.sax.saxutils import escape, quoteattr

from .groups import hint_of, message_of
from .items import GOOD, Report, aim

_SENT = frozenset({"uploaded", "held", "downloaded"})
# What XML 1.0 cannot hold at all, not even as a character reference.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NAME = 300  # characters: Jenkins shows names in a column


def write(report: Report, out: TextIO) -> None:
    """A failed row is a failure, an invalid one an error, one that was not sent is skipped.

    `classname` is the manifest and `name` line, file and target; cases have no attributes of their own for
    these, as the schema of Jenkins' xUnit plugin refuses them. Times are seconds. What XML cannot hold is
    written as `\\x1b`.
    """
    cases = failures = errors = skipped = 0
    for item in report.items():
        outcome = _outcome(item)
        cases += 1
        failures += outcome == "failure"
        errors += outcome == "error"
        skipped += outcome == "skipped"
    counts = f'tests="{cases}" failures="{failures}" errors="{errors}"'
    name = _attribute(f"akeneo-media {report.command}")
    seconds = report.duration_seconds
    time = "" if seconds is None else f' time="{max(seconds, 0):.3f}"'
    out.write('<?xml version="1.0" encoding="UTF-8"?>\n')
    out.write(f"<testsuites name={name} {counts}{time}>\n")
    # Without the Z: the schemas that are about take a date and time of no zone.
    stamp = _attribute(report.started_at.rstrip("Z"))
    out.write(f' <testsuite name={name} {counts} skipped="{skipped}"{time} timestamp={stamp}>\n')
    out.writelines(_properties(report))
    for item in report.items():
        out.writelines(_case(item))
    out.write(" </testsuite>\n</testsuites>\n")


def _outcome(item: Mapping[str, Any]) -> str:
    status = item.get("status")
    if status in _SENT:
        return ""
    if status == "invalid":
        return "error"
    return "skipped" if status in GOOD or status == "pending" else "failure"


def _properties(report: Report) -> Iterator[str]:
    pim = report.pim or {}
    properties = {
        "run": report.run,
        "pim.url": pim.get("url"),
        "pim.version": pim.get("version"),
        "exit_status": None if report.exit_status is None else int(report.exit_status),
        **{f"summary.{key}": value for key, value in report.summary.items()},
        **{f"error.{key}": value for key, value in (report.error or {}).items()},
    }
    yield "  <properties>\n"
    for name, value in properties.items():
        if value is not None:
            yield f"   <property name={_attribute(name)} value={_attribute(value)}/>\n"
    yield "  </properties>\n"


def _case(item: Mapping[str, Any]) -> Iterator[str]:
    line = item.get("line") or 0
    manifest = item.get("manifest") or "-"
    name = f"line {line}: {item.get('file') or ''} -> {aim(item)}"
    if len(name) > _NAME:
        name = f"{name[: _NAME - 1]}…"
    seconds = max(item.get("duration_seconds") or 0.0, 0.0)
    yield f'  <testcase classname={_attribute(manifest)} name={_attribute(name)} time="{seconds:.3f}"'
    outcome = _outcome(item)
    if not outcome:
        yield "/>\n"
        return
    message = message_of(item)
    if outcome == "skipped":
        yield f">\n   <skipped message={_attribute(_reason(item))}/>\n  </testcase>\n"
        return
    kind = (item.get("error") or {}).get("kind") or item.get("status")
    whole = "\n".join(filter(None, (message, hint_of(item))))
    yield f">\n   <{outcome} type={_attribute(kind)} message={_attribute(message)}>"
    yield f"{escape(_valid(whole))}</{outcome}>\n  </testcase>\n"


def _reason(item: Mapping[str, Any]) -> str:
    status = str(item.get("status"))
    return f"{status}: {message_of(item)}" if item.get("error") else status


def _attribute(value: object) -> str:
    return quoteattr(_valid(str(value)))


def _valid(text: str) -> str:
    def visible(match: re.Match[str]) -> str:
        code = ord(match.group())
        return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"

    return _FORBIDDEN.sub(visible, text)
