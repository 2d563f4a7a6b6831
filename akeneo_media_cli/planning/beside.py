"""Rows that have something to do besides their file: which are done, and which stay open for it."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace

from ..errors import Failure, Kind
from ..ledger import PlannedRow, RowResult, RunRecord
from ..rows import Status
from ..targets.resolved import ResolvedTarget

UNASKED = Failure(
    Kind.ROW_MALFORMED,
    "the row gives values or a link, which cannot be sent without asking the PIM first",
    "Leave --no-preflight out: only the PIM knows the types of values, and what a collection holds.",
)


class Rivals:
    """Earlier rows that give a value of the same asset or record in other words. Thread-safe."""

    def __init__(self, run: RunRecord) -> None:
        self._run = run
        self._lock = threading.Lock()
        self._seqs: Mapping[int, Sequence[int]] | None = None

    def __call__(self, planned: PlannedRow) -> Sequence[PlannedRow]:
        """Those of one row, mostly none."""
        with self._lock:
            if self._seqs is None:
                self._seqs = self._run.contradictions()
        return [self._run.row(seq) for seq in self._seqs.get(planned.seq, ())]


def without_media(planned: PlannedRow, resolved: ResolvedTarget) -> RowResult:
    """The result so far of a row that names no media value."""
    assert resolved.beside is not None
    return RowResult(planned.seq, Status.UNCHANGED, notes=resolved.notes)


def difference(resolved: ResolvedTarget) -> Failure | None:
    """What a row says beside its file and the PIM does not hold, if anything."""
    said = resolved.beside
    if said is None:
        return None
    for value in said.changes:
        name = "-".join(filter(None, (value.attribute, value.locale, value.channel)))
        holds = "is empty" if value.before is None else f"is {value.before!r}"
        return Failure(
            Kind.VALUE_DIFFERS,
            f"the value {name} {holds}, and the row says {value.data!r}",
            "`akeneo-media upload` sets the value; if the PIM's is the right one, fix the manifest.",
        )
    if said.link is not None and said.link.change == "new":
        return Failure(
            Kind.VALUE_MISSING,
            f"the asset is not in {said.link.attribute} of {said.link.target}",
            "`akeneo-media upload` links it.",
        )
    return None


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
