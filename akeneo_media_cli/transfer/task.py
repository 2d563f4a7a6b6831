"""A row on its way to the PIM: its states, its requests, and their outcomes.

                      another run died while sending it
                                  │
                                  ▼
                              Resumed ──keys taken──► Confirming (or Verifying, where its code is known)
    ┌────────────────────────────────────────────────────┐ ▲
    │ try again, after a pause                    not ours│ │
    ▼                                                     │ │
  Sending ──── no clear answer ───────────────────────────┼─┘
    │   │                                                 │
    │   └── no clear answer, and no read can tell ──► Settling ──time over──► Sending or Attaching
    │
    ├── 201, or found, beside another of its name ──► Proving ──the others are over──┐
    │                                                    │                           ▼
    │                                   all answered 201 │         Sending ◄── Verifying
    │                                                    ▼        other bytes        │
    └── 201, or found by Confirming ◄────────────────────┴───────────── same bytes ──┘
            │
            ├── sent through another product's value ──► Restoring ──┐
            │                                                        ▼
            ├── the file is only stored, no value set ──────────► Attaching ──► Finished
            │
            └── the value is set ─────────────────────────────────────────────► Finished

A row is `Finished` too when it is refused or its tries are spent, from whatever state it is in.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any, NamedTuple

from ..errors import Failure, MediaError
from ..frozen import frozen
from ..rows import Status


class Known(NamedTuple):
    """A media file that the PIM has, by its code; `doubtful` if only an earlier run says so."""

    code: str
    sha256: str | None
    doubtful: bool = False


@frozen
class Sending:
    """Its file is to be sent."""


@frozen
class Resumed:
    """An earlier run died while it was sending the file: the PIM is asked first.

    `media` is what the PIM had answered to that run, where sending the file alone sets no value.
    """

    media: Known | None = None


@frozen
class Confirming:
    """A request had no clear answer: does the value hold our file? Until `settled_at` it may still appear.

    `looks` answered that it is not there (yet); `failed_looks` in a row got no answer.
    """

    settled_at: float
    looks: int = 0
    failed_looks: int = 0


@frozen
class Settling:
    """A request had no clear answer and no read can tell: wait until it is over, then go on with `then`."""

    settled_at: float
    then: Sending | Attaching


@frozen
class Proving:
    """Answered 201 beside uploads of the same name: its bytes are sure only once those are over."""

    media: Known


@frozen
class Verifying:
    """Answered 201, but an upload of the same name may have swapped the bytes: download and compare."""

    media: Known
    failed_looks: int = 0


@frozen
class Restoring:
    """The file was uploaded to another product's value, which must get its own media file back.

    `settled_at` is when a request whose answer was lost is over.
    """

    media: Known
    failures: int = 0
    settled_at: float = 0.0


@frozen
class Attaching:
    """The file is in the PIM; its code is to be set by a batch PATCH."""

    media: Known


@frozen
class Finished:
    """Nothing more is done for the row in this run."""

    media: Known | None = None


State = Sending | Resumed | Confirming | Settling | Proving | Verifying | Restoring | Attaching | Finished


@dataclass(slots=True)
class Tries:
    """The results of a row's requests so far.

    The file was sent `made` times; `failed` tries count against `--retries`. `last` is the last trouble,
    `own` if it was with the source of the file and not with the PIM. `met_500`: the PIM itself answered a
    500. `spared`: a request that died with a kept-alive connection was not counted; the second one is.
    `began` is when the first request was sent, `over` when the last one ended, in monotonic seconds;
    `completed_at_trouble` is how many writes of this run had succeeded at the first trouble. `excused`:
    the last trouble is not the row's fault. `lingers`: the last request was given up while the PIM was
    still at work on it. `untold` counts the requests after which it was unknown whether the file had
    arrived. `refused_for_size` counts the answers that a file too large for the PIM gets, `too_large`
    says so; `cut_before` is 1 after one that may have been such an answer.
    """

    made: int = 0
    failed: int = 0
    last: Failure | None = None
    own: bool = False
    met_500: bool = False
    spared: bool = False
    began: float | None = None
    over: float | None = None
    completed_at_trouble: int | None = None
    excused: bool = False
    lingers: bool = False
    untold: int = 0
    refused_for_size: int = 0
    cut_before: int = 0
    too_large: Failure | None = None


@dataclass(slots=True, eq=False)
class UploadTask:
    """One row on its way. What it is about (`row`) is the executor's business.

    `keys` are the row's alone while a request of its may be at work; `tree` is shared with other rows of the
    same product model tree, unless it is `alone`, and `name` with others whose files are called so, unless
    it is `name_alone`. `group` names the batches that it may be attached in, and `attach_keys` are held
    meanwhile. Rows of one `content` need it sent only once.

    `attaches`: sending the file alone does not set the row's value. `borrows`: the file is uploaded to
    another product's value, which is restored. `carried`: the row cannot send its file at all.
    `suspect`: the value counts as ours only after its bytes were compared. `tainted`: it may hold
    other bytes under the row's name and size, which only a run that looks at them can tell.
    """

    row: Any
    seq: int
    size: int
    keys: tuple[str, ...]
    tree: str | None = None
    name: str | None = None
    attach_keys: tuple[str, ...] = ()
    group: str | None = None
    content: str | None = None
    attaches: bool = False
    borrows: bool = False
    carried: bool = False
    suspect: bool = False
    tainted: bool = False
    alone: bool = False
    name_alone: bool = False
    state: State = field(default_factory=Sending)
    tries: Tries = field(default_factory=Tries)

    @property
    def media(self) -> Known | None:
        """The row's file in the PIM, where it is known to be there."""
        match self.state:
            case Proving(media) | Verifying(media) | Restoring(media) | Attaching(media):
                return media
            case Settling(_, Attaching(media)) | Finished(media):
                return media
        return None

    @property
    def is_attaching(self) -> bool:
        """Is setting the code all that is left to do?"""
        match self.state:
            case Attaching() | Settling(_, Attaching()):
                return True
        return False

    @property
    def in_doubt(self) -> bool:
        """Was something done in the PIM that nobody has confirmed?"""
        return isinstance(self.state, (Confirming, Settling, Proving, Verifying, Restoring))

    @property
    def settled_at(self) -> float:
        """When no request of the row can be at work any more; 0 where none is."""
        match self.state:
            case Confirming(settled_at) | Settling(settled_at) | Restoring(_, _, settled_at):
                return settled_at
        return 0.0

    def once_more(self, row: Any, trouble: Failure) -> UploadTask:
        """The same row after its value was lost: its file is attached again, or sent again."""
        media = self.media if self.attaches or not self.tries.made else None
        return UploadTask(
            row,
            self.seq,
            self.size,
            self.keys,
            tree=self.tree,
            name=self.name,
            attach_keys=self.attach_keys,
            group=self.group,
            content=self.content,
            attaches=self.attaches,
            borrows=self.borrows,
            carried=self.carried,
            state=Sending() if media is None else Attaching(media),
            tries=Tries(self.tries.made, last=trouble, began=self.tries.began),
        )

    @property
    def exclusive(self) -> tuple[str, ...]:
        """The keys that no other row may hold meanwhile."""
        if self.is_attaching:
            return self.attach_keys
        if self._only_proven:
            return ()
        keys = (*self.keys, self.tree) if self.alone and self.tree else self.keys
        return (*keys, self.name) if self.name_alone and self.name else keys

    @property
    def shared(self) -> tuple[str, ...]:
        """The keys that other rows may share."""
        if self._only_proven:
            return ()
        tree = (self.tree,) if self.tree and (not self.alone or self.is_attaching) else ()
        return tree if self.name is None or self.name_alone or self.is_attaching else (*tree, self.name)

    @property
    def _only_proven(self) -> bool:
        """Are its requests over, and only its bytes in question? Then others may have its keys."""
        # What was borrowed is the row's until it is restored.
        return isinstance(self.state, (Proving, Verifying)) and not self.borrows


