"""What follows when a file is in the PIM: is it sure that the PIM holds its bytes, and not another's?

See `docs/pim-behaviour.md`, "Swapped bytes".
"""

from __future__ import annotations

from collections.abc import Iterable

from ...errors import Failure, Kind
from ...rows import Status
from ..overlaps import Overlaps
from ..task import Event, Known, Looked, Proving, UploadTask, Verifying
from .flow import Flow
from .restoring import RestoreHandler
from .retrying import Retrying

SILENT_SWAPS = 2
"""So many swaps that no other answer betrayed show that a PIM is not to be sent equal names side by side."""


class ProveHandler:
    """Knows which uploads of one name met, and has those compared that may have the wrong bytes."""

    def __init__(self, flow: Flow, retrying: Retrying, restoring: RestoreHandler) -> None:
        self._flow = flow
        self._retrying = retrying
        self._restoring = restoring
        self._overlaps = Overlaps()

    def doubt(self, keys: Iterable[str], until: float) -> None:
        """Before the start: what an earlier run had in flight with these keys may be at work until then."""
        for key in keys:
            if key.startswith("name:"):
                self._overlaps.doubt(key, until)

    def sends(self, task: UploadTask, now: float) -> None:
        """A row's file goes out."""
        self._overlaps.begin(task, now)

    def arrived(self, task: UploadTask, media: Known, now: float, *, clean: bool) -> list[Event]:
        """A row's file is in the PIM: it was answered 201 (`clean`), or its value was looked at."""
        freed = self._overlaps.over(task, now, code=media.code, clean=clean)
        upload = self._overlaps.of(task)
        if upload is None or not (upload.met or upload.unclean):
            self._overlaps.forget(task)
            return self._restoring.stored(task, media, now) + self._go_on(freed, now)
        # Its own answer was lost: what the look found is compared once nobody can change it any more.
        upload.unclean |= not clean
        self._flow.queues.wait_without_keys(task, Proving(media))
        return self._go_on([*freed, task], now)

    def failed(self, task: UploadTask, now: float) -> list[Event]:
        """A row's upload is over, and was not answered 201."""
        freed = self._overlaps.over(task, now)
        self._overlaps.forget(task)
        return self._go_on(freed, now)

    def crashed(self, task: UploadTask, now: float) -> list[Event]:
        """The PIM answered 500: it is at work on the upload no more, but may have done all of it."""
        return self._go_on(self._overlaps.over(task, now), now)

    def lost(self, task: UploadTask, now: float, settled_at: float) -> list[Event]:
        """How a row's upload ended is not known, and will not be; it is over at `settled_at`."""
        freed = self._overlaps.lost(task, now, settled_at)
        self._overlaps.forget(task)
        return self._go_on(freed, now)

    def verified(self, task: UploadTask, state: Verifying, looked: Looked, now: float) -> list[Event]:
        """The row's bytes were compared with those that the PIM has."""
        flow, tries, upload = self._flow, task.tries, self._overlaps.of(task)
        self._overlaps.forget(task)
        if looked.ours or (looked.ours is None and task.name_alone):
            return self._restoring.stored(task, state.media, now)
        task.suspect = task.tainted = True
        if looked.ours is None:
            # Who may not download cannot prove anything: one after the other needs no proof.
            flow.one_by_one = True
            tries.last = Failure(
                Kind.VALUE_LOST,
                "it was sent beside others of its name, and the PIM's copy cannot be downloaded to compare",
                "the row is sent again by itself; give the user the right to read media files, or use "
                "--same-names serial",
            )
        else:
            if upload is not None and not upload.unclean:
                self._swapped_silently()
            tries.failed += 1
            tries.last = Failure(
                Kind.VALUE_LOST,
                "the PIM answered 201, but the media file has other bytes than were sent",
                "an upload of the same file name reached the PIM at the same moment; the row is sent again",
            )
        if self._retrying.spent(task):
            return flow.end(task, Status.FAILED, now)
        # It holds no keys now, or its name alone already.
        task.name_alone = True
        return self._retrying.again(task, now)

    def _swapped_silently(self) -> None:
        flow = self._flow
        flow.silent_swaps += 1
        before = flow.policy.silent_swaps
        if before is not None and before + flow.silent_swaps >= SILENT_SWAPS:
            flow.one_by_one = True

    def _go_on(self, tasks: Iterable[UploadTask], now: float) -> list[Event]:
        """Of these rows, those that wait for no other any more are done, or are compared."""
        events: list[Event] = []
        for task in tasks:
            upload, state = self._overlaps.of(task), task.state
            if upload is None or upload.beside or not isinstance(state, Proving):
                continue
            if not (upload.unclean or upload.twin or self._flow.one_by_one):
                self._overlaps.forget(task)
                events += self._restoring.stored(task, state.media, now)
                continue
            task.state, task.suspect = Verifying(state.media), True
            if upload.not_before > now:
                self._flow.queues.later(upload.not_before, task)
            else:
                self._flow.queues.follow_up(task)
        return events
