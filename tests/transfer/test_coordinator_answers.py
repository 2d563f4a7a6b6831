"""What single answers mean for a row: one course, calls by hand, a clock by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from akeneo_media_cli.errors import Failure, Kind
from akeneo_media_cli.rows import Status
from akeneo_media_cli.transfer.coordinator import Coordinator, Policy
from akeneo_media_cli.transfer.retry import SETTLE_LEAST
from akeneo_media_cli.transfer.task import (
    LASTING,
    Ended,
    Later,
    Looked,
    Outcome,
    Prepared,
    Refused,
    Request,
    RequestKind,
    Resumed,
    Stored,
    Troubled,
    UploadTask,
)

RESET = Troubled(Failure(Kind.CONNECTION, "reset", ""), maybe_done=True)
CRASH = Troubled(Failure(Kind.SERVER_ERROR, "Internal Server Error", "", 500), maybe_done=True)
DOWN = Troubled(Failure(Kind.UNAVAILABLE, "down", "", 503))


class Table:
    """A coordinator with a few rows, and a clock that goes on when it asks to wait."""

    def __init__(
        self, *tasks: UploadTask, retries: int = 2, concurrency: int = 1, one_by_one: bool = True
    ) -> None:
        batches = iter([list(tasks)])
        policy = Policy(concurrency, retries, one_by_one=one_by_one)
        self.coordinator = Coordinator(policy, lambda: next(batches, None), lambda: 0.5)
        self.now = 0.0
        self._ended: dict[int, tuple[Status, bool]] = {}
        prepare = self.request()
        assert prepare.kind is RequestKind.PREPARE
        self.answer(prepare, Prepared(tasks))

    @property
    def ended(self) -> dict[int, tuple[Status, bool]]:
        """The rows that are finished, those included that wait for others to get through."""
        waiting = [ended for _, ended in self.coordinator._retrying._unproven]
        return self._ended | {e.task.seq: (e.status, e.uncertain) for e in waiting}

    def request(self) -> Request:
        for _ in range(100):
            step = self.coordinator.next(self.now)
            if isinstance(step, Request):
                return step
            assert step is not None, "all is done"
            self.now += step
        raise AssertionError("no call comes")

    def answer(self, request: Request, outcome: Outcome, seconds: float = 0.0) -> None:
        self.now += seconds
        for event in self.coordinator.answered(request, outcome, self.now):
            if isinstance(event, Ended):
                self._ended[event.task.seq] = (event.status, event.uncertain)

    def expect(self, kind: RequestKind, outcome: Outcome) -> Request:
        request = self.request()
        assert request.kind is kind
        self.answer(request, outcome)
        return request

    def over(self) -> bool:
        return self.coordinator.next(self.now) is None


def task(seq: int = 1, name: str = "a.jpg", **more: object) -> UploadTask:
    keys = more.pop("keys", (f"entity:{seq}",))
    return UploadTask(f"row {seq}", seq, 10, keys, name=f"name:{name}", **more)  # type: ignore[arg-type]


def stored(code: str = "c") -> Stored:
    return Stored(code, "digest", 10, 0.01)


def test_a_lost_answer_is_asked_after_and_found() -> None:
    table = Table(task())
    table.expect(RequestKind.SEND, RESET)
    table.expect(RequestKind.CONFIRM, Looked(False))
    assert table.now < 1
    table.expect(RequestKind.CONFIRM, Looked(True, "c"))
    assert table.ended == {1: (Status.UPLOADED, False)}
    assert table.over()


def test_a_lost_answer_is_sent_again_only_once_it_has_settled() -> None:
    table = Table(task())
    table.expect(RequestKind.SEND, RESET)
    asked = 0
    while (request := table.request()).kind is RequestKind.CONFIRM:
        asked += 1
        table.answer(request, Looked(False))
    assert request.kind is RequestKind.SEND
    assert table.now >= SETTLE_LEAST
    assert 3 <= asked <= 8
    # What was sent before may come to light now: the bytes are compared.
    table.answer(request, stored())
    assert table.ended == {1: (Status.UPLOADED, False)}


def test_the_death_of_a_kept_connection_is_no_try_of_the_row_but_once_only() -> None:
    died = replace(RESET, reused=True)
    table = Table(task(), retries=0)
    table.expect(RequestKind.SEND, died)
    while (request := table.request()).kind is RequestKind.CONFIRM:
        table.answer(request, Looked(False))
    assert request.kind is RequestKind.SEND
    table.answer(request, died)
    while not table.ended:
        table.expect(RequestKind.CONFIRM, Looked(False))
    assert table.ended == {1: (Status.PENDING, True)}


def test_a_time_out_on_a_kept_connection_is_a_try_like_any_other() -> None:
    silent = Troubled(Failure(Kind.TIMEOUT, "silent", ""), maybe_done=True, reused=True)
    table = Table(task(), retries=0)
    table.expect(RequestKind.SEND, silent)
    while not table.ended:
        table.expect(RequestKind.CONFIRM, Looked(False))
    assert table.ended == {1: (Status.PENDING, True)}


def test_the_pims_own_500_is_not_waited_for_as_long_as_a_lost_answer() -> None:
    table = Table(task(1), task(2))
    slow = replace(RESET, waited=20.0)
    table.expect(RequestKind.SEND, slow)
    while (request := table.request()).task.seq == 1 and request.kind is RequestKind.CONFIRM:
        table.answer(request, Looked(False))
    assert table.now >= 80
    began = table.now
    table.answer(request, CRASH)
    while (request := table.request()).kind is RequestKind.CONFIRM:
        table.answer(request, Looked(False))
    assert table.now - began < 10


def test_an_upload_of_the_same_name_after_a_lost_one_is_proved_by_its_bytes() -> None:
    table = Table(task(1), task(2), retries=0)
    table.expect(RequestKind.SEND, RESET)
    while (request := table.request()).kind is RequestKind.CONFIRM:
        table.answer(request, Looked(False))
    assert request.task.seq == 2
    table.answer(request, stored())
    table.expect(RequestKind.VERIFY_BYTES, Looked(False, "c"))
    assert table.ended[2] == (Status.FAILED, True)


def test_a_proof_that_fails_is_sent_again_and_one_that_cannot_be_had_is_believed() -> None:
    table = Table(task(1), task(2), retries=2)
    table.expect(RequestKind.SEND, RESET)
    sends: list[int] = []
    while len(table.ended) < 2:
        request = table.request()
        if request.kind is RequestKind.SEND:
            sends.append(request.task.seq)
            table.answer(request, stored())
        elif request.kind is RequestKind.CONFIRM:
            table.answer(request, Looked(False))
        else:
            assert request.kind is RequestKind.VERIFY_BYTES
            table.answer(request, Looked(False) if sends.count(request.task.seq) == 1 else Looked(None))
    assert {status for status, _ in table.ended.values()} == {Status.UPLOADED}
    assert sends.count(2) == 2


def test_what_cannot_be_asked_after_is_left_to_the_next_run() -> None:
    table = Table(task(), retries=1)
    table.expect(RequestKind.SEND, RESET)
    table.expect(RequestKind.CONFIRM, DOWN)
    table.expect(RequestKind.CONFIRM, DOWN)
    assert table.ended == {1: (Status.PENDING, True)}


def test_one_who_may_not_read_waits_until_it_has_settled_and_sends_again() -> None:
    table = Table(task())
    table.expect(RequestKind.SEND, RESET)
    table.expect(RequestKind.CONFIRM, Refused(Failure(Kind.FORBIDDEN, "no", "")))
    table.expect(RequestKind.CONFIRM, Refused(Failure(Kind.FORBIDDEN, "no", "")))
    assert table.now >= SETTLE_LEAST
    table.expect(RequestKind.SEND, stored())
    assert table.ended == {1: (Status.UPLOADED, False)}


@pytest.mark.parametrize("answer", [Refused(Failure(Kind.FORBIDDEN, "may not read", "")), Looked(None, "c")])
def test_a_row_whose_value_cannot_be_asked_is_sent_at_most_once_more(answer: Outcome) -> None:
    table = Table(task(), retries=9)
    sent = 0
    while not table.ended:
        request = table.request()
        sent += request.kind is RequestKind.SEND
        table.answer(request, RESET if request.kind is RequestKind.SEND else answer)
    assert sent == 2
    # Uncertain: the next run looks, and may be allowed to.
    assert table.ended == {1: (Status.PENDING, True)}
    assert request.task.tries.last is not None
    assert "is unknown" in request.task.tries.last.message
    left = Table(task(state=Resumed()), retries=9)
    left.expect(RequestKind.CONFIRM, answer)
    left.expect(RequestKind.SEND, RESET)
    while not left.ended:
        left.answer(left.request(), answer)
    assert left.ended == {1: (Status.PENDING, True)}, "the run that died has sent it once"


def test_a_row_left_in_flight_by_a_run_that_died_is_asked_after_first() -> None:
    table = Table(task(state=Resumed()))
    table.expect(RequestKind.CONFIRM, Looked(True, "c"))
    assert table.ended == {1: (Status.UPLOADED, False)}
    cut = Table(task(state=Resumed()))
    # What that run was doing is over when it is asked: one look is enough.
    cut.expect(RequestKind.CONFIRM, Looked(False))
    cut.expect(RequestKind.SEND, stored())
    assert cut.now < SETTLE_LEAST
    assert cut.ended == {1: (Status.UPLOADED, False)}


def test_what_a_run_that_died_may_be_at_work_on_is_left_alone_and_only_that() -> None:
    table = Table(task(1), task(2, "b.jpg"))
    table.coordinator.hold(("entity:1", "name:of another manifest"), 5.0)
    assert table.expect(RequestKind.SEND, stored()).task.seq == 2
    assert table.now == 0
    assert table.expect(RequestKind.SEND, stored()).task.seq == 1
    assert table.now == 5.0
    idle = Table(task(1))
    idle.coordinator.hold(("entity:2",), 5.0)
    idle.expect(RequestKind.SEND, stored())
    assert idle.over(), "nobody waits for what no row needs"


def test_a_batch_that_comes_later_takes_no_place_meanwhile() -> None:
    batches = iter([["a"], Later(5.0), ["b"], None])
    coordinator = Coordinator(Policy(2), lambda: next(batches), lambda: 0.5)
    first = coordinator.next(0.0)
    assert isinstance(first, Request)
    coordinator.answered(first, Prepared([]), 0.0)
    assert coordinator.next(0.0) == 5.0
    assert coordinator.next(3.0) == 2.0
    second = coordinator.next(5.0)
    assert isinstance(second, Request)
    assert second.batch == ["b"]
    coordinator.answered(second, Prepared([]), 5.0)
    assert coordinator.next(5.0) is None


def test_the_settling_grows_with_the_slowest_save() -> None:
    table = Table(task(1), task(2, "b.jpg"))
    table.expect(RequestKind.SEND, Stored("c", None, 10, 3.0))
    table.expect(RequestKind.SEND, RESET)
    began = table.now
    while (request := table.request()).kind is RequestKind.CONFIRM:
        table.answer(request, Looked(False))
    assert table.now - began >= 12


def test_a_batch_without_an_answer_is_given_the_time_of_all_its_lines() -> None:
    several = [
        task(n, f"{n}.jpg", keys=(), attaches=True, group="g", attach_keys=(f"entity:{n}",))
        for n in range(1, 51)
    ]
    table = Table(*several)
    for n in range(1, 51):
        table.expect(RequestKind.SEND, Stored(f"c{n}", None, 10, 0.5))
    request = table.expect(RequestKind.ATTACH, RESET)
    assert len(request.tasks) == 50
    began = table.now
    assert table.request().kind is RequestKind.ATTACH
    assert table.now - began >= 25


def test_a_deadlock_is_tried_again_with_its_tree_alone() -> None:
    tree = [task(n, f"{n}.jpg", tree="tree:t") for n in (1, 2, 3)]
    table = Table(*tree, concurrency=2)
    first, second = table.request(), table.request()
    table.answer(first, CRASH)
    third = table.request()
    assert third.task.seq == 3, "others of the tree go on until it is tried again"
    table.answer(second, stored())
    while (request := table.request()).kind is RequestKind.CONFIRM:
        table.answer(request, Looked(False))
        if table.now >= SETTLE_LEAST:
            # It waits for the tree now, and nobody else gets into it.
            table.now += 10
            step = table.coordinator.next(table.now)
            assert not isinstance(step, Request)
            table.answer(third, stored())
    assert (request.task.seq, request.task.alone) == (1, True)
    assert "tree:t" in request.task.exclusive
    table.answer(request, stored())
    assert set(table.ended) == {1, 2, 3}


def test_a_stop_lets_what_may_be_at_work_settle_and_sends_nothing_more() -> None:
    table = Table(task(1), task(2, "b.jpg"))
    request = table.request()
    table.coordinator.stop()
    table.answer(request, RESET)
    while not table.ended:
        table.expect(RequestKind.CONFIRM, Looked(False))
    assert table.ended == {1: (Status.PENDING, False)}
    assert table.over()
    assert [e.task.seq for e in table.coordinator.leftovers()] == []


@pytest.mark.parametrize(
    "trouble", [DOWN, Troubled(DOWN.failure, throttled=True), Troubled(DOWN.failure, outage=True)]
)
def test_a_look_up_that_gets_further_at_each_try_is_not_given_up(trouble: Troubled) -> None:
    batches = iter([[task()]])
    coordinator = Coordinator(Policy(1, 2), lambda: next(batches, None), lambda: 0.5)
    now = 0.0
    for n in range(40):
        while not isinstance(step := coordinator.next(now), Request):
            assert step is not None, f"given up at try {n}"
            now += step
        step.answers[f"/products/{n}"] = n
        coordinator.answered(step, trouble, now)
    assert not coordinator.aborted
    for _ in range(3):
        while isinstance(step := coordinator.next(now), float):
            now += step
        if step is not None:
            coordinator.answered(step, trouble, now)
    assert coordinator.aborted, "it got no further"


def test_a_look_up_does_not_go_on_with_answers_of_long_ago() -> None:
    request = Request(RequestKind.PREPARE)
    request.answers["/products/1"] = 1
    assert request.got_further(10.0)
    assert not request.got_further(10.0 + LASTING)
    assert request.answers
    assert not request.got_further(10.1 + LASTING)
    assert not request.answers
    request.answers["/products/1"] = 1
    assert request.got_further(11.0 + LASTING)


@pytest.mark.parametrize("kind", [RequestKind.PREPARE, RequestKind.SEND, RequestKind.ATTACH])
def test_an_outcome_that_no_such_call_has_is_a_defect(kind: RequestKind) -> None:
    table = Table(task())
    request = table.request()
    request.kind = kind
    with pytest.raises(TypeError):
        table.answer(request, Looked(True))
