"""`akeneo-media media get`: what the PIM knows about some media files."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ....exits import Exit
from ... import options as o
from ...terminal.process import say
from .codes import Codes, named
from .writer import ListFormat, data_out, writer

if TYPE_CHECKING:
    from ...session.reader import Reader


@o.command(example="akeneo-media media get --json a/b/c/d/abcd_front.jpg")
def get(
    codes: Codes,
    connection: o.Connection,
    logging: o.Logging,
    as_json: Annotated[bool, o.option("--json", help="Write one JSON object per line.")] = False,
) -> None:
    """Show name, type and size of media files.

    Exit status: 0 all were found, 1 some were not, 2 wrong usage, 4 credentials refused, 5 the PIM does not
    answer.
    """
    from ....pim.answers.types import MediaFile
    from ...session.reader import quiet_if_unread, reading

    missing = 0
    with quiet_if_unread(), reading(connection, logging) as reader:
        write = writer(ListFormat.jsonl if as_json else ListFormat.table, data_out())
        for some in _hundreds(named(codes)):
            found = _answers(reader, some)
            write([file for file in found.values() if isinstance(file, MediaFile)])
            sys.stdout.flush()
            for failure in found.values():
                if not isinstance(failure, MediaFile):
                    missing += 1
                    say(f"error: {failure.message}")
    raise typer.Exit(Exit.ROWS_FAILED if missing else Exit.OK)


def _answers(reader: Reader, codes: list[str]) -> dict[str, Any]:
    """A MediaFile or a Failure for each code."""
    from ....pim.errors import Refusal
    from ....transfer.downloads import unknown_media

    # Without a code, the call would list all files.
    asked = [code for code in codes if code.strip("/ ")]
    answers = reader.reads.all([partial(reader.client.media_file, code) for code in asked])
    found: dict[str, Any] = {code: unknown_media(code) for code in codes}
    for code, answer in zip(asked, answers, strict=True):
        if answer is not None:
            found[code] = answer.failure if isinstance(answer, Refusal) else answer
    return found


def _hundreds(codes: Iterable[str]) -> Iterator[list[str]]:
    some: list[str] = []
    for code in dict.fromkeys(codes):
        some.append(code)
        if len(some) == 100:
            yield some
            some = []
    if some:
        yield some
