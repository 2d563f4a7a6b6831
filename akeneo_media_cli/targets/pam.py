"""Assets of the old PAM (PIM 2.x, 3.x): a reference file, and a variation a channel
(docs/pim-behaviour.md, "The old PAM")."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import BinaryIO

from ..pim.answers.types import Created, Downloaded, LineResult
from ..pim.client import PimClient
from ..pim.errors import CallError
from .base import Line, MakeBody, named
from .resolved import ResolvedTarget
from .stored import resembles


class PamAssets:
    """Assets by code. `ResolvedTarget.attribute` is not used: the scope says which file."""

    attaches = False
    shares = False
    told = False

    def key(self, resolved: ResolvedTarget) -> str:
        return named("pam_asset", resolved)

    def group(self, resolved: ResolvedTarget) -> str:
        return "pam"

    def upload(self, client: PimClient, resolved: ResolvedTarget, make: MakeBody) -> Created:
        body, code = make(None), resolved.target.code
        if resolved.scope is None:
            created = client.upload_pam_reference(code, body, resolved.locale)
        else:
            created = client.upload_pam_variation(code, resolved.scope, body, resolved.locale)
        try:
            # The answer does not name the file.
            held = self.held(client, resolved)
        except CallError:
            held = None
        return replace(created, code=held or created.location)

    def attach(self, client: PimClient, lines: Sequence[Line]) -> list[LineResult]:
        raise TypeError("a file of the old PAM is set by sending it")

    def held(self, client: PimClient, resolved: ResolvedTarget) -> str | None:
        found = client.pam_asset(resolved.target.code)
        return None if found is None else found.files.get((resolved.scope, resolved.locale))

    def resembles(
        self, client: PimClient, resolved: ResolvedTarget, code: str, name: str, size: int | None
    ) -> bool:
        return resembles(code, name, size, lambda into: self.download(client, resolved, code, into))

    def download(self, client: PimClient, resolved: ResolvedTarget, code: str, into: BinaryIO) -> Downloaded:
        return client.download_pam_media(
            resolved.target.code, into, scope=resolved.scope, locale=resolved.locale
        )
