"""The carrier's own value: lent for as long as a file goes up through it, then put back (pim-facts A6)."""

from __future__ import annotations

from collections.abc import Callable

from ..errors import Failure, Kind
from ..ledger import Lent, Run
from ..pim.client import PimClient
from ..pim.errors import CallError, Refusal, Trouble
from ..rows import Target, TargetType
from . import PLACES
from .resolved import Aim

Note = Callable[[str, str], None]
"""Tells the user a message and a hint."""


def put_back(run: Run, client: PimClient, note: Note) -> None:
    """Put values of carriers back that still hold somebody else's file. Raises AccessError."""
    for lent in run.lent():
        try:
            _reclaim(run, client, lent)
        except CallError as error:  # noqa: PERF203 - a carrier or two
            note(
                f"the carrier {lent.identifier} still holds {lent.name} in {lent.attribute}: {error}",
                "the next upload puts its own value back",
            )


def settle_debt(run: Run, client: PimClient, carrier: Aim) -> str | None:
    """What the carrier's value holds of its own: an earlier row's file that is still in it goes out first.

    Raises as the client does, Trouble and Refusal too where the PIM does not let us put it back.
    """
    here = (carrier.target.code, carrier.attribute, carrier.locale, carrier.scope)
    owed = next((lent for lent in run.lent() if lent[:4] == here), None)
    return PLACES[TargetType.PRODUCT].held(client, carrier) if owed is None else _reclaim(run, client, owed)


def _reclaim(run: Run, client: PimClient, lent: Lent) -> str | None:
    """Get the file that went through a value out of it; what it holds then. Raises as `settle_debt`."""
    place, aim = PLACES[TargetType.PRODUCT], aim_of(lent)
    held = place.held(client, aim)
    if not held or held == lent.before or not place.resembles(client, aim, held, lent.name, lent.size):
        # Another value than that file is somebody's own: it stays.
        run.give_back(lent)
        return held
    failure = restore(run, client, lent)
    if failure is None:
        return lent.before
    raise Trouble(failure, maybe_done=True) if failure.kind is Kind.NOT_ATTACHED else Refusal(failure)


def restore(run: Run, client: PimClient, lent: Lent) -> Failure | None:
    """Put one value back; why the PIM did not let us, if it did not. Raises as the client does."""
    result = PLACES[TargetType.PRODUCT].attach(client, [[(aim_of(lent), lent.before)]])[0]
    if result.status is None or result.failure is not None:
        return result.failure or Failure(
            Kind.NOT_ATTACHED, "the PIM's answer broke off", "It is tried again."
        )
    run.give_back(lent)
    return None


def aim_of(lent: Lent) -> Aim:
    """The value that was lent."""
    target = Target(TargetType.PRODUCT, lent.identifier)
    return Aim(target, lent.attribute, lent.locale, lent.scope, before=lent.before, sure=True)
