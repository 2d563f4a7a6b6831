"""Progress of which only the notes are seen: for `--progress none` and `-q`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TextIO

from ..console import Outlet
from .base import Silent
from .plain import note_line

_LEVELS = ("info", "warning", "error")


class Notes(Silent):
    """Shows notes from a level upwards, a line each: who wants no progress still wants to be warned."""

    def __init__(self, stream: TextIO, least: str, environ: Mapping[str, str]) -> None:
        """`least`: info, warning or error."""
        self._out = Outlet(stream, environ)
        self._shown = _LEVELS[_LEVELS.index(least) :]

    def note(self, message: str, *, hint: str = "", level: str = "warning") -> None:
        if level in self._shown:
            self._out.write(note_line(message, hint, level) + "\n")
