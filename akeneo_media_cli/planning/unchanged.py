"""Which rows need not be sent, because the PIM or the ledger says that the value holds their file already.

`--skip remote` compares with the PIM: the value holds the media code that the ledger knows for this file, or
else a file of the same name and size. `--skip ledger` trusts the ledger and does not ask the PIM.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ..errors import Failure, Kind
from ..frozen import frozen
from ..ledger import UNKNOWN, HeldBefore, HeldFile, Interrupted, PlannedRow, Remembered, RowResult
from ..link import is_link
from ..pim.answers.types import Attribute
from ..pim.client import PimClient
from ..pim.errors import Refusal, SourceTrouble
from ..preflight.catalogue import Catalogue
from ..preflight.lookup import CATALOG, searchable
from ..preflight.values import read_values
from ..rows import Status, folded, php_basename
from ..storage.sources import Sources
from ..targets import ADAPTERS
from ..targets.collections import IMAGE
from ..targets.resolved import ResolvedTarget

if TYPE_CHECKING:
    from ..fit.pool import FittedFile
    from ..storage.conversions import Conversions

REPLACED = "changed in the PIM since, replaced"
KEPT = "changed in the PIM since, kept"
ONLY_NAME_AND_SIZE = (
    "only name and size were compared: this machine does not know the file that the PIM holds "
    "(--checksum downloads it to be sure)"
)
UNASKED = "the PIM did not say what the value holds: the ledger was trusted"


@frozen
class SkipPolicy:
    """How rows are left out. `skip` is `remote`, `ledger` or `none`, `drift` `overwrite`, `keep` or `fail`.

    `checksum`: files are compared by SHA-256 only.
    """

    skip: str = "remote"
    drift: str = "overwrite"
    checksum: bool = False


NOTHING_SKIPPED = SkipPolicy("none")


@frozen
class Comparison:
    """What a row's value holds beside the row's file.

    `same`: the row need not be sent. `sha256` (hex) is of the file and, where that was not converted, of what
    the value holds; `sent_sha256` always of the latter: both where they are sure. `failure` is set for a row
    that is neither sent nor the same.
    """

    before: HeldBefore
    same: bool = False
    sha256: str | None = None
    notes: tuple[str, ...] = ()
    kept: bool = False
    failure: Failure | None = None
    sent_sha256: str | None = None


class Unchanged:
    """Compares rows' files with what their values hold. Thread-safe."""

    def __init__(
        self,
        policy: SkipPolicy,
        client: PimClient,
        sources: Sources,
        *,
        touched: Mapping[int, tuple[str, str]],
        interrupted: Mapping[int, Interrupted],
        conversions: Conversions | None = None,
    ) -> None:
        """`touched`: with `--skip ledger`, rows whose file must be read to see whether it changed.

        `interrupted`: rows that an earlier run was sending when it died. `conversions` makes the files of
        rows that are converted.
        """
        self._conversions = conversions
        self._policy = policy
        self._client = client
        self._sources = sources
        self._touched = touched
        self.interrupted = interrupted
        self._lock = threading.Lock()
        self.drifted = 0
        """Values that this machine had set and that held something else."""
        self.kept = 0
        """Of those, values that were left so."""
        self.unasked = 0
        """Rows left out by the ledger alone."""

    def still(self, batch: Sequence[PlannedRow], catalogue: Catalogue) -> list[PlannedRow]:
        """The rows whose value still holds the code that the ledger expects (`PlannedRow.media_code`).

        One request for up to a hundred entities, and no other check: the PIM took this very file before.
        Raises Trouble and AccessError.
        """
        spelled = catalogue.attributes({p.row.attribute for p in batch if _in_catalogue(p)}) or {}
        wanted = [(p, value) for p in batch if (value := _value_of(p, spelled)) is not None]
        try:
            readings = read_values(self._client, [value for _, value in wanted], lagging=True)
        except Refusal:
            # The preflight finds out what may not be read, and reports it.
            return []
        return [
            planned
            for (planned, _), reading in zip(wanted, readings, strict=True)
            if reading.code == planned.media_code
        ]

    def compare(self, planned: PlannedRow, resolved: ResolvedTarget, known: Remembered | None) -> Comparison:
        """What a row's value holds, and whether that is the row's file. Raises Trouble.

        `known`: what the ledger remembers of the value.
        """
        if planned.seq in self.interrupted or self._policy.skip == "none":
            return Comparison(_told(known, resolved))
        if self._policy.skip == "ledger":
            return self._by_ledger(planned, resolved, known)
        if resolved.before is UNKNOWN:
            return self._unasked(planned, resolved, known)
        if known is None:
            return self._alike(planned, resolved, resolved.before) if resolved.before else Comparison(None)
        if known.media_code != resolved.before:
            return self._drift(planned, resolved)
        return _known(known) if self._same_file(planned, known) else Comparison(known.held)

    # What the ledger knows.

    def _by_ledger(
        self, planned: PlannedRow, resolved: ResolvedTarget, known: Remembered | None
    ) -> Comparison:
        before = _told(known, resolved)
        if known is None:
            return Comparison(before)
        if is_link(planned.path or "") or self._conversions is not None:
            same = self._same_file(planned, known)
        else:
            _, sha256 = self._touched.get(planned.seq, (None, None))
            same = sha256 is not None and self._sources.sha256(planned.path) == sha256
        if not same:
            return Comparison(before)
        with self._lock:
            self.unasked += 1
        return _known(known)

    def _unasked(self, planned: PlannedRow, resolved: ResolvedTarget, known: Remembered | None) -> Comparison:
        """The user may not read the value, or the preflight was left out."""
        if known is None or not self._same_file(planned, known):
            return Comparison(UNKNOWN)
        with self._lock:
            self.unasked += 1
        return _known(known, UNASKED)

    def _same_file(self, planned: PlannedRow, known: Remembered) -> bool:
        """Is the row's file the one that the ledger knows, under this name and converted like this?

        Read only if nothing else shows it.
        """
        if known.name != planned.name or known.recipe != planned.recipe:
            return False
        if planned.size not in (None, known.size):
            return False
        untouched = known.mtime_ns is not None and known.mtime_ns == planned.mtime_ns
        if untouched and known.stamp in (None, planned.stamp) and not self._policy.checksum:
            planned.size = known.size
            return True
        same = known.sha256 is not None and self._sources.sha256(planned.path) == known.sha256
        if same:
            planned.size = known.size
        return same

    # What the PIM holds.

    def _alike(self, planned: PlannedRow, resolved: ResolvedTarget, code: str) -> Comparison:
        """The ledger does not know the file that the value holds: compare name and size, or its bytes."""
        before, same = self._resembles(planned, resolved, code)
        if not same:
            return Comparison(before)
        if not self._policy.checksum:
            return Comparison(before, same=True, notes=(ONLY_NAME_AND_SIZE,))
        sha256 = self._same_bytes(planned, resolved, code)
        return Comparison(before) if sha256 is None else _same(planned, before, sha256)

    def _drift(self, planned: PlannedRow, resolved: ResolvedTarget) -> Comparison:
        """This machine set the value, and it holds something else now."""
        code = resolved.before if isinstance(resolved.before, str) else None
        before: HeldBefore = None
        if code is not None:
            before, same = self._resembles(planned, resolved, code)
            # Another machine may have sent the same file; a different one may have its name and size.
            sha256 = self._same_bytes(planned, resolved, code) if same else None
            if sha256 is not None:
                return _same(planned, before, sha256)
        with self._lock:
            self.drifted += 1
            self.kept += self._policy.drift == "keep"
        if self._policy.drift == "keep":
            return Comparison(before, same=True, kept=True, notes=(KEPT,))
        if self._policy.drift == "fail":
            return Comparison(before, failure=_changed(code))
        return Comparison(before, notes=(REPLACED,))

    def _resembles(self, planned: PlannedRow, resolved: ResolvedTarget, code: str) -> tuple[HeldFile, bool]:
        """What the PIM says about a stored file, and whether it has the row's name and size."""
        place = ADAPTERS[resolved.target.type]
        try:
            if place.told:
                media = self._client.media_file(code)
                if media is None:
                    return HeldFile(code), False
                held = HeldFile(code, media.original_filename, media.size)
            elif resolved.stored is not None:
                held = resolved.stored
            else:
                size = self._size(planned, resolved)
                same = place.resembles(self._client, resolved, code, planned.name, size)
                return HeldFile(code, *((planned.name, size) if same else ())), same
        except Refusal:
            return HeldFile(code), False
        same = held.name == php_basename(planned.name) and held.size == self._size(planned, resolved)
        return held, same

    def _size(self, planned: PlannedRow, resolved: ResolvedTarget) -> int | None:
        """Bytes that would be sent. A picture is converted to find out: the result is always the same."""
        if planned.recipe is None:
            return planned.size
        made = self._made(planned, resolved)
        return None if made is None else made.fitted.result.bytes

    def _made(self, planned: PlannedRow, resolved: ResolvedTarget) -> FittedFile | None:
        assert self._conversions is not None
        try:
            return self._conversions.get(planned, resolved.definition)
        except SourceTrouble:
            # It is sent, so that the row reports the error.
            return None

    def _same_bytes(self, planned: PlannedRow, resolved: ResolvedTarget, code: str) -> str | None:
        """The SHA-256 of what would be sent if the PIM's file has it; None where it differs or is unknown."""
        if planned.recipe is None:
            ours = self._sources.sha256(planned.path)
        else:
            made = self._made(planned, resolved)
            ours = None if made is None else made.sha256
        if ours is None:
            return None
        place = ADAPTERS[resolved.target.type]
        try:
            with open(os.devnull, "wb") as nowhere:  # noqa: PTH123 - no path
                theirs = place.download(self._client, resolved, code, nowhere).sha256
        except Refusal:
            return None
        return ours if theirs == ours else None


