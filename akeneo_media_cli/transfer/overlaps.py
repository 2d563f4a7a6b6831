"""Which uploads of one file name were under way together, and which of them must be compared byte for byte.

Two uploads of one name can get one media code, and then one of them holds the other's bytes although it was
answered 201 (docs/pim-behaviour.md, "Swapped bytes"). They must have been at work at the same time for that,
and the other one betrays it: it is answered 500, gets no answer, or gets the same code. So an upload that met
another one is believed only when that one has ended too, and without a comparison only if both ended well.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from .task import UploadTask

STALE_SECONDS = 60.0
"""Seconds in which a file name stays suspect after its request counts as over."""


_EARLIER = -1
"""In the place of a row's seq: rows of an earlier run."""


@dataclass(slots=True, eq=False)
class Upload:
    """One upload, and what is known of the others of its name that were under way at the same time.

    `met` any others at all; `beside` are those of them that are not over, and `told` those that hear when
    this one is. `unclean`: one of them did not end in a 201, or may still be at work from earlier on. `twin`:
    one of them was answered with the same code. `not_before` is when those of them are over that no answer
    will tell of.
    """

    task: UploadTask
    met: bool = False
    beside: set[Upload] = field(default_factory=set)
    told: set[Upload] = field(default_factory=set)
    codes: set[str] = field(default_factory=set)
    code: str | None = None
    unclean: bool = False
    twin: bool = False
    not_before: float = 0.0

    def meet(self, other: Upload) -> None:
        """They are under way together."""
        self.met = True
        self.beside.add(other)
        self.told.add(other)

    def hear(self, other: Upload, over_at: float, *, clean: bool) -> None:
        """Another one is over, or will be at a time."""
        self.beside.discard(other)
        self.not_before = max(self.not_before, over_at)
        self.unclean |= not clean
        if other.code is not None:
            self.codes.add(other.code)
            self.twin |= other.code == self.code


class Overlaps:
    """Every upload that is under way, by file name. No threads, no clock: it is told the time."""

    def __init__(self) -> None:
        self._open: dict[str, set[Upload]] = {}
        self._uploads: dict[UploadTask, Upload] = {}
        self._stale: dict[str, dict[int, tuple[float, float]]] = {}

    def doubt(self, name: str, over_at: float) -> None:
        """Before the start: uploads of this name that an earlier run got no answer to are over at a time."""
        self._stale.setdefault(name, {})[_EARLIER] = (over_at, over_at + STALE_SECONDS)

    def begin(self, task: UploadTask, now: float) -> None:
        """An upload goes out, or an earlier run's may still be at work."""
        if task.name is None:
            return
        upload = self._uploads[task] = Upload(task)
        others = self._open.setdefault(task.name, set())
        for other in others:
            upload.meet(other)
            other.meet(upload)
        others.add(upload)
        if task.name in self._stale:
            self._meet_stale(upload, task.name, now)

    def over(
        self, task: UploadTask, now: float, *, code: str | None = None, clean: bool = False
    ) -> list[UploadTask]:
        """A row's upload ended, `clean` if it was answered 201; the rows that may have waited for it."""
        upload = self._uploads.get(task)
        if upload is None or not self._close(upload):
            return []
        upload.code = code
        upload.twin = code is not None and code in upload.codes
        return self._tell(upload, now, clean=clean)

    def lost(self, task: UploadTask, now: float, settled_at: float) -> list[UploadTask]:
        """Nobody will learn how a row's upload ended: it counts as over at `settled_at`, and is not trusted
        for a while after; the rows that may have waited for it.
        """
        upload = self._uploads.get(task)
        if upload is None or not self._close(upload):
            return []
        over_at = max(now, settled_at)
        self._stale.setdefault(task.name or "", {})[task.seq] = (over_at, over_at + STALE_SECONDS)
        return self._tell(upload, over_at, clean=False)

    def of(self, task: UploadTask) -> Upload | None:
        """The row's latest upload, until it is forgotten."""
        return self._uploads.get(task)

    def forget(self, task: UploadTask) -> None:
        """The row's upload is over, and it waits for no other."""
        self._uploads.pop(task, None)

    def _close(self, upload: Upload) -> bool:
        name = upload.task.name or ""
        others = self._open.get(name, set())
        if upload not in others:
            return False
        others.remove(upload)
        if not others:
            del self._open[name]
        return True

    def _tell(self, upload: Upload, over_at: float, *, clean: bool) -> list[UploadTask]:
        told: Iterable[Upload] = upload.told
        for other in told:
            other.hear(upload, over_at, clean=clean)
        # Without this, one upload would keep the memory of all before it.
        upload.told = set()
        return [other.task for other in told if not other.beside]

    def _meet_stale(self, upload: Upload, name: str, now: float) -> None:
        """Requests of other rows that were given up may still be at work."""
        stale = self._stale[name]
        for seq, (over_at, until) in list(stale.items()):
            if until <= now:
                del stale[seq]
            elif seq != upload.task.seq:
                upload.unclean = True
                upload.not_before = max(upload.not_before, over_at)
        if not stale:
            del self._stale[name]
