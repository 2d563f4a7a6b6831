"""What Ctrl-C, SIGTERM and a closed terminal mean to a run."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from ..exits import Exit

# Windows has no SIGHUP.
_CAUGHT = [
    number
    for number in (signal.SIGINT, signal.SIGTERM, getattr(signal, "SIGHUP", None))
    if number is not None
]


class Interrupted(BaseException):
    """A signal came while no request was in flight. Not an Exception: nothing on the way may swallow it."""


class Signals:
    """The first signal ends a run in order, a second one at once (exit status 130 or 143).

    While `heard_by` is set it is called for each; while nothing is, the run ends by `Interrupted`. Once
    `ending` is set, reports are being written: a first signal has nothing left to end, a second one exits.
    """

    def __init__(self) -> None:
        self.first = 0
        """The number of the first signal; 0 while none came."""
        self.heard_by: Callable[[], None] | None = None
        self.ending = False

    @property
    def status(self) -> Exit:
        """The exit status that the first signal asks for."""
        if not self.first:
            return Exit.OK
        return Exit.INTERRUPTED if self.first == signal.SIGINT else Exit.TERMINATED

    @contextmanager
    def caught(self) -> Iterator[None]:
        """Catch signals while the block lasts; only possible in the main thread."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self._on_signal) for number in _CAUGHT if _wanted(number)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        again = self.first != 0
        self.first = self.first or number
        if self.heard_by is not None:
            self.heard_by()
        elif not self.ending:
            raise Interrupted
        elif again:
            raise SystemExit(int(self.status))


def _wanted(number: int) -> bool:
    # `nohup` ignores it for us: the run goes on when the terminal is closed.
    return number in (signal.SIGINT, signal.SIGTERM) or signal.getsignal(number) is not signal.SIG_IGN
