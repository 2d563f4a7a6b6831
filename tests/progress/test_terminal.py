"""Progress on a terminal: what stands on the screen, as a terminal emulator has it."""

from __future__ import annotations

import contextlib
import fcntl
import io
import os
import queue
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import threading
from collections.abc import Iterator
from pathlib import Path

import pyte
import pytest
from rich.cells import cell_len

from akeneo_media_cli.errors import Failure, Kind
from akeneo_media_cli.progress.frame import WIDEST, layout
from akeneo_media_cli.progress.rich_ import Terminal
from akeneo_media_cli.progress.tally import Tally
from akeneo_media_cli.rows import Target, TargetType
from tests.report.samples import NASTY, item

from .test_progress import Clock, clock  # noqa: F401

SKU = Target(TargetType.PRODUCT, "sku-1")
TROUBLE = Failure(Kind.TIMEOUT, "no answer within 60 s", "raise --timeout", None)


class Screen:
    """A terminal of so many columns and lines, and the stream that writes to it."""

    def __init__(self, columns: int, lines: int, encoding: str = "utf-8") -> None:
        self._ours, theirs = os.openpty()
        self.stream = os.fdopen(theirs, "w", encoding=encoding)
        self._screen = pyte.HistoryScreen(columns, lines, history=1000)
        self._feed = pyte.ByteStream(self._screen)
        self._pieces: queue.Queue[bytes] = queue.Queue()
        self._marks = 0
        self.raw = b""
        self.resize(columns, lines)
        # A terminal reads at all times: its buffer of a few KB would stop the writer else.
        self._reader = threading.Thread(target=self._take, daemon=True)
        self._stopped, self._stop = os.pipe()
        self._reader.start()

    def _take(self) -> None:
        with contextlib.suppress(OSError):
            while self._stopped not in select.select([self._ours, self._stopped], [], [])[0]:
                self._pieces.put(os.read(self._ours, 65536))

    def resize(self, columns: int, lines: int) -> None:
        size = struct.pack("HHHH", lines, columns, 0, 0)
        fcntl.ioctl(self.stream.fileno(), termios.TIOCSWINSZ, size)
        self._screen.resize(lines, columns)

    def read(self) -> None:
        """Take in what was written until now."""
        self._marks += 1
        mark = f"\x1b]0;{self._marks}\x07".encode()  # a window title, which shows nowhere
        self.stream.write(mark.decode())
        self.stream.flush()
        new = b""
        while not new.endswith(mark):
            new += self._pieces.get(timeout=30)
        new = new.removesuffix(mark)
        self.raw += new
        self._feed.feed(new)

    @property
    def shown(self) -> list[str]:
        """The lines from the first to the last that is not empty."""
        self.read()
        return "\n".join(line.rstrip() for line in self._screen.display).rstrip("\n").split("\n")

    @property
    def scrolled(self) -> int:
        """How many lines have left at the top."""
        self.read()
        return len(self._screen.history.top)

    def hang_up(self) -> None:
        """What happens to a program when its window is closed: its writes fail."""
        os.close(self._stop)
        # The next terminal gets the same number: a reader that still lived would take its text.
        self._reader.join()
        os.close(self._stopped)
        os.close(self._ours)

    def close(self) -> None:
        self.stream.close()
        self.hang_up()


@pytest.fixture
def screen() -> Iterator[Screen]:
    screen = Screen(100, 20)
    yield screen
    screen.close()


def display(screen: Screen, clock: Clock, *, colour: bool = True) -> Terminal:  # noqa: F811
    return Terminal(screen.stream, clock, colour=colour, every=3600)


def fly(progress: Terminal, rows: int, file: str = "images/front.jpg") -> None:
    progress.started(rows=10, size=20_000_000, concurrency=4)
    for row in range(1, rows + 1):
        target = Target(TargetType.PRODUCT, f"sku-{row}")
        progress.row_started(row, file=file, target=target, size=2_000_000, attempt=1)
        progress.row_sent(row, 500_000)


def test_the_block_shows_bar_counts_and_rows_in_flight(screen: Screen, clock: Clock) -> None:  # noqa: F811
    progress = display(screen, clock)
    fly(progress, 2)
    progress.row_retried(2, failure=TROUBLE, delay=3)
    progress.row_started(3, file="b.jpg", target=SKU, size=0, attempt=2)
    progress.row_finished(4, item(4, "failed", size=1_000_000))
    progress.waiting("the PIM answers 429", 12)
    progress.limit(2)
    clock.now += 10
    progress.draw()
    bar, amounts, counts, trouble, *flights = screen.shown
    assert re.fullmatch("━+  10%  1:30 left", bar)
    assert len(bar) == 99
    assert amounts == "1 of 10 rows, 2.0 MB of 20.0 MB, 100.0 kB/s"
    assert counts == "0 uploaded, 0 unchanged, 1 failed, 1 retried"
    assert trouble == "waiting: the PIM answers 429; resuming in 2.0 s; concurrency 2"
    assert [re.sub(" +", " ", line) for line in flights] == [
        " images/front.jpg product sku-1 500.0 kB of 2.0 MB 25%",
        " images/front.jpg product sku-2 again in 0.0 s",
        " b.jpg product sku-1 try 2, 0 bytes of 0 bytes",
    ]


