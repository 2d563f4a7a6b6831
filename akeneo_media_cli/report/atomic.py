"""Files that are never visible half-written."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

if sys.platform != "win32":
    import fcntl

PREFIX, SUFFIX = ".akeneo-media-", ".tmp"
_OURS = re.compile(rf"{re.escape(PREFIX)}[0-9a-f]{{12}}{re.escape(SUFFIX)}")
_YOUNG = 60.0
"""Seconds in which a file may not have been locked yet by the process that is about to write it."""


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[TextIO]:
    """A UTF-8 text file that takes `path`'s place once it is complete and on disk, or leaves nothing.

    It is written beside the place, with the mode of the file that was there, else that of any new file
    (umask). A symbolic link stays, its target is replaced. Raises `OSError`.
    """
    place = path.resolve()
    # Short: the destination's own name may already be as long as the file system allows.
    temporary = place.parent / f"{PREFIX}{secrets.token_hex(6)}{SUFFIX}"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace", newline="") as out:
            _lock(descriptor)
            _sweep(place.parent, os.fstat(descriptor).st_mtime)
            with contextlib.suppress(FileNotFoundError):
                os.chmod(temporary, stat.S_IMODE(place.stat().st_mode) & 0o777)  # noqa: PTH101
            yield out
            out.flush()
            os.fsync(out.fileno())
        temporary.replace(place)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise


def _lock(descriptor: int) -> bool:
    """Show that a living process has the file: the lock dies with it. False if another has it."""
    if sys.platform != "win32":
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            # Also on a file system without locks: nobody can tell there, so nothing is swept.
            return False
    return True


def _sweep(folder: Path, now: float) -> None:
    """Delete what killed processes left in a folder; `now` is the time of its file system."""
    with contextlib.suppress(OSError):
        for left in folder.glob(f"{PREFIX}*{SUFFIX}"):
            if _OURS.fullmatch(left.name):
                with contextlib.suppress(OSError):
                    _sweep_one(left, now)


def _sweep_one(left: Path, now: float) -> None:
    found = left.lstat()
    if not stat.S_ISREG(found.st_mode) or now - found.st_mtime < _YOUNG:
        return
    if sys.platform == "win32":
        # A file that a process has open cannot be deleted there.
        left.unlink()
    else:
        descriptor = os.open(left, os.O_WRONLY | os.O_NOFOLLOW)
        try:
            if _lock(descriptor):
                left.unlink()
        finally:
            os.close(descriptor)
