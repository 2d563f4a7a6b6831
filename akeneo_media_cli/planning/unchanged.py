"""Which rows need not be sent, and which may already be there (`--skip`,
docs/pim-behaviour.md, "Searching and paging")."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from ..ledger import HeldFile, Interrupted, PlannedRow, Remembered, Run
from ..link import is_link
from ..pim.client import PimClient
from ..pim.errors import Refusal
from ..storage.sources import Sources
from ..targets import ADAPTERS
from ..targets.resolved import ResolvedTarget


class Held(NamedTuple):
    """A media file that a row's value has already.

    `sha256` in hex is the row's and, by the ledger's word, its own; None: they are alike in name and size.
    """

    code: str
    sha256: str | None


class Unchanged:
    """Compares a row's file with what the ledger put there or the PIM holds.

    `skip` is `ledger`, `remote` or `none`. Rows whose file is untouched since the ledger put it there were
    taken out before; `touched` are those where only the time differs. `interrupted` were being sent by a run
    that died.
    """

    def __init__(
        self,
        skip: str,
        client: PimClient,
        run: Run,
        sources: Sources,
        *,
        touched: Mapping[int, tuple[str, str]],
        interrupted: Mapping[int, Interrupted],
    ) -> None:
        self._skip = skip
        self._client = client
        self._run = run
        self._sources = sources
        self._touched = touched
        self.interrupted = interrupted

    def held(self, planned: PlannedRow, resolved: ResolvedTarget) -> Held | None:
        """The media file that is the row's already; None: it must be sent. Raises Trouble."""
        if self._skip == "ledger":
            if is_link(planned.path or ""):
                return self._sent_before(planned)
            code, sha256 = self._touched.get(planned.seq, (None, None))
            same = code is not None and self._sources.sha256(planned.path) == sha256
            return Held(code, sha256) if code is not None and same else None
        if self._skip == "remote" and isinstance(resolved.before, str):
            return self._remote(planned, resolved, resolved.before)
        return None

    def told(self, seq: int, code: str) -> HeldFile:
        """What is known of the file that a row's value holds."""
        known = self._run.remembered(seq)
        if known is None or known.media_code != code:
            return HeldFile(code)
        return HeldFile(code, known.name, known.size)

    def _sent_before(self, planned: PlannedRow) -> Held | None:
        """As `ledger.planning` finds it for files, whose size and time are known when they are planned."""
        known = self._run.remembered(planned.seq)
        if known is None or known.name != planned.name or planned.seq in self.interrupted:
            return None
        same = self._same(planned, known)
        if same:
            planned.size = known.size
        return Held(known.media_code, known.sha256) if same else None

    def _same(self, planned: PlannedRow, known: Remembered) -> bool:
        """Is the row's file the one that the ledger put there? Read only where its time tells nothing."""
        if planned.size not in (None, known.size):
            return False
        if known.mtime_ns is not None and known.mtime_ns == planned.mtime_ns:
            return True
        return known.sha256 is not None and self._sources.sha256(planned.path) == known.sha256

    def _remote(self, planned: PlannedRow, resolved: ResolvedTarget, held: str) -> Held | None:
        known = self._run.remembered(planned.seq)
        if known is None:
            place = ADAPTERS[resolved.target.type]
            try:
                same = place.resembles(self._client, resolved, held, planned.name, planned.size)
            except Refusal:
                return None
            return Held(held, None) if same else None
        if known.media_code != held or known.name != planned.name:
            return None
        return Held(held, known.sha256) if self._same(planned, known) else None
