"""Looks up a batch of rows: which are wrong, which need not be sent, and how the others are sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ..errors import Failure, Kind
from ..ledger import (
    UNKNOWN,
    HeldBefore,
    HeldFile,
    Interrupted,
    PlannedRow,
    Remembered,
    RowResult,
    Run,
    same_path,
)
from ..manifest.beside import has_beside
from ..pim.errors import Refusal, SourceTrouble
from ..preflight import checks
from ..preflight.catalogue import Catalogue
from ..preflight.preflight import Preflight
from ..rows import Status, TargetType, folded, php_basename
from ..storage.sources import Sources
from ..targets import ADAPTERS
from ..targets.resolved import ResolvedTarget
from ..transfer.payload import Found, UploadPayload
from ..transfer.task import Attaching, Known, Resumed, UploadTask
from . import beside
from .carriers import Carriers, Way
from .contents import Contents
from .feed import Aside
from .left import LeftInFlight
from .readback import ReadBack, SentBatch
from .unchanged import Unchanged, result_of

if TYPE_CHECKING:
    from ..storage.conversions import Conversions


class Preparation:
    """Looks rows up. Thread-safe; raises Trouble and AccessError."""

    def __init__(
        self,
        run: Run,
        *,
        preflight: Preflight | None,
        unchanged: Unchanged,
        catalogue: Catalogue,
        carriers: Carriers,
        sources: Sources,
        readback: ReadBack | None = None,
        left: LeftInFlight | None = None,
        conversions: Conversions | None = None,
        send: bool = True,
        looked: Status | None = None,
    ) -> None:
        """`preflight` None takes rows as written. Without `send` they are looked up, then `looked`.

        `readback` None: what was sent is not read back. `left`: what earlier runs left in flight, where it
        is to be settled. `conversions` makes the files of rows that are converted.
        """
        self._conversions = conversions
        self._run = run
        self._preflight = preflight
        self._unchanged = unchanged
        self._catalogue = catalogue
        self._readback = readback
        self._left = left
        self._carriers = carriers
        self._sends = send
        self._looked = looked
        self._sources = sources
        self._contents = Contents(sources)

    def look(self, batch: SentBatch | Aside | Sequence[PlannedRow]) -> Found:
        """The result of a batch of rows, to be sent or sent before."""
        if isinstance(batch, Aside):
            batch.ask()
            return Found()
        if isinstance(batch, SentBatch):
            assert self._readback is not None
            return self._readback.read(batch)
        if self._left is not None:
            self._left.settle(batch)
        expected = [p for p in batch if p.media_code is not None and not has_beside(p.row)]
        found = Found()
        if expected:
            found.still = self._unchanged.still(expected, self._catalogue)
            still = {planned.seq for planned in found.still}
            batch = [planned for planned in batch if planned.seq not in still]
        if batch:
            self._look_up(batch, found)
        return found

    def sent(self, task: UploadTask) -> None:
        """A row was uploaded."""
        if self._readback is not None:
            self._readback.sent(task)

    def _look_up(self, batch: Sequence[PlannedRow], found: Found) -> None:
        results, batch = looked_at(batch, self._sources, passing=not self._sends)
        found.results += results
        resolved_targets: Sequence[ResolvedTarget | Failure]
        wrong = Status.INVALID
        before = [(planned.name, planned.recipe) for planned in batch]
        if self._preflight is None:
            resolved_targets = [_unasked(planned) for planned in batch]
        else:
            try:
                resolved_targets = self._preflight.look(batch)
            except Refusal as refusal:
                # The rows are not wrong: the PIM, or a proxy in front of it, refuses to answer.
                resolved_targets, wrong = [refusal.failure] * len(batch), Status.FAILED
        if self._sends:
            targets = [r.target for r in resolved_targets if isinstance(r, ResolvedTarget) and r.made]
            if targets:
                self._run.creates(targets)
        if self._conversions is not None:
            self._to_convert(batch, before, resolved_targets)
        # Of all at once: with a read a row, threads that look up side by side wait for one another.
        remembered = self._run.remembered_all(planned.seq for planned in batch)
        for planned, resolved in zip(batch, resolved_targets, strict=True):
            verdict = (
                resolved
                if isinstance(resolved, Failure)
                else self._verdict(planned, resolved, remembered.get(planned.seq), found.known)
            )
            if self._conversions is not None and planned.recipe is not None:
                verdict = self._converted(planned, resolved, verdict)
            if isinstance(verdict, UploadTask):
                if verdict.row.resumed is not None and _resume(verdict, verdict.row, verdict.row.resumed):
                    found.not_saved.append(planned.seq)
                found.tasks.append(verdict)
            elif isinstance(verdict, Failure):
                found.results.append((planned, RowResult(planned.seq, wrong, failure=verdict)))
            elif verdict is not None:
                found.results.append((planned, verdict))

    def _to_convert(
        self,
        batch: Sequence[PlannedRow],
        before: Sequence[tuple[str, str | None]],
        resolved_targets: Sequence[ResolvedTarget | Failure],
    ) -> None:
        """Record the rows whose files are converted, or no more; a preview begins with it at once."""
        assert self._conversions is not None
        self._run.converts(
            planned
            for planned, (name, recipe) in zip(batch, before, strict=True)
            if (planned.name, planned.recipe) != (name, recipe)
        )
        if self._looked is None:
            return
        for planned, resolved in zip(batch, resolved_targets, strict=True):
            if planned.recipe is not None and isinstance(resolved, ResolvedTarget):
                self._conversions.plan(planned, resolved.definition)

    def _converted(
        self,
        planned: PlannedRow,
        resolved: ResolvedTarget | Failure,
        verdict: UploadTask | Failure | RowResult | None,
    ) -> UploadTask | Failure | RowResult | None:
        """The verdict on a row whose file is converted, with what came of that if it is not to be sent."""
        assert self._conversions is not None
        if isinstance(verdict, UploadTask):
            return verdict
        try:
            if isinstance(verdict, RowResult) and isinstance(resolved, ResolvedTarget):
                if verdict.status is Status.PLANNED:
                    self._conversions.get(planned, resolved.definition)
                made = self._conversions.made(planned)
                if made is not None:
                    notes = (*verdict.notes, *made.fitted.notes)
                    verdict = replace(
                        verdict, notes=notes, fitted=made.to_report(), sha256=made.source_sha256
                    )
        except SourceTrouble as trouble:
            return trouble.failure
        finally:
            self._conversions.drop(planned)
        return verdict

    def fits(self, resolved: ResolvedTarget, name: str, size: int) -> Failure | None:
        """Why the attribute does not take a file of this name and size in bytes, if it does not."""
        return None if resolved.definition is None else checks.file_fits(resolved.definition, name, size)

    def _verdict(
        self,
        planned: PlannedRow,
        resolved: ResolvedTarget,
        remembered: Remembered | None,
        known: dict[str, Known],
    ) -> UploadTask | Failure | RowResult | None:
        """None: the row has no result yet, or needs none."""
        if planned.row.has_no_media:
            return self._left_open(beside.without_media(planned, resolved), resolved)
        return self._media_verdict(planned, resolved, remembered, known)

    def _media_verdict(
        self,
        planned: PlannedRow,
        resolved: ResolvedTarget,
        remembered: Remembered | None,
        known: dict[str, Known],
    ) -> UploadTask | Failure | RowResult | None:
        twice = self._named_twice(planned, resolved)
        if twice is not None:
            return twice if isinstance(twice, Failure) else None
        place = ADAPTERS[resolved.target.type]
        # A PATCH makes what is not there, and drops what is of another level
        # (docs/pim-behaviour.md, "Batch PATCH").
        content = self._contents.of(planned) if place.shares and resolved.sure else None
        compared = self._unchanged.compare(planned, resolved, remembered)
        result = result_of(planned, resolved, compared)
        if result is not None:
            # A file that only has the same name and size is not shared with others.
            sent = compared.sha256 if planned.recipe is None else compared.sent_sha256
            if result.media_code is not None and sent is not None and content is not None:
                known[content] = Known(result.media_code, sent, doubtful=True)
                self._carriers.sends(content, planned.seq)
            return self._left_open(result, resolved)
        resolved = replace(resolved, notes=(*resolved.notes, *compared.notes))
        way: Way | ResolvedTarget | Failure | None = None
        if resolved.target.type is TargetType.PRODUCT_UUID:
            way = self._carriers.way(planned, content)
        else:
            self._carriers.sends(content, planned.seq)
        if isinstance(way, Failure):
            return way
        if way is Way.LATER:
            return None
        if not self._sends:
            notes = resolved.notes if self._looked else ()
            said = resolved.beside.with_file() if self._looked and resolved.beside else None
            return RowResult(planned.seq, self._looked, notes=notes, before=compared.before, beside=said)
        return self._task(planned, resolved, content, way, compared.before)

    def _left_open(self, result: RowResult, resolved: ResolvedTarget) -> RowResult:
        return beside.left_open(result, resolved, sends=self._sends, looked=self._looked)

    def _task(
        self,
        planned: PlannedRow,
        resolved: ResolvedTarget,
        content: str | None,
        way: Way | ResolvedTarget | None,
        before: HeldBefore,
    ) -> UploadTask:
        payload = UploadPayload(planned, resolved, self._unchanged.interrupted.get(planned.seq))
        payload.held = before if isinstance(before, HeldFile) else None
        if isinstance(way, ResolvedTarget):
            payload.via = way
        place = payload.place
        entity, name = place.key(resolved), f"name:{php_basename(planned.name)}"
        keys = () if place.attaches else (entity,)
        if payload.via is not None:
            keys = (payload.sent_to.key(payload.via),)
        task = UploadTask(
            payload,
            planned.seq,
            planned.size or 0,
            keys,
            tree=f"tree:{folded(resolved.tree)}" if resolved.tree else None,
            name=name,
            attach_keys=(entity,),
            group=place.group(resolved),
            content=content,
            attaches=place.attaches or payload.via is not None,
            borrows=payload.via is not None,
            carried=way is Way.CARRIED,
        )
        if planned.recipe is not None and self._conversions is not None and not task.carried:
            self._conversions.plan(planned, resolved.definition, content)
        return task

    def _named_twice(self, planned: PlannedRow, resolved: ResolvedTarget) -> Failure | bool | None:
        """Does a row name the same value by the product's identifier? True: and the same file."""
        target = planned.row.target
        if target is None or target.type is resolved.target.type:
            return None
        twin = self._run.twin(resolved.target, resolved.attribute, resolved.locale, resolved.scope)
        if twin is None:
            return None
        place = f"{twin.row.manifest}:{twin.row.line}"
        if same_path(twin.path or "") == same_path(planned.path or ""):
            self._run.drop(planned.seq, f"left out: {place} names the same file for the same value")
            return True
        return Failure(
            Kind.CONFLICTING_ROWS,
            f"{place} names another file for the same value of {resolved.target.code}: {twin.row.file}",
            "A value holds one file: keep the right row and delete the other.",
        )


