"""Progress without a terminal: plain lines, JSON events, and which of them is chosen."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from akeneo_media_cli.errors import Failure, Kind, UsageError
from akeneo_media_cli.progress import MODES, Progress, Silent, make_progress
from akeneo_media_cli.progress.json_ import JsonLines
from akeneo_media_cli.progress.plain import Plain
from akeneo_media_cli.rows import Target, TargetType
from tests.report.samples import NASTY, hostile_items, item

SKU = Target(TargetType.PRODUCT, "sku-1")
TROUBLE = Failure(Kind.TIMEOUT, "no answer within 60 s", "raise --timeout", None)


class Clock:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def plain(clock: Clock) -> tuple[Plain, io.StringIO]:
    out = io.StringIO()
    return Plain(out, clock, every=3600), out


def test_plain_says_how_far_it_is(clock: Clock) -> None:
    progress, out = plain(clock)
    clock.now += 5  # login and preflight: no part of the rates
    progress.started(rows=10, size=10_000, concurrency=4)
    progress.row_finished(1, item(1, "unchanged", size=1000))
    progress.row_started(2, file="b.jpg", target=SKU, size=2000, attempt=1)
    progress.row_sent(2, 1000)
    progress.row_retried(2, failure=TROUBLE, delay=1.5)
    progress.row_started(2, file="b.jpg", target=SKU, size=2000, attempt=2)
    progress.row_sent(2, 500)
    progress.waiting("the PIM answers 429", 12)
    progress.limit(2)
    clock.now += 10
    progress.tick()
    assert out.getvalue() == (
        "[15 s] 15%, 1 of 10 rows, 1.5 kB of 10.0 kB, 150 bytes/s; about 1:30 left; "
        "0 uploaded, 1 unchanged, 0 failed, 1 retried; 1 in flight; "
        "waiting: the PIM answers 429; resuming in 2.0 s; concurrency 2\n"
    )


def test_pictures_that_are_being_converted_are_told_from_those_on_their_way(clock: Clock) -> None:
    progress, out = plain(clock)
    progress.started(rows=3, size=3000, concurrency=4)
    for row in (1, 2):
        progress.row_converting(row, file="b.tif", target=SKU, size=1000)
    progress.tick()
    assert out.getvalue().endswith("0 retried; 2 converting\n")
    progress.row_converted(1)
    progress.row_started(1, file="b.tif", target=SKU, size=90, attempt=1)
    progress.row_retried(1, failure=TROUBLE, delay=1)
    progress.row_converting(1, file="b.tif", target=SKU, size=1000)
    progress.row_converted(1)
    progress.tick()
    assert out.getvalue().endswith("1 retried; 1 in flight; 1 converting\n"), "a pause is no conversion"


def test_rows_that_were_done_before_count_for_no_rate(clock: Clock) -> None:
    progress, out = plain(clock)
    progress.started(rows=100, size=100_000, concurrency=4)
    progress.rows_settled({"unchanged": 90}, 90_000, list)
    for row in range(1, 6):
        clock.now += 10
        progress.row_finished(row, item(row, size=1000))
    progress.tick()
    assert "95%, 95 of 100 rows" in out.getvalue()
    assert "about 50 s left" in out.getvalue()


def test_rows_that_only_have_to_be_glanced_at_take_no_time(clock: Clock) -> None:
    progress, out = plain(clock)
    progress.started(rows=1000, size=1_000_000, concurrency=4)
    progress.rows_expected(980, 980_000)

    def said() -> str:
        out.truncate(out.seek(0))
        progress.tick()
        return out.getvalue()

    for row in range(1, 11):
        clock.now += 10
        progress.row_finished(row, item(row, size=1000))
        said()
    assert "10 of 1,000 rows" in out.getvalue()
    assert "about 1:40 left" in out.getvalue(), "ten rows at ten seconds"
    progress.rows_settled({"unchanged": 500}, 500_000, list)
    assert "510 of 1,000 rows" in said()
    assert "about 1:40 left" in out.getvalue(), "they say nothing of the others"
    for row in range(11, 21):
        clock.now += 10
        progress.row_finished(row, item(row, size=1000))
        said()
    progress.rows_settled({"unchanged": 240}, 240_000, list)
    clock.now += 1
    assert "760 of 1,000 rows" in said()
    assert "about 21 s left" in out.getvalue(), "240 rows, of which 242 took 21 seconds"


def test_plain_ends_with_a_line_of_the_end(clock: Clock) -> None:
    progress, out = plain(clock)
    progress.started(rows=1, size=1000, concurrency=4)
    progress.limit(2)
    progress.limit(4)
    progress.waiting("down", 5)
    progress.waiting("", 0)
    progress.row_started(1, file="b.jpg", target=SKU, size=1000, attempt=1)
    progress.row_sent(1, 1000)
    progress.row_finished(1, item(1, size=1000))
    clock.now += 2
    progress.finished({})
    assert out.getvalue() == (
        "[2.0 s] 100%, 1 of 1 row, 1.0 kB of 1.0 kB; 1 uploaded, 0 unchanged, 0 failed, 0 retried\n"
    )


def test_plain_with_nothing_to_do_and_with_statuses_of_its_own(clock: Clock) -> None:
    progress, out = plain(clock)
    progress.started(rows=0, size=0, concurrency=4)
    progress.finished({})
    assert out.getvalue().startswith("[0.0 s] 0%, 0 of 0 rows; 0 uploaded")
    progress, out = plain(clock)
    progress.started(rows=4, size=0, concurrency=4)
    progress.row_finished(1, item(1, "held", size=None))
    progress.tick()
    assert "25%, 1 of 4 rows, 0 bytes/s; 1 held, 0 retried\n" in out.getvalue()


def test_plain_never_says_all_is_done_before_it_is(clock: Clock) -> None:
    progress, out = plain(clock)
    progress.started(rows=2, size=1000, concurrency=4)
    progress.row_started(1, file="b.jpg", target=SKU, size=1000, attempt=1)
    progress.row_sent(1, 5000)  # more than anyone was told of
    progress.row_sent(99, 5000)  # a row that never started
    progress.row_retried(99, failure=TROUBLE, delay=1)
    progress.tick()
    assert "[0.0 s] 99%, 0 of 2 rows, 5.0 kB of 5.0 kB" in out.getvalue()


def test_plain_notes_are_one_line_without_escapes(clock: Clock) -> None:
    progress, out = plain(clock)
    for text in NASTY:
        progress.note(text, hint=text, level="info")
    lines = out.getvalue().split("\n")
    assert len(lines) == len(NASTY) + 1
    assert lines[0] == "info: plain (plain)"
    assert not set("\r\x1b\x07") & set(out.getvalue())


def test_plain_writes_by_itself_while_nothing_happens() -> None:
    written = threading.Event()
    before = set(threading.enumerate())

    class Stream(io.StringIO):
        def write(self, text: str) -> int:
            written.set()
            return super().write(text)

    progress = Plain(Stream(), lambda: 0.0, every=0.001)
    progress.started(rows=1, size=1, concurrency=1)
    assert written.wait(30)
    progress.finished({})
    assert set(threading.enumerate()) <= before


def test_json_has_an_event_for_every_row() -> None:
    out = io.StringIO()
    progress = JsonLines(out, lambda: 1_795_428_900.25)
    progress.started(rows=3, size=100, concurrency=4)
    progress.row_started(1, file="a.jpg", target=SKU, size=100, attempt=1)
    progress.row_sent(1, 100)
    progress.row_retried(1, failure=TROUBLE, delay=0.12345)
    progress.row_finished(1, item(2))
    progress.row_finished(2, item(3, "invalid"))
    progress.waiting("the PIM is down", 2)
    progress.limit(3)
    progress.note("mind", hint="this")
    progress.finished({"total": 3})
    events = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [event["event"] for event in events] == [
        *("started", "row_started", "row_retried", "row_finished", "row_finished"),
        *("waiting", "limit", "note", "finished"),
    ]
    assert {event["time"] for event in events} == {"2026-11-23T10:15:00.250Z"}
    assert events[1]["target"] == {"type": "product", "identifier": "sku-1"}
    assert events[2] == {
        "event": "row_retried",
        "time": "2026-11-23T10:15:00.250Z",
        "row": 1,
        "delay_seconds": 0.123,
        "error": {
            "kind": "timeout",
            "http_status": None,
            "message": "no answer within 60 s",
            "hint": "raise --timeout",
        },
    }
    assert events[4] == {"event": "row_finished", "time": events[0]["time"], "row": 2, **item(3, "invalid")}


def test_json_survives_hostile_rows_in_many_threads() -> None:
    raw = io.BytesIO()
    progress = JsonLines(io.TextIOWrapper(raw, encoding="ascii"), lambda: 0.0)
    rows = hostile_items()

    def finish(first: int) -> None:
        for number, row in enumerate(rows, first):
            progress.row_finished(number, row)

    threads = [threading.Thread(target=finish, args=(n // 2 * len(rows),)) for n in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    events = [json.loads(line) for line in raw.getvalue().splitlines()]
    assert sorted(event["row"] for event in events) == list(range(8 * len(rows))), "each once"
    assert {event["file"] for event in events} == set(NASTY)


class Screen(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("mode", "stream", "environ", "chosen"),
    [
        ("auto", Screen, {"TERM": "xterm"}, "Terminal"),
        ("auto", Screen, {}, "Terminal"),
        ("auto", Screen, {"TERM": "dumb"}, "Plain"),
        ("auto", Screen, {"TERM": "xterm", "CI": "true"}, "Plain"),
        ("auto", Screen, {"TERM": "xterm", "CI": "false"}, "Terminal"),
        ("auto", io.StringIO, {"TERM": "xterm", "FORCE_COLOR": "1"}, "Plain"),
        ("rich", Screen, {"TERM": "xterm", "CI": "true"}, "Terminal"),
        ("rich", Screen, {"TERM": "dumb"}, "Plain"),
        ("rich", io.StringIO, {}, "Plain"),
        ("plain", Screen, {}, "Plain"),
        ("json", Screen, {}, "JsonLines"),
        ("none", Screen, {}, "Silent"),
    ],
)
def test_which_display(
    mode: str, stream: Callable[[], io.StringIO], environ: dict[str, str], chosen: str
) -> None:
    assert type(make_progress(mode, stream=stream(), environ=environ)).__name__ == chosen


def test_an_unknown_mode_is_told() -> None:
    with pytest.raises(UsageError, match="loud") as caught:
        make_progress("loud", stream=io.StringIO(), environ={})
    assert "auto, rich, plain, json, none" in caught.value.hint


def test_a_closed_stream_is_no_terminal() -> None:
    closed = io.StringIO()
    closed.close()
    assert isinstance(make_progress("auto", stream=closed, environ={}), Plain)


def everything(progress: Progress) -> None:
    """Call all that a run may call."""
    progress.started(rows=1, size=10, concurrency=1)
    progress.note("before", level="error")
    progress.row_started(1, file="a.jpg", target=SKU, size=10, attempt=1)
    progress.row_sent(1, 10)
    progress.row_retried(1, failure=TROUBLE, delay=1)
    progress.waiting("w", 1)
    progress.limit(1)
    progress.row_finished(1, item(1))
    progress.finished({"total": 1})


@pytest.mark.parametrize("mode", [*MODES, "terminal"])
def test_a_stream_that_is_gone_never_ends_a_run(mode: str) -> None:
    closed = Screen() if mode == "terminal" else io.StringIO()
    progress = make_progress("rich" if mode == "terminal" else mode, stream=closed, environ={})
    closed.close()
    everything(progress)


@pytest.mark.parametrize("mode", ["plain", "json"])
@pytest.mark.parametrize("how", ["broken pipe", "full disk"])
def test_a_broken_pipe_leaves_the_exit_status_alone(mode: str, how: str) -> None:
    code = f"""
