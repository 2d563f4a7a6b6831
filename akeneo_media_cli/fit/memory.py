"""Memory that conversions are done with goes back to the system at once.

glibc keeps freed memory for later, a part for each thread: after some pictures on some threads that is twice
what they need. Other C libraries do not.
"""

from __future__ import annotations

import ctypes
import functools
import platform
from typing import Any

_MMAP_THRESHOLD = -3
"""glibc's M_MMAP_THRESHOLD for `mallopt`: from this size on, memory is a mapping of its own."""
_SMALL = 64 * 1024


@functools.cache
def _glibc() -> Any:
    """The C library, set up; None where it is not glibc."""
    if platform.system() != "Linux":
        return None
    library = ctypes.CDLL(None)
    if not hasattr(library, "malloc_trim"):
        return None
    library.mallopt(_MMAP_THRESHOLD, _SMALL)
    return library


def be_frugal() -> None:
    """From now on, buffers of pictures go back to the system when they are freed."""
    _glibc()


def give_back() -> None:
    """Give back what was freed."""
    library = _glibc()
    if library is not None:
        library.malloc_trim(0)
