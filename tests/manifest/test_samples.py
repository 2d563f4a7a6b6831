"""The sample manifests are sound, and their files are what they say."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image

from akeneo_media_cli.storage import FileRoots, LocalFile, check_file

from .reading import Reader

SAMPLES = Path(__file__).parents[2] / "sample_manifests"
MANIFESTS = sorted(path for path in SAMPLES.iterdir() if path.suffix in (".csv", ".yaml", ".jsonl"))


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.name)
def test_every_row_is_good(read: Reader, path: Path) -> None:
    found = read.files(str(path))
    assert found.notes == []
    assert len(found.rows) >= 3
    for row in found.rows:
        assert row.problem is None
        assert isinstance(check_file(row, FileRoots()), LocalFile)


def test_they_show_the_formats_and_every_file_is_used(read: Reader) -> None:
    assert [path.suffix for path in MANIFESTS] == [".yaml", ".jsonl", ".csv"]
    used = set()
    for row in read.files(*map(str, MANIFESTS)).rows:
        found = check_file(row, FileRoots())
        assert isinstance(found, LocalFile)
        used.add(Path(found.path).resolve())
    there = {path for path in SAMPLES.rglob("*.*") if path.parent != SAMPLES}
    assert used == {path.resolve() for path in there}


def test_the_files_are_genuine_and_small() -> None:
    formats = {".jpg": "JPEG", ".png": "PNG", ".webp": "WEBP"}
    seen = set()
    for path in SAMPLES.rglob("*.*"):
        if path.parent == SAMPLES:
            continue
        content = path.read_bytes()
        assert len(content) < 60_000
        seen.add(path.suffix)
        if path.suffix == ".pdf":
            assert content.startswith(b"%PDF-1.4") and content.rstrip().endswith(b"%%EOF")
            start = int(content.rsplit(b"startxref", 1)[1].split()[0])
            assert content[start : start + 4] == b"xref"
        else:
            with Image.open(io.BytesIO(content)) as picture:
                picture.load()
                assert picture.format == formats[path.suffix]
    assert seen == {".jpg", ".png", ".webp", ".pdf"}
