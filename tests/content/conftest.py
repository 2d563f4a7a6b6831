"""Files of real encoders with what PHP says of each, and what a PIM of that PHP does with it."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent


class Truth(NamedTuple):
    """`taken`: by an attribute whose `allowed_extensions` has the file's extension."""

    path: Path
    php: str
    mime_type: str
    taken: bool

    @property
    def extension(self) -> str:
        return self.path.suffix[1:]


def truths() -> list[Truth]:
    """Each file twice: for PHP 8.2 and for 8.4."""
    with (HERE / "verdicts.csv").open(encoding="utf-8") as file:
        return [
            Truth(HERE / "files" / row["file"], php, row[f"php{column}"], row[f"taken{column}"] == "1")
            for row in csv.DictReader(file)
            for php, column in (("8.2", "82"), ("8.4", "84"))
        ]
