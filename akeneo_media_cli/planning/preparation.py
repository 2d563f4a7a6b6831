"""Looking a batch of rows up: which are wrong, which need not be sent, and how the others go."""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import Failure, Kind
from ..ledger import Interrupted, PlannedRow, Run, same_path
from ..ledger import Outcome as Word
from ..pim.errors import Refusal
from ..preflight import checks
from ..preflight.preflight import Preflight
from ..rows import Status, TargetType, folded, php_basename
from ..storage.sources import Sources
from ..targets import PLACES
from ..targets.resolved import Aim
from ..transfer.payload import Found, Load
from ..transfer.task import Course, Known, Phase
from .carriers import Carriers, Way
from .contents import Contents
from .unchanged import Unchanged


class Preparation:
    """Looks rows up. Thread-safe; raises Trouble and AccessError."""

    def __init__(
        self,
        run: Run,
        *,
        preflight: Preflight | None,
        unchanged: Unchanged,
        carriers: Carriers,
        sources: Sources,
        send: bool = True,
        looked: Status | None = None,
    ) -> None:
        """`preflight` None takes rows at their word. Without `send` they are looked up, then `looked`."""
        self._run = run
        self._preflight = preflight
        self._unchanged = unchanged
        self._carriers = carriers
        self._sends = send
        self._looked = looked
        self._sources = sources
        self._contents = Contents(sources)

    def look(self, batch: Sequence[PlannedRow]) -> Found:
        """What becomes of a batch of rows."""
        words, batch = looked_at(batch, self._sources, passing=not self._sends)
        aims: Sequence[Aim | Failure]
        wrong = Status.INVALID
        if self._preflight is None:
            aims = [_unasked(planned) for planned in batch]
        else:
            try:
                aims = self._preflight.look(batch)
            except Refusal as refusal:
                # Not the rows are wrong: the PIM, or what stands before it, will not be asked about them.
                aims, wrong = [refusal.failure] * len(batch), Status.FAILED
        courses: list[Course] = []
        known: dict[str, Known] = {}
        for planned, aim in zip(batch, aims, strict=True):
            verdict = aim if isinstance(aim, Failure) else self._verdict(planned, aim, known)
            if isinstance(verdict, Course):
                courses.append(verdict)
            elif isinstance(verdict, Failure):
                words.append((planned, Word(planned.seq, wrong, failure=verdict)))
            elif verdict is not None:
                words.append((planned, verdict))
        return courses, known, words

    def fits(self, aim: Aim, name: str, size: int) -> Failure | None:
        """Why the attribute does not take a file of this name and size in bytes, if it does not."""
        return None if aim.definition is None else checks.file_fits(aim.definition, name, size)

    def _verdict(
        self, planned: PlannedRow, aim: Aim, known: dict[str, Known]
    ) -> Course | Failure | Word | None:
        """None: the row has no word yet, or needs none."""
        twice = self._named_twice(planned, aim)
        if twice is not None:
            return twice if isinstance(twice, Failure) else None
        place = PLACES[aim.target.type]
        # A PATCH makes what is not there, and drops what is of another level (pim-facts A6).
        content = self._contents.of(planned) if place.shares and aim.sure else None
        held = self._unchanged.held(planned, aim)
        if held is not None:
            # What only looks the same by name and size is nothing to give to others.
            if held.sha256 is not None and content is not None:
                known[content] = Known(held.code, held.sha256, doubtful=True)
                self._carriers.sends(content, planned.seq)
            return Word(
                planned.seq,
                Status.UNCHANGED,
                media_code=held.code,
                notes=aim.notes,
                size=planned.size,
                mtime_ns=planned.mtime_ns,
            )
        way: Way | Aim | Failure | None = None
        if aim.target.type is TargetType.PRODUCT_UUID:
            way = self._carriers.way(planned, content)
        else:
            self._carriers.sends(content, planned.seq)
        if isinstance(way, Failure):
            return way
        if way is Way.LATER:
            return None
        if not self._sends:
            return Word(planned.seq, self._looked, notes=aim.notes if self._looked else ())
        return self._course(planned, aim, content, way)

    def _course(self, planned: PlannedRow, aim: Aim, content: str | None, way: Way | Aim | None) -> Course:
        load = Load(planned, aim, self._unchanged.interrupted.get(planned.seq))
        if isinstance(way, Aim):
            load.via = way
        place = load.place
        entity, name = place.key(aim), f"name:{php_basename(planned.name)}"
        keys = (name,) if place.attaches else (entity, name)
        if load.via is not None:
            keys = (load.sent_to.key(load.via), name)
        course = Course(
            load,
            planned.seq,
            planned.size or 0,
            keys,
            tree=f"tree:{folded(aim.tree)}" if aim.tree else None,
            attach_keys=(entity,),
            group=place.group(aim),
            content=content,
            attaches=place.attaches or load.via is not None,
            borrows=load.via is not None,
            carried=way is Way.CARRIED,
        )
        if load.resumed is not None:
            _resume(course, load, load.resumed)
        return course

    def _named_twice(self, planned: PlannedRow, aim: Aim) -> Failure | bool | None:
        """Does a row name the same value by the product's identifier? True: and the same file."""
        target = planned.row.target
        if target is None or target.type is aim.target.type:
            return None
        twin = self._run.twin(aim.target, aim.attribute, aim.locale, aim.scope)
        if twin is None:
            return None
        place = f"{twin.row.manifest}:{twin.row.line}"
        if same_path(twin.path or "") == same_path(planned.path or ""):
            self._run.drop(planned.seq, f"left out: {place} names the same file for the same value")
            return True
        return Failure(
            Kind.CONFLICTING_ROWS,
            f"{place} names another file for the same value of {aim.target.code}: {twin.row.file}",
            "a value holds one file: keep the row that is right and delete the other",
        )


def looked_at(
    batch: Sequence[PlannedRow], sources: Sources, *, passing: bool = True
) -> tuple[list[tuple[PlannedRow, Word]], Sequence[PlannedRow]]:
    """Follow the rows' links: the words of those that lead to no file, and the other rows.

    With `passing` also of those that lead to none now; else they are left to be tried when they are sent.
    """
    troubles = sources.look(batch)
    if not troubles:
        return [], batch
    words: list[tuple[PlannedRow, Word]] = []
    rest: list[PlannedRow] = []
    for planned in batch:
        trouble = troubles.get(planned.seq)
        if trouble is None or (trouble.passing and not passing):
            rest.append(planned)
        else:
            status = Status.FAILED if trouble.passing else Status.INVALID
            words.append((planned, Word(planned.seq, status, trouble.failure)))
    return words, rest


def _unasked(planned: PlannedRow) -> Aim | Failure:
    target = planned.row.target
    if target is not None and target.type is TargetType.PRODUCT_UUID:
        return Failure(
            Kind.TARGET_UNKNOWN,
            "the PIM takes uploads by identifier, and without asking it the one behind a UUID is not known",
            "leave --no-preflight out, or name the product by its identifier",
        )
    return Aim.as_written(planned)


def _resume(course: Course, load: Load, left: Interrupted) -> None:
    """A run that died was at work on the row."""
    if left.code is not None and not load.replanned and (load.aim.sure or course.attaches):
        # Its file is in the PIM: to set the code once more does no harm.
        course.phase, course.code, course.doubtful = Phase.ATTACH, left.code, True
    elif not (course.attaches or course.carried):
        # The PIM may have its file, or be saving it now.
        course.phase = Phase.ASK
