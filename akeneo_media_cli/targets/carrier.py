"""A carrier's value: borrowed while a file is uploaded through it, then put back
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
    """Put back values of carriers that still hold another product's file. Raises AccessError."""
    for borrowed in run.borrowed():
        try:
            _reclaim(run, client, borrowed)
        except CallError as error:
            note(
                f"carrier {borrowed.identifier} still holds {borrowed.name} in {borrowed.attribute}: {error}",
                "The next upload puts its own value back.",
            )


def settle_debt(run: Run, client: PimClient, carrier: ResolvedTarget) -> str | None:
    """The carrier's own value: a borrowed file that is still in it is removed first.

    Raises as the client does, also if the PIM refuses to put it back.
    """
    here = (carrier.target.code, carrier.attribute, carrier.locale, carrier.scope)
    owed = next((borrowed for borrowed in run.borrowed() if borrowed[:4] == here), None)
    return ADAPTERS[TargetType.PRODUCT].held(client, carrier) if owed is None else _reclaim(run, client, owed)


def _reclaim(run: Run, client: PimClient, borrowed: BorrowedValue) -> str | None:
    """Remove a borrowed file from a value; returns what it holds then. Raises as `settle_debt`."""
    place, resolved = ADAPTERS[TargetType.PRODUCT], borrowed_target(borrowed)
    held = place.held(client, resolved)
    if (
        not held
        or held == borrowed.before
        or not place.resembles(client, resolved, held, borrowed.name, borrowed.size)
    ):
        # A value other than that file was set by somebody: it stays.
        run.give_back(borrowed)
        return held
    failure = restore(run, client, borrowed)
    if failure is None:
        return borrowed.before
    raise Trouble(failure, maybe_done=True) if failure.kind is Kind.NOT_ATTACHED else Refusal(failure)


def restore(run: Run, client: PimClient, borrowed: BorrowedValue) -> Failure | None:
    """Put one value back; returns why the PIM refused, if it did. Raises as the client does."""
    result = ADAPTERS[TargetType.PRODUCT].attach(client, [[(borrowed_target(borrowed), borrowed.before)]])[0]
    if result.status is None or result.failure is not None:
        return result.failure or Failure(Kind.NOT_ATTACHED, "the PIM's answer broke off", "It is retried.")
    run.give_back(borrowed)
    return None


def borrowed_target(borrowed: BorrowedValue) -> ResolvedTarget:
    """The borrowed value."""
    target = Target(TargetType.PRODUCT, borrowed.identifier)
    return ResolvedTarget(
        target, borrowed.attribute, borrowed.locale, borrowed.scope, before=borrowed.before, sure=True
    )
