"""The carrier's own value: lent for as long as a file goes up through it, then put back
(docs/pim-behaviour.md, "Sharing one media file")."""

from __future__ import annotations

from collections.abc import Callable

from ..errors import Failure, Kind
from ..ledger import BorrowedValue, Run
from ..pim.client import PimClient
from ..pim.errors import CallError, Refusal, Trouble
from ..rows import Target, TargetType
from . import ADAPTERS
from .resolved import ResolvedTarget

Note = Callable[[str, str], None]
"""Tells the user a message and a hint."""


def put_back(run: Run, client: PimClient, note: Note) -> None:
    """Put values of carriers back that still hold somebody else's file. Raises AccessError."""
    for borrowed in run.borrowed():
        try:
            _reclaim(run, client, borrowed)
        except CallError as error:
            note(
                f"carrier {borrowed.identifier} still holds {borrowed.name} in {borrowed.attribute}: {error}",
                "the next upload puts its own value back",
            )


def settle_debt(run: Run, client: PimClient, carrier: ResolvedTarget) -> str | None:
    """What the carrier's value holds of its own: an earlier row's file that is still in it goes out first.

    Raises as the client does, Trouble and Refusal too where the PIM does not let us put it back.
    """
    here = (carrier.target.code, carrier.attribute, carrier.locale, carrier.scope)
    owed = next((borrowed for borrowed in run.borrowed() if borrowed[:4] == here), None)
    return ADAPTERS[TargetType.PRODUCT].held(client, carrier) if owed is None else _reclaim(run, client, owed)


def _reclaim(run: Run, client: PimClient, borrowed: BorrowedValue) -> str | None:
    """Get the file that went through a value out of it; what it holds then. Raises as `settle_debt`."""
    place, resolved = ADAPTERS[TargetType.PRODUCT], borrowed_target(borrowed)
    held = place.held(client, resolved)
    if (
        not held
        or held == borrowed.before
        or not place.resembles(client, resolved, held, borrowed.name, borrowed.size)
    ):
        # Another value than that file is somebody's own: it stays.
        run.give_back(borrowed)
        return held
    failure = restore(run, client, borrowed)
    if failure is None:
        return borrowed.before
    raise Trouble(failure, maybe_done=True) if failure.kind is Kind.NOT_ATTACHED else Refusal(failure)


def restore(run: Run, client: PimClient, borrowed: BorrowedValue) -> Failure | None:
    """Put one value back; why the PIM did not let us, if it did not. Raises as the client does."""
    result = ADAPTERS[TargetType.PRODUCT].attach(client, [[(borrowed_target(borrowed), borrowed.before)]])[0]
    if result.status is None or result.failure is not None:
        return result.failure or Failure(
            Kind.NOT_ATTACHED, "the PIM's answer broke off", "It is tried again."
        )
    run.give_back(borrowed)
    return None


def borrowed_target(borrowed: BorrowedValue) -> ResolvedTarget:
    """The value that was lent."""
    target = Target(TargetType.PRODUCT, borrowed.identifier)
    return ResolvedTarget(
        target, borrowed.attribute, borrowed.locale, borrowed.scope, before=borrowed.before, sure=True
    )
