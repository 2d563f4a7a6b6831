"""The read side of media files."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from typing import BinaryIO

from ..answers.types import Downloaded, MediaFile
from ..answers.value_errors import RequestContext
from .calls import BATCH, Calls, media_path, pam_path, query


class MediaCalls(Calls):
    """Product media files, and all downloads. All raise Refusal, Trouble, AccessError, UsageError."""

    def media_file(self, code: str) -> MediaFile | None:
        """Name, type and size of a product media file; None where the PIM has none of that code."""
        return self.get_or_none(f"/media-files/{media_path(code)}", MediaFile.read)

    def require_access(self) -> None:
        """A request that needs only the right to use the API (docs/pim-behaviour.md, "Rights").

        Raises AccessError where the user lacks even that one.
        """
        answer = self.call("GET", "/media-files" + query(limit=1))
        if answer.status != 200:
            raise self.refused(answer, free=True)

    def media_file_page(self, at: str = "") -> tuple[list[MediaFile], str]:
        """A page of all product media files, replaced and orphaned ones too
        (docs/pim-behaviour.md, "Answers to an upload").

        And where the next one is: `at` of the next call, empty after the last page.
        """
        return self.page(at or "/media-files" + query(limit=BATCH), MediaFile.read)

    def download_media_file(
        self, code: str, into: BinaryIO, on_bytes: Callable[[int], None] | None = None
    ) -> Downloaded:
        """Write a product media file to `into`; what `into` raises comes through as it is.

        The PIM gives no length, so a size known otherwise is worth comparing
        (docs/pim-behaviour.md, "Answers to an upload").
        """
        return _write(self._stream("media-files", code), into, on_bytes)

    def download_asset_media(
        self, code: str, into: BinaryIO, on_bytes: Callable[[int], None] | None = None
    ) -> Downloaded:
        """As `download_media_file`, for assets: their endpoint gives the bytes alone
        (docs/pim-behaviour.md, "Assets and reference entities")."""
        return _write(self._stream("asset-media-files", code, tail=""), into, on_bytes)

    def download_record_media(
        self, code: str, into: BinaryIO, on_bytes: Callable[[int], None] | None = None
    ) -> Downloaded:
        """As `download_media_file`, for records and reference entities."""
        return _write(self._stream("reference-entities-media-files", code, tail=""), into, on_bytes)

    def download_category_media(
        self, code: str, into: BinaryIO, on_bytes: Callable[[int], None] | None = None
    ) -> Downloaded:
        """As `download_media_file`, for enriched categories."""
        return _write(self._stream("category-media-files", code), into, on_bytes)

    def download_pam_media(
        self,
        asset: str,
        into: BinaryIO,
        on_bytes: Callable[[int], None] | None = None,
        *,
        scope: str | None = None,
        locale: str | None = None,
    ) -> Downloaded:
        """As `download_media_file`, for the old PAM: the reference file, or a channel's variation."""
        path = f"{pam_path(asset, scope, locale)}/download"
        return _write(self._stream_of(path, RequestContext(code=asset)), into, on_bytes)

    def _stream(self, kind: str, code: str, tail: str = "/download") -> Iterator[bytes]:
        path = f"/{kind}/{media_path(code)}{tail}"
        yield from self._stream_of(path, RequestContext(code=code), free=kind == "media-files")

    def _stream_of(self, path: str, sent: RequestContext, *, free: bool = False) -> Iterator[bytes]:
        answer = self.call("GET", path, stream=True)
        if answer.status != 200:
            raise self.refused(answer, sent, free=free)
        yield from self.transport.pieces(answer)


def _write(pieces: Iterator[bytes], into: BinaryIO, on_bytes: Callable[[int], None] | None) -> Downloaded:
    size = 0
    digest = hashlib.sha256()
    for piece in pieces:
        into.write(piece)
        digest.update(piece)
        size += len(piece)
        if on_bytes:
            on_bytes(len(piece))
    return Downloaded(size, digest.hexdigest())
