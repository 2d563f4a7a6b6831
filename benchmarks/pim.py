"""A PIM that costs next to nothing: what the client costs is measured, so the server must not be in the way.

Raw sockets, a thread a connection, every answer made of constants. It answers what an upload asks: the
token, the catalogue, searches, media files. Every attribute and product that is asked for exists. Each call
takes the server time that was ordered, counted from the last byte of its request: only then the PIM begins.

Run as `python pim.py SAVE A_MEGABYTE READ [WORKERS]`, all but the last in milliseconds; its first line is its
address. With WORKERS so many uploads are saved at once, and the others wait.
`GET /stats` tells what happened so far, `GET /reset` begins anew.
"""

from __future__ import annotations

import json
import re
import socket
import sys
import threading
import time
from collections import Counter
from itertools import count
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

_BUFFER = 1 << 20
_HEAD = 1 << 16
_FILENAME = re.compile(rb'name="file"; filename="((?:[^"\\]|\\.)*)"')
_IDENTIFIER = re.compile(rb'"identifier": ?"((?:[^"\\]|\\.)*)"')
_ATTRIBUTE = re.compile(rb'"attribute": ?"((?:[^"\\]|\\.)*)"')
_NUMBERS = count(1)
_VALUES: dict[str, dict[str, str]] = {}
"""The media code of each product's values, by attribute: uploads are read back."""


