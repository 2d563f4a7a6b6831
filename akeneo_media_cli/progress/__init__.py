"""What is seen meanwhile: one way of showing each."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TextIO

from ..console import in_ci, is_terminal, wants_colour
from ..errors import UsageError
from ..wording import one_line
from .base import Progress, Silent

__all__ = ["MODES", "Progress", "Silent", "make_progress"]

MODES = ("auto", "rich", "plain", "json", "none")


def make_progress(
    mode: str,
    *,
    stream: TextIO,
    environ: Mapping[str, str],
    clock: Callable[[], float] = time.monotonic,
    wall_clock: Callable[[], float] = time.time,
) -> Progress:
    """What shows a run on `stream`, standard error.

    `auto` is `rich` on a terminal that is not a pipeline's (`CI`), else `plain`; also `rich` is `plain` where
    the stream is not a terminal or cannot move its cursor (`TERM=dumb`), as bars would only spoil a log.
    `clock` gives seconds that never step back, `wall_clock` seconds since the epoch. None of the displays
    ever raises or ends the run, whatever becomes of the stream. Raises `UsageError` for another mode.
    """
    if mode not in MODES:
        raise UsageError(f"--progress {one_line(mode, 40)} is not known", f"It is one of {', '.join(MODES)}.")
    if mode == "none":
        return Silent()
    if mode == "json":
        from .json_ import JsonLines

        return JsonLines(stream, wall_clock)
    if mode != "plain" and is_terminal(stream, environ) and not (mode == "auto" and in_ci(environ)):
        from .rich_ import Terminal

        return Terminal(stream, clock, colour=wants_colour(stream, environ), environ=environ)
    from .plain import Plain

    return Plain(stream, clock, environ=environ)
