"""Are the products and models that rows name there at all? And if not, which was probably meant."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import islice

from ..pim.client import PimClient
from ..pim.errors import Refusal
from ..rows import Row, Target, TargetType, folded
from ..suggest import nearest
from ..transfer.questions import ParallelReads

ASKED_AT_ONCE = 100
MOST_BROWSED = 5_000
"""Codes that are read to find one like an unknown one; the PIM has no search for that
(docs/pim-behaviour.md, "Searching and paging")."""
_MOST_KNOWN = 1 << 17
_GAPS = re.compile(r"[\s._-]+")

Tell = Callable[[Target, "str | None"], None]
"""Takes a product or model that is not there, and the code that was probably meant."""


class Existing:
    """Looks rows' products and models up as they come by, a hundred at a time."""

    def __init__(self, client: PimClient, reads: ParallelReads, tell: Tell) -> None:
        self._client = client
        self._reads = reads
        self._tell = tell
        self._known: set[tuple[TargetType, str]] = set()
        self._browsed: dict[TargetType, dict[str, str]] = {}
        self.missing = 0

    def checked(self, rows: Iterable[Row]) -> Iterator[Row]:
        """The same rows; each product and model that is not there is told once, before its row is given.

        Raises AccessError, UsageError and TemporaryError.
        """
        rows = iter(rows)
        while batch := list(islice(rows, ASKED_AT_ONCE)):
            self._look([row.target for row in batch if row.target is not None])
            yield from batch

    def _look(self, targets: Iterable[Target]) -> None:
        for kind in (TargetType.PRODUCT, TargetType.PRODUCT_MODEL):
            wanted = {folded(t.code): t for t in targets if t.type is kind}
            asked = {fold: t for fold, t in wanted.items() if (kind, fold) not in self._known}
            if not asked:
                continue
            found = self._found(kind, [t.code for t in asked.values()])
            left = [t for fold, t in asked.items() if fold not in found]
            # The index lags: only a single read tells that one is not there
            # (docs/pim-behaviour.md, "Searching and paging").
            answers = self._reads.all([partial(self._one, t) for t in left])
            for target, answer in zip(left, answers, strict=True):
                if not answer or isinstance(answer, Refusal):
                    self.missing += 1
                    self._tell(target, self._nearest(target))
            if len(self._known) > _MOST_KNOWN:
                self._known.clear()
            self._known.update((kind, fold) for fold in asked)

    def _found(self, kind: TargetType, codes: list[str]) -> set[str]:
        if kind is TargetType.PRODUCT:
            products = self._reads.one(lambda: self._client.search_products(codes))
            return {folded(p.identifier) for p in products if p.identifier}
        models = self._reads.one(lambda: self._client.search_product_models(codes))
        return {folded(m.code) for m in models}

    def _one(self, target: Target) -> bool:
        if target.type is TargetType.PRODUCT:
            return self._client.get_product(target.code) is not None
        return self._client.get_product_model(target.code) is not None

    def _nearest(self, target: Target) -> str | None:
        """The code most like one that is not there, if any comes near."""
        guesses = [guess for guess in _guesses(target.code) if folded(guess) != folded(target.code)]
        there = self._found(target.type, guesses) if guesses else set()
        for guess in guesses:
            if folded(guess) in there:
                return guess
        browsed = self._browse(target.type)
        return nearest(target.code, browsed.values(), fold=folded)

    def _browse(self, kind: TargetType) -> dict[str, str]:
        """The first codes of the PIM by folded code; read once."""
        if kind not in self._browsed:
            codes: dict[str, str] = {}
            at = ""
            while True:
                found, at = self._reads.one(partial(self._page, kind, at))
                codes.update((folded(code), code) for code in found)
                if not at or len(codes) >= MOST_BROWSED:
                    break
            self._browsed[kind] = codes
        return self._browsed[kind]

    def _page(self, kind: TargetType, at: str) -> tuple[list[str], str]:
        if kind is TargetType.PRODUCT:
            products, after = self._client.product_page(at)
            return [p.identifier for p in products if p.identifier], after
        models, after = self._client.product_model_page(at)
        return [m.code for m in models], after


def _guesses(code: str) -> list[str]:
    """What the usual slips make of a code: other separators, lost zeros, a part too many at the end."""
    parts = _GAPS.split(code)
    shorter = [code[: match.start()] for match in reversed(list(_GAPS.finditer(code)))]
    joined = [separator.join(parts) for separator in ("-", "_", "", ".", " ")]
    padded = [code.lstrip("0"), *(code.zfill(length) for length in (8, 12, 13, 14) if code.isdigit())]
    return [guess for guess in dict.fromkeys([*joined, *padded, *shorter[:3]]) if guess.strip()]
