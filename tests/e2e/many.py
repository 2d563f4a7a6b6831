"""Hundreds of rows, each a file of its own, and what the PIM has of them."""

from __future__ import annotations

import json
import signal
import subprocess
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from .conftest import Bench, jpeg, sha256


def many(b: Bench, count: int, per_product: int = 1) -> str:
    """A manifest of `count` rows, each a file of its own."""
    lines = ["product,attribute,file"]
    for n in range(count):
        attribute = f"picture_{n % per_product + 1}"
        lines.append(f"p-{n // per_product + 1},{attribute},{b.file(f'f{n}.jpg', jpeg(n))}")
    return b.manifest(lines)


def check_all(b: Bench, count: int, per_product: int = 1) -> None:
    """Every value holds its file's bytes."""
    held = b.held()
    for n in range(count):
        value = held[f"p-{n // per_product + 1}", f"picture_{n % per_product + 1}", None, None]
        assert value["sha256"] == sha256(jpeg(n)), f"row {n} holds other bytes"


def uploads(b: Bench) -> int:
    """How many uploads were answered 201."""
    # Not all that `stats` tells, which reads every file: this is asked for often.
    return b.sandbox.store.stats.calls.get("POST /media-files", Counter())["201"]


def received(b: Bench) -> int:
    """Bytes of bodies that the PIM has read."""
    return b.sandbox.store.stats.bytes_received


def in_flight(b: Bench) -> int:
    """Calls that the PIM is at work on."""
    return b.sandbox.store.stats.flying.now["all"]


def change(b: Bench, **options: Any) -> None:
    """Change how the sandbox behaves from now on, as `/_sandbox/faults` takes it."""
    request = urllib.request.Request(f"{b.sandbox.url}/_sandbox/faults", json.dumps(options).encode())
    urllib.request.urlopen(request).close()


def wait_for(happened: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    """Return when it has, or the process has ended."""
    deadline = time.monotonic() + 60
    while process.poll() is None and not happened():
        assert time.monotonic() < deadline, "nothing happens"
        time.sleep(0.005)


def wait_for_uploads(b: Bench, count: int, process: subprocess.Popen[str]) -> None:
    wait_for(lambda: uploads(b) >= count, process)


@contextmanager
def running(b: Bench, *arguments: str, **more: Any) -> Iterator[subprocess.Popen[str]]:
    """The command while it runs; it is ended with the block, whatever happens in it."""
    process = b.start(*arguments, **more)
    try:
        yield process
    finally:
        process.kill()
        process.communicate(timeout=60)


def cut_short(b: Bench, manifest: str, after: int, sig: int = signal.SIGKILL, *more: str) -> int:
    """Start an upload and send it a signal after so many uploads in all; what it returned."""
    with running(b, "upload", manifest, "--progress", "none", *more) as process:
        wait_for_uploads(b, after, process)
        process.send_signal(sig)
        return process.wait(60)
