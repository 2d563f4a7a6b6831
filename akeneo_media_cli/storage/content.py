"""Checks of a file before it is sent: is it what its name says, is it complete, what type does PHP see?"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import field
from typing import NamedTuple

from ..content.endings import truncation
from ..content.mismatch import kind_of, mismatch
from ..content.pictures import DECODED, PillowMissingError, defect
from ..content.pim_types import MIME_TYPES
from ..content.sample import Sample, TooFarError
from ..content.signatures import required
from ..errors import Failure, Kind, UsageError
from ..frozen import frozen
from ..manifest.archive import Archive, open_archive, split_member_path

_LARGEST_MEMBER = 256 * 1024 * 1024
"""The end of a packed member costs unpacking all of it: only done up to so many bytes."""
_ANYWAY = "To send it anyway: --allow-mismatch."


@frozen
class ContentChecks:
    """How files are looked at. `allow_mismatch`: whatever they are; `pictures`: decode each picture whole.

    `found` counts the files by what they are.
    """

    allow_mismatch: bool = False
    pictures: bool = False
    found: Counter[str] | None = field(default=None, compare=False)


USUAL = ContentChecks()
"""The default checks."""


class PhpTypes(NamedTuple):
    """The MIME type of a file to PHP 8.2 and to PHP 8.4; None where it could not be told."""

    php82: str | None
    php84: str | None


def check_sample(
    sample: Sample, name: str, shown: str, *, checks: ContentChecks = USUAL, link: bool = False
) -> Failure | None:
    """What is wrong with a file's content, for a file that is to be called `name`. Raises OSError."""
    if checks.found is not None:
        checks.found[kind_of(sample)] += 1
    if checks.allow_mismatch:
        return None
    extension = extension_of(name).lower()
    found = mismatch(sample, extension, link=link)
    if found is not None:
        named = f"is named .{extension}, but is" if extension else "is"
        return Failure(Kind.CONTENT_MISMATCH, f"{shown} {named} {found.what}", f"{found.hint} {_ANYWAY}")
    missing = truncation(sample) if required(extension) is not None else None
    if missing is not None:
        return Failure(
            Kind.PICTURE_TRUNCATED,
            f"{shown} is cut off: {missing}",
            f"Its download or copy probably broke off: get it again. {_ANYWAY}",
        )
    return None


def check_local(path: str, size: int, name: str, shown: str, checks: ContentChecks) -> Failure | None:
    """`check_sample` for a file on this machine, and with `checks.pictures` its pixels. Raises OSError."""
    # Non-blocking: a pipe that has replaced the file since it was checked must not block the run.
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    with open(handle, "rb", buffering=0) as file:  # noqa: PTH123 - a handle
        found = check_sample(Sample.file(file, size), name, shown, checks=checks)
        if found is None and checks.pictures and extension_of(name).lower() in DECODED:
            file.seek(0)
            found = check_picture(file, shown)
    return found


def check_picture(file: object, shown: str) -> Failure | None:
    """Can the whole picture be decoded? Raises UsageError if Pillow is not installed."""
    try:
        why = defect(file)  # type: ignore[arg-type]
    except PillowMissingError:
        raise UsageError(
            "--check-pictures needs Pillow, which is not installed",
            "Install it: pip install 'akeneo-media-cli[report]' (or pipx inject, uv tool install --with).",
        ) from None
    if why is None:
        return None
    return Failure(
        Kind.PICTURE_BROKEN,
        f"{shown} cannot be decoded: {why}",
        "Open it in a picture editor and export it again, or leave out --check-pictures.",
    )


def check_member(
    archive: Archive, member: str, size: int, name: str, shown: str, checks: ContentChecks
) -> Failure | None:
    """`check_local` for a member of a ZIP. Raises OSError and `manifest.archive.TROUBLE`."""
    with _member_sample(archive, member, size) as sample:
        found = check_sample(sample, name, shown, checks=checks)
    if found is None and checks.pictures and extension_of(name).lower() in DECODED:
        with archive.open(member) as packed:
            found = check_picture(packed, shown)
    return found


@contextmanager
def _member_sample(archive: Archive, member: str, size: int) -> Iterator[Sample]:
    with archive.open(member) as packed:

        def read(offset: int, count: int) -> bytes:
            packed.seek(offset)
            return packed.read(count)

        yield Sample(read, size, known=None if size <= _LARGEST_MEMBER else 1024 * 1024)


def php_types(path: str, size: int, name: str) -> PhpTypes | None:
    """What PHP takes the file or member of a ZIP at a planned row's path for.

    None where the PIM never asks, as the name's extension is not in its table. Raises OSError and
    `manifest.archive.TROUBLE`.
    """
    if extension_of(name).lower() not in MIME_TYPES:
        return None
    member = split_member_path(path)
    if member is None:
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - a million rows
            return types_of(Sample.file(file, size))
    with _member_sample(open_archive(member[0]), member[1], size) as sample:
        return types_of(sample)


def types_of(sample: Sample) -> PhpTypes:
    """The types of a file, as far as these bytes show them. Raises OSError."""
    return PhpTypes(_type(sample, "8.2"), _type(sample, "8.4"))


def _type(sample: Sample, php: str) -> str | None:
    # It has a hundred rules, and most runs need none: their attributes take any extension.
    from ..content.fileinfo import mime_type

    try:
        return mime_type(sample, "8.4" if php == "8.4" else "8.2")
    except TooFarError:
        return None


def extension_of(name: str) -> str:
    """What follows the last dot of a name, as the PIM takes it; "" without a dot."""
    return name.rpartition(".")[2] if "." in name else ""
