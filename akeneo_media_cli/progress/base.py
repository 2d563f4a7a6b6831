"""How a run is shown: one small protocol, and the one that shows nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Protocol

from ..errors import Failure
from ..rows import Target

Items = Callable[[], Iterable[Mapping[str, Any]]]
"""Asked for report items, gives them; their `row` is the row's number."""


class Progress(Protocol):
    """Hears what a run does. Called from many threads; must not block or raise.

    `row` is the row's number in the run, from 1. Sizes are bytes, times are seconds.
    """

    def started(self, *, rows: int, size: int, concurrency: int) -> None:
        """The manifest is read: so many rows, so many bytes that may have to be sent."""

    def rows_expected(self, rows: int, size: int) -> None:
        """Of those so many rows and bytes are expected to be unchanged: to see that takes next to no time."""

    def row_converting(self, row: int, *, file: str, target: Target, size: int) -> None:
        """A picture is being converted, mostly before its upload begins; `size` is of the picture."""

    def row_converted(self, row: int) -> None:
        """The picture is converted, or could not be."""

    def row_started(self, row: int, *, file: str, target: Target, size: int, attempt: int) -> None:
        """A file's upload begins; `attempt` counts from 1."""

    def row_sent(self, row: int, size: int) -> None:
        """So many more bytes of the file went out in this attempt. Called per piece: be quick."""

    def row_retried(self, row: int, *, failure: Failure, delay: float) -> None:
        """An attempt met trouble; the next step comes after `delay` seconds."""

    def row_finished(self, row: int, item: Mapping[str, Any]) -> None:
        """The row is finished: its report item."""

    def row_reopened(self, row: int, item: Mapping[str, Any], *, failure: Failure | None) -> None:
        """A finished row is open again: its value was lost. `item` is what `row_finished` was told of it.

        With a `failure` it is tried again; without one another result follows at once.
        """

    def rows_settled(self, counts: Mapping[str, int], size: int, items: Items) -> None:
        """Rows were finished before anything was sent: so many by status, so many bytes in all.

        `items` gives each of them as `row_finished` is told of it, for displays that show every row.
        """

    def waiting(self, reason: str, seconds: float) -> None:
        """The whole run waits: throttled by the PIM, or the PIM is down. 0 seconds: goes on."""

    def limit(self, calls: int) -> None:
        """How many calls may be in flight from now on."""

    def note(self, message: str, *, hint: str = "", level: str = "warning") -> None:
        """Something the user should know that belongs to no row. `level`: info, warning or error."""

    def asking(self) -> AbstractContextManager[None]:
        """The user is asked something on the terminal while the block lasts: nothing is drawn over it."""

    def finished(self, summary: Mapping[str, Any]) -> None:
        """The run is over; `summary` as in the report. Restores the terminal."""


class Silent:
    """Shows nothing."""

    def started(self, *, rows: int, size: int, concurrency: int) -> None:
        pass

    def rows_expected(self, rows: int, size: int) -> None:
        pass

    def row_converting(self, row: int, *, file: str, target: Target, size: int) -> None:
        pass

    def row_converted(self, row: int) -> None:
        pass

    def row_started(self, row: int, *, file: str, target: Target, size: int, attempt: int) -> None:
        pass

    def row_sent(self, row: int, size: int) -> None:
        pass

    def row_retried(self, row: int, *, failure: Failure, delay: float) -> None:
        pass

    def row_finished(self, row: int, item: Mapping[str, Any]) -> None:
        pass

    def row_reopened(self, row: int, item: Mapping[str, Any], *, failure: Failure | None) -> None:
        pass

    def rows_settled(self, counts: Mapping[str, int], size: int, items: Items) -> None:
        pass

    def waiting(self, reason: str, seconds: float) -> None:
        pass

    def limit(self, calls: int) -> None:
        pass

    def note(self, message: str, *, hint: str = "", level: str = "warning") -> None:
        pass

    def asking(self) -> AbstractContextManager[None]:
        return nullcontext()

    def finished(self, summary: Mapping[str, Any]) -> None:
        pass
