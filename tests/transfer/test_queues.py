"""Rows that wait for a turn, a time, an answer or company."""

from __future__ import annotations

import math

from akeneo_media_cli.transfer.queues import ATTACH_BATCH, ATTACH_WAIT, TaskQueues
from akeneo_media_cli.transfer.task import (
    Attaching,
    Confirming,
    Known,
    Request,
    RequestKind,
    Sending,
    Settling,
    UploadTask,
)

ATTACHING = Attaching(Known("c", None))


def task(seq: int, *, entity: str | None = None, tree: str | None = None, **more: object) -> UploadTask:
    key = f"entity:{entity or seq}"
    return UploadTask(seq, seq, 10, (key, f"name:{seq}"), tree, attach_keys=(key,), group="g", **more)  # type: ignore[arg-type]


def attaching(seq: int, entity: str | None = None) -> UploadTask:
    return task(seq, entity=entity, state=ATTACHING)


def test_a_row_that_waits_for_a_time_comes_back_when_it_is_there() -> None:
    queues = TaskQueues()
    row = task(1)
    queues.later(5.0, row)
    assert queues.next_deadline(2.0) == 3.0
    queues.promote_due(4.9)
    assert queues.next_task() is None
    queues.promote_due(5.0)
    assert queues.next_task() is row
    assert queues.next_deadline(5.0) == math.inf
    assert queues.empty


def test_a_row_that_may_still_be_at_work_keeps_its_keys_until_it_was_asked_after() -> None:
    queues = TaskQueues()
    ghost, other = task(1, entity="e"), task(2, entity="e")
    queues.enqueue(ghost, 0.0)
    queues.enqueue(other, 0.0)
    assert queues.next_task() is ghost
    ghost.state = Confirming(9.0)
    queues.hold(ghost)
    queues.later(1.0, ghost)
    queues.promote_due(1.0)
    question = queues.next_follow_up()
    assert question is not None
    assert (question.kind, question.task) == (RequestKind.CONFIRM, ghost)
    assert queues.next_task() is None, "its product is still being written"
    queues.release(ghost)
    assert not queues.unsettled
    assert queues.next_task() is other


def test_an_attaching_that_may_be_at_work_is_made_again_only_after_its_time() -> None:
    queues = TaskQueues()
    row = attaching(1)
    queues.enqueue(row, 0.0)
    request = queues.attach_any()
    assert request is not None
    assert request.tasks == [row]
    row.state = Settling(2.0, ATTACHING)
    queues.hold(row)
    queues.later(2.0, row)
    assert queues.attach_any() is None
    queues.promote_due(2.0)
    assert not queues.unsettled
    again = queues.attach_any()
    assert again is not None
    assert again.tasks == [row]


def test_a_batch_waits_to_be_full_or_long_enough() -> None:
    queues = TaskQueues()
    for n in range(ATTACH_BATCH - 1):
        queues.enqueue(attaching(n), 0.0)
    assert queues.attach_full(ATTACH_WAIT - 0.1) is None
    late = queues.attach_full(ATTACH_WAIT)
    assert late is not None
    assert len(late.tasks) == ATTACH_BATCH - 1
    for n in range(1000, 1000 + ATTACH_BATCH + 5):
        queues.enqueue(attaching(n), 20.0)
    full = queues.attach_full(20.0)
    assert full is not None
    assert len(full.tasks) == ATTACH_BATCH
    assert queues.attaching == 5


def test_a_batch_takes_no_row_whose_entity_is_at_work() -> None:
    queues = TaskQueues()
    sending = task(1, entity="e")
    queues.enqueue(sending, 0.0)
    assert queues.next_task() is sending
    queues.enqueue(attaching(2, "e"), 0.0)
    queues.enqueue(attaching(3, "f"), 0.0)
    request = queues.attach_any()
    assert request is not None
    assert [c.seq for c in request.tasks] == [3]
    assert queues.attach_any() is None
    queues.release(sending)
    rest = queues.attach_any()
    assert rest is not None
    assert [c.seq for c in rest.tasks] == [2]


