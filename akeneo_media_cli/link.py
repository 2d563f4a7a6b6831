"""A link in place of a file's path: what it leads to, and what of it may be shown.

Links carry secrets: signatures and tokens in their query, passwords before their host. So a link is taken
apart once, where it is read, and everything that shows, logs or stores a row has `shown` alone.
"""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import quote, unquote, urlsplit

HTTP = ("https", "http")
STORES = ("s3", "gs", "gcs", "sftp")
"""Links that fsspec opens; `gs` and `gcs` are one."""

HIDDEN = "***"
"""Replaces a secret in what is shown."""

# A single letter is a drive of Windows.
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")
_END = re.compile(r"[/?#\\]")
# Looks like a link but is not one: something is before its scheme, in it or between its signs.
_ODD = r"[^\w/\\?#]{0,8}"
_MISTYPED = (
    rf"(?i)(?<![A-Za-z0-9])(?:https?{_ODD}[:;\uff1a]|(?:https?|s3|gs|gcs|s?ftps?)(?:{_ODD}[:;\uff1a])?{_ODD}//"
    rf"|(?:s3|gs|gcs|s?ftps?){_ODD}[:;\uff1a]{_ODD}[/\\])|://"
)
"""Text, as is `_UNFIT`: compiled where the first link is met."""
# Windows has paths that begin with //?/.
_NO_SCHEME = re.compile(r"[^\w/.]*//(?!\?)")
_INNER_USER = re.compile(r"(?<=//)[^/?#\\]*@")
_HOST = re.compile(r"[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?")
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]*")
_UNFIT = r"[\x00-\x1f\x7f\\\ud800-\udfff]"
_TELLING = re.compile(
    r"sig|token|key|secret|pass|pwd|auth|cred|jwt|hmac|policy|session|access|security|code|hash|^st$|^se$",
    re.IGNORECASE,
)
_LONGEST_SHOWN = 16
"""Characters; longer values of a query may be keys to what they lead to, whatever they are called."""
_LONGEST_NAME = 24
"""Characters that a parameter's name is believed to have."""
_IN_PATH = "/%:@!$&'()*+,;=~-._"
_IN_QUERY = _IN_PATH + "?[]"


class LinkError(ValueError):
    """A text is not a link that can be followed; the message shows nothing secret."""


class Link(NamedTuple):
    """A link in its parts. `host` is a host's name or address, for s3 and gs the bucket.

    `path` and `query` are encoded as they go on the wire, but for s3, gs and sftp, whose path is the key or
    path itself. `user` only of sftp.
    """

    scheme: str
    host: str
    port: int | None
    path: str
    query: str = ""
    user: str = ""

    @property
    def url(self) -> str:
        """The link as text: what is fetched is exactly what was looked at."""
        # The name of a bucket may have colons too.
        is_ipv6 = ":" in self.host and self.scheme not in ("s3", "gs")
        host = f"[{self.host}]" if is_ipv6 else self.host
        user = f"{self.user}@" if self.user else ""
        port = "" if self.port is None else f":{self.port}"
        query = f"?{self.query}" if self.query else ""
        return f"{self.scheme}://{user}{host}{port}{self.path}{query}"

    @property
    def place(self) -> str:
        """Where it leads, without path: for messages that are about the host."""
        return self._replace(path="", query="", user="").url

    @property
    def name(self) -> str:
        """The file's name: the path's last part, decoded; "" if the path ends with a slash."""
        last = self.path.rpartition("/")[2]
        return unquote(last, errors="replace") if self.scheme in HTTP else last


def link_name(text: str) -> str:
    """The name of the file that a link leads to; "" if it has none."""
    try:
        return parse(text).name
    except LinkError:
        return ""


def is_link(text: str) -> bool:
    """Does a `file` of a manifest name a link, of whatever kind, rather than a path?"""
    return "://" in text and _SCHEME.match(text) is not None


def presentable(text: str) -> tuple[str, str]:
    """What may be shown of a link, and the link itself where that is more than is shown; else "".

    What follows a `#` means nothing to a server, and is left out.
    """
    whole = text.partition("#")[0] if text.lower().startswith(HTTP) else text
    visible = shown(whole)
    return visible, whole if visible != whole else ""


_HIDES = re.compile("[?#@%]")


def hidden(text: str) -> str:
    """Any text as it may be shown: what looks like a link, however mistyped, without what links hide.

    Text that is returned unchanged holds no secret, as far as can be seen.
    """
    # Almost no path has any of these.
    if _HIDES.search(text) is None:
        return text
    if is_link(text):
        return presentable(text)[0]
    begins = re.search(_MISTYPED, text)
    if begins is None:
        return _hidden_otherwise(text)
    at = begins.end() + len(text[begins.end() :]) - len(text[begins.end() :].lstrip("/\\ "))
    before, rest = text[:at], text[at:]
    path, mark = re.split(r"[?#]", rest, maxsplit=1)[0], re.search(r"[?#]", rest)
    return f"{before}{_shown_rest('https', path)}{mark.group() + HIDDEN if mark else ''}"


