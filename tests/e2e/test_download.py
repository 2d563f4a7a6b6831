"""`akeneo-media download` and `media download`, as a user runs them, against a PIM on a real socket."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from akeneo_media_cli.pim.client import PimClient
from akeneo_media_cli.pim.connection import Connection
from akeneo_media_cli.sandbox import parse_faults
from akeneo_media_cli.secret import Secret

from .conftest import PNG, Bench, Bencher, catalogue, jpeg, sha256

STATUSES = ("downloaded", "unchanged", "missing", "invalid", "failed", "pending")


def words(report: dict[str, object]) -> dict[str, int]:
    summary = report["summary"]
    assert isinstance(summary, dict)
    return {k: v for k, v in summary.items() if v and k in STATUSES}


def filled(b: Bench, rows: int = 20) -> dict[str, bytes]:
    """A PIM with `picture` on p-1 and so on, and the manifest that filled it; file names with bytes."""
    content = {f"images/{n}.jpg": jpeg(n, 3000 + n) for n in range(1, rows + 1)}
    lines = ["product,attribute,file"]
    lines += [f"p-{n},picture,{b.file(name, data)}" for n, (name, data) in enumerate(content.items(), 1)]
    done = b.upload(b.manifest(lines), "--no-state")
    assert done.status == 0, done.err
    return content


def emptied(b: Bench, *names: str) -> None:
    for name in names:
        (b.folder / name).unlink()


def leftovers(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob(".akeneo-media-*")]


@pytest.mark.long
def test_every_row_gets_the_bytes_that_the_pim_holds(bench: Bencher) -> None:
    b = bench(latency=0.01)
    content = filled(b)
    for name in content:
        (b.folder / name).unlink()
    (b.folder / "images").rmdir()
    done = b.run("download", "manifest.csv")
    assert done.status == 0, done.err
    assert {name: (b.folder / name).read_bytes() for name in content} == content
    assert words(done.report) == {"downloaded": 20}
    assert done.report["command"] == "download"
    assert done.report["summary"]["bytes_received"] == sum(map(len, content.values()))
    item = done.item(2)
    assert item["status"] == "downloaded"
    assert item["sha256"] == sha256(content["images/1.jpg"])
    assert item["size"] == 3001
    assert item["media_code"] == b.held()["p-1", "picture", None, None]["media_code"]
    assert b.sandbox.stats()["most_in_flight"] == 4
    assert "Every file is here." in done.err
    assert leftovers(b.folder) == []


@pytest.mark.long
def test_what_is_here_already_is_not_fetched_again(bench: Bencher) -> None:
    b = bench()
    content = filled(b)
    first = b.run("download", "manifest.csv")
    assert first.status == 0, first.err
    assert words(first.report) == {"unchanged": 20}, "the same bytes are left alone"
    fetched = b.sandbox.stats()["total"]
    stamps = {name: (b.folder / name).stat().st_mtime_ns for name in content}
    second = b.run("download", "manifest.csv")
    assert words(second.report) == {"unchanged": 20}
    assert {name: (b.folder / name).stat().st_mtime_ns for name in content} == stamps
    # Token, attributes, channels, locales, products: what the ledger knows needs no call a row.
    assert b.sandbox.stats()["total"] - fetched <= 10
    # A file that was only touched is known by its bytes, one that was changed is compared.
    os.utime(b.folder / "images/1.jpg")
    (b.folder / "images/2.jpg").write_bytes(jpeg("other", 3002))
    third = b.run("download", "manifest.csv")
    assert third.status == 1
    assert words(third.report) == {"unchanged": 19, "failed": 1}
    assert third.kinds() == {3: "file_exists"}


@pytest.mark.long
def test_what_was_downloaded_needs_no_upload(bench: Bencher) -> None:
    b = bench()
    content = filled(b, 5)
    emptied(b, *content)
    assert b.run("download", "manifest.csv").status == 0
    done = b.upload("manifest.csv")
    assert done.statuses() == {"total": 5, "unchanged": 5}


@pytest.mark.long
def test_a_different_file_stays_unless_it_may_be_replaced(bench: Bencher) -> None:
    b = bench()
    content = filled(b, 3)
    (b.folder / "images/1.jpg").write_bytes(b"mine")
    (b.folder / "images/2.jpg").write_bytes(jpeg("same size", 3002))
    done = b.run("download", "manifest.csv")
    assert done.status == 1
    assert done.kinds() == {2: "file_exists", 3: "file_exists"}
    assert "--overwrite" in done.item(2)["error"]["hint"]
    assert (b.folder / "images/1.jpg").read_bytes() == b"mine"
    done = b.run("download", "manifest.csv", "--overwrite")
    assert done.status == 0, done.err
    assert words(done.report) == {"downloaded": 2, "unchanged": 1}
    assert {name: (b.folder / name).read_bytes() for name in content} == content
    assert leftovers(b.folder) == []


@pytest.mark.long
def test_empty_values_and_unknown_targets_are_told_row_by_row(bench: Bencher) -> None:
    b = bench()
    filled(b, 1)
    lines = [
        "product,attribute,file",
        "p-1,picture,new/1.jpg",
        "p-2,picture,new/2.jpg",
        "nobody,picture,new/3.jpg",
        "p-1,name,new/4.jpg",
        "p-1,nothing,new/5.jpg",
        "p-1,shop,new/6.jpg",
    ]
    done = b.run("download", b.manifest(lines))
    assert done.status == 1
    assert words(done.report) == {"downloaded": 1, "missing": 1, "invalid": 4}
    assert done.kinds() == {
        3: "value_missing",
        4: "target_unknown",
        5: "attribute_not_media",
        6: "attribute_unknown",
        7: "scope_required",
    }
    assert sorted(p.name for p in (b.folder / "new").iterdir()) == ["1.jpg"]


def test_rows_leave_their_root_only_when_allowed(bench: Bencher, tmp_path: Path) -> None:
    b = bench()
    filled(b, 6)
    outside = tmp_path / "outside"
    outside.mkdir()
    (b.folder / "door").symlink_to(outside, target_is_directory=True)
    (b.folder / "way.jpg").symlink_to(outside / "way.jpg")
    lines = [
        "product,attribute,file",
        "p-1,picture,../up.jpg",
        f"p-2,picture,{outside}/absolute.jpg",
        "p-3,picture,door/linked.jpg",
        "p-4,picture,way.jpg",
        "p-5,picture,folder/..",
        "p-6,picture,deep/../plain.jpg",
    ]
    done = b.run("download", b.manifest(lines))
    assert done.kinds() == {
        2: "outside_root",
        3: "outside_root",
        4: "outside_root",
        5: "file_not_regular",
        6: "row_malformed",
    }
    assert list(outside.iterdir()) == []
    assert (b.folder / "plain.jpg").read_bytes() == jpeg(6, 3006)
    done = b.run("download", "manifest.csv", "--allow-outside-root", "--overwrite")
    assert {n for n, k in done.kinds().items() if k == "outside_root"} == set()
    assert sorted(p.name for p in outside.iterdir()) == ["absolute.jpg", "linked.jpg"]


@pytest.mark.long
def test_a_manifest_cannot_make_any_folder_its_root(bench: Bencher, tmp_path: Path) -> None:
    b = bench()
    filled(b, 1)
    (outside := tmp_path / "outside").mkdir()
    content = f"root: {outside}\nuploads: [{{product: p-1, attribute: picture, file: a.jpg}}]\n"
    done = b.run("download", b.manifest([content], "m.yaml"))
    assert (done.status, done.kinds()) == (1, {1: "outside_root"})
    assert list(outside.iterdir()) == []
    (outside / "a.jpg").write_bytes(jpeg("private"))
    for source, stdin in (("m.yaml", None), ("-", content)):
        done = b.upload(source, "--format", "yaml", stdin=stdin)
        assert (done.status, done.kinds()) == (1, {1: "outside_root"}), done.err
        assert "--root DIR" in done.err
    assert b.upload("m.yaml", "--root", str(outside)).status == 0


def test_a_link_is_read_but_never_written_through(bench: Bencher) -> None:
    b = bench()
    content = filled(b, 2)
    store = b.folder / "store"
    store.mkdir()
    for n, data in ((1, content["images/1.jpg"]), (2, jpeg("other", 3002))):
        (store / f"{n}.jpg").write_bytes(data)
        (b.folder / f"images/{n}.jpg").unlink()
        (b.folder / f"images/{n}.jpg").symlink_to(store / f"{n}.jpg")
    done = b.run("download", "manifest.csv", "--overwrite")
    assert words(done.report) == {"unchanged": 1, "failed": 1}
    assert done.kinds() == {3: "file_exists"}
    assert "link" in done.item(3)["error"]["message"]
    assert (store / "2.jpg").read_bytes() == jpeg("other", 3002)


def test_roots_in_order(bench: Bencher) -> None:
    b = bench()
    content = filled(b, 2)
    for name in ("one", "two"):
        (b.folder / name / "images").mkdir(parents=True)
    (b.folder / "two/images/2.jpg").write_bytes(b"old")
    done = b.run("download", "manifest.csv", "--root", "one", "--root", "two", "--overwrite", "--no-state")
    assert done.status == 0, done.err
    assert (b.folder / "one/images/1.jpg").read_bytes() == content["images/1.jpg"]
    assert not (b.folder / "one/images/2.jpg").exists()
    assert (b.folder / "two/images/2.jpg").read_bytes() == content["images/2.jpg"]


@pytest.mark.long
def test_two_values_for_one_file_do_not_fight_over_it(bench: Bencher) -> None:
    b = bench()
    filled(b, 2)
    b.file("same/3.jpg", jpeg(1, 3001))
    assert b.upload(b.manifest(["product,attribute,file", "p-3,picture,same/3.jpg"], "third.csv")).status == 0
    lines = [
        "product,attribute,file",
        "p-1,picture,one.jpg",
        "p-2,picture,one.jpg",
        "p-3,picture,one.jpg",
    ]
    done = b.run("download", b.manifest(lines), "--overwrite", "--concurrency", "1")
    assert done.status == 1
    assert words(done.report) == {"downloaded": 1, "unchanged": 1, "failed": 1}
    assert done.kinds() == {3: "file_exists"}
    assert (b.folder / "one.jpg").read_bytes() == jpeg(1, 3001)


@pytest.mark.long
def test_troubles_on_the_way_are_outlived(bench: Bencher) -> None:
    b = bench(retry_after=0)
    content = filled(b, 15)
    emptied(b, *content)
    kinds = ("429", "429-no-retry-after", "503-html", "500", "502", "reset-early", "reset-late", "401")
    faults = parse_faults([f"{kind}=1x@media-files" for kind in kinds])
    b.sandbox.inside(lambda: setattr(b.sandbox.store.options, "faults", faults))
    done = b.run("download", "manifest.csv", "--retries", "20")
    assert done.status == 0, done.err
    assert {name: (b.folder / name).read_bytes() for name in content} == content
    assert set(b.sandbox.stats()["faults"]) == set(kinds)
    assert done.report["summary"]["retries"] >= 5
    assert leftovers(b.folder) == []


@pytest.mark.long
def test_a_pim_that_is_down_leaves_rows_pending(bench: Bencher) -> None:
    b = bench()
    content = filled(b, 10)
    emptied(b, *content)
    b.sandbox.stop()
    done = b.run("download", "manifest.csv", "--retries", "0")
    assert done.status == 5
    assert words(done.report) == {"pending": 10}


@pytest.mark.long
def test_a_file_whose_size_is_not_the_recorded_one_is_not_kept(bench: Bencher) -> None:
    b = bench()
    content = filled(b, 2)
    emptied(b, *content)
    code = b.held()["p-1", "picture", None, None]["media_code"]
    b.sandbox.store.media.path(code).write_bytes(b"cut")
    done = b.run("download", "manifest.csv")
    assert done.status == 1
    assert done.kinds() == {2: "value_differs"}
    assert "3,001" in done.item(2)["error"]["message"]
    assert [p.name for p in (b.folder / "images").iterdir()] == ["2.jpg"]


@pytest.mark.long
def test_an_interruption_finishes_what_is_in_flight_and_resumes(bench: Bencher) -> None:
    b = bench(latency=0.05)
    content = filled(b, 60)
    emptied(b, *content)
    running = b.start("download", "manifest.csv", "--progress", "json", "--report", "cut.json")
    assert running.stderr is not None
    for line in running.stderr:
        if json.loads(line).get("event") == "row_finished":
            break
    running.send_signal(signal.SIGINT)
    running.communicate(timeout=60)
    assert running.returncode == 130
    report = json.loads((b.folder / "cut.json").read_text("utf-8"))
    here = {name for name in content if (b.folder / name).exists()}
    assert words(report)["downloaded"] == len(here) < 60
    assert words(report)["pending"] == 60 - len(here)
    assert leftovers(b.folder) == []
    again = b.run("download", "manifest.csv")
    assert again.status == 0, again.err
    assert words(again.report) == {"downloaded": 60 - len(here), "unchanged": len(here)}
    assert {name: (b.folder / name).read_bytes() for name in content} == content


def test_a_kill_leaves_no_half_file_under_its_name(bench: Bencher) -> None:
    b = bench()
    big = jpeg("big", 8_000_000)
    b.file("big.jpg", big)
    assert b.upload(b.manifest(["product,attribute,file", "p-1,picture,big.jpg"]), "--no-state").status == 0
    (b.folder / "big.jpg").unlink()
    running = b.start("download", "manifest.csv", "--progress", "json", "--bwlimit", "4M")
    assert running.stderr is not None
    for line in running.stderr:
        if json.loads(line).get("event") == "row_started":
            break
    running.send_signal(signal.SIGKILL)
    running.communicate(timeout=60)
    assert not (b.folder / "big.jpg").exists()
    assert b.run("download", "manifest.csv").status == 0
    assert (b.folder / "big.jpg").read_bytes() == big


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_fails_its_rows(bench: Bencher) -> None:
    b = bench()
    content = filled(b, 2)
    emptied(b, *content)
    (b.folder / "images").chmod(0o500)
    done = b.run("download", "manifest.csv")
    assert done.kinds() == {2: "file_unwritable", 3: "file_unwritable"}


@pytest.mark.long
def test_a_file_in_the_place_of_a_folder_fails_its_row(bench: Bencher) -> None:
    b = bench()
    filled(b, 2)
    b.file("images2", b"a file")
    done = b.run("download", b.manifest(["product,attribute,file", "p-1,picture,images2/1.jpg"]))
    assert done.status == 1
    assert done.kinds() == {2: "file_unwritable"}


def small_disk(folder: Path) -> list[str] | None:
    """A command line that runs another with 64 KB of disk on `folder`; None where that is not allowed."""
    mount = ["unshare", "-rm", "bash", "-c", f'mount -t tmpfs -o size=64k none {folder} && exec "$@"', "_"]
    try:
        allowed = subprocess.run([*mount, "true"], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return None
    return mount if allowed else None


def test_a_full_disk_ends_the_run_with_the_rest_pending(bench: Bencher) -> None:
    b = bench()
    b.file("images/1.jpg", jpeg(1, 200_000))
    b.file("images/2.jpg", jpeg(2, 3000))
    lines = ["product,attribute,file", "p-1,picture,images/1.jpg", "p-2,picture,images/2.jpg"]
    assert b.upload(b.manifest(lines), "--no-state").status == 0
    mount = small_disk(b.folder / "images")
    if mount is None:
        pytest.skip("no file system may be mounted here")
    done = subprocess.run(
        [*mount, *b.command, "download", "manifest.csv", "--concurrency", "1", "--report", "full.json"],
        cwd=b.folder,
        env=b.environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 5, done.stderr
    report = json.loads((b.folder / "full.json").read_text("utf-8"))
    assert words(report) == {"pending": 2}
    assert "No space left" in done.stderr
    assert "Free space on the disk" in done.stderr


@pytest.mark.long
def test_models_and_their_variants_come_too(bench: Bencher) -> None:
    b = bench()
    b.file("m.jpg", jpeg("m"))
    b.file("v.png", PNG)
    lines = ["product_model,product,attribute,file", "m-1,,picture,m.jpg", ",v-1,shot,v.png"]
    assert b.upload(b.manifest(lines), "--no-state").status == 0
    emptied(b, "m.jpg", "v.png")
    done = b.run("download", "manifest.csv")
    assert done.status == 0, done.err
    assert (b.folder / "m.jpg").read_bytes() == jpeg("m")
    assert (b.folder / "v.png").read_bytes() == PNG


@pytest.mark.long
def test_a_user_who_may_not_read_products_is_told_so(bench: Bencher) -> None:
    blind = {"main": {}, "blind": {"list_products": False}}
    b = bench(catalogue(3, connections=blind))
    filled(b, 1)
    who = b.sandbox.connections["blind"].as_dict()
    done = b.run("download", "manifest.csv", env={f"AKENEO_{k.upper()}": v for k, v in who.items()})
    assert done.status == 4
    assert "may not read products" in done.err


def test_only_uploads_are_tried_again_from_the_ledger(bench: Bencher) -> None:
    b = bench()
    filled(b, 1)
    b.file("images/1.jpg", b"mine")
    assert b.run("download", "manifest.csv").status == 1
    done = b.run("runs", "retry", "last")
    assert done.status == 2
    assert "was a `download`" in done.err
    assert b.held()["p-1", "picture", None, None]["size"] == 3001


def test_the_manifest_as_a_whole(bench: Bencher) -> None:
    b = bench()
    assert b.run("download", "nowhere.csv").status == 3
    assert b.run("download", b.manifest(["product,attribute", "p-1,picture"])).status == 3
    done = b.run("download", b.manifest(["product,attribute,file"]))
    assert done.status == 0
    assert done.report["summary"]["total"] == 0


def attach(b: Bench, code: str, *products: str) -> None:
    """Give products the same media file as their picture."""
    who = b.sandbox.credentials
    connection = Connection(
        b.sandbox.url, who.client_id, Secret(who.client_secret), who.username, Secret(who.password)
    )
    value = [{"locale": None, "scope": None, "data": code}]
    with PimClient(connection) as client:
        lines = [{"identifier": each, "values": {"picture": value}} for each in products]
        assert all(line.status == 204 for line in client.patch_products(lines))


@pytest.mark.long
def test_a_file_that_many_products_share_is_fetched_once(bench: Bencher) -> None:
    b = bench()
    content = filled(b, 1)
    attach(b, b.held()["p-1", "picture", None, None]["media_code"], *(f"p-{n}" for n in range(2, 40)))
    emptied(b, *content)
    lines = ["product,attribute,file", *(f"p-{n},picture,images/1.jpg" for n in range(1, 40))]
    done = b.run("download", b.manifest(lines))
    assert done.status == 0, done.err
    assert words(done.report) == {"downloaded": 1, "unchanged": 38}
    assert b.sandbox.stats()["calls"]["GET /media-files/{code}/download"] == {"200": 1}
    assert (b.folder / "images/1.jpg").read_bytes() == content["images/1.jpg"]


@pytest.mark.long
def test_parts_of_the_rows_and_rows_with_a_problem(bench: Bencher) -> None:
    b = bench()
    content = filled(b, 10)
    emptied(b, *content)
    parts = [words(b.run("download", "manifest.csv", "--shard", f"{n}/2").report) for n in (1, 2)]
    assert sum(part["downloaded"] for part in parts) == 10
    assert {name: (b.folder / name).read_bytes() for name in content} == content
    done = b.run("download", b.manifest(["product,attribute,file", ",picture,x.jpg", "p-1,picture,y.jpg"]))
    assert done.kinds() == {2: "target_missing"}
    assert (b.folder / "y.jpg").exists()


@pytest.mark.long
def test_what_the_pim_refuses_to_look_up_is_a_failed_row(bench: Bencher) -> None:
    b = bench()
    filled(b, 1)
    faults = parse_faults(["403-html=100x@/products"])
    b.sandbox.inside(lambda: setattr(b.sandbox.store.options, "faults", faults))
    done = b.run("download", "manifest.csv", "--no-state")
    assert done.status == 1
    assert done.kinds() == {2: "blocked"}
