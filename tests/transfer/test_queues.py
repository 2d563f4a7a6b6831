"""Rows that wait for a turn, a time, an answer or company."""

from __future__ import annotations

import math

from akeneo_media_cli.transfer.queues import ATTACH_BATCH, ATTACH_WAIT, Lineup
from akeneo_media_cli.transfer.task import Call, Course, Errand, Phase


def course(seq: int, *, entity: str | None = None, tree: str | None = None, **more: object) -> Course:
    key = f"entity:{entity or seq}"
    return Course(seq, seq, 10, (key, f"name:{seq}"), tree, attach_keys=(key,), group="g", **more)  # type: ignore[arg-type]


def attaching(seq: int, entity: str | None = None) -> Course:
    return course(seq, entity=entity, phase=Phase.ATTACH)


def test_a_row_that_waits_for_a_time_comes_back_when_it_is_there() -> None:
    lineup = Lineup()
    row = course(1)
    lineup.later(5.0, row)
    assert row.due == 5.0
    assert lineup.until_bell(2.0) == 3.0
    lineup.ring(4.9)
    assert lineup.next_course() is None
    lineup.ring(5.0)
    assert lineup.next_course() is row
    assert lineup.until_bell(5.0) == math.inf
    assert lineup.empty


def test_a_row_that_may_still_be_at_work_keeps_its_keys_until_it_was_asked_after() -> None:
    lineup = Lineup()
    ghost, other = course(1, entity="e"), course(2, entity="e")
    lineup.enqueue(ghost, 0.0)
    lineup.enqueue(other, 0.0)
    assert lineup.next_course() is ghost
    ghost.phase = Phase.ASK
    lineup.hold(ghost)
    lineup.later(1.0, ghost)
    lineup.ring(1.0)
    question = lineup.next_question()
    assert question is not None
    assert (question.errand, question.course) == (Errand.ASK, ghost)
    assert lineup.next_course() is None, "its product is still being written"
    lineup.release(ghost)
    assert not lineup.unsettled
    assert lineup.next_course() is other


def test_an_attaching_that_may_be_at_work_is_made_again_only_after_its_time() -> None:
    lineup = Lineup()
    row = attaching(1)
    lineup.enqueue(row, 0.0)
    call = lineup.attach_any()
    assert call is not None
    assert call.courses == [row]
    lineup.hold(row)
    lineup.later(2.0, row)
    assert lineup.attach_any() is None
    lineup.ring(2.0)
    assert not lineup.unsettled
    again = lineup.attach_any()
    assert again is not None
    assert again.courses == [row]


def test_a_batch_waits_to_be_full_or_long_enough() -> None:
    lineup = Lineup()
    for n in range(ATTACH_BATCH - 1):
        lineup.enqueue(attaching(n), 0.0)
    assert lineup.attach_full(ATTACH_WAIT - 0.1) is None
    late = lineup.attach_full(ATTACH_WAIT)
    assert late is not None
    assert len(late.courses) == ATTACH_BATCH - 1
    for n in range(1000, 1000 + ATTACH_BATCH + 5):
        lineup.enqueue(attaching(n), 20.0)
    full = lineup.attach_full(20.0)
    assert full is not None
    assert len(full.courses) == ATTACH_BATCH
    assert lineup.attaching == 5


def test_a_batch_takes_no_row_whose_entity_is_at_work() -> None:
    lineup = Lineup()
    sending = course(1, entity="e")
    lineup.enqueue(sending, 0.0)
    assert lineup.next_course() is sending
    lineup.enqueue(attaching(2, "e"), 0.0)
    lineup.enqueue(attaching(3, "f"), 0.0)
    call = lineup.attach_any()
    assert call is not None
    assert [c.seq for c in call.courses] == [3]
    assert lineup.attach_any() is None
    lineup.release(sending)
    rest = lineup.attach_any()
    assert rest is not None
    assert [c.seq for c in rest.courses] == [2]


def test_rows_of_one_entity_stand_together_in_a_batch() -> None:
    lineup = Lineup()
    for n, entity in enumerate("abab"):
        lineup.enqueue(attaching(n, entity), 0.0)
    call = lineup.attach_any()
    assert call is not None
    assert [c.seq for c in call.courses] == [0, 2, 1, 3]


