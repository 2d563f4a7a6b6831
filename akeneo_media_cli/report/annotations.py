"""What GitHub Actions shows: failures on the manifest's lines, and a summary of the step.

Source: GitHub's "Workflow commands" (escaping, limits of annotations and step summaries).
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TextIO

from ..console import Outlet
from ..errors import ReportError
from ..wording import count, one_line, title
from .groups import cause, hint_of, message_of
from .items import Report, aim

MOST = 1000
"""Annotations written at most. GitHub shows the first 10 of a step and keeps the others as log lines."""

_SUMMARY_LIMIT = 1024 * 1024  # bytes a step, GitHub drops the whole summary past that
_TEXT = 2000  # characters of a message; GitHub cuts annotations at 4 KB


def annotate(report: Report, *, stream: TextIO, environ: Mapping[str, str]) -> None:
    """With `GITHUB_ACTIONS` set: write each failed or invalid row to `stream`, standard error, as
    `::error file=...,line=...::`, and append the Markdown report to the file of `GITHUB_STEP_SUMMARY`.

    Past `MOST` rows one more line tells how many are left. Never fails over `stream`; raises `ReportError`
    where the step summary cannot be written.
    """
    if not environ.get("GITHUB_ACTIONS"):
        return
    out = Outlet(stream)
    for command in _commands(report, environ.get("GITHUB_WORKSPACE")):
        out.write(command + "\n")
    if environ.get("GITHUB_STEP_SUMMARY"):
        _step_summary(report, Path(environ["GITHUB_STEP_SUMMARY"]))


def _commands(report: Report, workspace: str | None) -> Iterator[str]:
    left = 0
    bad = (item for item in report.items() if cause(item) and item.get("status") != "pending")
    for number, item in enumerate(bad):
        if number < MOST:
            yield _command(item, workspace)
        else:
            left += 1
    if left:
        yield f"::error::{count(left, 'more row')} not uploaded: see the report"


def _command(item: Mapping[str, Any], workspace: str | None) -> str:
    properties = {}
    manifest = str(item.get("manifest") or "-")
    if manifest != "-":
        properties["file"] = _in_repository(manifest, workspace)
        properties["line"] = str(item.get("line") or 1)
    properties["title"] = title(str(cause(item)))
    named = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
    subject = f"{one_line(item.get('file') or '', 200)} ({one_line(aim(item), 200)})"
    parts = [f"{subject}: {one_line(message_of(item), _TEXT)}", one_line(hint_of(item), _TEXT)]
    return f"::error {named}::{_data(chr(10).join(filter(None, parts)))}"


def _in_repository(manifest: str, workspace: str | None) -> str:
    """The manifest's path as GitHub finds it, from the repository's root; as written if it is elsewhere."""
    if workspace:
        with contextlib.suppress(ValueError):  # on another drive
            path = os.path.relpath(os.path.realpath(manifest), os.path.realpath(workspace))
            manifest = manifest if path.split(os.sep, 1)[0] == os.pardir else path
    return one_line(manifest.replace(os.sep, "/"), 1000)


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _step_summary(report: Report, path: Path) -> None:
    from .markdown import markdown

    text = f"{markdown(report)}\n"
    try:
        # Appended: other commands of the same step may have written to it.
        with path.open("a", encoding="utf-8", errors="backslashreplace") as out:
            if out.tell() + len(text.encode("utf-8", "backslashreplace")) <= _SUMMARY_LIMIT:
                out.write(text)
    except OSError as error:
        raise ReportError(
            f"GITHUB_STEP_SUMMARY cannot be written: {one_line(error.strerror or error)}"
        ) from error
