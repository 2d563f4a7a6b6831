"""Matches the answers of a batch PATCH to its lines: only a line's own answer counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...rows import folded

Answers = list[Mapping[str, Any]]


def match_answers(
    lines: Sequence[Mapping[str, Any]], said: Sequence[Any], key: str, *, numbered: bool
) -> list[Mapping[str, Any] | None]:
    """For each line sent the answer that is surely its own, else None.

    `said` are the answers as they came, and None for one that cannot be read. `key` is the member that
    names a line's entity; codes are compared as the PIM does. `numbered`: answers count lines from 1, and
    in the line's order (docs/pim-behaviour.md, "Batch PATCH"), so that one without number and key may be told
    by its position, where there are as many answers as lines. Else the key alone tells
    (docs/pim-behaviour.md, "Assets and reference entities").
    """
    answers: Answers = [
        each for each in said if isinstance(each, dict) and type(each.get("status_code")) is int
    ]
    numbers = [each.get("line") if numbered else None for each in answers]
    # If one number is not one of ours, the others may be wrong too.
    counted = all(n is None or (type(n) is int and 1 <= n <= len(lines)) for n in numbers)
    complete = numbered and len(answers) == len(said) == len(lines) and all(n is None for n in numbers)
    names = [_name(line, key) for line in lines]
    claims: list[Answers] = [[] for _ in lines]
    named: dict[str, Answers] = {}
    for position, (each, number) in enumerate(zip(answers, numbers, strict=True)):
        name = _name(each, key)
        if number is not None and counted:
            if name is None or name == names[number - 1]:
                claims[number - 1].append(each)
        elif name is not None:
            named.setdefault(name, []).append(each)
        elif complete:
            claims[position].append(each)
    for name, found in named.items():
        places = [place for place, ours in enumerate(names) if ours == name]
        if len(places) == len(found):
            for place, each in zip(places, found, strict=True):
                claims[place].append(each)
    # Two answers for one line contradict each other: neither is believed.
    return [claim[0] if len(claim) == 1 else None for claim in claims]


def _name(source: Mapping[str, Any], key: str) -> str | None:
    value = source.get(key)
    return None if value is None else folded(str(value))