def _in_catalogue(planned: PlannedRow) -> bool:
    return planned.row.target is not None and planned.row.target.type in CATALOG


def _value_of(planned: PlannedRow, spelled: Mapping[str, Attribute | None]) -> ResolvedTarget | None:
    """A row's value with its attribute as the PIM spells it; None if only the preflight knows it."""
    row = planned.row
    if row.target is None or not searchable(row.target.type):
        return None
    if row.target.type not in CATALOG:
        return ResolvedTarget(row.target, row.attribute or IMAGE, row.locale, row.scope)
    attribute = spelled.get(folded(row.attribute))
    return None if attribute is None else ResolvedTarget(row.target, attribute.code, row.locale, row.scope)


def result_of(planned: PlannedRow, resolved: ResolvedTarget, compared: Comparison) -> RowResult | None:
    """The result of a row that need not, or must not, be sent; None for one that is to be sent."""
    notes = (*resolved.notes, *compared.notes)
    if compared.failure is not None:
        return RowResult(planned.seq, Status.FAILED, compared.failure, notes=notes, before=compared.before)
    if not compared.same:
        return None
    held = compared.before.code if isinstance(compared.before, HeldFile) else None
    return RowResult(
        planned.seq,
        Status.UNCHANGED,
        # What was kept is not the row's file: the ledger still expects that one.
        media_code=None if compared.kept else held,
        sha256=None if compared.kept else compared.sha256,
        notes=notes,
        size=planned.size,
        mtime_ns=planned.mtime_ns,
        stamp=planned.stamp,
        before=compared.before,
    )


def _known(known: Remembered, *notes: str) -> Comparison:
    """The value holds what the ledger knows, which is the row's file."""
    return Comparison(known.held, same=True, sha256=known.sha256, notes=notes, sent_sha256=known.sent_sha256)


def _same(planned: PlannedRow, before: HeldBefore, sha256: str) -> Comparison:
    """The value holds what would be sent, which has this digest."""
    own = sha256 if planned.recipe is None else None
    return Comparison(before, same=True, sha256=own, sent_sha256=sha256)


def _told(known: Remembered | None, resolved: ResolvedTarget) -> HeldBefore:
    """What the value holds, with name and size if this machine put it there or the PIM said them."""
    if not isinstance(resolved.before, str):
        return resolved.before
    if known is not None and known.media_code == resolved.before:
        return known.held
    return resolved.stored or HeldFile(resolved.before)


def _changed(code: str | None) -> Failure:
    now = f"holds {code} now" if code else "is empty now"
    return Failure(
        Kind.CHANGED_IN_PIM,
        f"somebody changed the value after it was uploaded from here: it {now}",
        "Check the value in the PIM. Replace it with --drift overwrite, or leave it with --drift keep.",
    )
