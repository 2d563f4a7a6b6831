"""What a run needs from outside, and what it counts."""

from __future__ import annotations

import random as chance
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from ..storage.sources import Sources


@dataclass
class Environment:
    """What a run needs from outside: passed in, so that a test can use its own.

    `clock` gives monotonic seconds, `wall` seconds since 1970, `random` numbers from 0 to 1; `sleep` takes
    seconds; `sources` opens the files that rows name.
    """

    clock: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time
    random: Callable[[], float] = chance.random
    sleep: Callable[[float], None] = time.sleep
    sources: Sources = field(default_factory=Sources)


@dataclass
class Figures:
    """What the report's summary has beside the counts of rows."""

    bytes_sent: int = 0
    requests: int = 0
    retries: int = 0
    throttled: int = 0
    shared: int = 0
    """Rows that got the media file that another row sent."""


@dataclass
class UploadFigures(Figures):
    """What only `upload` counts."""

    read_back: int = 0
    """Values that were read back after they were sent, and held what was sent."""
    changed_in_pim: int = 0
    """Values that were set from here before and held something else now."""
    kept: int = 0
    """Of those, values that were left as they are (`--drift keep`)."""
    unasked: int = 0
    """Unchanged rows about which the PIM was not asked: the ledger was trusted."""
    converted: int = 0
    """Pictures that were converted."""
