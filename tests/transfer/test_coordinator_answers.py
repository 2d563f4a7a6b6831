"""What single answers mean for a row: one course, calls by hand, a clock by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from akeneo_media_cli.errors import Failure, Kind
from akeneo_media_cli.rows import Status
from akeneo_media_cli.transfer.coordinator import Coordinator, Policy
from akeneo_media_cli.transfer.retry import SETTLE_LEAST
from akeneo_media_cli.transfer.task import (
    Call,
    Course,
    Errand,
    Looked,
    Outcome,
    Phase,
    Prepared,
    Refused,
    Stored,
    Troubled,
)

RESET = Troubled(Failure(Kind.CONNECTION, "reset", ""), maybe_done=True)
CRASH = Troubled(Failure(Kind.SERVER_ERROR, "Internal Server Error", "", 500), maybe_done=True)
DOWN = Troubled(Failure(Kind.UNAVAILABLE, "down", "", 503))


class Table:
    """A coordinator with a few rows, and a clock that goes on when it asks to wait."""

    def __init__(self, *courses: Course, retries: int = 2, concurrency: int = 1) -> None:
        batches = iter([list(courses)])
        self.coordinator = Coordinator(Policy(concurrency, retries), lambda: next(batches, None), lambda: 0.5)
        self.now = 0.0
        self.ended: dict[int, tuple[Status, bool]] = {}
        prepare = self.call()
        assert prepare.errand is Errand.PREPARE
        self.answer(prepare, Prepared(courses))

    def call(self) -> Call:
        for _ in range(100):
            step = self.coordinator.next(self.now)
            if isinstance(step, Call):
                return step
            assert step is not None, "all is done"
            self.now += step
        raise AssertionError("no call comes")

    def answer(self, call: Call, outcome: Outcome, seconds: float = 0.0) -> None:
        self.now += seconds
        for ended in self.coordinator.answered(call, outcome, self.now):
            self.ended[ended.course.seq] = (ended.status, ended.uncertain)

    def expect(self, errand: Errand, outcome: Outcome) -> Call:
        call = self.call()
        assert call.errand is errand
        self.answer(call, outcome)
        return call

    def over(self) -> bool:
        return self.coordinator.next(self.now) is None


def course(seq: int = 1, name: str = "a.jpg", **more: object) -> Course:
    return Course(f"row {seq}", seq, 10, (f"entity:{seq}", f"name:{name}"), **more)  # type: ignore[arg-type]


def stored(code: str = "c") -> Stored:
    return Stored(code, "digest", 10, 0.01)


def test_a_lost_answer_is_asked_after_and_found() -> None:
    table = Table(course())
    table.expect(Errand.SEND, RESET)
    table.expect(Errand.ASK, Looked(False))
    assert table.now < 1
    table.expect(Errand.ASK, Looked(True, "c"))
    assert table.ended == {1: (Status.UPLOADED, False)}
    assert table.over()


def test_a_lost_answer_is_sent_again_only_once_it_has_settled() -> None:
    table = Table(course())
    table.expect(Errand.SEND, RESET)
    asked = 0
    while (call := table.call()).errand is Errand.ASK:
        asked += 1
        table.answer(call, Looked(False))
    assert call.errand is Errand.SEND
    assert table.now >= SETTLE_LEAST
    assert 3 <= asked <= 8
    # What was sent before may come to light now: the bytes are compared.
    table.answer(call, stored())
    assert table.ended == {1: (Status.UPLOADED, False)}


def test_the_death_of_a_kept_connection_is_no_try_of_the_row_but_once_only() -> None:
    died = replace(RESET, reused=True)
    table = Table(course(), retries=0)
    table.expect(Errand.SEND, died)
    while (call := table.call()).errand is Errand.ASK:
        table.answer(call, Looked(False))
    assert call.errand is Errand.SEND
    table.answer(call, died)
    while not table.ended:
        table.expect(Errand.ASK, Looked(False))
    assert table.ended == {1: (Status.PENDING, True)}


def test_a_time_out_on_a_kept_connection_is_a_try_like_any_other() -> None:
    silent = Troubled(Failure(Kind.TIMEOUT, "silent", ""), maybe_done=True, reused=True)
    table = Table(course(), retries=0)
    table.expect(Errand.SEND, silent)
    while not table.ended:
        table.expect(Errand.ASK, Looked(False))
    assert table.ended == {1: (Status.PENDING, True)}


def test_the_pims_own_500_is_not_waited_for_as_long_as_a_lost_answer() -> None:
    table = Table(course(1), course(2))
    slow = replace(RESET, waited=20.0)
    table.expect(Errand.SEND, slow)
    while (call := table.call()).course.seq == 1 and call.errand is Errand.ASK:
        table.answer(call, Looked(False))
    assert table.now >= 80
    began = table.now
    table.answer(call, CRASH)
    while (call := table.call()).errand is Errand.ASK:
        table.answer(call, Looked(False))
    assert table.now - began < 10


def test_an_upload_of_the_same_name_after_a_lost_one_is_proved_by_its_bytes() -> None:
    table = Table(course(1), course(2), retries=0)
    table.expect(Errand.SEND, RESET)
    while (call := table.call()).errand is Errand.ASK:
        table.answer(call, Looked(False))
    assert call.course.seq == 2
    table.answer(call, stored())
    table.expect(Errand.PROVE, Looked(False, "c"))
    assert table.ended[2] == (Status.FAILED, True)


def test_a_proof_that_fails_is_sent_again_and_one_that_cannot_be_had_is_believed() -> None:
    table = Table(course(1), course(2), retries=2)
    table.expect(Errand.SEND, CRASH)
    sends: list[int] = []
    while len(table.ended) < 2:
        call = table.call()
        if call.errand is Errand.SEND:
            sends.append(call.course.seq)
            table.answer(call, stored())
        elif call.errand is Errand.ASK:
            table.answer(call, Looked(False))
        else:
            assert call.errand is Errand.PROVE
            table.answer(call, Looked(False) if sends.count(call.course.seq) == 1 else Looked(None))
    assert {status for status, _ in table.ended.values()} == {Status.UPLOADED}
    assert sends.count(2) == 2


def test_what_cannot_be_asked_after_is_left_to_the_next_run() -> None:
    table = Table(course(), retries=1)
    table.expect(Errand.SEND, RESET)
    table.expect(Errand.ASK, DOWN)
    table.expect(Errand.ASK, DOWN)
    assert table.ended == {1: (Status.PENDING, True)}


def test_one_who_may_not_read_waits_until_it_has_settled_and_sends_again() -> None:
    table = Table(course())
    table.expect(Errand.SEND, RESET)
    table.expect(Errand.ASK, Refused(Failure(Kind.FORBIDDEN, "no", "")))
    table.expect(Errand.ASK, Refused(Failure(Kind.FORBIDDEN, "no", "")))
    assert table.now >= SETTLE_LEAST
    table.expect(Errand.SEND, stored())
    assert table.ended == {1: (Status.UPLOADED, False)}


def test_a_row_left_in_flight_by_a_run_that_died_is_asked_after_first() -> None:
    table = Table(course(phase=Phase.ASK))
    table.expect(Errand.ASK, Looked(True, "c"))
    assert table.ended == {1: (Status.UPLOADED, False)}
    cut = Table(course(phase=Phase.ASK))
    while (call := cut.call()).errand is Errand.ASK:
        cut.answer(call, Looked(False))
    assert cut.now >= SETTLE_LEAST, "the call of the run that died may be at work"
    assert call.errand is Errand.SEND
    cut.answer(call, stored())
    assert cut.ended == {1: (Status.UPLOADED, False)}


def test_the_settling_grows_with_the_slowest_save() -> None:
    table = Table(course(1), course(2, "b.jpg"))
    table.expect(Errand.SEND, Stored("c", None, 10, 3.0))
    table.expect(Errand.SEND, RESET)
    began = table.now
    while (call := table.call()).errand is Errand.ASK:
        table.answer(call, Looked(False))
    assert table.now - began >= 12


def test_a_deadlock_is_tried_again_with_its_tree_alone() -> None:
    tree = [course(n, f"{n}.jpg", tree="tree:t") for n in (1, 2, 3)]
    table = Table(*tree, concurrency=2)
    first, second = table.call(), table.call()
    table.answer(first, CRASH)
    third = table.call()
    assert third.course.seq == 3, "others of the tree go on until it is tried again"
    table.answer(second, stored())
    while (call := table.call()).errand is Errand.ASK:
        table.answer(call, Looked(False))
        if table.now >= SETTLE_LEAST:
            # It waits for the tree now, and nobody else gets into it.
            table.now += 10
            step = table.coordinator.next(table.now)
            assert not isinstance(step, Call)
            table.answer(third, stored())
    assert (call.course.seq, call.course.alone) == (1, True)
    assert "tree:t" in call.course.exclusive
    table.answer(call, stored())
    assert set(table.ended) == {1, 2, 3}


def test_a_stop_lets_what_may_be_at_work_settle_and_sends_nothing_more() -> None:
    table = Table(course(1), course(2, "b.jpg"))
    call = table.call()
    table.coordinator.stop()
    table.answer(call, RESET)
    while not table.ended:
        table.expect(Errand.ASK, Looked(False))
    assert table.ended == {1: (Status.PENDING, False)}
    assert table.over()
    assert [e.course.seq for e in table.coordinator.leftovers()] == []


@pytest.mark.parametrize("errand", [Errand.PREPARE, Errand.SEND, Errand.ATTACH])
def test_an_outcome_that_no_such_call_has_is_a_defect(errand: Errand) -> None:
    table = Table(course())
    call = table.call()
    call.errand = errand
    with pytest.raises(TypeError):
        table.answer(call, Looked(True))
