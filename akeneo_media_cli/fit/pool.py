"""Conversions beside uploads: a few pictures ahead of the senders, on as many threads as there are cores.

libvips works outside of Python's lock, so threads use all cores and share its memory. What is wanted now is
converted first; what is only wanted later is converted ahead as long as its files have room on disk.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from ..errors import Kind
from ..frozen import frozen
from .convert import Fitted, fit
from .reading import UnfitError
from .recipe import Recipe, Takes

PREFIX = "akeneo-media-fit-"
_LOCK = "lock"
_BEGINNING = 60.0
"""Seconds that a run may take to lock the folder that it made."""
AHEAD = 8
"""So many pictures are converted before anybody waits for them: enough that no sender waits for long."""
MAX_TEMP = 1_000_000_000
"""Bytes on disk for pictures that nobody waits for yet."""


class StoppedError(Exception):
    """The pool was closed before the picture was converted."""


@frozen
class FittedFile:
    """A converted picture on disk, and how it came about.

    `sha256` (hex) is its own; `source_sha256`, `source_size` (bytes) and `source_status` are of the picture
    that it was made of, as it was then.
    """

    path: str
    fitted: Fitted
    sha256: str
    source_sha256: str
    source_size: int
    source_status: os.stat_result

    def to_report(self) -> dict[str, Any]:
        """The report's `fitted`, with the digest of what is sent."""
        told = self.fitted.to_report()
        return {**told, "to": {**told["to"], "sha256": self.sha256}}


class _Job:
    def __init__(self, path: str, takes: Takes, label: Any) -> None:
        self.path = path
        self.takes = takes
        self.label = label
        self.users = 1
        self.running = False
        self.had = False
        self.result: FittedFile | BaseException | None = None

    @property
    def size(self) -> int:
        """Bytes on disk."""
        return self.result.fitted.result.bytes if isinstance(self.result, FittedFile) else 0


