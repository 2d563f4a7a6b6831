"""Faults to order: which ones there are, and which of them a call meets.

`--fault 429=0.05` is a chance for every API call, `--fault 500=3x` meets the next three calls,
`@media-files` after it narrows it to calls whose path contains that text.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

KINDS: Mapping[str, str] = {
    "429": "429 with Retry-After",
    "429-no-retry-after": "429 without Retry-After",
    "500": "500 in the PIM's JSON, before anything was saved",
    "500-late": "500 in the PIM's JSON, after the commit",
    "500-html": "500 as an HTML page, before anything was saved",
    "502": "502 as a proxy's HTML page",
    "503": "503 in JSON",
    "503-html": "503 as a proxy's HTML page",
    "504-late": "504 as a proxy's HTML page, after the commit",
    "408": "408 as a proxy's HTML page",
    "401": "401, as if the token had just been revoked",
    "403-html": "403 as the cloud firewall's HTML page, before the body is read, and the connection closed",
    "413-html": "413 as a proxy's HTML page, before the body is read, and the connection closed",
    "redirect": "301 to https, as a proxy in front of the PIM sends it",
    "reset-early": "the connection is reset before the body is read",
    "reset-middle": "the connection is reset when half the body is read; the PIM drops it whole",
    "reset-late": "the connection is reset after the commit, in place of the answer",
    "stall": "no answer, nothing saved: the call is held",
    "stall-late": "no answer, though the value was saved: the call is held",
    "slow-read": "the body is read slowly, then the call goes on as usual",
    "fatal-over": "500 in the PIM's JSON for a body of more than so many bytes, after all of it was read",
    "drift": "somebody else replaces a media value just before the call is served",
    "other-writer": "a save is overwritten at once by a writer that had read before it",
    "collide": "an upload shares its media code with another of the same name that is in flight",
}

APART = ("fatal-over", "other-writer", "collide")
"""Faults that only some calls can meet (large bodies, saves, two uploads of one name); drawn there."""

_SPEC = re.compile(
    r"(?P<kind>[0-9a-z-]+)(?:=(?P<amount>[0-9]+x|[0-9]*\.?[0-9]+(?:e-?[0-9]+)?))?(?:@(?P<path>\S+))?"
)


@dataclass
class Fault:
    """One ordered fault: a chance for each call, or the next `count` calls."""

    kind: str
    chance: float = 1.0
    count: int | None = None
    path: str = ""
    over: int | None = None
    """Only bodies of more than so many bytes meet it (`fatal-over`)."""

    def __str__(self) -> str:
        amount = f"{self.count}x" if self.count is not None else f"{self.chance:g}"
        if self.over is not None:
            amount = str(self.over)
        return f"{self.kind}={amount}" + (f"@{self.path}" if self.path else "")

    def fits(self, path: str, size: int) -> bool:
        """Whether a call to `path` with a body of `size` bytes can meet it at all."""
        if self.path not in path or (self.kind == "reset-middle" and not size):
            return False
        return self.over is None or size > self.over


@dataclass
class FaultPlan:
    """The faults in force. `pick` decides for one call."""

    faults: list[Fault] = field(default_factory=list)

    def pick(self, path: str, has_body: bool, rng: random.Random) -> str | None:
        """The kind of fault that a call to `path` meets, or None."""
        return _hit([fault for fault in self.faults if fault.kind not in APART], path, int(has_body), rng)

    def strikes(self, kind: str, path: str, rng: random.Random, size: int = 0) -> bool:
        """Whether a call to `path` with a body of `size` bytes now meets `kind`, one of APART."""
        return _hit([fault for fault in self.faults if fault.kind == kind], path, size, rng) is not None


def _hit(faults: list[Fault], path: str, size: int, rng: random.Random) -> str | None:
    """The first of `faults` that happens.

    One number is drawn for each chance in force, so that a seed and an order of calls repeat exactly.
    """
    hit: Fault | None = None
    for fault in faults:
        drawn = 0.0 if fault.count is not None else rng.random()
        if hit is not None or not fault.fits(path, size):
            continue
        if fault.count is None:
            hit = fault if drawn < fault.chance else None
        elif fault.count > 0:
            fault.count -= 1
            hit = fault
    return hit.kind if hit else None


def parse_fault(text: str) -> Fault:
    """One `KIND[=CHANCE|=Nx|=BYTES][@PATH]`. Raises ValueError with a message for the user."""
    found = _SPEC.fullmatch(text.strip())
    if not found:
        raise ValueError(
            f"{text!r} is not a fault: write KIND=CHANCE, such as 429=0.05, or KIND=3x for three calls"
        )
    kind, amount = found["kind"], found["amount"]
    if kind not in KINDS:
        raise ValueError(f"{kind!r} is not a fault of the sandbox: it knows {', '.join(KINDS)}")
    fault = Fault(kind, path=found["path"] or "")
    if kind == "fatal-over":
        if not (amount or "").isdigit():
            raise ValueError(f"{text!r}: this fault needs a number of bytes, such as fatal-over=5000000")
        fault.over = int(amount)
    elif amount and amount.endswith("x"):
        fault.count = int(amount[:-1])
    elif amount:
        fault.chance = float(amount)
        if fault.chance > 1:
            raise ValueError(f"{text!r}: a chance lies between 0 and 1; {kind}=3x means three calls")
    return fault


def parse_faults(texts: Iterable[str]) -> FaultPlan:
    """A plan from `--fault` options; each may hold several, separated by commas. Raises ValueError."""
    parts = [part for text in texts for part in text.split(",") if part.strip()]
    return FaultPlan([parse_fault(part) for part in parts])


def plan_from_json(body: Any) -> FaultPlan:
    """A plan from `{"429": 0.05, "reset-late@media-files": "2x"}` or `["429=0.05"]`. Raises ValueError."""
    if isinstance(body, list):
        return parse_faults(str(item) for item in body)
    if isinstance(body, dict):
        texts = []
        for name, amount in body.items():
            kind, at, path = str(name).partition("@")
            texts.append(f"{kind}={amount}{at}{path}")
        return parse_faults(texts)
    raise ValueError('faults are a list such as ["429=0.05"] or an object such as {"429": 0.05}')