class Later(NamedTuple):
    """In place of a batch: there is one more, but not before this time (on the run's clock)."""

    until: float


LASTING = 120.0
"""Seconds that an answer may count in a look-up that is still unfinished: then others may have saved."""


class RequestKind(Enum):
    """What a request is for."""

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
    """One thing for a worker to do now, for one row; for several only when attaching.

    Rows of one entity are next to each other in an attaching batch: they are one line of the PATCH.
    `in_flight` counts the requests at work when this one started, itself included; `number` is its place in
    the order in which they started.
    """

    kind: RequestKind
    tasks: Sequence[UploadTask] = ()
    batch: Any = None
    failures: int = 0
    completed_at_trouble: int | None = None
    in_flight: int = 0
    number: int = 0
    probe: bool = False
    answers: dict[str, Any] = field(default_factory=dict)
    """Of a look-up of several calls: those of earlier tries, which are not made again."""
    _answered: int = 0
    _answered_at: float = -math.inf

    def got_further(self, now: float) -> bool:
        """Did a look-up that met trouble get further than at its last try? Then the PIM is up.

        Forgets the answers once they are too old to go on with.
        """
        if len(self.answers) > self._answered:
            self._answered, self._answered_at = len(self.answers), now
            return True
        if now - self._answered_at > LASTING:
            self.answers.clear()
            self._answered = 0
        return False

    @property
    def task(self) -> UploadTask:
        """The only row of a request that is about one."""
        return self.tasks[0]


