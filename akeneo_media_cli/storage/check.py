"""The checks of one row's file that need no PIM: where it is, what it is, and whether the PIM can hold it."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Sequence
from dataclasses import field
from typing import NamedTuple

from ..content.sample import Sample
from ..errors import Failure, Kind
from ..frozen import frozen
from ..pim.http.source import stamp_of
from ..rows import Row, clean_name, php_basename
from .content import USUAL, ContentChecks, check_local, check_sample, extension_of
from .nearby import Nearby, cell_hint

LONGEST_NAME = 255
"""Characters that the PIM's column for a file name holds
(docs/pim-behaviour.md, "Cost of a call and limits")."""
LONGEST_EXTENSION = 10
"""Characters that its column for the extension holds; more is a 500 after the upload
(docs/pim-behaviour.md, "Cost of a call and limits")."""
LARGEST_FILE = 2_147_483_647
"""Bytes that its 32-bit column for the size can count."""

Renaming = Callable[[Row, str], str | Failure]
"""Makes the name to show from a row and the name it has so far, or says why it has none."""

_MOST_REMEMBERED = 1 << 14
_NO_NAMES = ("", ".", "..")

_SPECIAL = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


class LocalFile(NamedTuple):
    """A file that may be sent: where it is, the name for the PIM to show, its size in bytes, its mtime.

    `stamp`: see `stamp_of`.
    """

    path: str
    name: str
    size: int
    mtime_ns: int
    stamp: int | None = None


@frozen
class _Base:
    """The folders in which the files of one manifest are looked for."""

    folders: tuple[str, ...]
    real: tuple[str, ...]
    refused: Failure | None = None
    """Why the manifest's own `root` is none of them, where it may not be."""
    ways: dict[tuple[str, str], tuple[str, bool]] = field(default_factory=dict)

    def way(self, folder: str, before: str) -> tuple[str, bool]:
        """Where `before`, the folders in front of a file's name, leads from `folder`; is that in a root?

        Symlinks are followed for the answer. It is remembered, as many files lie in one folder.
        """
        key = (folder, before)
        known = self.ways.get(key)
        if known is None:
            if len(self.ways) >= _MOST_REMEMBERED:
                self.ways.clear()
            path = os.path.join(folder, before)  # noqa: PTH118
            known = self.ways[key] = (path, self.holds(os.path.realpath(path)))
        return known

    def holds(self, real: str) -> bool:
        """Is the real path `real` one of the roots or in one?"""
        return any(real == root or real.startswith(root.rstrip(os.sep) + os.sep) for root in self.real)


