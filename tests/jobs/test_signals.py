"""Signals to this very process, with handlers that are put back."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from akeneo_media_cli.exits import Exit
from akeneo_media_cli.jobs.signals import Interrupted, Signals


def send(number: int) -> None:
    os.kill(os.getpid(), number)


@pytest.mark.parametrize(
    ("number", "status"),
    [
        (signal.SIGINT, Exit.INTERRUPTED),
        (signal.SIGTERM, Exit.TERMINATED),
        (signal.SIGHUP, Exit.TERMINATED),
    ],
)
def test_before_any_call_a_signal_ends_it_at_once(number: int, status: Exit) -> None:
    before = signal.getsignal(number)
    signals = Signals()
    assert signals.status is Exit.OK
    with pytest.raises(Interrupted), signals.caught():
        send(number)
    assert signals.status is status
    assert signal.getsignal(number) is before


def test_while_calls_are_made_each_is_handed_on_and_the_first_names_the_status() -> None:
    signals = Signals()
    heard: list[int] = []
    with signals.caught():
        signals.heard_by = lambda: heard.append(1)
        send(signal.SIGTERM)
        send(signal.SIGINT)
    assert heard == [1, 1]
    assert signals.status is Exit.TERMINATED


def test_while_reports_are_written_only_the_second_leaves() -> None:
    signals = Signals()
    with signals.caught():
        signals.ending = True
        send(signal.SIGTERM)
        with pytest.raises(SystemExit) as leaving:
            send(signal.SIGTERM)
    assert leaving.value.code == 143


def test_a_terminal_may_go_away_under_nohup() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with Signals().caught():
            send(signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)


def test_another_thread_catches_nothing() -> None:
    before = signal.getsignal(signal.SIGTERM)
    seen: list[object] = []

    def work() -> None:
        with Signals().caught():
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [before]
