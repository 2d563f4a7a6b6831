"""The connections to the PIM, kept and shared by all threads: direct, or through a proxy."""

from __future__ import annotations

import os
import ssl
import threading
from base64 import b64encode
from collections.abc import Iterable, Mapping
from http.client import HTTPException
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

import certifi
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager, ProxyManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError, ProxyError
from urllib3.util import parse_url
from urllib3.util.ssl_ import create_urllib3_context

from .wire import ConnectionPolicy, DeadlineResponse, GuardedConnection

Pools = dict[str, Any]
"""Classes of urllib3's pools, by scheme."""


def pools(plain: type[HTTPConnection], secure: type[HTTPSConnection], *mixed_in: type) -> Pools:
    """Pools of such connections, by scheme."""
    return {
        "http": type("Pool", (*mixed_in, HTTPConnectionPool), {"ConnectionCls": plain}),
        "https": type("Pool", (*mixed_in, HTTPSConnectionPool), {"ConnectionCls": secure}),
    }


class Exchange(NamedTuple):
    """An answer whose head was read, and the connection that it came by; `Connections.release` that."""

    connection: GuardedConnection
    response: DeadlineResponse


class _Exchanging:
    """Mixed into urllib3's pools, in place of `urlopen`: each call is made once, and no redirect followed."""

    tunnels: bool
    """Does a proxy lead to the PIM by a tunnel?"""

    def exchange(self: Any, method: str, request: Iterable[Any]) -> Exchange:
        connection = self._get_conn()
        try:
            if connection.is_closed:
                self._connect(connection)
            return Exchange(connection, connection.exchange(method, request))
        except BaseException:
            connection.close()
            self._put_conn(connection)
            raise

    def _connect(self: Any, connection: Any) -> None:
        try:
            if self.tunnels:
                self._prepare_proxy(connection)
            else:
                connection.connect()
        except (OSError, HTTPException, HTTPError) as error:
            if self.proxy is None or connection.has_connected_to_proxy:
                raise
            raise ProxyError("no connection to the proxy", error) from error

    def release(self: Any, connection: GuardedConnection) -> None:
        self._put_conn(connection)


class Connections:
    """The connections to one address."""

    def __init__(
        self, url: str, policy: ConnectionPolicy, *, proxy: str, verify: bool | str, keep: int
    ) -> None:
        """`proxy`: its address, empty for none. `verify`: the file or folder of certificate authorities to
        trust, True for the usual ones. `keep`: how many connections are kept.
        """
        self._url = url
        self._policy = policy
        self._proxy = proxy
        self._verify = verify
        self._keep = keep
        self._lock = threading.Lock()
        self._pool: Any = None
        # A proxy is told the whole address, but for one that a tunnel leads to.
        forwarded = bool(proxy) and url.startswith("http:")
        self._prefix = url if forwarded else urlsplit(url).path
        login = _login(proxy)
        self._headers = {"Host": _host(url), "Accept-Encoding": "identity", **(login if forwarded else {})}

    def head(self, method: str, path: str, headers: Mapping[str, str]) -> bytes:
        """What goes out before the body of a request. `path` follows the address."""
        all_headers = {**self._headers, **headers}
        lines = [f"{method} {self._prefix}{path} HTTP/1.1", *map(": ".join, all_headers.items()), "", ""]
        head = "\r\n".join(lines).encode("latin-1")
        if head.count(b"\n") != len(lines) - 1 or head.count(b"\r") != len(lines) - 1:
            raise ValueError("a header holds a line break")
        return head

    def exchange(self, method: str, request: Iterable[Any]) -> Exchange:
        """Send a request in pieces, the first of which begins with its `head`; read the head of its answer.

        Raises what sockets, http.client, urllib3 and `request` raise.
        """
        pool = self._pool or self._made()
        return pool.exchange(method, request)  # type: ignore[no-any-return]

    def release(self, exchange: Exchange) -> None:
        """The answer is read, or is not going to be: its connection is kept if all of it was read."""
        if not exchange.response.isclosed():
            exchange.response.close()
            exchange.connection.close()
        pool = self._pool
        if pool is None:
            exchange.connection.close()
        else:
            pool.release(exchange.connection)

    def close(self) -> None:
        """Close the connections that are kept."""
        with self._lock:
            pool, self._pool = self._pool, None
        if pool is not None:
            pool.close()

    def _made(self) -> Any:
        with self._lock:
            if self._pool is None:
                pool: Any = self._manager().connection_from_url(self._url)
                pool.tunnels = pool.proxy is not None and self._url.startswith("https:")
                self._pool = pool
            return self._pool

    def _manager(self) -> PoolManager:
        policy = self._policy

        class Reply(DeadlineResponse):
            pass

        class Plain(GuardedConnection, HTTPConnection):
            response_class = Reply

        class Secure(GuardedConnection, HTTPSConnection):
            response_class = Reply

        Reply.policy = Plain.policy = Secure.policy = policy
        proxy = self._proxy if "://" in self._proxy or not self._proxy else f"http://{self._proxy}"
        # Made once: to read the authorities takes longer than everything else about a connection.
        secure = (self._url.startswith("https:") or proxy.startswith("https:")) and _trusting(self._verify)
        kept: dict[str, Any] = {"maxsize": self._keep, **({"ssl_context": secure} if secure else {})}
        manager = (
            ProxyManager(proxy, proxy_headers=_login(proxy), proxy_ssl_context=secure or None, **kept)
            if proxy
            else PoolManager(**kept)
        )
        manager.pool_classes_by_scheme = pools(Plain, Secure, _Exchanging)
        return manager


def _trusting(verify: bool | str) -> ssl.SSLContext:
    context = create_urllib3_context()
    named = certifi.where() if isinstance(verify, bool) else verify
    folder = os.path.isdir(named)  # noqa: PTH112
    context.load_verify_locations(None if folder else named, named if folder else None)
    return context


def _host(url: str) -> str:
    """Host and port of an address; without the port that everybody expects."""
    scheme, netloc, *_ = urlsplit(url)
    return netloc.removesuffix(":80" if scheme == "http" else ":443")


def _login(proxy: str) -> dict[str, str]:
    """What a proxy wants to know of a user whose name and password are in its address."""
    auth = parse_url(proxy).auth or ""
    if ":" not in auth:
        return {}
    return {"Proxy-Authorization": "Basic " + b64encode(unquote(auth).encode("latin-1", "replace")).decode()}
