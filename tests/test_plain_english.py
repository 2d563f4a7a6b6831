"""Messages, help, docs and comments are plain current English: phrases that are not do not come back."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "akeneo_media_cli"
CHECKED = (
    *sorted(PACKAGE.rglob("*.py")),
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted((ROOT / "docs").rglob("*.md")),
)
PHRASES = (
    r"\bgoes before (?!each)",
    r"nothing is put in for",
    r"what may pass",
    r"what is worth it",
    r"\bbears\b",
    r"\bcures?\b",
    r"\bmend\b",
    r"could not be done",
    r"was to follow",
    r"the PIM asks to wait",
    r"once more stops",
    r"cut in other ways",
    r"pattern that says more",
    r"tell for each row",
    r"do everything but send",
    r"silence after which",
    r"is no option",
    r"given a file that",
    r"holds nobody",
    r"it is no PIM",
    r"does not tell the format",
    r"last word",
    r"may stand for",
    r"so many calls",
    r"\bhinder",
    r"\blest\b",
    r"\ball the same\b",
    r"held against the",
    r"cannot be had",
    r"\bwhence\b",
    r"let go of",
    r"\baims? at\b",
)


@pytest.mark.parametrize("path", CHECKED, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_archaic_phrase(path: Path) -> None:
    text = " ".join(path.read_text(encoding="utf-8").split())
    found = [match.group() for phrase in PHRASES for match in re.finditer(phrase, text, re.IGNORECASE)]
    assert not found