def _hidden_otherwise(text: str) -> str:
    """Links without a scheme, or encoded as if they were part of another."""
    begins = _NO_SCHEME.match(text)
    if begins is not None:
        rest = text[begins.end() :]
        visible = _shown_rest("https", rest)
        return text if visible == rest else text[: begins.end()] + visible
    plain = unquote(text, errors="replace") if "%" in text else text
    if plain == text or re.search(_MISTYPED, plain) is None:
        return text
    visible = hidden(plain)
    return text if visible == plain else visible


def shown(text: str) -> str:
    """A link as it may be shown: without passwords, signatures, tokens and long values in its query.

    Takes any text for which `is_link` is true, valid or not.
    """
    head, mark, rest = text.partition("://")
    return f"{head}{mark}{_shown_rest(head.lower(), rest)}"


def _shown_rest(scheme: str, rest: str) -> str:
    place, path = _split(rest)
    userinfo, at, host = place.rpartition("@")
    port = host.rpartition("]")[2].partition(":")[2]
    if port and (not port.isdecimal() or "@" in path):
        # A password with a slash in it would look like this.
        return HIDDEN
    if at and (":" in userinfo or scheme != "sftp"):
        userinfo = HIDDEN
    path, question, query = path.partition("?") if scheme not in STORES else (path, "", "")
    # Two links in one.
    path = _INNER_USER.sub(f"{HIDDEN}@", path)
    return f"{userinfo}{at}{host}{path}{question}{_shown_query(query)}"


def _split(rest: str) -> tuple[str, str]:
    """Host and all before it, and the rest, whatever that begins with."""
    found = _END.search(rest)
    end = found.start() if found else len(rest)
    return rest[:end], rest[end:]


def _shown_query(query: str) -> str:
    return "&".join(map(_shown_parameter, query.split("&"))) if query else ""


def _shown_parameter(parameter: str) -> str:
    name, equals, value = parameter.partition("=")
    # Base64 ends in equals signs: then the text before is not a name.
    if len(name) > (_LONGEST_NAME if value.strip("=") else _LONGEST_SHOWN):
        return HIDDEN
    # Some separate parameters by other characters.
    telling = _TELLING.search(unquote(name)) or ("=" in value and _TELLING.search(unquote(value)))
    return f"{name}{equals}{HIDDEN if value and (telling or len(value) > _LONGEST_SHOWN) else value}"


def parse(text: str) -> Link:
    """The link that a text is. Raises LinkError, whose message says what is wrong with it."""
    match = _SCHEME.match(text)
    if match is None:
        raise LinkError("it is not a link")
    scheme = match.group(1).lower()
    if scheme not in HTTP + STORES:
        raise LinkError(f"{scheme}:// links are not supported; supported are https, http, s3, gs and sftp")
    if re.search(_UNFIT, text):
        raise LinkError("a link has no control characters and no backslashes")
    if scheme in ("s3", "gs", "gcs"):
        return _in_bucket("gs" if scheme == "gcs" else scheme, text[match.end() :])
    return _at_host(scheme, text.strip(), match.end())


def _in_bucket(scheme: str, rest: str) -> Link:
    bucket, _, key = rest.partition("/")
    if "@" in bucket:
        raise LinkError(
            "a link must not contain credentials: put them where the cloud's own tools look for them"
        )
    if not _BUCKET.fullmatch(bucket):
        raise LinkError("it has no bucket")
    if not key:
        raise LinkError("it has a bucket, but no file in it")
    return Link(scheme, bucket, None, f"/{key}")


def _at_host(scheme: str, text: str, start: int) -> Link:
    # An authority ends at the first of these; what stands behind is never taken for a host.
    place, rest = _split(text[start:])
    userinfo, at, _ = place.rpartition("@")
    if at and (scheme != "sftp" or not re.fullmatch(r"[A-Za-z0-9._-]+", userinfo)):
        raise LinkError("a link must not contain a user name or password: reports and logs would show it")
    try:
        parts = urlsplit(f"{scheme}://{place}")
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise LinkError("its host or port is malformed") from None
    host = _normal_host(host)
    if scheme == "sftp":
        return Link(scheme, host, port, rest or "/", user=userinfo)
    path, _, query = rest.partition("#")[0].partition("?")
    return Link(scheme, host, port, quote(path, safe=_IN_PATH) or "/", quote(query, safe=_IN_QUERY))


def _normal_host(host: str) -> str:
    """A host in lower case and punycode, an IPv6 address without its brackets."""
    if ":" in host:
        return host.lower()
    host = host.rstrip(".").lower()
    if not host.isascii():
        try:
            host = host.encode("idna").decode()
        except UnicodeError:
            raise LinkError("its host is malformed") from None
    if not _HOST.fullmatch(host):
        raise LinkError("it has no host" if not host else "its host is malformed")
    return host
