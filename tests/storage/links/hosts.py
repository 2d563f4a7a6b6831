"""A web server that gives out files in all the ways that web servers do."""

from __future__ import annotations

import contextlib
import gzip
from dataclasses import dataclass, field

from ...pim.server import Reply, Request


@dataclass
class File:
    """What is at a path. `length` off: chunked; `ranges` off: always whole; `packed`: gzip, asked for or not.

    `status` other than 200 refuses; `to` leads on; `cut` bytes are all that goes out of what was promised.
    """

    content: bytes = b""
    etag: str | None = None
    changed: str | None = None
    length: bool = True
    ranges: bool = True
    packed: bool = False
    status: int = 200
    to: str | None = None
    cut: int | None = None
    type: str = "image/jpeg"


@dataclass
class Host:
    """Answers by `files`; `wanted` are the headers of each request by path."""

    files: dict[str, File] = field(default_factory=dict)
    wanted: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def __call__(self, request: Request) -> Reply | None:
        self.wanted.append((request.target, request.headers))
        file = self.files.get(request.target) or self.files.get(request.path)
        if file is None:
            return Reply(404, b"nothing here", {"Content-Type": "text/html"})
        if file.to is not None:
            return Reply(302 if file.status == 200 else file.status, headers={"Location": file.to})
        if file.status != 200:
            return Reply(file.status, b"no", {"Content-Type": "text/html"})
        return self._whole(request, file)

    def times(self, path: str) -> int:
        """How often a path was asked for."""
        return sum(target == path for target, _ in self.wanted)

    def _whole(self, request: Request, file: File) -> Reply | None:
        headers = {"Content-Type": file.type, "ETag": file.etag or "", "Last-Modified": file.changed or ""}
        content, status = file.content, 200
        asked = request.headers.get("range", "").removeprefix("bytes=0-")
        if file.packed:
            content = gzip.compress(content)
            headers["Content-Encoding"] = "gzip"
        elif file.ranges and asked:
            if not content:
                return Reply(416, headers={"Content-Range": "bytes */0"})
            part = content[: int(asked) + 1]
            headers["Content-Range"] = f"bytes 0-{len(part) - 1}/{len(content)}"
            content, status = part, 206
        if not file.length:
            headers |= {"Transfer-Encoding": "chunked", "Content-Length": ""}
            content = b"%x\r\n%s\r\n0\r\n\r\n" % (len(content), content) if content else b"0\r\n\r\n"
        if file.cut is not None and status == 200:
            headers.setdefault("Content-Length", str(len(content)))
            lines = [f"HTTP/1.1 {status} Said", *(f"{k}: {v}" for k, v in headers.items() if v)]
            with contextlib.suppress(OSError):
                request.sock.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + content[: file.cut])
            return None
        if not file.length:
            lines = [f"HTTP/1.1 {status} Said", *(f"{k}: {v}" for k, v in headers.items() if v)]
            return Reply(raw="\r\n".join(lines).encode() + b"\r\n\r\n" + content)
        return Reply(status, content, headers)
