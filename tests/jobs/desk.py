"""Jobs run in this process against a sandbox on a socket: what the commands do, without their start-up."""

from __future__ import annotations

import hashlib
import io
import os
import random as chance
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from akeneo_media_cli.errors import Kind, MediaError
from akeneo_media_cli.exits import Exit
from akeneo_media_cli.jobs.job import Job
from akeneo_media_cli.jobs.options import RemoveOptions, UndoOptions, UploadOptions
from akeneo_media_cli.jobs.remove import Remove, removal_rows
from akeneo_media_cli.jobs.undo import Undo, undoable, undone_rows
from akeneo_media_cli.jobs.upload import Upload
from akeneo_media_cli.ledger import PlannedRow, open_ledger
from akeneo_media_cli.manifest.write import write_rows
from akeneo_media_cli.pim.client import PimClient
from akeneo_media_cli.pim.connection import Connection
from akeneo_media_cli.pim.http.transport import CallInfo
from akeneo_media_cli.planning.options import ManifestOptions
from akeneo_media_cli.planning.plan import Rows, planned_rows
from akeneo_media_cli.progress.base import Silent
from akeneo_media_cli.rows import Row, Status, Target, TargetType
from akeneo_media_cli.sandbox import RunningSandbox, parse_faults
from akeneo_media_cli.sandbox.options import Credentials
from akeneo_media_cli.secret import Secret
from akeneo_media_cli.transfer.environment import Environment

PIXELS = bytes.fromhex("ffd8ffe000104a46494600010100000100010000ffdb0043000101") + b"\1" * 60


class Value(NamedTuple):
    """One media value."""

    target: Target
    attribute: str = "picture"
    locale: str | None = None
    scope: str | None = None


