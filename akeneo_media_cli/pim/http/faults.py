"""What an exception of requests means for the call: worth trying again, or pointless until somebody acts."""

from __future__ import annotations

import http.client
import re
import socket
import ssl
from collections.abc import Iterator

import requests
import urllib3.exceptions as u

from ...errors import Failure, Kind, UsageError
from ..errors import Trouble
from .wire import LONGEST_ANSWER, CallState, Overdue

_TUNNEL = re.compile(r"Tunnel connection failed: (\d{3})")
_AGAIN = "Check the network and that the PIM is up, then run the same command again."
_MISCONFIGURED = (
    requests.exceptions.InvalidURL,
    requests.exceptions.InvalidSchema,
    requests.exceptions.MissingSchema,
    requests.exceptions.InvalidHeader,
    u.LocationValueError,
)


def judge(
    error: Exception, *, where: str, timeouts: tuple[float, float], state: CallState, writes: bool
) -> Trouble | UsageError:
    """The error to raise for `error`; holds nothing of the request.

    `where` names the PIM's host, `timeouts` are the seconds allowed to connect and to stay silent,
    `state` is how far the call came, `writes`: could it have changed anything?
    """
    causes = list(causes_of(error))
    fatal = _fatal(causes, where)
    if fatal:
        return fatal
    kind, message, hint = _describe(causes, where, timeouts, state.connected)
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


def _fatal(causes: list[BaseException], where: str) -> UsageError | None:
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return UsageError(
                f"the certificate of {where} is not trusted: {cause.verify_message}",
                "If the PIM has a private certificate, name its authority's file in REQUESTS_CA_BUNDLE; "
                "if not, check the host in AKENEO_URL and this machine's clock.",
                Kind.TLS,
            )
        if isinstance(cause, ssl.SSLError) and cause.reason in ("WRONG_VERSION_NUMBER", "HTTP_REQUEST"):
            return UsageError(
                f"{where} does not speak TLS on this port",
                "Check scheme and port of AKENEO_URL: is it http:// or another port?",
                Kind.TLS,
            )
        tunnel = _TUNNEL.search(str(cause)) if isinstance(cause, OSError) else None
        if tunnel and tunnel.group(1) in ("403", "407"):
            return UsageError(
                f"the proxy lets nobody through to {where}: it answered {tunnel.group(1)}",
                "Check user and password in HTTPS_PROXY, or name the host in NO_PROXY.",
                Kind.CONNECTION,
            )
        if isinstance(cause, _MISCONFIGURED):
            # The text of these may hold a header or a proxy's password.
            return UsageError(
                f"no call to {where} can be made: {type(cause).__name__}",
                "Check AKENEO_URL, HTTPS_PROXY and HTTP_PROXY.",
            )
    return None


def _describe(  # noqa: PLR0911 - one a case
    causes: list[BaseException], where: str, timeouts: tuple[float, float], connected: bool
) -> tuple[Kind, str, str]:
    def found(*kinds: type[BaseException]) -> BaseException | None:
        return next((cause for cause in causes if isinstance(cause, kinds)), None)

    if found(u.ProxyError):
        return (
            Kind.CONNECTION,
            f"the proxy did not get through to {where}: {reason_of(causes)}",
            "Check HTTPS_PROXY and HTTP_PROXY, or name the host in NO_PROXY.",
        )
    if found(socket.gaierror, u.NameResolutionError):
        return Kind.CONNECTION, f"the host of {where} is not found", "Check the host in AKENEO_URL. " + _AGAIN
    if found(u.NewConnectionError):
        return Kind.CONNECTION, f"no connection to {where}: {reason_of(causes)}", _AGAIN
    if found(Overdue):
        limit = LONGEST_ANSWER * timeouts[1]
        return Kind.TIMEOUT, f"{where} was not done with its answer after {limit:g} seconds", _AGAIN
    if found(TimeoutError, u.TimeoutError):
        if not connected:
            return Kind.TIMEOUT, f"no connection to {where} within {timeouts[0]:g} seconds", _AGAIN
        return Kind.TIMEOUT, f"{where} was silent for {timeouts[1]:g} seconds", _AGAIN
    if found(ssl.SSLError) and not connected:
        return Kind.TLS, f"TLS with {where} broke off: {reason_of(causes)}", _AGAIN
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
            return f"no HTTP ({type(cause).__name__})"
    return type(causes[-1]).__name__
