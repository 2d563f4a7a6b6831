"""Keeps secrets out of what is shown."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from urllib.parse import quote, quote_plus

_USERINFO = re.compile(r"(?<=://)[^/@\s'\"]*@")
_SHORTEST = 4
"""Replacing shorter texts would garble every message and hide nothing."""
_LONGEST_USERINFO = 1000


class Redactor:
    """Replaces every secret it was told by `***`, and drops names and passwords from URLs."""

    def __init__(self) -> None:
        self._secrets: tuple[str, ...] = ()

    def learn(self, *secrets: str) -> None:
        """From now on these are secret, as they are and as a server may echo them.

        Longest first, so that none shows through another.
        """
        known = {*self._secrets, *(form for s in secrets if len(s) >= _SHORTEST for form in _forms(s))}
        self._secrets = tuple(sorted(known, key=len, reverse=True))

    def __call__(self, text: str) -> str:
        text = _USERINFO.sub("***@", text)
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text

    def beginning(self, text: str, size: int) -> str:
        """The first `size` characters at most, redacted: cut first, and a secret's first half would show."""
        longest = len(self._secrets[0]) if self._secrets else 0
        part = text[: size + max(longest, _LONGEST_USERINFO)]
        clean = self(part)
        if len(part) < len(text):
            # What the cut left of a secret may have moved to the front, as others became shorter.
            begun = (n for s in self._secrets for n in range(1, len(s)) if clean.endswith(s[:n]))
            clean = clean[: len(clean) - max(begun, default=0)]
        return clean[:size]


_HTML = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#x27;"})
"""As html.escape has it, which comes with two thousand names of letters."""
_WAYS: tuple[Callable[[str], str], ...] = (
    lambda s: json.dumps(s)[1:-1],
    lambda s: json.dumps(s, ensure_ascii=False)[1:-1],
    # PHP's JSON.
    lambda s: json.dumps(s)[1:-1].replace("/", "\\/"),
    lambda s: repr(s)[1:-1],
    lambda s: s.translate(_HTML),
    lambda s: s.translate(_HTML).replace("&#x27;", "&#039;"),
    lambda s: quote(s, errors="surrogatepass"),
    lambda s: quote(s, safe="", errors="surrogatepass"),
    lambda s: quote_plus(s, errors="surrogatepass"),
    # UTF-8 in a header, and Latin-1 in a body, as they are read.
    lambda s: s.encode("utf-8", "surrogatepass").decode("latin-1"),
    lambda s: s.encode("latin-1", "replace").decode("utf-8", "replace"),
)


def _forms(secret: str) -> set[str]:
    """How a text may come back, one form within another too: the JSON that we sent on a page of HTML."""
    once = {secret, *(way(secret) for way in _WAYS)}
    return once | {way(form) for way in _WAYS for form in once}
