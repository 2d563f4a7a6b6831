"""Reads that belong to no row: in order, retried, given up, refused."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from akeneo_media_cli.errors import AccessError, Failure, Kind, TemporaryError, UsageError
from akeneo_media_cli.pim.client import PimClient
from akeneo_media_cli.pim.connection import Connection
from akeneo_media_cli.pim.errors import Refusal, Trouble
from akeneo_media_cli.progress.base import Silent
from akeneo_media_cli.secret import Secret
from akeneo_media_cli.transfer.coordinator import Policy
from akeneo_media_cli.transfer.environment import Environment
from akeneo_media_cli.transfer.reads import ParallelReads

from ..pim.server import Reply, Request, Server, says

DOWN = Failure(Kind.UNAVAILABLE, "down", "", 503)


def reads(concurrency: int = 4, retries: int = 3) -> ParallelReads:
    return ParallelReads(Policy(concurrency, retries), Silent(), Environment(random=lambda: 0.0))


def failing(times: int, error: Exception) -> Callable[[], str]:
    left = [error] * times

    def ask() -> str:
        if left:
            raise left.pop()
        return "answer"

    return ask


def test_answers_come_in_the_order_of_the_questions_from_several_threads() -> None:
    together = threading.Barrier(4)

    def ask(n: int) -> int:
        together.wait(10)
        return n

    assert reads().all([lambda n=n: ask(n) for n in range(8)]) == list(range(8))
    assert reads().all([]) == []


def test_trouble_is_retried_until_the_tries_are_spent() -> None:
    assert reads().one(failing(3, Trouble(DOWN))) == "answer"
    with pytest.raises(TemporaryError, match="down") as raised:
        reads().one(failing(4, Trouble(DOWN)))
    assert raised.value.kind is Kind.UNAVAILABLE


def test_a_throttled_read_waits_as_long_as_the_pim_says_and_narrows_the_next() -> None:
    both, once = threading.Barrier(2), threading.Event()

    def ask() -> str:
        if not once.is_set():
            both.wait(10)
            if not once.is_set():
                once.set()
                raise Trouble(Failure(Kind.THROTTLED, "slow", "", 429), throttled=True, retry_after=0.01)
        return "answer"

    pool = reads(2, retries=0)
    assert pool.all([ask, ask]) == ["answer", "answer"]
    assert pool._limiter.throttled == 1


def test_a_question_of_many_calls_goes_on_where_it_was_stopped() -> None:
    met: set[str] = set()

    def answer(request: Request) -> Reply:
        if request.path not in met:
            met.add(request.path)
            return says(503, {"code": 503, "message": "busy"})
        return says(200, {"code": request.path.rpartition("/")[2], "attributes": []})

    with (
        Server(answer) as server,
        PimClient(Connection(server.url, token=Secret("t"), direct=True)) as client,
    ):
        families = reads(retries=1).one(lambda: [client.family(f"f{n}") for n in range(8)])
        assert [family.code for family in families if family is not None] == [f"f{n}" for n in range(8)]
        assert len(server.requests) == 16, "each twice, none a third time"
        client.close()


@pytest.mark.parametrize(("status", "error"), [(403, AccessError), (422, UsageError)])
def test_a_refusal_is_an_answer_among_many_and_an_error_alone(status: int, error: type[Exception]) -> None:
    refusal = Refusal(Failure(Kind.REFUSED, "no", "", status))
    kept, answer = reads().all([failing(1, refusal), failing(0, refusal)])
    assert (kept, answer) == (refusal, "answer")
    with pytest.raises(error, match="no"):
        reads().one(failing(1, refusal))


def test_an_error_ends_every_thread_and_is_raised() -> None:
    with pytest.raises(AccessError, match="login"):
        reads().all([failing(1, AccessError("login refused"))] * 20)


def test_pages_are_read_to_the_end_and_a_list_that_goes_round_ends() -> None:
    assert list(reads().pages(lambda at: ([at], {"": "a", "a": "b", "b": ""}[at]))) == [[""], ["a"], ["b"]]
    assert list(reads().pages(lambda at: ([at], {"": "a", "a": "a"}[at]))) == [[""], ["a"]]
