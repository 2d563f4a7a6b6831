"""Downloads files from the PIM: what `download` and `media download` have in common.

An executor that reads. It uses the coordinator of uploads, so that the limiter, the retries and the
handling of an interruption are the same both ways.
"""

from __future__ import annotations

import errno
import threading
from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import BinaryIO

from ..errors import Failure, Kind, TemporaryError
from ..ledger import PlannedRow, RowResult, Run
from ..ledger.codec import to_item
from ..pim.answers.types import Downloaded, MediaFile
from ..pim.api.calls import resuming
from ..pim.client import PimClient
from ..progress.base import Progress
from ..rows import Status, Target, TargetType
from ..storage import printable
from ..storage.saving import Occupied, Saved, Saver, WrongSize
from .environment import Figures
from .outcomes import outcome_of
from .task import Ended, Outcome, Refused, Request, RequestKind, Stored, Troubled, UploadTask

_FULL = (errno.ENOSPC, errno.EDQUOT)


@dataclass
class ReceivedFigures(Figures):
    """As for an upload, with the bytes of files that came, those of tries that failed included."""

    bytes_received: int = 0


@dataclass(slots=True)
class Parcel:
    """A media file to download: the row it is for, its code, and its path once that is known."""

    planned: PlannedRow
    code: str
    path: str | None = None
    target: Target | None = None
    notes: tuple[str, ...] = ()
    saved: Saved | None = None


@dataclass
class Surroundings:
    """What a downloader needs. `clock` gives monotonic seconds, `pace` holds the bandwidth limit."""

    client: PimClient
    run: Run
    progress: Progress
    clock: Callable[[], float]
    pace: Callable[[int], None] | None = None
    figures: ReceivedFigures = field(default_factory=ReceivedFigures)


class Fetcher:
    """Downloads media files. Called from many threads."""

    def __init__(self, surroundings: Surroundings, *, overwrite: bool) -> None:
        self._with = surroundings
        self._client = surroundings.client
        self._overwrite = overwrite
        self.saver = Saver()
        self._lock = threading.Lock()
        self._arrived: dict[str, tuple[str, Saved]] = {}

    def perform(self, request: Request, meanwhile: Callable[[], None]) -> Outcome:
        """Look up rows, or download the file of one."""
        meanwhile()
        if request.kind is RequestKind.PREPARE:
            with resuming(request.answers):
                return outcome_of(lambda: self.prepare(request.batch))
        return outcome_of(lambda: self._fetch(request.task))

    @abstractmethod
    def prepare(self, batch: Sequence[PlannedRow]) -> Outcome:
        """The rows of a batch whose files are to be downloaded; the others get their result here."""

    @abstractmethod
    def place(self, parcel: Parcel, media: MediaFile | None) -> str:
        """The path for a file. `media`: what the PIM says about it, if anything."""

    def _fetch(self, task: UploadTask) -> Outcome:
        parcel: Parcel = task.row
        there = self._arrived.get(parcel.path or "")
        if there is not None and there[0] == parcel.code:
            parcel.saved = replace(there[1], written=False)
            return Stored(parcel.code, parcel.saved.sha256, 0, 0.0)
        media: MediaFile | None = None
        kind = parcel.target.type if parcel.target else TargetType.PRODUCT
        if kind not in _BARE:
            media = self._client.media_file(parcel.code)
            if media is None:
                return Refused(unknown_media(parcel.code))
        parcel.path = path = self.place(parcel, media)
        if parcel.target is not None:
            self._with.progress.row_started(
                parcel.planned.seq,
                file=parcel.planned.row.file,
                target=parcel.target,
                size=media.size if media else 0,
                attempt=task.tries.made,
            )
        download = _BARE.get(kind, PimClient.download_media_file)

        def fetch(into: BinaryIO) -> Downloaded:
            return download(self._client, parcel.code, into, lambda size: self._heard(parcel, size))

        try:
            parcel.saved = self.saver.save(
                path,
                fetch,
                size=media.size if media else None,
                # A file that another row of this run put there is kept.
                overwrite=self._overwrite and path not in self._arrived,
            )
        except Occupied as occupied:
            return Refused(occupied.failure)
        except WrongSize as wrong:
            return _wrong_size(str(wrong), task.tries.made)
        except OSError as error:
            return _unwritable(path, error)
        self._arrived[path] = parcel.code, parcel.saved
        return Stored(parcel.code, parcel.saved.sha256, parcel.saved.size, 0.0)

    def _heard(self, parcel: Parcel, size: int) -> None:
        with self._lock:
            self._with.figures.bytes_received += size
        self._with.progress.row_sent(parcel.planned.seq, size)
        if self._with.pace is not None:
            self._with.pace(size)

    # Results of rows.

    def ended(self, ended: Ended) -> None:
        """Write a row's result to the ledger, then show it."""
        task, parcel, status = ended.task, ended.task.row, ended.status
        saved: Saved | None = parcel.saved
        if status is Status.UPLOADED and saved is not None:
            status = Status.DOWNLOADED if saved.written else Status.UNCHANGED
        took = None if task.tries.began is None else round(self._with.clock() - task.tries.began, 3)
        result = RowResult(
            parcel.planned.seq,
            status,
            failure=ended.failure,
            media_code=parcel.code,
            sha256=saved.sha256 if saved else None,
            attempts=task.tries.made,
            duration=took,
            notes=parcel.notes,
            size=saved.size if saved else None,
            mtime_ns=saved.mtime_ns if saved else None,
        )
        self._with.run.record([result])
        self.finished(parcel.planned, result)

    def finished(self, planned: PlannedRow, result: RowResult) -> None:
        """Show a row's result, which is in the ledger."""
        planned.status, planned.failure, planned.media_code = result.status, result.failure, result.media_code
        planned.sha256, planned.size = result.sha256 or planned.sha256, result.size or planned.size
        planned.attempts, planned.duration = result.attempts or 0, result.duration
        planned.notes += result.notes
        self._with.progress.row_finished(planned.seq, to_item(planned))


_BARE: dict[TargetType, Callable[..., Downloaded]] = {
    TargetType.ASSET: PimClient.download_asset_media,
    TargetType.RECORD: PimClient.download_record_media,
    TargetType.CATEGORY: PimClient.download_category_media,
}
"""Where the PIM gives the bytes alone: no name, no size
(docs/pim-behaviour.md, "Assets and reference entities")."""


def unknown_media(code: str) -> Failure:
    """The PIM has no media file of this code."""
    return Failure(
        Kind.MEDIA_UNKNOWN,
        f"the PIM has no media file {printable(code)}",
        "`akeneo-media media list` shows the codes. Copy a code completely, with its slashes.",
        404,
    )


def _wrong_size(message: str, attempts: int) -> Outcome:
    failure = Failure(
        Kind.VALUE_DIFFERS, message, "The file is damaged in the PIM's storage: upload it to its value again."
    )
    # A proxy may have cut it short once; if it happens again, the PIM contradicts itself.
    return Troubled(failure) if attempts < 2 else Refused(failure)


def _unwritable(path: str, error: OSError) -> Outcome:
    reason = error.strerror or str(error)
    if error.errno in _FULL:
        raise TemporaryError(
            f"{printable(path)} cannot be written: {reason}",
            "Free space on the disk; the same command resumes.",
            Kind.FILE_UNWRITABLE,
        )
    return Refused(
        Failure(
            Kind.FILE_UNWRITABLE,
            f"{printable(path)} cannot be written: {reason}",
            "Let this user write there, or download to another folder.",
        )
    )
