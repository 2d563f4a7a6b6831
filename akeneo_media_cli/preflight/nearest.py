"""What was probably meant by a product or model that does not exist."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from ..pim.client import PimClient
from ..pim.errors import Refusal, Trouble
from ..rows import Target, TargetType, folded
from ..suggest import nearest

T = TypeVar("T")

MOST_BROWSED = 5_000
"""Codes that are read to find one like an unknown one, as the PIM has no search for that
(docs/pim-behaviour.md, "Searching and paging")."""
_MOST_HINTS = 20
"""Each costs several requests, and more hints do not help before the first ones are fixed."""
_LONGEST_NUMBER = 14
_GAPS = re.compile(r"[\s._-]+")
_DIGITS = re.compile(r"[0-9]+")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_OTHERS = {
    TargetType.PRODUCT: (TargetType.PRODUCT_MODEL, "a product model"),
    TargetType.PRODUCT_MODEL: (TargetType.PRODUCT, "a product"),
}


class NearestCodes:
    """Asks a PIM for codes similar to a missing one. Thread-safe."""

    def __init__(
        self, client: PimClient, ask: Callable[[Callable[[], object]], object] | None = None
    ) -> None:
        """`ask` makes a request, if not at once."""
        self._client = client
        self._ask = ask
        self._browsed: dict[TargetType, dict[str, str]] = {}
        self._hints = 0
        self._lock = threading.Lock()

    def hint(self, target: Target) -> str:
        """A sentence on what a missing target probably is, or ""; only for the first ones."""
        with self._lock:
            self._hints += 1
            if self._hints > _MOST_HINTS or target.type not in _OTHERS:
                return ""
            if target.type is TargetType.PRODUCT and _UUID.fullmatch(target.code):
                return "It looks like a UUID: those belong in the column product_uuid."
            try:
                return self._hint(target)
            except (Refusal, Trouble):  # a hint is not worth failing a row for
                return ""

    def _hint(self, target: Target) -> str:
        other, what = _OTHERS[target.type]
        if self._found(other, [target.code]):
            return f"There is {what} {target.code}: name it in the column {other.value}."
        near = self.nearest(target)
        if near is None:
            return ""
        if near.lstrip("0") == target.code.lstrip("0"):
            return (
                f"The PIM has {near}: spreadsheets drop the zeros before a number; format the column as text."
            )
        return f"Did you mean {near}?"

    def nearest(self, target: Target) -> str | None:
        """The code most similar to a missing one, if any. Raises as requests do."""
        guesses = [guess for guess in _guesses(target.code) if folded(guess) != folded(target.code)]
        there = self._found(target.type, guesses) if guesses else set()
        for guess in guesses:
            if folded(guess) in there:
                return guess
        return nearest(target.code, self._browse(target.type).values(), fold=folded)

    def _now(self, request: Callable[[], T]) -> T:
        return request() if self._ask is None else self._ask(request)  # type: ignore[return-value]

    def _found(self, kind: TargetType, codes: list[str]) -> set[str]:
        if kind is TargetType.PRODUCT:
            products = self._now(lambda: self._client.search_products(codes))
            return {folded(p.identifier) for p in products if p.identifier}
        models = self._now(lambda: self._client.search_product_models(codes))
        return {folded(m.code) for m in models}

    def _browse(self, kind: TargetType) -> dict[str, str]:
        """The first codes of the PIM by folded code; read once."""
        if kind not in self._browsed:
            codes: dict[str, str] = {}
            at = ""
            while True:
                found, at = self._now(partial(self._page, kind, at))
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
    """The usual typos of a code: other separators, lost zeros, an extra part at the end."""
    parts = _GAPS.split(code)
    shorter = [code[: match.start()] for match in reversed(list(_GAPS.finditer(code)))][:3]
    # A part with digits is not too many: without it the code is another product's.
    shorter = [short for short in shorter if _DIGITS.findall(short) == _DIGITS.findall(code)]
    joined = [separator.join(parts) for separator in ("-", "_", "", ".", " ")]
    padded = [code.lstrip("0")]
    if code.isdigit():
        padded += [code.zfill(length) for length in range(len(code) + 1, _LONGEST_NUMBER + 1)]
    return [guess for guess in dict.fromkeys([*joined, *padded, *shorter]) if guess.strip()]