class ConversionPool:
    """Converts pictures under keys of the caller's. For any number of threads; close it at the end."""

    def __init__(
        self,
        recipe: Recipe,
        *,
        workers: int | None = None,
        ahead: int = AHEAD,
        max_bytes: int = MAX_TEMP,
        started: Callable[[Any], None] = lambda label: None,
        ended: Callable[[Any], None] = lambda label: None,
    ) -> None:
        """`workers`: threads, one a core by default. `max_bytes` on disk for what nobody waits for yet.

        `started` and `ended` hear of each conversion by the label that it was planned with, from any thread.
        """
        self._recipe = recipe
        self._ahead = ahead
        self._most = max_bytes
        self._started = started
        self._ended = ended
        self._turn = threading.Condition()
        self._jobs: OrderedDict[Hashable, _Job] = OrderedDict()
        self._wanted: OrderedDict[Hashable, None] = OrderedDict()
        self._closed = False
        self.count = 0
        """How many pictures were converted."""
        self._files = 0
        self._folder: Path | None = None
        self._lock: FileLock | None = None
        self._workers = workers or os.cpu_count() or 1
        self._threads: list[threading.Thread] = []

    def plan(self, key: Hashable, path: str, takes: Takes, label: Any = None) -> None:
        """The picture at `path` will be asked for. Each plan of a key is to be ended by a `drop` of it."""
        with self._turn:
            if self._closed:
                return
            if key in self._jobs:
                self._jobs[key].users += 1
                return
            self._jobs[key] = _Job(path, takes, key if label is None else label)
            if len(self._threads) < self._workers:
                thread = threading.Thread(target=self._work, name="fit", daemon=True)
                self._threads.append(thread)
                thread.start()
            self._turn.notify_all()

    def get(self, key: Hashable) -> FittedFile:
        """The converted picture; it stays on disk until `drop`. Raises UnfitError, OSError, KeyError,
        and StoppedError where the pool was closed meanwhile."""
        with self._turn:
            job = self._jobs[key]
            if job.result is None:
                self._wanted[key] = None
                self._turn.notify_all()
                self._turn.wait_for(lambda: job.result is not None or self._closed)
                self._wanted.pop(key, None)
            job.had = True
            self._turn.notify_all()
        if isinstance(job.result, FittedFile):
            return job.result
        if job.result is None:
            raise StoppedError
        raise job.result

    def made(self, key: Hashable) -> FittedFile | None:
        """The converted picture if there is one by now."""
        with self._turn:
            job = self._jobs.get(key)
        return job.result if job is not None and isinstance(job.result, FittedFile) else None

    def drop(self, key: Hashable) -> None:
        """One who planned the key needs the converted picture no more; after the last one it is deleted."""
        with self._turn:
            job = self._jobs.get(key)
            if job is None:
                return
            job.users -= 1
            if job.users:
                return
            del self._jobs[key]
            self._turn.notify_all()
        if isinstance(job.result, FittedFile):
            Path(job.result.path).unlink(missing_ok=True)

    def close(self, *, wait: bool = True) -> None:
        """Stop and remove all files; with `wait`, once what is being converted has ended."""
        with self._turn:
            self._closed = True
            self._turn.notify_all()
        if wait:
            for thread in self._threads:
                thread.join()
        if self._folder is not None:
            if self._lock is not None:
                self._lock.release()
            shutil.rmtree(self._folder, ignore_errors=True)

    def _work(self) -> None:
        while True:
            with self._turn:
                chosen: tuple[Hashable, _Job] | None = None

                def found() -> bool:
                    nonlocal chosen
                    chosen = self._next()
                    return self._closed or chosen is not None

                self._turn.wait_for(found)
                if self._closed or chosen is None:
                    return
                key, job = chosen
                job.running = True
                self._files += 1
                number = self._files
            self._convert(key, job, number)

    def _convert(self, key: Hashable, job: _Job, number: int) -> None:
        result: FittedFile | BaseException
        try:
            self._started(job.label)
            into = str(self._room() / f"{number}.picture")
            result = self._made(job, into)
        except BaseException as error:
            result = error
        with self._turn:
            job.result = result
            self.count += isinstance(result, FittedFile)
            gone, closed = self._jobs.get(key) is not job, self._closed
            self._turn.notify_all()
        if gone and isinstance(result, FittedFile):
            Path(result.path).unlink(missing_ok=True)
        if not closed:
            self._ended(job.label)

    def _made(self, job: _Job, into: str) -> FittedFile:
        source = Path(job.path)
        before = source.stat()
        try:
            fitted = fit(job.path, into, self._recipe, job.takes)
            sha256, source_sha256 = _sha256(into), _sha256(job.path)
            if _identity(source.stat()) != _identity(before):
                raise UnfitError(
                    Kind.FILE_CHANGED,
                    f"{job.path} changed while it was being converted",
                    "Run again when nothing writes to the file any more.",
                )
        except BaseException:
            Path(into).unlink(missing_ok=True)
            raise
        return FittedFile(into, fitted, sha256, source_sha256, before.st_size, before)

    def _next(self) -> tuple[Hashable, _Job] | None:
        """What to convert now: what somebody waits for, else the next while there is room ahead."""
        for key in self._wanted:
            job = self._jobs.get(key)
            if job is not None and not job.running:
                return key, job
        ahead = 0
        used = 0
        first = None
        for key, job in self._jobs.items():
            used += job.size
            if job.running:
                ahead += not job.had and key not in self._wanted and not isinstance(job.result, BaseException)
            elif first is None:
                first = key, job
        return None if ahead >= self._ahead or used >= self._most else first

    def _room(self) -> Path:
        """The folder of this run's files; those of runs that were killed are removed first."""
        with self._turn:
            if self._closed:
                raise StoppedError
            if self._folder is None:
                sweep()
                self._folder = Path(tempfile.mkdtemp(prefix=PREFIX))
                self._lock = FileLock(self._folder / _LOCK)
                self._lock.acquire(blocking=False)
            return self._folder


def _sha256(path: str) -> str:
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _identity(found: os.stat_result) -> tuple[int, int, int, int]:
    return found.st_size, found.st_mtime_ns, found.st_dev, found.st_ino


def _just_begun(folder: Path) -> bool:
    """Is the folder so new that another run is about to lock it?"""
    try:
        return not (folder / _LOCK).exists() and time.time() - folder.stat().st_mtime < _BEGINNING
    except OSError:
        return True


def sweep() -> int:
    """Remove the folders that runs left behind which were killed; how many."""
    swept = 0
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        lock = FileLock(folder / _LOCK)
        if _just_begun(folder):
            continue
        try:
            lock.acquire(blocking=False)
        except (Timeout, OSError):
            continue
        lock.release()
        shutil.rmtree(folder, ignore_errors=True)
        swept += 1
    return swept
