"""The closing summary: what people read on standard error when a run is over."""

from __future__ import annotations

import io
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import NamedTuple, TextIO

from ..console import Outlet, is_terminal, wants_colour
from ..exits import Exit
from ..rows import name_in_code
from ..wording import count, duration, one_line, size, title
from .groups import grouped, hint_of, message_of
from .items import Report, aim, moved, others, statuses, where
from .meaning import meaning

_ROWS = 5  # of each cause
_PLANNED = 50  # rows of a dry run that are listed
_MESSAGE = 300  # characters of each row's message; the report has it whole
_ERROR = 1000  # characters of what ended the run
_STYLES = {"uploaded": "green", "held": "green", "failed": "red", "invalid": "red", "pending": "yellow"}


class Line(NamedTuple):
    """A line of the summary; `indent` counts columns, `style` is rich's."""

    text: str
    indent: int = 0
    style: str = ""


def write_summary(
    report: Report,
    *,
    stream: TextIO,
    environ: Mapping[str, str],
    reports: Sequence[str] = (),
    wanted: bool = False,
) -> None:
    """Causes with how to fix them, then the counts and what to do next; never fails, even if `stream` does.

    But where it is what was asked for, `wanted`: then it raises OSError.
    On a terminal lines are folded to its width and coloured (`NO_COLOR`, `FORCE_COLOR` and `CI` respected);
    elsewhere a row is a line. `reports` are the files in which the rest is found.
    """
    lines = _lines(report, reports)
    out = Outlet(stream, environ, wanted=wanted)
    colour = wants_colour(stream, environ)
    if colour or is_terminal(stream, environ):
        out.write(_for_terminal(lines, stream, colour=colour))
    else:
        out.write("".join(f"{' ' * line.indent}{line.text}".rstrip() + "\n" for line in lines))


def _lines(report: Report, reports: Sequence[str]) -> Iterator[Line]:
    files = ", ".join(one_line(name, 200) for name in reports if name != "-")
    elsewhere = files or "a report (--report FILE)"
    for group in grouped(report.attention(), _ROWS):
        yield Line("")
        yield Line(f"{title(group.kind)}: {count(group.count, 'row')}", style="bold red")
        for item in group.rows:
            place = [where(item), one_line(item.get("file") or "", 120), one_line(aim(item), 160)]
            yield Line("  ".join([one_line(place[0], 120), *filter(None, place[1:])]), 2)
            yield Line(one_line(message_of(item), _MESSAGE), 4)
            if group.hint is None and hint_of(item):
                yield Line(f"-> {one_line(hint_of(item), _MESSAGE)}", 4, "cyan")
        if group.count > len(group.rows):
            yield Line(f"and {group.count - len(group.rows):,} more, in {elsewhere}", 2, "dim")
        if group.hint:
            yield Line(f"-> {one_line(group.hint, _MESSAGE)}", 2, "cyan")
    if report.error:
        yield Line("")
        yield Line(f"error: {one_line(report.error.get('message'), _ERROR)}", style="bold red")
        if report.error.get("hint"):
            yield Line(f"-> {one_line(report.error['hint'], _ERROR)}", 2, "cyan")
    yield from _plan(report)
    yield Line("")
    if report.pim and report.pim.get("url"):
        yield Line(f"PIM: {one_line(report.pim['url'], 200)}", 2, "dim")
    yield from _totals(report)
    yield Line("")
    fine = report.exit_status == Exit.OK
    yield Line(meaning(report), style="bold green" if fine else "bold")
    if not fine and report.exit_status is not None:
        yield Line(f"(exit status {int(report.exit_status)})", style="dim")


def _plan(report: Report) -> Iterator[Line]:
    """Of a dry run: what it would change, row by row."""
    if not report.summary.get("planned") or report.command == "validate":
        return
    yield Line("")
    planned = (item for item in report.items() if item.get("status") == "planned")
    takes_back = report.command in ("remove", "undo")
    for item in islice(planned, _PLANNED):
        before = item.get("before") or {}
        also = others(item)
        change = item.get("change")
        word = str(change) if change in ("new", "replace") else "set" if also else "send"
        name = item.get("file") or ""
        if takes_back and change in ("new", "replace"):
            # The row's file is that of the upload, which is what goes.
            code = item.get("media_code")
            word, name = ("put back", name_in_code(code) or code) if code else ("empty", "")
        parts = [f"{word:8}", one_line(aim(item), 160), one_line(name, 120)]
        if before.get("name"):
            parts.append(f"(now {one_line(before['name'], 120)})")
        parts.append(one_line(also, 120))
        yield Line("  ".join(filter(None, parts)).rstrip(), 2)
    more = int(report.summary["planned"]) - _PLANNED
    if more > 0:
        yield Line(f"and {more:,} more", 2, "dim")


def _totals(report: Report) -> Iterator[Line]:
    summary = report.summary
    counts = [(name, number) for name, number in statuses(summary) if number]
    total = int(summary.get("total") or 0)
    wide = max(len(f"{number:,}") for number in (total, *(number for _, number in counts)))
    for name, number in counts:
        yield Line(f"{number:>{wide},}  {one_line(name, 40)}", 2, _STYLES.get(name, ""))
    seconds = report.duration_seconds
    took = "" if seconds is None else f" in {duration(seconds)}"
    yield Line(f"{total:>{wide},}  {'row' if total == 1 else 'rows'}{took}", 2, "bold")
    way, amount = moved(summary)
    calls = int(summary.get("requests") or 0)
    if amount or calls:
        parts = [f"{size(amount)} {way}"] if amount else []
        parts += [f"{size(amount / seconds)}/s"] if amount and seconds else []
        parts.append(count(calls, "request"))
        if summary.get("shared"):
            parts.append(f"{count(int(summary['shared']), 'row')} reused a file that was already sent")
        if summary.get("converted"):
            parts.append(f"{count(int(summary['converted']), 'picture')} converted")
        if summary.get("changed_in_pim"):
            parts.append(
                f"{int(summary['changed_in_pim']):,} changed in the PIM since they were set from here"
            )
        for key in ("retries", "throttled"):
            number = int(summary.get(key) or 0)
            if number:
                parts.append(f"{number:,} {'retried' if key == 'retries' else 'rate limited'}")
        yield Line(", ".join(parts), 2)


def _for_terminal(lines: Iterable[Line], stream: TextIO, *, colour: bool) -> str:
    from rich.console import Console
    from rich.text import Text

    try:
        width = max(os.get_terminal_size(stream.fileno()).columns, 20)
    except (OSError, ValueError):
        width = 10_000  # colour for a log (FORCE_COLOR): nobody asked for folding
    # Rendered aside: a console writes to its file even what it captures, if only nothing.
    console = Console(
        file=io.StringIO(),
        width=width,
        force_terminal=True,
        color_system="standard" if colour else None,
        legacy_windows=False,
        highlight=False,
    )
    with console.capture() as captured:
        for line in lines:
            for part in Text(line.text, line.style).wrap(console, width - line.indent) or [Text()]:
                part.rstrip()
                console.print(Text(" " * line.indent) + part, soft_wrap=True)
    return captured.get()
