"""Space for files of unknown length: they are downloaded completely before they are sent."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable
from types import TracebackType
from typing import IO

from ...errors import Failure, Kind
from ...pim.errors import SourceTrouble
from ...wording import size as bytes_of

_PIECE = 256 * 1024


class Room:
    """So many bytes on disk for all temporary files together (`--max-temp`). For any number of threads.

    Files grow side by side. One that runs out of space while others use some of it starts again,
    alone: so no file fails that would fit, and no two wait for each other.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self._turn = threading.Condition()
        self._used = 0
        self._files = 0
        self._crowded = 0
        self._alone = threading.Lock()

    def hold(self, fetch: Callable[[Callable[[memoryview], None]], None], what: str) -> Held:
        """A temporary file with all that `fetch` hands to its argument; what `fetch` raises comes through.

        `fetch` may be called twice. Raises SourceTrouble: FILE_TOO_LARGE where the file does not
        fit, FILE_UNREADABLE where the disk is full. `what` names the file in messages.
        """
        self._enter(lambda: not self._crowded)
        try:
            return self._fill(fetch, what)
        except _CrowdedError:
            with self._turn:
                self._crowded += 1
        try:
            with self._alone:
                self._enter(lambda: not self._files)
                return self._fill(fetch, what)
        except _CrowdedError:
            raise SourceTrouble(
                Failure(
                    Kind.FILE_TOO_LARGE,
                    f"{what} has an unknown length and is longer than {bytes_of(self.most)}",
                    "Allow more with --max-temp, or use a source that sends a Content-Length.",
                )
            ) from None
        finally:
            with self._turn:
                self._crowded -= 1
                self._turn.notify_all()

    def _enter(self, may: Callable[[], bool]) -> None:
        """Wait until another file may begin to grow; it counts from then on."""
        with self._turn:
            self._turn.wait_for(may)
            self._files += 1

    def _fill(self, fetch: Callable[[Callable[[memoryview], None]], None], what: str) -> Held:
        held: Held | None = None
        try:
            held = Held(self)
            fetch(held.take)
            held.file.seek(0)
        except OSError as error:
            self._leave(held)
            raise SourceTrouble(
                Failure(
                    Kind.FILE_UNREADABLE,
                    f"{what} could not be kept in a temporary file: {error.strerror or error}",
                    f"Free space in {tempfile.gettempdir()}, or set TMPDIR to another folder.",
                )
            ) from None
        except BaseException:
            self._leave(held)
            raise
        return held

    def _leave(self, held: Held | None) -> None:
        if held is None:
            self.give_back(0)
        else:
            held.close()

    def take(self, count: int) -> None:
        """A file grows by so many bytes."""
        with self._turn:
            if self._used + count > self.most:
                raise _CrowdedError
            self._used += count

    def give_back(self, count: int) -> None:
        """A file of so many bytes is gone."""
        with self._turn:
            self._used -= count
            self._files -= 1
            self._turn.notify_all()


class _CrowdedError(Exception):
    """The room is full."""


class Held:
    """A temporary file, until it is closed. `size` is bytes so far. It has no name that outlives us."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self.size = 0
        self.file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115

    def take(self, piece: memoryview) -> None:
        """More bytes of the file."""
        self._room.take(len(piece))
        self.size += len(piece)
        self.file.write(piece)

    def close(self) -> None:
        """Close the file; harmless when closed."""
        if not self.file.closed:
            self.file.close()
            self._room.give_back(self.size)

    def __enter__(self) -> Held:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
