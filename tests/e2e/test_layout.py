"""Exports of a PIM go up as they stand."""

from __future__ import annotations

import io
import os
import subprocess
import zipfile

import pytest

from .conftest import Bench, Bencher, catalogue, jpeg, sha256


def export(bench: Bench, files: dict[str, bytes], table: str, how: int = zipfile.ZIP_DEFLATED) -> str:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", how) as archive:
        archive.writestr("products.csv", table)
        for path, content in files.items():
            archive.writestr(path, content)
    return bench.file("export.zip", out.getvalue())


def products(count: int) -> tuple[dict[str, bytes], str]:
    files = {f"files/p-{n}/picture/front.jpg": jpeg(n) for n in range(1, count + 1)}
    lines = [f"p-{n};shoes;files/p-{n}/picture/front.jpg;files/p-{n}/name" for n in range(1, count + 1)]
    return files, "sku;family;picture;name\n" + "\n".join(lines) + "\n"


@pytest.mark.long
def test_a_zip_goes_up_and_only_once(bench: Bencher) -> None:
    b = bench()
    files, table = products(12)
    zipped = export(b, files, table)
    done = b.upload(zipped)
    assert (done.status, done.statuses()["uploaded"]) == (0, 12), done.err
    held = b.held()
    assert held["p-7", "picture", None, None]["sha256"] == sha256(jpeg(7))
    assert held["p-7", "picture", None, None]["original_filename"] == "front.jpg"
    # An export of the same pictures is nothing new; one other picture is.
    files["files/p-3/picture/front.jpg"] = jpeg("new")
    os.utime(b.folder / export(b, files, table), (1, 1))
    again = b.upload(zipped)
    assert again.statuses() == {"total": 12, "uploaded": 1, "unchanged": 11}
    assert b.run("verify", zipped, "--deep").status == 0


def test_tables_without_zip_take_files_beside_them(bench: Bencher) -> None:
    b = bench()
    files, table = products(2)
    for path, content in files.items():
        b.file(path, content)
    b.file("products.csv", table.encode())
    assert b.upload("products.csv", "--format", "akeneo").status == 0
    assert len(b.held()) == 2


@pytest.mark.long
def test_offline_columns_must_be_named(bench: Bencher) -> None:
    b = bench()
    zipped = export(b, *products(2))
    refused = b.run("validate", zipped)
    assert refused.status == 2
    assert "--columns" in refused.err
    named = b.run("validate", zipped, "--columns", "picture")
    assert (named.status, named.statuses()["planned"]) == (0, 2), named.err
    assert b.run("validate", zipped, "--online").status == 0
    rehearsed = b.upload(zipped, "--sandbox", "--columns", "picture")
    assert rehearsed.status == 0, rehearsed.err
    assert b.upload(zipped, "--sandbox").status == 2


def test_a_user_who_may_not_read_attributes_is_told(bench: Bencher) -> None:
    who = {
        "client_id": "1_a",
        "client_secret": "s",
        "username": "blind",
        "password": "p",
        "list_attributes": False,
    }
    b = bench(catalogue(connections={"blind": who}))
    done = b.upload(export(b, *products(2)))
    assert done.status == 2, done.err
    assert "--columns" in done.err


def test_a_damaged_member_is_the_rows_failure(bench: Bencher) -> None:
    b = bench()
    files, table = products(3)
    files["files/p-2/picture/front.jpg"] = jpeg(2, 50_000)
    zipped = export(b, files, table, zipfile.ZIP_STORED)
    path = b.folder / zipped
    content = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        info = archive.getinfo("files/p-2/picture/front.jpg")
    # Beyond the head that is looked at before: the last bytes of the member.
    at = info.header_offset + 30 + len(info.filename) + info.compress_size - 100
    content[at] ^= 0xFF
    path.write_bytes(content)
    done = b.upload(zipped, "--columns", "picture")
    assert done.status == 1
    assert done.statuses()["uploaded"] == 2
    assert set(done.kinds().values()) == {"file_unreadable"}
    assert ("p-2", "picture", None, None) not in b.held()


def test_an_unsafe_zip_is_refused_whole(bench: Bencher) -> None:
    b = bench()
    files, table = products(1)
    zipped = export(b, {**files, "../evil.jpg": b"x"}, table)
    done = b.upload(zipped)
    assert done.status == 3
    assert "leads out of it" in done.err
    assert not b.held()


def test_what_failed_is_tried_again_out_of_the_zip(bench: Bencher) -> None:
    b = bench()
    zipped = export(
        b, {"files/p-1/picture/a.tiff": b"II*\0\x08" + bytes(50)}, "sku;front\np-1;files/p-1/picture/a.tiff\n"
    )
    done = b.upload(zipped, "--columns", "front", "--no-preflight")
    assert (done.status, list(done.kinds().values())) == (1, ["extension_not_allowed"]), done.err
    again = b.run("runs", "retry", "last", report=False)
    assert again.status == 1, again.err
    (b.folder / zipped).unlink()
    gone = b.run("runs", "retry", done.report["run"], report=False)
    assert "File not found" in gone.err, gone.err


@pytest.mark.slow
def test_memory_does_not_grow_with_the_zip(bench: Bencher) -> None:
    b = bench()
    out = b.folder / "big.zip"
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("p.csv", "sku;picture\np-1;files/a.jpg\n")
        archive.writestr("files/a.jpg", jpeg(1, 300_000_000))
    script = f"ulimit -v 600000; exec {b.command[0]} upload big.zip --columns picture --no-state"
    done = subprocess.run(
        ["bash", "-c", script], cwd=b.folder, env=b.environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