def test_nothing_is_drawn_over_a_question(screen: Screen, clock: Clock) -> None:  # noqa: F811
    progress = display(screen, clock)
    progress.started(rows=10, size=0, concurrency=4)
    progress.draw()
    with progress.asking():
        screen.stream.write("Remove up to 10 values? [y/N]: ")
        progress.note("a note that can wait")
        progress.draw()
        assert screen.shown == ["Remove up to 10 values? [y/N]:"]
        screen.stream.write("y\n")
    progress.finished({})
    question, note, bar, *_ = screen.shown
    assert (question, note) == ("Remove up to 10 values? [y/N]: y", "warning: a note that can wait")
    assert "━" in bar


def test_a_frame_takes_the_place_of_the_last(screen: Screen, clock: Clock) -> None:  # noqa: F811
    progress = display(screen, clock)
    fly(progress, 4)
    for _ in range(30):
        clock.now += 1
        progress.draw()
    assert len(screen.shown) == 7
    for row in range(1, 5):
        progress.row_finished(row, item(row, size=2_000_000))
    progress.finished({})
    assert len(screen.shown) == 3, "rows that are over leave no lines"
    screen.stream.write("the summary\n")
    screen.stream.flush()
    assert screen.shown[1:] == [
        "4 of 10 rows, 8.0 MB of 20.0 MB",
        "4 uploaded, 0 unchanged, 0 failed, 0 retried",
        "the summary",
    ]
    assert screen.scrolled == 0


def test_the_cursor_is_never_hidden_and_each_frame_is_one_piece(clock: Clock) -> None:  # noqa: F811
    class Pieces(io.StringIO):
        def write(self, text: str) -> int:
            pieces.append(text)
            return len(text)

    pieces: list[str] = []
    progress = Terminal(Pieces(), clock, colour=True, every=3600)
    fly(progress, 4)
    progress.draw()
    progress.draw()
    assert len(pieces) == 2
    for piece in pieces:
        assert piece.startswith("\x1b[?7l")
        assert piece.endswith("\x1b[J\x1b[?7h")
        assert "\x1b[?25l" not in piece
        assert "\x1b[2J" not in piece


def test_notes_stand_above_the_block(screen: Screen, clock: Clock) -> None:  # noqa: F811
    progress = display(screen, clock)
    progress.note("before the start", level="error")
    assert screen.shown == ["error: before the start"]
    fly(progress, 1)
    progress.draw()
    progress.note("while it runs " * 15, hint="mind it")
    progress.draw()
    lines = screen.shown
    assert lines[0] == "error: before the start"
    assert lines[1].startswith("warning: while it runs while")
    assert lines[3].endswith("(mind it)")
    assert lines[4].startswith("━")
    assert len(lines) == 8
    progress.note("at the end")
    progress.finished({})
    progress.note("after it")
    assert screen.shown[4] == "warning: at the end"
    assert screen.shown[-1] == "warning: after it"


@pytest.mark.parametrize("colour", [True, False])
@pytest.mark.parametrize(("columns", "lines"), [(100, 20), (40, 20), (20, 6), (10, 3), (3, 2), (200, 60)])
def test_hostile_names_in_any_window(columns: int, lines: int, colour: bool, clock: Clock) -> None:  # noqa: F811
    screen = Screen(columns, lines)
    progress = display(screen, clock, colour=colour)
    progress.started(rows=30, size=10**15, concurrency=32)
    for row, text in enumerate(NASTY * 2, 1):
        target = Target(TargetType.PRODUCT, text)
        progress.row_started(row, file=text, target=target, size=10**12, attempt=row)
    progress.waiting(NASTY[6], 1e6)
    for _ in range(3):
        progress.draw()
        screen.read()
    assert len(screen.shown) < lines
    assert screen.scrolled == 0
    if lines > 4 and columns >= 20:
        assert "more in flight"[:5] in screen.shown[-1] or "…" in screen.shown[-1]
    sequences = set(re.findall(rb"\x1b\[[0-9;?]*[A-Za-z]|\x1b.", screen.raw))
    kinds = {sequence[-1:] for sequence in sequences}
    assert kinds <= {b"l", b"h", b"A", b"K", b"J"} | ({b"m"} if colour else set())
    screen.close()


