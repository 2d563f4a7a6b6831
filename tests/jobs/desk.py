"""Jobs run in this process against a sandbox on a socket: what the commands do, without their start-up."""

from __future__ import annotations

import hashlib
import io
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from akeneo_media_cli.exits import Exit
from akeneo_media_cli.jobs.job import Job
from akeneo_media_cli.jobs.options import RemoveOptions, UndoOptions, UploadOptions
from akeneo_media_cli.jobs.remove import Remove, removal_rows
from akeneo_media_cli.jobs.undo import UNDOES, Undo, undone_rows
from akeneo_media_cli.jobs.upload import Upload
from akeneo_media_cli.ledger import PlannedRow, open_ledger
from akeneo_media_cli.manifest.write import write_rows
from akeneo_media_cli.pim.client import PimClient
from akeneo_media_cli.pim.connection import Connection
from akeneo_media_cli.planning.options import ManifestOptions
from akeneo_media_cli.planning.plan import planned_rows
from akeneo_media_cli.progress.base import Silent
from akeneo_media_cli.rows import Row, Status, Target, TargetType
from akeneo_media_cli.sandbox import RunningSandbox
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


class Ended(NamedTuple):
    """What a run came to."""

    run: str
    status: Exit
    rows: list[PlannedRow]
    summary: dict[str, Any]

    def statuses(self) -> dict[str, int]:
        counts = {status.value: self.summary.get(status.value, 0) for status in Status}
        return {status: count for status, count in counts.items() if count}


class Address(NamedTuple):
    """What another process needs to know of a sandbox."""

    url: str
    credentials: Credentials


class Desk:
    """A PIM, a ledger, a folder of files, and the jobs."""

    def __init__(
        self,
        sandbox: RunningSandbox | Address,
        folder: Path,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        who = sandbox.credentials
        self._sandbox = sandbox
        self._sleep = sleep
        self.folder = folder
        self.connection = Connection(
            sandbox.url,
            who.client_id,
            Secret(who.client_secret),
            who.username,
            Secret(who.password),
            direct=True,
        )
        self.ledger = open_ledger(
            folder / "ledger.sqlite", pim_url=sandbox.url, clock=time.time, note=lambda *_: None
        )
        self.on_call: Callable[..., None] | None = None
        """Called after each request of a job."""
        self.other = PimClient(self.connection)
        """Another program, whose requests the jobs know nothing of."""

    @property
    def sandbox(self) -> RunningSandbox:
        assert isinstance(self._sandbox, RunningSandbox)
        return self._sandbox

    def close(self) -> None:
        self.ledger.close()
        self.other.close()

    def held(self) -> dict[Value, str]:
        """The media code of every value that holds one."""
        return {
            Value(_target(found), found["attribute"], found["locale"], found["scope"]): found["media_code"]
            for found in self.sandbox.values()
        }

    def file(self, content: object) -> str:
        """A picture of its own for each content; its name in the folder."""
        name = f"{content}.jpg"
        path = self.folder / name
        if not path.exists():
            path.write_bytes(PIXELS + hashlib.sha256(str(content).encode()).digest() + b"\xff\xd9")
        return name

    def upload(self, contents: Mapping[Value, object], **options: Any) -> Ended:
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
        rows = list(self.ledger.record(run).rows(UNDOES))
        undo = UndoOptions(ManifestOptions(()), undoes=run, rows=rows, **options)
        return self._run("undo", Undo, undo, list(undone_rows(rows)))

    def _run(self, command: str, make: Callable[..., Job], options: Any, rows: list[PlannedRow]) -> Ended:
        run = self.ledger.start_run(command, options.arguments())
        job = make(
            options,
            lambda _: rows,
            self.connection,
            Silent(),
            Environment(sleep=self._sleep),
            on_call=self.on_call,
        )
        status = job.execute(run)
        summary = job.summary(run)
        run.finish(status, summary)
        assert status != Exit.DEFECT
        return Ended(run.id, status, list(run.rows()), summary)


def _row(line: int, value: Value, file: str) -> Row:
    return Row("m", line, file, *value)


def _target(found: dict[str, Any]) -> Target:
    if found["type"] == "reference_entity":
        return Target(TargetType.RECORD, "", found["code"])
    return Target(TargetType(found["type"]), found["identifier"] or found["code"], found["parent"] or "")
