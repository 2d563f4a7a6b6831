"""The name that was probably meant by one that does not exist: every "did you mean" comes from here."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable

LONGEST = 255
"""Characters that are compared: the time it takes grows with the square of them."""
_DIGITS = re.compile(r"[0-9]+")


def nearest(
    name: str, known: Iterable[str], *, cutoff: float = 0.6, fold: Callable[[str], str] = str.casefold
) -> str | None:
    """The one of `known` that `name` is probably a typo of; None if none is similar.

    Names are compared as `fold` makes them; `cutoff`, from 0 to 1, is how alike they must be. A name with
    other digits is never suggested: `A103.jpg` is not a misspelled `A104.jpg` but another picture.
    """
    wanted = fold(name)[:LONGEST]
    digits = _DIGITS.findall(wanted)
    by_fold: dict[str, str] = {}
    for other in known:
        folded = fold(other)
        if _DIGITS.findall(folded) == digits:
            by_fold.setdefault(folded, other)
    found = difflib.get_close_matches(wanted, by_fold, n=1, cutoff=cutoff)
    return by_fold[found[0]] if found else None
