"""What a call to the PIM may end in, other than an answer.

Each exception carries a `Failure`; none holds a request, so that no traceback can show a token.
"""

from __future__ import annotations

from ..errors import Failure


class CallError(Exception):
    """Base: a call that did not bring what it was made for; `failure` says why."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure

    def __str__(self) -> str:
        return self.failure.message


class Refusal(CallError):  # noqa: N818
    """The PIM refused for good: the same call will be refused again."""


class Trouble(CallError):  # noqa: N818
    """What may go away by itself: worth trying again, with a new body.

    `throttled`: the PIM said "too many" (429). `retry_after`: seconds it asked to wait, None where it did
    not. `maybe_done`: the whole request went out and no clean refusal came back, so that the PIM may have
    done, or still be doing, what it was asked (docs/pim-behaviour.md, "When the answer is lost"). `reused`:
    it died on a connection that had served earlier calls, which the other side may simply have closed
    (docs/pim-behaviour.md, "Transport"). `waited`: the seconds that the PIM had the whole request for without
    an answer to it, where whoever made the call took them.
    """

    waited: float = 0.0

    def __init__(
        self,
        failure: Failure,
        *,
        throttled: bool = False,
        retry_after: float | None = None,
        maybe_done: bool = False,
        reused: bool = False,
    ) -> None:
        super().__init__(failure)
        self.throttled = throttled
        self.retry_after = retry_after
        self.maybe_done = maybe_done
        self.reused = reused

    def again(self) -> Trouble:
        """The same trouble for another thread: a raised exception is not shared."""
        return Trouble(
            self.failure,
            throttled=self.throttled,
            retry_after=self.retry_after,
            maybe_done=self.maybe_done,
            reused=self.reused,
        )


class SourceTrouble(CallError):  # noqa: N818
    """The file at our end is missing, unreadable, or changed while it was sent.

    `passing`: worth trying again, as it came from elsewhere and may come whole the next time.
    No OSError on purpose: requests takes those for faults of the network.
    """

    def __init__(self, failure: Failure, *, passing: bool = False) -> None:
        super().__init__(failure)
        self.passing = passing
