"""Files that nobody ever sees half of."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[TextIO]:
    """A UTF-8 text file that takes `path`'s place once it is complete and on disk, or leaves nothing.

    It is written beside the place, with the mode of the file that was there, else that of any new file
    (umask). A symbolic link stays, its target is replaced. Raises `OSError`.
    """
    place = path.resolve()
    # Short: the destination's own name may already be as long as the file system allows.
    temporary = place.parent / f".akeneo-media-{secrets.token_hex(6)}.tmp"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace", newline="") as out:
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
