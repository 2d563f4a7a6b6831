"""Conversions beside uploads: a few pictures ahead of the senders, on as many threads as there are cores.

libvips works outside of Python's lock, so threads use all cores and share its memory. What is wanted now is
converted first; what is only wanted later is converted ahead as long as its files have room on disk.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from .convert import Fitted, fit
from .reading import UnfitError
from .recipe import Recipe, Takes

PREFIX = "akeneo-media-fit-"
_LOCK = "lock"
AHEAD = 8
"""So many pictures are converted before anybody waits for them: enough that no sender waits for long."""


@dataclass(frozen=True)
class FittedFile:
    """A converted picture on disk, and how it came about."""

    path: str
    fitted: Fitted


class _Job:
    def __init__(self, path: str, takes: Takes) -> None:
        self.path = path
        self.takes = takes
        self.running = False
        self.result: FittedFile | UnfitError | OSError | BaseException | None = None


class ConversionPool:
    """Converts pictures under keys of the caller's. For any number of threads; close it at the end."""

    def __init__(
        self,
        recipe: Recipe,
        *,
        workers: int | None = None,
        ahead: int = AHEAD,
        max_bytes: int = 2_000_000_000,
        started: Callable[[Hashable], None] = lambda key: None,
    ) -> None:
        """`workers`: threads, one a core by default. `max_bytes` on disk for what nobody waits for yet.

        `started` hears of each conversion when it begins, from any thread.
        """
        self._recipe = recipe
        self._ahead = ahead
        self._most = max_bytes
        self._started = started
        self._turn = threading.Condition()
        self._jobs: OrderedDict[Hashable, _Job] = OrderedDict()
        self._wanted: OrderedDict[Hashable, None] = OrderedDict()
        self._closed = False
        self._files = 0
        self._folder: Path | None = None
        self._lock: FileLock | None = None
        self._workers = workers or os.cpu_count() or 1
        self._threads: list[threading.Thread] = []

    def plan(self, key: Hashable, path: str, takes: Takes) -> None:
        """The picture at `path` will be asked for; known keys stay as they are."""
        with self._turn:
            if key in self._jobs or self._closed:
                return
            self._jobs[key] = _Job(path, takes)
            if len(self._threads) < self._workers:
                thread = threading.Thread(target=self._work, name="fit", daemon=True)
                self._threads.append(thread)
                thread.start()
            self._turn.notify_all()

    def get(self, key: Hashable) -> FittedFile:
        """The converted picture; it stays on disk until `drop`. Raises UnfitError, OSError, KeyError."""
        with self._turn:
            job = self._jobs[key]
            if job.result is None:
                self._wanted[key] = None
                self._turn.notify_all()
                self._turn.wait_for(lambda: job.result is not None or self._closed)
                self._wanted.pop(key, None)
        if isinstance(job.result, FittedFile):
            return job.result
        if job.result is None:
            raise OSError("the conversion was stopped")
        raise job.result

    def drop(self, key: Hashable) -> None:
        """Nobody needs the converted picture any more."""
        with self._turn:
            job = self._jobs.pop(key, None)
            self._turn.notify_all()
        if job is not None and isinstance(job.result, FittedFile):
            Path(job.result.path).unlink(missing_ok=True)

    def close(self) -> None:
        """Stop, wait for what is being converted, and remove all files."""
        with self._turn:
            self._closed = True
            self._turn.notify_all()
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
            self._started(key)
            into = str(self._room() / f"{number}.picture")
            result = FittedFile(into, fit(job.path, into, self._recipe, job.takes))
        except BaseException as error:
            result = error
        with self._turn:
            job.result = result
            gone = self._jobs.get(key) is not job
            self._turn.notify_all()
        if gone and isinstance(result, FittedFile):
            Path(result.path).unlink(missing_ok=True)

    def _next(self) -> tuple[Hashable, _Job] | None:
        """What to convert now: what somebody waits for, else the next while there is room ahead."""
        for key in self._wanted:
            job = self._jobs.get(key)
            if job is not None and not job.running:
                return key, job
        waiting = [
            job
            for key, job in self._jobs.items()
            if job.running and key not in self._wanted and not isinstance(job.result, BaseException)
        ]
        used = sum(job.result.fitted.result.bytes for job in waiting if isinstance(job.result, FittedFile))
        if len(waiting) >= self._ahead or used >= self._most:
            return None
        return next(((key, job) for key, job in self._jobs.items() if not job.running), None)

    def _room(self) -> Path:
        """The folder of this run's files; those of runs that were killed are removed first."""
        with self._turn:
            if self._folder is None:
                sweep()
                self._folder = Path(tempfile.mkdtemp(prefix=PREFIX))
                self._lock = FileLock(self._folder / _LOCK)
                self._lock.acquire(blocking=False)
            return self._folder


def sweep() -> int:
    """Remove the folders that runs left behind which were killed; how many."""
    swept = 0
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        lock = FileLock(folder / _LOCK)
        try:
            lock.acquire(blocking=False)
        except (Timeout, OSError):
            continue
        lock.release()
        shutil.rmtree(folder, ignore_errors=True)
        swept += 1
    return swept
