"""A row on its way, the calls it makes and what they may come back with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any, NamedTuple

from ..errors import Failure, MediaError
from ..rows import Status


class Phase(Enum):
    """What a row needs next."""

    SEND = auto()
    """Its file is to be sent."""
    CONFIRM = auto()
    """A call of its may have been done although no answer said so: ask whether the value became ours."""
    VERIFY_BYTES = auto()
    """It was answered 201 while a call with the same file name may have been at work: compare the bytes."""
    RESTORE = auto()
    """Its file went up through another product's value: that is to be put back as it was."""
    ATTACH = auto()
    """Its file is in the PIM: the code is to be set by a batch PATCH."""


@dataclass(slots=True, eq=False)
class UploadTask:
    """One row on its way to its end; what it is about (`row`) is the courier's business.

    `keys` are taken by this row alone for as long as a call of its may be at work, `tree` together with
    others of the same product model tree, unless it met a deadlock there and goes `alone`.
    `group` names the batches that it may share an attaching call with, and `attach_keys` are what it holds
    then. Rows of one `content` need it sent only once: the first is sent, its `followers` get its code.

    `attaches`: sending the file alone does not set the row's value. `borrows`: the file goes up through
    another product's value, which is put back. `carried`: the row cannot send its file at all.
    `doubtful`: its `code` comes from an earlier run; if the PIM refuses it the file is sent.
    `own`: its `trouble` is with where its file comes from, not with the PIM. `spared`: a try that died with a
    kept connection was not counted.
    """

    row: Any
    seq: int
    size: int
    keys: tuple[str, ...]
    tree: str | None = None
    attach_keys: tuple[str, ...] = ()
    group: str | None = None
    content: str | None = None
    attaches: bool = False
    borrows: bool = False
    carried: bool = False
    followers: list[UploadTask] = field(default_factory=list)
    phase: Phase = Phase.SEND
    alone: bool = False
    attempts: int = 0
    failures: int = 0
    trouble: Failure | None = None
    own: bool = False
    spared: bool = False
    deep: bool = False
    uncertain: bool = False
    deadlocked: bool = False
    code: str | None = None
    doubtful: bool = False
    sha256: str | None = None
    sent: int = 0
    began: float | None = None
    seconds: float = 0.0
    blind: int = 0
    asks: int = 0
    settled_at: float = 0.0
    due: float = 0.0
    completed_at_start: int | None = None
    completed_at_trouble: int | None = None

    @property
    def exclusive(self) -> tuple[str, ...]:
        """The keys that nobody else may have meanwhile."""
        if self.phase is Phase.ATTACH:
            return self.attach_keys
        return (*self.keys, self.tree) if self.alone and self.tree else self.keys

    @property
    def shared(self) -> tuple[str, ...]:
        """The keys that others may have too."""
        return (self.tree,) if self.tree and (not self.alone or self.phase is Phase.ATTACH) else ()


class RequestKind(Enum):
    """What a call is for."""

    PREPARE = auto()
    """Look up a batch of rows in the PIM before anything of them is sent."""
    SEND = auto()
    CONFIRM = auto()
    VERIFY_BYTES = auto()
    RESTORE = auto()
    ATTACH = auto()

    @property
    def writes(self) -> bool:
        """Does it change anything in the PIM?"""
        return self in (RequestKind.SEND, RequestKind.RESTORE, RequestKind.ATTACH)


@dataclass(slots=True, eq=False)
class Request:
    """One thing for a worker to do now; rows of an attaching batch are several, else one.

    Of an attaching batch rows of one entity stand together: they are one line of the PATCH.
    `in_flight` counts the calls at work when it went out, itself included.
    """

    kind: RequestKind
    tasks: Sequence[UploadTask] = ()
    batch: Any = None
    failures: int = 0
    completed_at_start: int = 0
    completed_at_trouble: int | None = None
    in_flight: int = 0
    probe: bool = False

    @property
    def task(self) -> UploadTask:
        """The only row of a call that is about one."""
        return self.tasks[0]


class Known(NamedTuple):
    """A media file that the PIM has, by its code; `doubtful` if only an earlier run's word is for it."""

    code: str
    sha256: str | None
    doubtful: bool = False


@dataclass(frozen=True)
class Stored:
    """The PIM took the file: 201 and a Location. `saving` is the seconds from the last byte to the answer."""

    code: str
    sha256: str | None
    sent: int
    saving: float


@dataclass(frozen=True)
class Refused:
    """Pointless to try again."""

    failure: Failure
    sent: int = 0


@dataclass(frozen=True)
class Troubled:
    """Worth trying again. `maybe_done`: the PIM may have done, or be doing, what it was asked.

    `own`: it is the row's own trouble, with where its file comes from, and says nothing of the PIM.
    `waited`: the seconds that the PIM had been at work on it when the call was given up. `reused`: it died
    with a connection that the other side may simply have closed.
    """

    failure: Failure
    throttled: bool = False
    retry_after: float | None = None
    maybe_done: bool = False
    own: bool = False
    sent: int = 0
    waited: float = 0.0
    reused: bool = False


@dataclass(frozen=True)
class Looked:
    """What a reading back found: is the value ours? None: it cannot be told."""

    ours: bool | None
    code: str | None = None


@dataclass(frozen=True)
class Prepared:
    """A batch was looked up: these rows are to be sent; the others have got their word already.

    `known` are contents that the PIM turned out to have.
    """

    tasks: Sequence[UploadTask]
    known: Mapping[str, Known] = field(default_factory=dict)


@dataclass(frozen=True)
class Restored:
    """The other product's value is as it was."""


@dataclass(frozen=True)
class Attached:
    """Row by row what a batch PATCH came to: None for taken, a failure, or trouble; no line is trouble."""

    lines: Sequence[Failure | Troubled | None]


@dataclass(frozen=True)
class Fatal:
    """The run cannot go on."""

    error: MediaError


Outcome = Stored | Refused | Troubled | Looked | Prepared | Restored | Attached | Fatal


@dataclass(slots=True)
class Ended:
    """A row's last word. `uncertain`: the PIM may still turn out to have it, the next run must look.

    `shared`: the row got the media file that another one sent.
    """

    task: UploadTask
    status: Status
    failure: Failure | None = None
    uncertain: bool = False
    shared: bool = False
