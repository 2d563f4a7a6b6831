"""What code and pages cite exists: sections of docs/pim-behaviour.md, and links between pages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
SOURCES = sorted(
    path for room in ("akeneo_media_cli", "tests", "benchmarks") for path in (ROOT / room).rglob("*.py")
)
CITED = re.compile(r'docs/pim-behaviour\.md, ((?:"[^"]+"(?:, | and )?)+)')

PRIVATE = re.compile(
    "|".join(("pim.facts", "wire.facts", r"architecture\.md", r"english\.md", r"contract: \""))
)
"""Notes that this project was made from; they are not in the repository."""


def headings(page: Path) -> list[str]:
    return re.findall(r"^#+ (.+)$", without_code(page.read_text(encoding="utf-8")), re.MULTILINE)


def without_code(markdown: str) -> str:
    return re.sub(r"^```.*?^```$", "", markdown, flags=re.MULTILINE | re.DOTALL)


def anchor(heading: str) -> str:
    """The anchor that GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def cited(source: str) -> list[str]:
    """The sections that a source file cites, also where a citation goes on in the next line of a comment."""
    on_one_line = re.sub(r"\s*\n\s*(?:#:? )?\s*", " ", source)
    return [name for each in CITED.findall(on_one_line) for name in re.findall(r'"([^"]+)"', each)]


def test_every_section_that_code_cites_is_on_the_page_about_the_pim() -> None:
    known = headings(ROOT / "docs" / "pim-behaviour.md")
    wrong = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in SOURCES
        for name in cited(path.read_text(encoding="utf-8"))
        if name not in known
    }
    assert wrong == set()


def test_no_source_file_cites_what_is_not_in_the_repository() -> None:
    others = [path for path in SOURCES if path != Path(__file__)]
    assert [str(p) for p in others if PRIVATE.search(p.read_text(encoding="utf-8"))] == []


def test_a_citation_is_found_on_one_line_and_across_two() -> None:
    page = "docs/pim-behaviour.md"
    assert cited(f'# {page}, "Lost values" and "Transport")') == ["Lost values", "Transport"]
    assert cited(f'    # ({page},\n    # "Lost\n    # values").') == ["Lost values"]
    assert cited(f"# {page} has it") == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", without_code(page.read_text(encoding="utf-8"))):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, section = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), link
        if section:
            assert section in map(anchor, headings(target)), link
