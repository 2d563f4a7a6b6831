"""One manifest shared out among several processes, as machines do it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .conftest import Bench, Bencher, catalogue, jpeg
from .many import check_all, many

PARTS = 4


def all_parts(b: Bench, manifest: str, *more: str) -> dict[str, int]:
    """Run all parts at once without a ledger; their reports, merged."""
    processes = [
        b.start(
            "upload", manifest, "--shard", f"{n}/{PARTS}", "--concurrency", "1", "--no-state",
            "--report", f"part-{n}.json", "--progress", "none", *more,
        )
        for n in range(1, PARTS + 1)
    ]  # fmt: skip
    for process in processes:
        _, err = process.communicate(timeout=300)
        assert process.returncode == 0, err
    reports = [f"part-{n}.json" for n in range(1, PARTS + 1)]
    done = b.run("report", "merge", *reports, "-o", "all.json", report=False)
    assert done.status == 0, done.err
    merged = json.loads((b.folder / "all.json").read_text("utf-8"))["summary"]
    return {name: count for name, count in merged.items() if count}


@pytest.mark.slow
def test_four_parts_share_a_pim_that_allows_four_calls(bench: Bencher) -> None:
    b = bench(catalogue(160), max_concurrency=PARTS, save_time=0.02)
    manifest = many(b, 240, per_product=2)
    first = all_parts(b, manifest)
    assert (first["total"], first["uploaded"]) == (240, 240)
    check_all(b, 240, per_product=2)
    stats = b.sandbox.stats()
    assert stats["most_in_flight"] <= PARTS
    assert stats["most_in_flight_per_entity"] == 1
    assert "429" not in str(stats["calls"]), "nobody was refused"
    # No ledger is shared, none is even kept: the PIM is asked.
    again = all_parts(b, manifest)
    assert (again["total"], again["unchanged"]) == (240, 240)
    assert b.sandbox.stats()["media_files"] == 240


def test_names_that_cannot_be_kept_apart_are_refused(bench: Bencher, tmp_path: Path) -> None:
    b = bench(catalogue(160))
    lines = ["product,attribute,file"]
    lines += [f"p-{n},picture,{b.file(f'p-{n}/front.jpg', jpeg(n))}" for n in range(1, 151)]
    manifest = b.manifest(lines)
    refused = b.upload(manifest, "--shard", "1/2")
    assert refused.status == 2
    assert "front" in refused.err and "--rename" in refused.err
    assert b.run("verify", manifest, "--shard", "1/2").status != 2, "who only reads may"
    # From standard input, which is read twice for it.
    text = (b.folder / manifest).read_text("utf-8")
    rename = ("--rename", "{product}-{filename}")
    parts = [
        b.run("validate", "-", "--format", "csv", "--shard", f"{n}/2", *rename, stdin=text) for n in (1, 2)
    ]
    assert [part.status for part in parts] == [0, 0], parts[0].err
    assert sum(part.report["summary"]["total"] for part in parts) == 150
    assert b.sandbox.stats()["media_files"] == 0
