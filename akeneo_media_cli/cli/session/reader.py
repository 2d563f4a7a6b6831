"""What the commands share that only ask the PIM and keep no ledger: `media list`, `media get`, `export`."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from ...exits import Exit
from .. import options as o
from ..terminal import logs
from .file_conflicts import NamedFiles

if TYPE_CHECKING:
    from ...pim.client import PimClient
    from ...progress.base import Progress
    from ...transfer.reads import ParallelReads


@dataclass
class Reader:
    """A PIM to ask, and where to note what is odd."""

    client: PimClient
    reads: ParallelReads
    progress: Progress

    def note(self, message: str, hint: str) -> None:
        """Tell of something, on standard error."""
        self.progress.note(message, hint=hint)


@contextmanager
def reading(connection: o.Connection, logging: o.Logging, *, output: str | None = None) -> Iterator[Reader]:
    """The PIM of the settings, for as long as the block lasts; SIGTERM ends it in order, as Ctrl-C does.

    `output` is the file that the caller writes. Raises UsageError for settings that cannot be used, and for
    a file that would be written over another one of the call.
    """
    from ...pim.client import PimClient
    from ...progress import make_progress
    from ...settings import load_connection
    from ...transfer.coordinator import Policy
    from ...transfer.environment import Environment
    from ...transfer.reads import ParallelReads

    NamedFiles(env_file=connection.env_file, output=output, log_file=logging.log_file).check()
    pim = load_connection(os.environ, connection.env_file, cwd=Path.cwd())
    mode = "none" if logging.quiet else "plain"
    progress = make_progress(mode, stream=sys.stderr, environ=os.environ, clock=time.monotonic)
    progress = logs.set_up(progress, logging)
    pool = connection.calls
    before = signal.signal(signal.SIGTERM, _terminated)
    try:
        with PimClient(pim, timeout=connection.timeout, pool=pool, on_call=logs.on_call(logging)) as client:
            progress.note(f"Reading from {pim.url}", level="info")
            policy = Policy(pool, connection.retries)
            yield Reader(client, ParallelReads(policy, progress, Environment()), progress)
    finally:
        signal.signal(signal.SIGTERM, before)


def _terminated(number: int, frame: FrameType | None) -> None:
    sys.exit(Exit.TERMINATED)


@contextmanager
def quiet_if_unread() -> Iterator[None]:
    """If the reader of standard output has read enough, such as `head`, end with 0."""
    from ...console import hush

    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        hush(sys.stdout)
        sys.exit(Exit.OK)
