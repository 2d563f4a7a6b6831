"""The values of options that need no conversion are handed over without it; all others are converted."""

from __future__ import annotations

import subprocess
import sys
from enum import Enum
from pathlib import Path
from typing import Annotated, Any

import pytest
import typer
from typer.testing import CliRunner

from akeneo_media_cli.cli.options.command import add


class Mode(Enum):
    fast = "fast"
    slow = "slow"


def call(*arguments: str, **env: str) -> dict[str, Any] | str:
    """What a command gets, or what is said about its options."""
    app = typer.Typer(rich_markup_mode=None)
    got: dict[str, Any] = {}

    def command(
        names: list[str],
        state: Annotated[Path | None, typer.Option("--state")] = None,
        folder: Annotated[Path, typer.Option("--folder", exists=True)] = Path("/"),
        text: Annotated[str | None, typer.Option("--text")] = None,
        mode: Annotated[Mode, typer.Option("--mode")] = Mode.fast,
        number: Annotated[int, typer.Option("--number", min=1, envvar="NUMBER")] = 4,
        limit: Annotated[int, typer.Option("--limit", min=0, max=10)] = 5,
        seconds: Annotated[float, typer.Option("--seconds")] = 60.0,
        sets: Annotated[list[str] | None, typer.Option("--set")] = None,
        paths: Annotated[list[Path] | None, typer.Option("--path")] = None,
        flag: Annotated[bool, typer.Option("--flag/--no-flag")] = False,
    ) -> None:
        got.update(locals())

    command.example = ""  # type: ignore[attr-defined]
    add(app, "command", command)
    done = CliRunner().invoke(app, list(arguments), env=env)
    got.pop("got", None)
    return got if done.exit_code == 0 else done.output


def test_every_kind_of_value_comes_as_what_it_is() -> None:
    plain = call("a", "b")
    assert plain == {
        **{"names": ["a", "b"], "state": None, "folder": Path("/"), "text": None, "mode": Mode.fast},
        **{"number": 4, "limit": 5, "seconds": 60.0, "sets": None, "paths": None, "flag": False},
    }
    options = ["--state", "s", "--text", "t", "--mode", "slow", "--number", "7", "--limit", "0"]
    options += ["--seconds", "1.5", "--flag"]
    given = call("a", *options, "--set", "x=1", "--set", "y=2", "--path", "p")
    assert given == {
        **{"names": ["a"], "state": Path("s"), "folder": Path("/"), "text": "t", "mode": Mode.slow},
        **{"number": 7, "limit": 0, "seconds": 1.5, "flag": True},
        **{"sets": ["x=1", "y=2"], "paths": [Path("p")]},
    }
    surrounded = call("a", NUMBER="9")
    assert isinstance(surrounded, dict)
    assert surrounded["number"] == 9


@pytest.mark.parametrize(
    "wrong",
    [
        [],
        ["a", "--number", "0"],
        ["a", "--number", "-1"],
        ["a", "--limit", "-1"],
        ["a", "--limit", "11"],
        ["a", "--number", "x"],
        ["a", "--mode", "other"],
        ["a", "--folder", "/nowhere/at/all"],
    ],
)
def test_what_is_wrong_is_told_as_ever(wrong: list[str]) -> None:
    said = call(*wrong)
    assert isinstance(said, str)
    assert "Error" in said


def test_a_command_with_plain_values_loads_no_pydantic(tmp_path: Path) -> None:
    code = (
        "import sys; sys.argv = ['akeneo-media', 'validate', 'gone.csv', '-q', '--format', 'csv',"
        " '--retries', '3', '--timeout', '9.5', '--report', 'r.json', '--root', '.', '--set', 'a=b']\n"
        "from akeneo_media_cli.cli.app import run\n"
        "try: run()\n"
        "except SystemExit: pass\n"
        "print(*(name for name in ('pydantic', 'filelock', 'rich') if name in sys.modules))"
    )
    # The report is written where it runs.
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == ""
