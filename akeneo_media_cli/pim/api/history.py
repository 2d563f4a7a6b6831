"""What has worked so far in this process: it distinguishes an outage from a wrong address.

A maintenance page may come with any status (docs/pim-behaviour.md, "Proxies between client and PIM"). Only
that the PIM itself answered before shows that the page is about the PIM, not about the row.
"""

from __future__ import annotations

import math
import re
import threading
from collections.abc import Callable
from urllib.parse import unquote_plus

RECENT = 5.0
"""Seconds after an answer of the PIM's own in which a bare 503 is a rate limit rather than an outage."""

_EVERYWHERE = frozenset(
    {
        ("POST", "media-files"),
        ("GET", "media-files/*"),
        ("GET", "products/*"),
        ("GET", "products?identifier"),
        ("GET", "product-models/*"),
        ("GET", "product-models?identifier"),
    }
)
"""Endpoints that every PIM has: a web server's 404 cannot mean that one is missing."""
_FIELDS = re.compile(r'"(\w+)":\[\{"operator"')


class CallHistory:
    """Which endpoints have answered as a PIM does, when the last one did, and which body sizes got through.

    Usable by any number of threads.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        """`clock`: monotonic seconds."""
        self._clock = clock
        self._lock = threading.Lock()
        self._worked: set[tuple[str, str]] = set()
        self._last = -math.inf
        self._passed = 0
        self._largest = 0

    def worked(self, method: str, path: str) -> None:
        """The PIM itself answered this call, whatever it said."""
        with self._lock:
            self._worked.add(_endpoint(method, path))
            self._last = self._clock()

    @property
    def any_worked(self) -> bool:
        return bool(self._worked)

    def exists(self, method: str, path: str) -> bool:
        """Is this endpoint known to exist: it answered before, or every PIM has it and this is one?"""
        endpoint = _endpoint(method, path)
        return endpoint in self._worked or (self.any_worked and endpoint in _EVERYWHERE)

    @property
    def recently(self) -> bool:
        """Did the PIM itself answer a moment ago?"""
        return self._clock() - self._last <= RECENT

    def body_passed(self, size: int) -> None:
        """A body of `size` bytes was accepted."""
        with self._lock:
            self._passed += 1
            self._largest = max(self._largest, size)

    def largest_passed(self, size: int) -> int | None:
        """The largest body that got through, if this one of `size` bytes is larger; else None."""
        return self._largest if self._passed and size > self._largest else None


def _endpoint(method: str, path: str) -> tuple[str, str]:
    """`GET /products/sku` is `("GET", "products/*")`, a search by code `("GET", "attributes?code")`.

    A firewall may refuse a list, a single entity or a search by itself.
    """
    place, _, query = path.partition("?")
    segments = place.strip("/").split("/")
    fields = _FIELDS.findall(unquote_plus(query))
    return method, segments[0] + ("/*" if len(segments) > 1 else "") + ("?" if fields else "") + ",".join(
        fields
    )
