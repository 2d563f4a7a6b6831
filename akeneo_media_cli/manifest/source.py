"""One manifest as text or, for a spreadsheet, as bytes: where it comes from and how it is read."""

from __future__ import annotations

import codecs
import io
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, TextIO

from ..errors import ManifestError
from ..suggest import nearest
from .assemble import Note

SUFFIXES = {
    ".csv": "csv",
    ".txt": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".yaml": "yaml",
    ".yml": "yaml",
    ".json": "json",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".xlsx": "xlsx",
    ".xlsm": "xlsx",
    ".ods": "xlsx",
    ".zip": "akeneo",
}
"""The format by a manifest's file extension, where `--format` does not say it."""

MOST_CHARACTERS = 1 << 24
"""Of one record of a CSV, one line of JSONL, one item of JSON or YAML; more is a slip or an attack."""

_PIECE = 1 << 20
_ZIP = b"PK\x03\x04"
_OLE = b"\xd0\xcf\x11\xe0"
_HEAD = 1 << 16
_MOST_LOOKED_AT = 256  # pieces of that size, for a guess at an encoding
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class Source:
    """An open manifest that can be read several times over, be it a file, a pipe or standard input.

    `name` is as the user wrote it ("-": standard input), `folder` is where its relative paths start.
    Every problem is a `ManifestError`. Close it when done.
    """

    def __init__(
        self,
        name: str,
        stdin: IO[bytes],
        note: Note,
        *,
        packed: bool | None = False,
        file: IO[bytes] | None = None,
        encoding: str | None = None,
    ) -> None:
        """`packed`: it is an archive, as spreadsheets are, and no text; None: its first bytes decide.

        `file`: the manifest itself, if `name` is not a path; it is closed with the source. `encoding`: of a
        text; None: found.
        """
        self.name = name
        self._packed = packed
        self._encoding = ""
        self._given = encoding
        self.folder = "" if name == "-" else str(Path(name).parent)
        self._exit = ExitStack()
        try:
            with self.trouble():
                self._file = self._open(stdin) if file is None else self._exit.enter_context(file)
                head = self.binary().read(_HEAD)
                self._tell_packed(head)
                if self.packed:
                    self._check_packed(head)
                else:
                    self._encoding = self._find_encoding(note, encoding)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Give back the open file."""
        self._exit.close()

    @contextmanager
    def text(self) -> Iterator[TextIO]:
        """The whole text from its start, line ends as they are, without byte order mark."""
        self._file.seek(0)
        text = io.TextIOWrapper(self._file, encoding=self._encoding, newline="")
        try:
            yield text
        finally:
            text.detach()

    @property
    def packed(self) -> bool:
        """Is it an archive, and no text?"""
        return bool(self._packed)

    @property
    def size(self) -> int:
        """Bytes of the whole file."""
        return os.fstat(self._file.fileno()).st_size

    def binary(self) -> IO[bytes]:
        """The whole file, to be read from its start; valid until `close`."""
        self._file.seek(0)
        return self._file

    def unusable(self, message: str, hint: str) -> ManifestError:
        """The error that ends the run, with the manifest's name before `message`."""
        return ManifestError(f"{self.name}: {message}", hint)

    @contextmanager
    def trouble(self) -> Iterator[None]:
        """Turns what the system says about the file into a `ManifestError`."""
        try:
            yield
        except FileNotFoundError:
            raise self.unusable("no such file", _nearest(self.name)) from None
        except IsADirectoryError:
            raise self.unusable(
                "is a folder, not a manifest", "Make a manifest of its files: akeneo-media scan FOLDER"
            ) from None
        except UnicodeDecodeError as error:
            hint = "Start again when the program that writes it is done."
            raise self.unusable(f"changed while it was read ({error.reason})", hint) from None
        except OSError as error:
            raise self.unusable(
                f"cannot be read: {error.strerror or error}", "Check the file's rights and its disk."
            ) from None

    def _open(self, stdin: IO[bytes]) -> IO[bytes]:
        if self.name == "-":
            return self._spooled(stdin)
        try:
            # A pipe is waited for, as `cat` would.
            file = self._exit.enter_context(Path(self.name).open("rb"))  # noqa: SIM115 - the exit stack closes it
        except ValueError as error:
            raise self.unusable(f"no file can have this name: {error}", "Check the path.") from None
        return file if stat.S_ISREG(os.fstat(file.fileno()).st_mode) else self._spooled(file)

    def _spooled(self, stream: IO[bytes]) -> IO[bytes]:
        # The head is looked at first, so that an endless device is refused and not copied.
        head = stream.read(_HEAD)
        self._tell_packed(head)
        if self._packed:
            self._check_packed(head)
        elif self._given is None:
            self._family(head)
        spool = self._exit.enter_context(tempfile.TemporaryFile())  # noqa: SIM115 - as above
        spool.write(head)
        shutil.copyfileobj(stream, spool, _PIECE)
        spool.seek(0)
        return spool

    def _tell_packed(self, head: bytes) -> None:
        if self._packed is None:
            self._packed = head.startswith(_ZIP)

    def _check_packed(self, head: bytes) -> None:
        if not head:
            raise self.unusable("is empty", "Save it again.")
        if head.startswith(_OLE):
            raise self.unusable(
                "is an old spreadsheet (.xls), or protected by a password",
                "Save it as .xlsx, without a password.",
            )
        if not head.startswith(_ZIP):
            raise self.unusable("is not an XLSX or ODS file", "If it is text, name its format: --format csv")

    def _family(self, head: bytes) -> str:
        """The encoding by the first bytes."""
        for bom, encoding in _BOMS:
            if head.startswith(bom):
                return encoding
        if b"\0" not in head:
            return "utf-8"
        even, odd = head[::2].count(0), head[1::2].count(0)
        # Latin letters in UTF-16 have a NUL in every second place; other binary files have them anywhere.
        if min(even, odd) == 0 and max(even, odd) * 4 >= len(head) // 2:
            return "utf-16-le" if odd else "utf-16-be"
        raise self._binary(head)

    def _binary(self, head: bytes) -> ManifestError:
        hint = "Name a CSV, TSV, YAML, JSON or JSONL file."
        if head.startswith(_ZIP):
            hint = "It looks like a spreadsheet: say --format xlsx, or save the sheet as CSV (UTF-8)."
        elif head.startswith(_OLE):
            hint = "It looks like an old spreadsheet: save it as .xlsx."
        return self.unusable("is not text (it contains NUL bytes)", hint)

    def _find_encoding(self, note: Note, given: str | None) -> str:
        head = self.binary().read(_HEAD)
        if not head:
            raise self.unusable("is empty", "Write at least a header line, or a list of rows.")
        encoding = given or self._family(head)
        wrong = self._first_undecodable(encoding)
        if wrong is None:
            return "utf-8-sig" if encoding == "utf-8" else encoding
        if encoding != "utf-8" or given:
            raise self.unusable(
                f"line {wrong} is not valid {encoding.upper()}",
                "Name another: --encoding NAME" if given else "Save the file as UTF-8.",
            )
        from . import encodings

        likely = encodings.likely(self._foreign_lines())
        suggested = (
            f"It may be {likely.label}, then it says {likely.sample!r}: --encoding {likely.name}. "
            if likely
            else ""
        )
        if self._first_undecodable("cp1252") is not None:
            raise self.unusable(
                f"line {wrong} is neither UTF-8 nor Windows-1252",
                f"{suggested}Or save the file as UTF-8.",
            )
        sample = encodings.sample(self._foreign_lines(), "cp1252")
        note(
            f"{self.name}: line {wrong} is not UTF-8; the file is read as Windows-1252, as in {sample!r}",
            suggested
            + (
                "Or save it as UTF-8."
                if likely
                else "If that is wrong, save the file as UTF-8, or name its encoding: --encoding NAME"
            ),
        )
        return "cp1252"

    def _foreign_lines(self) -> bytes:
        """Some lines that are not ASCII, from the beginning of the file."""
        lines: list[bytes] = []
        held = 0
        self._file.seek(0)
        for _ in range(_MOST_LOOKED_AT):
            piece = self._file.read(_HEAD)
            if not piece or held > _HEAD:
                break
            foreign = [line for line in piece.splitlines() if not line.isascii()]
            lines += foreign
            held += sum(map(len, foreign))
        return b"\n".join(lines)

    def _first_undecodable(self, encoding: str) -> int | None:
        """The number of the first line that is not `encoding`, in one pass of constant memory."""
        decoder = codecs.getincrementaldecoder(encoding)()
        line = 1
        self._file.seek(0)
        while True:
            piece = self._file.read(_PIECE)
            try:
                text = decoder.decode(piece, final=not piece)
            except UnicodeDecodeError as error:
                return line + error.object[: error.start].count(b"\n")
            if "\0" in text:
                raise self._binary(piece)
            if not piece:
                return None
            line += text.count("\n")


def _nearest(name: str) -> str:
    path = Path(name)
    try:
        there = [other.name for other in path.parent.iterdir()]
    except OSError:
        return f"The folder {str(path.parent)!r} does not exist either."
    near = nearest(path.name, there)
    return f"Did you mean {str(path.parent / near)!r}?" if near else "Check the path."
