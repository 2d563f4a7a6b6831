"""Where the commands that write a manifest write it, and as what."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO, cast

from ...errors import UsageError
from ..terminal.process import unwritable

STDOUT = "-"


def format_of(output: str, chosen: str | None) -> str:
    """The format to write, by choice or by suffix. Raises UsageError for none, and one that is only read."""
    from ...manifest.write import WRITABLE, check_writable, suffixes

    if chosen is None and output == STDOUT:
        return "csv"
    format = chosen or suffixes().get(Path(output).suffix.lower())
    if format is None:
        raise UsageError(
            f"-o {output}: cannot infer the format from the file extension",
            f"name one with --format, or use one of {', '.join(suffixes())}",
        )
    if format == "xlsx" and output == STDOUT:
        raise UsageError("a spreadsheet is not written to standard output", "Name a file: -o FILE.xlsx.")
    if format not in WRITABLE:
        raise UsageError(
            f"manifests can be read from {format}, but not written as it",
            f"name another: --format {', --format '.join(WRITABLE)}",
        )
    check_writable(format)
    return format


@contextmanager
def opened(output: str) -> Iterator[TextIO]:
    """Where to write: a file appears once it is complete.

    Raises UsageError where it cannot be written, and ReportError where standard output cannot.
    """
    if output == STDOUT:
        out = cast(Any, sys.stdout)
        if hasattr(out, "reconfigure"):
            out.reconfigure(encoding="utf-8", errors="backslashreplace", newline="")
        answer = _Answer()
        yield cast(TextIO, answer)
        answer.flush()
        return
    from ...report.atomic import replacing

    try:
        with replacing(Path(output)) as file:
            yield file
    except BrokenPipeError:
        raise
    except OSError as error:
        raise UsageError(
            f"-o {output} cannot be written: {error.strerror or error}",
            "name a file in a folder that can be written",
        ) from None


class _Answer:
    """Standard output, whose troubles must not be taken for those of what is read meanwhile."""

    def write(self, text: str) -> int:
        with _told():
            return sys.stdout.write(text)

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        with _told():
            sys.stdout.flush()


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise unwritable(error) from None
