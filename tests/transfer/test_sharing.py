"""Which row sends a file that several rows want, and what the others get."""

from __future__ import annotations

from akeneo_media_cli.errors import Failure, Kind
from akeneo_media_cli.rows import Status
from akeneo_media_cli.transfer.sharing import NOBODY, SHA256, Join, Ruined, Sharing
from akeneo_media_cli.transfer.task import Attaching, Known, UploadTask

BAD = Failure(Kind.REFUSED, "no", "")


def task(seq: int, content: str | None = "one", *, carried: bool = False) -> UploadTask:
    return UploadTask(seq, seq, 10, (f"entity:{seq}",), content=content, carried=carried)


def test_the_first_sends_and_the_others_wait_for_its_code() -> None:
    sharing, first, second = Sharing(), task(1), task(2)
    assert [sharing.join(first), sharing.join(second), sharing.waiting] == [Join.SEND, Join.WAIT, 1]
    assert sharing.stored(first, Known("c", "aa")) == [second]
    assert (sharing.join(second), sharing.waiting) == (Known("c", "aa"), 0)


def test_rows_without_content_or_with_sharing_off_send_their_own_files() -> None:
    assert Sharing().join(task(1, None)) is Join.SEND
    off = Sharing(off=True)
    assert [off.join(task(n)) for n in (1, 2)] == [Join.SEND, Join.SEND]
    assert off.join(task(3, carried=True)) is Join.WAIT, "it cannot send its file itself"


def test_when_the_first_fails_those_that_can_send_come_before_those_that_cannot() -> None:
    sharing, first, carried, other = Sharing(), task(1), task(2, carried=True), task(3)
    for each in (first, carried, other):
        sharing.join(each)
    assert sharing.failed(first, Status.FAILED, BAD) == [other, carried]
    assert sharing.join(other) is Join.SEND
    assert sharing.failed(other, Status.FAILED, BAD) == []
    assert sharing.join(carried) == Ruined(Status.FAILED, BAD)
    assert sharing.join(task(4, "two", carried=True)) is NOBODY


def test_a_file_that_changed_on_the_way_is_given_to_nobody() -> None:
    sharing, first, second = Sharing(), task(1, f"{SHA256}aa"), task(2, f"{SHA256}aa")
    sharing.join(first)
    sharing.join(second)
    assert sharing.stored(first, Known("c", "bb")) == [second]
    assert sharing.join(second) is Join.SEND


def test_a_doubtful_code_is_forgotten_when_it_is_refused_and_never_replaces_a_sure_one() -> None:
    sharing, row = Sharing(), task(1)
    sharing.learn("one", Known("old", None, doubtful=True))
    row.state = Attaching(Known("old", None, doubtful=True))
    sharing.refuted(row)
    assert sharing.join(task(2)) is Join.SEND
    sharing.learn("one", Known("new", "aa"))
    sharing.learn("one", Known("old", None, doubtful=True))
    assert sharing.join(task(3)) == Known("new", "aa")
