"""Files that come from the PIM: their names and places; each is written completely or not at all.

The PIM's name for a file was typed by somebody: it must not choose a folder, hide a file, follow
a link or replace an existing file (CWE-22, CWE-59).
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import secrets
import stat
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, cast
from urllib.parse import quote

from ..errors import Failure, Kind
from ..frozen import frozen
from ..pim.answers.types import Downloaded
from ..rows import Row, php_basename
from . import FileRoots, printable

LONGEST = 255
"""Bytes of a file's name that every usual file system takes."""
_LONGEST_FOLDER = 150
_PIECE = 1 << 20
# Control characters, stray bytes, invisible and direction-changing characters, and what Windows forbids.
_UNFIT = re.compile(
    '[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff<>:"/\\\\|?*]'
)
_DEVICE = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])\s*(\.|$)", re.IGNORECASE)
_NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EXDEV)

Fetch = Callable[[BinaryIO], Downloaded]
"""Writes the file's bytes to its argument; exceptions pass through."""


def safe_name(name: str, otherwise: str = "file") -> str:
    """The PIM's name for a file as a plain, visible file of any folder on any system may be called.

    No part of a path, no control or hidden characters, no leading dot, no device of Windows, at most 255
    bytes with the extension kept. `otherwise` where nothing is left of it.
    """
    candidates = (_UNFIT.sub("_", php_basename(each)).strip().rstrip(". ") for each in (name, otherwise))
    plain = next((each for each in candidates if each.strip("._ ")), "file")
    if plain[0] == ".":
        plain = f"_{plain[1:]}"
    if _DEVICE.match(plain):
        plain = f"_{plain}"
    return told_apart(plain, "")


def told_apart(name: str, mark: str) -> str:
    """`front.jpg` as `front-MARK.jpg`, and short enough; an empty mark only shortens."""
    stem, dot, extension = name.rpartition(".")
    if not dot or not stem or len(extension.encode()) > 20:
        stem, extension = name, ""
    tail = (f"-{mark}" if mark else "") + (f".{extension}" if extension else "")
    room = LONGEST - len(tail.encode())
    return (stem.encode()[:room].decode(errors="ignore") + tail).rstrip(". ")


def safe_folder(code: str) -> str:
    """A code as the name of a folder: what a file system might not take is percent-encoded.

    Two codes never give one name.
    """
    plain = _UNFIT.sub(_quoted, code.replace("%", "%25"))
    if plain[:1] in ("", ".", " ", "~") or _DEVICE.match(plain):
        plain = f"%{ord(plain[0]):02X}{plain[1:]}" if plain else "%"
    if plain[-1] in ". ":
        plain = f"{plain[:-1]}%{ord(plain[-1]):02X}"
    if len(plain.encode()) > _LONGEST_FOLDER:
        digest = hashlib.sha256(code.encode(errors="surrogatepass")).hexdigest()[:16]
        plain = f"{plain.encode()[: _LONGEST_FOLDER - 17].decode(errors='ignore')}%{digest}"
    return plain


def _quoted(match: re.Match[str]) -> str:
    return quote(match.group(), safe="", errors="surrogatepass")


def place_of(row: Row, roots: FileRoots) -> str | Failure:
    """Where a row's file is, or is to be: the first root that has it, else the first of all.

    The path is free of symlinks but for its last part. A place outside every root is a failure, unless
    `roots` allow it.
    """
    shown = printable(row.file)
    folder, name = os.path.split(row.file)
    if "\0" in row.file or name in ("", ".", ".."):
        return Failure(
            Kind.ROW_MALFORMED, f"{shown} does not name a file", "Write the path of a file in `file`."
        )
    base = roots.base(row)
    places = []
    for root in base.folders:
        real = os.path.realpath(os.path.join(root, folder))  # noqa: PTH118 - as files.check joins them
        if roots.allow_outside or base.holds(real):
            places.append(os.path.join(real, name))  # noqa: PTH118
    if not places and base.refused is not None:
        return base.refused
    if not places:
        return Failure(
            Kind.OUTSIDE_ROOT,
            f"{shown} would be outside {', '.join(map(printable, base.real))}",
            "Name its folder with --root, or allow such paths with --allow-outside-root.",
        )
    return next(filter(os.path.lexists, places), places[0])


class Occupied(Exception):  # noqa: N818
    """Another file is in the file's place and is kept; `failure` says what."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


class WrongSize(Exception):  # noqa: N818
    """The number of bytes differs from the PIM's own record of the file."""


@frozen
class Saved:
    """What is in the file's place now. `written` False: it was there before, with the same bytes."""

    size: int
    mtime_ns: int
    sha256: str
    written: bool


