"""Real threads around the coordinator's decisions; the courier is a script."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from akeneo_media_cli.errors import AccessError, Failure, Kind, LedgerError
from akeneo_media_cli.progress import Silent
from akeneo_media_cli.rows import Status
from akeneo_media_cli.transfer import engine as module
from akeneo_media_cli.transfer.coordinator import Coordinator, Policy
from akeneo_media_cli.transfer.engine import Engine
from akeneo_media_cli.transfer.task import (
    Ended,
    Fatal,
    Outcome,
    Prepared,
    Request,
    RequestKind,
    Stored,
    Troubled,
    UploadTask,
)

DOWN = Troubled(Failure(Kind.UNAVAILABLE, "Service Unavailable", "", 503))


class Clock:
    """Monotonic seconds that are put on by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Script:
    """A courier: `send` says what sending a row comes to."""

    def __init__(self, send: Callable[[Request], Outcome]) -> None:
        self._send = send
        self._lock = threading.Lock()
        self.ended_rows: dict[int, Status] = {}
        self.threads: set[str] = set()

    def perform(self, request: Request, meanwhile: Callable[[], None]) -> Outcome:
        if request.kind is RequestKind.PREPARE:
            return Prepared(request.batch)
        self.threads.add(threading.current_thread().name)
        return self._send(request)

    def ended(self, ended: Ended) -> None:
        with self._lock:
            assert ended.task.seq not in self.ended_rows
            self.ended_rows[ended.task.seq] = ended.status


