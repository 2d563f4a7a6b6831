"""Identifies rows that send the same file under the same name, so that one can do it for both."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator

from ..ledger import PlannedRow, Share
from ..storage.sources import Sources
from ..transfer.sharing import SHA256
from ..transfer.task import Known

KEPT_DIGESTS = 20_000


class Contents:
    """Names rows' contents. Reads a file only where others have its name and size. Thread-safe."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._lock = threading.Lock()
        self._digests: OrderedDict[tuple[str, int | None, int | None], str | None] = OrderedDict()

    def of(self, planned: PlannedRow) -> str | None:
        """The content's name; None where no other row can have it, or the file cannot be read.

        The file's name is part of it: it travels with the media code
        (docs/pim-behaviour.md, "Answers to an upload").
        """
        if planned.share is None or planned.path is None:
            return None
        if planned.share is Share.PATH:
            return _converted(f"path:{planned.path}\x1f{planned.name}", planned)
        sha256 = self._digest(planned)
        return None if sha256 is None else _converted(_by_bytes(sha256, planned.name), planned)

    def _digest(self, planned: PlannedRow) -> str | None:
        key = (planned.path or "", planned.size, planned.mtime_ns)
        with self._lock:
            if key in self._digests:
                return self._digests[key]
        digest = self._sources.sha256(planned.path)
        with self._lock:
            self._digests[key] = digest
            if len(self._digests) > KEPT_DIGESTS:
                self._digests.popitem(last=False)
        return digest


def known_before(rows: Iterable[PlannedRow]) -> Iterator[tuple[str, Known]]:
    """The contents of rows that earlier runs sent, as far as the ledger knows them."""
    for planned in rows:
        # Without a digest it was taken for the same file by name and size alone.
        if planned.media_code is None or planned.sha256 is None or planned.recipe is not None:
            continue
        known = Known(planned.media_code, planned.sha256, doubtful=True)
        if planned.share is Share.PATH:
            yield f"path:{planned.path}\x1f{planned.name}", known
        elif planned.share is Share.BYTES:
            yield _by_bytes(planned.sha256, planned.name), known


def _converted(content: str, planned: PlannedRow) -> str:
    """The content, distinguished from the same file sent unconverted or converted in another way."""
    return content if planned.recipe is None else f"converted:{content}\x1f{planned.recipe}"


def _by_bytes(sha256: str, name: str) -> str:
    return f"{SHA256}{sha256}\x1f{name}"
