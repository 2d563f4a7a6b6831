"""What a row sends, and the value of its resolved target."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from ..errors import Failure
from ..ledger import (
    Before,
    BorrowedValue,
    HeldBefore,
    HeldFile,
    InFlightMark,
    Interrupted,
    PlannedRow,
    RowResult,
)
from ..targets import ADAPTERS, TargetAdapter
from ..targets.resolved import ResolvedTarget
from .task import Known, UploadTask


@dataclass(slots=True)
class UploadPayload:
    """What an upload task is about: the planned row, and the value that its target turned out to be.

    `via` is the carrier's value that the file is uploaded to, `borrowed` what has to be restored there.
    `resumed` is what a run that died recorded of the row; `mtime_ns` and `stamp` are the file's when it was
    sent. `held` is what is known of the file that the value holds, if it holds one.
    """

    planned: PlannedRow
    resolved: ResolvedTarget
    resumed: Interrupted | None = None
    via: ResolvedTarget | None = None
    borrowed: BorrowedValue | None = None
    mtime_ns: int | None = None
    stamp: int | None = None
    held: HeldFile | None = None

    @property
    def place(self) -> TargetAdapter:
        """The adapter of the row's target."""
        return ADAPTERS[self.resolved.target.type]

    @property
    def sent_to(self) -> TargetAdapter:
        """The adapter of the target that its file is sent to."""
        return ADAPTERS[(self.via or self.resolved).target.type]

    @property
    def before(self) -> Before:
        """What the value held before anything was sent."""
        return self.resolved.before if self.resumed is None else self.resumed.before

    @property
    def held_before(self) -> HeldBefore:
        """`before`, with what is known of that file."""
        before = self.before
        if not isinstance(before, str):
            return before
        return self.held if self.held is not None and self.held.code == before else HeldFile(before)

    def own_size(self, sent: int) -> int:
        """Bytes of the row's own file, which are not those that are `sent` where it is converted."""
        return sent if self.planned.recipe is None else self.planned.size or 0

    def mark(self, sent: int, code: str | None = None) -> InFlightMark:
        """What the ledger records before so many bytes are sent, or before a stored file's `code` is set."""
        return InFlightMark(self.planned.seq, self.before, self.own_size(sent), self.mtime_ns, code)

    @property
    def replanned(self) -> bool:
        """Was the run that died sending another file?"""
        old, new = self.resumed, self.planned
        return old is not None and (old.name, old.size, old.mtime_ns, old.recipe) != (
            new.name,
            new.size,
            new.mtime_ns,
            new.recipe,
        )


class Reopened(NamedTuple):
    """A row that had its result and is to get another; `failure` says why, where it is sent again."""

    planned: PlannedRow
    failure: Failure | None


@dataclass(slots=True)
class Found:
    """The result of looking up a batch of rows.

    `known` are contents that the PIM turned out to have, `still` rows that were expected to be unchanged and
    are, `not_saved` rows that an earlier run left in flight and of which the PIM has nothing.
    """

    tasks: list[UploadTask] = field(default_factory=list)
    known: dict[str, Known] = field(default_factory=dict)
    results: list[tuple[PlannedRow, RowResult]] = field(default_factory=list)
    still: list[PlannedRow] = field(default_factory=list)
    reopened: list[Reopened] = field(default_factory=list)
    not_saved: list[int] = field(default_factory=list)


class LooksUp(Protocol):
    """Looks rows up in the PIM, before they are sent and after."""

    def look(self, batch: Any) -> Found:
        """The result of a batch of rows. Raises Trouble and AccessError."""

    def sent(self, task: UploadTask) -> None:
        """A row was uploaded."""

    def fits(self, resolved: ResolvedTarget, name: str, size: int) -> Failure | None:
        """Why the attribute does not take a file of this name and size in bytes, if it does not."""