def test_a_batch_to_prepare_waits_for_its_time_too() -> None:
    lineup = Lineup()
    call = Call(Errand.PREPARE, batch=[1])
    lineup.later(1.0, call)
    assert lineup.next_batch() is None
    assert not lineup.empty
    lineup.ring(1.0)
    assert lineup.next_batch() is call
    assert lineup.next_batch() is None


def test_everything_that_waits_is_given_at_the_end() -> None:
    lineup = Lineup()
    waiting = [course(n) for n in range(4)] + [attaching(9)]
    lineup.enqueue(waiting[0], 0.0)
    lineup.later(5.0, waiting[1])
    lineup.later(5.0, Call(Errand.PREPARE))
    lineup.hold(waiting[2])
    lineup.ask(waiting[2])
    lineup.enqueue(waiting[3], 0.0)
    lineup.enqueue(waiting[4], 0.0)
    assert {c.seq for c in lineup.drain()} == {0, 1, 2, 3, 9}
    assert lineup.attach_any() is None
    assert lineup.next_question() is None


def test_only_a_common_file_name_is_told_of() -> None:
    lineup = Lineup()
    for n in range(3):
        lineup.enqueue(Course(n, n, 1, ("entity:one", f"name:{n}")), 0.0)
    lineup.next_course()
    lineup.next_course()
    assert lineup.common_name() == ("", 0)
    named = Lineup()
    for n in range(3):
        named.enqueue(Course(n, n, 1, (f"entity:{n}", "name:front.jpg")), 0.0)
    assert named.next_course() is not None
    assert named.next_course() is None
    assert named.common_name() == ("front.jpg", 2)


def test_a_row_alone_in_its_tree_takes_it_for_itself() -> None:
    row = course(1, tree="tree:t")
    assert (row.exclusive, row.shared) == (("entity:1", "name:1"), ("tree:t",))
    row.alone = True
    assert (row.exclusive, row.shared) == (("entity:1", "name:1", "tree:t"), ())
    assert (Errand.SEND.writes, Errand.ATTACH.writes, Errand.ASK.writes) == (True, True, False)


def test_keys_of_a_row_that_has_its_word_are_given_to_others_only_when_its_call_has_settled() -> None:
    lineup = Lineup()
    ghost, other = course(1, entity="e"), course(2, entity="e")
    for row in (ghost, other):
        lineup.enqueue(row, 0.0)
    assert lineup.next_course() is ghost
    ghost.settled_at = 5.0
    lineup.hold(ghost)
    lineup.linger(ghost)
    assert not lineup.unsettled
    assert lineup.next_course() is None
    assert lineup.until_bell(1.0) == 4.0
    lineup.ring(5.0)
    assert lineup.next_course() is other
    assert lineup.empty


def test_nobody_waits_for_keys_that_nobody_wants() -> None:
    lineup = Lineup()
    row = course(1)
    lineup.enqueue(row, 0.0)
    assert lineup.next_course() is row
    row.settled_at = 5.0
    lineup.linger(row)
    assert lineup.empty
    assert list(lineup.drain()) == []


def test_a_row_that_goes_alone_meets_no_attaching_in_its_tree() -> None:
    lineup = Lineup()
    alone = course(1, tree="tree:m", alone=True)
    lineup.enqueue(alone, 0.0)
    assert lineup.next_course() is alone
    pair = [course(n, entity="v", tree="tree:m", phase=Phase.ATTACH) for n in (2, 3)]
    other = course(4, tree="tree:m", alone=True)
    for row in (*pair, other):
        lineup.enqueue(row, 0.0)
    assert lineup.attach_any() is None
    lineup.release(alone)
    call = lineup.attach_any()
    assert call is not None
    assert call.courses == pair
    assert lineup.next_course() is None, "two of the tree are being attached to"
    lineup.release(pair[0])
    assert lineup.next_course() is None
    lineup.release(pair[1])
    assert lineup.next_course() is other
