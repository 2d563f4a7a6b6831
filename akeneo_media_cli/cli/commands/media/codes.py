"""Media codes as arguments."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import Annotated

import typer

Codes = Annotated[
    list[str], typer.Argument(metavar="CODE...", help="Media codes; - reads them from standard input.")
]
_READ_CODES = "-"


def named(codes: Iterable[str]) -> Iterator[str]:
    """The codes, those on standard input in the place of `-`."""
    for code in codes:
        if code == _READ_CODES:
            yield from filter(None, (line.strip() for line in sys.stdin))
        else:
            yield code.strip()
