"""Numbers as a spreadsheet shows them: `00123` and `SKU-0012` are 123 and 12 under a format.

Source: ECMA-376 part 1, 18.8.31 (number formats).
"""

from __future__ import annotations

import re
from typing import NamedTuple

_TOKEN = re.compile(
    r"""
    (?P<zero>0) | (?P<dot>\.) | (?P<next>;)
    | "(?P<quoted>[^"]*)" | \\(?P<escaped>.) | (?P<bare>[-+\x20])
    | \[\$(?P<symbol>[^\]-]*)[^\]]*\]
    | (?P<unseen> _. | \*. | \[(?:black|blue|cyan|green|magenta|red|white|yellow|colou?r\ *[0-9]+)\] )
    """,
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)
_MOST_DIGITS = 1e15
"""No spreadsheet has more digits than that."""

_Section = tuple[str, ...]


class Shape(NamedTuple):
    """A format of zeros and fixed text: its sections for positive numbers, negative ones, and zero.

    A section is its pieces, "0" for a digit, "." for the decimal point, anything else with a quote before it;
    None where it has more than that, or no digit.
    """

    sections: tuple[_Section | None, ...]

    def text(self, value: float) -> str | None:
        """What is seen of a number; None where this shape does not say."""
        if abs(value) >= _MOST_DIGITS:
            return None
        which = 0 if value > 0 else 1 if value < 0 else 2
        own = which < len(self.sections)
        section = self.sections[which if own else 0]
        if section is None:
            return None
        decimals = section[section.index(".") :].count("0") if "." in section else 0
        written = f"{abs(value):.{decimals}f}"
        if float(written) != abs(value):  # rounded to be shown
            return None
        places = section.count("0")
        digits = written.replace(".", "").zfill(places)
        out = ["-"] if value < 0 and not own else []
        taken = 0
        for piece in section:
            if piece != "0":
                out.append(piece[-1:] if piece == "." else piece[1:])
                continue
            # The first place takes the digits for which there are no places.
            upto = len(digits) - places + 1 if not taken else taken + 1
            out.append(digits[taken:upto])
            taken = upto
        return "".join(out)


def shape_of(format: str) -> Shape | None:
    """The shape of a number format as it is in the file; None where a number looks as it does without it."""
    sections: list[_Section | None] = []
    pieces: list[str] | None = []
    at = 0
    while at <= len(format):
        found = _TOKEN.match(format, at)
        if at == len(format) or (found and found["next"]):
            sections.append(tuple(pieces) if pieces and "0" in pieces else None)
            pieces = []
        elif found is None:
            pieces = None
        elif pieces is not None:
            kind = found.lastgroup or ""
            if kind == "zero":
                pieces.append("0")
            elif kind == "dot":
                pieces = [*pieces, "."] if "." not in pieces and "0" in pieces else None
            elif kind != "unseen":
                pieces.append("'" + found[kind])
        at = found.end() if found else at + 1
    plain = all(section in (None, ("0",)) for section in sections)
    return None if plain else Shape(tuple(sections))
