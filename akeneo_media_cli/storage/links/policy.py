"""Which links may be followed, and which addresses they may lead to (CWE-918: server-side request forgery).

A manifest may come from anybody; its links must not make this machine ask its own services, its
neighbours', or the metadata service of its cloud. So an address counts at the moment of connecting, whatever
the name says: a name may lead anywhere, and somewhere else a moment later.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from ...errors import Failure, Kind, UsageError
from ...frozen import frozen
from ...link import HTTP, Link, LinkError, parse, shown

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Resolve = Callable[[str, int], Sequence[str]]
"""The addresses of a host, as text. Raises OSError."""

_LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128"))
_CARRIERS = tuple(map(ipaddress.IPv6Network, ("64:ff9b::/96", "::/96", "::ffff:0:0:0/96")))
"""Networks whose addresses end in the IPv4 address that they stand for (RFC 6052, RFC 4291, RFC 2765)."""
_LOCAL: tuple[Network, ...] = (
    ipaddress.IPv6Network("64:ff9b:1::/48"),
    ipaddress.IPv6Network("fec0::/10"),
    ipaddress.IPv4Network("192.0.0.0/24"),
)
"""Not public, though not every Python says so (RFC 8215, RFC 3879, RFC 6890)."""
PORTS = {"https": 443, "http": 80, "sftp": 22}
"""The default port of each scheme."""
_ALLOW = "To follow links, add --allow-remote and name their hosts: --remote-host cdn.example.com"


@frozen
class LinkOptions:
    """What the user allows. `hosts` are names, `*.` names, addresses and networks; `max_temp` is bytes."""

    allow: bool = False
    hosts: Sequence[str] = ()
    max_temp: int = 1_000_000_000


class ForbiddenError(Exception):
    """A link, or where it redirects to, may not be followed; `failure` says why."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


