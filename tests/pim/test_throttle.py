"""The bandwidth limit under a clock that only its own sleeps move."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from akeneo_media_cli.pim.http.throttle import Throttle


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0
        self.naps: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.naps.append(seconds)
        self.now += seconds


@given(rate=st.integers(1000, 10_000_000), pieces=st.lists(st.integers(1, 300_000), min_size=1, max_size=50))
def test_never_faster_than_the_rate(rate: int, pieces: list[int]) -> None:
    clock = Clock()
    throttle = Throttle(rate, clock, clock.sleep)
    for size in pieces:
        throttle.take(size)
    elapsed = clock.now - 1000
    assert sum(pieces) <= rate * (elapsed + 0.11)
    assert elapsed <= sum(pieces) / rate + 0.01
    assert all(nap <= 0.65 for nap in clock.naps)


def test_idle_time_is_not_saved_up() -> None:
    clock = Clock()
    throttle = Throttle(1000, clock, clock.sleep)
    clock.now += 3600
    throttle.take(1000)
    assert clock.now - 4600 == pytest.approx(0.9)


def test_threads_share_one_rate() -> None:
    clock = Clock()
    lock = threading.Lock()
    waited: list[float] = []

    def sleep(seconds: float) -> None:
        with lock:
            waited.append(seconds)

    throttle = Throttle(1000, clock, sleep)
    threads = [threading.Thread(target=throttle.take, args=(400,)) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # The clock stands still, so the last in line waits for all that went before.
    assert max(waited) == pytest.approx(4.0 - 0.0, abs=0.11)


def test_a_sleep_that_raises_ends_the_wait() -> None:
    def stop(_: float) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        Throttle(10, Clock(), stop).take(1000)


@pytest.mark.parametrize("rate", [0, -1, float("nan")])
def test_a_rate_that_sends_nothing(rate: float) -> None:
    with pytest.raises(ValueError, match="more than zero"):
        Throttle(rate)


@pytest.mark.parametrize(("rate", "piece"), [(1, 1024), (100_000, 25_000), (1e9, 262_144)])
def test_slow_lines_get_small_pieces(rate: float, piece: int) -> None:
    assert Throttle(rate).piece == piece
