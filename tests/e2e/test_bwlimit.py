"""`--bwlimit` keeps a slow line alive: bytes go out in small pieces, not in one after a long wait."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from .conftest import jpeg

arrivals: list[float] = []


class Pim(BaseHTTPRequestHandler):
    """Takes any login and any file, and notes when pieces of it arrive."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        left = int(self.headers["Content-Length"])
        saves = self.path.endswith("/media-files")
        while left:
            left -= len(self.rfile.read1(min(left, 65536)))
            if saves:
                arrivals.append(time.monotonic())
        body = b"" if saves else json.dumps({"access_token": "a", "expires_in": 3600}).encode()
        self.send_response(201 if saves else 200)
        self.send_header("Location", "http://localhost/api/rest/v1/media-files/a/b_p.jpg")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def url() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Pim) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_limited_body_comes_in_pieces(tmp_path: Path, url: str) -> None:
    arrivals.clear()
    (tmp_path / "p.jpg").write_bytes(jpeg(1, 100_000))
    (tmp_path / "m.csv").write_text("product,attribute,file\np-1,picture,p.jpg\n")
    arguments = ["upload", "m.csv", "--no-preflight", "--no-verify", "--no-state", "--bwlimit", "100k"]
    done = subprocess.run(
        [sys.executable, "-m", "akeneo_media_cli", *arguments],
        cwd=tmp_path,
        env={**os.environ, "AKENEO_URL": url, "AKENEO_TOKEN": "t"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    pauses = [later - sooner for sooner, later in pairwise(arrivals)]
    # A quarter of a second's worth at a time; in one piece there would be no pause but the first.
    assert sum(pause > 0.1 for pause in pauses) >= 2, pauses
