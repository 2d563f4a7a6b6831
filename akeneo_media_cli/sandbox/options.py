"""What can be configured: limits, dangers, faults, who may log in.

Only the standard library is imported here, so that a command line can be built of it at once.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from ..content.text import Php
from .faults import FaultPlan

MEBIBYTE = 1024 * 1024


class SandboxMissing(ImportError):  # noqa: N818
    """The extra `sandbox` (Starlette, uvicorn, python-multipart) is not installed."""


@dataclass(frozen=True)
class Credentials:
    """One connection's four values. Though they only open this sandbox, secrets stay out of `repr`."""

    client_id: str
    client_secret: str = field(repr=False)
    username: str
    password: str = field(repr=False)

    def as_dict(self) -> dict[str, str]:
        """The four by the names that `sandbox --json` prints."""
        return {
            "client_id": self.client_id,
            "client_secret": self.client_secret,
            "username": self.username,
            "password": self.password,
        }


@dataclass
class SandboxOptions:
    """How the sandbox behaves. Times are seconds, sizes are bytes, chances lie between 0 and 1.

    The defaults are the PIM that was measured (docs/pim-behaviour.md, "Lost values"), only faster.
    docs/sandbox.md describes the dangers.
    """

    # Times.
    save_time: float = 0.01
    """Between reading a whole product and writing it whole: two calls at once lose a value
    (docs/pim-behaviour.md, "Lost values")."""
    latency: float = 0.0
    """A pause before each API call is handled."""
    search_lag: float = 0.0
    """Search does not find a product or model that is younger than this, those of the catalogue included."""

    # Dangers.
    code_clock_step: float = 1e-6
    """How long the clock in media codes stands still: uploads of one name within one step collide
    (docs/pim-behaviour.md, "Swapped bytes")."""
    deadlock: float = 0.0
    """Chance of a 500 after the commit, for a save while another in the same model tree goes on
    (docs/pim-behaviour.md, "Lost values")."""
    lose_chunked: bool = True
    """A body without Content-Length is lost, as Apache loses it (docs/pim-behaviour.md, "Transport")."""

    # Limits.
    max_concurrency: int | None = None
    """More calls in flight than this are answered 429."""
    token_ttl: float = 3600.0
    refresh_ttl: float = 1_209_600.0
    upload_max_filesize: int = 2048 * MEBIBYTE
    """PHP's: a bigger file is answered 500. A catalogue's `limits` override it."""
    post_max_size: int = 2056 * MEBIBYTE
    """PHP's: a bigger body arrives empty. A catalogue's `limits` override it."""
    proxy_max_body: int | None = None
    """The proxy's: a bigger body is answered 413 in HTML before it was read."""

    # Faults.
    faults: FaultPlan = field(default_factory=FaultPlan)
    down_after: int | None = None
    """After so many API calls every call is answered 503 in HTML."""
    down_for: float | None = None
    """How long that lasts; None: until /_sandbox/faults says `{"down": false}`."""
    retry_after: int = 1
    """What the 429 fault says in `Retry-After`, in seconds."""
    stall_time: float = 600.0
    """How long a stalled call is held."""
    slow_read_rate: int = 64 * 1024
    """Bytes a second that a slow-read call reads."""

    # What kind of PIM.
    edition: str = "ce"
    """`ce` has the routes of the recorded Community Edition; `ee` also assets, records, category media."""
    pam: bool = False
    """The routes of the old PAM (PIM 2.x and 3.x)."""
    version: str = "master"
    php: Php = "8.2"
    """The PHP it runs on: versions differ in the MIME type they find in a file."""

    seed: int | None = None
    """Makes faults and deadlocks repeatable, as far as the order of calls is."""
    clock: Callable[[], float] = time.time
    """The time of day in seconds, for token lifetimes, media codes and `updated`."""
