"""What an answer other than success means, as an error with kind, message and hint."""

from __future__ import annotations

import email.utils
import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from ...errors import AccessError, Failure, Kind, MediaError, UsageError
from ..address import base_of
from ..errors import Refusal, Trouble
from ..http.redact import Redactor
from ..http.transport import Answer
from . import parse
from .value_errors import ErrorBody, RequestContext, error_body, mentions, value_error

_AGAIN = "Run the same command again later. If it keeps happening, check the PIM's logs."
_TROUBLE = {
    408: (Kind.TIMEOUT, "The request reached the PIM too slowly. " + _AGAIN),
    425: (Kind.UNAVAILABLE, _AGAIN),
    429: (Kind.THROTTLED, "Lower --concurrency, or run it at another hour."),
    500: (
        Kind.SERVER_ERROR,
        "Run the same command again. If only large files fail, PHP's upload_max_filesize is too small.",
    ),
    502: (Kind.UNAVAILABLE, _AGAIN),
    503: (Kind.UNAVAILABLE, "The PIM is in maintenance or overloaded. " + _AGAIN),
    504: (Kind.UNAVAILABLE, "The PIM took longer than the proxy in front of it waits. " + _AGAIN),
}
_REFUSED_VALUE = "The PIM does not accept this value: its message says why."
_NEVER = (501, 505)
_CLEAN = (408, 425, 429)
"""Statuses that say that nothing was done."""
_GATEWAY = (502, 503, 504)
_PROXY_WAITS = 4.0
"""If a gateway was silent for so many seconds, its error means that it gave up waiting."""
_QUICK = 1.0
"""Seconds within which a rate limiter answers: it needs no time."""
_RETRY_AFTER = re.compile(r"\d{1,9}(\.\d+)?")
LONGEST_RETRY_AFTER = 300.0
"""Seconds that a `Retry-After` can hold a run up: longer ones are usually mistakes, and it is asked again."""


def read(answer: Answer, clean: Redactor) -> ErrorBody:
    """What an answer says; of an HTML page its words, shortened."""
    fallback = f"HTTP {answer.status} {answer.reason}".strip()
    try:
        body = parse.document(answer.body)
    except parse.Garbled:
        import html

        # Before the tags go too: a secret may look like one.
        page = clean.beginning(answer.body.decode("utf-8", "replace"), 20_000)
        page = re.sub(r"(?s)<(script|style).*?</\1>|<[^>]*>", " ", page)
        words = clean.beginning(" ".join(html.unescape(page).split()), 300)
        return ErrorBody(clean(fallback) + (f": {words}" if words else ""), (), False)
    found = error_body(body, fallback)
    return ErrorBody(clean(found.message), found.errors, found.json)


def read_login(answer: Answer, clean: Redactor) -> ErrorBody:
    """What the answer to a login says. Only an error in the PIM's own form is quoted.

    Anything else may be a token: whole, cut, or with a status that something changed on the way.
    """
    found = read(answer, clean)
    if found.json and answer.status >= 400:
        return found
    return ErrorBody(clean(f"HTTP {answer.status} {answer.reason}".strip()), (), False)


