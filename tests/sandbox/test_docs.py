"""docs/sandbox.md says what is so."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from akeneo_media_cli.sandbox import SandboxOptions, start_sandbox
from akeneo_media_cli.sandbox.admin.endpoints import CHANGEABLE
from akeneo_media_cli.sandbox.faults import KINDS

PAGE = (Path(__file__).parents[2] / "docs" / "sandbox.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("block", blocks("json"))
def test_the_catalogues_shown_are_taken(block: str) -> None:
    start_sandbox(json.loads(block)).stop()


@pytest.mark.parametrize("block", [block for block in blocks("python") if "def test_" not in block])
def test_the_python_shown_runs(block: str) -> None:
    exec(block, {})


def test_every_fault_and_every_number_is_told_of() -> None:
    with start_sandbox() as sandbox:
        names = [*sandbox.stats(), *KINDS]
    assert [name for name in names if f"`{name}`" not in PAGE] == []


def test_what_can_be_changed_is_an_option() -> None:
    assert [name for name in CHANGEABLE if not hasattr(SandboxOptions(), name)] == []
