"""A sandbox on a socket: in a thread of this process, or in the foreground until interrupted."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import shutil
import signal
import socket
import struct
import tempfile
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from .options import Credentials, SandboxMissing, SandboxOptions

if TYPE_CHECKING:
    import uvicorn

    from .pim import Pim


class RunningSandbox:
    """A sandbox that serves; a context manager that stops it. Built by `start_sandbox` and `serve`."""

    def __init__(
        self,
        catalog: Mapping[str, Any] | None,
        host: str,
        port: int,
        data: Path | None,
        options: SandboxOptions,
    ) -> None:
        try:
            import python_multipart  # noqa: F401
            import starlette  # noqa: F401
            import uvicorn
        except ImportError as error:
            raise SandboxMissing(
                f"the sandbox needs {error.name}: install it with pip install 'akeneo-media-cli[sandbox]'"
            ) from error
        from .default import default_catalogue
        from .pim import Pim
        from .server import application

        self._temporary = Path(tempfile.mkdtemp(prefix="akeneo-sandbox-")) if data is None else None
        folder = self._temporary or data
        assert folder is not None
        self._host = host
        self._socket: socket.socket | None = None
        try:
            self._socket = _bound(host, port)
            self.store: Pim = Pim(
                catalog if catalog is not None else default_catalogue(), folder, options, data is not None
            )
        except BaseException:
            self._clean_up()
            raise
        app, protocol = application(self.store)
        config = uvicorn.Config(
            app, http=protocol, ws="none", lifespan="off", log_config=None, access_log=False, server_header=False,
            timeout_keep_alive=5, timeout_graceful_shutdown=3, loop="asyncio",
        )  # fmt: skip
        self._server: uvicorn.Server = _Server(config)
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """Where it serves, without a slash at the end."""
        assert self._socket is not None
        port = self._socket.getsockname()[1]
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self._host, self._host)  # noqa: S104
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    @property
    def credentials(self) -> Credentials:
        """The main connection's."""
        return self.store.main.credentials

    @property
    def connections(self) -> dict[str, Credentials]:
        """Every connection of the catalogue by its name."""
        return {name: known.credentials for name, known in self.store.tokens.connections.items()}

    def description(self) -> dict[str, Any]:
        """What `akeneo-media sandbox --json` prints."""
        out: dict[str, Any] = {"url": self.url, **self.credentials.as_dict()}
        if len(self.connections) > 1:
            out["connections"] = {name: known.as_dict() for name, known in self.connections.items()}
        return out

    def stats(self) -> dict[str, Any]:
        """What `/_sandbox/stats` answers."""
        return self._ask(self.store.stats_body)

    def values(self) -> list[dict[str, Any]]:
        """What `/_sandbox/values` answers: every value with the SHA-256 and size of its stored bytes."""
        return self._ask(self.store.values)

    def stop(self) -> None:
        """Stops serving and removes the temporary folder, if it had one. Twice is once."""
        if self._thread is not None:
            self._server.should_exit = True
            self._thread.join()
            self._thread = None
        self._clean_up()

    def __enter__(self) -> RunningSandbox:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Serves in a thread of its own; returns when calls are taken."""
        ready = threading.Event()
        self._server.ready = ready  # type: ignore[attr-defined]
        self._thread = threading.Thread(target=self.run, name="akeneo-sandbox", daemon=True)
        self._thread.start()
        ready.wait()

    def run(self) -> None:
        """Serves in this thread until told to stop."""
        assert self._socket is not None
        with contextlib.suppress(SystemExit):
            asyncio.run(self._server.serve(sockets=[self._socket]))

    def interrupt(self, *_: object) -> None:
        """Makes `run` come to its end; a signal handler."""
        self._server.should_exit = True

    def _ask(self, what: Callable[[], Any]) -> Any:
        """Runs something in the sandbox's own loop, so that it sees no half-done call."""
        loop: asyncio.AbstractEventLoop | None = getattr(self._server, "loop", None)
        if self._thread is None or loop is None:
            return what()

        async def inside() -> Any:
            return what()

        return asyncio.run_coroutine_threadsafe(inside(), loop).result()

    def _clean_up(self) -> None:
        if self._socket is not None:
            self._socket.close()
        if hasattr(self, "store"):
            self.store.state.close()
        if self._temporary is not None:
            shutil.rmtree(self._temporary, ignore_errors=True)


def _server_class() -> Any:
    import uvicorn

    class Server(uvicorn.Server):
        """uvicorn's server, which says when it is ready and leaves signals to us."""

        ready: threading.Event | None = None
        loop: asyncio.AbstractEventLoop | None = None

        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            self.loop = asyncio.get_running_loop()
            await super().startup(sockets)
            if self.ready is not None:
                self.ready.set()

        @contextlib.contextmanager
        def capture_signals(self) -> Any:
            yield

    return Server


def _Server(config: Any) -> Any:  # noqa: N802
    return _server_class()(config)


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((host, port))
        sock.listen(2048)
        sock.set_inheritable(False)
    except BaseException:
        sock.close()
        raise
    return sock


def reset(transport: asyncio.BaseTransport) -> None:
    """Cuts a connection with a RST, as a crashed proxy does."""
    sock = transport.get_extra_info("socket")
    if sock is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    if isinstance(transport, asyncio.Transport):
        transport.abort()


def start_sandbox(
    catalog: Mapping[str, Any] | None = None,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    data: Path | None = None,
    options: SandboxOptions | None = None,
) -> RunningSandbox:
    """Starts a sandbox in a thread of this process; it takes calls when this returns.

    Raises SandboxMissing without the extra, CatalogueError for a catalogue that cannot be used, OSError where
    the address is taken.
    """
    sandbox = RunningSandbox(catalog, host, port, data, options or SandboxOptions())
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
    """Serves in the foreground until SIGINT or SIGTERM, then returns. `announce` is called once calls are taken.

    Raises what `start_sandbox` raises. Only for the main thread, as signals are.
    """
    stop = threading.Event()
    before = {n: signal.signal(n, lambda *_: stop.set()) for n in (signal.SIGINT, signal.SIGTERM)}
    try:
        with start_sandbox(catalog, host=host, port=port, data=data, options=options) as sandbox:
            announce(sandbox)
            while not stop.wait(0.5):
                pass
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


logging.getLogger("uvicorn.error").addHandler(logging.NullHandler())