class Heard(Silent):
    """Keeps what a display would be told."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.told = threading.Event()
        """Was there a note?"""
        self.rows: list[tuple[int, str]] = []
        """Rows that were finished while the job ran, with their statuses."""
        self.settled: Counter[str] = Counter()
        """Rows that were finished many at once, by status."""

    def note(self, message: str, *, hint: str = "", level: str = "warning") -> None:
        self.notes.append(f"{message} {hint}")
        self.told.set()

    def row_finished(self, row: int, item: Mapping[str, Any]) -> None:
        self.rows.append((row, item["status"]))

    def rows_settled(self, counts: Mapping[str, int], size: int, items: Callable[[], Iterable[Any]]) -> None:
        self.settled.update(counts)
        assert sum(1 for _ in items()) == sum(counts.values())


class Ended(NamedTuple):
    """What a run came to."""

    run: str
    status: Exit
    rows: list[PlannedRow]
    summary: dict[str, Any]
    error: MediaError | None = None
    """What ended it before its time."""
    progress: Heard = Heard()
    job: Any = None

    def statuses(self) -> dict[str, int]:
        counts = {status.value: self.summary.get(status.value, 0) for status in Status}
        return {status: count for status, count in counts.items() if count}

    def row(self, line: int) -> PlannedRow:
        """The row on a line of the manifest."""
        (found,) = [planned for planned in self.rows if planned.row.line == line]
        return found

    def kinds(self) -> dict[int, Kind]:
        """What is wrong, by line."""
        return {planned.row.line: planned.failure.kind for planned in self.rows if planned.failure}

    @property
    def notes(self) -> str:
        """What the user was told, a line each."""
        return "\n".join(self.progress.notes)


class Address(NamedTuple):
    """What another process needs to know of a sandbox."""

    url: str
    credentials: Credentials


def connection_to(sandbox: RunningSandbox | Address, who: Credentials) -> Connection:
    secret, password = Secret(who.client_secret), Secret(who.password)
    return Connection(sandbox.url, who.client_id, secret, who.username, password, direct=True)


class Desk:
    """A PIM, a ledger, a folder of files, and the jobs."""

    def __init__(
        self,
        sandbox: RunningSandbox | Address,
        folder: Path,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._sandbox = sandbox
        self._sleep = sleep
        self.folder = folder
        self.connection = connection_to(sandbox, sandbox.credentials)
        self.ledger = open_ledger(
            folder / "ledger.sqlite", pim_url=sandbox.url, clock=time.time, note=lambda *_: None
        )
        self.random = chance.random
        """Numbers from 0 to 1 that draw the pauses before retries: smaller ones, shorter pauses."""
        self.on_call: Callable[..., None] | None = None
        """Called after each request of a job."""
        self.progress = Heard()
        """Of the latest job."""
        self.other = PimClient(self.connection)
        """Another program, whose requests the jobs know nothing of."""

    def kill_after(self, requests: int) -> None:
        """This process dies by SIGKILL as soon as a job has had so many answers."""
        done = 0

        def count(_: CallInfo) -> None:
            nonlocal done
            done += 1
            if done == requests:
                os.kill(os.getpid(), signal.SIGKILL)

        self.on_call = count

    @property
    def sandbox(self) -> RunningSandbox:
        assert isinstance(self._sandbox, RunningSandbox)
        return self._sandbox

    def become(self, name: str) -> None:
        """From now on the jobs log in with another of the sandbox's connections."""
        self.connection = connection_to(self.sandbox, self.sandbox.connections[name])

    @contextmanager
    def counted(self) -> Iterator[Counter[str]]:
        """How often each endpoint is called within the block; logging in is not counted."""
        made: Counter[str] = Counter()
        before = self._calls()
        yield made
        made.update(self._calls() - before)
        del made["POST /api/oauth/v1/token"]

    def _calls(self) -> Counter[str]:
        # A call counts once it has ended there, which may be after its answer is read here.
        while (found := self.sandbox.stats())["in_flight"]:
            pass
        stats = found["calls"]
        return Counter({call: sum(answers.values()) for call, answers in stats.items()})

    def order(self, *faults: str) -> None:
        """From now on the PIM answers so; nothing: as it should."""
        self.sandbox.store.options.faults.faults[:] = parse_faults(faults).faults

    def close(self) -> None:
        self.ledger.close()
        self.other.close()

    def held(self) -> dict[Value, str]:
        """The media code of every value that holds one."""
        return {
            Value(_target(found), found["attribute"], found["locale"], found["scope"]): found["media_code"]
            for found in self.sandbox.values()
        }

    def value(
        self, code: str, attribute: str = "picture", locale: str | None = None, scope: str | None = None
    ) -> dict[str, Any] | None:
        """What the PIM has of a product's or a model's value, None where it is empty."""
        for value in self.sandbox.values():
            here = (value["identifier"] or value["code"], value["attribute"], value["locale"], value["scope"])
            if here == (code, attribute, locale, scope):
                return value
        return None

    def put(self, code: str, media_code: str | None, attribute: str = "picture") -> None:
        """Another program sets a product's value."""
        values = {attribute: [{"locale": None, "scope": None, "data": media_code}]}
        (line,) = self.other.patch_products([{"identifier": code, "values": values}])
        assert line.failure is None

    def sha256(self, content: object) -> str:
        """Of the file of this content."""
        return hashlib.sha256((self.folder / self.file(content)).read_bytes()).hexdigest()

    def file(self, content: object) -> str:
        """A picture of its own for each content; its name in the folder."""
        name = f"{content}.jpg"
        path = self.folder / name
        if not path.exists():
            path.write_bytes(PIXELS + hashlib.sha256(str(content).encode()).digest() + b"\xff\xd9")
        return name

    def manifest(self, *lines: str, name: str = "manifest.csv") -> ManifestOptions:
        """A file of these lines, and how commands are told to read it."""
        path = self.folder / name
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return ManifestOptions([str(path)])

    def upload(self, contents: Mapping[Value, object] | ManifestOptions, **options: Any) -> Ended:
        if isinstance(contents, ManifestOptions):
            return self.run("upload", Upload, UploadOptions(contents, **options), rows_of(contents))
        planned = self._planned(contents)
        return self._run("upload", Upload, UploadOptions(ManifestOptions(["m"]), **options), planned)

    def _planned(self, contents: Mapping[Value, object]) -> list[PlannedRow]:
        rows = [_row(n, value, self.file(content)) for n, (value, content) in enumerate(contents.items(), 1)]
        path = self.folder / "manifest.csv"
        with path.open("w", encoding="utf-8", newline="") as out:
            write_rows(rows, "csv", out)
        manifest = ManifestOptions([str(path)])
        return list(planned_rows(manifest, io.BytesIO(), lambda *_: None))

    def remove(self, values: Iterable[Value] | Mapping[Value, object], **options: Any) -> Ended:
        """With a mapping the rows name these contents' files."""
        manifest = ManifestOptions(["m"])
        if isinstance(values, Mapping):
            planned = self._planned(values)
        else:
            planned = list(removal_rows(_row(n, value, "") for n, value in enumerate(values, 1)))
        return self._run("remove", Remove, RemoveOptions(manifest, **options), planned)

    def undo(self, run: str, **options: Any) -> Ended:
        rows = undoable(self.ledger.record(run))
        undo = UndoOptions(ManifestOptions(()), undoes=run, rows=rows, **options)
        return self._run("undo", Undo, undo, list(undone_rows(rows)))

    def _run(self, command: str, make: Callable[..., Job], options: Any, rows: list[PlannedRow]) -> Ended:
        return self.run(command, make, options, lambda _: rows)

    def run(
        self, command: str, make: Callable[..., Job], options: Any, rows: Rows, *, offline: bool = False
    ) -> Ended:
        """Do a job with the rows that `rows` reads; `offline`: without the PIM."""
        run = self.ledger.start_run(command, options.arguments())
        self.progress = progress = Heard()
        connection = None if offline else self.connection
        environment = Environment(sleep=self._sleep, random=self.random)
        job = make(options, rows, connection, progress, environment, on_call=self.on_call)
        with job.signals.caught():
            status = job.execute(run)
        summary = job.summary(run)
        run.finish(status, summary)
        assert status != Exit.DEFECT
        return Ended(run.id, status, list(run.rows()), summary, job.error, progress, job)

    def interrupt(self) -> None:
        """Press Ctrl-C, in a thread of a job; returns when the job has heard of it."""
        os.kill(os.getpid(), signal.SIGINT)
        assert self.progress.told.wait(10)


def _row(line: int, value: Value, file: str) -> Row:
    return Row("m", line, file, *value)


def _target(found: dict[str, Any]) -> Target:
    if found["type"] == "reference_entity":
        return Target(TargetType.RECORD, "", found["code"])
    return Target(TargetType(found["type"]), found["identifier"] or found["code"], found["parent"] or "")


def rows_of(manifest: ManifestOptions) -> Rows:
    """The manifest's rows, their files looked at."""
    return lambda note: planned_rows(manifest, io.BytesIO(), note)
