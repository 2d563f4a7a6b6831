"""Media codes as arguments."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import Annotated

import typer

from ....errors import UsageError

Codes = Annotated[
    list[str], typer.Argument(metavar="CODE...", help="Media codes; - reads them from standard input.")
]
_READ_CODES = "-"


def named(codes: Iterable[str]) -> Iterator[str]:
    """The codes, those on standard input in the place of `-`. Raises UsageError for an empty argument."""
    codes = list(codes)
    if not all(code.strip() for code in codes):
        # Mostly a shell variable that is not set.
        raise UsageError("a media code is empty", "Name codes such as a/b/c/d/abcd_front.jpg.")
    return _named(codes)


def _named(codes: Iterable[str]) -> Iterator[str]:
    for code in codes:
        if code == _READ_CODES:
            yield from filter(None, (line.strip() for line in sys.stdin))
        else:
            yield code.strip()
