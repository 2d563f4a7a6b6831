"""What a terminal shows of a run at one moment, laid out for its width and height."""

from __future__ import annotations

import re

from rich.cells import cell_len, chop_cells, set_cell_size
from rich.text import Text

from ..wording import duration, one_line
from ..wording import size as bytes_of
from .tally import Flight, Moment

MOST_FLIGHTS = 16
WIDEST = 120
"""Cells of a line, however wide the terminal. What belongs together stays together. And when the window is
made narrow, fewer lines fold: those that the terminal then pushes out at its top cannot be drawn over."""
FILE_CELLS = 60
"""The most room that a file gets where its target is shown too."""
_STYLES = {"uploaded": "green", "failed": "red", "invalid": "red", "retried": "yellow", "pending": "yellow"}
# Variation selectors: terminals disagree on how wide they make the character before.
_SELECTORS = re.compile("[\ufe00-\ufe0f]")
_LONGEST = 300  # characters of a name that are worth measuring


def layout(now: Moment, width: int, height: int, *, unicode: bool = True, last: bool = False) -> list[Text]:
    """The lines of a frame, none wider than `width` cells, at most `height` of them, most important first.

    Nor are they wider than `WIDEST`. `last` leaves out what is only true of a run that goes on. Without
    `unicode` the bar is drawn in ASCII.
    """
    width = min(width, WIDEST)
    head = [_bar(now, width, unicode=unicode, last=last), _fit(Text(now.amounts(rate=not last)), width)]
    head.append(_fit(_counts(now), width))
    if last:
        return head[: max(height, 0)]
    if now.trouble:
        head.append(_fit(Text(now.trouble, "yellow"), width))
    room = min(height - len(head), MOST_FLIGHTS)
    if room < len(now.flights):
        room = max(room - 1, 0)  # one for how many are not shown
    lines = [*head, *(_flight(flight, now, width) for flight in now.flights[:room])]
    if len(now.flights) > room:
        lines.append(_fit(Text(f"  and {len(now.flights) - room} more in flight", "dim"), width))
    return lines[: max(height, 0)]


def _bar(now: Moment, width: int, *, unicode: bool, last: bool) -> Text:
    percent = f" {now.fraction:>4.0%}"
    if last:
        right = f"{percent}  {duration(now.elapsed)}"
    else:
        right = percent if now.left is None else f"{percent}  {duration(now.left)} left"
    cells = width - len(right)
    if cells < 8:
        return _fit(Text(right.strip()), width)
    full, rest = ("━", "━") if unicode else ("#", "-")
    done = int(cells * now.fraction)
    return Text.assemble((full * done, "cyan"), (rest * (cells - done), "bright_black"), right)


def _counts(now: Moment) -> Text:
    text = Text()
    for name, number in now.counts():
        if text:
            text.append(", ")
        text.append(f"{number:,} {one_line(name, 20)}", _STYLES.get(name, "") if number else "dim")
    return text


def _flight(flight: Flight, now: Moment, width: int) -> Text:
    share = f"{min(flight.sent / flight.size, 1):.0%}" if flight.size else ""
    if flight.converting:
        right = "converting"
    elif flight.again_at is not None:
        right = f"again in {duration(flight.again_at - now.at)}"
    elif width < 60:
        right = share
    else:
        right = f"{bytes_of(flight.sent)} of {bytes_of(flight.size)} {share:>4}"
    if flight.attempt > 1:
        right = f"try {flight.attempt}, {right}"
    right = right[: max(width - 12, 0)]
    room = width - 2 - cell_len(right) - 1
    target = _shown(str(flight.target)) if width >= 60 else ""
    # On a wide screen the target stays beside its file, not at the far end of the line.
    for_file = room - min(cell_len(target), room * 2 // 5) - (1 if target else 0)
    for_file = min(for_file, FILE_CELLS) if target else for_file
    for_target = room - for_file - 1
    return _fit(
        Text.assemble(
            "  ",
            set_cell_size(_tail(_shown(flight.file), for_file), max(for_file, 0)),
            (f" {set_cell_size(_head(target, for_target), max(for_target, 0))}" if target else "", "dim"),
            f" {right}",
        ),
        width,
    )


def _shown(text: str) -> str:
    return _SELECTORS.sub("", one_line(text, _LONGEST))


def _head(text: str, cells: int) -> str:
    return text if cell_len(text) <= cells else set_cell_size(text, max(cells - 1, 0)) + "…"


def _tail(text: str, cells: int) -> str:
    """The end of `text`, where a path has its file name, in at most `cells` cells."""
    if cell_len(text) <= cells:
        return text
    reversed_end = chop_cells(text[::-1], max(cells - 1, 1))[0]
    return "…" + reversed_end[::-1]


def _fit(text: Text, width: int) -> Text:
    text.truncate(max(width, 1), overflow="ellipsis")
    return text
