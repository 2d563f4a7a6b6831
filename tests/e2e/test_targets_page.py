"""Every example of docs/targets.md is a manifest that `upload --sandbox` takes as it stands."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from akeneo_media_cli.rows import TargetType

from .conftest import jpeg

PAGE = (Path(__file__).parents[2] / "docs" / "targets.md").read_text("utf-8")
EXAMPLES = re.findall(r"```csv\n(.*?)```", PAGE, re.DOTALL)


def rehearse(command: list[str], folder: Path, manifest: str) -> dict[str, object]:
    for name in ("front", "back"):
        (folder / f"{name}.jpg").write_bytes(jpeg(name))
    (folder / "manual.pdf").write_bytes(b"%PDF-1.4\n%%EOF\n")
    (folder / "manifest.csv").write_text(manifest, "utf-8")
    done = subprocess.run(
        [*command, "upload", "manifest.csv", "--sandbox", "--report", "-"],
        cwd=folder,
        text=True,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    report: dict[str, object] = json.loads(done.stdout)
    return report


@pytest.mark.parametrize("manifest", EXAMPLES, ids=lambda text: text.split("\n")[0])
@pytest.mark.long
def test_each_example_works_as_it_stands(manifest: str, command: list[str], tmp_path: Path) -> None:
    report = rehearse(command, tmp_path, manifest)
    rows = len(manifest.strip().split("\n")) - 1
    assert report["summary"]["uploaded"] == rows  # type: ignore[index]


def test_all_examples_work_in_one_manifest(command: list[str], tmp_path: Path) -> None:
    columns: dict[str, None] = {}
    cells = []
    for example in EXAMPLES:
        head, *lines = example.strip().split("\n")
        columns.update(dict.fromkeys(head.split(",")))
        cells += [dict(zip(head.split(","), line.split(","), strict=True)) for line in lines]
    unique = {tuple(sorted((k, v) for k, v in row.items() if v and k != "file")): row for row in cells}
    lines = [",".join(columns)]
    lines += [",".join(row.get(column, "") for column in columns) for row in unique.values()]
    report = rehearse(command, tmp_path, "\n".join(lines) + "\n")
    assert report["summary"]["uploaded"] == len(unique)  # type: ignore[index]
    items: list[dict[str, dict[str, str]]] = report["items"]  # type: ignore[assignment]
    assert {item["target"]["type"] for item in items} == {kind.value for kind in TargetType}
