"""No file that a call names is written over another one."""

from __future__ import annotations

from pathlib import Path

import pytest

from .conftest import Bench, Bencher, jpeg


def two_manifests(b: Bench) -> tuple[str, str]:
    b.file("a.jpg", jpeg(1))
    return (
        b.manifest(["product,attribute,file", "p-1,picture,a.jpg"]),
        b.manifest(["product,attribute,file", "p-2,picture,a.jpg"], "other.csv"),
    )


def content(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--metrics-file", "other.csv"], "--metrics-file other.csv: is a manifest of this run"),
        (["--log-file", "./manifest.csv"], "--log-file manifest.csv: is a manifest of this run"),
        (["--log-file", "link.csv"], "--log-file link.csv: is a manifest of this run"),
        (["--state", "other.csv"], "--state other.csv: is a manifest of this run"),
        (["--log-file", ".env"], "--log-file .env: is the file of the settings"),
        (["--env-file", "my.env", "--metrics-file", "my.env"], "my.env: is the file of the settings"),
        (["--log-file", "x", "--metrics-file", "x"], "--log-file x: is the file of --metrics-file"),
        (["--state", "s", "--log-file", "s"], "--log-file s: is the file of --state"),
        (["--report", "r.csv", "--log-file", "r.csv"], "--report r.csv: is the file of --log-file"),
        (["--report", "r.csv", "--metrics-file", "./r.csv"], "--report r.csv: is the file of --metrics-file"),
        (["--env-file", "my.json", "--report", "my.json"], "--report my.json: is the file of the settings"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
@pytest.mark.long
def test_a_file_in_the_place_of_another_is_refused_before_anything_happens(
    bench: Bencher, options: list[str], says: str
) -> None:
    b = bench()
    manifests = two_manifests(b)
    (b.folder / "link.csv").symlink_to("manifest.csv")
    for name in (".env", "my.env", "my.json"):
        b.file(name, b"# nothing\n")
    before = content(b.folder)
    done = b.upload(*manifests, *options, report=False)
    assert done.status == 2
    assert says in done.err
    assert content(b.folder) == before
    assert b.sandbox.stats()["calls"] == {}


@pytest.mark.long
def test_the_same_goes_for_the_other_commands(bench: Bencher) -> None:
    b = bench()
    manifest, _ = two_manifests(b)
    b.file("photos/p-1_picture.jpg", jpeg(1))
    b.file(".env", b"# nothing\n")
    before = content(b.folder)
    for arguments in (
        ("validate", manifest, "--log-file", manifest),
        ("verify", manifest, "--log-file", manifest),
        ("download", manifest, "--metrics-file", manifest),
        ("media", "list", "--log-file", ".env"),
        ("media", "get", "x", "--log-file", ".env"),
        ("media", "download", "x", "--log-file", ".env"),
        ("export", "-o", ".env", "--format", "csv"),
        ("export", "-o", "new.csv", "--log-file", "new.csv"),
        ("scan", "photos", "--pattern", "{product}_{attribute}.{ext}", "-o", ".env", "--format", "csv"),
    ):
        done = b.run(*arguments, report=False)
        assert done.status == 2, arguments
        assert "would be written over" in done.err, arguments
        assert content(b.folder) == before, arguments


def test_devices_take_from_many(bench: Bencher) -> None:
    b = bench()
    manifest, _ = two_manifests(b)
    done = b.upload(manifest, "--log-file", "/dev/null", "--env-file", "/dev/null")
    assert done.status == 0, done.err