class Figures:
    """What happened, for the bench to ask after."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.reset()

    def reset(self) -> None:
        """Begin anew."""
        with self._lock:
            self.requests: Counter[str] = Counter()
            self.busy = 0.0
            self.sent = 0
            self.most = 0
            self.clashes = 0
            self.saved: list[float] = []
            self._taken: Counter[bytes] = Counter()
            self._in_flight = 0

    def begin(self, keys: tuple[bytes, ...]) -> None:
        """A call has come in; `keys` are what no two calls may have at once."""
        with self._lock:
            self._in_flight += 1
            self.most = max(self.most, self._in_flight)
            self._taken.update(keys)
            self.clashes += any(self._taken[key] > 1 for key in keys)

    def end(self, name: str, keys: tuple[bytes, ...], seconds: float, size: int) -> None:
        """Its answer is about to go out."""
        with self._lock:
            self._in_flight -= 1
            self._taken.subtract(keys)
            self._taken = +self._taken
            self.requests[name] += 1
            if keys:
                self.saved.append(time.monotonic())
            self.busy += seconds
            self.sent += size

    def told(self) -> dict[str, Any]:
        """For JSON."""
        with self._lock:
            return {
                "calls": dict(self.requests),
                "total": sum(self.requests.values()),
                "busy": self.busy,
                "bytes": self.sent,
                "most_in_flight": self.most,
                "clashes": self.clashes,
                "saved": self.saved,
            }


class Connection:
    """One connection, from its first request to its end."""

    def __init__(
        self, sock: socket.socket, figures: Figures, workers: threading.Semaphore, *seconds: float
    ) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._sock = sock
        self._figures = figures
        self._workers = workers
        self._save, self._a_byte, self._read = seconds
        self._buffer = memoryview(bytearray(_BUFFER))

    def serve(self) -> None:
        """Answer until the other side has gone."""
        try:
            with self._sock:
                while self._one():
                    pass
        except OSError:
            pass

    def _one(self) -> bool:
        head, rest = self._head()
        if not head:
            return False
        line, *lines = head.split(b"\r\n")
        method, path, _ = line.decode("latin-1").split(" ")
        headers = dict(each.lower().split(b": ", 1) for each in lines if b": " in each)
        length = int(headers.get(b"content-length", b"0"))
        if headers.get(b"expect") == b"100-continue":
            self._sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        beginning = self._body(rest, length)
        if path in ("/stats", "/reset"):
            if path == "/reset":
                self._figures.reset()
            self._answer(200, json.dumps(self._figures.told()).encode())
            return True
        name = f"{method} {path.partition('?')[0].rstrip('/').rpartition('/')[2]}"
        writes = path.endswith("media-files") and method == "POST"
        keys = _keys(beginning) if writes else ()
        began = time.monotonic()
        self._figures.begin(keys)
        pause = self._save + self._a_byte * length if writes else self._read
        if writes:
            with self._workers:
                time.sleep(pause)
        elif pause:
            time.sleep(pause)
        self._figures.end(name, keys, time.monotonic() - began, length)
        if writes:
            filename = _found(_FILENAME, beginning) or b"file"
            code = b"a/b/c/d/" + b"%040x" % next(_NUMBERS) + b"_" + re.sub(rb"[^A-Za-z0-9.]", b"_", filename)
            product, attribute = (_found(each, beginning) or b"" for each in (_IDENTIFIER, _ATTRIBUTE))
            _VALUES.setdefault(product.decode(), {})[attribute.decode()] = code.decode()
            self._answer(201, b"", b"Location: http://localhost/api/rest/v1/media-files/" + code + b"\r\n")
        else:
            body = answer(method, path, beginning)
            self._answer(
                404 if body is None else 200,
                json.dumps(body or {"code": 404, "message": "Not found"}).encode(),
            )
        return headers.get(b"connection") != b"close"

    def _head(self) -> tuple[bytes, bytes]:
        data = b""
        while b"\r\n\r\n" not in data:
            count = self._sock.recv_into(self._buffer)
            if not count or len(data) > _HEAD:
                return b"", b""
            data += self._buffer[:count]
        head, _, rest = data.partition(b"\r\n\r\n")
        return head, rest

    def _body(self, beginning: bytes, length: int) -> bytes:
        """Take the whole body off the line, and give its beginning."""
        left = length - len(beginning)
        while left:
            count = self._sock.recv_into(self._buffer, min(left, _BUFFER))
            if not count:
                raise ConnectionResetError
            if len(beginning) < _HEAD:
                beginning += self._buffer[: min(count, _HEAD)]
            left -= count
        return beginning

    def _answer(self, status: int, body: bytes, headers: bytes = b"") -> None:
        self._sock.sendall(
            b"HTTP/1.1 %d -\r\nContent-Type: application/json\r\nContent-Length: %d\r\n%s\r\n%s"
            % (status, len(body), headers, body)
        )


def _keys(beginning: bytes) -> tuple[bytes, ...]:
    product = _found(_IDENTIFIER, beginning)
    return (b"product:" + product,) if product else ()


def _found(pattern: re.Pattern[bytes], text: bytes) -> bytes | None:
    found = pattern.search(text)
    return found.group(1) if found else None


def answer(method: str, path: str, body: bytes) -> dict[str, Any] | None:
    """What the PIM says to anything but an upload; None: 404."""
    split = urlsplit(path)
    asked = parse_qs(split.query)
    if split.path.endswith("/oauth/v1/token"):
        return {"access_token": "a", "expires_in": 3600, "token_type": "bearer", "refresh_token": "r"}
    parts = unquote(split.path).removeprefix("/api/rest/v1").strip("/").split("/")
    wanted = _wanted(asked)
    if parts[0] == "attributes":
        codes = wanted or parts[1:]
        return _list(map(_attribute, codes)) if wanted else _attribute(codes[0])
    if parts[0] in ("products", "products-uuid"):
        return _list(map(_product, wanted)) if wanted else _product(parts[1])
    if parts[0] == "media-files":
        # No row's file has no bytes: what was uploaded in an earlier run is sent again.
        return {"code": "/".join(parts[1:]), "original_filename": "", "size": 0}
    if parts[0] == "channels":
        return _list([{"code": "ecommerce", "locales": ["en_US"]}])
    if parts[0] == "locales":
        return _list([{"code": "en_US", "enabled": True}])
    if parts[0] == "families" and len(parts) == 2:
        return {"code": parts[1], "attributes": ["sku"]}
    if parts == [""]:
        return {
            "routes": {
                "pim_api_media_file_create": {"route": "/api/rest/v1/media-files", "methods": ["POST"]}
            }
        }
    if parts == ["system-information"]:
        return {"version": "7.0.0", "edition": "CE"}
    return None


def _wanted(asked: dict[str, list[str]]) -> list[str]:
    if "search" not in asked:
        return []
    for conditions in json.loads(asked["search"][0]).values():
        for condition in conditions:
            if condition["operator"] == "IN":
                return list(condition["value"])
    return []


def _list(items: Any) -> dict[str, Any]:
    return {"_links": {}, "current_page": 1, "_embedded": {"items": list(items)}}


def _attribute(code: str) -> dict[str, Any]:
    # `web` takes only what was converted.
    takes = {"allowed_extensions": ["jpg"], "max_file_size": "1.00"} if code == "web" else {}
    return {"code": code, "type": "pim_catalog_image", "scopable": False, "localizable": False, **takes}


def _product(identifier: str) -> dict[str, Any]:
    held = _VALUES.get(identifier, {})
    values = {code: [{"locale": None, "scope": None, "data": data}] for code, data in held.items()}
    return {"identifier": identifier, "family": "shoes", "parent": None, "values": values}


def main(save: float, a_byte: float, read: float, workers: int) -> None:
    """Serve until killed."""
    figures, free = Figures(), threading.Semaphore(workers)
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listening:
        print(f"http://127.0.0.1:{listening.getsockname()[1]}", flush=True)
        while True:
            sock, _ = listening.accept()
            serve = Connection(sock, figures, free, save, a_byte, read).serve
            threading.Thread(target=serve, daemon=True).start()


if __name__ == "__main__":
    many = int(sys.argv[4]) if len(sys.argv) > 4 else 10_000
    main(float(sys.argv[1]) / 1e3, float(sys.argv[2]) / 1e9, float(sys.argv[3]) / 1e3, many)
