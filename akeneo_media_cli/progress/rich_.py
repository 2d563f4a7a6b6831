"""Progress on a terminal: a block of lines at the bottom that is drawn over, a few times a second.

The frames are laid out with rich; the drawing is our own, for two things that `rich.live` lacks: a block
whose lines the terminal folded anew after a resize is still drawn over whole, and a frame takes the place of
the one before in one write, without erasing it first. The cursor is never hidden and rests below the block,
so that a process killed at any instant leaves a sane terminal.
"""

from __future__ import annotations

import io
import os
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TextIO

from rich.console import Console
from rich.text import Text

from ..console import Outlet
from .frame import layout
from .plain import note_line
from .tallied import Tallied

EVERY = 1 / 8
"""Seconds between two frames."""

_LEVELS = {"warning": "yellow", "error": "red"}
# Folding is off while a frame is written: a character that is wider than thought must not break the block.
_NO_FOLDING, _FOLDING = "\x1b[?7l", "\x1b[?7h"
_ERASE_RIGHT, _ERASE_BELOW = "\x1b[K", "\x1b[J"


class Terminal(Tallied):
    """Bars, counts and the rows in flight, on a terminal that can move its cursor.

    One thread draws; the others only leave word.
    """

    def __init__(
        self,
        stream: TextIO,
        clock: Callable[[], float],
        *,
        colour: bool,
        every: float = EVERY,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(clock, every, self.draw)
        self._out = Outlet(stream, environ)
        self._stream = stream
        # Renders aside: a console writes to its file even what it captures, if only nothing.
        self._console = Console(
            file=io.StringIO(),
            force_terminal=True,
            color_system="standard" if colour else None,
            legacy_windows=False,
            highlight=False,
        )
        self._unicode = "utf" in (stream.encoding or "").lower()
        self._notes: deque[Text] = deque()
        self._drawn: Sequence[int] = ()
        """The width in cells of each line of the last frame."""
        self._drawing = threading.Lock()
        self._asking = False

    def draw(self, *, last: bool = False) -> None:
        """Put a frame of this moment in place of the last one, below the notes that came meanwhile."""
        with self._drawing:
            if self._asking:
                return
            width, height = self._size()
            # The last column stays free: some terminals fold a line that only just fits.
            lines = layout(self._tally.now(), width - 1, height - 1, unicode=self._unicode, last=last)
            notes = [line for note in self._take_notes() for line in note.wrap(self._console, width - 1)]
            start = self._start(width, height)
            self._drawn = [line.cell_len for line in lines]
            self._out.write(
                "".join(
                    (
                        _NO_FOLDING,
                        start,
                        *(self._ansi(line) + _ERASE_RIGHT + "\n" for line in [*notes, *lines]),
                        _ERASE_BELOW,
                        _FOLDING,
                    )
                )
            )

    def _start(self, width: int, height: int) -> str:
        """What moves the cursor to where the last frame began."""
        # A terminal made narrower has folded the lines of the last frame.
        up = min(sum(max(1, -(-cells // width)) for cells in self._drawn), height - 1)
        return f"\r\x1b[{up}A" if up else "\r"

    @contextmanager
    def asking(self) -> Iterator[None]:
        """The question takes the frame's place; the next frame comes below the answer."""
        with self._drawing:
            self._out.write(self._start(*self._size()) + _ERASE_BELOW)
            self._drawn, self._asking = (), True
        try:
            yield
        finally:
            self._asking = False

    def _size(self) -> tuple[int, int]:
        try:
            columns, lines = os.get_terminal_size(self._stream.fileno())
        except (OSError, ValueError):  # hung up
            columns, lines = 80, 24
        return max(columns, 2), max(lines, 2)  # some terminals say 0 by 0 until they are told

    def _take_notes(self) -> list[Text]:
        return [self._notes.popleft() for _ in range(len(self._notes))]

    def _ansi(self, line: Text) -> str:
        with self._console.capture() as captured:
            self._console.print(line, end="", soft_wrap=True)
        return captured.get()

    def note(self, message: str, *, hint: str = "", level: str = "warning") -> None:
        # Shown with the next frame, or at once while there are none yet.
        self._notes.append(Text(note_line(message, hint, level), _LEVELS.get(level, "")))
        if not self._ticker.running:
            self._write_notes()

    def _write_notes(self) -> None:
        with self._drawing:
            for note in self._take_notes():
                self._out.write(self._ansi(note) + "\n")

    def finished(self, summary: Mapping[str, Any]) -> None:
        self._ticker.stop()
        self.draw(last=True)
        self._drawn = ()
