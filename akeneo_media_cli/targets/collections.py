"""Assets and records: a file is uploaded on its own, and a batch PATCH sets its code in values.

See docs/pim-behaviour.md, "Assets and reference entities".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, BinaryIO

from ..frozen import frozen
from ..pim.answers.entity_types import Entity
from ..pim.answers.types import Created, Downloaded, LineResult
from ..pim.client import PimClient
from ..pim.http.multipart import FileBody
from .base import Line, MakeBody, named, values_of
from .resolved import ResolvedTarget
from .stored import resembles

IMAGE = "image"
"""The name for a reference entity's own image, which has no attribute."""


@frozen
class Collection:
    """Assets or records: they differ only in the client's methods."""

    kind: str
    get: Callable[[PimClient, str, str], Entity | None]
    send: Callable[[PimClient, FileBody], Created]
    patch: Callable[[PimClient, str, list[dict[str, Any]]], list[LineResult]]
    fetch: Callable[[PimClient, str, BinaryIO], Downloaded]

    attaches = True
    shares = False
    told = False

    def key(self, resolved: ResolvedTarget) -> str:
        return named(self.kind, resolved)

    def group(self, resolved: ResolvedTarget) -> str:
        return f"{self.kind}:{resolved.target.parent}"

    def upload(self, client: PimClient, resolved: ResolvedTarget, make: MakeBody) -> Created:
        return self.send(client, make(None))

    def attach(self, client: PimClient, lines: Sequence[Line]) -> list[LineResult]:
        bodies = [{"code": line[0][0].target.code, "values": values_of(line, "channel")} for line in lines]
        return self.patch(client, lines[0][0][0].target.parent, bodies)

    def held(self, client: PimClient, resolved: ResolvedTarget) -> str | None:
        found = self.get(client, resolved.target.parent, resolved.target.code)
        return (
            None if found is None else found.media_code(resolved.attribute, resolved.locale, resolved.scope)
        )

    def resembles(
        self, client: PimClient, resolved: ResolvedTarget, code: str, name: str, size: int | None
    ) -> bool:
        return resembles(code, name, size, lambda into: self.fetch(client, code, into))

    def download(self, client: PimClient, resolved: ResolvedTarget, code: str, into: BinaryIO) -> Downloaded:
        return self.fetch(client, code, into)


ASSETS = Collection(
    "asset",
    lambda client, family, code: client.get_asset(family, code),
    lambda client, body: client.upload_asset_media(body),
    lambda client, family, lines: client.patch_assets(family, lines),
    lambda client, code, into: client.download_asset_media(code, into),
)


class Records(Collection):
    """Records, and the reference entity's own image if a row names no record."""

    def group(self, resolved: ResolvedTarget) -> str:
        # The image is set by a request of its own.
        return f"{super().group(resolved)}{'' if resolved.target.code else '/image'}"

    def attach(self, client: PimClient, lines: Sequence[Line]) -> list[LineResult]:
        ((resolved, code), *_), *_ = lines
        if resolved.target.code:
            return super().attach(client, lines)
        client.patch_reference_entity(resolved.target.parent, code)
        return [LineResult(1, resolved.target.parent, 204)]

    def held(self, client: PimClient, resolved: ResolvedTarget) -> str | None:
        if resolved.target.code:
            return super().held(client, resolved)
        found = client.reference_entity(resolved.target.parent)
        return None if found is None else found.image


RECORDS = Records(
    "record",
    lambda client, entity, code: client.get_record(entity, code),
    lambda client, body: client.upload_record_media(body),
    lambda client, entity, lines: client.patch_records(entity, lines),
    lambda client, code, into: client.download_record_media(code, into),
)
