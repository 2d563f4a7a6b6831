"""`akeneo-media upload`, as a user runs it, against a PIM on a real socket."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import PNG, Bencher, jpeg, sha256
from .test_share import sends


@pytest.mark.long
def test_two_hundred_rows_land_with_their_bytes(bench: Bencher) -> None:
    b = bench(save_time=0.02)
    content = {n: jpeg(n) for n in range(1, 201)}
    lines = ["product,attribute,file"]
    lines += [f"p-{n},picture,{b.file(f'images/{n}.jpg', data)}" for n, data in content.items()]
    done = b.upload(b.manifest(lines))
    assert done.status == 0, done.err
    held = b.held()
    assert {n: held[f"p-{n}", "picture", None, None]["sha256"] for n in content} == {
        n: sha256(data) for n, data in content.items()
    }
    stats = b.sandbox.stats()
    assert stats["token_requests"] == 1
    assert stats["calls"]["POST /media-files"] == {"201": 200}
    assert stats["most_in_flight"] == 4
    assert done.statuses() == {"total": 200, "uploaded": 200}
    item = done.item(2)
    assert item["media_code"] == held["p-1", "picture", None, None]["media_code"]
    assert item["sha256"] == sha256(content[1])
    assert item["attempts"] == 1
    assert done.report["pim"]["url"] == b.sandbox.url
    assert done.report["exit_status"] == 0


@pytest.mark.long
def test_values_of_one_product_never_meet(bench: Bencher) -> None:
    b = bench(save_time=0.03)
    lines = ["sku;attribute;file"]
    lines += [
        f"p-{product};picture_{n};{b.file(f'{product}-{n}.jpg', jpeg(f'{product}-{n}'))}"
        for product in range(1, 41)
        for n in range(1, 5)
    ]
    done = b.upload(b.manifest(lines))
    assert done.status == 0, done.err
    assert len(b.held()) == 160
    stats = b.sandbox.stats()
    assert stats["lost_values"] == 0
    assert stats["most_in_flight_per_entity"] == 1
    assert stats["most_in_flight"] == 4


@pytest.mark.long
def test_a_name_that_many_folders_share_is_sent_one_by_one_if_asked_for(bench: Bencher) -> None:
    b = bench(save_time=0.01, code_clock_step=0.005)
    lines = ["product,attribute,file"]
    for n in range(1, 61):
        lines.append(f"p-{n},picture,{b.file(f'{n}/front.jpg', jpeg(n))}")
        lines.append(f"p-{n},picture_1,{b.file(f'{n}/other-{n}.jpg', jpeg(-n))}")
    done = b.upload(b.manifest(lines), "--same-names", "serial")
    assert done.status == 0, done.err
    stats = b.sandbox.stats()
    assert stats["most_in_flight_per_name"] == 1
    assert stats["swapped"] == 0
    held = b.held()
    assert all(held[f"p-{n}", "picture", None, None]["sha256"] == sha256(jpeg(n)) for n in range(1, 61))


@pytest.mark.long
def test_names_made_of_the_row_free_the_workers(bench: Bencher) -> None:
    b = bench(save_time=0.02)
    lines = ["product,attribute,file"]
    lines += [f"p-{n},picture,{b.file(f'{n}/front.jpg', jpeg(n))}" for n in range(1, 31)]
    done = b.upload(b.manifest(lines), "--rename", "{product}-{filename}")
    assert done.status == 0, done.err
    assert b.sandbox.stats()["most_in_flight"] == 4
    assert b.held()["p-7", "picture", None, None]["original_filename"] == "p-7-front.jpg"


@pytest.mark.long
def test_rows_that_cannot_go_leave_the_others_done(bench: Bencher) -> None:
    b = bench()
    good = b.file("good.jpg", jpeg(1))
    b.file("drawing.gif", b"GIF89a" + b"\x01" * 60 + b";")
    lines = [
        "product,attribute,file",
        f"p-1,picture,{good}",
        "p-2,picture,nowhere.jpg",
        f"nobody,picture,{good}",
        "p-3,front,drawing.gif",
        f"p-4,picture,{b.file('last.jpg', jpeg(2))}",
    ]
    done = b.upload(b.manifest(lines))
    assert done.status == 1
    assert done.statuses() == {"total": 5, "uploaded": 2, "invalid": 3}
    assert done.kinds() == {3: "file_missing", 4: "target_unknown", 5: "extension_not_allowed"}
    assert b.sandbox.stats()["calls"]["POST /media-files"] == {"201": 2}
    for line in (3, 4, 5):
        error = done.item(line)["error"]
        assert error["message"]
        assert error["hint"]
        assert error["hint"] in done.err.replace("\n", " ") or error["hint"][:30] in done.err
    assert "jpg, png" in done.item(5)["error"]["hint"]


@pytest.mark.long
def test_a_name_that_is_made_is_checked_as_the_files_own(bench: Bencher) -> None:
    b = bench()
    lines = [
        "product,attribute,file,filename,note",
        f"p-1,picture,{b.file('noext', jpeg(1))},,x.averylongtail",
    ]
    lines += [f"p-2,picture,{b.file('page', b'<!DOCTYPE html><html><body>log in')},,x.jpg"]
    lines += [f"p-3,picture,{b.file('a.jpg', jpeg(3))},{'n' * 300}.jpg,x"]
    lines += [f"p-4,picture,{b.file('b.jpg', jpeg(4))},,{'n' * 250}"]
    done = b.upload(b.manifest(lines), "--rename", "{product}-{note}")
    assert done.status == 1
    assert done.kinds() == {2: "extension_too_long", 3: "content_mismatch", 5: "name_too_long"}
    assert "--rename" in done.item(2)["error"]["message"]
    assert done.item(4)["name"] == "p-3-x.jpg"
    assert sends(b) == {"201": 1}
    # Without a template the name that the row gives is too long itself.
    assert b.upload("manifest.csv", "--dry-run").kinds() == {3: "content_mismatch", 4: "name_too_long"}


@pytest.mark.long
def test_a_file_that_is_spelled_in_several_ways_is_one(bench: Bencher) -> None:
    b = bench()
    b.file("images/x.jpg", jpeg(1))
    (b.folder / "images/front.jpg").symlink_to("x.jpg")
    (b.folder / "more").mkdir()
    lines = ["product,attribute,file", "p-1,picture,images/x.jpg", "p-1,picture,./images/x.jpg"]
    lines += ["p-1,picture,images/front.jpg", "p-2,picture,images/front.jpg"]
    first = b.manifest(lines)
    second = b.manifest(["product,attribute,file", "p-1,picture,../images/x.jpg"], "more/manifest.csv")
    done = b.upload(first, second, "--allow-outside-root")
    assert done.status == 0, done.err
    assert done.statuses() == {"total": 2, "uploaded": 2}
    assert "3 rows repeat another row" in done.err
    assert b.held()["p-1", "picture", None, None]["original_filename"] == "x.jpg"


@pytest.mark.long
def test_a_manifest_without_files_sends_nothing(bench: Bencher) -> None:
    b = bench()
    done = b.upload(b.manifest(["product,attribute", "p-1,picture"]))
    assert done.status == 3
    assert "file" in done.err
    assert b.sandbox.stats()["total"] == 0


@pytest.mark.slow
def test_a_file_of_600_mb_goes_up_in_little_memory(bench: Bencher) -> None:
    b = bench()
    big = b.folder / "film.mp4"
    with big.open("wb") as file:
        file.write(bytes.fromhex("00000018667479706d703432000000006d70343269736f6d"))
        file.truncate(600_000_000)
    manifest = b.manifest(["product,attribute,file", "p-1,picture,film.mp4"])
    assert b.memory("upload", manifest, "--progress", "none") < 100_000_000
    assert b.held()["p-1", "picture", None, None]["size"] == 600_000_000


@pytest.mark.long
def test_settings_are_told_all_at_once(command: list[str], tmp_path: Path) -> None:
    done = subprocess.run(
        [*command, "upload", "manifest.csv"], cwd=tmp_path, text=True, capture_output=True, check=False
    )
    assert done.returncode == 2
    for name in (
        "AKENEO_URL",
        "AKENEO_CLIENT_ID",
        "AKENEO_CLIENT_SECRET",
        "AKENEO_USERNAME",
        "AKENEO_PASSWORD",
    ):
        assert name in done.stderr
    assert "--sandbox" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.long
def test_wrong_credentials_end_it_after_one_try(bench: Bencher) -> None:
    b = bench()
    lines = ["product,attribute,file"] + [
        f"p-{n},picture,{b.file(f'{n}.jpg', jpeg(n))}" for n in range(1, 21)
    ]
    done = b.upload(b.manifest(lines), env={"AKENEO_PASSWORD": "wrong-pass-word"})
    assert done.status == 4
    assert done.statuses() == {"total": 20, "pending": 20}
    assert "wrong-pass-word" not in done.err + json.dumps(done.report)
    assert b.sandbox.stats()["token_requests"] == 1


@pytest.mark.long
def test_rehearsal_needs_no_pim(command: list[str], tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(jpeg(1))
    (tmp_path / "b.png").write_bytes(PNG)
    rows = [
        {"product": "x", "attribute": "front", "file": "a.jpg"},
        {"product_model": "y", "attribute": "back", "file": "b.png", "locale": "en_US", "scope": "shop"},
    ]
    manifest = "\n".join(map(json.dumps, rows))
    done = subprocess.run(
        [*command, "upload", "-", "--sandbox", "--report", "-"],
        input=manifest,
        cwd=tmp_path,
        text=True,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["summary"]["uploaded"] == 2


@pytest.mark.long
def test_standard_input_needs_no_format(bench: Bencher) -> None:
    b = bench()
    manifest = f"- {{product: p-1, attribute: picture, file: {b.file('a.jpg', jpeg(1))}}}\n"
    for command in ("validate", "upload", "verify", "download"):
        done = b.run(command, "-", stdin=manifest)
        assert (done.status, done.report["summary"]["total"]) == (0, 1), done.err
    refused = b.upload("-", stdin="hello world\n")
    assert refused.status == 2, refused.err
    assert "Name one: --format csv" in refused.err
    refused = b.upload("-", "--sandbox", stdin="hello world\n")
    assert refused.status == 2, refused.err


@pytest.mark.long
def test_dry_run_sends_nothing(bench: Bencher) -> None:
    b = bench()
    manifest = b.manifest(
        ["product,attribute,file", f"p-1,picture,{b.file('a.jpg', jpeg(1))}", "p-2,name,a.jpg"]
    )
    done = b.upload(manifest, "--dry-run")
    assert done.status == 1
    assert done.statuses() == {"total": 2, "planned": 1, "invalid": 1}
    assert "POST /media-files" not in b.sandbox.stats()["calls"]


@pytest.mark.long
def test_strict_sends_nothing_when_the_pim_would_refuse_a_row(bench: Bencher) -> None:
    b = bench()
    manifest = b.manifest(
        ["product,attribute,file", f"p-1,picture,{b.file('a.jpg', jpeg(1))}", "nobody,picture,a.jpg"]
    )
    done = b.upload(manifest, "--strict")
    assert done.status == 3
    assert done.statuses() == {"total": 2, "pending": 1, "invalid": 1}
    assert "POST /media-files" not in b.sandbox.stats()["calls"]


@pytest.mark.long
def test_a_second_run_sends_nothing_and_a_changed_file_exactly_itself(bench: Bencher) -> None:
    b = bench()
    lines = ["product,attribute,file"] + [
        f"p-{n},picture,{b.file(f'{n}.jpg', jpeg(n))}" for n in range(1, 31)
    ]
    manifest = b.manifest(lines)
    assert b.upload(manifest).status == 0
    calls = b.sandbox.stats()["total"]
    again = b.upload(manifest, "--skip", "ledger")
    assert again.status == 0
    assert again.statuses() == {"total": 30, "unchanged": 30}
    assert b.sandbox.stats()["total"] == calls
    assert "the PIM was not asked" in again.err
    os.utime(b.folder / "5.jpg", (1, 1))
    b.file("9.jpg", jpeg("new"))
    third = b.upload(manifest)
    assert third.statuses() == {"total": 30, "uploaded": 1, "unchanged": 29}
    assert third.item(10)["status"] == "uploaded"
    assert b.held()["p-9", "picture", None, None]["sha256"] == sha256(jpeg("new"))


@pytest.mark.long
def test_remote_mode_believes_the_pim(bench: Bencher) -> None:
    b = bench()
    lines = ["product,attribute,file"] + [
        f"p-{n},picture,{b.file(f'{n}.jpg', jpeg(n))}" for n in range(1, 31)
    ]
    manifest = b.manifest(lines)
    assert b.upload(manifest).status == 0
    again = b.upload(manifest, "--skip", "remote", "--no-state")
    assert again.statuses() == {"total": 30, "unchanged": 30}
    with_ledger = b.upload(manifest, "--skip", "remote")
    assert with_ledger.statuses() == {"total": 30, "unchanged": 30}
    assert with_ledger.report["summary"]["requests"] <= 12


def test_the_module_runs_as_the_command_does(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "akeneo_media_cli", "--version"], text=True, capture_output=True, check=True
    )
    assert done.stdout.startswith("akeneo-media ")


def test_how_many_at_once_the_pim_bears_is_found_up_to_what_is_allowed(bench: Bencher) -> None:
    b = bench(save_time=0.03)
    lines = [
        "product,attribute,file",
        *(f"p-{n},picture,{b.file(f'{n}.jpg', jpeg(n))}" for n in range(1, 41)),
    ]
    done = b.upload(b.manifest(lines), "--concurrency", "auto:3")
    assert done.status == 0, done.err
    assert len(b.held()) == 40
    assert b.sandbox.stats()["most_in_flight"] == 3


def test_an_upload_loads_nothing_that_it_has_no_use_for(bench: Bencher) -> None:
    b = bench()
    manifest = b.manifest(["product,attribute,file", f"p-1,picture,{b.file('1.jpg', jpeg(1))}"])
    program = (
        "import atexit, sys; atexit.register(lambda: print(*sys.modules))\n"
        "from akeneo_media_cli.__main__ import main; main()"
    )
    b.command = [sys.executable, "-c", program]
    done = b.upload(manifest, "--skip", "none", "--retries", "2")
    assert done.statuses() == {"total": 1, "uploaded": 1}
    slow = {"pydantic", "requests", "rich", "yaml", "ijson", "filelock", "asyncio", "PIL", "html"}
    ours = ("fit.convert", "jobs.beside.step", "manifest.encodings", "manifest.sheets.xlsx")
    ours += ("preflight.entities", "report.markdown", "report.page.html", "storage.links.web")
    assert not (slow | {f"akeneo_media_cli.{each}" for each in ours}) & set(done.out.split())
