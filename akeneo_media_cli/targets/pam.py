"""Assets of the old PAM (PIM 2.x, 3.x): a reference file, and a variation a channel (pim-facts B6.4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import BinaryIO

from ..pim.answers.types import Created, Downloaded, LineResult
from ..pim.client import PimClient
from ..pim.errors import CallError
from .base import Line, MakeBody, named
from .resolved import Aim
from .stored import resembles


class PamAssets:
    """Assets by code. `Aim.attribute` means nothing here: the scope tells the file."""

    attaches = False
    shares = False
    told = False

    def key(self, aim: Aim) -> str:
        return named("pam_asset", aim)

    def group(self, aim: Aim) -> str:
        return "pam"

    def upload(self, client: PimClient, aim: Aim, make: MakeBody) -> Created:
        body, code = make(None), aim.target.code
        if aim.scope is None:
            created = client.upload_pam_reference(code, body, aim.locale)
        else:
            created = client.upload_pam_variation(code, aim.scope, body, aim.locale)
        try:
            # The answer names the place, not the file.
            held = self.held(client, aim)
        except CallError:
            held = None
        return replace(created, code=held or created.location)

    def attach(self, client: PimClient, lines: Sequence[Line]) -> list[LineResult]:
        raise TypeError("a file of the old PAM is set by sending it")

    def held(self, client: PimClient, aim: Aim) -> str | None:
        found = client.pam_asset(aim.target.code)
        return None if found is None else found.files.get((aim.scope, aim.locale))

    def resembles(self, client: PimClient, aim: Aim, code: str, name: str, size: int | None) -> bool:
        return resembles(code, name, size, lambda into: self.download(client, aim, code, into))

    def download(self, client: PimClient, aim: Aim, code: str, into: BinaryIO) -> Downloaded:
        return client.download_pam_media(aim.target.code, into, scope=aim.scope, locale=aim.locale)
