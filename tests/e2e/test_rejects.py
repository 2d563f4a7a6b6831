"""`--rejects`: what was wrong comes back as a manifest that is right once it is corrected."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from akeneo_media_cli.cli.session.file_conflicts import NamedFiles
from akeneo_media_cli.errors import UsageError

from .conftest import Bencher, jpeg

MANIFEST = (
    "sku;file;attribute;photographer;error\n"
    "p-1;good.jpg;picture;Ann;\n"
    "p-2;gone.jpg;picture;Bob;old\n"
    "nobody;good.jpg;picture;=Cid;\n"
)


@pytest.mark.parametrize("name", ["bad.csv", "bad.xlsx"])
@pytest.mark.long
def test_what_was_wrong_can_be_corrected_and_run_again(bench: Bencher, name: str) -> None:
    b = bench()
    b.file("good.jpg", jpeg(1))
    manifest = b.file("m.csv", MANIFEST.encode())
    done = b.run("upload", manifest, "--rejects", name)
    assert done.status == 1
    again = b.run("upload", name)
    assert again.status == 1
    wrong = {(i["target"]["identifier"], i["error"]["kind"]) for i in again.report["items"]}
    assert wrong == {("p-2", "file_missing"), ("nobody", "target_unknown")}
    assert [i["extra"]["photographer"] for i in again.report["items"]] == ["Bob", "=Cid"]
    b.file("gone.jpg", jpeg(2))
    assert b.run("upload", name, "--report", "r.json").report["summary"]["uploaded"] == 1


def test_the_column_says_what_was_wrong(bench: Bencher) -> None:
    b = bench()
    manifest = b.file("m.csv", MANIFEST.encode())
    b.run("validate", manifest, "--rejects", "bad.csv")
    with (b.folder / "bad.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["product"] for row in rows] == ["p-1", "p-2", "nobody"]
    assert all(row["error"].startswith("file_missing: ") for row in rows)


def test_a_corrected_file_keeps_its_own_name(bench: Bencher) -> None:
    b = bench()
    manifest = b.file(
        "m.csv", b"product,attribute,file,filename\np-1,picture,in/x.jpg,\np-2,picture,in/y.jpg,y.jpg\n"
    )
    b.run("validate", manifest, "--rename", "{product}-{filename}", "--rejects", "bad.csv")
    with (b.folder / "bad.csv").open(encoding="utf-8", newline="") as file:
        assert [row["filename"] for row in csv.DictReader(file)] == ["", "y.jpg"]


def test_a_file_that_is_no_manifest_is_wrong_usage(bench: Bencher) -> None:
    b = bench()
    manifest = b.file("m.csv", MANIFEST.encode())
    done = b.run("upload", manifest, "--rejects", "bad.pdf")
    assert done.status == 2
    assert "--rejects" in done.err


def test_files_that_cannot_be_written_are_told_before_anything_is_sent(tmp_path: Path) -> None:
    for file in (
        NamedFiles(rejects=tmp_path / "none/r.csv"),
        NamedFiles(metrics_file=tmp_path / "none/m.prom"),
    ):
        with pytest.raises(UsageError, match="there is no folder"):
            file.check()
