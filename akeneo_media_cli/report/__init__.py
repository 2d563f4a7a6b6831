"""What is left behind: one way of writing each report format."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TextIO

from ..console import hush
from ..errors import ReportError, UsageError
from ..wording import one_line
from .atomic import replacing
from .items import Item, Report, Summary

__all__ = ["Item", "Report", "Summary", "check_destinations", "file_identity", "unwritable", "write_reports"]

STDOUT = "-"
_WRONG_SUFFIX = "no report format has the suffix"


def _json(report: Report, out: TextIO) -> None:
    from .json_ import write_json

    write_json(report, out)


def _jsonl(report: Report, out: TextIO) -> None:
    from .json_ import write_jsonl

    write_jsonl(report, out)


def _csv(report: Report, out: TextIO) -> None:
    from .csv_ import write

    write(report, out)


def _junit(report: Report, out: TextIO) -> None:
    from .junit import write

    write(report, out)


def _markdown(report: Report, out: TextIO) -> None:
    from .markdown import write

    write(report, out)


def _html(report: Report, out: TextIO) -> None:
    from .page.html import write

    write(report, out)


# The writers import themselves when called: HTML brings templates that a JSON report need not wait for.
FORMATS: dict[str, Callable[[Report, TextIO], None]] = {
    ".json": _json,
    ".jsonl": _jsonl,
    ".csv": _csv,
    ".xml": _junit,
    ".md": _markdown,
    ".html": _html,
}
"""What writes a report, by the suffix of its file."""


def check_destinations(
    destinations: Sequence[str], *, inputs: Iterable[str] = (), others: Mapping[str, str] | None = None
) -> None:
    """Find what would keep reports from being written, before the run begins.

    `inputs` are files that a report must not replace: the manifests; `others` are more of them, with what
    each is. Raises `UsageError` that names every destination with an unknown suffix, a missing or read-only
    folder, something else in its place, or another report in the same place.
    """
    problems: list[str] = []
    taken = {file_identity(name): what for name, what in (others or {}).items()}
    taken |= {file_identity(name): "a manifest of this run" for name in inputs if name != STDOUT}
    for destination in destinations:
        path = Path(destination)
        place = STDOUT if destination == STDOUT else file_identity(destination)
        problem = f"is {taken[place]}" if place in taken else ""
        if destination != STDOUT:
            problem = problem or _problem(path)
        if problem:
            problems.append(f"--report {one_line(destination, 200)}: {problem}")
        taken.setdefault(place, "named twice" if place == STDOUT else "the place of another report")
    if problems:
        raise UsageError(
            "\n".join(problems),
            f"A report's format goes by its suffix: {', '.join(FORMATS)}; `-` is JSON on standard output."
            if any(_WRONG_SUFFIX in problem for problem in problems)
            else "Name another file, in a folder that exists and may be written to.",
        )


def file_identity(path: str) -> str:
    """One text for all names of one file, whether it is there or not."""
    try:
        return os.path.normcase(Path(path).resolve())
    except (OSError, RuntimeError, ValueError):  # a loop of links, a NUL: told by `_problem`
        return path


def _problem(path: Path) -> str:
    if path.suffix.lower() not in FORMATS:
        return f"{_WRONG_SUFFIX} {one_line(path.suffix, 40) or '(none)'}"
    return unwritable(path)


def unwritable(path: Path) -> str:
    """What would keep a file from being written whole at `path`; empty if nothing is known."""
    try:
        place = path.resolve()
        if place.exists() and not place.is_file():
            return "is a folder" if place.is_dir() else "is not a regular file"
        if not place.parent.is_dir():
            return f"there is no folder {one_line(place.parent, 200)}"
    except (OSError, RuntimeError, ValueError) as error:
        return f"cannot be used: {one_line(error, 200)}"
    if not os.access(place.parent, os.W_OK | os.X_OK):
        return f"the folder {one_line(place.parent, 200)} may not be written to"
    return ""


def write_reports(destinations: Sequence[str], report: Report, *, stdout: TextIO) -> None:
    """Write `report` to every destination, by suffix; `-` is JSON on `stdout`.

    One that fails keeps no other from being written. Raises `ReportError` at the end for those that could
    not be written; any other exception, a defect, is raised again after the rest is done.
    """
    unwritten: list[str] = []
    defect: Exception | None = None
    for destination in destinations:
        try:
            _write(destination, report, stdout)
        except OSError as error:
            reason = one_line(error.strerror or error, 200)
            unwritten.append(f"{one_line(destination, 200)}: {reason}")
        except Exception as error:
            defect = defect or error
    if defect:
        raise defect
    if unwritten:
        raise ReportError(
            "Not every report could be written: " + "; ".join(unwritten),
            f"`akeneo-media runs show {one_line(report.recall, 300)} --report FILE` writes it once more."
            if report.recall
            else "Name files in folders that exist and can be written to.",
        )


def _write(destination: str, report: Report, stdout: TextIO) -> None:
    if destination != STDOUT:
        path = Path(destination)
        with replacing(path) as out:
            FORMATS[path.suffix.lower()](report, out)
        return
    from .json_ import write_json

    if stdout.closed:
        raise OSError("standard output is closed")
    try:
        write_json(report, stdout, ascii_only=True)
        stdout.flush()
    except OSError:
        hush(stdout)
        raise
