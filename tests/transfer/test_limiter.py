"""How many calls may be in flight, when none may, and for how long."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from akeneo_media_cli.transfer.limiter import FIRST_WIDENING, IN_VAIN, AdaptiveLimiter
from akeneo_media_cli.transfer.retry import BASE, CAP, LONGEST_RETRY_AFTER, PROBE_CAP, pause, probe_pause


def limiter(most: int = 4, patience: int = 3) -> AdaptiveLimiter:
    return AdaptiveLimiter(most, patience, lambda: 0.5)


def fail(
    g: AdaptiveLimiter, times: int, *, now: float = 0.0, wrote: bool = True, suspect: bool = False
) -> None:
    for n in range(times):
        probe = g.start()
        g.finish()
        g.troubled(f"row {n}", now, wrote=wrote, probe=probe, suspect=suspect)


def calm(g: AdaptiveLimiter, times: int, *, wrote: bool = True) -> None:
    for _ in range(times):
        g.start()
        g.finish()
        g.succeeded(wrote=wrote)


def test_no_more_than_asked_for() -> None:
    g = limiter(2)
    assert g.opening(0.0) == 0
    g.start()
    g.start()
    assert g.opening(0.0) == math.inf
    g.finish()
    assert g.opening(0.0) == 0


def test_a_refusal_narrows_it_to_fewer_than_were_in_flight_and_calm_widens_it_slowly() -> None:
    g = limiter(4)
    g.refused(3)
    assert g.limit == 2
    calm(g, FIRST_WIDENING - 1)
    assert g.limit == 2
    calm(g, 1)
    assert g.limit == 3
    calm(g, FIRST_WIDENING)
    assert g.limit == 4
    calm(g, 100)
    assert g.limit == 4
    assert g.throttled == 1


def test_a_limit_that_is_met_again_and_again_is_tried_ever_more_rarely() -> None:
    g = limiter(4)
    waits = []
    g.refused(3)
    for _ in range(6):
        count = 0
        while g.limit < 3:
            calm(g, 1)
            count += 1
        waits.append(count)
        g.refused(3)
    assert waits == sorted(waits)
    assert waits[-1] >= 8 * waits[0]


def test_one_call_is_always_allowed() -> None:
    g = limiter(1)
    g.refused(1)
    assert g.limit == 1
    assert g.opening(0.0) == 0


def test_a_time_that_the_pim_names_is_everybodys_but_not_for_ever() -> None:
    g = limiter()
    g.wait_until(10.0, 30.0)
    g.wait_until(11.0, 5.0)
    assert g.opening(12.0) == 28.0
    assert g.opening(40.0) == 0.0
    g.wait_until(40.0, 1e9)
    assert g.opening(40.0) == LONGEST_RETRY_AFTER


def test_trouble_across_rows_closes_it_and_lets_one_probe_at_a_time_look() -> None:
    g = limiter(3)
    fail(g, g.closes_at - 1)
    assert not g.closed
    fail(g, 1)
    assert g.closed
    assert g.not_before > 0
    now = g.not_before
    assert g.start()
    assert g.opening(now) == math.inf
    g.finish()
    g.succeeded(wrote=True)
    assert not g.closed
    assert not g.start()


@pytest.mark.parametrize("patience", [0, 3])
def test_after_the_last_probe_it_is_given_up_with_pauses_between(patience: int) -> None:
    g = limiter(2, patience)
    fail(g, g.closes_at)
    pauses = [g.not_before]
    while not g.given_up:
        now = g.not_before
        fail(g, 1, now=now)
        pauses.append(g.not_before - now)
    assert len(pauses) == patience + 1
    assert pauses == sorted(pauses)


def test_one_row_alone_proves_nothing() -> None:
    g = limiter()
    for _ in range(50):
        g.start()
        g.finish()
        g.troubled("the same", 0.0, wrote=True, probe=False, suspect=False)
    assert not g.closed


def test_rows_in_trouble_of_their_own_do_not_close_it() -> None:
    g = limiter()
    fail(g, 50, suspect=True)
    assert not g.closed


def test_reads_that_answer_do_not_hide_that_writes_fail() -> None:
    g = limiter(2)
    for n in range(g.closes_at):
        g.start()
        g.finish()
        g.troubled(f"row {n}", 0.0, wrote=True, probe=False, suspect=False)
        assert g.closed == (n == g.closes_at - 1)
        if not g.closed:
            calm(g, 1, wrote=False)
    # A read as probe opens it for one write; that failing closes it again.
    calm(g, 1, wrote=False)
    assert not g.closed
    fail(g, 1)
    assert g.closed
    calm(g, 1)
    fail(g, 1)
    assert not g.closed


@given(failures=st.integers(0, 10**6), chance=st.floats(0, 1, exclude_max=True))
def test_pauses_grow_to_a_cap_and_are_spread_over_all_of_it(failures: int, chance: float) -> None:
    longest = min(CAP, BASE * 2.0 ** min(failures, 16))
    assert pause(failures, lambda: chance) == chance * longest
    assert 0 < probe_pause(failures, lambda: chance) <= PROBE_CAP
    assert probe_pause(failures, lambda: 0.0) >= probe_pause(failures, lambda: 0.999999) / 2 * 0.99


def test_no_pace_is_kept_where_every_second_request_is_refused_all_the_same() -> None:
    """One of two upstreams is down: to go slower helps nobody."""
    g = limiter(1)
    now, refused, paces = 0.0, 0, []
    for n in range(60):
        now += max(0.02, g.opening(now))
        g.start(now)
        g.finish()
        if n % 2:
            g.succeeded(wrote=True, now=now)
        else:
            refused += 1
            g.refused(1, now)
        paces.append(g.pace)
    assert max(paces) > 0
    assert paces[-30:] == [0.0] * 30
    assert refused > IN_VAIN
    # What refuses after that is a limit again, once many got through in a row.
    calm(g, FIRST_WIDENING)
    for _ in range(2):
        g.refused(1)
    assert g.pace > 0
