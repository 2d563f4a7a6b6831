"""Makes the calls that the coordinator decides on, and tells truthfully what came of each.

It knows the PIM's client, the ledger and the files; it decides nothing about trying again.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..errors import Failure, MediaError
from ..pim.client import PimClient
from ..pim.errors import Refusal, SourceTrouble, Trouble
from ..pim.multipart import FileBody, PathSource, Place
from ..progress.base import Progress
from ..rows import Status, TargetType, folded, php_basename
from .course import (
    Call,
    Course,
    Ended,
    Errand,
    Fatal,
    Looked,
    Outcome,
    Phase,
    Prepared,
    Refused,
    Stored,
    Troubled,
)
from .ledger import UNKNOWN, Before, Flight, PlannedRow, Run
from .ledger import Outcome as Word
from .ledger.codec import to_item
from .preflight import Aim, Preflight
from .unchanged import Unchanged, file_sha256, looks_like

_HOLDERS = {TargetType.PRODUCT: "product", TargetType.PRODUCT_MODEL: "product_model"}


@dataclass(slots=True)
class Load:
    """What a course is about: the planned row, and where it turned out to go."""

    planned: PlannedRow
    aim: Aim
    resumed: bool = False


def outcome_of(make: Callable[[], Outcome]) -> Outcome:
    """What a call comes to: its outcome, or what it raised, as one."""
    try:
        return make()
    except Trouble as trouble:
        return Troubled(
            trouble.failure,
            throttled=trouble.throttled,
            retry_after=trouble.retry_after,
            maybe_done=trouble.maybe_done,
        )
    except (Refusal, SourceTrouble) as refusal:
        return Refused(refusal.failure)
    except MediaError as error:
        return Fatal(error)


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
    """Carries product and product model media to the PIM. Called from many threads."""

    def __init__(
        self,
        client: PimClient,
        run: Run,
        progress: Progress,
        *,
        preflight: Preflight | None,
        unchanged: Unchanged,
        clock: Callable[[], float],
        pace: Callable[[int], None] | None = None,
        send: bool = True,
        looked: Status | None = None,
    ) -> None:
        """`preflight` None takes rows at their word. Without `send` rows are only looked up, then `looked`.

        `clock` gives monotonic seconds; `pace` holds the bandwidth limit.
        """
        self._client = client
        self._run = run
        self._progress = progress
        self._preflight = preflight
        self._unchanged = unchanged
        self._clock = clock
        self._pace = pace
        self._sends = send
        self._lock = threading.Lock()
        self.bytes_sent = 0
        """Bytes of files that went out, those of tries that failed included."""
        self._looked = looked

    def perform(self, call: Call) -> Outcome:
        """Make one call. `Fatal` where the run cannot go on."""
        if call.errand is Errand.PREPARE:
            return outcome_of(lambda: self._prepare(call.batch))
        if call.errand is Errand.SEND:
            return outcome_of(lambda: self._send(call.course))
        return outcome_of(lambda: self._look(call.course))

    # Looking rows up before anything of them is sent.

    def _prepare(self, batch: Sequence[PlannedRow]) -> Outcome:
        aims: Sequence[Aim | Failure]
        wrong = Status.INVALID
        if self._preflight is None:
            aims = [Aim.as_written(planned) for planned in batch]
        else:
            try:
                aims = self._preflight.look(batch)
            except Refusal as refusal:
                # Not the rows are wrong: the PIM, or what stands before it, will not be asked about them.
                aims, wrong = [refusal.failure] * len(batch), Status.FAILED
        courses: list[Course] = []
        words: list[tuple[PlannedRow, Word]] = []
        for planned, aim in zip(batch, aims, strict=True):
            if isinstance(aim, Failure):
                words.append((planned, Word(planned.seq, wrong, failure=aim)))
                continue
            held = self._unchanged.code(planned, aim)
            if held is not None:
                words.append((planned, Word(planned.seq, Status.UNCHANGED, media_code=held, notes=aim.notes)))
            elif not self._sends:
                words.append(
                    (planned, Word(planned.seq, self._looked, notes=aim.notes if self._looked else ()))
                )
            else:
                courses.append(self._course(planned, aim))
        self._run.record([word for _, word in words])
        for planned, word in words:
            if word.status is not None:
                self._finished(planned, word)
        return Prepared(courses)

    def _course(self, planned: PlannedRow, aim: Aim) -> Course:
        resumed = self._unchanged.interrupted.get(planned.seq)
        entity = f"{aim.target.type.value}:{folded(aim.target.code)}"
        course = Course(
            Load(planned, aim),
            planned.seq,
            planned.size or 0,
            (entity, f"name:{php_basename(planned.name)}"),
            tree=f"tree:{folded(aim.tree)}" if aim.tree else None,
        )
        if resumed is not None:
            # A run that died was sending it: the PIM may have it, or be saving it now.
            course.phase = Phase.ASK
            course.row.resumed = True
        return course

    # Sending.

    def _send(self, course: Course) -> Outcome:
        load: Load = course.row
        planned, aim = load.planned, load.aim
        source = PathSource(planned.path or "")
        sent = _Sent(self._progress, planned.seq, self._clock)
        body = FileBody(
            source,
            place=Place(
                _HOLDERS[aim.target.type],  # type: ignore[arg-type]
                aim.target.code,
                aim.attribute,
                aim.locale,
                aim.scope,
            ),
            filename=planned.name,
            on_bytes=sent.hear,
            pace=self._pace,
        )
        self._run.in_flight(planned.seq, aim.before, size=source.size, mtime_ns=source.mtime_ns)
        self._progress.row_started(
            planned.seq,
            file=planned.row.file,
            target=aim.target,
            size=source.size,
            attempt=course.attempts,
        )
        course.size = source.size
        try:
            if aim.target.type is TargetType.PRODUCT:
                created = self._client.upload_product(body, aim.definition)
            else:
                created = self._client.upload_product_model(body, aim.definition)
        finally:
            with self._lock:
                self.bytes_sent += sent.size
        return Stored(created.code, body.sha256, source.size, self._clock() - sent.last)

    # Asking afterwards.

    def _look(self, course: Course) -> Outcome:
        """Is the value ours? Raises Trouble, and Refusal where the user may not read."""
        load: Load = course.row
        planned, aim = load.planned, load.aim
        if course.phase is Phase.PROVE and course.code is not None:
            return Looked(self._same_bytes(course, course.code), course.code)
        before = self._before(load)
        code = self._held(aim)
        if code is None or code == before:
            return Looked(False, code)
        media = self._client.media_file(code)
        if media is None or not looks_like(media, planned) or self._replanned(load):
            return Looked(False, code)
        if course.deep or before is UNKNOWN:
            # Name and size do not tell it from a file that was there before, or from another's of that name.
            return Looked(self._same_bytes(course, code) is not False, code)
        return Looked(True, code)

    def _before(self, load: Load) -> Before:
        interrupted = self._unchanged.interrupted.get(load.planned.seq) if load.resumed else None
        return load.aim.before if interrupted is None else interrupted.before

    def _replanned(self, load: Load) -> bool:
        """Was it another file that the run that died was sending?"""
        interrupted = self._unchanged.interrupted.get(load.planned.seq)
        if interrupted is None or not load.resumed:
            return False
        planned = load.planned
        return (interrupted.name, interrupted.size, interrupted.mtime_ns) != (
            planned.name,
            planned.size,
            planned.mtime_ns,
        )

    def _held(self, aim: Aim) -> str | None:
        """The media code that the value holds now, by a single read: it is never behind (pim-facts B9)."""
        entity = (
            self._client.get_product(aim.target.code)
            if aim.target.type is TargetType.PRODUCT
            else self._client.get_product_model(aim.target.code)
        )
        return None if entity is None else entity.media_code(aim.attribute, aim.locale, aim.scope)

    def _same_bytes(self, course: Course, code: str) -> bool | None:
        """Do the PIM's bytes equal the file's? None where they cannot be had."""
        ours = course.sha256 or file_sha256(course.row.planned.path)
        try:
            with open(os.devnull, "wb") as nowhere:  # noqa: PTH123
                return self._client.download_media_file(code, nowhere).sha256 == ours
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
            notes=load.aim.notes,
            flight=flight,
            size=course.size,
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
