"""What a status other than the hoped-for one means, as an error with kind, message and hint."""

from __future__ import annotations

import email.utils
import html
import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from ...errors import AccessError, Failure, Kind, MediaError, UsageError
from ..errors import Refusal, Trouble
from ..http.redact import Redactor
from ..http.transport import Answer
from . import parse
from .value_errors import ErrorBody, RequestContext, error_body, mentions, value_error

_AGAIN = "Run the same command again later; if it stays, have the PIM's logs looked into."
_TROUBLE = {
    408: (Kind.TIMEOUT, "The request reached the PIM too slowly. " + _AGAIN),
    425: (Kind.UNAVAILABLE, _AGAIN),
    429: (
        Kind.THROTTLED,
        "The PIM takes fewer calls at once: lower --concurrency, or run it at another hour.",
    ),
    500: (
        Kind.SERVER_ERROR,
        "Run the same command again; if only large files fail, PHP's upload_max_filesize is too small.",
    ),
    502: (Kind.UNAVAILABLE, _AGAIN),
    503: (Kind.UNAVAILABLE, "The PIM is in maintenance or overloaded. " + _AGAIN),
    504: (Kind.UNAVAILABLE, "The PIM took longer than its proxy waits. " + _AGAIN),
}
_NEVER = (501, 505)
_CLEAN = (408, 425, 429)
"""Statuses that say that nothing was done."""
_RETRY_AFTER = re.compile(r"\d{1,9}(\.\d+)?")


def read(answer: Answer, clean: Redactor) -> ErrorBody:
    """What an answer says; of a page in HTML its words, shortened."""
    fallback = f"HTTP {answer.status} {answer.reason}".strip()
    try:
        body = parse.document(answer.body)
    except parse.Garbled:
        # Before the tags go too: a secret may look like one.
        page = clean.beginning(answer.body.decode("utf-8", "replace"), 20_000)
        page = re.sub(r"(?s)<(script|style).*?</\1>|<[^>]*>", " ", page)
        words = clean.beginning(" ".join(html.unescape(page).split()), 300)
        return ErrorBody(clean(fallback) + (f": {words}" if words else ""), (), False)
    found = error_body(body, fallback)
    return ErrorBody(clean(found.message), found.errors, found.json)


def raise_trouble(
    answer: Answer, clean: Redactor, *, writes: bool, wall: Callable[[], float] | None = None
) -> None:
    """Raise Trouble where the status says that it may go away. `writes`: could the call change anything?

    `wall`: seconds since the epoch, for a Retry-After that is a date.
    """
    status = answer.status
    if status not in _TROUBLE and (status < 500 or status in _NEVER):
        return
    kind, hint = _TROUBLE.get(status, (Kind.UNAVAILABLE, _AGAIN))
    raise Trouble(
        Failure(kind, read(answer, clean).message, hint, status),
        throttled=status == 429,
        retry_after=retry_after(answer.headers, wall),
        maybe_done=writes and status not in _CLEAN,
    )


def retry_after(headers: Mapping[str, str], wall: Callable[[], float] | None) -> float | None:
    """Seconds that the answer asks to wait: a number, or a date against the server's own; else None."""
    value = headers.get("Retry-After", "").strip()
    if _RETRY_AFTER.fullmatch(value):
        return float(value)
    until = _epoch(value)
    now = _epoch(headers.get("Date", ""))
    if now is None and wall:
        now = wall()
    return None if until is None or now is None else max(0.0, until - now)


def _epoch(date: str) -> float | None:
    try:
        seconds = email.utils.parsedate_to_datetime(date).timestamp()
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
    return seconds if math.isfinite(seconds) else None


def of_login(answer: Answer, clean: Redactor, url: str) -> MediaError:
    """Why there is no token. All four ways to be wrong are 422
    (docs/pim-behaviour.md, "Login and tokens")."""
    found = read(answer, clean)
    if answer.status in (400, 401, 422) and found.json:
        return AccessError(f"the PIM refused the login: {found.message}", _which_is_wrong(found.message))
    if answer.status == 403:
        return AccessError(
            f"something refused the login: {found.message}",
            "A firewall before the PIM, or the PIM itself, keeps this machine out: ask its administrator.",
        )
    if 300 <= answer.status < 400:
        return UsageError(f"{url} redirects", _redirect_hint(answer, clean))
    return no_pim(url, found.message, clean)


