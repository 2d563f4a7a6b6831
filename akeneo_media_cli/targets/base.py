"""The interface of every kind of place for media. Each kind has a module of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, BinaryIO, Protocol

from ..ledger import SetValue
from ..pim.answers.types import Created, Downloaded, LineResult
from ..pim.client import PimClient
from ..pim.http.multipart import FileBody, ValueRef
from ..rows import folded
from .resolved import ResolvedTarget

MakeBody = Callable[[ValueRef | None], FileBody]
"""Makes the body of one upload: for a value, or (None) for a file that is attached later."""


Line = Sequence[tuple[ResolvedTarget, "str | None"]]
"""The values of one entity that a PATCH sets; None empties one."""


class TargetAdapter(Protocol):
    """One kind of entity that holds media. No state: safe to use from many threads.

    All methods raise Refusal, Trouble and AccessError as the client does.
    """

    @property
    def attaches(self) -> bool:
        """Does it take a PATCH beside the upload to set the value?"""
        ...

    @property
    def shares(self) -> bool:
        """May one media file be in several such values (docs/pim-behaviour.md, "Sharing one media file")?"""
        ...

    @property
    def told(self) -> bool:
        """Does the PIM say a stored file's name and size? Else it only gives the bytes."""
        ...

    def key(self, resolved: ResolvedTarget) -> str:
        """The entity's key for the scheduler: two rows for one entity have the same key."""
        ...

    def group(self, resolved: ResolvedTarget) -> str:
        """Entities of one group can be set by one PATCH."""
        ...

    def upload(self, client: PimClient, resolved: ResolvedTarget, make: MakeBody) -> Created:
        """Send the file."""
        ...

    def attach(self, client: PimClient, lines: Sequence[Line]) -> list[LineResult]:
        """Set codes (None: empty the value); a line is for one entity, all lines are of one group."""
        ...

    def held(self, client: PimClient, resolved: ResolvedTarget) -> str | None:
        """The media code that the value holds now, by a single read, which is always up to date."""
        ...

    def resembles(
        self, client: PimClient, resolved: ResolvedTarget, code: str, name: str, size: int | None
    ) -> bool:
        """Does the value's stored file have this name and size (bytes), as far as the PIM says?"""
        ...

    def download(self, client: PimClient, resolved: ResolvedTarget, code: str, into: BinaryIO) -> Downloaded:
        """Write the stored file of the value to `into`."""
        ...


def values_of(line: Line, scope: str) -> dict[str, list[dict[str, Any]]]:
    """The `values` of a PATCH line, with those that rows give beside their files.

    `scope` is what this API calls a channel.
    """
    values: dict[str, list[dict[str, Any]]] = {}
    for resolved, code in line:
        entry = {"locale": resolved.locale, scope: resolved.scope, "data": code}
        values.setdefault(resolved.attribute, []).append(entry)
        if resolved.beside is not None:
            add_values(values, resolved.beside.to_send)
    return values


def add_values(values: dict[str, list[dict[str, Any]]], others: Iterable[SetValue]) -> None:
    """Add values of an asset or record to a line, each once: several rows may name it."""
    for value in others:
        entries = values.setdefault(value.attribute, [])
        if value.entry() not in entries:
            entries.append(value.entry())


def named(kind: str, resolved: ResolvedTarget) -> str:
    """A scheduler's key for an entity."""
    parent = f"{resolved.target.parent}/" if resolved.target.parent else ""
    return f"{kind}:{parent}{folded(resolved.target.code)}"
