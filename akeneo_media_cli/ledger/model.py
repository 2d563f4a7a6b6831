"""The ledger's data types: rows, results, runs, and the key of a value."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from hashlib import blake2b
from itertools import repeat
from struct import unpack
from typing import Any, Final, NamedTuple

from ..errors import Failure
from ..frozen import frozen
from ..rows import Row, RowBatch, Status, Target, TargetType, folded
from .beside import SetBeside

SETTLE_LEAST = 2.0
"""Seconds until a call whose answer was lost counts as over
(docs/pim-behaviour.md, "When the answer is lost")."""


class Unknown(Enum):
    """The type of `UNKNOWN`, so that type checkers can tell it from a media code."""

    UNKNOWN = "unknown"


UNKNOWN: Final = Unknown.UNKNOWN
"""The PIM was not asked what the value held (unlike None: it was asked, and the value was empty)."""

Before = str | None | Unknown
"""The media code that a value held before it was written to, None for empty, or `UNKNOWN`."""


class HeldFile(NamedTuple):
    """A media file that a value holds; `name` and `size` (bytes) are None if unknown."""

    code: str
    name: str | None = None
    size: int | None = None


HeldBefore = HeldFile | None | Unknown
"""As `Before`, with what is known about the file."""


@dataclass(slots=True)
class PlannedRow:
    """A row of a manifest with its file and its result so far.

    `seq` counts the run's rows from 1 in manifest order. `name` is the name that the PIM is to show; `path`
    the file on disk, None where there is none; `size` is bytes, `mtime_ns` nanoseconds since 1970,
    `duration` seconds, `ended_at` seconds since 1970. `status` None means open: still to be decided or sent.
    An open row with a `media_code` is expected to be unchanged: the ledger put that file there, and the local
    file is the same since. `share` says how rows that may share its media file are found: those of the same
    path and name, or of the same bytes and name.

    `before` is what the value held when it was last looked at before this run wrote to it. `stamp` is the
    file's inode and change time as one number: another file in its place has another stamp, even with the
    same size and time. `beside` is what the row does beside its file, once that is known; an open row that
    has it only waits for that to be done.

    `recipe` says how the file is converted before it is sent, None where it goes as it is; `name` is then
    that of the converted file; all else is about the original file. `fitted` is the result, as reports
    have it.
    """

    seq: int
    row: Row
    name: str
    path: str | None = None
    size: int | None = None
    mtime_ns: int | None = None
    status: Status | None = None
    failure: Failure | None = None
    media_code: str | None = None
    sha256: str | None = None
    attempts: int = 0
    duration: float | None = None
    notes: tuple[str, ...] = ()
    share: Share | None = None
    ended_at: float | None = None
    before: HeldBefore = UNKNOWN
    stamp: int | None = None
    recipe: str | None = None
    fitted: Mapping[str, Any] | None = None
    beside: SetBeside | None = None


@frozen
class PlannedBatch:
    """Open rows whose files were found, column by column: a `PlannedRow` each. `keys` are `value_key`s."""

    seqs: Sequence[int]
    batch: RowBatch
    keys: Sequence[int]
    paths: Sequence[str]
    names: Sequence[str]
    sizes: Sequence[int]
    mtimes: Sequence[int]
    stamps: Sequence[int | None]


class Share(Enum):
    """How rows that may share one media file are found."""

    PATH = 1
    """All files of this name and size are one and the same."""
    BYTES = 2
    """There are several of this name and size: their bytes must be compared."""


class InFlightState(Enum):
    """What an outcome says of the in-flight mark and of the memory of the row's value."""

    OVER = "over"
    """Nothing more can happen: the mark is removed, and what was last put there stays known."""
    UNPROVEN = "unproven"
    """The PIM may have saved it or may still (docs/pim-behaviour.md, "When the answer is lost"): the mark
    stays for the next run to look at."""
    LOST = "lost"
    """The PIM holds something else by now: the mark is removed, and what was known with it."""
    DISPROVED = "disproved"
    """The PIM was only read, and the value does not hold the row's file: no file counts any more as the one
    that was put there. The code that was, and marks of earlier runs, stay."""


