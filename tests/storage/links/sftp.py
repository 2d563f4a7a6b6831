"""A real SFTP server on a real socket, with a key of its own and one user."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from types import TracebackType

import asyncssh


class SftpServer:
    """Serves `root`; the user's private key is written to `home`, as ssh would have it."""

    def __init__(self, root: Path, home: Path) -> None:
        self.root = root
        self.home = home
        self.logins = 0
        self._key = asyncssh.generate_private_key("ssh-ed25519")
        self._ready = threading.Event()
        self._over = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._connections: list[asyncssh.SSHServerConnection] = []
        self.port = 0
        mine = asyncssh.generate_private_key("ssh-ed25519")
        (home / ".ssh").mkdir()
        self.identity = home / ".ssh" / "id_ed25519"
        self.identity.write_bytes(mine.export_private_key())
        self.identity.chmod(0o600)
        self._authorized = home / "authorized"
        self._authorized.write_bytes(mine.export_public_key())
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)

    @property
    def url(self) -> str:
        return f"sftp://me@127.0.0.1:{self.port}"

    def known(self, key: asyncssh.SSHKey | None = None) -> None:
        """Let the user know the server's key, or another in its place."""
        line = f"[127.0.0.1]:{self.port} ".encode() + (key or self._key).export_public_key()
        (self.home / ".ssh" / "known_hosts").write_bytes(line)

    def __enter__(self) -> SftpServer:
        self._thread.start()
        assert self._ready.wait(20)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Be gone, and end what is going on; harmless when gone."""
        if self._thread.is_alive():
            assert self._loop is not None
            self._loop.call_soon_threadsafe(self._over.set)
            self._thread.join(20)

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()

        def files(channel: asyncssh.SSHServerChannel[bytes]) -> asyncssh.SFTPServer:
            self.logins += 1
            return asyncssh.SFTPServer(channel, chroot=str(self.root))

        class Watched(asyncssh.SSHServer):
            def connection_made(this, connection: asyncssh.SSHServerConnection) -> None:  # noqa: N805
                self._connections.append(connection)

        async with asyncssh.listen(
            "127.0.0.1",
            0,
            server_host_keys=[self._key],
            authorized_client_keys=str(self._authorized),
            sftp_factory=files,
            server_factory=Watched,
        ) as server:
            self.port = server.get_port()
            self._ready.set()
            await self._over.wait()
            for connection in self._connections:
                connection.abort()
                await connection.wait_closed()
