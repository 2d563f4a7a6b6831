"""Do the products and models that rows name exist? And if not, which was probably meant?"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import islice

from ..manifest.beside import written_to
from ..pim.client import PimClient
from ..pim.errors import Refusal
from ..rows import Row, Target, TargetType, folded
from ..transfer.reads import ParallelReads
from .lookup import find, get
from .nearest import NearestCodes

ASKED_AT_ONCE = 100
_MOST_KNOWN = 1 << 17

Tell = Callable[[Target, "str | None"], None]
"""Gets a product or model that does not exist, and the code that was probably meant."""


class Existing:
    """Looks rows' products and models up as they come by, a hundred at a time."""

    def __init__(self, client: PimClient, reads: ParallelReads, tell: Tell) -> None:
        self._client = client
        self._reads = reads
        self._tell = tell
        self._known: set[tuple[TargetType, str]] = set()
        self._nearest = NearestCodes(client, reads.one)
        self.missing = 0

    def checked(self, rows: Iterable[Row]) -> Iterator[Row]:
        """The same rows; each missing product and model is reported once, before its row.

        Raises AccessError, UsageError and TemporaryError.
        """
        rows = iter(rows)
        while batch := list(islice(rows, ASKED_AT_ONCE)):
            self._look([target for target in map(written_to, batch) if target is not None])
            yield from batch

    def _look(self, targets: Iterable[Target]) -> None:
        for kind in (TargetType.PRODUCT, TargetType.PRODUCT_MODEL):
            wanted = {folded(t.code): t for t in targets if t.type is kind}
            asked = {fold: t for fold, t in wanted.items() if (kind, fold) not in self._known}
            if not asked:
                continue
            found = self._found(kind, [t.code for t in asked.values()])
            left = [t for fold, t in asked.items() if fold not in found]
            # The index lags: only a single read shows that one does not exist
            # (docs/pim-behaviour.md, "Searching and paging").
            answers = self._reads.all([partial(self._one, t) for t in left])
            for target, answer in zip(left, answers, strict=True):
                if not answer or isinstance(answer, Refusal):
                    self.missing += 1
                    self._tell(target, self._nearest.nearest(target))
            if len(self._known) > _MOST_KNOWN:
                self._known.clear()
            self._known.update((kind, fold) for fold in asked)

    def _found(self, kind: TargetType, codes: Iterable[str]) -> set[str]:
        return set(self._reads.one(partial(find, self._client, kind, codes)))

    def _one(self, target: Target) -> bool:
        return get(self._client, target.type, target.code) is not None
