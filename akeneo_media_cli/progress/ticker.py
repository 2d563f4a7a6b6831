"""A thread that does one thing now and then."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Ticker:
    """Calls `tick` every `interval` seconds in a thread of its own, from `start` until `stop`.

    The thread never keeps the process alive.
    """

    def __init__(self, interval: float, tick: Callable[[], None]) -> None:
        self._interval = interval
        self._tick = tick
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="progress", daemon=True)

    def start(self) -> None:
        """Begin; a second call does nothing."""
        if self._thread.ident is None:
            self._thread.start()

    @property
    def running(self) -> bool:
        """Between `start` and `stop`."""
        return self._thread.ident is not None and not self._over.is_set()

    def stop(self) -> None:
        """End, after a tick that is under way; may be called twice, or without `start`."""
        self._over.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._over.wait(self._interval):
            self._tick()
