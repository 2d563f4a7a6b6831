"""The PIM as an object: one method an endpoint, one session and one token for all threads."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType

from .api.catalogue import CatalogueCalls
from .api.entities import EntityCalls
from .api.history import CallHistory
from .api.media import MediaCalls
from .api.products import ProductCalls
from .api.uploads import UploadCalls
from .auth import TokenAuth
from .connection import Connection
from .http.transport import CallInfo, Counts, Transport


class PimClient(UploadCalls, MediaCalls, ProductCalls, CatalogueCalls, EntityCalls):
    """Makes each call once and reports exactly what came of it; retrying is up to its caller.

    Below that, a call is replayed with a renewed token, and on a new connection if a kept one died.
    Nothing is sent before the first call. Usable by any number of threads, and as a context manager.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        timeout: float = 60.0,
        connect_timeout: float = 10.0,
        pool: int = 4,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
        on_call: Callable[[CallInfo], None] | None = None,
    ) -> None:
        """`timeout`: seconds of silence, while sending too, after which a call is given up.

        `pool`: connections kept, as many as threads that call. `clock`: monotonic seconds; `wall`: seconds
        since the epoch; `sleep`: waits so many seconds. `on_call` is told of each exchange, from many
        threads. Raises UsageError for an address or token that cannot be used.
        """
        transport = Transport(
            connection.url,
            direct=connection.direct,
            timeout=timeout,
            connect_timeout=connect_timeout,
            pool=pool,
            clock=clock,
            on_call=on_call,
        )
        super().__init__(
            transport, TokenAuth(connection, transport, clock, wall, sleep), CallHistory(clock), wall
        )

    @property
    def counts(self) -> Counts:
        """What was exchanged so far."""
        return self.transport.counts

    def login(self) -> float | None:
        """Get a token, if there is none. Returns the seconds it lives; None for an App's token.

        Raises AccessError, Trouble, UsageError.
        """
        self.auth.current()
        return self.auth.lifetime

    def close(self) -> None:
        """Close the connections that are kept. No thread may be calling."""
        self.transport.close()

    def __enter__(self) -> PimClient:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
