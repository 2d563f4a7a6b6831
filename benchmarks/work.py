"""Files and manifests to measure with: the same on every machine."""

from __future__ import annotations

import csv
import random
from collections.abc import Iterable, Sequence
from pathlib import Path

JPEG = bytes.fromhex("ffd8ffe000104a46494600010100000100010000")
_END = bytes.fromhex("ffd9")
Line = tuple[str, str, str]
"""product, attribute, file"""


def picture(path: Path, size: int, number: int) -> None:
    """A file that begins and ends as a JPEG does and is like no other."""
    middle = random.Random(number).randbytes(min(size, 4096))
    fill = middle * (size // len(middle) + 1)
    path.write_bytes((JPEG + fill)[: size - len(_END)] + _END)


def large(path: Path, size: int) -> None:
    """A file with a hole in it: its size costs no disk, its reading as much as that of any cached file."""
    with path.open("wb") as file:
        file.write(JPEG)
        file.truncate(size)


def pictures(folder: Path, count: int, size: int) -> list[str]:
    """So many distinct files of a size; their names."""
    folder.mkdir(parents=True, exist_ok=True)
    names = [f"{folder.name}-{n:06}.jpg" for n in range(count)]
    for n, name in enumerate(names):
        picture(folder / name, size, n)
    return names


def manifest(path: Path, lines: Iterable[Line]) -> Path:
    """A CSV of rows."""
    with path.open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file)
        out.writerow(("product", "attribute", "file"))
        out.writerows(lines)
    return path


def one_a_product(path: Path, names: Sequence[str]) -> Path:
    """A manifest with a product for every file of its folder."""
    return manifest(path, ((f"sku-{n:07}", "picture", name) for n, name in enumerate(names)))