import os, sys
from akeneo_media_cli.progress import make_progress
from tests.progress.test_progress import everything
sys.stdin.read()
everything(make_progress({mode!r}, stream=sys.stderr, environ=os.environ))
sys.exit(5)
"""
    reading, writing = os.pipe()
    stderr = writing if how == "broken pipe" else os.open("/dev/full", os.O_WRONLY)
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stderr=stderr) as run:
        os.close(reading)
        os.close(writing)
        run.communicate(b"go")
    assert run.returncode == 5


def test_text_that_the_stream_cannot_hold_is_escaped(clock: Clock) -> None:
    raw = io.BytesIO()
    progress = Plain(io.TextIOWrapper(raw, encoding="ascii"), clock)
    progress.note("写真")
    assert raw.getvalue() == b"warning: \\u5199\\u771f\n"


def test_silent_shows_nothing() -> None:
    everything(Silent())


def test_choosing_a_display_without_terminal_loads_no_rich() -> None:
    code = """
import io, sys
from akeneo_media_cli.progress import make_progress
for mode in ("auto", "plain", "json", "none"):
    make_progress(mode, stream=io.StringIO(), environ={})
sys.exit("rich" in sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])


def test_the_displays_are_what_the_protocol_says() -> None:
    from akeneo_media_cli.progress.rich_ import Terminal

    shown: list[Progress] = [Silent(), Plain(io.StringIO(), lambda: 0.0)]
    shown += [JsonLines(io.StringIO(), lambda: 0.0), Terminal(io.StringIO(), lambda: 0.0, colour=False)]
    names: set[Any] = {name for name in dir(Silent) if not name.startswith("_")}
    for display in shown:
        assert names <= set(dir(display))
