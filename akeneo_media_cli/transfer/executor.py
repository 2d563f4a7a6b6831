"""Makes the calls that the coordinator decides on, and tells truthfully what came of each.

It knows the PIM's client, the ledger and the files; it decides nothing about trying again.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from contextlib import closing

from ..errors import Failure, Kind
from ..ledger import UNKNOWN, Flight, Lent, PlannedRow, Run, Takeoff
from ..ledger import Outcome as Word
from ..ledger.codec import to_item
from ..ledger.model import SETTLE_LEAST
from ..pim.answers.types import LineResult
from ..pim.client import PimClient
from ..pim.errors import Refusal, SourceTrouble, Trouble
from ..pim.http.multipart import PIECE, FileBody, ValueRef
from ..pim.http.throttle import Throttle
from ..progress.base import Progress
from ..rows import Status
from ..storage.links import too_slow
from ..storage.sources import AnySource, Sources
from ..targets import Place
from ..targets.carrier import restore, settle_debt
from ..targets.resolved import Aim
from .outcomes import outcome_of
from .payload import Load, LooksUp
from .retry import settling
from .task import (
    Attached,
    Call,
    Course,
    Ended,
    Errand,
    Looked,
    Outcome,
    Phase,
    Prepared,
    Refused,
    Restored,
    Stored,
    Troubled,
)

_NEWS = 1.5
"""So many times longer than before must the PIM take for the ledger to hear of it."""
SHARED = "not sent again: it has the media file of another row with the same file"


class _Sent:
    """Hears of the pieces that went out, and when the last did."""

    __slots__ = ("_clock", "_progress", "_row", "last", "size")

    def __init__(self, progress: Progress, row: int, clock: Callable[[], float]) -> None:
        self._progress = progress
        self._row = row
        self._clock = clock
        self.last = clock()
        self.size = 0

    def hear(self, count: int) -> None:
        self.last = self._clock()
        self.size += max(0, count)
        self._progress.row_sent(self._row, count)


class MediaCourier:
    """Carries media to the PIM. Called from many threads."""

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
    ) -> None:
        """`clock` gives monotonic seconds; `throttle` holds the bandwidth limit."""
        self._sources = sources
        self._client = client
        self._run = run
        self._progress = progress
        self._preparation = preparation
        self._clock = clock
        self._throttle = throttle
        self._lock = threading.Lock()
        self.bytes_sent = 0
        """Bytes of files that went out, those of tries that failed included."""
        self._warned = False
        self._settling = SETTLE_LEAST

    def perform(self, call: Call) -> Outcome:
        """Make one call. `Fatal` where the run cannot go on."""
        return outcome_of(lambda: self._timed(call))

    def _timed(self, call: Call) -> Outcome:
        began = self._clock()
        try:
            return self._do(call)
        except Trouble as trouble:
            trouble.waited = trouble.waited or self._clock() - began
            if trouble.maybe_done:
                self._save_took(trouble.waited)
            raise

    def _do(self, call: Call) -> Outcome:
        if call.errand is Errand.PREPARE:
            return self._prepare(call.batch)
        if call.errand is Errand.SEND:
            return self._send(call.course)
        if call.errand is Errand.ATTACH:
            return self._attach(call.courses)
        if call.errand is Errand.RESTORE:
            return self._restore(call.course)
        return self._look(call.course)

    def _prepare(self, batch: Sequence[PlannedRow]) -> Outcome:
        courses, known, words = self._preparation.look(batch)
        self._run.record([word for _, word in words])
        for planned, word in words:
            if word.status is not None:
                self._finished(planned, word)
        return Prepared(courses, known)

    # Sending.

    def _send(self, course: Course) -> Outcome:
        load: Load = course.row
        with closing(self._sources.of(load.planned.path or "")) as source:
            if load.planned.size is None:
                self._learn_size(load, source.size)
            return self._send_from(source, course, load)

    def _learn_size(self, load: Load, size: int) -> None:
        """Of a file whose size nobody knew before. Raises SourceTrouble where it is too large."""
        load.planned.size = size
        failure = self._preparation.fits(load.aim, load.planned.name, size)
        if failure is not None:
            raise SourceTrouble(failure)

    def _send_from(self, source: AnySource, course: Course, load: Load) -> Outcome:
        planned, aim = load.planned, load.aim
        sent = _Sent(self._progress, planned.seq, self._clock)

        throttle = self._throttle

        def body(value: ValueRef | None) -> FileBody:
            made.append(
                FileBody(
                    source,
                    value=value,
                    filename=planned.name,
                    on_bytes=sent.hear,
                    pace=throttle.take if throttle else None,
                    # A slow line is kept alive by small pieces: proxies end calls that fall silent.
                    piece=throttle.piece if throttle else PIECE,
                )
            )
            return made[-1]

        made: list[FileBody] = []
        load.mtime_ns, course.size, load.resumed = source.mtime_ns, source.size, None
        self._run.in_flight(planned.seq, load.before, size=source.size, mtime_ns=source.mtime_ns)
        self._progress.row_started(
            planned.seq,
            file=planned.row.file,
            target=aim.target,
            size=source.size,
            attempt=course.attempts,
        )
        if load.via is not None:
            self._lend(load, load.via)
        try:
            created = load.sent_to.upload(self._client, load.via or aim, body)
        except Refusal as refusal:
            # What was answered as if it were done may be in the carrier: it is looked at when it is put back.
            if load.lent is not None and refusal.failure.kind is not Kind.NOT_CREATED:
                self._run.give_back(load.lent)
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
        if course.attaches:
            self._run.take_off([_takeoff(course, created.code)])
        saving = self._clock() - sent.last
        self._save_took(saving)
        return Stored(created.code, made[-1].sha256, source.size, saving)

    def _save_took(self, seconds: float) -> None:
        """Leave word of how slow the PIM is: this run may die with calls at work."""
        after = settling(seconds)
        with self._lock:
            news = after >= _NEWS * self._settling
            if news:
                self._settling = after
        if news:
            self._run.settles_after(after)

    # The carrier's value.

    def _lend(self, load: Load, via: Aim) -> None:
        """Write down what the carrier's value holds, so that it can be put back whatever happens."""
        # Anew for every try: the carrier's own row may have got through meanwhile.
        before = settle_debt(self._run, self._client, via)
        name, size = load.planned.name, load.planned.size or 0
        load.lent = Lent(via.target.code, via.attribute, via.locale, via.scope, before, name, size)
        self._run.lend(load.lent)

    def _restore(self, course: Course) -> Outcome:
        load: Load = course.row
        assert load.lent is not None
        failure = restore(self._run, self._client, load.lent)
        if failure is None:
            return Restored()
        if failure.kind is Kind.NOT_ATTACHED:
            return Troubled(failure, maybe_done=True)
        self._progress.note(
            f"the value of the carrier {load.lent.identifier} could not be put back: {failure.message}",
            hint=failure.hint,
        )
        return Refused(failure)

    # Attaching.

    def _attach(self, courses: Sequence[Course]) -> Outcome:
        """Set the codes of rows whose file is in the PIM; those of one entity are one line."""
        lines: dict[tuple[str, ...], list[tuple[Aim, str | None]]] = {}
        for course in courses:
            lines.setdefault(course.attach_keys, []).append((course.row.aim, course.code))
        self._run.take_off([_takeoff(course, course.code) for course in courses])
        place: Place = courses[0].row.place
        began = self._clock()
        try:
            results = place.attach(self._client, list(lines.values()))
        except Refusal as refusal:
            if refusal.failure.kind is Kind.FORBIDDEN and place.shares:
                self._warn_of(refusal.failure)
            raise
        waited = self._clock() - began
        said = {keys: _line_outcome(result, waited) for keys, result in zip(lines, results, strict=True)}
        return Attached([said[course.attach_keys] for course in courses])

    def _warn_of(self, failure: Failure) -> None:
        with self._lock:
            warned, self._warned = self._warned, True
        if not warned:
            self._progress.note(
                f"the user may not set media codes, so each row sends its own file: {failure.message}",
                hint=failure.hint,
            )

    # Asking afterwards.

    def _look(self, course: Course) -> Outcome:
        """Is the value ours? Raises Trouble, and Refusal where the user may not read."""
        load: Load = course.row
        planned, aim = load.planned, load.aim
        if course.phase is Phase.PROVE and course.code is not None:
            return Looked(self._same_bytes(course, course.code), course.code)
        before = load.before if load.via is None else load.lent.before if load.lent else UNKNOWN
        code = load.sent_to.held(self._client, load.via or aim)
        if code is None or code == before:
            return Looked(False, code)
        place, there = load.sent_to, load.via or aim
        if load.replanned or not place.resembles(self._client, there, code, planned.name, course.size):
            return Looked(False, code)
        if course.deep or before is UNKNOWN:
            # Name and size do not tell it from a file that was there before, or from another's of that name.
            return Looked(self._same_bytes(course, code), code)
        return Looked(True, code)

    def _same_bytes(self, course: Course, code: str) -> bool | None:
        """Do the PIM's bytes equal the file's? None where they cannot be had."""
        load: Load = course.row
        ours = course.sha256 or self._sources.sha256(load.planned.path)
        try:
            with open(os.devnull, "wb") as nowhere:  # noqa: PTH123
                return load.sent_to.download(self._client, load.via or load.aim, code, nowhere).sha256 == ours
        except Refusal:
            return None

    # Remembering.

    def ended(self, ended: Ended) -> None:
        """Write a row's last word to the ledger, then show it."""
        course = ended.course
        load: Load = course.row
        flight = Flight.UNPROVEN if ended.uncertain else Flight.OVER
        word = Word(
            load.planned.seq,
            ended.status,
            failure=ended.failure,
            media_code=course.code if ended.status is Status.UPLOADED else None,
            sha256=course.sha256,
            attempts=course.attempts,
            duration=None if course.began is None else round(self._clock() - course.began, 3),
            notes=(*load.aim.notes, SHARED) if ended.shared else load.aim.notes,
            flight=flight,
            size=course.size or None,
            mtime_ns=load.mtime_ns,
        )
        self._run.record([word])
        self._finished(load.planned, word)

    def _finished(self, planned: PlannedRow, word: Word) -> None:
        planned.status, planned.failure, planned.media_code = word.status, word.failure, word.media_code
        planned.sha256 = word.sha256 or planned.sha256
        planned.attempts = word.attempts or planned.attempts
        planned.duration = planned.duration if word.duration is None else word.duration
        planned.notes += word.notes
        self._progress.row_finished(planned.seq, to_item(planned))


def _takeoff(course: Course, code: str | None) -> Takeoff:
    load: Load = course.row
    return Takeoff(load.planned.seq, load.before, course.size, load.mtime_ns, code)


def _line_outcome(result: LineResult, waited: float) -> Failure | Troubled | None:
    if result.status is not None and not result.retryable:
        return result.failure
    if result.failure is None:
        cut = Failure(Kind.NOT_ATTACHED, "the PIM's answer says nothing of this row", "It is tried again.")
        return Troubled(cut, maybe_done=True, waited=waited)
    return Troubled(result.failure, throttled=result.status == 429, maybe_done=result.status != 429)
