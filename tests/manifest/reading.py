"""Reading a manifest as a command does, for all tests of formats."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from akeneo_media_cli.errors import Kind
from akeneo_media_cli.manifest import Reading, read_manifests
from akeneo_media_cli.rows import Row


class Read(NamedTuple):
    """What came of reading: the rows, and the notes as "message | hint"."""

    rows: list[Row]
    notes: list[str]

    @property
    def kinds(self) -> list[Kind | None]:
        return [row.problem.kind if row.problem else None for row in self.rows]


class Reader:
    """Writes text to a file of a folder and reads it back as a manifest."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(
        self,
        content: str | bytes,
        suffix: str = ".csv",
        *,
        sets: Sequence[str] = (),
        format: str | None = None,
        **how: Any,
    ) -> Read:
        path = self.folder / f"manifest{suffix}"
        path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
        return self.files(str(path), sets=sets, format=format, **how)

    def files(
        self,
        *names: str,
        sets: Sequence[str] = (),
        format: str | None = None,
        stdin: bytes = b"",
        **how: Any,
    ) -> Read:
        notes: list[str] = []
        rows = read_manifests(
            names,
            format=format,
            sets=sets,
            stdin=io.BytesIO(stdin),
            note=lambda message, hint: notes.append(f"{message} | {hint}"),
            how=Reading(**how),
        )
        return Read(list(rows), notes)
