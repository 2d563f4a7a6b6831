"""Rows, clocks and ledgers for the ledger's tests."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

from akeneo_media_cli.errors import Failure
from akeneo_media_cli.ledger import Ledger, PlannedRow, RowResult, Run, open_ledger
from akeneo_media_cli.rows import Row, Status, Target, TargetType

PIM = "https://pim.example.com"
NOON = 1795435200.0


class Clock:
    """Seconds since 1970 that a test moves by hand, backwards too."""

    def __init__(self, now: float = NOON) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


class Notes(list[str]):
    """What the ledger tells the user."""

    def __call__(self, message: str, hint: str) -> None:
        self.append(message)


def planned(seq: int, code: str | None = None, **changes: Any) -> PlannedRow:
    """The row of one product's picture; `changes` are fields of `Row` or of `PlannedRow`."""
    name = changes.pop("name", f"{seq}.jpg")
    row_fields = {"locale", "scope", "filename", "root", "extra", "problem"}
    row = Row(
        manifest=changes.pop("manifest", "spring.csv"),
        line=changes.pop("line", seq + 1),
        file=changes.pop("file", f"images/{name}"),
        target=changes.pop("target", Target(TargetType.PRODUCT, code or f"sku-{seq}")),
        attribute=changes.pop("attribute", "picture"),
        **{key: changes.pop(key) for key in list(changes) if key in row_fields},
    )
    fields: dict[str, Any] = {
        "path": f"/data/{row.file}",
        "size": 1000 + seq,
        "mtime_ns": 5_000_000_000 + seq,
    }
    return PlannedRow(seq, row, name, **{**fields, **changes})


def uploaded(run: Run, seq: int, media_code: str, **more: Any) -> None:
    """The PIM holds a row's file under this media code; `more` are fields of `RowResult`, here and below."""
    run.record([RowResult(seq, Status.UPLOADED, media_code=media_code, **more)])


def unchanged(run: Run, seq: int, media_code: str | None, **more: Any) -> None:
    """The PIM held it already."""
    run.record([RowResult(seq, Status.UNCHANGED, media_code=media_code, **more)])


def failed(run: Run, seq: int, failure: Failure, **more: Any) -> None:
    run.record([RowResult(seq, Status.FAILED, failure, **more)])


def pending(run: Run, seq: int, failure: Failure | None = None, **more: Any) -> None:
    """Left for the next run."""
    run.record([RowResult(seq, Status.PENDING, failure, **more)])


def invalid(run: Run, seq: int, failure: Failure) -> None:
    """Found wrong before sending."""
    run.record([RowResult(seq, Status.INVALID, failure)])


def opened(path: Path | None, clock: Clock | None = None, **options: Any) -> Ledger:
    """The ledger of `PIM`."""
    defaults: dict[str, Any] = {"pim_url": PIM, "clock": clock or Clock(), "note": Notes()}
    return open_ledger(path, **{**defaults, **options})


HELPERS = """
import os, resource, sys, tempfile
from pathlib import Path
from tests.ledger.ledger_rows import *
from akeneo_media_cli.errors import *
from akeneo_media_cli.ledger import *
path = Path(sys.argv[1])
"""


def python(script: str, *arguments: object, **options: Any) -> subprocess.Popen[str]:
    """A process of its own that runs the script, with stdout to read."""
    return subprocess.Popen(
        [sys.executable, "-c", HELPERS + textwrap.dedent(script), *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
        **options,
    )


def told(script: str, *arguments: object, **options: Any) -> str:
    """What such a process prints."""
    with python(script, *arguments, **options) as process:
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    return out
