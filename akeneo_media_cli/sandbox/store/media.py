"""The file table and the disk behind it: media codes, orphans, swapped bytes
(docs/pim-behaviour.md, "Swapped bytes")."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...content.fileinfo import mime_type
from ...content.sample import Sample
from ...content.text import Php
from ..errors import crash
from ..php.form import SentFile
from ..php.text import extension_of

CATALOG = "catalogStorage"
ASSETS = "assetStorage"
CATEGORIES = "categoryStorage"
PAM = "pamStorage"

ROUTABLE = re.compile(r"[a-zA-Z0-9_./]+")
"""What the PIM's routes accept as a media code."""


@dataclass
class FileRow:
    """One row of the file table. `created` is in seconds; `sha256` is of the bytes that came with it."""

    code: str
    storage: str
    original_filename: str
    mime_type: str
    size: int
    extension: str
    sha256: str
    created: float


class MediaStore:
    """Files on disk and rows that describe them. Late refusals remove only the row: the file is an orphan."""

    def __init__(
        self,
        folder: Path,
        clock: Callable[[], float],
        step: float,
        saved: Callable[[str, Any], None],
        php: Php = "8.2",
    ) -> None:
        self.folder = folder
        self.rows: dict[str, FileRow] = {}
        self.on_disk: dict[str, str] = {}
        """Media code to the SHA-256 of its file on disk."""
        self.sizes: dict[str, int] = {}
        self.collisions = 0
        self._clock, self._step, self._saved = clock, step, saved
        self._php = php
        self._incoming = folder / "incoming"
        self._incoming.mkdir(parents=True, exist_ok=True)
        for leftover in self._incoming.iterdir():
            leftover.unlink()
        self._counter = 0

    def restore(self, rows: Iterator[dict[str, Any]]) -> None:
        """Restores the rows of an earlier run; files without a row are orphans."""
        for body in rows:
            row = FileRow(**body)
            self.rows[row.code] = row
        for path in self.folder.glob("?/*"):
            code = "/".join((*path.name[:4], path.name))
            self.on_disk[code] = ""
            self.sizes[code] = path.stat().st_size

    def new_file(self) -> Path:
        """A path for the next incoming file until it is stored."""
        self._counter += 1
        return self._incoming / str(self._counter)

    def store(self, sent: SentFile, storage: str) -> FileRow:
        """Puts a file on disk, then in the table; 500 where the table refuses: the bytes stay behind.

        Two equal names in one step of the clock make one code: the later one overwrites the bytes, then hits
        the unique key.
        """
        now = self._clock()
        code = media_code(sent.name, int(now / self._step) if self._step else 0)
        if code in self.rows:
            self.overwrite(sent, code)
            raise crash()
        self._place(sent, code)
        try:
            name = sent.name.decode("utf-8")
        except UnicodeDecodeError:
            raise crash() from None
        extension = extension_of(name)
        if len(name) > 255 or len(extension) > 10 or sent.size > 2**31 - 1:
            raise crash()
        row = FileRow(
            code,
            storage,
            name,
            self._mime_type(code, sent.size),
            sent.size,
            extension,
            sent.sha256,
            now,
        )
        self.rows[code] = row
        self._saved(code, dict(vars(row)))
        return row

    def overwrite(self, sent: SentFile, code: str) -> None:
        """A file with the code of another one: its bytes replace the other's."""
        self.collisions += 1
        self._place(sent, code)

    def foreign_file(self) -> SentFile:
        """A small file that none of the sandbox's clients has sent."""
        path, data = self.new_file(), b"somebody else's " + str(self._counter).encode()
        path.write_bytes(data)
        return SentFile(b"drift.txt", path, len(data), hashlib.sha256(data).hexdigest())

    def _place(self, sent: SentFile, code: str) -> None:
        target = self.path(code)
        try:
            sent.path.replace(target)
        except FileNotFoundError:
            target.parent.mkdir(exist_ok=True)
            sent.path.replace(target)
        self.on_disk[code] = sent.sha256
        self.sizes[code] = sent.size

    def _mime_type(self, code: str, size: int) -> str:
        with self.path(code).open("rb") as file:
            return mime_type(Sample.file(file, size), self._php)

    def remove_row(self, code: str) -> None:
        """What the PIM does after a refusal: the row goes, the bytes stay
        (docs/pim-behaviour.md, "Refusals and their causes")."""
        del self.rows[code]
        self._saved(code, None)

    def find(self, code: str, storage: str | None = None) -> FileRow | None:
        """The row of a code, in one storage or any."""
        row = self.rows.get(code)
        return row if row is not None and storage in (None, row.storage) else None

    def path(self, code: str) -> Path:
        """The file of a code: in few folders, since making four for each file costs more than storing it."""
        return self.folder / code[0] / code[8:]

    def digest(self, code: str) -> str:
        """The SHA-256 of the file on disk, computed now if it came in an earlier run; "" for none."""
        if code in self.on_disk and not self.on_disk[code]:
            with self.path(code).open("rb") as file:
                digest = hashlib.sha256()
                while piece := file.read(1 << 20):
                    digest.update(piece)
            self.on_disk[code] = digest.hexdigest()
        return self.on_disk.get(code, "")

    def swapped(self) -> list[str]:
        """Codes whose file is not the one that was answered 201."""
        return [
            code for code, row in self.rows.items() if self.on_disk.get(code) not in ("", None, row.sha256)
        ]


def media_code(name: bytes, tick: int) -> str:
    """The code of a file called `name` at `tick` of the clock: `a/b/c/d/<40 hex>_<safe name>`
    (docs/pim-behaviour.md, "Swapped bytes")."""
    digest = hashlib.sha1(name + str(tick).encode(), usedforsecurity=False).hexdigest()
    safe = re.sub(rb"[^A-Za-z0-9.]", b"_", name)
    if len(safe) > 100:
        safe = safe[:95] + b"." + (name.rpartition(b".")[2] if b"." in name else b"")
    return "/".join(digest[:4]) + f"/{digest}_{safe.decode('latin-1')}"
