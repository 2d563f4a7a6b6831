"""One file on this machine: found, checked, and compared with what the PIM can record."""

from __future__ import annotations

from .check import (
    LARGEST_FILE,
    LONGEST_EXTENSION,
    LONGEST_NAME,
    FileRoots,
    LocalFile,
    Renaming,
    check_content,
    check_file,
    check_found,
    check_name,
    find_file,
    name_of,
    printable,
)
from .content import extension_of

__all__ = [
    "LARGEST_FILE",
    "LONGEST_EXTENSION",
    "LONGEST_NAME",
    "FileRoots",
    "LocalFile",
    "Renaming",
    "check_content",
    "check_file",
    "check_found",
    "check_name",
    "extension_of",
    "find_file",
    "name_of",
    "printable",
]
