"""`check`: can we connect, log in, and may we write media? Writes nothing to the PIM."""

from __future__ import annotations

import contextlib
import email.utils
import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import field
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from ..errors import Failure, Kind, MediaError
from ..exits import Exit, worst
from ..frozen import frozen
from ..pim.address import is_this_machine
from ..pim.answers.types import Routes
from ..pim.client import PimClient
from ..pim.errors import CallError, Refusal, Trouble
from ..pim.http.transport import CallInfo
from ..wording import count, duration

CLOCK_TOLERANCE = 60.0
"""Seconds that two clocks may differ without a warning."""
_ACCESS = (Kind.FORBIDDEN, Kind.BLOCKED, Kind.CREDENTIALS_REFUSED, Kind.API_FORBIDDEN)
_RIGHTS = (
    (
        "may read attributes",
        "/attributes",
        "list attributes",
        "files would go to attributes of unknown typess",
    ),
    ("may read channels", "/channels", "list channels", "scopes are not checked before files are sent"),
    ("may read locales", "/locales", "list locales", "locales are not checked before files are sent"),
    ("may read products", "/products", "list products", "targets are not checked, values not read back"),
    (
        "may read product models",
        "/product-models",
        "list product models",
        "targets are not checked, values not read back",
    ),
)


class Health(StrEnum):
    """The result of a check. `skipped`: not done, because an earlier one failed."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    SKIPPED = "skipped"


@frozen
class Finding:
    """One line of the table: what was checked, what was found, and for a failure what to do.

    `details` are the same as values, for programs: seconds, booleans, codes.
    """

    check: str
    health: Health
    found: str
    hint: str = ""
    exit_status: Exit = Exit.OK
    details: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """The finding as `--json` has it."""
        return {
            "check": self.check,
            "status": self.health.value,
            "found": self.found,
            "hint": self.hint,
            **self.details,
        }


class _GivenUpError(Exception):
    """What failed makes the rest pointless."""


class Checkup:
    """Checks one PIM from outside to inside; an early failure makes the rest `skipped`."""

    def __init__(
        self, client: PimClient, url: str, *, wall: Callable[[], float], calls: Sequence[CallInfo]
    ) -> None:
        """`wall` gives seconds since 1970; `calls` are those that the client has made so far."""
        self._client = client
        self._url = url
        self._wall = wall
        self._calls = calls
        self._clock: tuple[float, float] | None = None
        self.version: str | None = None
        self.edition: str | None = None
        self.findings: list[Finding] = []

    @property
    def exit_status(self) -> Exit:
        """The exit status of all findings."""
        return worst(*(finding.exit_status for finding in self.findings))

    def run(self) -> None:
        """Make the checks; what was found is in `findings`."""
        steps: list[tuple[str, Callable[[], Iterator[Finding]]]] = [
            ("address", self._address),
            ("PIM", self._pim),
            ("login", self._login),
            ("use of the API", self._access),
            ("rights", self._rights),
            ("version", self._version),
            ("clock", self._clocks),
        ]
        over = False
        for name, step in steps:
            if over:
                self.findings.append(Finding(name, Health.SKIPPED, "not checked"))
                continue
            try:
                # One by one: findings before a failure are kept.
                for finding in step():
                    self.findings.append(finding)
            except _GivenUpError as error:
                over = True
                self.findings.append(error.args[0])
        # A login says nothing about speed: checking a password is slow on purpose.
        seconds = [c.seconds for c in self._calls if c.status is not None and "/oauth/" not in c.path]
        if seconds:
            median = statistics.median(seconds)
            found = f"{median * 1000:.0f} ms, the median of {count(len(seconds), 'call')}"
            self.findings.append(Finding("latency", Health.OK, found, details={"seconds": round(median, 4)}))

    # From outside to inside.

    def _address(self) -> Iterator[Finding]:
        parts = urlsplit(self._url)
        yield Finding("address", Health.OK, self._url, details={"url": self._url})
        if parts.scheme == "http" and is_this_machine(parts.hostname or ""):
            yield Finding("TLS", Health.OK, "none, and none needed on this machine", details={"tls": False})
        elif parts.scheme == "http":
            yield Finding(
                "TLS",
                Health.WARNING,
                "none: password and files are sent unencrypted",
                "use https://",
                details={"tls": False},
            )

    def _pim(self) -> Iterator[Finding]:
        before = self._wall()
        routes = self._try("PIM", self._look_around)
        if self._url.startswith("https://"):
            yield Finding("TLS", Health.OK, "the certificate is trusted", details={"tls": True})
        if self._clock is not None:
            self._clock = (self._clock[0], (before + self._wall()) / 2)
        yield Finding("PIM", Health.OK, "it answers")
        for name, there, needed in _upload_routes(routes):
            details = {"available": there}
            if there or not needed:
                found = "yes" if there else "not in this version or edition"
                yield Finding(f"route for {name}", Health.OK, found, details=details)
            else:
                yield Finding(
                    f"route for {name}",
                    Health.FAILED,
                    "this PIM takes no media files",
                    "An Akeneo PIM of version 1.7 or later is needed: check AKENEO_URL.",
                    Exit.USAGE,
                    details,
                )

    def _look_around(self) -> Routes:
        answer = self._client.call("GET", "", signed=False)
        with contextlib.suppress(ValueError, TypeError, OverflowError):
            said = email.utils.parsedate_to_datetime(answer.headers.get("Date", ""))
            self._clock = (said.timestamp(), 0.0)
        if answer.status != 200:
            raise self._client.refused(answer)
        return self._client.decoded(answer, Routes.read)

    def _login(self) -> Iterator[Finding]:
        lifetime = self._try("login", self._client.login)
        if lifetime is None:
            yield Finding("login", Health.OK, "an App's token, which does not expire")
        else:
            found = f"a token for {duration(lifetime)}"
            yield Finding("login", Health.OK, found, details={"token_seconds": lifetime})

    def _access(self) -> Iterator[Finding]:
        self._try("use of the API", self._client.require_access)
        yield Finding("use of the API", Health.OK, "yes")
        # The same call: it lists media files, which asks for no right of its own
        # (docs/pim-behaviour.md, "Rights").
        yield Finding("may read media files", Health.OK, "yes")

    def _rights(self) -> Iterator[Finding]:
        for name, path, right, without in _RIGHTS:
            yield self._right(name, lambda path=path: self._read(path), right, without)  # type: ignore[misc]
        yield self._right(
            "may edit products",
            self._client.probe_editing,
            "create and edit products",
            "files cannot be shared among products, nor go to products by UUID",
        )

    def _read(self, path: str) -> None:
        self._client.get(f"{path}?limit=1", lambda _: None)

    def _right(self, name: str, ask: Callable[[], object], right: str, without: str) -> Finding:
        try:
            ask()
        except CallError as error:
            if isinstance(error, Refusal) and error.failure.kind is Kind.FORBIDDEN:
                return Finding(
                    name,
                    Health.FAILED,
                    f"no: {without}",
                    f"Give the connection's role the right to {right} "
                    " (System, Roles): the PIM's administrator can.",
                    Exit.REFUSED,
                    {"allowed": False},
                )
            return _failed(name, error.failure, temporary=isinstance(error, Trouble))
        except MediaError as error:
            return _failed(name, error.failure, error.exit_status)
        return Finding(name, Health.OK, "yes", details={"allowed": True})

    def _version(self) -> Iterator[Finding]:
        try:
            system = self._client.system_information()
        except (CallError, MediaError) as error:
            yield Finding("version", Health.WARNING, f"the PIM does not say: {error}")
            return
        if system is None:
            yield Finding("version", Health.OK, "before 6.0")
            return
        self.version, self.edition = system.version, system.edition
        found = f"{system.version} {system.edition}".strip()
        yield Finding(
            "version", Health.OK, found, details={"version": system.version, "edition": system.edition}
        )

    def _clocks(self) -> Iterator[Finding]:
        if self._clock is None:
            return
        theirs, ours = self._clock
        # The PIM gives its time in whole seconds.
        difference = ours - theirs - 0.5
        details = {"seconds": round(difference, 1)}
        if abs(difference) <= CLOCK_TOLERANCE:
            yield Finding("clock", Health.OK, "the same as the PIM's", details=details)
            return
        ahead = "ahead of" if difference > 0 else "behind"
        yield Finding(
            "clock",
            Health.WARNING,
            f"this machine is {duration(abs(difference))} {ahead} the PIM",
            "Synchronize the clocks with NTP: certificates, reports and logs depend on them.",
            details=details,
        )

    def _try(self, name: str, ask: Callable[[], Any]) -> Any:
        """What `ask` gives. Raises _GivenUpError with the finding where it fails."""
        try:
            return ask()
        except CallError as error:
            finding = _failed(name, error.failure, temporary=isinstance(error, Trouble))
        except MediaError as error:
            tls = error.kind is Kind.TLS
            finding = _failed("TLS" if tls else name, error.failure, error.exit_status)
        raise _GivenUpError(finding)


def _failed(name: str, failure: Failure, status: Exit | None = None, *, temporary: bool = False) -> Finding:
    """A failed check; without a `status` by the failure's kind."""
    if status is None:
        refused = failure.kind in _ACCESS or failure.http_status in (401, 403)
        status = Exit.PENDING if temporary else Exit.REFUSED if refused else Exit.USAGE
    details = {"kind": failure.kind.value, "http_status": failure.http_status}
    return Finding(name, Health.FAILED, failure.message, failure.hint, status, details)


def _upload_routes(routes: Routes) -> Iterator[tuple[str, bool, bool]]:
    """Each kind of upload, whether the PIM has its route, and whether it cannot be done without."""
    yield "product media", routes.has("/media-files"), True
    yield "assets", routes.has("/asset-media-files"), False
    yield "records", routes.has("/reference-entities-media-files"), False
    yield "categories", routes.has("/category-media-files"), False
    yield "products by UUID", routes.has("/products-uuid", "PATCH"), False
    legacy = any(method == "POST" and "/reference-files/" in path for method, path in routes.paths)
    yield "assets of the old PAM", legacy, False