class FileRoots:
    """Where files are looked for, and what was learned there that the next rows can use.

    `roots` are the `--root` folders, the first in which a file exists wins; a manifest's own `root` comes
    after them. With neither, files are looked for beside their manifest. Unless `allow_outside`, a path
    must end in one of these folders, symlinks followed, and a manifest's own `root` counts only where it is
    below the manifest's folder (for standard input, the current one) or a `--root`: else whoever wrote the
    manifest would say what may be sent. With `sniff` off no file is opened; else `checks` says how they are
    looked at.
    Not for use by several threads at once. What is learned about folders is kept: use it for one run.
    """

    def __init__(
        self,
        roots: Sequence[str] = (),
        *,
        allow_outside: bool = False,
        sniff: bool = True,
        checks: ContentChecks = USUAL,
    ) -> None:
        self.allow_outside = allow_outside
        self.checks = checks
        self._roots = tuple(roots)
        self._sniff = sniff
        self._bases: dict[tuple[str, str | None], _Base] = {}
        self._contents: dict[tuple[str, int, int, str], Failure | None] = {}
        self.nearby = Nearby()

    def base(self, row: Row) -> _Base:
        """The folders for a row's file."""
        key = (row.manifest, row.root)
        base = self._bases.get(key)
        if base is None:
            beside = "" if row.manifest == "-" else os.path.dirname(row.manifest)  # noqa: PTH120
            refused = None if self.allow_outside or not row.root else self._refused(row.root, beside)
            folders = self._roots + ((row.root,) if row.root and not refused else ())
            if not folders and not refused:
                folders = (beside,)
            base = _Base(folders, _real(folders), refused)
            self._bases[key] = base
        return base

    def only_folder(self, row: Row, before: str) -> str | None:
        """The one folder that a row's file can lie in, if there is just one; None if it is in no root.

        `before` is what stands before the file's name.
        """
        base = self.base(row)
        if len(base.folders) != 1 or os.sep != "/":
            return None
        path, within = base.way(base.folders[0], before)
        return path if within or self.allow_outside else None

    def _refused(self, own: str, beside: str) -> Failure | None:
        """Why a manifest that lies in the folder `beside` may not name the folder `own` as its root."""
        allowed = (beside, *self._roots)
        base = _Base(allowed, _real(allowed))
        if base.holds(os.path.realpath(own)):
            return None
        return Failure(
            Kind.OUTSIDE_ROOT,
            f"the manifest's own `root`, {printable(own)}, is outside {_folders(base)}",
            "If you trust the manifest, name the folder with --root DIR, or allow such paths with "
            "--allow-outside-root.",
        )

    def content(self, local: LocalFile, shown: str) -> Failure | None:
        """`look`, remembered, as many rows may name one file."""
        key = (local.path, local.size, local.mtime_ns, extension_of(local.name))
        if key not in self._contents:
            if len(self._contents) >= _MOST_REMEMBERED:
                self._contents.clear()
            self._contents[key] = self.look(local, shown)
        return self._contents[key]

    def look(self, local: LocalFile, shown: str) -> Failure | None:
        """`check_content`; with `sniff` off only whether the file may be read."""
        if self._sniff:
            return check_content(local, shown, self.checks)
        # The effective user is the one that will open the file.
        may = os.access(local.path, os.R_OK, effective_ids=os.access in os.supports_effective_ids)
        return None if may else _unreadable(shown, "permission denied")


def check_file(row: Row, roots: FileRoots, rename: Renaming | None = None) -> LocalFile | Failure:
    """The file that a row names, if it can be sent under the name that `rename` gives; else why not.

    Never blocks on a pipe or device, and never raises for anything a manifest can say.
    """
    if row.archive is not None:
        from .member import check_member

        return check_member(row, rename, roots.checks)
    local = find_file(row, roots, rename)
    if isinstance(local, Failure):
        return local
    return roots.content(local, printable(row.file)) or local


def find_file(row: Row, roots: FileRoots, rename: Renaming | None = None) -> LocalFile | Failure:
    """As `check_file`, for a file that is in no archive; its content is not looked at."""
    shown = printable(row.file)
    found = _find(row, roots, shown)
    if isinstance(found, Failure):
        return found
    path, status = found
    if not stat.S_ISREG(status.st_mode):
        what = next((what for is_it, what in _SPECIAL if is_it(status.st_mode)), "not a regular file")
        return Failure(Kind.FILE_NOT_REGULAR, f"{shown} is {what}", "Name a regular file.")
    failure = check_size(status.st_size, shown)
    if failure is not None:
        return failure
    name = name_of(row, os.path.basename(row.file), rename)  # noqa: PTH119 - text, not a path
    if isinstance(name, Failure):
        return name
    return LocalFile(path, name, status.st_size, status.st_mtime_ns, stamp_of(status))


def name_of(row: Row, own: str, rename: Renaming | None = None) -> str | Failure:
    """The name for the PIM to show, if it can record it: `own` is the file's, which the row may replace."""
    name = php_basename(clean_name(row.filename or own))
    made = name if rename is None else rename(row, name)
    return made if isinstance(made, Failure) else check_name(made, printable(row.file)) or made


def check_size(size: int, shown: str) -> Failure | None:
    """Can the PIM record a file of so many bytes?"""
    if size == 0:
        return Failure(Kind.FILE_EMPTY, f"{shown} is empty (0 bytes)", "Export or copy the file again.")
    if size > LARGEST_FILE:
        return Failure(
            Kind.FILE_TOO_LARGE,
            f"{shown} has {size:,} bytes; the PIM can record {LARGEST_FILE:,} at most",
            "Make the file smaller: compress or split it.",
        )
    return None


