"""What a sandbox got, as a table for people."""

from __future__ import annotations

from typing import Any, TextIO

from ...wording import one_line, size

MOST = 40


def show_values(running: Any, stream: TextIO) -> None:
    """The media values that a running sandbox holds, one a line."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    values = running.values()
    table = Table(title="What the sandbox PIM holds now", title_justify="left")
    for heading in ("entity", "attribute", "locale", "channel", "file"):
        table.add_column(heading, overflow="fold")
    table.add_column("size", justify="right")
    for value in values[:MOST]:
        cells = (
            f"{value['type']} {value['identifier'] or value['code']}",
            value["attribute"],
            value["locale"],
            value["scope"],
            value["original_filename"],
            size(value["size"]),
        )
        table.add_row(*(Text(one_line(cell or "")) for cell in cells))
    console = Console(file=stream)
    console.print(table)
    if len(values) > MOST:
        console.print(f"and {len(values) - MOST} more")
