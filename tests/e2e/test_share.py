"""One file for many targets: sent once, and attached to the others by its code."""

from __future__ import annotations

import signal
import time
from typing import Any

import pytest

from .conftest import Bench, Bencher, catalogue, jpeg, sha256


def variants(count: int) -> dict[str, Any]:
    known = catalogue(products=5)
    for attribute in known["attributes"]:
        if attribute["code"] == "size":
            attribute["options"] = [str(n) for n in range(count)]
    known["products"] = [
        {
            "identifier": f"v-{n}",
            "family": "shoes",
            "parent": "m-1",
            "values": {"size": [{"locale": None, "scope": None, "data": str(n)}]},
        }
        for n in range(count)
    ]
    return known


def sends(b: Bench) -> dict[str, int]:
    return dict(b.sandbox.stats()["calls"].get("POST /media-files", {}))


@pytest.mark.long
def test_a_thousand_variants_with_one_picture_take_a_dozen_calls(bench: Bencher) -> None:
    b = bench(variants(1000), save_time=0.005)
    picture = b.file("shot.jpg", jpeg(1))
    done = b.upload(b.manifest(["product,attribute,file", *(f"v-{n},shot,{picture}" for n in range(1000))]))
    assert done.status == 0, done.err
    assert done.statuses() == {"total": 1000, "uploaded": 1000}
    stats = b.sandbox.stats()
    assert sends(b) == {"201": 1}
    assert stats["calls"]["PATCH /products"]["200"] <= 12
    assert stats["products"] == 1000
    assert (stats["duplicates"], stats["lost_values"], stats["orphans"]) == (0, 0, 0)
    assert stats["most_in_flight_per_entity"] == 1
    assert done.report["summary"]["shared"] == 999
    assert "999 rows reused a file" in done.err
    assert {v["sha256"] for v in b.sandbox.values()} == {sha256(jpeg(1))}
    shared = [i for i in done.report["items"] if any("not sent again" in note for note in i["notes"])]
    assert len(shared) == 999
    assert len({i["media_code"] for i in done.report["items"]}) == 1
    again = b.upload("manifest.csv")
    assert again.statuses() == {"total": 1000, "unchanged": 1000}


@pytest.mark.long
def test_same_bytes_in_many_folders_are_one_file_and_other_bytes_are_not(bench: Bencher) -> None:
    b = bench()
    lines = ["product,product_model,attribute,file"]
    lines += [
        f"p-{n},,picture,{b.file(f'{n}/front.jpg', jpeg('same' if n % 2 else n))}" for n in range(1, 41)
    ]
    lines.append(f",m-1,picture,{b.file('model/front.jpg', jpeg('same'))}")
    lines.append(f"p-50,,picture,{b.file('other/renamed.jpg', jpeg('same'))}")
    done = b.upload(b.manifest(lines))
    assert done.status == 0, done.err
    # 20 of their own, one for the other 21, one whose name differs.
    assert sends(b) == {"201": 22}
    held = b.held()
    for n in range(1, 41):
        value = held[f"p-{n}", "picture", None, None]
        assert value["sha256"] == sha256(jpeg("same" if n % 2 else n))
    assert held["m-1", "picture", None, None]["original_filename"] == "front.jpg"
    assert held["p-50", "picture", None, None]["original_filename"] == "renamed.jpg"


@pytest.mark.parametrize("options", [["--no-share"], ["--no-preflight"]])
@pytest.mark.long
def test_each_row_sends_its_own_where_that_is_asked_for(bench: Bencher, options: list[str]) -> None:
    b = bench()
    picture = b.file("shot.jpg", jpeg(1))
    manifest = b.manifest(["product,attribute,file", *(f"p-{n},picture,{picture}" for n in range(1, 9))])
    assert b.upload(manifest, *options).status == 0
    assert sends(b) == {"201": 8}
    assert "PATCH /products" not in b.sandbox.stats()["calls"]