@frozen
class Stored:
    """The PIM took the file: 201 and a Location. `saving` is the seconds from the last byte to the answer."""

    code: str
    sha256: str | None
    sent: int
    saving: float


@frozen
class Refused:
    """Refused for good: pointless to try again."""

    failure: Failure


@frozen
class Troubled:
    """Worth a retry. `maybe_done`: the PIM may have done, or be doing, what it was asked.

    `own`: the trouble is with the source of the row's file and says nothing about the PIM.
    `waited`: the seconds that the PIM had been at work when the request was given up. `reused`: it died with
    a connection that the other side may simply have closed. `outage`: something answered in the PIM's place.
    `oversize`: what is wrong with the file if it meets this once more.
    """

    failure: Failure
    throttled: bool = False
    retry_after: float | None = None
    maybe_done: bool = False
    own: bool = False
    waited: float = 0.0
    reused: bool = False
    outage: bool = False
    oversize: Failure | None = None


@frozen
class Looked:
    """What a look at the value found: is it ours? None: unknown. `alike`: it has its name and size."""

    ours: bool | None
    code: str | None = None
    alike: bool = False


@frozen
class Prepared:
    """A batch was looked up: these rows are to be sent, the others are finished.

    `known` are contents that the PIM turned out to have.
    """

    tasks: Sequence[UploadTask]
    known: Mapping[str, Known] = field(default_factory=dict)


@frozen
class Restored:
    """The other product's value holds what it held before."""


@frozen
class Attached:
    """The result of a batch PATCH row by row: None for accepted, a failure, or trouble."""

    lines: Sequence[Failure | Troubled | None]


@frozen
class Fatal:
    """The run cannot go on."""

    error: MediaError


Outcome = Stored | Refused | Troubled | Looked | Prepared | Restored | Attached | Fatal


@frozen
class Ended:
    """A row is finished. `uncertain`: the PIM may still turn out to have the file, so the next run must look.

    `shared`: the row got the media file that another row sent.
    """

    task: UploadTask
    status: Status
    failure: Failure | None = None
    uncertain: bool = False
    shared: bool = False


@frozen
class Retried:
    """A request of a row is made again, `delay` seconds from now, because of this failure."""

    task: UploadTask
    failure: Failure
    delay: float


Event = Ended | Retried