class Saver:
    """Puts files in their places. For any number of threads, as long as no two have one path."""

    def __init__(self) -> None:
        self._unfinished: set[str] = set()

    def save(self, path: str, fetch: Fetch, *, size: int | None, overwrite: bool) -> Saved:
        """Let `fetch` bring a file to `path`, of `size` bytes where that is known.

        An existing file is left alone if it is the same; else it is replaced only with `overwrite`, and never
        a link, a folder or a device. Raises Occupied, WrongSize, OSError, and what `fetch` raises.
        """
        there = _there(path)
        if there is not None:
            linked = stat.S_ISLNK(os.lstat(path).st_mode)
            if linked or not overwrite:
                if size is not None and there.st_size != size:
                    raise Occupied(_different(path, linked=linked))
                return self._compare(path, fetch, size, linked=linked)
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)  # noqa: PTH103, PTH120
        with self._temporary(path) as (temporary, file):
            came = fetch(file)
            file.close()
            _check(came, size)
            written = _same(path, came) is not True
            if written:
                written = _move(temporary, path, came, overwrite=overwrite)
        return _saved(path, came, written=written)

    def sweep(self) -> None:
        """Remove the unfinished files of abandoned requests."""
        for path in list(self._unfinished):
            with contextlib.suppress(OSError):
                os.unlink(path)  # noqa: PTH108

    def _compare(self, path: str, fetch: Fetch, size: int | None, *, linked: bool) -> Saved:
        with open(path, "rb") as file:  # noqa: PTH123
            compared = _Comparison(file, _different(path, linked=linked))
            came = fetch(cast(BinaryIO, compared))
            _check(came, size)
            compared.at_end()
        return _saved(path, came, written=False)

    @contextlib.contextmanager
    def _temporary(self, path: str) -> Iterator[tuple[str, BinaryIO]]:
        """A new temporary file beside `path`; it is deleted at the end."""
        # Short: the name itself may be as long as the file system allows.
        folder = os.path.dirname(path)  # noqa: PTH120
        temporary = os.path.join(folder, f".akeneo-media-{secrets.token_hex(6)}.part")  # noqa: PTH118
        self._unfinished.add(temporary)
        try:
            with open(temporary, "xb") as file:  # noqa: PTH123
                yield temporary, file
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(temporary)  # noqa: PTH108
            self._unfinished.discard(temporary)


class _Comparison:
    """Takes a file's bytes as they come and raises at the first difference from those on disk."""

    def __init__(self, file: BinaryIO, otherwise: Failure) -> None:
        self._file = file
        self._otherwise = otherwise

    def write(self, piece: Any) -> int:
        if self._file.read(len(piece)) != piece:
            raise Occupied(self._otherwise)
        return len(piece)

    def at_end(self) -> None:
        if self._file.read(1):
            raise Occupied(self._otherwise)


def _there(path: str) -> os.stat_result | None:
    """The regular file in that place; None if there is nothing. Raises Occupied for anything else."""
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return None
    if stat.S_ISLNK(found.st_mode):
        try:
            found = os.stat(path)  # noqa: PTH116
        except OSError:
            raise Occupied(_no_file(path, "a broken link")) from None
    if not stat.S_ISREG(found.st_mode):
        raise Occupied(_no_file(path, "a folder" if stat.S_ISDIR(found.st_mode) else "not a regular file"))
    return found


def _no_file(path: str, what: str) -> Failure:
    return Failure(
        Kind.FILE_NOT_REGULAR, f"{printable(path)} is {what}", "Move it away, or download to another folder."
    )


def _different(path: str, *, linked: bool) -> Failure:
    if linked:
        return Failure(
            Kind.FILE_EXISTS,
            f"{printable(path)} is a link to a file that differs from what the PIM holds",
            "Links are neither followed nor replaced: remove it, or download to another folder.",
        )
    return Failure(
        Kind.FILE_EXISTS,
        f"{printable(path)} exists already and differs from the PIM's file",
        "Replace it with --overwrite, or download to another folder.",
    )


def _check(came: Downloaded, size: int | None) -> None:
    if size is not None and came.size != size:
        raise WrongSize(f"{came.size:,} bytes came, but the PIM's record of the file says {size:,}")


def _same(path: str, came: Downloaded) -> bool | None:
    """Does the file in that place hold the same bytes? None if there is no regular file."""
    try:
        found = os.lstat(path)
        if not stat.S_ISREG(found.st_mode):
            return None
        if found.st_size != came.size:
            return False
        digest = hashlib.sha256()
        with open(path, "rb") as file:  # noqa: PTH123
            while piece := file.read(_PIECE):
                digest.update(piece)
    except FileNotFoundError:
        return None
    return digest.hexdigest() == came.sha256


def _move(temporary: str, path: str, came: Downloaded, *, overwrite: bool) -> bool:
    """Give the finished file its name; False if the same file has appeared there meanwhile."""
    if overwrite:
        _there(path)
        os.replace(temporary, path)  # noqa: PTH105
        return True
    try:
        # A hard link fails if something is there, however new; a rename would replace it.
        os.link(temporary, path)
        return True
    except FileExistsError:
        pass
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        if not os.path.lexists(path):
            os.rename(temporary, path)  # noqa: PTH104
            return True
    if _same(path, came):
        return False
    raise Occupied(_different(path, linked=os.path.islink(path)))  # noqa: PTH114


def _saved(path: str, came: Downloaded, *, written: bool) -> Saved:
    return Saved(came.size, os.stat(path).st_mtime_ns, came.sha256, written)  # noqa: PTH116