@frozen
class RowResult:
    """The result of one row; `status` None reopens it.

    `attempts` and `duration` (seconds) are for the whole row, not for the last try; None leaves what is
    known; where there is a `duration`, the row ended `ended_ago` seconds before now. `size`, `mtime_ns`
    and `stamp` are given where the file sent differs from the one planned. For `uploaded` and `unchanged`
    a `media_code` makes the ledger remember that the value holds this file; so does one that is open for
    what is to be done `beside` it. `before`, where known, is what the value held before this run.
    `fitted` as in `PlannedRow`; `sha256` is of the row's own file even where a converted one was sent.
    """

    seq: int
    status: Status | None
    failure: Failure | None = None
    media_code: str | None = None
    sha256: str | None = None
    attempts: int | None = None
    duration: float | None = None
    notes: tuple[str, ...] = ()
    flight: InFlightState = InFlightState.OVER
    size: int | None = None
    mtime_ns: int | None = None
    before: HeldBefore = UNKNOWN
    stamp: int | None = None
    fitted: Mapping[str, Any] | None = None
    beside: SetBeside | None = None
    ended_ago: float = 0.0


class InFlightMark(NamedTuple):
    """A row whose value is about to be written; `size` and `mtime_ns` where they differ from the plan.

    `code` is the media file that the value is to get, where the PIM has it already.
    """

    seq: int
    before: Before = UNKNOWN
    size: int | None = None
    mtime_ns: int | None = None
    code: str | None = None


class BorrowedValue(NamedTuple):
    """A product's value that is borrowed for an upload: what it held `before` must be put back.

    `name` and `size` are of the file that it holds meanwhile.
    """

    identifier: str
    attribute: str
    locale: str | None
    scope: str | None
    before: str | None
    name: str
    size: int


@frozen
class Interrupted:
    """An open row whose value an earlier run was writing to when it ended.

    `n` is the number of that run. `name`, `size` and `mtime_ns` are of the file that was on its way; `before`
    is what the value held before; `at` is when it was sent, seconds since 1970 by that run's clock. `code` is
    the media file that the PIM had stored for the value, where that is known: it only has to be attached.
    """

    planned: PlannedRow
    n: int
    run: str
    name: str
    size: int | None
    mtime_ns: int | None
    before: Before
    at: float
    code: str | None = None
    recipe: str | None = None


class AtWork(NamedTuple):
    """A value that an earlier run was writing to when it ended: its request may still be at work.

    `seconds` is how much longer; `n` is that run's number, `name` the file's.
    """

    n: int
    seconds: float
    type: str
    parent: str | None
    code: str
    name: str


@frozen
class Touched:
    """An open row whose file has the name and size of what was last put there, but another time.

    If the file's SHA-256 equals `sha256` (hex) it is unchanged: report `Run.unchanged` with `media_code`.
    """

    planned: PlannedRow
    media_code: str
    sha256: str


@frozen
class Remembered:
    """What this ledger last put into a value; `sha256` in hex where it was taken.

    `stamp`, `recipe` and `fitted` as in `PlannedRow`: size, time and digest are of the row's own file.
    """

    media_code: str
    name: str | None
    size: int | None
    mtime_ns: int | None
    sha256: str | None
    stamp: int | None = None
    recipe: str | None = None
    fitted: Mapping[str, Any] | None = None

    @property
    def held(self) -> HeldFile:
        """The file that the value was given, with the size of what was sent."""
        if self.recipe is None:
            return HeldFile(self.media_code, self.name, self.size)
        return HeldFile(self.media_code, self.name, self._sent("bytes"))

    @property
    def sent_sha256(self) -> str | None:
        """SHA-256 in hex of what was sent."""
        return self.sha256 if self.recipe is None else self._sent("sha256")

    def _sent(self, key: str) -> Any:
        return (self.fitted or {}).get("to", {}).get(key)