def looked_at(
    batch: Sequence[PlannedRow], sources: Sources, *, passing: bool = True
) -> tuple[list[tuple[PlannedRow, RowResult]], Sequence[PlannedRow]]:
    """Follow the rows' links: returns results of those that lead to no file, and the other rows.

    With `passing` also of those that lead to none now; else they are left to be tried when they are sent.
    """
    troubles = sources.look(batch)
    if not troubles:
        return [], batch
    results: list[tuple[PlannedRow, RowResult]] = []
    rest: list[PlannedRow] = []
    for planned in batch:
        trouble = troubles.get(planned.seq)
        if trouble is None or (trouble.passing and not passing):
            rest.append(planned)
        else:
            status = Status.FAILED if trouble.passing else Status.INVALID
            results.append((planned, RowResult(planned.seq, status, trouble.failure)))
    return results, rest


def _unasked(planned: PlannedRow) -> ResolvedTarget | Failure:
    target = planned.row.target
    if has_beside(planned.row):
        return beside.UNASKED
    if target is not None and target.type is TargetType.PRODUCT_UUID:
        return Failure(
            Kind.TARGET_UNKNOWN,
            "the PIM accepts uploads by identifier, and without asking it the one behind a UUID is unknown",
            "Leave --no-preflight out, or name the product by its identifier.",
        )
    return ResolvedTarget.as_written(planned)


def _resume(task: UploadTask, payload: UploadPayload, left: Interrupted) -> bool:
    """What is next for a row that a run was at work on when it died; True: nothing of it was saved.

    Its requests are over: what the value holds now is final.
    """
    now = payload.resolved.before
    if left.code is not None and not payload.replanned and (payload.resolved.sure or task.attaches):
        known = Known(left.code, None, doubtful=True)
        # Its file is in the PIM: to set the code once more does no harm. Whether it is that file, and not
        # another's of its name, that run may not have found out.
        task.state = Resumed(known) if task.attaches else Attaching(known)
    elif task.attaches or task.carried:
        pass
    elif now is None or (now is not UNKNOWN and (now == left.before or payload.replanned)):
        payload.resumed = None
        return True
    else:
        # The value holds another file than before: the one that was sent, with its own bytes?
        task.state, task.suspect = Resumed(), True
    return False
