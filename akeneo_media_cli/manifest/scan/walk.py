"""The files of a folder, in an order that does not depend on the disk."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass

# What systems and programs leave in folders of pictures; compared in lower case.
_SYSTEM = frozenset(
    (
        *("thumbs.db", "ehthumbs.db", "desktop.ini", "$recycle.bin", "system volume information"),
        *("icon\r", "__macosx", "@eadir", "#recycle", "lost+found"),
    )
)
_LOCK = "~$"


@dataclass
class Walk:
    """One walk through a folder, and what was left out on the way."""

    folder: str
    recursive: bool = True
    follow_links: bool = False
    links: int = 0
    """Symbolic links that were not followed, or lead nowhere."""
    special: int = 0
    """Pipes, sockets and devices."""

    def __post_init__(self) -> None:
        self.unreadable: list[tuple[str, str]] = []
        """Folders that could not be listed, and why."""

    def files(self) -> Iterator[str]:
        """Relative paths with `/` between their parts, folder by folder, each in the order of its names.

        Hidden files and those of the system are left out. A folder that links lead back into is not
        entered again. Raises OSError where the folder itself cannot be listed.
        """
        pending = [("", self._inside(self.folder, frozenset()) or frozenset())]
        while pending:
            below, above = pending.pop()
            try:
                with os.scandir(os.path.join(self.folder, below) if below else self.folder) as entries:  # noqa: PTH118
                    listed = sorted((e for e in entries if not _is_hidden(e)), key=lambda e: e.name)
            except OSError as error:
                if not below:
                    raise
                self.unreadable.append((below, error.strerror or str(error)))
                continue
            folders = []
            for entry in listed:
                path = f"{below}/{entry.name}" if below else entry.name
                kind = self._kind(entry)
                if kind == stat.S_IFREG:
                    yield path
                elif kind == stat.S_IFDIR and self.recursive:
                    inner = self._inside(entry.path, above)
                    if inner is not None:
                        folders.append((path, inner))
            pending.extend(reversed(folders))

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
    name = entry.name
    if name.startswith((".", _LOCK)) or name.lower() in _SYSTEM:
        return True
    if os.name != "nt":
        return False
    try:
        attributes = getattr(entry.stat(follow_symlinks=False), "st_file_attributes", 0)
    except OSError:
        return False
    return bool(attributes & stat.FILE_ATTRIBUTE_HIDDEN)
