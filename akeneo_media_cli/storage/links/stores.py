"""s3://, gs:// and sftp:// links, by fsspec: credentials are found where its clients look for them."""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ...errors import Failure, Kind
from ...link import HTTP, Link
from ...pim.errors import SourceTrouble
from ...pim.http.transport import CallInfo
from . import found as f
from .found import HEAD, Found, Opened, Patience
from .judging import judged
from .policy import PORTS, ForbiddenError, LinkPolicy

CONNECT = 10.0
"""Seconds to connect at most: no longer than a source may be silent."""
_BLOCK = 4 * 1024 * 1024
"""Bytes that are read ahead: a request each."""
_WINDOW = 64
_PACKET = 32 * 1024
"""Of sftp: so many packets are asked for at once, each of so many bytes: most servers give no more."""
_TALKATIVE = ("fsspec", "s3fs", "gcsfs", "aiobotocore", "botocore", "paramiko", "google", "asyncio")
_KNOWN_HOSTS = "/etc/ssh/ssh_known_hosts"


def configured_headers() -> dict[str, dict[str, str]]:
    """The headers that fsspec's configuration orders (`client_kwargs`) for `https` and for `http`.

    fsspec itself takes one for the other; but what is meant for encrypted links goes to no other.
    """
    try:
        from fsspec.config import conf  # type: ignore[import-untyped]
    except ImportError:
        return {}
    ordered: dict[str, dict[str, str]] = {}
    for scheme in HTTP:
        client = (conf.get(scheme) or {}).get("client_kwargs")
        headers = client.get("headers") if isinstance(client, dict) else None
        ordered[scheme] = {str(name): str(value) for name, value in dict(headers or {}).items()}
    return ordered


class Stores:
    """Follows links to buckets and SFTP servers. Each thread at work has a connection of its own."""

    def __init__(
        self, policy: LinkPolicy, *, timeout: float, on_call: Callable[[CallInfo], None] | None = None
    ) -> None:
        """`timeout`: seconds of silence."""
        self._policy = policy
        self._timeout = timeout
        self._on_call = on_call
        for name in _TALKATIVE:
            # Errors go to the report, not past the display, and never as a traceback.
            logging.getLogger(name).addHandler(logging.NullHandler())
        self._lock = threading.Lock()
        self._idle: defaultdict[Link, list[Any]] = defaultdict(list)

    def look(self, link: Link, shown: str) -> Found:
        with self._lent(link, shown, "look at") as store:
            found = self._info(store, link, shown)
            return found._replace(head=store.cat_file(_path(link), start=0, end=HEAD) if found.size else None)

    def open(self, link: Link, shown: str) -> Opened:
        store = self._borrow(link, shown)
        try:
            with self._told(shown, "open"):
                found = self._info(store, link, shown)
                if link.scheme == "sftp":
                    file: Any = _Packets(store.open(_path(link), "rb"), found.size or 0)
                else:
                    file = store.open(_path(link), "rb", block_size=_BLOCK, cache_type="readahead")
        except BaseException:
            _drop(store)
            raise
        return Opened(_Body(file, shown, self._timeout, lambda: self._give_back(link, store)), found)

    def unchanged(self, link: Link, shown: str, found: Found) -> bool:
        # Read in several requests, which may have met several contents.
        with self._lent(link, shown, "look at") as store:
            return self._info(store, link, shown)[:2] == found[:2]

    def close(self) -> None:
        with self._lock:
            for stores in self._idle.values():
                for store in stores:
                    _drop(store)
            self._idle.clear()

    # Connections.

    @contextlib.contextmanager
    def _lent(self, link: Link, shown: str, what: str) -> Iterator[Any]:
        store = self._borrow(link, shown)
        try:
            with self._told(shown, what):
                yield store
        except BaseException:
            _drop(store)
            raise
        self._give_back(link, store)

    def _borrow(self, link: Link, shown: str) -> Any:
        with self._lock:
            idle = self._idle[_server(link)]
            if idle:
                return idle.pop()
        with self._told(shown):
            return self._connect(link)

    def _give_back(self, link: Link, store: Any) -> None:
        with self._lock:
            self._idle[_server(link)].append(store)

    def _connect(self, link: Link) -> Any:
        if link.scheme == "s3":
            from s3fs import S3FileSystem  # type: ignore[import-untyped]

            seconds = {"connect_timeout": min(CONNECT, self._timeout), "read_timeout": self._timeout}
            return S3FileSystem(use_listings_cache=False, config_kwargs=seconds)
        if link.scheme == "gs":
            # Not `gcsfs`'s own default: it asks another API, which few users may, for the type of the bucket.
            from gcsfs.core import GCSFileSystem  # type: ignore[import-untyped]

            return GCSFileSystem(use_listings_cache=False, requests_timeout=self._timeout)
        return _sftp(self._policy, link, self._timeout)

    def _info(self, store: Any, link: Link, shown: str) -> Found:
        info: Mapping[str, Any] = store.info(_path(link))
        if info.get("type") == "directory":
            raise SourceTrouble(
                Failure(Kind.FILE_NOT_REGULAR, f"{shown} is a folder", "Name a regular file.")
            )
        size = info.get("size")
        tag = next((info[key] for key in ("generation", "ETag", "etag", "md5Hash") if info.get(key)), None)
        changed = next((info[key] for key in ("LastModified", "updated", "mtime") if info.get(key)), None)
        kind = info.get("ContentType") or info.get("contentType")
        version = f.version_of(tag and str(tag), changed)
        return Found(f.length_of(size), version, dated=tag is None, content_type=kind)

    # Errors.

    @contextlib.contextmanager
    def _told(self, shown: str, what: str = "") -> Iterator[None]:
        """Turn whatever these libraries raise into SourceTrouble; `what` is logged."""
        began = time.monotonic()
        problem: SourceTrouble | None = None
        try:
            yield
        except SourceTrouble as trouble:
            problem = trouble
        except ForbiddenError as forbidden:
            problem = SourceTrouble(forbidden.failure)
        except Exception as error:
            problem = judged(error, shown, self._timeout)
        if self._on_call and (what or problem):
            self._on_call(CallInfo(what or "connect", shown, None, problem, time.monotonic() - began, 0, 1))
        if problem is not None:
            raise problem


