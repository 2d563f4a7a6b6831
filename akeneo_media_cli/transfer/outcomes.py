"""Turns what a call to the PIM returned or raised into an outcome."""

from __future__ import annotations

from collections.abc import Callable

from ..errors import Failure, Kind, MediaError
from ..pim.answers.types import LineResult
from ..pim.errors import Refusal, SourceTrouble, Trouble
from .task import Fatal, Outcome, Refused, Troubled


def outcome_of(make: Callable[[], Outcome]) -> Outcome:
    """The outcome of a call: what it returned, or what it raised. Raises only defects."""
    try:
        return make()
    except Trouble as trouble:
        return troubled(trouble)
    except SourceTrouble as trouble:
        if not trouble.passing:
            return Refused(trouble.failure)
        return Troubled(trouble.failure, own=True)
    except Refusal as refusal:
        return Refused(refusal.failure)
    except MediaError as error:
        return Fatal(error)


def troubled(trouble: Trouble) -> Troubled:
    """The client's trouble as an outcome."""
    return Troubled(
        trouble.failure,
        throttled=trouble.throttled,
        retry_after=trouble.retry_after,
        maybe_done=trouble.maybe_done,
        waited=trouble.waited,
        reused=trouble.reused,
        outage=trouble.outage,
        oversize=trouble.oversize,
    )


def line_outcome(result: LineResult, waited: float) -> Failure | Troubled | None:
    """What became of one line of a batch that was answered after so many seconds; None: it was done."""
    if result.status is not None and not result.retryable:
        return result.failure
    if result.failure is None:
        cut = Failure(Kind.NOT_ATTACHED, "the PIM's answer does not mention this row", "It is retried.")
        return Troubled(cut, maybe_done=True, waited=waited)
    return Troubled(result.failure, throttled=result.status == 429, maybe_done=result.status != 429)
