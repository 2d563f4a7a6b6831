"""Links as sources of files: checked, looked at and opened. Knows nothing of rows, runs or the PIM."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from ...errors import Failure
from ...link import HTTP, Link
from ...pim.errors import SourceTrouble
from .found import Follower, Found
from .policy import LinkOptions, LinkPolicy, Resolve, refused, system_addresses
from .secret_store import SecretStore
from .source import LinkSource, too_slow
from .temp import Room

if TYPE_CHECKING:
    from ...pim.http.transport import CallInfo

__all__ = ["Found", "LinkOptions", "LinkSource", "Links", "too_slow"]


class Links:
    """The links of one run. For any number of threads; to be closed.

    A link goes by its path: the text that rows, reports and the ledger have of it. Where that hides a secret,
    the link behind it is known only to this object, and is lost with it.
    """

    def __init__(
        self,
        options: LinkOptions,
        *,
        timeout: float,
        pool: int,
        on_call: Callable[[CallInfo], None] | None = None,
        resolve: Resolve = system_addresses,
    ) -> None:
        """`timeout`: seconds that a source may be silent; `pool`: connections kept. Raises UsageError."""
        self._policy = LinkPolicy(options, resolve)
        self._secret_store = SecretStore()
        self._room = Room(options.max_temp)
        self._timeout = timeout
        self._pool = pool
        self._on_call = on_call
        self._lock = threading.Lock()
        self._followers: dict[bool, Follower] = {}

    def take(self, shown: str, whole: str | None) -> tuple[str, Link] | Failure:
        """The path for a link that a row names, if it may be followed as far as it alone tells.

        `shown` is what may be shown of it, `whole` the link itself where that is more.
        """
        link = self._policy.judge(shown if whole is None else whole)
        if isinstance(link, Failure):
            return link
        return (shown if whole is None else self._secret_store.put(shown, whole)), link

    def judge(self, path: str) -> Link | Failure:
        """The link that a path stands for, if it is still known and may be followed."""
        whole: str | None = path
        if path.lower().startswith(HTTP) and "#" in path:
            whole = self._secret_store.get(path)
        if whole is None:
            return refused(
                f"{_shown(path)} contained a secret, which is not stored",
                "Run the manifest again: it has the whole link.",
            )
        return self._policy.judge(whole)

    def look(self, path: str) -> Found:
        """What is there. Raises SourceTrouble."""
        link = self._link(path)
        return self._follower(link).look(link, _shown(path)).at(path)

    def source(self, path: str) -> LinkSource:
        """What is there, to be read and closed. Raises SourceTrouble."""
        link = self._link(path)
        return LinkSource(self._follower(link), link, _shown(path), self._room, path)

    def close(self) -> None:
        """Close the connections and forget the secrets."""
        with self._lock:
            for follower in self._followers.values():
                follower.close()
            self._followers.clear()
        self._secret_store.close()

    def _link(self, path: str) -> Link:
        link = self.judge(path)
        if isinstance(link, Failure):
            raise SourceTrouble(link)
        return link

    def _follower(self, link: Link) -> Follower:
        web = link.scheme in HTTP
        with self._lock:
            if web not in self._followers:
                self._followers[web] = self._web() if web else self._stores()
            return self._followers[web]

    # Slow imports happen only if there are such links.

    def _web(self) -> Follower:
        from .stores import configured_headers
        from .web import Web

        return Web(
            self._policy,
            timeout=self._timeout,
            pool=self._pool,
            headers=configured_headers(),
            on_call=self._on_call,
        )

    def _stores(self) -> Follower:
        from .stores import Stores

        return Stores(self._policy, timeout=self._timeout, on_call=self._on_call)


def _shown(path: str) -> str:
    """A path as messages show it: without the random part."""
    return path.partition("#")[0] if path.lower().startswith(HTTP) else path