@pytest.mark.parametrize("width", range(1, 130, 7))
def test_no_line_is_wider_than_the_window(width: int, clock: Clock) -> None:  # noqa: F811
    tally = Tally(clock)
    tally.started(30, 10**15, 8)
    for row, text in enumerate(NASTY, 1):
        tally.row_started(row, text, Target(TargetType.ASSET, text, text), 10**12, row)
        tally.row_sent(row, 10**11 * row)
    tally.row_retried(2, 1e5)
    tally.waiting(NASTY[-1], 10)
    clock.now += 1
    for unicode in (True, False):
        lines = layout(tally.now(), width, 50, unicode=unicode)
        assert len(lines) == 4 + len(NASTY)
        assert max(cell_len(line.plain) for line in lines) <= width
    assert len(layout(tally.now(), width, 2)) == 2
    assert layout(tally.now(), width, 0) == []


def test_on_a_wide_window_a_file_and_its_product_stay_together(clock: Clock) -> None:  # noqa: F811
    tally = Tally(clock)
    tally.started(1, 2000, 4)
    tally.row_started(1, "images/front.jpg", SKU, 2000, 1)
    for line in layout(tally.now(), 400, 50):
        assert cell_len(line.plain) <= WIDEST
    *_, flight = layout(tally.now(), 400, 50)
    assert "images/front.jpg product sku-1 " in " ".join(flight.plain.split()) + " "


def test_a_window_made_narrower_is_drawn_over_whole(screen: Screen, clock: Clock) -> None:  # noqa: F811
    """The terminal folds the old block's lines; the new frame must begin where the fold began."""
    progress = display(screen, clock)
    fly(progress, 2)
    progress.draw()
    widths = [cell_len(line) for line in screen.shown]
    screen.raw = b""
    screen.resize(50, 20)
    progress.draw()
    screen.read()
    folded = sum(-(-width // 50) for width in widths)
    assert folded > len(widths)
    assert screen.raw.startswith(b"\x1b[?7l\r\x1b[%dA" % folded)


def test_a_terminal_that_tells_no_size_and_one_that_speaks_ascii(clock: Clock) -> None:  # noqa: F811
    screen = Screen(80, 24, encoding="ascii")
    screen.resize(80, 24)
    fcntl.ioctl(screen.stream.fileno(), termios.TIOCSWINSZ, struct.pack("HHHH", 0, 0, 0, 0))
    progress = display(screen, clock)
    fly(progress, 1, file="写真.jpg")
    progress.draw()
    fcntl.ioctl(screen.stream.fileno(), termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    progress.draw()
    assert screen.shown[0].startswith("#--") or screen.shown[0].startswith("---")
    screen.close()


def test_the_window_hangs_up(clock: Clock) -> None:  # noqa: F811
    screen = Screen(80, 24)
    progress = display(screen, clock)
    fly(progress, 2)
    progress.draw()
    screen.hang_up()
    progress.draw()
    progress.note("nobody sees it")
    progress.finished({})
    screen.stream.close()


def test_it_draws_by_itself_and_stops(clock: Clock) -> None:  # noqa: F811
    drawn = threading.Event()

    class Stream(io.StringIO):
        def write(self, text: str) -> int:
            drawn.set()
            return len(text)

    before = set(threading.enumerate())
    progress = Terminal(Stream(), clock, colour=False, every=0.001)
    progress.started(rows=1, size=1, concurrency=1)
    assert drawn.wait(30)
    progress.finished({})
    progress.finished({})
    assert set(threading.enumerate()) <= before


def test_a_kill_leaves_the_next_line_free_and_the_cursor_seen() -> None:
    """Not even SIGKILL may leave a terminal without cursor, or a prompt in the midst of the block."""
    code = """
import os, signal, sys
from akeneo_media_cli.progress.rich_ import Terminal
from tests.progress.test_terminal import fly
progress = Terminal(sys.stderr, lambda: 0.0, colour=True, every=3600)
fly(progress, 2)
progress.draw()
os.kill(os.getpid(), signal.SIGKILL)
"""
    screen = Screen(80, 24)
    run = subprocess.run(
        [sys.executable, "-c", code],
        stderr=screen.stream.fileno(),
        check=False,
        cwd=Path(__file__).parents[2],
    )
    assert run.returncode == -signal.SIGKILL
    screen.stream.write("prompt")
    screen.stream.flush()
    assert screen.shown[-1] == "prompt"
    assert len(screen.shown) == 6
    assert b"\x1b[?25l" not in screen.raw
    assert screen.raw.count(b"\x1b[?7l") == screen.raw.count(b"\x1b[?7h")
    screen.close()