@pytest.mark.long
def test_a_user_who_may_not_edit_sends_each_file_and_is_told_why(bench: Bencher) -> None:
    b = bench(catalogue(connections={"main": {"edit_products": False}}))
    picture = b.file("shot.jpg", jpeg(1))
    manifest = b.manifest(["product,attribute,file", *(f"p-{n},picture,{picture}" for n in range(1, 31))])
    done = b.upload(manifest)
    assert done.status == 0, done.err
    assert sends(b) == {"201": 30}
    assert b.sandbox.stats()["calls"]["PATCH /products"] == {"403": 1}
    assert "may not set media codes" in done.err


@pytest.mark.long
def test_nothing_is_made_of_a_slip_and_nothing_is_dropped_at_another_level(bench: Bencher) -> None:
    b = bench()
    before = b.sandbox.stats()["products"]
    picture = b.file("shot.jpg", jpeg(1))
    rows = ["p-1,picture", "nobody,picture", "v-1,picture", "v-1,shot", "v-2,shot", "p-2,picture"]
    done = b.upload(b.manifest(["product,attribute,file", *(f"{row},{picture}" for row in rows)]))
    assert done.status == 1
    assert done.kinds() == {3: "target_unknown", 4: "attribute_wrong_level"}
    assert done.statuses()["uploaded"] == 4
    assert sends(b) == {"201": 1}
    assert b.sandbox.stats()["products"] == before


@pytest.mark.parametrize("first", [True, False])
def test_a_row_that_the_pim_refuses_fails_alone(bench: Bencher, first: bool) -> None:
    b = bench()
    # Sent although it is no picture: only the PIM refuses it, and only where extensions are restricted.
    odd = b.file("odd.jpg", bytes(range(7)) * 300)
    rows = [f"p-{n},picture,{odd}" for n in range(1, 8)]
    rows.insert(0 if first else 4, f"p-9,front,{odd}")
    manifest = b.manifest(["product,attribute,file", *rows])
    done = b.upload(manifest, "--concurrency", "1", "--allow-mismatch")
    assert done.status == 1
    assert done.kinds() == {2 if first else 6: "mime_not_allowed"}
    assert done.statuses() == {"total": 8, "uploaded": 7, "failed": 1}
    assert sends(b)["201"] == 1


@pytest.mark.long
def test_what_is_left_after_a_kill_is_attached_without_sending_again(bench: Bencher) -> None:
    b = bench(save_time=0.4)
    picture = b.file("shot.jpg", jpeg(1))
    manifest = b.manifest(["product,attribute,file", *(f"p-{n},picture,{picture}" for n in range(1, 151))])
    process = b.start("upload", manifest, "--progress", "none")
    deadline = time.monotonic() + 30
    while not any(c["method"] == "PATCH" for c in log(b)) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    done = b.upload(manifest)
    assert done.status == 0, done.err
    assert sends(b) == {"201": 1}
    assert len(b.held()) == 150
    assert {v["sha256"] for v in b.sandbox.values()} == {sha256(jpeg(1))}


def log(b: Bench) -> list[dict[str, Any]]:
    return b.sandbox.inside(lambda: [call.as_dict() for call in b.sandbox.store.stats.log])


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.slow)])
@pytest.mark.long
def test_shared_files_arrive_through_faults(bench: Bencher, seed: int) -> None:
    from akeneo_media_cli.sandbox import parse_faults

    orders = ["429=0.05", "500=0.05", "503=0.05", "reset-late=0.06", "500-late=0.04", "reset-middle=0.03"]
    b = bench(variants(400), save_time=0.002, faults=parse_faults(orders), seed=seed)
    pictures = [b.file(f"{n}/shot.jpg", jpeg(n)) for n in range(5)]
    lines = ["product,attribute,file", *(f"v-{n},shot,{pictures[n % 5]}" for n in range(400))]
    done = b.upload(b.manifest(lines), "--retries", "20")
    assert done.status == 0, done.err
    held = {v["identifier"]: v["sha256"] for v in b.sandbox.values()}
    assert held == {f"v-{n}": sha256(jpeg(n % 5)) for n in range(400)}
    stats = b.sandbox.stats()
    assert (stats["lost_values"], stats["products"]) == (0, 400)
    assert done.report["summary"]["shared"] >= 390
