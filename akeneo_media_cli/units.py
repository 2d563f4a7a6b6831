"""Sizes, rates and durations as people write them."""

from __future__ import annotations

import re
from collections.abc import Mapping

from .errors import UsageError

_NUMBER = r"(\d{1,15}(?:\.\d{1,15})?)"
_DURATION = re.compile(_NUMBER + r"\s*(ms|s|m|h|d)\s*")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_SIZE = re.compile(_NUMBER + r"\s*([kmgt]?)(i?)b?", re.IGNORECASE)
_POWER = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}


def duration(text: str) -> float:
    """Seconds of `90`, `90s`, `30m`, `1h30m`, `2d`, `250ms`; UsageError for anything else and for 0."""
    written = text.strip().lower()
    if re.fullmatch(_NUMBER, written):
        written += "s"
    if not re.fullmatch(f"(?:{_DURATION.pattern})+", written):
        raise UsageError(f"{text!r} is not a duration", "Write it like 90s, 30m or 1h30m.")
    seconds = sum(float(number) * _SECONDS[unit] for number, unit in _DURATION.findall(written))
    if seconds <= 0:
        raise UsageError(f"a duration of {text!r} is too short", "Give more than 0.")
    return seconds


def size(text: str) -> int:
    """Bytes of `500`, `5M` (5,000,000), `5Mi` (5,242,880), `1.5G`. Raises UsageError for anything else."""
    match = _SIZE.fullmatch(text.strip())
    if match is None or (match.group(3) and not match.group(2)):
        raise UsageError(f"{text!r} is not a number of bytes", "Write it like 500k, 5M or 5Mi.")
    base = 1024 if match.group(3) else 1000
    return int(float(match.group(1)) * base ** _POWER[match.group(2).lower()])


def rate(text: str) -> int:
    """Bytes a second of `5M`, `500Ki`, `5M/s`. Raises UsageError for anything else and for 0."""
    number = size(re.sub(r"/s(ec)?$", "", text.strip(), flags=re.IGNORECASE))
    if number <= 0:
        raise UsageError(f"a rate of {text!r} sends nothing", "Give more than 0.")
    return number


def shard(text: str, environ: Mapping[str, str]) -> tuple[int, int]:
    """`2/8` as (2, 8): the second of eight parts; `auto/8` and `auto` ask `environ` which part this is.

    Kubernetes' Indexed Jobs tell it in JOB_COMPLETION_INDEX (from 0), GitLab's parallel jobs in CI_NODE_INDEX
    (from 1) and CI_NODE_TOTAL. Raises UsageError for anything else.
    """
    match = re.fullmatch(r"\s*(\d{1,15}|auto)\s*(?:/\s*(\d{1,15})\s*)?", text)
    if match is None or (match.group(1) != "auto" and match.group(2) is None):
        raise UsageError(f"{text!r} is not a part", "Write it like 2/8: the second of eight; or auto/8.")
    part = _own_part(environ) if match.group(1) == "auto" else match.group(1)
    parts = match.group(2) or environ.get("CI_NODE_TOTAL", "")
    if not part.isdecimal() or not parts.isdecimal():
        raise UsageError(
            f"--shard {text}: the environment does not say which part this is",
            "JOB_COMPLETION_INDEX (Kubernetes) or CI_NODE_INDEX and CI_NODE_TOTAL (GitLab) do; or write 2/8",
        )
    if not 1 <= int(part) <= int(parts):
        raise UsageError(f"there is no part {part} of {parts}", f"Use 1/{parts} to {parts}/{parts}.")
    return int(part), int(parts)


def _own_part(environ: Mapping[str, str]) -> str:
    index = environ.get("JOB_COMPLETION_INDEX", "")
    return str(int(index) + 1) if index.isdecimal() else environ.get("CI_NODE_INDEX", "")