def raise_trouble(
    answer: Answer,
    found: ErrorBody,
    *,
    writes: bool,
    busy: bool = False,
    wall: Callable[[], float] | None = None,
) -> None:
    """Raise Trouble if the status says that the error may be temporary.

    `found` is what the answer says. `writes`: could the call change anything? `busy`: the PIM itself
    answered a moment ago, so that a quick 503 from something in front of it is a rate limit
    (docs/pim-behaviour.md, "Proxies between client and PIM"). `wall`: seconds since the epoch, for a
    Retry-After that is a date.
    """
    status = answer.status
    if status not in _TROUBLE and (status < 500 or status in _NEVER):
        return
    kind, hint = _TROUBLE.get(status, (Kind.UNAVAILABLE, _AGAIN))
    pause = retry_after(answer.headers, wall)
    throttled = status == 429
    if status in _GATEWAY and answer.waited >= _PROXY_WAITS:
        saved = ", and may have saved the file anyway" if writes else ""
        seconds = f"{answer.waited:.0f} s"
        hint = f"The PIM took longer than the proxy in front of it waits ({seconds}){saved}. {_AGAIN}"
    elif status == 503 and busy and not found.json and pause is None and answer.waited <= _QUICK:
        throttled = True
        hint = (
            "Either a rate limit in front of the PIM (such as nginx limit_req): lower --concurrency, or have "
            "it raised. Or the PIM is in maintenance: run the same command again later."
        )
    raise Trouble(
        Failure(kind, found.message, hint, status),
        throttled=throttled,
        retry_after=pause,
        maybe_done=writes and status not in _CLEAN,
    )


def outage(answer: Answer, found: ErrorBody, *, writes: bool) -> Trouble:
    """For an answer that cannot be the PIM's, on an endpoint where it answered before."""
    return Trouble(
        Failure(
            Kind.UNAVAILABLE,
            f"something else answers in the PIM's place: {found.message}",
            "A maintenance page, a login page or a proxy. Run the same command again when the PIM is back.",
            answer.status,
        ),
        outage=True,
        maybe_done=writes,
    )


def retry_after(headers: Mapping[str, str], wall: Callable[[], float] | None) -> float | None:
    """Seconds to wait that the answer names, at most `LONGEST_RETRY_AFTER`; None if it names none.

    The header has a number, or a date that is compared with the server's own.
    """
    value = headers.get("Retry-After", "").strip()
    if _RETRY_AFTER.fullmatch(value):
        return min(float(value), LONGEST_RETRY_AFTER)
    until = _epoch(value)
    now = _epoch(headers.get("Date", ""))
    if now is None and wall:
        now = wall()
    return None if until is None or now is None else min(max(0.0, until - now), LONGEST_RETRY_AFTER)


def _epoch(date: str) -> float | None:
    try:
        seconds = email.utils.parsedate_to_datetime(date).timestamp()
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
    return seconds if math.isfinite(seconds) else None


def of_login(answer: Answer, clean: Redactor, url: str) -> MediaError:
    """Why there is no token. A wrong login is 422 (docs/pim-behaviour.md, "Login and tokens")."""
    found = read_login(answer, clean)
    if answer.status == 401 and wants_basic(answer):
        return basic_gate(url)
    if answer.status in (400, 401, 422) and found.json:
        return AccessError(f"the PIM refused the login: {found.message}", _which_is_wrong(found.message))
    if answer.status == 403:
        return AccessError(
            f"the login was refused: {found.message}",
            "A firewall in front of the PIM, or the PIM itself, blocks this machine: ask its administrator.",
        )
    if 300 <= answer.status < 400:
        return UsageError(f"{url} redirects", _redirect_hint(answer, clean))
    return not_a_pim(url, found.message, clean)


def wants_basic(answer: Answer) -> bool:
    """A 401 of a web server that asks for HTTP Basic authentication: the PIM's own never does."""
    return answer.headers.get("WWW-Authenticate", "").strip().lower().startswith("basic")


def basic_gate(url: str) -> AccessError:
    """Something in front of the PIM asks for a password of its own."""
    return AccessError(
        f"a web server in front of {url} asks for HTTP Basic authentication",
        "The PIM's own token needs the same Authorization header, so both cannot be sent. Have the server "
        "exempt /api/ from it (the API has its own login), or allow this machine's address. See "
        "docs/proxies.md.",
    )


