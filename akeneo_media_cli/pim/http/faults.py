"""What a connection's exception means for the call: worth another try, or pointless until somebody acts."""

from __future__ import annotations

import http.client
import re
import socket
import ssl
from collections.abc import Callable, Iterator
from typing import Any

import certifi
import urllib3.exceptions as u

from ...errors import Failure, Kind, UsageError
from ...frozen import frozen
from ..errors import Trouble
from .wire import LONGEST_ANSWER, CallState, Overdue

_TUNNEL = re.compile(r"Tunnel connection failed: (\d{3})")
_AGAIN = "Check the network and that the PIM is up, then run the same command again."
_NO_TLS = ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG")
"""OpenSSL's reasons when the other side answers a handshake in plain text; which one differs by version."""
_EXPIRED, _NOT_YET_VALID = 10, 9
_MISCONFIGURED = (
    http.client.InvalidURL,
    u.LocationValueError,
)


@frozen
class Way:
    """How the PIM is reached. `where`: its address; `timeouts`: seconds to connect and of silence.

    `proxied`: through a proxy that the environment names. `expiry` looks up when the server's certificate
    ends, or ended: `Nov 28 12:00:00 2026 GMT`; empty if unknown.
    """

    where: str
    timeouts: tuple[float, float]
    proxied: bool
    expiry: Callable[[], str]

    @property
    def variable(self) -> str:
        """The environment variable that names the proxy."""
        return f"{self.where.partition('://')[0].upper()}_PROXY"


def judge(error: Exception, way: Way, state: CallState, *, writes: bool) -> Trouble | UsageError:
    """The error to raise for `error`; holds nothing of the request.

    `state` is how far the call came, `writes`: could it have changed anything?
    """
    causes = list(causes_of(error))
    fatal = _fatal(causes, way)
    if fatal:
        return fatal
    kind, message, hint = _describe(causes, way, state.connected)
    return Trouble(Failure(kind, message, hint), maybe_done=writes and state.handed_out, reused=state.reused)


def causes_of(error: BaseException | None) -> Iterator[BaseException]:
    """The error and what it wraps, outermost first: requests keeps causes in `args`, urllib3 in `reason`."""
    seen: set[int] = set()
    waiting: list[object] = [error]
    while waiting:
        each = waiting.pop(0)
        if isinstance(each, BaseException) and id(each) not in seen:
            seen.add(id(each))
            yield each
            waiting += [*each.args, getattr(each, "reason", None), each.__cause__, each.__context__]


def proxy_wants_login(way: Way) -> UsageError:
    """407: the proxy wants a user name and password, or refuses the ones it was given."""
    return UsageError(
        f"the proxy refused to connect to {way.where}: it wants a user name and password (407)",
        f"Write them in {way.variable}, as http://USER:PASSWORD@proxy.example:3128, "
        "or name the PIM's host in NO_PROXY to connect directly.",
        Kind.CONNECTION,
    )


def _fatal(  # noqa: PLR0911 - one a case
    causes: list[BaseException], way: Way
) -> UsageError | None:
    by_proxy = any(isinstance(cause, u.ProxyError) for cause in causes)
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return _untrusted(cause, way, by_proxy)
        if isinstance(cause, ssl.SSLError) and cause.reason in _NO_TLS:
            if by_proxy:
                return UsageError(
                    f"the proxy that {way.variable} names does not speak TLS",
                    f"Write http:// in {way.variable}: the proxy is spoken to in plain HTTP, and the "
                    "connection to the PIM through it is encrypted anyway.",
                    Kind.TLS,
                )
            return UsageError(
                f"{way.where} does not speak TLS on this port",
                "Check the scheme and port of AKENEO_URL: should it be http://, or another port?",
                Kind.TLS,
            )
        status = _tunnel_status(cause)
        if status == "407":
            return proxy_wants_login(way)
        if status == "403":
            return UsageError(
                f"the proxy does not allow connections to {way.where} (403)",
                "Ask its administrator to allow this host and port, or name the host in NO_PROXY.",
                Kind.CONNECTION,
            )
        if isinstance(cause, _MISCONFIGURED):
            # The text of these may hold a header or a proxy's password.
            return UsageError(
                f"{way.where} cannot be called: {type(cause).__name__}",
                "Check AKENEO_URL, HTTPS_PROXY and HTTP_PROXY.",
            )
    return None


