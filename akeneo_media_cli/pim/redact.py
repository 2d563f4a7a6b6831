"""Keeping secrets out of what is shown."""

from __future__ import annotations

import re

_USERINFO = re.compile(r"(?<=://)[^/@\s'\"]*@")
_SHORTEST = 4
"""Replacing shorter texts would garble every message and hide nothing."""


class Redactor:
    """Replaces every secret it was told by `***`, and drops names and passwords from URLs."""

    def __init__(self) -> None:
        self._secrets: tuple[str, ...] = ()

    def learn(self, *secrets: str) -> None:
        """From now on these are secret. Longest first, so that none shows through another."""
        known = {*self._secrets, *(s for s in secrets if len(s) >= _SHORTEST)}
        self._secrets = tuple(sorted(known, key=len, reverse=True))

    def __call__(self, text: str) -> str:
        text = _USERINFO.sub("***@", text)
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text
