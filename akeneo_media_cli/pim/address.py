"""The address of a PIM, as people write it and as we use it."""

from __future__ import annotations

import re
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

UNSAFE_ALLOWED = "AKENEO_ALLOW_HTTP"
_PORTS = {"http": 80, "https": 443}
_NAME = re.compile(r"\w(?:[\w-]*\w)?(?:\.\w(?:[\w-]*\w)?)*\.?")
_EXAMPLE = "write it as https://my.cloud.akeneo.com"


def base_of(url: str) -> str:
    """A PIM's address without the API's own paths: what people copy from the docs or a redirect names."""
    return re.sub(r"/api/(?:rest|oauth)/v1(?:/.*)?$", "", url).rstrip("/")


def pim_url(text: str, *, allow_http: bool) -> tuple[str, list[str]]:
    """The cleaned address, and what is wrong with it, each with how to fix it.

    Space and quotes around it are dropped, so are a slash and a path of the API (`/api/rest/v1`,
    `/api/oauth/v1/token`) at its end, and a port that the scheme implies. `http://` is for this machine only
    unless `allow_http`. No message repeats an address that holds a user, a password or a query.
    """
    text = text.strip()
    if text[:1] in ("'", '"') and text[-1:] == text[:1]:
        text = text[1:-1].strip()
    if re.search(r"[\x00-\x20\x7f\\]", text):
        return "", [f"has a space, a backslash or a control character in it: {_EXAMPLE}"]
    if "://" not in text:
        known = re.fullmatch(r"[\w.-]+(:\d+)?(/[\w./-]*)?", text)
        return "", [
            f"does not begin with https://: write https://{text}"
            if known
            else f"is not an address: {_EXAMPLE}"
        ]
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return "", [f"is not an address: {_EXAMPLE}"]
    problems = _problems(parts, port, allow_http)
    if problems:
        return "", problems
    host = (parts.hostname or "").rstrip(".")
    path = base_of(parts.path.rstrip("/"))
    shown_host = f"[{host}]" if ":" in host else host
    shown_port = "" if port is None or port == _PORTS[parts.scheme] else f":{port}"
    return f"{parts.scheme}://{shown_host}{shown_port}{path}", []


def _problems(parts: SplitResult, port: int | None, allow_http: bool) -> list[str]:
    host = parts.hostname or ""
    problems = []
    if parts.scheme not in _PORTS:
        problems.append("begins with neither https:// nor http://: write https:// before the host")
    if not _is_host(host) or port == 0:
        problems.append(f"has no host: {_EXAMPLE}")
    elif host.startswith("your-"):
        problems.append("still has the example's value: write your PIM's address")
    if parts.username is not None or parts.password is not None:
        problems.append(
            "contains a user name or password: remove it, and use AKENEO_USERNAME and AKENEO_PASSWORD"
        )
    if parts.query or parts.fragment:
        problems.append("has a ? or # part: leave it out, only the PIM's address is wanted")
    if parts.scheme == "http" and not (allow_http or is_this_machine(host)):
        problems.append(
            "begins with http://, which would send the credentials unencrypted: write https://, or allow it "
            f"with {UNSAFE_ALLOWED}=1"
        )
    return problems


def is_this_machine(host: str) -> bool:
    """Whether the host is `localhost`, in 127.0.0.0/8, or ::1: what is sent there stays on this machine."""
    if host.lower().rstrip(".") == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _is_host(host: str) -> bool:
    if ":" in host:
        try:
            ip_address(host)
        except ValueError:
            return False
        return True
    return (
        len(host) <= 253
        and all(len(label) <= 63 for label in host.split("."))
        and bool(_NAME.fullmatch(host))
    )