def system_addresses(host: str, port: int) -> list[str]:
    """What this machine resolves a host to, in the order to try. Raises OSError."""
    try:
        found: list[Any] = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError:
        # Parts of the name are empty, or longer than any host's (RFC 1035).
        raise socket.gaierror(socket.EAI_NONAME, "not a valid host name") from None
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class LinkPolicy:
    """Checks links by `LinkOptions`. Keeps no state but a cache of answers; safe for many threads."""

    def __init__(self, options: LinkOptions, resolve: Resolve = system_addresses) -> None:
        """Raises UsageError for a `--remote-host` that names nothing."""
        self._allow = options.allow
        self._resolve = resolve
        self._names: list[tuple[str, int | None]] = []
        self._networks: list[tuple[Network, int | None]] = []
        for pattern in options.hosts:
            self._learn(pattern.strip())

    def _learn(self, pattern: str) -> None:
        network = _network(pattern)
        if network is not None:
            self._networks.append((network, None))
            return
        host, colon, digits = pattern.rpartition(":") if ":" in pattern else (pattern, "", "")
        wild, bare = (host[:2], host[2:]) if host.startswith("*.") else ("", host)
        try:
            # Spelled as links' hosts are.
            if re.search(r"[/?#@\\\s]", bare) or (colon and not re.fullmatch("[0-9]{1,5}", digits)):
                raise LinkError("")
            name = "*" if bare == "*" and not wild else wild + parse(f"https://{bare}/").host
        except LinkError:
            raise UsageError(
                f"--remote-host {pattern!r} is not a host",
                "write a host (cdn.example.com), all below one (*.example.com), or an address or network of "
                "your own (10.1.2.0/24)",
            ) from None
        port = int(digits) if colon else None
        network = _network(name)
        if network is not None:
            self._networks.append((network, port))
        else:
            self._names.append((name, port))

    def judge(self, text: str) -> Link | Failure:
        """The link that a row names, if it may be followed as far as it alone tells. Asks nobody."""
        try:
            link = parse(text)
        except LinkError as error:
            return refused(
                f"{shown(text)} cannot be followed: {error}",
                "Fix the link, or download the file and name its path.",
            )
        if not self._allow:
            return refused(f"{shown(text)} is a link, and links are not followed by default", _ALLOW)
        return self.judge_host(link) or link

    def judge_host(self, link: Link) -> Failure | None:
        """Is the link's host allowed by its name? IP addresses are checked here too."""
        if link.scheme not in PORTS:
            return None
        address = _address(link.host)
        port = link.port or PORTS[link.scheme]
        if address is not None and not self._may_reach(address, link.host, port):
            return _private(link.host, str(address), port, self._reaches(address))
        if link.scheme in HTTP and not self._named(link.host, port, address):
            elsewhere = self._named(link.host, None, address)
            where = f"{link.host}, port {port}," if elsewhere else link.host
            return refused(
                f"links to {where} are not allowed",
                "If you trust the host, add --remote-host "
                f"{_with_port(link.host, port) if elsewhere else link.host}",
            )
        return None

    def addresses(self, host: str, port: int) -> list[str]:
        """The addresses of a host, if all of them are allowed.

        Raises OSError where the host is not found, ForbiddenError where any of its addresses is off limits:
        a name with both kinds of address is an attack.
        """
        found = self._resolve(host, port)
        if not found:
            raise OSError(f"{host} has no address")
        for text in found:
            address = _address(text)
            if address is None or not self._may_reach(address, host, port):
                on_others = address is not None and self._reaches(address)
                raise ForbiddenError(_private(host, text, port, on_others))
        return list(found)

    def _named(self, host: str, port: int | None, address: Address | None) -> bool:
        """Is the host allowed on this port, or on any where that is None?"""
        if address is not None and self._reaches(address, port):
            return True
        return any(
            (wanted is None or port in (None, wanted))
            and (name in ("*", host) or (name.startswith("*.") and host.endswith(name[1:])))
            for name, wanted in self._names
        )

    def _reaches(self, address: Address, port: int | None = None) -> bool:
        """Is the address named, as such or by its network, on this port, or on any where that is None?"""
        return any(
            address in network and (wanted is None or port in (None, wanted))
            for network, wanted in self._networks
            if network.version == address.version
        )

    def _may_reach(self, address: Address, host: str, port: int) -> bool:
        if self._reaches(address, port):
            return True
        # This machine by its own name, but not by another name that resolves to it.
        if host == "localhost" and any((host, wanted) in self._names for wanted in (None, port)):
            return any(address in network for network in _LOOPBACK if network.version == address.version)
        return all(map(_public, _meant(address)))


def refused(message: str, hint: str) -> Failure:
    """A link that is not followed."""
    return Failure(Kind.LINK_REFUSED, message, hint)


def _private(host: str, address: str, port: int, on_others: bool) -> Failure:
    """`on_others`: the address was named, but with another port."""
    where = f"{host} is" if host == address else f"{host} leads to {address},"
    named = _with_port(address, port) if on_others else address
    return refused(
        f"{where} an address that is not public, and not contacted{f' on port {port}' if on_others else ''}",
        f"If it is your own server, add its address or network: --remote-host {named}",
    )


def _with_port(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _network(text: str) -> Network | None:
    try:
        return ipaddress.ip_network(text.strip("[]") if "]" in text else text, strict=False)
    except ValueError:
        return None


@lru_cache(maxsize=1024)
def _address(text: str) -> Address | None:
    try:
        # A scope (fe80::1%eth0) does not change where the address is.
        return ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None


def _meant(address: Address) -> list[Address]:
    """The address, and those embedded in it: a packet may end up at any of them."""
    if isinstance(address, ipaddress.IPv4Address):
        return [address]
    within: list[Address] = [a for a in (address.ipv4_mapped, address.sixtofour) if a is not None]
    if address.teredo is not None:
        within += address.teredo
    if any(address in network for network in _CARRIERS):
        within.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    # A wrapped IPv4 address is as public as the address in it.
    return within or [address]


def _public(address: Address) -> bool:
    local = any(address in network for network in _LOCAL if network.version == address.version)
    return address.is_global and not (address.is_multicast or local)
