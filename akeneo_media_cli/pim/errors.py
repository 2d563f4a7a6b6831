"""How a call to the PIM can fail.

Each exception carries a `Failure`. None holds the request, so that no traceback can show a token.
"""

from __future__ import annotations

from ..errors import Failure


class CallError(Exception):
    """Base: a call that did not return what it was made for; `failure` says why."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure

    def __str__(self) -> str:
        return self.failure.message


class Refusal(CallError):  # noqa: N818
    """The PIM refused for good: the same call would be refused again."""


class Trouble(CallError):  # noqa: N818
    """A temporary error: worth another try, with a new body.

    `throttled`: the PIM, or a rate limiter in front of it, said "too many requests".
    `outage`: something else answers in the PIM's place (a maintenance page, a redirect, a web server's own
    404) where the PIM answered earlier. It says nothing about the row.
    `retry_after`: seconds the answer asked to wait, at most `LONGEST_RETRY_AFTER`; None if it named none.
    `maybe_done`: the whole request went out and no clean refusal came back, so the PIM may have done it, or
    may still be doing it (docs/pim-behaviour.md, "When the answer is lost").
    `reused`: it died on a connection that had served earlier calls, which the other side may simply have
    closed (docs/pim-behaviour.md, "Transport").
    `oversize`: the body was larger than any that has got through while smaller ones do. It is the failure
    to report if the same file ends like this once more.
    `waited`: seconds that the PIM had the whole request without answering, where the caller measured them.
    """

    waited: float = 0.0

    def __init__(
        self,
        failure: Failure,
        *,
        throttled: bool = False,
        outage: bool = False,
        retry_after: float | None = None,
        maybe_done: bool = False,
        reused: bool = False,
        oversize: Failure | None = None,
    ) -> None:
        super().__init__(failure)
        self.throttled = throttled
        self.outage = outage
        self.retry_after = retry_after
        self.maybe_done = maybe_done
        self.reused = reused
        self.oversize = oversize

    def again(self) -> Trouble:
        """The same trouble for another thread: a raised exception is not shared."""
        return Trouble(
            self.failure,
            throttled=self.throttled,
            outage=self.outage,
            retry_after=self.retry_after,
            maybe_done=self.maybe_done,
            reused=self.reused,
            oversize=self.oversize,
        )


class SourceTrouble(CallError):  # noqa: N818
    """The file at our end is missing, unreadable, or changed while it was sent.

    `passing`: worth another try, since it comes from elsewhere and may arrive whole the next time.
    Deliberately not an OSError: requests takes those for network errors.
    """

    def __init__(self, failure: Failure, *, passing: bool = False) -> None:
        super().__init__(failure)
        self.passing = passing