def test_rows_of_one_entity_stand_together_in_a_batch() -> None:
    queues = TaskQueues()
    for n, entity in enumerate("abab"):
        queues.enqueue(attaching(n, entity), 0.0)
    request = queues.attach_any()
    assert request is not None
    assert [c.seq for c in request.tasks] == [0, 2, 1, 3]


def test_a_batch_to_prepare_waits_for_its_time_too() -> None:
    queues = TaskQueues()
    request = Request(RequestKind.PREPARE, batch=[1])
    queues.later(1.0, request)
    assert queues.next_batch() is None
    assert not queues.empty
    queues.promote_due(1.0)
    assert queues.next_batch() is request
    assert queues.next_batch() is None


def test_everything_that_waits_is_given_at_the_end() -> None:
    queues = TaskQueues()
    waiting = [task(n) for n in range(4)] + [attaching(9)]
    queues.enqueue(waiting[0], 0.0)
    queues.later(5.0, waiting[1])
    queues.later(5.0, Request(RequestKind.PREPARE))
    waiting[2].state = Confirming(5.0)
    queues.follow_up(waiting[2])
    queues.enqueue(waiting[3], 0.0)
    queues.enqueue(waiting[4], 0.0)
    assert {c.seq for c in queues.drain()} == {0, 1, 2, 3, 9}
    assert queues.attach_any() is None
    assert queues.next_follow_up() is None


def test_only_a_common_file_name_is_told_of() -> None:
    queues = TaskQueues()
    for n in range(3):
        queues.enqueue(UploadTask(n, n, 1, ("entity:one", f"name:{n}")), 0.0)
    queues.next_task()
    queues.next_task()
    assert queues.common_name() == ("", 0)
    named = TaskQueues()
    for n in range(3):
        named.enqueue(UploadTask(n, n, 1, (f"entity:{n}", "name:front.jpg")), 0.0)
    assert named.next_task() is not None
    assert named.next_task() is None
    assert named.common_name() == ("front.jpg", 2)


def test_a_row_alone_in_its_tree_takes_it_for_itself() -> None:
    row = task(1, tree="tree:t")
    assert (row.exclusive, row.shared) == (("entity:1", "name:1"), ("tree:t",))
    row.alone = True
    assert (row.exclusive, row.shared) == (("entity:1", "name:1", "tree:t"), ())
    assert (RequestKind.SEND.writes, RequestKind.ATTACH.writes, RequestKind.CONFIRM.writes) == (
        True,
        True,
        False,
    )


def test_keys_of_a_row_that_has_its_word_are_given_to_others_only_when_its_call_has_settled() -> None:
    queues = TaskQueues()
    ghost, other = task(1, entity="e"), task(2, entity="e")
    for row in (ghost, other):
        queues.enqueue(row, 0.0)
    assert queues.next_task() is ghost
    ghost.state = Settling(5.0, Sending())
    queues.hold(ghost)
    queues.linger(ghost)
    assert not queues.unsettled
    assert queues.next_task() is None
    assert queues.next_deadline(1.0) == 4.0
    queues.promote_due(5.0)
    assert queues.next_task() is other
    assert queues.empty


def test_nobody_waits_for_keys_that_nobody_wants() -> None:
    queues = TaskQueues()
    row = task(1)
    queues.enqueue(row, 0.0)
    assert queues.next_task() is row
    row.state = Settling(5.0, Sending())
    queues.linger(row)
    assert queues.empty
    assert list(queues.drain()) == []


def test_a_row_that_goes_alone_meets_no_attaching_in_its_tree() -> None:
    queues = TaskQueues()
    alone = task(1, tree="tree:m", alone=True)
    queues.enqueue(alone, 0.0)
    assert queues.next_task() is alone
    pair = [task(n, entity="v", tree="tree:m", state=ATTACHING) for n in (2, 3)]
    other = task(4, tree="tree:m", alone=True)
    for row in (*pair, other):
        queues.enqueue(row, 0.0)
    assert queues.attach_any() is None
    queues.release(alone)
    request = queues.attach_any()
    assert request is not None
    assert request.tasks == pair
    assert queues.next_task() is None, "two of the tree are being attached to"
    queues.release(pair[0])
    assert queues.next_task() is None
    queues.release(pair[1])
    assert queues.next_task() is other
