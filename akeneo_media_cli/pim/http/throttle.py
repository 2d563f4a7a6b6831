"""A limit in bytes a second that all threads share."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

_SLICE = 0.5
"""No single sleep is longer, in seconds: a stop must be noticed, and threads must take turns."""
_LARGEST_PIECE = 256 * 1024
_SMALLEST_PIECE = 1024


class Throttle:
    """A token bucket: over any time, no more than `rate` bytes a second and one tenth of a second's worth.

    `clock` counts seconds and never goes back; `sleep` waits so many seconds and may raise to give up.
    """

    def __init__(
        self,
        rate: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """`rate`: bytes a second. Raises ValueError where it is not above zero."""
        if not rate > 0:
            raise ValueError("a rate is more than zero bytes a second")
        self.rate = rate
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._paid_until = clock()

    @property
    def piece(self) -> int:
        """How many bytes may be sent at once without long pauses in between."""
        return int(max(_SMALLEST_PIECE, min(_LARGEST_PIECE, self.rate / 4)))

    def take(self, size: int) -> None:
        """Return when `size` more bytes may go out; to be called before they do."""
        largest = max(1, int(self.rate * _SLICE))
        while size > 0:
            part = min(size, largest)
            size -= part
            wait = self._reserve(part)
            if wait > 0:
                self._sleep(wait)

    def _reserve(self, size: int) -> float:
        with self._lock:
            now = self._clock()
            self._paid_until = max(self._paid_until, now - 0.1) + size / self.rate
            return self._paid_until - now