class _Body:
    """A file of a store that is being read. Raises SourceTrouble."""

    def __init__(self, file: Any, shown: str, timeout: float, done: Callable[[], None]) -> None:
        self._file = file
        self._shown = shown
        self._timeout = timeout
        self._done: Callable[[], None] | None = done
        self.patience = Patience(shown, timeout)

    def readinto(self, buffer: memoryview, /) -> int:
        return self.patience.read(lambda: self._read(buffer))

    def _read(self, buffer: memoryview) -> int:
        problem: SourceTrouble | None = None
        try:
            return int(self._file.readinto(buffer) or 0)
        except Exception as error:
            problem = judged(error, self._shown, self._timeout)
        raise problem

    def close(self) -> None:
        with contextlib.suppress(Exception):
            self._file.close()
        if self._done is not None:
            self._done()
            self._done = None


# SFTP.


def _sftp(policy: LinkPolicy, link: Link, timeout: float) -> Any:
    """A new connection to the link's server, whose host key must be known."""
    import paramiko
    from fsspec.implementations.sftp import SFTPFileSystem  # type: ignore[import-untyped]

    port = link.port or PORTS["sftp"]

    class UnknownHostKeyError(Exception):
        """The server's host key is unknown."""

    class Refuse(paramiko.MissingHostKeyPolicy):
        def missing_host_key(self, client: Any, hostname: str, key: Any) -> None:
            raise UnknownHostKeyError(hostname)

    class Sftp(SFTPFileSystem):  # type: ignore[misc]
        cachable = False

        def _connect(self) -> None:
            self.client = paramiko.SSHClient()
            self.client.load_system_host_keys()
            if Path(_KNOWN_HOSTS).is_file():
                self.client.load_system_host_keys(_KNOWN_HOSTS)
            # fsspec would take any key.
            self.client.set_missing_host_key_policy(Refuse())
            chosen = {"port": port, **self.ssh_kwargs}
            if link.user:
                chosen["username"] = link.user
            sock = _connected(policy, link.host, int(chosen["port"]), min(CONNECT, timeout))
            try:
                self.client.connect(
                    self.host,
                    sock=sock,
                    timeout=min(CONNECT, timeout),
                    banner_timeout=timeout,
                    auth_timeout=timeout,
                    channel_timeout=timeout,
                    **chosen,
                )
                self.ftp = self.client.open_sftp()
            except BaseException:
                self.client.close()
                sock.close()
                raise
            channel = self.ftp.get_channel()
            assert channel is not None
            channel.settimeout(timeout)

    return Sftp(host=link.host)


def _connected(policy: LinkPolicy, host: str, port: int, seconds: float) -> socket.socket:
    """A socket to an address of the host that may be reached. Raises OSError and ForbiddenError."""
    trouble: OSError | None = None
    for address in policy.addresses(host, port):
        try:
            return socket.create_connection((address, port), seconds)
        except OSError as error:
            trouble = error
    assert trouble is not None
    raise trouble


class _Packets:
    """Reads an SFTP file with many packets asked for at once, and no more of them than fit into a window.

    paramiko's own reading ahead keeps all that came in memory, however slowly it is taken.
    """

    def __init__(self, file: Any, size: int) -> None:
        self._file = file
        self._size = size
        self._at = 0
        self._pieces: Iterator[bytes] = iter(())
        self._rest = memoryview(b"")

    def readinto(self, buffer: memoryview) -> int:
        if not self._rest:
            self._rest = memoryview(self._next())
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count

    def _next(self) -> bytes:
        piece = next(self._pieces, None)
        if piece is None and self._at < self._size:
            starts = range(self._at, min(self._size, self._at + _WINDOW * _PACKET), _PACKET)
            wanted = [(start, min(_PACKET, self._size - start)) for start in starts]
            self._pieces = self._file.readv(wanted)
            self._at = wanted[-1][0] + wanted[-1][1]
            piece = next(self._pieces, None)
        return piece or b""

    def close(self) -> None:
        self._file.close()


def _server(link: Link) -> Link:
    """What a connection can read."""
    return link._replace(path="") if link.scheme == "sftp" else Link(link.scheme, "", None, "")


def _path(link: Link) -> str:
    return link.path if link.scheme == "sftp" else f"{link.host}{link.path}"


def _drop(store: Any) -> None:
    """Close a connection that is not to be used again; those of buckets close by themselves."""
    client = getattr(store, "client", None)
    if client is not None:
        with contextlib.suppress(Exception):
            client.close()
