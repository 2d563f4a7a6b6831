"""What a call to the PIM came to, as the coordinator takes it."""

from __future__ import annotations

from collections.abc import Callable

from ..errors import MediaError
from ..pim.errors import Refusal, SourceTrouble, Trouble
from .task import Fatal, Outcome, Refused, Troubled


def outcome_of(make: Callable[[], Outcome]) -> Outcome:
    """What a call comes to: its outcome, or what it raised, as one."""
    try:
        return make()
    except Trouble as trouble:
        return Troubled(
            trouble.failure,
            throttled=trouble.throttled,
            retry_after=trouble.retry_after,
            maybe_done=trouble.maybe_done,
            waited=trouble.waited,
            reused=trouble.reused,
        )
    except SourceTrouble as trouble:
        if not trouble.passing:
            return Refused(trouble.failure)
        return Troubled(trouble.failure, own=True)
    except Refusal as refusal:
        return Refused(refusal.failure)
    except MediaError as error:
        return Fatal(error)
