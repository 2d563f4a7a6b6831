"""Every command of the README works when pasted, and its examples are what the command takes."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from akeneo_media_cli.sandbox import Need, invent, start_sandbox

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
# These set up a machine: CI itself is their test.
SET_UP = ("make ", "pipx ")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def commands() -> list[str]:
    lines = [line for block in blocks("sh") for line in block.splitlines() if line.strip()]
    return [line for line in lines if not line.startswith(SET_UP)]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What a new user has in front of him."""
    shutil.copytree(ROOT / "sample_manifests", tmp_path / "sample_manifests")
    shutil.copy(ROOT / ".env.example", tmp_path)
    return tmp_path


def paste(command: str, folder: Path, script: list[str], **env: str) -> subprocess.CompletedProcess[str]:
    path = f"{Path(script[0]).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        ["sh", "-c", command],
        cwd=folder,
        env={**os.environ, "PATH": path, **env},
        text=True,
        capture_output=True,
        check=False,
    )


def test_there_are_commands_to_paste() -> None:
    assert len(commands()) >= 3


@pytest.mark.parametrize("line", commands())
def test_each_command_works_when_pasted(line: str, checkout: Path, command: list[str]) -> None:
    done = paste(line, checkout, command)
    assert done.returncode == 0, done.stderr


@pytest.mark.long
def test_the_first_upload_goes_as_it_is_told(checkout: Path, command: list[str]) -> None:
    (csv,) = blocks("csv")
    samples = checkout / "sample_manifests"
    (samples / "spring.csv").write_text(csv, "utf-8")
    needs = [Need("product", "runner-red", "", a, None, None, "jpg") for a in ("picture", "picture_2")]
    with start_sandbox(invent(needs)) as sandbox:
        who = sandbox.credentials
        (samples / ".env").write_text(
            f"AKENEO_URL={sandbox.url}\nAKENEO_CLIENT_ID={who.client_id}\n"
            f"AKENEO_CLIENT_SECRET={who.client_secret}\nAKENEO_USERNAME={who.username}\n"
            f"AKENEO_PASSWORD={who.password}\n"
        )
        assert "akeneo-media upload spring.csv\n" in README
        done = paste("akeneo-media upload spring.csv", samples, command)
        assert done.returncode == 0, done.stderr
        again = paste("akeneo-media upload spring.csv -q", samples, command)
        assert (again.returncode, again.stdout, again.stderr) == (0, "", "")
        assert len(sandbox.values()) == 2


def test_the_yaml_example_goes_up(checkout: Path, command: list[str]) -> None:
    (yaml,) = blocks("yaml")
    (checkout / "sample_manifests" / "rows.yaml").write_text(yaml, "utf-8")
    done = paste("akeneo-media upload sample_manifests/rows.yaml --sandbox", checkout, command)
    assert done.returncode == 0, done.stderr


def test_every_page_that_is_linked_is_there() -> None:
    pages = {p for p in re.findall(r"\]\(([^)#]+)\)", README) if not p.startswith("http")}
    assert {p for p in pages if not (ROOT / p).exists()} <= {"docs/errors.md"}


def test_the_demo_shows_what_arrived(command: list[str]) -> None:
    done = subprocess.run([*command, "demo"], cwd=ROOT, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "13 of 13 rows" in done.stderr
    lines = [line.split() for line in done.stderr.splitlines()]
    assert ["product", "runner-red"] in lines
    assert ["banner", "en_US", "ecommerce", "banner-en_US.jpg", "29.1", "kB"] in lines, "in 80 columns"
