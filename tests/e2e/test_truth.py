"""The PIM is asked before, and what was sent is read back: nothing is said that was not looked at."""

from __future__ import annotations

import os

import pytest

from akeneo_media_cli.planning.unchanged import KEPT, ONLY_NAME_AND_SIZE, REPLACED

from .conftest import Bench, Bencher, catalogue, jpeg, sha256
from .test_share import sends
from .test_verify import order, put


def pictures(b: Bench, count: int) -> str:
    lines = ["product,attribute,file"]
    lines += [f"p-{n},picture,{b.file(f'{n}.jpg', jpeg(n))}" for n in range(1, count + 1)]
    return b.manifest(lines)


@pytest.fixture
def twenty(bench: Bencher) -> tuple[Bench, str]:
    """Twenty values that were uploaded, one of which was emptied and one replaced in the PIM since."""
    b = bench()
    manifest = pictures(b, 20)
    first = b.upload(manifest)
    assert first.status == 0, first.err
    assert "All 20 values were read back from the PIM." in first.err
    put(b, "p-2", "picture", None)
    put(b, "p-5", "picture", b.held()["p-4", "picture", None, None]["media_code"])
    return b, manifest


@pytest.mark.long
def test_what_was_changed_in_the_pim_is_sent_again_and_nothing_else(twenty: tuple[Bench, str]) -> None:
    b, manifest = twenty
    done = b.upload(manifest)
    assert done.status == 0, done.err
    assert done.statuses() == {"total": 20, "uploaded": 2, "unchanged": 18}
    assert [i["line"] for i in done.report["items"] if REPLACED in i["notes"]] == [3, 6]
    assert (done.item(3)["change"], done.item(6)["change"]) == ("new", "replace")
    assert done.report["summary"]["changed_in_pim"] == 2
    assert "2 changed in the PIM" in done.err
    held = b.held()
    assert all(held[f"p-{n}", "picture", None, None]["sha256"] == sha256(jpeg(n)) for n in range(1, 21))
    again = b.upload(manifest)
    assert again.statuses() == {"total": 20, "unchanged": 20}


@pytest.mark.long
def test_what_was_changed_in_the_pim_may_be_kept(twenty: tuple[Bench, str]) -> None:
    b, manifest = twenty
    for _ in range(2):
        done = b.upload(manifest, "--drift", "keep")
        assert done.status == 0, done.err
        assert done.statuses() == {"total": 20, "unchanged": 20}
        assert [i["line"] for i in done.report["items"] if KEPT in i["notes"]] == [3, 6]
    assert ("p-2", "picture", None, None) not in b.held()


@pytest.mark.long
def test_what_was_changed_in_the_pim_may_fail(twenty: tuple[Bench, str]) -> None:
    b, manifest = twenty
    done = b.upload(manifest, "--drift", "fail")
    assert done.status == 1
    assert done.kinds() == {3: "changed_in_pim", 6: "changed_in_pim"}
    assert sends(b) == {"201": 20}


def test_a_lost_ledger_causes_no_upload(bench: Bencher) -> None:
    b = bench()
    manifest = pictures(b, 20)
    assert b.upload(manifest).status == 0
    done = b.upload(manifest, "--state", "other.db")
    assert done.statuses() == {"total": 20, "unchanged": 20}
    assert all(i["notes"] == [ONLY_NAME_AND_SIZE] for i in done.report["items"])
    sure = b.upload(manifest, "--no-state", "--checksum")
    assert sure.statuses() == {"total": 20, "unchanged": 20}
    assert all(i["notes"] == [] for i in sure.report["items"])
    assert sends(b) == {"201": 20}
    # Name and size were learned once: from now on the code is enough.
    cheap = b.upload(manifest, "--state", "other.db")
    assert cheap.report["summary"]["requests"] <= 5


@pytest.mark.long
def test_another_file_of_the_same_name_and_size_is_told_apart(bench: Bencher) -> None:
    b = bench()
    manifest = pictures(b, 2)
    assert b.upload(manifest).status == 0
    path = b.folder / "1.jpg"
    then = path.stat()
    (b.folder / "new.jpg").write_bytes(jpeg("another"))
    os.utime(b.folder / "new.jpg", ns=(then.st_atime_ns, then.st_mtime_ns))
    (b.folder / "new.jpg").replace(path)
    now = path.stat()
    assert (now.st_size, now.st_mtime_ns) == (then.st_size, then.st_mtime_ns)
    for options in (["--skip", "ledger", "--dry-run"], []):
        done = b.upload(manifest, *options)
        assert [i["status"] for i in done.report["items"]] == [
            "planned" if options else "uploaded",
            "unchanged",
        ]
    assert b.held()["p-1", "picture", None, None]["sha256"] == sha256(jpeg("another"))


@pytest.mark.long
def test_every_ninth_value_written_over_ends_right(bench: Bencher) -> None:
    b = bench(seed=3)
    order(b, "other-writer=0.1")
    manifest = pictures(b, 150)
    done = b.upload(manifest, "--concurrency", "4")
    assert b.sandbox.stats()["overwritten"] > 3, "nobody wrote over anything: the test proves nothing"
    assert done.status == 0, done.err
    assert done.statuses() == {"total": 150, "uploaded": 150}
    held = b.held()
    assert all(held[f"p-{n}", "picture", None, None]["sha256"] == sha256(jpeg(n)) for n in range(1, 151))
    assert done.report["summary"]["read_back"] == 150
    assert "All 150 values were read back from the PIM." in done.err


@pytest.mark.long
def test_nothing_to_do_takes_a_request_for_a_hundred_products(bench: Bencher) -> None:
    b = bench(catalogue(products=250))
    lines = ["product,attribute,file"]
    for attribute in ("picture_1", "picture_2"):
        lines += [f"p-{n},{attribute},{b.file('one.jpg', jpeg(1))}" for n in range(1, 251)]
    manifest = b.manifest(lines)
    assert b.upload(manifest).status == 0
    before = b.sandbox.stats()["calls"]["GET /products"]["200"]
    done = b.upload(manifest)
    assert done.statuses() == {"total": 500, "unchanged": 500}
    assert b.sandbox.stats()["calls"]["GET /products"]["200"] - before == 3
