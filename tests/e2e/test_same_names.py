"""A folder a product, each with a `front.jpg`: sent side by side to a PIM that mixes up the bytes of some."""

from __future__ import annotations

import sqlite3

import pytest

from akeneo_media_cli.sandbox.faults import parse_faults

from .conftest import Bench, Bencher, jpeg, sha256
from .many import running, uploads, wait_for


def folders(b: Bench, count: int) -> str:
    lines = [f"p-{n},picture,{b.file(f'{n}/front.jpg', jpeg(n))}" for n in range(1, count + 1)]
    return b.manifest(["product,attribute,file", *lines])


def check(b: Bench, count: int) -> None:
    held = b.held()
    wrong = [
        n for n in range(1, count + 1) if held[f"p-{n}", "picture", None, None]["sha256"] != sha256(jpeg(n))
    ]
    assert not wrong, f"products that hold another's bytes: {wrong}"


def test_every_value_is_right_though_the_pim_swaps_bytes(bench: Bencher) -> None:
    b = bench(save_time=0.05, faults=parse_faults(["collide=3x"]))
    done = b.upload(folders(b, 32))
    assert done.status == 0, done.err
    check(b, 32)
    stats = b.sandbox.stats()
    assert stats["most_in_flight_per_name"] == 4
    assert stats["collisions"] >= 3
    assert stats["swapped"] >= 1, "nothing was put to the proof"


@pytest.mark.long
def test_a_run_that_was_killed_leaves_no_swapped_bytes_to_the_next(bench: Bencher) -> None:
    b = bench(save_time=0.2, code_clock_step=0.01, faults=parse_faults(["collide=0.3"]))
    manifest = folders(b, 24)
    with running(b, "upload", manifest) as process:
        wait_for(lambda: uploads(b) >= 8, process)
        process.kill()
    assert b.sandbox.stats()["swapped"] >= 1
    b.sandbox.store.options.faults.faults.clear()
    done = b.upload(manifest)
    assert done.status == 0, done.err
    check(b, 24)


@pytest.mark.long
def test_a_pim_that_swapped_silently_twice_is_sent_one_by_one(bench: Bencher) -> None:
    b = bench(save_time=0.05)
    assert b.upload(folders(b, 1), "--state", "ledger").status == 0
    with sqlite3.connect(b.folder / "ledger") as ledger:
        ledger.execute("INSERT INTO meta VALUES ('silent_swaps', '2')")
    ledger.close()
    for option, most in ((), 1), (("--same-names", "overlap"), 4):
        manifest = folders(b, 8)
        done = b.upload(manifest, "--state", "ledger", "--force", *option)
        assert done.status == 0, done.err
        assert b.sandbox.stats()["most_in_flight_per_name"] == most
