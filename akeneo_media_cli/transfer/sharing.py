"""Which rows want the same media file: it is sent once, and the others get its code.

See `docs/pim-behaviour.md`, "Sharing one media file".
"""

from __future__ import annotations

from collections import OrderedDict
from enum import Enum, auto
from typing import NamedTuple, TypeVar

from ..errors import Failure, Kind
from ..rows import Status
from .task import Known, UploadTask

KEPT = 50_000
"""Contents that are remembered; a row whose content was forgotten sends its file again."""

SHA256 = "sha256:"
"""How a content begins that is identified by its bytes, not by its path."""

T = TypeVar("T")


class Ruined(NamedTuple):
    """Why a content was not uploaded."""

    status: Status
    failure: Failure | None


class Join(Enum):
    """What a row must do whose file is not in the PIM yet."""

    SEND = auto()
    WAIT = auto()


NOBODY = Ruined(
    Status.FAILED,
    Failure(
        Kind.NO_CARRIER,
        "no other row uploaded this file, and the PIM accepts no upload for a product without identifier",
        "Fix the row with this file, or name a product to upload it to: --carrier IDENTIFIER:ATTRIBUTE.",
    ),
)


class Sharing:
    """Contents that the PIM has, and rows that wait for one that is being sent. No threads, no clock."""

    def __init__(self, *, off: bool = False) -> None:
        self.waiting = 0
        """How many rows wait for another row to send their file."""
        self.off = off
        """Every row that can send its file does: it was asked for, or the user may not set codes."""
        self._known: OrderedDict[str, Known] = OrderedDict()
        self._leaders: dict[str, UploadTask] = {}
        self._followers: dict[str, list[UploadTask]] = {}
        self._ruined: OrderedDict[str, Ruined] = OrderedDict()

    def learn(self, content: str, known: Known) -> None:
        """The PIM has a content; what this run saw itself replaces doubtful knowledge."""
        if content not in self._known or not known.doubtful:
            _keep(self._known, content, known)

    def join(self, task: UploadTask) -> Known | Ruined | Join:
        """What a row has to do: take this code, end like the row that it depends on, be sent, or wait."""
        content = task.content
        if content is None:
            return Join.SEND
        if self.off and not task.carried:
            self._leaders.setdefault(content, task)
            return Join.SEND
        known = self._known.get(content)
        if known is not None:
            return known
        if content in self._leaders:
            self._followers.setdefault(content, []).append(task)
            self.waiting += 1
            return Join.WAIT
        if task.carried:
            return self._ruined.get(content, NOBODY)
        self._leaders[content] = task
        return Join.SEND

    def stored(self, task: UploadTask, media: Known | None) -> list[UploadTask]:
        """A row's file is in the PIM; the rows that waited for it have to join again."""
        content = task.content
        if content is None or media is None:
            return []
        changed = content.startswith(SHA256) and media.sha256 and SHA256 + media.sha256 not in content
        if not changed:
            self.learn(content, Known(media.code, media.sha256))
        return self._dismissed(task)

    def failed(self, task: UploadTask, status: Status, failure: Failure | None) -> list[UploadTask]:
        """A row's file was not uploaded; the rows that waited for it have to join again.

        The first that can send it does so for the others.
        """
        content = task.content
        if content is None or self._leaders.get(content) is not task:
            return []
        _keep(self._ruined, content, Ruined(status, failure))
        return sorted(self._dismissed(task), key=lambda follower: follower.carried)

    def refuted(self, task: UploadTask) -> None:
        """The PIM refuses a code that only an earlier run knew."""
        content, media = task.content or "", task.media
        known = self._known.get(content)
        if known is not None and media is not None and known.code == media.code and known.doubtful:
            del self._known[content]

    def _dismissed(self, leader: UploadTask) -> list[UploadTask]:
        content = leader.content or ""
        if self._leaders.get(content) is not leader:
            return []
        del self._leaders[content]
        followers = self._followers.pop(content, [])
        self.waiting -= len(followers)
        return followers


def _keep(kept: OrderedDict[str, T], content: str, what: T) -> None:
    kept[content] = what
    kept.move_to_end(content)
    while len(kept) > KEPT:
        kept.popitem(last=False)
