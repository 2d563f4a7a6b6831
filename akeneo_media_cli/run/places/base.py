"""What every kind of place for media can do. Each kind has a module of its own beside this one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, BinaryIO, Protocol

from ...pim.client import PimClient
from ...pim.multipart import FileBody
from ...pim.multipart import Place as Value
from ...pim.types import Created, Downloaded, LineResult, MediaFile
from ...rows import folded
from ..aim import Aim

MakeBody = Callable[[Value | None], FileBody]
"""Makes the body of one upload: for a value, or (None) for a file that is attached later."""


class Place(Protocol):
    """One kind of entity that holds media. No state: safe to use from many threads.

    All methods raise Refusal, Trouble and AccessError as the client does.
    """

    attaches: bool
    """Does it take a PATCH beside the upload to set the value?"""
    shares: bool
    """May one media file be in several such values (pim-facts A6)?"""

    def key(self, aim: Aim) -> str:
        """The entity's name among the scheduler's keys: two aims at one entity give one key."""
        ...

    def group(self, aim: Aim) -> str:
        """Entities of one group may be attached to by one call."""
        ...

    def upload(self, client: PimClient, aim: Aim, make: MakeBody) -> Created:
        """Send the file."""
        ...

    def attach(
        self, client: PimClient, lines: Sequence[Sequence[tuple[Aim, str | None]]]
    ) -> list[LineResult]:
        """Set codes (None: empty the value); the aims of a line are of one entity, all lines of one group."""
        ...

    def held(self, client: PimClient, aim: Aim) -> str | None:
        """The media code that the value holds now, by a single read, which is never behind."""
        ...

    def media(self, client: PimClient, code: str) -> MediaFile | None:
        """Name and size of a stored file; None where there is none, or the PIM does not tell them."""
        ...

    def download(self, client: PimClient, code: str, into: BinaryIO) -> Downloaded:
        """Write a stored file to `into`."""
        ...


def values_of(line: Sequence[tuple[Aim, str | None]], scope: str) -> dict[str, list[dict[str, Any]]]:
    """The `values` of a PATCH line; `scope` is what this API calls a channel."""
    values: dict[str, list[dict[str, Any]]] = {}
    for aim, code in line:
        entry = {"locale": aim.locale, scope: aim.scope, "data": code}
        values.setdefault(aim.attribute, []).append(entry)
    return values


def named(kind: str, aim: Aim) -> str:
    """A scheduler's key for an entity."""
    parent = f"{aim.target.parent}/" if aim.target.parent else ""
    return f"{kind}:{parent}{folded(aim.target.code)}"