def check_found(
    name: str, file: str, size: int | None, head: bytes | None, checks: ContentChecks = USUAL
) -> Failure | None:
    """Checks a file that is elsewhere by its size and first bytes, as far as they are known."""
    shown = printable(file)
    failure = None if size is None else check_size(size, shown)
    if failure is not None or head is None:
        return failure
    return check_sample(Sample.beginning(head, size), name, shown, checks=checks, link=True)


def check_name(name: str, shown: str) -> Failure | None:
    """Can the PIM record a file under this name? `shown` is the file as messages name it."""
    if not name.strip():
        return Failure(
            Kind.ROW_MALFORMED,
            f"the name to show for {shown} is empty",
            "Give `filename` a name such as front.jpg; what comes before a slash or backslash is dropped.",
        )
    if len(name) > LONGEST_NAME:
        return Failure(
            Kind.NAME_TOO_LONG,
            f"the name of {shown} has {len(name)} characters; the PIM takes {LONGEST_NAME}",
            "Rename the file, or give a shorter name in the column `filename`.",
        )
    extension = extension_of(name)
    if len(extension) > LONGEST_EXTENSION:
        return Failure(
            Kind.EXTENSION_TOO_LONG,
            f"the extension of {shown}, .{printable(extension[:40])}, has {len(extension)} characters; "
            f"the PIM takes {LONGEST_EXTENSION}",
            "The extension is what follows the last dot: rename the file, or give a `filename`.",
        )
    return None


def check_content(local: LocalFile, shown: str, checks: ContentChecks = USUAL) -> Failure | None:
    """Can the file be read, is it what its name says, and is it whole?"""
    try:
        return check_local(local.path, local.size, local.name, shown, checks)
    except OSError as error:
        return _unreadable(shown, error.strerror or str(error))


def printable(text: str) -> str:
    """Text as a message can show it: what cannot be printed, stray bytes included, as escapes."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _real(folders: Sequence[str]) -> tuple[str, ...]:
    return tuple(os.path.realpath(folder) for folder in folders)


def _find(row: Row, roots: FileRoots, shown: str) -> tuple[str, os.stat_result] | Failure:
    base = roots.base(row)
    before, slash, name = row.file.rpartition("/")
    before += slash
    outside = False
    for folder in base.folders:
        try:
            if name in _NO_NAMES or os.sep in name:
                path = os.path.join(folder, row.file)  # noqa: PTH118
                within = base.holds(os.path.realpath(path))
            else:
                # A million rows: joining and splitting each path takes a tenth of all their time.
                way, within = base.way(folder, before)
                path = way + name
            status = os.lstat(path)
            is_link = stat.S_ISLNK(status.st_mode)
            if not (roots.allow_outside or (base.holds(os.path.realpath(path)) if is_link else within)):
                outside = True
                continue
            if is_link:
                status = os.stat(path)  # noqa: PTH116
        except (FileNotFoundError, NotADirectoryError):
            # A path that leaves the roots is reported as such, whether or not anything is there.
            outside = outside or not (roots.allow_outside or within)
        except ValueError as error:
            return Failure(
                Kind.FILE_MISSING,
                f"{shown} cannot be a file name: {error}",
                "Fix the name in the manifest.",
            )
        except OSError as error:
            return _unreadable(shown, error.strerror or str(error))
        else:
            return path, status
    if base.refused is not None:
        return base.refused
    if outside:
        return Failure(
            Kind.OUTSIDE_ROOT,
            f"{shown} is outside {_folders(base)}",
            "Name its folder with --root, or allow such paths with --allow-outside-root.",
        )
    return _missing(row, roots, base, shown)


def _missing(row: Row, roots: FileRoots, base: _Base, shown: str) -> Failure:
    hint = cell_hint(row.file) or next(
        (
            said
            for folder in base.folders
            if (said := roots.nearby.hint(os.path.join(folder, row.file)))  # noqa: PTH118
        ),
        f"Looked in {_folders(base)}; --root sets another folder to start from.",
    )
    return Failure(Kind.FILE_MISSING, f"{shown} does not exist", hint)


def _folders(base: _Base) -> str:
    return ", ".join(printable(folder) or "the current folder" for folder in base.folders)


def _unreadable(shown: str, why: str) -> Failure:
    return Failure(
        Kind.FILE_UNREADABLE, f"{shown} cannot be read: {why}", "Give this user the right to read it."
    )
