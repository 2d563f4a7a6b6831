"""Every option is a variable: pairs, and paths with spaces in them."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from .conftest import Bench, Bencher, jpeg
from .many import uploads


def one_file_for_three(b: Bench) -> str:
    b.file("a.jpg", jpeg(1))
    return b.manifest(["product,attribute,file", *(f"p-{n},picture,a.jpg" for n in (1, 2, 3))])


@pytest.mark.parametrize(
    ("environment", "settings", "options", "sent"),
    [
        ({}, "", [], 1),
        ({"NO_SHARE": "1"}, "", [], 3),
        ({"NO_SHARE": "true"}, "", [], 3),
        ({"SHARE": "0"}, "", [], 3),
        ({"NO_SHARE": "0"}, "", [], 1),
        ({"NO_SHARE": "1", "SHARE": "0"}, "", [], 3),
        ({"NO_SHARE": "1"}, "", ["--share"], 1),
        ({}, "NO_SHARE=1", [], 3),
        ({"SHARE": "1"}, "NO_SHARE=1", [], 1),
        ({"NO_SHARE": "1"}, "SHARE=1", [], 3),
    ],
)
@pytest.mark.long
def test_a_pair_is_two_variables(
    bench: Bencher, environment: dict[str, str], settings: str, options: list[str], sent: int
) -> None:
    b = bench()
    (b.folder / ".env").write_text(f"AKENEO_MEDIA_{settings}\n" if settings else "", encoding="utf-8")
    env = {f"AKENEO_MEDIA_{name}": value for name, value in environment.items()}
    done = b.upload(one_file_for_three(b), *options, env=env)
    assert (done.status, uploads(b)) == (0, sent)
    assert "Unknown option" not in done.err


@pytest.mark.parametrize(
    ("environment", "says"),
    [
        ({"NO_SHARE": "1", "SHARE": "1"}, "AKENEO_MEDIA_NO_SHARE in the environment contradict"),
        ({"NO_SHARE": "0", "SHARE": "0"}, "AKENEO_MEDIA_NO_SHARE in the environment contradict"),
        ({"NO_SHARE": "never"}, "AKENEO_MEDIA_NO_SHARE in the environment is neither 1 nor 0"),
    ],
)
def test_a_contradiction_is_wrong_usage(bench: Bencher, environment: dict[str, str], says: str) -> None:
    b = bench()
    env = {f"AKENEO_MEDIA_{name}": value for name, value in environment.items()}
    done = b.upload(one_file_for_three(b), env=env)
    assert done.status == 2
    assert says in done.err
    assert uploads(b) == 0


def test_so_it_is_in_the_file_of_the_settings(bench: Bencher) -> None:
    b = bench()
    (b.folder / ".env").write_text("AKENEO_MEDIA_SHARE=1\nAKENEO_MEDIA_NO_SHARE=1\n", encoding="utf-8")
    done = b.upload(one_file_for_three(b))
    assert done.status == 2
    assert "contradict each other" in done.err


def test_the_folders_below_are_left_out_by_variable_too(bench: Bencher) -> None:
    b = bench()
    b.file("photos/p-1_picture.jpg", jpeg(1))
    b.file("photos/below/p-2_picture.jpg", jpeg(2))
    arguments = ("scan", "photos", "--pattern", "{product}_{attribute}.{ext}")
    assert len(b.run(*arguments, report=False).out.splitlines()) == 3
    env = {"AKENEO_MEDIA_NO_RECURSIVE": "1"}
    assert len(b.run(*arguments, report=False, env=env).out.splitlines()) == 2


def test_several_reports_may_have_spaces_in_their_names(bench: Bencher) -> None:
    b = bench()
    env = {"AKENEO_MEDIA_REPORT": os.pathsep.join(("our report.json", "other.csv"))}
    assert b.upload(one_file_for_three(b), report=False, env=env).status == 0
    assert (b.folder / "our report.json").exists()
    assert (b.folder / "other.csv").exists()
    merged = {"AKENEO_MEDIA_REPORT_OUTPUT": os.pathsep.join(("all of it.md", "all.html"))}
    assert b.run("report", "merge", "our report.json", report=False, env=merged).status == 0
    assert (b.folder / "all of it.md").exists()
    assert (b.folder / "all.html").exists()


@pytest.mark.parametrize("name", ["AKENEO_MEDIA_FORMAT", "AKENEO_MEDIA_OUTPUT"])
@pytest.mark.parametrize("where", ["environment", ".env"])
def test_a_variable_that_meant_something_else_to_each_command_says_so(
    command: list[str], tmp_path: Path, name: str, where: str
) -> None:
    (tmp_path / "m.csv").write_text("sku,attribute,file\n")
    if where == ".env":
        (tmp_path / ".env").write_text(f"{name}=csv\n")
    done = subprocess.run(
        [*command, "validate", "m.csv"],
        cwd=tmp_path,
        env={**os.environ, **({name: "csv"} if where == "environment" else {})},
        text=True,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 2
    assert f"{name} is not a variable any more" in done.stderr
    assert "AKENEO_MEDIA_SCAN_" in done.stderr


def test_map_and_its_namesake_of_scan_have_variables_of_their_own(command: list[str], tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text("Artikel Nr;Bild\na;a_front.jpg\n")
    (tmp_path / "a_front.jpg").write_bytes(jpeg(1))
    (tmp_path / ".env").write_text(
        'AKENEO_MEDIA_MAP="Artikel_Nr=product Bild=file"\nAKENEO_MEDIA_SCAN_MAP=front=picture\n'
    )

    def run(*call: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*command, *call], cwd=tmp_path, text=True, capture_output=True, check=False)

    assert run("validate", "m.csv", "--set", "attribute=p").returncode == 0
    assert ",picture," in run("scan", ".", "--pattern", "{product}_{attribute}.{ext}").stdout
