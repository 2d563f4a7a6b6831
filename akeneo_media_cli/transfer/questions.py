"""Questions to the PIM that need no ledger: many at once, each until it is answered or given up."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Generic, TypeVar

from ..errors import AccessError, Failure, TemporaryError, UsageError
from ..pim.errors import Refusal
from ..progress.base import Progress
from ..rows import Status
from .coordinator import Coordinator, Policy
from .engine import Engine
from .environment import Environment
from .limiter import AdaptiveLimiter
from .outcomes import outcome_of
from .task import Ended, Outcome, Prepared, Request, RequestKind, Stored, UploadTask

T = TypeVar("T")


class ParallelReads:
    """Asks with the gate, the tries and the patience that rows are sent with.

    What one call learns of the PIM, such as that it bears only two at once, the next one knows.
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
        """A list's pages, each asked for when it is taken. Raises as `one` does.

        `page` gives the page at a place, "" for the first, and the place of the next, "" after the last.
        """
        at = ""
        asked: set[str] = set()
        while at not in asked:
            asked.add(at)
            here = at
            items, at = self.one(lambda: page(here))  # noqa: B023 - asked before the loop goes on
            yield items
            if not at:
                return

    def all(self, questions: Sequence[Callable[[], T]]) -> list[T | Refusal]:
        """The answers, in the order of the questions; a question is a call of the client's.

        Raises TemporaryError where the PIM does not answer, AccessError and UsageError as the calls do.
        """
        if not questions:
            return []
        answers = _Answers(questions)
        policy = Policy(min(self._policy.concurrency, len(questions)), self._policy.retries)
        coordinator = Coordinator(policy, answers.feed, self._environment.random)
        coordinator.limiter = self._limiter
        Engine(coordinator, answers, self._progress, clock=self._environment.clock).run()
        if coordinator.fatal is not None:
            raise coordinator.fatal
        return answers.given()


class _Answers(Generic[T]):
    """A courier that carries questions and keeps what came back."""

    def __init__(self, questions: Sequence[Callable[[], T]]) -> None:
        self._questions = questions
        self._answers: dict[int, T | Refusal] = {}
        self._trouble: Failure | None = None
        self._batches = [range(len(questions))]

    def feed(self) -> range | None:
        """All questions at once, then nothing."""
        return self._batches.pop() if self._batches else None

    def perform(self, request: Request) -> Outcome:
        """Ask one of them."""
        if request.kind is RequestKind.PREPARE:
            return Prepared([UploadTask(n, n, 0, ()) for n in request.batch])
        return outcome_of(lambda: self._ask(request.task.row))

    def _ask(self, n: int) -> Outcome:
        try:
            self._answers[n] = self._questions[n]()
        except Refusal as refusal:
            self._answers[n] = refusal
        return Stored("", None, 0, 0.0)

    def ended(self, ended: Ended) -> None:
        """Remember what kept a question from being answered."""
        if ended.status is not Status.UPLOADED:
            self._trouble = self._trouble or ended.failure

    def given(self) -> list[T | Refusal]:
        """Every answer. Raises TemporaryError where one is missing."""
        if len(self._answers) < len(self._questions):
            if self._trouble is None:
                raise TemporaryError("the PIM stopped answering", "try again later")
            raise TemporaryError(
                f"the PIM could not be asked: {self._trouble.message}",
                self._trouble.hint,
                self._trouble.kind,
            )
        return [self._answers[n] for n in range(len(self._questions))]