@frozen
class Settled:
    """How many rows conflicted with another about a value, and how many only repeated one."""

    conflicting: int
    dropped: int


@frozen
class RunInfo:
    """One run as `runs list` shows it.

    `state` is `running`, `finished` or `interrupted` (its process died). Times are seconds since 1970 by the
    clock of the machine, which may step back. `exit_status` and `summary` are those it finished with.
    """

    id: str
    command: str
    arguments: Mapping[str, Any]
    started_at: float
    finished_at: float | None
    state: str
    exit_status: int | None
    pid: int
    host: str
    summary: Mapping[str, Any]


def value_key(target: Target, attribute: str, locale: str | None, scope: str | None) -> int:
    """A signed 64-bit name for one value of one entity, the same on every machine and in every version.

    Codes that are equal to the PIM's database have the same key
    (docs/pim-behaviour.md, "Spelling of identifiers and codes"). Two values may share a key by accident, so
    compare `value_identity` before believing a hit.
    """
    identity = _encoded(f"{_entity(target.type.value, target.parent)}{folded(target.code)}")
    digest = blake2b(identity, digest_size=8, key=_place(attribute, locale, scope)).digest()
    return int.from_bytes(digest, "big", signed=True)


def value_keys(
    type_: TargetType,
    codes: Sequence[str],
    attributes: Sequence[str],
    locales: Sequence[str] | None,
    scopes: Sequence[str] | None,
) -> list[int]:
    """`value_key` of many values of products or models; empty `locales` and `scopes` are null."""
    before = _encoded(_entity(type_.value, ""))
    places = list(zip(attributes, locales or repeat(None), scopes or repeat(None), strict=False))
    begun = {place: blake2b(before, digest_size=8, key=_place(*place)).copy for place in {*places}}
    if "".join(codes).isascii():
        texts = [code.rstrip().lower().encode() for code in codes]
    else:
        texts = [_encoded(folded(code)) for code in codes]
    digests = []
    for text, place in zip(texts, places, strict=True):
        digest = begun[place]()
        digest.update(text)
        digests.append(digest.digest())
    return list(unpack(f">{len(digests)}q", b"".join(digests)))


def value_identity(
    type_: str, parent: str | None, code: str, attribute: str, locale: str | None, scope: str | None
) -> bytes:
    """The text that `value_key` is the hash of. Two values are the same exactly if these are equal."""
    return _encoded(f"{_entity(type_, parent)}{folded(code)}") + b"\x1f" + _place(attribute, locale, scope)


def same_path(path: str) -> str:
    """A `PlannedRow.path` as files are compared: two paths lead to one file exactly if these are equal.

    Symlinks are followed and dots taken out. Other texts are returned unchanged: a link, a ZIP's member,
    or the `file` of a row whose path is not known.
    """
    if not os.path.isabs(path):  # noqa: PTH117 - text, and stays text
        return path
    try:
        return os.path.realpath(path)
    except ValueError:
        # No file can have this name.
        return path


def _encoded(text: str) -> bytes:
    # A code from a JSON escape may hold half a surrogate pair, which strict UTF-8 refuses.
    return text.encode("utf-8", "surrogatepass")


@lru_cache(maxsize=1024)
def _entity(type_: str, parent: str | None) -> str:
    return f"{type_}\x1f{folded(parent or '')}\x1f"


@lru_cache(maxsize=4096)
def _place(attribute: str, locale: str | None, scope: str | None) -> bytes:
    # Null and the empty code are one: the manifest's empty cell is null.
    text = f"{folded(attribute)}\x1f{folded(locale or '')}\x1f{folded(scope or '')}"
    # Blake2b takes a key of at most 64 bytes; a digest of the text is as good a key as the text.
    return blake2b(_encoded(text), digest_size=64).digest()
