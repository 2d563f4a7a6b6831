"""Reads of the PIM that belong to no row: many at once, each tried until it is answered or given up."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Generic, TypeVar

from ..errors import AccessError, TemporaryError, UsageError
from ..pim.api.calls import resuming
from ..pim.errors import Refusal, Trouble
from ..progress.base import Progress
from .engine import TICK, LimiterView
from .environment import Environment
from .handlers.flow import Policy
from .limiter import AdaptiveLimiter
from .outcomes import troubled
from .retry import pause
from .task import Request, RequestKind, Troubled

T = TypeVar("T")


class ParallelReads:
    """A bounded pool of threads that read, with the limiter and the retries that rows are sent with.

    What one call of `all` learns, such as that the PIM allows only two requests at once, the next one knows.
    """

    def __init__(self, policy: Policy, progress: Progress, environment: Environment) -> None:
        self._policy = policy
        self._progress = progress
        self._environment = environment
        self._limiter = AdaptiveLimiter(policy.concurrency, policy.retries, environment.random)

    def one(self, question: Callable[[], T]) -> T:
        """The answer. Raises as `all` does, and AccessError or UsageError where the PIM refuses it."""
        (answer,) = self.all([question])
        if isinstance(answer, Refusal):
            failure = answer.failure
            kind = AccessError if failure.http_status == 403 else UsageError
            raise kind(failure.message, failure.hint, failure.kind)
        return answer

    def pages(self, page: Callable[[str], tuple[list[T], str]]) -> Iterator[list[T]]:
        """A list's pages, each requested when it is taken. Raises as `one` does.

        `page` gives the page at a place, "" for the first, and the place of the next, "" after the last.
        """
        at = ""
        asked: set[str] = set()
        while at not in asked:
            asked.add(at)
            here = at
            items, at = self.one(lambda: page(here))  # noqa: B023 - called before the loop goes on
            yield items
            if not at:
                return

    def all(self, questions: Sequence[Callable[[], T]]) -> list[T | Refusal]:
        """The answers, in the order of the questions; a question is a call of the client's.

        Raises TemporaryError where the PIM does not answer, AccessError and UsageError as the calls do.
        """
        pool = _Pool(questions, self._limiter, self._policy.retries, self._environment)
        view = LimiterView(self._limiter, self._progress)
        return pool.run(min(self._policy.concurrency, len(questions)), view)


class _Pool(Generic[T]):
    """The threads of one call of `all`."""

    def __init__(
        self,
        questions: Sequence[Callable[[], T]],
        limiter: AdaptiveLimiter,
        retries: int,
        environment: Environment,
    ) -> None:
        self._questions = questions
        self._unasked = iter(range(len(questions)))
        self._answers: dict[int, T | Refusal] = {}
        self._limiter = limiter
        self._retries = retries
        self._environment = environment
        self._turn = threading.Condition()
        self._error: BaseException | None = None

    def run(self, threads: int, view: LimiterView) -> list[T | Refusal]:
        """Ask them all. Raises what a question raised."""
        # Daemons: a signal that ends the program must not wait for them.
        workers = [threading.Thread(target=self._work, daemon=True) for _ in range(threads)]
        for worker in workers:
            worker.start()
        for worker in workers:
            while worker.is_alive():
                worker.join(TICK)
                view.show(self._environment.clock())
        if self._error is not None:
            raise self._error
        return [self._answers[n] for n in range(len(self._questions))]

    def _work(self) -> None:
        try:
            while True:
                with self._turn:
                    n = None if self._error is not None else next(self._unasked, None)
                if n is None:
                    return
                self._answers[n] = self._ask(self._questions[n])
        except BaseException as error:
            with self._turn:
                self._error = self._error or error
                self._turn.notify_all()

    def _ask(self, question: Callable[[], T]) -> T | Refusal:
        request = Request(RequestKind.PREPARE)
        while True:
            self._enter(request)
            try:
                with resuming(request.answers):
                    answer: T | Refusal | Troubled = question()
            except Refusal as refusal:
                answer = refusal
            except Trouble as trouble:
                answer = troubled(trouble)
            with self._turn:
                self._limiter.finish()
                self._turn.notify_all()
                if not isinstance(answer, Troubled):
                    self._limiter.succeeded(wrote=False)
                    return answer
                self._retry(request, answer)

    def _enter(self, request: Request) -> None:
        """Wait until the limiter lets the request start. Raises the error that ended another thread."""
        with self._turn:
            while True:
                if self._error is not None:
                    raise self._error
                seconds = self._limiter.opening(self._environment.clock())
                if seconds <= 0:
                    break
                self._turn.wait(None if seconds == math.inf else seconds)
            request.probe = self._limiter.start()
            request.in_flight = self._limiter.in_flight

    def _retry(self, request: Request, trouble: Troubled) -> None:
        """Wait before the next try. Raises TemporaryError where there is none."""
        now = self._environment.clock()
        self._limiter.met_trouble(request, request, trouble, now)
        if not (trouble.throttled and request.in_flight > 1) and not request.probe:
            request.failures += 1
        if request.failures > self._retries or self._limiter.given_up:
            failure = trouble.failure
            raise TemporaryError(f"the PIM could not be asked: {failure.message}", failure.hint, failure.kind)
        until = now + pause(request.failures, self._environment.random)
        while self._error is None and (left := until - self._environment.clock()) > 0:
            self._turn.wait(left)
