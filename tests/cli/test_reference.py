"""docs/commands.md is what the program says of itself."""

from __future__ import annotations

import re
from pathlib import Path

import typer.main

from akeneo_media_cli.cli.app import application
from akeneo_media_cli.cli.options.variables import PAIRS
from akeneo_media_cli.cli.reference import commands, reference
from tests.test_error_docs import walk

PAGE = Path(__file__).parents[2] / "docs" / "commands.md"


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text("utf-8") == reference(), (
        "make it again: python -m akeneo_media_cli.cli.reference > docs/commands.md"
    )


def test_every_command_of_the_contract_is_there() -> None:
    known = {path.removeprefix("akeneo-media ") for path, _ in commands(application(), "akeneo-media")}
    wanted = {
        "upload", "validate", "verify", "check", "media list", "media get", "media download", "download",
        "export", "runs list", "runs show", "runs retry", "sandbox", "demo",
    }  # fmt: skip
    assert wanted <= known


def test_every_option_has_help_and_a_variable() -> None:
    rows = re.findall(r"^\| (`-.*?) \| (.*) \| (.*?) ?\|$", reference(), re.MULTILINE)
    assert rows
    bad = [names for names, text, variable in rows if not text or not variable.startswith("`AKENEO_MEDIA_")]
    assert not bad


def test_both_options_of_a_pair_have_a_variable() -> None:
    tree = typer.main.get_command(application())
    found = {
        parameter.envvar: [name for name in parameter.secondary_opts if name.startswith("--no-")]
        for each in walk(getattr(tree, "commands"))  # noqa: B009 - typer's own Click has no public type
        for parameter in getattr(each, "params")  # noqa: B009
        if parameter.secondary_opts
    }
    assert set(found) == PAIRS
    for variable, (denial,) in found.items():
        named = f"AKENEO_MEDIA_{denial[2:].replace('-', '_').upper()}"
        assert f"| `{variable}`, `{named}` |" in reference()
