"""What a missing file's name was probably meant to be, by what its folder holds."""

from __future__ import annotations

import os
import unicodedata

from ..suggest import nearest

_MOST_NAMES = 5_000  # of one folder
_MOST_REMEMBERED = 100_000  # of all folders; a folder counts at least as one
_MOST_SEARCHES = 200  # comparing a name with thousands is slow, and nobody reads so many hints


class Nearby:
    """Looks into folders for names like one that is not there; remembers what it saw.

    The cost is bounded, however many files are missing: after some hundred searches only names that
    differ in case or in the encoding of their accents are still told.
    """

    def __init__(self) -> None:
        self._folders: dict[str, dict[str, str] | None] = {}
        self._remembered = 0
        self._searches = 0

    def hint(self, path: str) -> str:
        """A sentence on what is there in place of `path`, or "" if nothing comes near."""
        folder, name = os.path.split(path)
        there = self._names(folder)
        other = (there or {}).get(_folded(name))
        if other is not None:
            return _instead(name, other)
        if "\\" in name:
            return "Write / between folder and file, not \\."
        if there is None:
            return f"The folder {_shown(folder)} does not exist."
        self._searches += 1
        if self._searches > _MOST_SEARCHES:
            return ""
        near = nearest(name, there.values(), cutoff=0.7, fold=_folded)
        return f"Did you mean {_shown(near)}?" if near else ""

    def _names(self, folder: str) -> dict[str, str] | None:
        """The folder's files by folded name; None if there is no such folder."""
        if folder not in self._folders:
            names = _listed(folder)
            self._remembered += 1 + len(names or ())
            if self._remembered > _MOST_REMEMBERED:
                self._folders.clear()
                self._remembered = 1 + len(names or ())
            self._folders[folder] = names
        return self._folders[folder]


def _listed(folder: str) -> dict[str, str] | None:
    names: dict[str, str] = {}
    try:
        with os.scandir(folder or ".") as entries:
            for entry in entries:
                names[_folded(entry.name)] = entry.name
                if len(names) >= _MOST_NAMES:
                    break
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError:
        return {}
    return names


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _instead(name: str, other: str) -> str:
    if other == name:
        return "There is a symbolic link of this name, but what it leads to is gone."
    if unicodedata.normalize("NFC", name) == unicodedata.normalize("NFC", other):
        why = "its accents are encoded in another way (NFC and NFD): copy the name from the folder"
    else:
        why = "capital and small letters differ"
    return f"There is {_shown(other)}; {why}."


def _shown(name: str) -> str:
    return ascii(name) if not name.isprintable() else repr(name)
