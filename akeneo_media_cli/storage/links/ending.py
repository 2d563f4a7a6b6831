"""Is the file behind a link complete? Checked as the last bytes come, before the PIM has them."""

from __future__ import annotations

from ...content.endings import truncation
from ...content.sample import TEXT, Sample, TooFarError
from ...errors import Failure, Kind
from ...pim.errors import SourceTrouble
from ...pim.http.source import Stream


class WatchedEnd:
    """A stream that remembers its first and last bytes, and withholds the last ones if the end is wrong.

    Raises SourceTrouble then.
    """

    def __init__(self, stream: Stream, size: int, shown: str) -> None:
        self._stream = stream
        self._size = size
        self._shown = shown
        self._came = 0
        self._first = b""
        self._last = b""

    def readinto(self, buffer: memoryview, /) -> int | None:
        count = self._stream.readinto(buffer) or 0
        if count and self._came < self._size:
            self._keep(bytes(buffer[max(count - TEXT, 0) : count]), buffer[:count])
            self._came += count
            if self._came >= self._size:
                self._check()
        return count

    def close(self) -> None:
        self._stream.close()

    def _keep(self, last: bytes, piece: memoryview) -> None:
        if len(self._first) < TEXT:
            self._first += bytes(piece[: TEXT - len(self._first)])
        self._last = (self._last + last)[-TEXT:]

    def _check(self) -> None:
        missing = truncation(Sample(self._at, self._size))
        if missing is not None:
            raise SourceTrouble(
                Failure(
                    Kind.PICTURE_TRUNCATED,
                    f"{self._shown} is cut off: {missing}",
                    "Put the whole file there again. To send it anyway: --allow-mismatch.",
                )
            )

    def _at(self, offset: int, count: int) -> bytes:
        if offset + count <= len(self._first) or len(self._first) == self._size:
            return self._first[offset : offset + count]
        begin = self._size - len(self._last)
        if offset < begin:
            raise TooFarError
        return self._last[offset - begin : offset - begin + count]
