"""The parts of a spreadsheet file, which is a ZIP of XML: unpacked within limits and parsed as they come."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import IO
from xml.parsers import expat

from ..archive import is_bomb

MOST_BYTES = 1 << 30
"""Of all XML in the file, unpacked."""
_PIECE = 1 << 18
_MOST_BARE = 64
"""So many pieces in a row may have no `>`: a parser holds each tag and each text whole."""

Start = Callable[[str, Mapping[str, str]], None]
Text = Callable[[str], None]
End = Callable[[str], None]


class UnsoundError(Exception):
    """The file cannot be read as a spreadsheet, or not safely; the text says why."""


def opened(file: IO[bytes]) -> zipfile.ZipFile:
    """The file's parts. Raises UnsoundError."""
    file.seek(0)
    try:
        return zipfile.ZipFile(file)
    except (zipfile.BadZipFile, NotImplementedError, ValueError, EOFError, OverflowError) as error:
        raise UnsoundError(f"it is damaged ({error})") from None


def check_sizes(archive: zipfile.ZipFile) -> set[str]:
    """The `folded` names of the parts. Raises UnsoundError where they are too many bytes, or too well packed.

    Sizes are what the file says; one that lies does not survive the check of its sums.
    """
    infos = archive.infolist()
    if sum(info.compress_size for info in infos) > MOST_BYTES:
        raise UnsoundError(f"it has more than {MOST_BYTES // 1_000_000:,} MB")
    parts = {folded(info.filename) for info in infos}
    if len(parts) < len(infos):
        raise UnsoundError("it has two parts of one name")
    documents = [info for info in infos if info.filename.lower().endswith((".xml", ".rels"))]
    if sum(info.file_size for info in documents) > MOST_BYTES:
        raise UnsoundError(f"it unpacks to more than {MOST_BYTES // 1_000_000:,} MB")
    for info in documents:
        if is_bomb(info.file_size, info.compress_size):
            raise UnsoundError(
                f"its part {info.filename} unpacks to {info.file_size:,} bytes from {info.compress_size:,}"
            )
    return parts


def folded(part: str) -> str:
    """A part's name as a library compares it: without case, and with either slash."""
    return part.replace("\\", "/").lower()


def _pieces(archive: zipfile.ZipFile, name: str) -> Iterator[bytes]:
    bare = 0
    try:
        with archive.open(name) as part:
            while piece := part.read(_PIECE):
                bare = 0 if b">" in piece else bare + 1
                if bare > _MOST_BARE:
                    raise UnsoundError(
                        f"its part {name} has a tag or a text of more than {bare * _PIECE:,} bytes"
                    )
                yield piece
    except KeyError:
        raise UnsoundError(f"it has no part {name}") from None
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError) as error:
        raise UnsoundError(f"its part {name} cannot be unpacked ({error})") from None


def parse(archive: zipfile.ZipFile, name: str, start: Start, text: Text | None = None) -> None:
    """Call `start` for each element, by its name without prefix, and `text` for the text up to the next one.

    Raises UnsoundError, and what `start` and `text` raise.
    """
    for _ in parsing(archive, name, start, text):
        pass


def parsing(
    archive: zipfile.ZipFile, name: str, start: Start, text: Text | None = None, end: End | None = None
) -> Iterator[None]:
    """As `parse`, with a pause after each piece of the part, so that a caller can use what it has heard."""

    def started(element: str, attributes: dict[str, str]) -> None:
        start(element.rpartition(":")[2], attributes)

    def doctype(*_: object) -> None:
        raise UnsoundError("it declares entities")

    parser = expat.ParserCreate()
    parser.StartElementHandler = started
    parser.StartDoctypeDeclHandler = doctype
    if end is not None:
        parser.EndElementHandler = end
    if text is not None:
        parser.CharacterDataHandler = text
        parser.buffer_text = True
        # These split a text, of which a library may take the first part only.
        parser.CommentHandler = parser.ProcessingInstructionHandler = _nothing
        parser.StartCdataSectionHandler = parser.EndCdataSectionHandler = _nothing
    try:
        for piece in _pieces(archive, name):
            parser.Parse(piece)
            yield
        parser.Parse(b"", True)
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise UnsoundError(f"its part {name} is not valid XML ({error})") from None
    yield


def _nothing(*_: object) -> None:
    return None