def _which_is_wrong(message: str) -> str:
    # `client_id` and `grant_type` are names of parameters: no translation changes them.
    if '"client_id"' in message:
        return (
            "Check AKENEO_CLIENT_ID and AKENEO_CLIENT_SECRET: the PIM shows both in its Connection settings."
        )
    if '"grant_type"' in message:
        return "AKENEO_USERNAME or AKENEO_PASSWORD is empty."
    if "grant type" in message:
        return "This client may not log in with a password: make a new connection in the PIM."
    return "Check AKENEO_USERNAME and AKENEO_PASSWORD: those of the connection, not of a person."


def no_pim(url: str, what: str, clean: Redactor) -> UsageError:
    """The address answers, but not as a PIM does."""
    return UsageError(
        clean(f"{url} does not answer as a PIM: {what}"),
        "Check AKENEO_URL: it is what the browser shows before /#/ when you use the PIM.",
    )


def _redirect_hint(answer: Answer, clean: Redactor) -> str:
    to = clean(answer.headers.get("Location", ""))[:200]
    return f"Set AKENEO_URL to where it leads: {to}" if to else "Check AKENEO_URL, its scheme too."


def refusal(answer: Answer, sent: RequestContext, clean: Redactor) -> Refusal:
    """The answer as a refusal for good."""
    found = read(answer, clean)
    kind, hint = _judge(answer, found, sent, clean)
    return Refusal(Failure(kind, found.message, clean(hint), answer.status))


def mentions_nothing(answer: Answer, sent: RequestContext, clean: Redactor) -> bool:
    """Does a refusal in JSON speak of none of the codes sent: is it about the user rather than the row?"""
    found = read(answer, clean)
    codes = (sent.code, *sent.attributes, sent.locale, sent.scope)
    return found.json and not any(mentions(found.message, code) for code in codes)


def of_line(line: Mapping[str, Any], sent: RequestContext, clean: Redactor) -> Failure:
    """Why a line of a batch was not taken; `line` is what the answer says of it."""
    status = int(line["status_code"])
    found = error_body(line, f"status {status}")
    if status == 422:
        kind, hint = value_error(found, sent)
    elif status == 403:
        kind, hint = _forbidden(found, sent)
    elif status >= 500 or status == 429:
        kind, hint = _TROUBLE.get(status, (Kind.SERVER_ERROR, _AGAIN))
    else:
        kind, hint = Kind.REFUSED, "The PIM does not take this value: its message says why."
    return Failure(kind, clean(found.message), clean(hint), status)


def _judge(  # noqa: PLR0911 - one a case
    answer: Answer, found: ErrorBody, sent: RequestContext, clean: Redactor
) -> tuple[Kind, str]:
    status = answer.status
    if status == 422 and found.json:
        return value_error(found, sent)
    if 200 <= status < 300:
        return Kind.NOT_CREATED, (
            "What answered is no PIM, or something between changed the answer: check AKENEO_URL and proxies."
        )
    if 300 <= status < 400:
        return Kind.REDIRECTED, _redirect_hint(answer, clean)
    if status == 413:
        return Kind.BODY_TOO_LARGE, (
            "The server before the PIM takes no bodies of this size: have client_max_body_size (nginx) or "
            "LimitRequestBody (Apache) raised, or make the file smaller."
        )
    if status == 403:
        return _forbidden(found, sent)
    if status == 404 and found.json and mentions(found.message, sent.code):
        return Kind.TARGET_UNKNOWN, "Check the code; the user may also lack the right to see it."
    if status in (404, 405):
        return (
            Kind.ROUTE_MISSING,
            "This PIM's version or edition has no such endpoint, or AKENEO_URL is wrong.",
        )
    return Kind.REFUSED, "The PIM does not take this request: its message says why."


def _forbidden(found: ErrorBody, sent: RequestContext) -> tuple[Kind, str]:
    if not found.json:
        large = " It may be the file's size or content that it does not like." if sent.size else ""
        return (
            Kind.BLOCKED,
            f"A firewall before the PIM refused this, not the PIM: ask its administrator.{large}",
        )
    return Kind.FORBIDDEN, "Give the connection's role or user group the right that the message names."
