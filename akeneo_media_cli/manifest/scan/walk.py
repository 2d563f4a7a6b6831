"""The files of a folder, in an order that does not depend on the disk."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field

from ..filters import Filter, is_leftover


@dataclass
class Walk:
    """One walk through a folder, and what was left out on the way."""

    folder: str
    recursive: bool = True
    follow_links: bool = False
    filter: Filter = field(default_factory=Filter)
    leftovers: int = 0
    """Hidden files and folders, and what editors, browsers and systems leave behind."""
    excluded: int = 0
    """Files that `filter` leaves out."""
    links: int = 0
    """Symbolic links that were not followed, or lead nowhere."""
    special: int = 0
    """Pipes, sockets and devices."""

    def __post_init__(self) -> None:
        self.unreadable: list[tuple[str, str]] = []
        """Folders that could not be listed, and why."""

    def files(self) -> Iterator[str]:
        """Relative paths with `/` between their parts, folder by folder, each in the order of its names.

        Hidden files and leftovers are left out, unless `filter` includes them. A folder that links lead back
        into is not entered again. Raises OSError where the folder itself cannot be listed.
        """
        pending = [("", self._inside(self.folder, frozenset()) or frozenset())]
        while pending:
            below, above = pending.pop()
            try:
                with os.scandir(os.path.join(self.folder, below) if below else self.folder) as entries:  # noqa: PTH118
                    listed = sorted(entries, key=lambda e: e.name)
            except OSError as error:
                if not below:
                    raise
                self.unreadable.append((below, error.strerror or str(error)))
                continue
            folders = []
            for entry in listed:
                path = f"{below}/{entry.name}" if below else entry.name
                if self._is_left_out(entry, path):
                    continue
                kind = self._kind(entry)
                if kind == stat.S_IFREG and self.filter.excludes(path):
                    self.excluded += 1
                elif kind == stat.S_IFREG:
                    yield path
                elif kind == stat.S_IFDIR and self.recursive:
                    inner = self._inside(entry.path, above)
                    if inner is not None:
                        folders.append((path, inner))
            pending.extend(reversed(folders))

    def _is_left_out(self, entry: os.DirEntry[str], path: str) -> bool:
        if not _is_hidden(entry) or self.filter.includes(path) or self.filter.includes(f"{path}/x"):
            return False
        self.leftovers += 1
        return True

    def _kind(self, entry: os.DirEntry[str]) -> int:
        """Whether it is to be taken as a file or entered as a folder; 0 for neither."""
        if entry.is_symlink() and (not self.follow_links or not os.path.exists(entry.path)):  # noqa: PTH110
            self.links += 1
            return 0
        if entry.is_file():
            return stat.S_IFREG
        if entry.is_dir():
            return stat.S_IFDIR
        self.special += 1
        return 0

    def _inside(self, folder: str, above: frozenset[tuple[int, int]]) -> frozenset[tuple[int, int]] | None:
        """The folders that one is in, itself included; None if that would be going round in circles."""
        if not self.follow_links:
            return above
        try:
            found = os.stat(folder)  # noqa: PTH116
        except OSError:
            return None
        here = (found.st_dev, found.st_ino)
        return None if here in above else above | {here}


def _is_hidden(entry: os.DirEntry[str]) -> bool:
    if is_leftover(entry.name):
        return True
    if os.name != "nt":
        return False
    try:
        attributes = getattr(entry.stat(follow_symlinks=False), "st_file_attributes", 0)
    except OSError:
        return False
    return bool(attributes & stat.FILE_ATTRIBUTE_HIDDEN)
