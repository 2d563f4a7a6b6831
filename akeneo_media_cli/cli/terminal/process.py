"""The process and its surroundings: standard streams that may be closed, and signals at any time."""

from __future__ import annotations

import gc
import os
import signal
import sys
from types import FrameType
from typing import NoReturn

from ...console import Outlet, hush
from ...errors import ReportError
from ...exits import Exit
from ...wording import visible


def say(message: str) -> None:
    """Write to standard error; if that fails, go on.

    All that a command says outside of its progress display goes through here. A PIM's message may contain
    escape sequences: they are shown, not obeyed.
    """
    Outlet(sys.stderr, os.environ).write(visible(message) + "\n")


def unwritable(error: OSError) -> ReportError:
    """What to raise if standard output cannot be written."""
    hush(sys.stdout)
    return ReportError(f"what was asked for could not be written: {error.strerror or error}")


def open_streams() -> None:
    """Give a process that was started with closed standard streams some to use.

    A file opened later would else get the number of a closed one, and what is said would end up in it.
    Standard output is opened such that writing fails: data that was asked for must not vanish silently.
    """
    for descriptor, way in ((0, os.O_RDONLY), (1, os.O_RDONLY), (2, os.O_WRONLY)):
        try:
            os.fstat(descriptor)
        except OSError:
            # The lowest free number is the one that is missing.
            os.open(os.devnull, way)
    # Python has None for those that were closed.
    sys.stdin = sys.stdin or open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stdout = sys.stdout or open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = sys.stderr or open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115


def catch_termination() -> None:
    """SIGTERM outside of a run ends the process in order: temporary folders go, locks are given back."""

    def leave(number: int, frame: FrameType | None) -> NoReturn:
        raise SystemExit(int(Exit.TERMINATED))

    signal.signal(signal.SIGTERM, leave)


def keep_what_is_loaded() -> None:
    """The modules stay to the end: to look through them for circles, again and again, is a fifteenth of what
    an upload costs."""
    gc.freeze()


def wind_up() -> None:
    """The exit status is decided: a signal while the interpreter winds up must not replace it."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    # All that is left goes with the process. To look through it for circles first takes a fifth of a short
    # command.
    gc.freeze()
