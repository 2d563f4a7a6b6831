"""What is read back after it was sent, and what follows where the value is another's."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from akeneo_media_cli.errors import Kind
from akeneo_media_cli.ledger import InFlightState
from akeneo_media_cli.planning.readback import MOST_SENT_AGAIN, ReadBack
from akeneo_media_cli.rows import Status, Target, TargetType
from akeneo_media_cli.targets.resolved import ResolvedTarget
from akeneo_media_cli.transfer.payload import UploadPayload
from akeneo_media_cli.transfer.task import Finished, Known, Tries, UploadTask

from ..preflight.test_preflight import Desk, desk, put, row

__all__ = ["desk"]


def task(n: int, code: str | None, *, draft: bool = False) -> UploadTask:
    resolved = ResolvedTarget(Target(TargetType.PRODUCT, f"p-{n}"), "picture", None, None, draft=draft)
    media = None if code is None else Known(code, None)
    payload = UploadPayload(row(n, f"p-{n}"), resolved)
    return UploadTask(payload, n, 10, (f"product:p-{n}",), state=Finished(media), tries=Tries(made=1))


@pytest.fixture
def readback(desk: Callable[..., Desk]) -> tuple[Desk, ReadBack]:
    d = desk()
    return d, ReadBack(d.client)


def test_a_value_that_holds_what_was_sent_is_confirmed(readback: tuple[Desk, ReadBack]) -> None:
    d, back = readback
    back.sent(task(1, put(d, "p-1", "picture")))
    assert back.full_batch() is None, "a hundred products fill a request"
    batch = back.last_batch()
    assert batch is not None
    assert not back.complete
    found = back.read(batch)
    assert (found.tasks, found.results, back.confirmed) == ([], [], 1)
    assert back.complete


def test_a_lost_value_is_sent_again_once(readback: tuple[Desk, ReadBack]) -> None:
    d, back = readback
    theirs = put(d, "p-1", "picture")
    for once in (True, False):
        back.sent(task(1, "ours.jpg"))
        batch = back.last_batch()
        assert batch is not None
        found = back.read(batch)
        if once:
            (again,) = found.tasks
            assert (again.tries.made, again.media, again.row.before) == (1, None, theirs)
            assert not found.results
    assert not found.tasks
    ((_, result),) = found.results
    assert result.failure is not None
    assert (result.status, result.failure.kind, result.flight) == (
        Status.FAILED,
        Kind.VALUE_LOST,
        InFlightState.LOST,
    )
    assert theirs in result.failure.message


def test_a_value_that_is_lost_twice_is_sent_again_while_others_hold(readback: tuple[Desk, ReadBack]) -> None:
    d, back = readback
    put(d, "p-1", "picture")
    put(d, "p-2", "picture")
    tries = {1: 0, 2: 0}
    for n in tries:
        back.sent(task(n, "ours.jpg"))
    while batch := back.last_batch():
        found = back.read(batch)
        if not found.tasks:
            break
        for again in found.tasks:
            tries[again.seq] += 1
            back.sent(task(again.seq, put(d, "p-2", "picture") if again.seq == 2 else "ours.jpg"))
    assert tries == {1: MOST_SENT_AGAIN, 2: 1}
    ((planned, result),) = found.results
    assert (planned.seq, result.status) == (1, Status.FAILED)


def test_a_run_that_starts_no_more_rows_leaves_a_lost_value_to_the_next(
    readback: tuple[Desk, ReadBack],
) -> None:
    _, back = readback
    back.again = False
    back.sent(task(1, "ours.jpg"))
    batch = back.last_batch()
    assert batch is not None
    found = back.read(batch)
    assert [result.status for _, result in found.results] == [Status.PENDING]
    assert not found.tasks


def test_a_draft_and_a_deleted_product_are_not_sent_again(readback: tuple[Desk, ReadBack]) -> None:
    _, back = readback
    back.sent(task(1, "ours.jpg", draft=True))
    back.sent(task(999, "ours.jpg"))
    batch = back.last_batch()
    assert batch is not None
    found = back.read(batch)
    assert not found.tasks
    kinds = {planned.seq: result.failure and result.failure.kind for planned, result in found.results}
    assert kinds == {1: Kind.DRAFT, 999: Kind.VALUE_LOST}
