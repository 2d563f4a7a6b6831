"""The files that values held before, downloaded for the pictures of a report."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from typing import Any

from ..errors import MediaError
from ..pim.client import PimClient
from ..pim.connection import Connection
from ..pim.errors import CallError
from ..rows import TargetType

LARGEST = 30_000_000
"""Bytes of one file: a larger one is shown by its type."""
MOST = 300_000_000
"""Bytes of all files together."""


class TooLargeError(Exception):
    """The file is too large for a preview."""


class _Bounded(io.BytesIO):
    def write(self, data: Any) -> int:
        if self.tell() + len(data) > LARGEST:
            raise TooLargeError
        return super().write(data)


class Previews:
    """Downloads media files by code, up to a number. Not for several threads; close it."""

    def __init__(self, connection: Connection, *, timeout: float, most: int) -> None:
        self._connection = connection
        self._timeout = timeout
        self._left = most
        self._bytes = MOST
        self._client: PimClient | None = None

    def __call__(self, item: Mapping[str, Any], code: str) -> bytes | None:
        """The bytes of the file that a report's item names by code; None if they cannot be read."""
        target = item.get("target") or {}
        if self._left <= 0 or self._bytes <= 0:
            return None
        self._left -= 1
        if self._client is None:
            self._client = PimClient(self._connection, timeout=self._timeout)
        into = _Bounded()
        try:
            _DOWNLOADS.get(str(target.get("type")), PimClient.download_media_file)(self._client, code, into)
        except TooLargeError:
            return None
        except (CallError, MediaError):
            # A PIM that does not answer is not asked for the other pictures.
            self._left -= 10
            return None
        self._bytes -= into.tell()
        return into.getvalue()

    def close(self) -> None:
        """Close the connection."""
        if self._client is not None:
            self._client.close()


_DOWNLOADS: dict[str, Callable[..., Any]] = {
    TargetType.ASSET.value: PimClient.download_asset_media,
    TargetType.RECORD.value: PimClient.download_record_media,
    TargetType.CATEGORY.value: PimClient.download_category_media,
}
