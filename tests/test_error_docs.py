"""docs/errors.md and the closed list of `error.kind` say the same, both ways."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from akeneo_media_cli.errors import TITLES, Kind

PAGE = (Path(__file__).parent.parent / "docs" / "errors.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^### `(\w+)`\n(.*?)(?=^##|\Z)", PAGE, re.MULTILINE | re.DOTALL))


def test_every_kind_has_its_section_and_every_section_its_kind() -> None:
    assert [*SECTIONS] == [kind.value for kind in Kind]


@pytest.mark.parametrize("kind", [kind.value for kind in Kind])
def test_each_says_what_it_means_how_it_comes_about_and_what_to_do(kind: str) -> None:
    parts = dict(re.findall(r"^- \*\*([\w ]+):\*\* ((?:.|\n(?!- |\n))+)", SECTIONS[kind], re.MULTILINE))
    assert [*parts] == ["Meaning", "Cause", "How to fix"]
    assert all(text.rstrip().endswith((".", ":")) for text in parts.values())


def test_every_kind_has_a_title_of_its_own() -> None:
    assert [*TITLES] == [*Kind]
    assert len({*TITLES.values()}) == len(TITLES)


def test_options_and_commands_it_names_exist(command: list[str]) -> None:
    import typer.main

    from akeneo_media_cli.cli.app import application

    tree = typer.main.get_command(application())
    commands = getattr(tree, "commands")  # noqa: B009 - typer keeps its own Click, which has no public type
    options = {name for each in walk(commands) for p in each.params for name in (*p.opts, *p.secondary_opts)}
    named = {name for name in re.findall(r"`(--[a-z-]+)", PAGE) if name != "--help"}
    assert named - options == set()
    assert set(re.findall(r"`akeneo-media ([a-z]+)", PAGE)) - set(commands) == set()


def walk(commands: object) -> list[object]:
    found: list[object] = []
    for each in commands.values():  # type: ignore[attr-defined]
        found += walk(each.commands) if hasattr(each, "commands") else [each]
    return found
