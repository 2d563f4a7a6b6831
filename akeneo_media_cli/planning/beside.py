"""Rows that have something to do beside their file: which are done, and which are left open for it."""

from __future__ import annotations

from dataclasses import replace

from ..errors import Failure, Kind
from ..ledger import PlannedRow, RowResult
from ..rows import Status
from ..targets.resolved import ResolvedTarget

UNASKED = Failure(
    Kind.ROW_MALFORMED,
    "the row gives values or a link, which cannot be sent without asking the PIM first",
    "leave --no-preflight out: only the PIM knows the types of values, and what a collection holds",
)


def without_media(planned: PlannedRow, resolved: ResolvedTarget) -> RowResult:
    """The result so far of a row that names no media value."""
    assert resolved.beside is not None
    return RowResult(planned.seq, Status.UNCHANGED, notes=resolved.notes)


def left_open(
    result: RowResult, resolved: ResolvedTarget, *, sends: bool, looked: Status | None
) -> RowResult:
    """The result of a row whose file need not be sent: open again where something else is to be done.

    Without `sends` nothing is, and such a row's status is `looked`.
    """
    said = resolved.beside
    if said is None or result.status is not Status.UNCHANGED:
        return result
    if not (said.to_send or said.link_to_do):
        return replace(result, beside=said)
    if sends:
        return replace(result, status=None, beside=said)
    if looked is None:
        return RowResult(result.seq, None)
    return replace(result, status=looked, beside=said)
