"""What an asset collection is to hold. Order stays: pages of a shop show assets in it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum

from ..rows import folded


class LinkMode(StrEnum):
    """Where assets go that a collection does not hold: behind the others, before them, or in their place."""

    APPEND = "append"
    FIRST = "first"
    REPLACE = "replace"


def in_order(some: Sequence[str], others: Sequence[str]) -> bool:
    """Are these the same assets in the same order?"""
    return [folded(code) for code in some] == [folded(code) for code in others]


def kept_of(some: Sequence[str], others: Sequence[str]) -> list[str]:
    """Those of `others` that are among `some`, in the order of `others`."""
    known = {folded(code) for code in some}
    return [code for code in others if folded(code) in known]


def collection(
    held: Sequence[str], codes: Iterable[str], mode: LinkMode, out: Iterable[str] = ()
) -> list[str]:
    """What a collection that holds `held` is to hold once `codes` are linked, in this order.

    `out` are taken out, whatever the mode.
    """
    gone = {folded(code) for code in out}
    held = [code for code in held if folded(code) not in gone]
    wanted = list({folded(code): code for code in codes}.values())
    if mode is LinkMode.REPLACE:
        return wanted
    there = {folded(code) for code in held}
    new = [code for code in wanted if folded(code) not in there]
    return [*new, *held] if mode is LinkMode.FIRST else [*held, *new]
