"""What a sandbox got, as a table for people."""

from __future__ import annotations

from typing import Any, TextIO

from ...wording import one_line, size

MOST = 40


def show_values(running: Any, stream: TextIO) -> None:
    """The media values that a running sandbox holds, one a line, below what they belong to."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    values = running.values()
    table = Table.grid("place", "file", "size", padding=(0, 2, 0, 0))
    for column in table.columns[:2]:
        column.overflow = "fold"
    table.columns[2].justify = "right"
    above = ""
    for value in values[:MOST]:
        entity = f"{value['type'].replace('_', ' ')} {value['identifier'] or value['code']}"
        if entity != above:
            table.add_row(Text(one_line(entity)))
            above = entity
        place = " ".join(part for part in (value["attribute"], value["locale"], value["scope"]) if part)
        cells = (f"  {one_line(place)}", one_line(value["original_filename"]), size(value["size"]))
        table.add_row(*map(Text, cells))
    console = Console(file=stream)
    console.print("\nWhat the sandbox PIM holds now:")
    console.print(table)
    if len(values) > MOST:
        console.print(f"and {len(values) - MOST} more")
