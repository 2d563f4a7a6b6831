"""What a missing file's name was probably meant to be, by what its folder holds."""

from __future__ import annotations

import os
import re
import unicodedata

from ..suggest import nearest

_PARTING = re.compile(r"\s*[;,|\n\r]\s*")
_ONE_FILE = re.compile(r".*\.[A-Za-z0-9]{2,5}", re.DOTALL)
_ZEROS = re.compile(r"(?<![0-9])0+(?=[0-9])")
_MOST_NAMES = 5_000  # of one folder
_MOST_REMEMBERED = 100_000  # of all folders; a folder counts at least as one
_MOST_SEARCHES = 200  # comparing a name with thousands is slow, and nobody reads so many hints


def cell_hint(file: str) -> str:
    """A sentence on a `file` that does not exist and cannot be one file's name; "" if it can."""
    parts = [part for part in _PARTING.split(file) if part]
    if len(parts) > 1 and all(_ONE_FILE.fullmatch(part) for part in parts):
        return f"One file per row, but this names {len(parts)}. Write a row for each, with its own attribute."
    if len(file) > 2 and file[0] == file[-1] and file[0] in "'\"`":
        return f"The name is in quotes ({file[0]}): remove them, or set --quote."
    if "\\" in file:
        return "Write / between folder and file, not \\."
    return ""


class Nearby:
    """Searches folders for names similar to a missing one; caches what it saw.

    The cost is bounded, however many files are missing: after some hundred searches, only names that
    differ in case or in the encoding of their accents are still named.
    """

    def __init__(self) -> None:
        self._folders: dict[str, dict[str, str] | None] = {}
        self._remembered = 0
        self._searches = 0

    def hint(self, path: str) -> str:
        """A sentence on what exists in place of `path`, or "" if nothing is similar."""
        folder, name = os.path.split(path)
        there = self._names(folder)
        other = (there or {}).get(_folded(name))
        if other is not None:
            return _instead(name, other)
        if there is None:
            return f"The folder {_shown(folder)} does not exist."
        self._searches += 1
        if self._searches > _MOST_SEARCHES:
            return ""
        zeros = next((other for other in there.values() if _zeroless(other) == _zeroless(name)), None)
        if zeros is not None:
            return f"There is {_shown(zeros)}: the names differ in leading zeros."
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


def _zeroless(name: str) -> str:
    return _ZEROS.sub("", _folded(name))


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _instead(name: str, other: str) -> str:
    if other == name:
        return "There is a symbolic link of this name, but its target does not exist."
    if unicodedata.normalize("NFC", name) == unicodedata.normalize("NFC", other):
        why = "its accents are encoded differently (NFC and NFD): copy the name from the folder"
    else:
        why = "upper and lower case differ"
    return f"There is {_shown(other)}; {why}."


def _shown(name: str) -> str:
    return ascii(name) if not name.isprintable() else repr(name)