def _untrusted(cause: ssl.SSLCertVerificationError, way: Way, by_proxy: bool) -> UsageError:
    whose = f"the proxy that {way.variable} names" if by_proxy else way.where
    if cause.verify_code == _EXPIRED:
        date = "" if way.proxied else way.expiry()
        return UsageError(
            f"the certificate of {whose} has expired" + (f": it was valid until {date}" if date else ""),
            "Have the certificate renewed by whoever runs that server. If it is not expired, set this "
            "machine's clock.",
            Kind.TLS,
        )
    if cause.verify_code == _NOT_YET_VALID:
        return UsageError(
            f"the certificate of {whose} is not valid yet", "Check this machine's clock.", Kind.TLS
        )
    return UsageError(
        f"the certificate of {whose} is not trusted: {cause.verify_message}",
        "If it is from a private certificate authority, name the authority's file in REQUESTS_CA_BUNDLE. "
        "Otherwise check the host in AKENEO_URL.",
        Kind.TLS,
    )


def _tunnel_status(cause: BaseException) -> str:
    """The status that a proxy answered to CONNECT with; empty if this is not about that."""
    found = _TUNNEL.search(str(cause)) if isinstance(cause, OSError) else None
    return found.group(1) if found else ""


def _describe(  # noqa: PLR0911 - one a case
    causes: list[BaseException], way: Way, connected: bool
) -> tuple[Kind, str, str]:
    def found(*kinds: type[BaseException]) -> BaseException | None:
        return next((cause for cause in causes if isinstance(cause, kinds)), None)

    where = way.where
    tunnel = next(filter(None, map(_tunnel_status, causes)), "")
    if tunnel:
        return (
            Kind.CONNECTION,
            f"the proxy could not connect to {where}: it answered {tunnel}",
            "The PIM is down, or the proxy cannot find its host name. Check the host in AKENEO_URL, then run "
            "the same command again.",
        )
    if found(u.ProxyError):
        return (
            Kind.CONNECTION,
            f"no connection to the proxy that {way.variable} names: {reason_of(causes)}",
            f"Check {way.variable}, or name the PIM's host in NO_PROXY to connect directly.",
        )
    if found(u.InvalidHeader):
        return (
            Kind.CONNECTION,
            f"the answer of {where} has headers that contradict each other",
            "Something in front of the PIM garbled the answer. Run the same command again.",
        )
    if found(socket.gaierror, u.NameResolutionError):
        return Kind.CONNECTION, f"host not found: {where}", "Check the host in AKENEO_URL. " + _AGAIN
    if found(u.NewConnectionError):
        return Kind.CONNECTION, f"no connection to {where}: {reason_of(causes)}", _AGAIN
    if found(Overdue):
        limit = LONGEST_ANSWER * way.timeouts[1]
        return Kind.TIMEOUT, f"{where} had not finished its answer after {limit:g} seconds", _AGAIN
    if found(TimeoutError, u.TimeoutError):
        if not connected:
            return Kind.TIMEOUT, f"no connection to {where} within {way.timeouts[0]:g} seconds", _AGAIN
        return Kind.TIMEOUT, f"{where} was silent for {way.timeouts[1]:g} seconds", _AGAIN
    if found(ssl.SSLError) and not connected:
        return Kind.TLS, f"the TLS handshake with {where} failed: {reason_of(causes)}", _AGAIN
    return Kind.CONNECTION, f"the connection to {where} failed: {reason_of(causes)}", _AGAIN


def reason_of(causes: list[BaseException]) -> str:
    """The innermost reason in words, without the addresses and objects that urllib3 wraps it in."""
    for cause in reversed(causes):
        if isinstance(cause, http.client.RemoteDisconnected):
            return "closed without an answer"
        if isinstance(cause, http.client.IncompleteRead):
            return "it broke off before its end"
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror
        if isinstance(cause, http.client.HTTPException):
            return f"not HTTP ({type(cause).__name__})"
    return type(causes[-1]).__name__


def certificate_end(host: str, port: int, verify: bool | str, timeout: float) -> str:
    """Until when the server's certificate is valid, as it says; empty if unknown.

    Connects once more and checks everything but the dates; sends nothing.
    """
    context = ssl.create_default_context(**_authorities(verify))
    context.verify_flags |= _NO_CHECK_TIME
    try:
        with (
            socket.create_connection((host, port), timeout) as plain,
            context.wrap_socket(plain, server_hostname=host) as secure,
        ):
            found = secure.getpeercert() or {}
    except (OSError, ValueError):
        return ""
    return str(found.get("notAfter", ""))


_NO_CHECK_TIME = ssl.VerifyFlags(0x200000)
"""OpenSSL's X509_V_FLAG_NO_CHECK_TIME, which Python has no name for."""


def _authorities(verify: bool | str) -> dict[str, Any]:
    if isinstance(verify, bool):
        return {"cafile": certifi.where()}
    from pathlib import Path

    return {"capath" if Path(verify).is_dir() else "cafile": verify}
