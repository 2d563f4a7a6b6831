"""What may be written to which stream: terminals, colour, and closed pipes."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from typing import TextIO

_OFF = ("", "0", "false", "no")


def in_ci(environ: Mapping[str, str]) -> bool:
    """Are we run by a CI pipeline? `CI` as GitHub, GitLab, Jenkins and others set it."""
    return environ.get("CI", "").lower() not in _OFF


def is_terminal(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """Is `stream` a terminal that can move its cursor?"""
    if environ.get("TERM", "").lower() in ("dumb", "unknown"):
        return False
    try:
        return stream.isatty()
    except ValueError:  # closed
        return False


def wants_colour(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """May colours be used? `NO_COLOR` forbids them (no-color.org), else `FORCE_COLOR` asks for them
    (force-color.org), else a terminal outside a pipeline gets them."""
    if environ.get("NO_COLOR"):
        return False
    if "FORCE_COLOR" in environ:
        return environ["FORCE_COLOR"].lower() not in _OFF
    return is_terminal(stream, environ) and not in_ci(environ)


def hush(stream: TextIO) -> None:
    """Discard what `stream` still buffers, once its reader is gone or its disk is full.

    Python flushes the standard streams at its end; that would fail again, and turn the exit status into 120
    whatever the run came to.
    """
    try:
        descriptor = stream.fileno()
        nowhere = os.open(os.devnull, os.O_WRONLY)
    except (OSError, ValueError, AttributeError):
        return
    try:
        os.dup2(nowhere, descriptor)
    finally:
        os.close(nowhere)


class Outlet:
    """A stream that many threads write whole texts to, and that never fails.

    A reader that went away, a full disk behind a redirection or a closed stream ends the output, not the run.
    """

    def __init__(
        self, stream: TextIO, environ: Mapping[str, str] | None = None, *, wanted: bool = False
    ) -> None:
        """With `environ`: where GitHub's runner reads along, nothing in a text is a command to it.

        `wanted`: it is what was asked for, and `write` raises OSError if that fails.
        """
        self.stream = stream
        self._wanted = wanted
        self._tame = bool(environ and environ.get("GITHUB_ACTIONS"))
        self._lock = threading.Lock()
        self._gone = False

    def write(self, text: str) -> None:
        """Write and flush `text` as one piece; what the stream's encoding lacks becomes `\\u2026`."""
        if self._tame:
            # Obeyed at the beginning of a line, indented or not, and anywhere.
            text = text.replace("::", ": :").replace("##[", "# #[")
        with self._lock:
            if self._gone:
                return
            try:
                try:
                    self.stream.write(text)
                except UnicodeEncodeError:
                    encoding = self.stream.encoding or "ascii"
                    self.stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
                self.stream.flush()
            except (OSError, ValueError):
                if self._wanted:
                    raise
                self._gone = True
                hush(self.stream)
