"""Makes the requests that the coordinator decides on, and reports the outcome of each.

It knows the PIM's client, the ledger and the files; it decides nothing about retries.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from contextlib import closing
from typing import TYPE_CHECKING

from ..errors import Failure, Kind
from ..ledger import UNKNOWN, BorrowedValue, HeldFile, InFlightState, PlannedRow, RowResult, Run
from ..ledger.codec import to_item
from ..pim.api.calls import resuming
from ..pim.client import PimClient
from ..pim.errors import Refusal, SourceTrouble, Trouble
from ..pim.http.multipart import PIECE, FileBody, ValueRef
from ..pim.http.throttle import Throttle
from ..progress.base import Progress
from ..rows import Status
from ..storage.links import too_slow
from ..storage.sources import AnySource, Sources
from ..targets import TargetAdapter
from ..targets.carrier import restore, settle_debt
from ..targets.resolved import ResolvedTarget
from .outcomes import line_outcome, outcome_of
from .payload import LooksUp, Reopened, UploadPayload
from .retry import SaveTimes
from .task import (
    Attached,
    Ended,
    Known,
    Looked,
    Outcome,
    Prepared,
    Refused,
    Request,
    RequestKind,
    Restored,
    Stored,
    Troubled,
    UploadTask,
    Verifying,
)

if TYPE_CHECKING:
    from ..fit.pool import FittedFile
    from ..storage.conversions import Conversions

SHARED = "not sent again: it has the media file of another row with the same file"


class _Sent:
    """Counts the bytes that went out, and knows when the last ones did."""

    __slots__ = ("_clock", "_meanwhile", "_progress", "_row", "last", "size")

    def __init__(
        self, progress: Progress, row: int, clock: Callable[[], float], meanwhile: Callable[[], None]
    ) -> None:
        self._progress = progress
        self._row = row
        self._clock = clock
        self._meanwhile = meanwhile
        self.last = clock()
        self.size = 0

    def hear(self, count: int) -> None:
        self.last = self._clock()
        self.size += max(0, count)
        self._progress.row_sent(self._row, count)
        self._meanwhile()


class UploadExecutor:
    """Uploads media to the PIM. Called from many threads."""

    def __init__(
        self,
        client: PimClient,
        run: Run,
        progress: Progress,
        *,
        preparation: LooksUp,
        clock: Callable[[], float],
        sources: Sources,
        throttle: Throttle | None = None,
        conversions: Conversions | None = None,
    ) -> None:
        """`clock` gives monotonic seconds; `throttle` holds the bandwidth limit.

        `conversions` makes the files of rows that are converted.
        """
        self._conversions = conversions
        self._sources = sources
        self._client = client
        self._run = run
        self._progress = progress
        self._preparation = preparation
        self._clock = clock
        self._throttle = throttle
        self._lock = threading.Lock()
        self.bytes_sent = 0
        """Bytes of files that went out, those of failed tries included."""
        self._warned = False
        self.saves = SaveTimes(clock, run.settles_after)

    def perform(self, request: Request, meanwhile: Callable[[], None]) -> Outcome:
        """Make one request. `Fatal` where the run cannot go on.

        `meanwhile` is called once the first bytes of a file are out, which are all of a small one.
        """
        return outcome_of(lambda: self._timed(request, meanwhile))

    def _timed(self, request: Request, meanwhile: Callable[[], None]) -> Outcome:
        began = self._clock()
        try:
            return self._do(request, meanwhile)
        except Trouble as trouble:
            trouble.waited = trouble.waited or self._clock() - began
            raise
        finally:
            for task in request.tasks:
                task.tries.over = self._clock()

    def _do(self, request: Request, meanwhile: Callable[[], None]) -> Outcome:
        if request.kind is RequestKind.SEND:
            return self._send(request.task, meanwhile)
        meanwhile()
        if request.kind is RequestKind.PREPARE:
            return self._prepare(request)
        if request.kind is RequestKind.ATTACH:
            return self._attach(request.tasks)
        if request.kind is RequestKind.RESTORE:
            return self._restore(request.task)
        return self._look(request.task)

    def _prepare(self, request: Request) -> Outcome:
        with resuming(request.answers):
            found = self._preparation.look(request.batch)
        self._reopen(found.reopened)
        self._settle(found.still)
        if found.not_saved:
            self._run.not_saved(found.not_saved)
        self._run.record([result for _, result in found.results])
        for planned, result in found.results:
            if result.status is not None:
                self._finished(planned, result)
        return Prepared(found.tasks, found.known)

    def _settle(self, still: Sequence[PlannedRow]) -> None:
        """Rows that need not be sent, as the ledger expected: all at once, as there may be very many."""
        if not still:
            return
        self._run.still_unchanged(planned.seq for planned in still)
        for planned in still:
            planned.status = Status.UNCHANGED
            planned.before = HeldFile(planned.media_code or "", planned.name, planned.size)
        size = sum(planned.size or 0 for planned in still)
        self._progress.rows_settled({Status.UNCHANGED.value: len(still)}, size, lambda: map(to_item, still))

    def _reopen(self, reopened: Sequence[Reopened]) -> None:
        """Take back the result of rows whose value was lost."""
        again = [each for each in reopened if each.failure is not None]
        self._run.record(
            [RowResult(each.planned.seq, None, each.failure, flight=InFlightState.LOST) for each in again]
        )
        for planned, failure in reopened:
            # A row that still has to be linked was never shown as finished.
            if planned.status is not None:
                self._progress.row_reopened(planned.seq, to_item(planned), failure=failure)

    # Sending.

    def _send(self, task: UploadTask, meanwhile: Callable[[], None]) -> Outcome:
        payload: UploadPayload = task.row
        with closing(self._source(payload)) as source:
            if payload.planned.size is None:
                self._learn_size(payload, source.size)
            return self._send_from(source, task, payload, meanwhile)

    def _source(self, payload: UploadPayload) -> AnySource:
        """What is sent. Raises SourceTrouble."""
        made = self._made(payload)
        if made is None:
            return self._sources.checked(payload.planned)
        from ..storage.conversions import ConvertedSource

        payload.planned.size = made.source_size
        return ConvertedSource(made)

    def _made(self, payload: UploadPayload) -> FittedFile | None:
        """The converted file of a row, None where it goes as it is. Raises SourceTrouble."""
        if payload.planned.recipe is None:
            return None
        assert self._conversions is not None
        return self._conversions.get(payload.planned, payload.resolved.definition)

    def _learn_size(self, payload: UploadPayload, size: int) -> None:
        """Record a size that was not known before. Raises SourceTrouble where the file is too large."""
        payload.planned.size = size
        failure = self._preparation.fits(payload.resolved, payload.planned.name, size)
        if failure is not None:
            raise SourceTrouble(failure)

    def _send_from(
        self, source: AnySource, task: UploadTask, payload: UploadPayload, meanwhile: Callable[[], None]
    ) -> Outcome:
        planned, resolved = payload.planned, payload.resolved
        sent = _Sent(self._progress, planned.seq, self._clock, meanwhile)

        throttle = self._throttle

        def body(value: ValueRef | None) -> FileBody:
            made.append(
                FileBody(
                    source,
                    value=value,
                    filename=planned.name,
                    on_bytes=sent.hear,
                    pace=throttle.take if throttle else None,
                    # Small pieces keep a slow connection alive: proxies end requests that fall silent.
                    piece=throttle.piece if throttle else PIECE,
                )
            )
            return made[-1]

        made: list[FileBody] = []
        payload.mtime_ns, payload.stamp = source.mtime_ns, source.stamp
        task.size, payload.resumed = source.size, None
        self._run.mark_in_flight([payload.mark(task.size)])
        self._progress.row_started(
            planned.seq,
            file=planned.row.file,
            target=resolved.target,
            size=source.size,
            attempt=task.tries.made,
        )
        if payload.via is not None:
            self._borrow(payload, payload.via, task.size)
        try:
            with self.saves.saving(lambda: sent.last if sent.size else self._clock()):
                created = payload.sent_to.upload(self._client, payload.via or resolved, body)
        except Refusal as refusal:
            # An answer that looks like success may mean that the carrier was changed: it is restored then.
            if payload.borrowed is not None and refusal.failure.kind is not Kind.NOT_CREATED:
                self._run.give_back(payload.borrowed)
            raise
        except Trouble as trouble:
            trouble.waited = self._clock() - sent.last
            impatient = None if made and made[-1].complete else too_slow(source, trouble)
            if impatient is None:
                raise
            raise impatient from None
        finally:
            with self._lock:
                self.bytes_sent += sent.size
        if task.attaches:
            self._run.mark_in_flight([payload.mark(task.size, created.code)])
        return Stored(created.code, made[-1].sha256, source.size, self._clock() - sent.last)

    # The carrier's value.

    def _borrow(self, payload: UploadPayload, via: ResolvedTarget, size: int) -> None:
        """Record what the carrier's value holds, so that it can be restored whatever happens."""
        # For every try: the carrier's own row may have been uploaded meanwhile.
        before = settle_debt(self._run, self._client, via)
        payload.borrowed = BorrowedValue(
            via.target.code, via.attribute, via.locale, via.scope, before, payload.planned.name, size
        )
        self._run.borrow(payload.borrowed)

    def _restore(self, task: UploadTask) -> Outcome:
        payload: UploadPayload = task.row
        assert payload.borrowed is not None
        with self.saves.saving():
            failure = restore(self._run, self._client, payload.borrowed)
        if failure is None:
            return Restored()
        if failure.kind is Kind.NOT_ATTACHED:
            return Troubled(failure, maybe_done=True)
        self._progress.note(
            f"the value of carrier {payload.borrowed.identifier} could not be restored: {failure.message}",
            hint=failure.hint,
        )
        return Refused(failure)

    # Attaching.

    def _attach(self, tasks: Sequence[UploadTask]) -> Outcome:
        """Set the codes of rows whose files are in the PIM; rows of one entity are one line."""
        lines: dict[tuple[str, ...], list[tuple[ResolvedTarget, str | None]]] = {}
        for task in tasks:
            lines.setdefault(task.attach_keys, []).append((task.row.resolved, _code(task)))
        self._run.mark_in_flight([task.row.mark(task.size, _code(task)) for task in tasks])
        place: TargetAdapter = tasks[0].row.place
        began = self._clock()
        try:
            with self.saves.saving(lines=len(lines)):
                results = place.attach(self._client, list(lines.values()))
        except Refusal as refusal:
            if refusal.failure.kind is Kind.FORBIDDEN and place.shares:
                self._warn_of(refusal.failure)
            raise
        waited = self._clock() - began
        said = {keys: line_outcome(result, waited) for keys, result in zip(lines, results, strict=True)}
        return Attached([said[task.attach_keys] for task in tasks])

    def _warn_of(self, failure: Failure) -> None:
        with self._lock:
            warned, self._warned = self._warned, True
        if not warned:
            self._progress.note(
                f"The user may not set media codes, so each row sends its own file: {failure.message}",
                hint=failure.hint,
            )

    # Looking afterwards.

    def _look(self, task: UploadTask) -> Outcome:
        """Is the value ours? Raises Trouble, and Refusal where the user may not read."""
        payload: UploadPayload = task.row
        planned, resolved = payload.planned, payload.resolved
        if isinstance(task.state, Verifying):
            return Looked(self._same_bytes(task, task.state.media), task.state.media.code)
        before = (
            payload.before
            if payload.via is None
            else payload.borrowed.before
            if payload.borrowed
            else UNKNOWN
        )
        if payload.resumed is not None and before is not UNKNOWN and resolved.before is not UNKNOWN:
            # It was read after the last request of the run that died was over.
            code = resolved.before
        else:
            code = payload.sent_to.held(self._client, payload.via or resolved)
        if code is None or code == before:
            return Looked(False, code)
        place, there = payload.sent_to, payload.via or resolved
        try:
            # A run that died may have sent it: converting it again gives the same bytes.
            made = self._made(payload)
        except SourceTrouble:
            return Looked(False, code)
        size = task.size if made is None else made.fitted.result.bytes
        if payload.replanned or not place.resembles(self._client, there, code, planned.name, size):
            return Looked(False, code)
        if task.suspect or before is UNKNOWN:
            # Name and size do not distinguish it from an earlier file, or from another row's of that name.
            return Looked(self._same_bytes(task, Known(code, None)), code, alike=True)
        return Looked(True, code)

    def _same_bytes(self, task: UploadTask, media: Known) -> bool | None:
        """Does the PIM's media file have the bytes of the row's file? None if they cannot be downloaded."""
        payload: UploadPayload = task.row
        try:
            made = None if media.sha256 else self._made(payload)
        except SourceTrouble:
            return False
        ours = media.sha256 or (made.sha256 if made else self._sources.sha256(payload.planned.path))
        try:
            with open(os.devnull, "wb") as nowhere:  # noqa: PTH123
                return (
                    payload.sent_to.download(
                        self._client, payload.via or payload.resolved, media.code, nowhere
                    ).sha256
                    == ours
                )
        except Refusal:
            return None

    # Recording.

    def ended(self, ended: Ended) -> None:
        """Record in the ledger that a row is finished, then show it."""
        task, tries, media = ended.task, ended.task.tries, ended.task.media
        payload: UploadPayload = task.row
        flight = InFlightState.UNPROVEN if ended.uncertain else InFlightState.OVER
        over = self._clock() if tries.over is None else tries.over
        sha256, fitted, notes = None if media is None else media.sha256, None, payload.resolved.notes
        if payload.planned.recipe is not None and self._conversions is not None:
            made = self._conversions.made(payload.planned)
            sha256, fitted = (made.source_sha256, made.to_report()) if made else (None, None)
            notes += made.fitted.notes if made else ()
            self._conversions.drop(payload.planned)
        uploaded = ended.status is Status.UPLOADED
        said = payload.resolved.beside.with_file() if uploaded and payload.resolved.beside else None
        result = RowResult(
            payload.planned.seq,
            # The row goes on: its asset is not in the product's collection yet.
            None if said is not None and said.link_to_do else ended.status,
            failure=ended.failure,
            media_code=media.code if media is not None and uploaded else None,
            sha256=sha256,
            attempts=tries.made,
            duration=None if tries.began is None else round(over - tries.began, 3),
            notes=(*notes, SHARED) if ended.shared else notes,
            flight=flight,
            size=payload.own_size(task.size) or None,
            mtime_ns=payload.mtime_ns,
            stamp=payload.stamp,
            before=payload.held_before,
            fitted=fitted,
            beside=said,
            # It is recorded while the next row's file is on its way.
            ended_ago=self._clock() - over,
        )
        self._run.record([result])
        if result.status is not None:
            self._finished(payload.planned, result)
        if uploaded:
            self._preparation.sent(task)

    def _finished(self, planned: PlannedRow, result: RowResult) -> None:
        planned.status, planned.failure, planned.media_code = result.status, result.failure, result.media_code
        planned.sha256 = result.sha256 or planned.sha256
        planned.attempts = result.attempts or planned.attempts
        planned.duration = planned.duration if result.duration is None else result.duration
        planned.notes += result.notes
        planned.before = result.before
        planned.fitted = result.fitted or planned.fitted
        planned.beside = result.beside
        self._progress.row_finished(planned.seq, to_item(planned))


def _code(task: UploadTask) -> str:
    """The code that a row which is attached is to get."""
    assert task.media is not None
    return task.media.code
