"""A sandbox on a socket: in a thread of this process, or in the foreground until interrupted."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import signal
import socket
import tempfile
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

from .options import Credentials, SandboxMissing, SandboxOptions
from .store.catalogue import CatalogueError

if TYPE_CHECKING:
    from .pim import Pim
    from .server import Server

T = TypeVar("T")
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104


class RunningSandbox:
    """A sandbox that serves; a context manager that stops it. Built by `start_sandbox`."""

    def __init__(
        self, host: str, store: Pim, server: Server, listener: socket.socket, clean_up: Callable[[], None]
    ):
        self.store: Pim = store
        """The PIM behind the endpoints, for tests; it belongs to the sandbox's thread while that runs."""
        self._host, self._server, self._listener, self._clean_up = host, server, listener, clean_up
        self._port: int = listener.getsockname()[1]
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """Where it serves, without a slash at the end."""
        host = _EVERYWHERE.get(self._host, self._host)
        return f"http://[{host}]:{self._port}" if ":" in host else f"http://{host}:{self._port}"

    @property
    def credentials(self) -> Credentials:
        """The main connection's."""
        return self.store.main.credentials

    @property
    def connections(self) -> dict[str, Credentials]:
        """Every connection of the catalogue by its name."""
        return {name: known.credentials for name, known in self.store.tokens.connections.items()}

    def description(self) -> dict[str, Any]:
        """What `sandbox --json` prints: `url`, the main connection's four, `connections` if several."""
        out: dict[str, Any] = {"url": self.url, **self.credentials.as_dict()}
        if len(self.connections) > 1:
            out["connections"] = {name: known.as_dict() for name, known in self.connections.items()}
        return out

    def stats(self) -> dict[str, Any]:
        """What `/_sandbox/stats` answers."""
        from .admin.contents import stats_body

        return self.inside(lambda: stats_body(self.store))

    def values(self) -> list[dict[str, Any]]:
        """What `/_sandbox/values` answers: every value with the SHA-256 and size of its stored bytes."""
        from .admin.contents import values

        return self.inside(lambda: values(self.store))

    def inside(self, what: Callable[[], T]) -> T:
        """Runs `what` in the sandbox's own loop, between two steps of its calls."""
        loop = self._server.loop
        if self._thread is None or loop is None:
            return what()

        async def step() -> T:
            return what()

        return asyncio.run_coroutine_threadsafe(step(), loop).result()

    def start(self) -> None:
        """Serves in its own thread; returns when it accepts calls."""
        ready = threading.Event()
        self._server.on_ready = ready.set
        self._thread = threading.Thread(
            target=self._run, args=(ready.set,), name="akeneo-sandbox", daemon=True
        )
        self._thread.start()
        ready.wait()

    def run(self, announce: Callable[[RunningSandbox], None]) -> None:
        """Serves in this thread, which must be the main one, until SIGINT or SIGTERM."""
        self._server.on_ready = lambda: announce(self)
        before = {n: signal.signal(n, self._server.stop_soon) for n in (signal.SIGINT, signal.SIGTERM)}
        try:
            self._run()
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def stop(self) -> None:
        """Stops serving and removes the temporary folder, if it had one. May be called twice."""
        if self._thread is not None:
            self._server.stop_soon()
            self._thread.join()
            self._thread = None
        self._listener.close()
        self._clean_up()

    def _run(self, at_last: Callable[[], None] = lambda: None) -> None:
        try:
            asyncio.run(self._server.serve(sockets=[self._listener]))
        finally:
            at_last()

    def __enter__(self) -> RunningSandbox:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _built(
    catalog: Mapping[str, Any] | None, host: str, port: int, data: Path | None, options: SandboxOptions | None
) -> RunningSandbox:
    try:
        from .pim import Pim
        from .server import build_server
    except ImportError as error:
        missing = (error.name or "").partition(".")[0]
        if missing not in ("starlette", "uvicorn", "python_multipart", "h11", "anyio"):
            raise
        raise SandboxMissing(
            f"the sandbox needs {missing}: install it with  pip install 'akeneo-media-cli[sandbox]'",
            name=missing,
        ) from error
    with contextlib.ExitStack() as cleaning:
        listener = cleaning.enter_context(_listening(host, port))
        folder = data
        if folder is None:
            folder = Path(tempfile.mkdtemp(prefix="akeneo-sandbox-"))
            cleaning.callback(shutil.rmtree, folder, ignore_errors=True)
        try:
            store = Pim(catalog, folder, options or SandboxOptions(), keep=data is not None)
        except (AttributeError, KeyError, TypeError) as error:
            raise CatalogueError(f"the catalogue does not have the documented shape: {error!r}") from error
        cleaning.callback(store.state.close)
        return RunningSandbox(host, store, build_server(store), listener, cleaning.pop_all().close)


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Named, or asyncio does not know it for TCP and leaves Nagle's algorithm on: 40 ms for every answer.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(1024)
    except BaseException:
        listener.close()
        raise
    return listener


def start_sandbox(
    catalog: Mapping[str, Any] | None = None,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    data: Path | None = None,
    options: SandboxOptions | None = None,
) -> RunningSandbox:
    """Starts a sandbox in a thread of this process; it accepts calls when this returns.

    With `data` it keeps what arrives in that folder, else in a temporary one. Raises SandboxMissing without
    the extra, CatalogueError for a catalogue that cannot be used, OSError where the address is taken.
    """
    sandbox = _built(catalog, host, port, data, options)
    sandbox.start()
    return sandbox


def serve(
    catalog: Mapping[str, Any] | None = None,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    data: Path | None = None,
    options: SandboxOptions | None = None,
    announce: Callable[[RunningSandbox], None] = lambda _: None,
) -> None:
    """Serves in the foreground until SIGINT or SIGTERM, then returns; only for the main thread.

    `announce` is called once it accepts calls. Raises what `start_sandbox` raises.
    """
    with _built(catalog, host, port, data, options) as sandbox:
        sandbox.run(announce)
