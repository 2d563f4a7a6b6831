"""Real proxies on loopback, in front of the sandbox. A test is skipped where its proxy is not installed."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def program(*names: str) -> str:
    """The path of the first that is installed; skips the test where none is."""
    places = os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin"
    for name in names:
        found = shutil.which(name, path=places)
        if found:
            return found
    pytest.skip(f"{names[0]} is not installed (Debian: apt-get install {names[-1]})")


@contextlib.contextmanager
def running(command: list[str], port: int, folder: Path, **environ: str) -> Iterator[str]:
    """The proxy as a process of its own, until the test ends; gives its URL once it listens."""
    with (folder / "proxy.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, env={**os.environ, **environ})
        try:
            deadline = time.monotonic() + 20
            while True:
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                    break
                assert process.poll() is None, (folder / "proxy.log").read_text()
                assert time.monotonic() < deadline, (folder / "proxy.log").read_text()
                time.sleep(0.05)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@contextlib.contextmanager
def nginx(folder: Path, server: str, http: str = "") -> Iterator[str]:
    port = free_port()
    found = program("nginx", "nginx-light")
    user = "user root;" if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(
        f"""{user} daemon off; worker_processes 1; pid {folder}/nginx.pid;
        error_log {folder}/error.log;
        events {{ worker_connections 256; }}
        http {{
          access_log off; client_max_body_size 64m;
          client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
          fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
          {http}
          server {{ listen 127.0.0.1:{port}; {server} }}
        }}"""
    )
    with running([found, "-p", str(folder), "-c", str(folder / "nginx.conf")], port, folder) as url:
        yield url


@contextlib.contextmanager
def apache(folder: Path, extra: str) -> Iterator[str]:
    port = free_port()
    found = program("apache2", "httpd", "apache2")
    modules = Path("/usr/lib/apache2/modules")
    if not modules.is_dir():
        pytest.skip("Apache's modules are not where Debian has them")
    wanted = ("mpm_event", "proxy", "proxy_http", "authz_core", "authn_core")
    wanted += ("auth_basic", "authn_file", "authz_user")
    loaded = "\n".join(f"LoadModule {name}_module {modules}/mod_{name}.so" for name in wanted)
    (folder / "apache.conf").write_text(
        f"""ServerRoot {folder}
        ServerName localhost
        PidFile {folder}/apache.pid
        ErrorLog {folder}/error.log
        Listen 127.0.0.1:{port}
        {loaded}
        {extra}
        """
    )
    with running([found, "-DFOREGROUND", "-f", str(folder / "apache.conf")], port, folder) as url:
        yield url


@contextlib.contextmanager
def haproxy(folder: Path, servers: str, defaults: str = "") -> Iterator[str]:
    port = free_port()
    found = program("haproxy")
    (folder / "haproxy.cfg").write_text(
        f"""defaults
  mode http
  timeout connect 1s
  timeout client 60s
  timeout server 60s
{defaults}
frontend in
  bind 127.0.0.1:{port}
  default_backend pim
backend pim
  balance roundrobin
{servers}
"""
    )
    with running([found, "-db", "-f", str(folder / "haproxy.cfg")], port, folder) as url:
        yield url


@contextlib.contextmanager
def caddy(folder: Path, site: str) -> Iterator[str]:
    port = free_port()
    found = program("caddy")
    (folder / "Caddyfile").write_text(
        f"{{\n admin off\n auto_https off\n}}\nhttp://127.0.0.1:{port} {{\n{site}\n}}\n"
    )
    command = [found, "run", "--adapter", "caddyfile", "--config", str(folder / "Caddyfile")]
    with running(command, port, folder, HOME=str(folder), XDG_DATA_HOME=str(folder)) as url:
        yield url


@contextlib.contextmanager
def varnish(folder: Path, upstream: int, silence: str) -> Iterator[str]:
    """`silence` is how long it waits for the first byte of an answer, such as `2s`."""
    port = free_port()
    found = program("varnishd", "varnish")
    (folder / "pim.vcl").write_text(
        f"""vcl 4.1;
        backend pim {{
          .host = "127.0.0.1"; .port = "{upstream}"; .first_byte_timeout = {silence};
        }}
        sub vcl_recv {{ return (pass); }}
        """
    )
    command = [found, "-F", "-a", f"127.0.0.1:{port}", "-f", str(folder / "pim.vcl")]
    # Without its jail it needs no user of its own.
    command += ["-n", str(folder / "varnish"), "-j", "none", "-s", "malloc,16m"]
    with running(command, port, folder) as url:
        yield url


@contextlib.contextmanager
def squid(folder: Path, rules: str) -> Iterator[str]:
    port = free_port()
    found = program("squid")
    logs = folder / "squid"
    logs.mkdir()
    logs.chmod(0o777)
    for parent in (folder, *folder.parents):
        # It gives root's rights up, and pytest's folders are for their owner alone.
        with contextlib.suppress(OSError):
            parent.chmod(parent.stat().st_mode | 0o011)
    (folder / "squid.conf").write_text(
        f"""http_port 127.0.0.1:{port}
        pid_filename none
        cache_log {logs}/cache.log
        access_log none
        cache deny all
        coredump_dir {logs}
        shutdown_lifetime 0 seconds
        {rules}
        """
    )
    with running([found, "-N", "-f", str(folder / "squid.conf")], port, folder) as url:
        yield url


class Relay:
    """Passes connections on to a port, until it is cut: then they are refused, as by a PIM that is down."""

    def __init__(self, target: int) -> None:
        self.port = free_port()
        self._target = target
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._listening: socket.socket | None = None
        self.restore()

    def restore(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, args=(self._listening,), daemon=True).start()

    def cut(self) -> None:
        listening, self._listening = self._listening, None
        if listening is not None:
            with contextlib.suppress(OSError):
                listening.shutdown(socket.SHUT_RDWR)
            listening.close()
        with self._lock:
            for each in self._open:
                with contextlib.suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)

    def __enter__(self) -> Relay:
        return self

    def __exit__(self, *_: object) -> None:
        self.cut()

    def _accept(self, listening: socket.socket) -> None:
        while True:
            try:
                near, _ = listening.accept()
                far = socket.create_connection(("127.0.0.1", self._target))
            except OSError:
                return
            with self._lock:
                self._open |= {near, far}
            for source, to in ((near, far), (far, near)):
                threading.Thread(target=self._pump, args=(source, to), daemon=True).start()

    def _pump(self, source: socket.socket, to: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while part := source.recv(65536):
                to.sendall(part)
        for each in (source, to):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        with self._lock:
            self._open -= {source}
        source.close()