class Heard(Silent):
    """A display that keeps what it hears."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.waits: list[tuple[str, float]] = []
        self.limits: list[int] = []
        self.retries: list[tuple[int, float]] = []

    def note(self, message: str, *, hint: str = "", level: str = "warning") -> None:
        self.notes.append(message)

    def waiting(self, reason: str, seconds: float) -> None:
        self.waits.append((reason, seconds))

    def limit(self, requests: int) -> None:
        self.limits.append(requests)

    def row_retried(self, row: int, *, failure: Failure, delay: float) -> None:
        self.retries.append((row, delay))

    def row_finished(self, row: int, item: Mapping[str, Any]) -> None:
        raise AssertionError("the courier tells of that")


def tasks(count: int) -> Callable[[], list[UploadTask] | None]:
    batches: Iterator[list[UploadTask]] = iter(
        [[UploadTask(f"row {n}", n, 10, (f"entity:{n}", f"name:{n}")) for n in range(1, count + 1)]]
    )
    return lambda: next(batches, None)


def stored(request: Request) -> Outcome:
    return Stored(f"code-{request.task.seq}", None, 10, 0.01)


def run(
    send: Callable[[Request], Outcome],
    count: int = 20,
    *,
    policy: Policy | None = None,
    clock: Callable[[], float] = time.monotonic,
    **more: Any,
) -> tuple[Script, Heard, Coordinator]:
    coordinator = Coordinator(policy or Policy(4, 2), tasks(count), lambda: 0.0)
    script, heard = Script(send), Heard()
    Engine(coordinator, script, heard, clock=clock, **more).run()
    return script, heard, coordinator


def test_all_rows_get_their_word_from_as_many_threads_as_calls_may_be_in_flight() -> None:
    together = threading.Barrier(4)

    def send(request: Request) -> Outcome:
        if request.task.seq <= 4:
            together.wait(10)
        return stored(request)

    script, _, _ = run(send)
    assert script.ended_rows == dict.fromkeys(range(1, 21), Status.UPLOADED)
    assert script.threads == {f"worker-{n}" for n in range(1, 5)}


def test_a_result_is_recorded_while_the_next_request_is_at_work() -> None:
    recorded_at: dict[int, set[int]] = {}

    class Recording(Script):
        def perform(self, request: Request, meanwhile: Callable[[], None]) -> Outcome:
            before = set(self.ended_rows)
            meanwhile()
            if request.kind is RequestKind.SEND:
                recorded_at[request.task.seq] = set(self.ended_rows) - before
            return super().perform(request, meanwhile)

    coordinator = Coordinator(Policy(1), tasks(3), lambda: 0.0)
    script = Recording(stored)
    Engine(coordinator, script, Heard(), clock=time.monotonic).run()
    assert recorded_at == {1: set(), 2: {1}, 3: {2}}
    assert set(script.ended_rows) == {1, 2, 3}


def test_a_result_is_recorded_soon_though_the_next_request_takes_long() -> None:
    recorded = threading.Event()

    class Recording(Script):
        def ended(self, ended: Ended) -> None:
            super().ended(ended)
            recorded.set()

    def send(request: Request) -> Outcome:
        # It does not call `meanwhile`, and does not end before the first result is recorded.
        assert request.task.seq == 1 or recorded.wait(10)
        return stored(request)

    script = Recording(send)
    Engine(Coordinator(Policy(1), tasks(2), lambda: 0.0), script, Heard(), clock=time.monotonic).run()
    assert set(script.ended_rows) == {1, 2}


def test_what_cannot_be_recorded_ends_the_run_once_the_requests_in_flight_have_ended() -> None:
    tried, finished = threading.Event(), threading.Event()

    class Full(Script):
        def ended(self, ended: Ended) -> None:
            tried.set()
            raise LedgerError("the disk is full", "make room")

    def send(request: Request) -> Outcome:
        if request.task.seq > 1:
            assert tried.wait(10)
            finished.set()
        return stored(request)

    coordinator = Coordinator(Policy(1), tasks(50), lambda: 0.0)
    with pytest.raises(LedgerError):
        Engine(coordinator, Full(send), Heard(), clock=time.monotonic).run()
    assert finished.is_set()
    assert coordinator.aborted


def test_a_try_that_met_trouble_is_told_of_and_made_again() -> None:
    seen: set[int] = set()

    def send(request: Request) -> Outcome:
        if request.task.seq == 3 and 3 not in seen:
            seen.add(3)
            return DOWN
        return stored(request)

    script, heard, coordinator = run(send)
    assert script.ended_rows[3] is Status.UPLOADED
    assert heard.retries == [(3, 0.0)]
    assert coordinator.retries == 1


def test_what_a_worker_dies_of_is_raised_after_the_others_have_finished() -> None:
    begun = threading.Event()
    broken = threading.Event()

    def send(request: Request) -> Outcome:
        if request.task.seq == 2:
            begun.wait(10)
            broken.set()
            raise ZeroDivisionError
        begun.set()
        broken.wait(10)
        return stored(request)

    coordinator = Coordinator(Policy(2), tasks(50), lambda: 0.0)
    script = Script(send)
    with pytest.raises(ZeroDivisionError):
        Engine(coordinator, script, Heard(), clock=time.monotonic).run()
    assert script.ended_rows[1] is Status.UPLOADED
    assert len(script.ended_rows) < 5


def test_what_is_fatal_ends_the_run() -> None:
    script, _, coordinator = run(lambda request: Fatal(AccessError("the PIM refused the login")))
    assert isinstance(coordinator.fatal, AccessError)
    assert set(script.ended_rows.values()) == {Status.PENDING}
    assert len(script.ended_rows) <= 4


def test_the_first_interrupt_starts_no_more_rows_and_finishes_those_in_flight() -> None:
    coordinator = Coordinator(Policy(2), tasks(50), lambda: 0.0)
    stopped = threading.Event()

    def send(request: Request) -> Outcome:
        if request.task.seq == 1:
            engine.interrupt()
        stopped.wait(10)
        return stored(request)

    class Stopping(Heard):
        def note(self, message: str, *, hint: str = "", level: str = "warning") -> None:
            super().note(message)
            stopped.set()

    heard = Stopping()
    script = Script(send)
    engine = Engine(coordinator, script, heard, clock=time.monotonic)
    engine.run()
    assert set(script.ended_rows.values()) == {Status.UPLOADED}
    assert 1 <= len(script.ended_rows) <= 2
    assert "Ctrl-C again" in heard.notes[0]


def test_the_second_interrupt_waits_for_nothing() -> None:
    coordinator = Coordinator(Policy(1), tasks(5), lambda: 0.0)
    never = threading.Event()

    def send(request: Request) -> Outcome:
        engine.interrupt()
        engine.interrupt()
        never.wait(30)
        return stored(request)

    script = Script(send)
    engine = Engine(coordinator, script, Heard(), clock=time.monotonic)
    began = time.monotonic()
    engine.run()
    assert time.monotonic() - began < 10
    assert not script.ended_rows
    never.set()


def test_calls_that_never_end_are_left_after_a_while() -> None:
    coordinator = Coordinator(Policy(1), tasks(5), lambda: 0.0)
    clock = Clock()
    never = threading.Event()

    class Advancing(Heard):
        def note(self, message: str, *, hint: str = "", level: str = "warning") -> None:
            clock.now += module.FINISHING + 1

    def send(request: Request) -> Outcome:
        engine.interrupt()
        never.wait(30)
        return stored(request)

    engine = Engine(coordinator, Script(send), Advancing(), clock=clock)
    engine.run()
    never.set()


@pytest.mark.parametrize("signalled", [True, False])
def test_looks_that_never_end_are_left_soon(signalled: bool) -> None:
    coordinator = Coordinator(Policy(2), tasks(5), lambda: 0.0)
    clock = Clock()
    never = threading.Event()

    class Advancing(Heard):
        def note(self, message: str, *, hint: str = "", level: str = "warning") -> None:
            clock.now += module.LOOKING + 1

    class Staring(Script):
        def perform(self, request: Request, meanwhile: Callable[[], None]) -> Outcome:
            if signalled:
                engine.interrupt()
            else:
                clock.now = 61.0
            never.wait(30)
            return Prepared(request.batch)

    script = Staring(stored)
    engine = Engine(coordinator, script, Advancing(), clock=clock, max_duration=60)
    engine.run()
    assert not never.is_set()
    assert not script.ended_rows
    never.set()


def test_a_row_in_flight_is_waited_for_longer_than_looks_are() -> None:
    told = False
    considered = 0
    waited = threading.Event()

    class Advancing(Heard):
        def note(self, message: str, *, hint: str = "", level: str = "warning") -> None:
            nonlocal told
            told = True

    def clock() -> float:
        nonlocal considered
        considered += told
        if considered > 5:
            waited.set()
        return module.LOOKING + 1 if told else 0.0

    def send(request: Request) -> Outcome:
        engine.interrupt()
        assert waited.wait(30)
        return stored(request)

    script = Script(send)
    engine = Engine(Coordinator(Policy(1), tasks(5), lambda: 0.0), script, Advancing(), clock=clock)
    engine.run()
    assert script.ended_rows == {1: Status.UPLOADED}


def test_the_time_budget_starts_no_more_rows() -> None:
    clock = Clock()
    told = threading.Event()

    class Telling(Heard):
        def note(self, message: str, *, hint: str = "", level: str = "warning") -> None:
            super().note(message)
            told.set()

    def send(request: Request) -> Outcome:
        clock.now = 61.0
        told.wait(10)
        return stored(request)

    heard, script = Telling(), Script(send)
    engine = Engine(
        Coordinator(Policy(1), tasks(9), lambda: 0.0), script, heard, clock=clock, max_duration=60.0
    )
    engine.run()
    assert script.ended_rows == {1: Status.UPLOADED}
    assert "--max-duration" in heard.notes[0]


def test_no_row_is_begun_when_the_time_is_over_before() -> None:
    def never(request: Request) -> Outcome:
        raise AssertionError("the time is over")

    script, heard, coordinator = run(never, clock=Clock(), max_duration=0.0)
    assert not script.ended_rows
    assert coordinator.stopping
    assert "--max-duration" in heard.notes[0]


def test_waiting_and_narrowing_are_shown_and_their_end_too() -> None:
    refused: set[int] = set()

    def send(request: Request) -> Outcome:
        if request.task.seq == 1 and not refused:
            refused.add(1)
            return Troubled(Failure(Kind.THROTTLED, "Too Many", "", 429), throttled=True, retry_after=0.7)
        return stored(request)

    script, heard, _ = run(send)
    assert len(script.ended_rows) == 20
    reasons = [reason for reason, _ in heard.waits]
    assert "Rate limited" in reasons
    assert heard.waits[-1] == ("", 0.0)
    assert heard.limits[0] < 4


def test_a_name_that_starves_the_workers_is_told_once() -> None:
    crowd = [UploadTask(n, n, 10, (f"entity:{n}", "name:front.jpg")) for n in range(1, 300)]
    batches = iter([crowd])
    coordinator = Coordinator(Policy(4), lambda: next(batches, None), lambda: 0.0)
    looked = threading.Event()

    class Telling(Heard):
        def note(self, message: str, *, hint: str = "", level: str = "warning") -> None:
            super().note(message + hint)
            looked.set()

    def send(request: Request) -> Outcome:
        if request.task.seq == 150:
            looked.wait(10)
        # The others come and find nothing to do before this call ends.
        idle = coordinator._queues.idle_for_names
        while coordinator._queues.idle_for_names == idle and request.task.seq < 150:
            os.sched_yield()
        return stored(request)

    heard = Telling()
    Engine(coordinator, Script(send), heard, clock=time.monotonic).run()
    (note,) = heard.notes
    assert "front.jpg" in note
    assert "--rename" in note