def _which_is_wrong(message: str) -> str:
    # `client_id` and `grant_type` are names of parameters: no translation changes them.
    if '"client_id"' in message:
        return (
            "Check AKENEO_CLIENT_ID and AKENEO_CLIENT_SECRET: the PIM shows both in its Connection settings."
        )
    if '"grant_type"' in message:
        return "AKENEO_USERNAME or AKENEO_PASSWORD is empty."
    if "grant type" in message:
        return "This client may not log in with a password: create a new connection in the PIM."
    return "Check AKENEO_USERNAME and AKENEO_PASSWORD: those of the connection, not of a person."


def not_a_pim(url: str, what: str, clean: Redactor) -> UsageError:
    """The address answers, but not as a PIM does."""
    return UsageError(
        clean(f"{url} does not answer as a PIM: {what}"),
        "Check AKENEO_URL: it is what the browser shows before /#/ when you use the PIM.",
    )


def _redirect_hint(answer: Answer, clean: Redactor) -> str:
    to = base_of(clean(answer.headers.get("Location", "")))[:200]
    return f"Set AKENEO_URL to where it leads: {to}" if to else "Check AKENEO_URL, its scheme too."


def refusal(answer: Answer, sent: RequestContext, clean: Redactor) -> Refusal:
    """The answer as a permanent refusal."""
    found = read(answer, clean)
    kind, hint = _judge(answer, found, sent, clean)
    return Refusal(Failure(kind, found.message, clean(hint), answer.status))


def mentions_nothing(answer: Answer, sent: RequestContext, clean: Redactor) -> bool:
    """Does a refusal in JSON mention none of the codes sent, so that it is about the user, not the row?"""
    found = read(answer, clean)
    codes = (sent.code, *sent.attributes, sent.locale, sent.scope)
    return found.json and not any(mentions(found.message, code) for code in codes)


def of_line(line: Mapping[str, Any], sent: RequestContext, clean: Redactor) -> Failure:
    """Why a line of a batch was refused; `line` is what the answer says about it."""
    status = int(line["status_code"])
    found = error_body(line, f"status {status}")
    if status == 422:
        kind, hint = value_error(found, sent)
    elif status == 403:
        kind, hint = _forbidden(found, sent)
    elif status >= 500 or status == 429:
        kind, hint = _TROUBLE.get(status, (Kind.SERVER_ERROR, _AGAIN))
    else:
        kind, hint = Kind.REFUSED, _REFUSED_VALUE
    return Failure(kind, clean(found.message), clean(hint), status)


def _judge(  # noqa: PLR0911 - one a case
    answer: Answer, found: ErrorBody, sent: RequestContext, clean: Redactor
) -> tuple[Kind, str]:
    status = answer.status
    if status == 422 and found.json:
        return value_error(found, sent)
    if 200 <= status < 300:
        return Kind.NOT_CREATED, (
            "This is not a PIM's answer, or something on the way changed it: check AKENEO_URL and proxies."
        )
    if 300 <= status < 400:
        return Kind.REDIRECTED, _redirect_hint(answer, clean)
    if status == 413:
        return Kind.BODY_TOO_LARGE, (
            "The server in front of the PIM does not accept bodies of this size: have client_max_body_size "
            "(nginx) or LimitRequestBody (Apache) raised, or make the file smaller."
        )
    if status == 403:
        return _forbidden(found, sent)
    if status == 404 and found.json and mentions(found.message, sent.code):
        return Kind.TARGET_UNKNOWN, "Check the code. The connection's user may also lack the right to see it."
    if status in (404, 405):
        return (
            Kind.ROUTE_MISSING,
            "This PIM's version or edition has no such endpoint, or AKENEO_URL is wrong.",
        )
    return Kind.REFUSED, "The PIM does not accept this request: its message says why."


def _forbidden(found: ErrorBody, sent: RequestContext) -> tuple[Kind, str]:
    if not found.json:
        large = " It may object to the file's size or content." if sent.size else ""
        return (
            Kind.BLOCKED,
            f"A firewall in front of the PIM refused this, not the PIM: ask its administrator.{large}",
        )
    return Kind.FORBIDDEN, "Give the connection's role or user group the right that the message names."
