"""What a media code says about a file, if the PIM says nothing else
(docs/pim-behaviour.md, "Swapped bytes" and "Assets and reference entities")."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from typing import BinaryIO

from ..pim.answers.types import Downloaded
from ..rows import name_in_code, php_basename

_UNSAFE = re.compile(rb"[^A-Za-z0-9.]")
_LONGEST = 100
_KEPT = 95


def code_ending(name: str) -> str:
    """The end of the code that the PIM makes of a file name: `_` for each unusual byte."""
    raw = php_basename(name).encode("utf-8", "surrogatepass")
    safe = _UNSAFE.sub(b"_", raw).decode("ascii")
    if len(safe) <= _LONGEST:
        return safe
    extension = php_basename(name).rpartition(".")[2] if "." in name else ""
    return f"{safe[:_KEPT]}.{extension}"


def resembles(code: str, name: str, size: int | None, download: Callable[[BinaryIO], Downloaded]) -> bool:
    """Has the file of a code this name and size (bytes)? The size is found by downloading it."""
    found = name_in_code(code)
    if found is not None and found != code_ending(name):
        return False
    with open(os.devnull, "wb") as nowhere:  # noqa: PTH123 - no path
        return download(nowhere).size == size
