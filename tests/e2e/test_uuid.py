"""Products by UUID, with and without an identifier."""

from __future__ import annotations

import signal
import time
from typing import Any

import pytest

from .conftest import Bench, Bencher, catalogue, jpeg, sha256
from .test_share import log, sends

U = "00000000-0000-4000-8000-0000000000{:02}"


def mixed(**more: Any) -> dict[str, Any]:
    """`U[1..9]` have no identifier; `U[11..19]` are the products `q-11` and so on."""
    known = catalogue(products=20, **more)
    known["products"] += [{"uuid": U.format(n), "family": "shoes"} for n in range(1, 10)]
    known["products"] += [
        {"uuid": U.format(n), "identifier": f"q-{n}", "family": "shoes"} for n in range(11, 20)
    ]
    return known


def by_uuid(b: Bench) -> dict[tuple[str, str], str]:
    return {(v["code"], v["attribute"]): v["sha256"] for v in b.sandbox.values()}


@pytest.mark.long
def test_a_product_with_an_identifier_is_uploaded_by_it(bench: Bencher) -> None:
    b = bench(mixed())
    lines = ["uuid,attribute,file"]
    lines += [f"{U.format(n).upper()},picture,{b.file(f'{n}.jpg', jpeg(n))}" for n in range(11, 20)]
    done = b.upload(b.manifest(lines))
    assert done.status == 0, done.err
    assert sends(b) == {"201": 9}
    assert by_uuid(b)[U.format(12), "picture"] == sha256(jpeg(12))
    calls = b.sandbox.stats()["calls"]
    assert calls["GET /products-uuid"] == {"200": 1}
    item = done.item(2)
    assert item["target"]["type"] == "product_uuid"
    assert any("q-11" in note for note in item["notes"])
    again = b.upload("manifest.csv")
    assert again.statuses() == {"total": 9, "unchanged": 9}


@pytest.mark.long
def test_both_ways_to_name_a_product_are_one_product(bench: Bencher) -> None:
    b = bench(mixed(), save_time=0.05)
    lines = ["product,uuid,attribute,file"]
    for n in range(11, 16):
        lines.append(f"q-{n},,picture,{b.file(f'{n}.jpg', jpeg(n))}")
        lines.append(f",{U.format(n)},picture_1,{b.file(f'{n}-1.jpg', jpeg(-n))}")
    lines.append(f",{U.format(11)},picture,{b.file('clash.jpg', jpeg('clash'))}")
    (b.folder / "link.jpg").symlink_to("13.jpg")
    lines += [f",{U.format(12)},picture,12.jpg", f",{U.format(13)},picture,link.jpg"]
    lines.append(f",{U.format(14)},picture,./14.jpg")
    done = b.upload(b.manifest(lines))
    assert done.status == 1
    assert done.kinds() == {12: "conflicting_rows"}
    assert done.statuses() == {"total": 11, "uploaded": 10, "invalid": 1}
    stats = b.sandbox.stats()
    assert (stats["lost_values"], stats["most_in_flight_per_entity"]) == (0, 1)
    assert by_uuid(b)[U.format(11), "picture"] == sha256(jpeg(11))


@pytest.mark.long
def test_a_file_that_another_row_sends_is_attached(bench: Bencher) -> None:
    b = bench(mixed())
    one, two = b.file("one.jpg", jpeg(1)), b.file("two.jpg", jpeg(2))
    lines = ["product,uuid,attribute,file"]
    lines += [f",{U.format(n)},picture,{one}" for n in range(1, 10)]
    # In manifest order those without identifier come first, and one is sent by a row that is named by UUID.
    lines += [f"p-1,,picture,{one}", f",{U.format(3)},shop,{two}", f",{U.format(14)},picture,{two}"]
    lines[11] = f",{U.format(3)},picture_2,{two}"
    done = b.upload(b.manifest(lines))
    assert done.status == 0, done.err
    assert sends(b) == {"201": 2}
    assert b.sandbox.stats()["calls"]["PATCH /products-uuid"]["200"] <= 3
    held = by_uuid(b)
    assert {held[U.format(n), "picture"] for n in range(1, 10)} == {sha256(jpeg(1))}
    assert held[U.format(3), "picture_2"] == sha256(jpeg(2))
    assert b.upload("manifest.csv").statuses() == {"total": 12, "unchanged": 12}
    # A row that is new finds its file in what earlier runs sent.
    done = b.upload(b.manifest([*lines, f",{U.format(5)},picture_3,{one}"]))
    assert done.statuses() == {"total": 13, "unchanged": 12, "uploaded": 1}
    assert sends(b) == {"201": 2}


@pytest.mark.parametrize("options", [[], ["--no-share"]])
@pytest.mark.long
def test_sharing_or_not_it_is_the_only_way(bench: Bencher, options: list[str]) -> None:
    b = bench(mixed())
    one = b.file("one.jpg", jpeg(1))
    lines = ["product,uuid,attribute,file", f",{U.format(1)},picture,{one}"]
    lines += [f"p-{n},,picture,{one}" for n in range(1, 4)]
    assert b.upload(b.manifest(lines), *options).status == 0
    assert sends(b) == {"201": 3 if options else 1}


@pytest.mark.long
def test_without_anybody_to_send_it_the_row_is_invalid_before_anything_is_sent(bench: Bencher) -> None:
    b = bench(mixed())
    lines = ["uuid,attribute,file", f"{U.format(1)},picture,{b.file('one.jpg', jpeg(1))}"]
    lines += ["no-uuid,picture,one.jpg", f"{U.format(99)},picture,one.jpg"]
    for command in (["upload"], ["upload", "--dry-run"], ["validate", "--online"]):
        done = b.run(command[0], b.manifest(lines), *command[1:])
        assert done.status == 1
        assert done.kinds() == {2: "no_carrier", 3: "target_unknown", 4: "target_unknown"}
    assert "--carrier" in done.item(2)["error"]["hint"]
    assert not sends(b)


def carried(b: Bench, count: int = 5) -> str:
    lines = ["product,uuid,attribute,file"]
    lines += [f",{U.format(n)},picture,{b.file(f'{n}.jpg', jpeg(n))}" for n in range(1, count + 1)]
    return b.manifest(lines)


@pytest.mark.parametrize("full", [True, False])
@pytest.mark.long
def test_the_carriers_own_value_is_put_back(bench: Bencher, full: bool) -> None:
    b = bench(mixed())
    own = b.file("own.jpg", jpeg("own"))
    if full:
        assert b.upload(b.manifest(["product,attribute,file", f"p-5,picture,{own}"], "own.csv")).status == 0
    done = b.upload(carried(b), "--carrier", "p-5:picture")
    assert done.status == 0, done.err
    held = b.held()
    assert ("p-5", "picture", None, None) in held if full else ("p-5", "picture", None, None) not in held
    if full:
        assert held["p-5", "picture", None, None]["sha256"] == sha256(jpeg("own"))
    assert [by_uuid(b)[U.format(n), "picture"] for n in range(1, 6)] == [sha256(jpeg(n)) for n in range(1, 6)]
    assert b.sandbox.stats()["lost_values"] == 0
    assert b.upload("manifest.csv", "--carrier", "p-5:picture").statuses() == {"total": 5, "unchanged": 5}


def test_a_carrier_that_is_uploaded_to_in_the_same_run_keeps_what_it_is_to_have(bench: Bencher) -> None:
    b = bench(mixed(), save_time=0.02)
    manifest = carried(b)
    with (b.folder / manifest).open("a") as file:
        file.write(f"p-5,,picture,{b.file('own.jpg', jpeg('own'))}\n")
        file.write(f"p-5,,picture_1,{b.file('own-1.jpg', jpeg('own-1'))}\n")
    done = b.upload(manifest, "--carrier", "p-5:picture")
    assert done.status == 0, done.err
    held = b.held()
    assert held["p-5", "picture", None, None]["sha256"] == sha256(jpeg("own"))
    assert held["p-5", "picture_1", None, None]["sha256"] == sha256(jpeg("own-1"))
    stats = b.sandbox.stats()
    assert (stats["lost_values"], stats["most_in_flight_per_entity"]) == (0, 1)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
@pytest.mark.long
def test_an_interrupted_run_leaves_the_carrier_as_it_was(bench: Bencher, number: int) -> None:
    b = bench(mixed(), save_time=0.3)
    own = b.file("own.jpg", jpeg("own"))
    assert b.upload(b.manifest(["product,attribute,file", f"p-5,picture,{own}"], "own.csv")).status == 0
    manifest = carried(b)
    process = b.start("upload", manifest, "--carrier", "p-5:picture", "--progress", "none")
    uploads = 1
    deadline = time.monotonic() + 30
    while uploads < 3 and time.monotonic() < deadline:
        time.sleep(0.02)
        uploads = sum(c["method"] == "POST" and c["endpoint"] == "/media-files" for c in log(b))
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    if number == signal.SIGINT:
        assert process.returncode == 130, err
        assert b.held()["p-5", "picture", None, None]["sha256"] == sha256(jpeg("own"))
    done = b.upload(manifest, "--carrier", "p-5:picture")
    assert done.status == 0, done.err
    assert b.held()["p-5", "picture", None, None]["sha256"] == sha256(jpeg("own"))
    assert {by_uuid(b)[U.format(n), "picture"] for n in range(1, 6)} == {sha256(jpeg(n)) for n in range(1, 6)}
    # The first run's file that was not answered yet is the only one that may be sent twice.
    assert sends(b)["201"] <= 1 + 5 + 1


@pytest.mark.parametrize(
    ("carrier", "said"),
    [("nobody:picture", "nobody"), ("p-5:name", "name"), ("p-5:shop", "shop"), ("v-1:picture", "level")],
)
@pytest.mark.long
def test_a_carrier_that_cannot_carry_is_told(bench: Bencher, carrier: str, said: str) -> None:
    b = bench(mixed())
    done = b.upload(carried(b, 2), "--carrier", carrier)
    assert done.status == 1
    assert set(done.kinds().values()) == {"no_carrier"}
    assert said in done.item(2)["error"]["message"]
    assert "--carrier IDENTIFIER:ATTRIBUTE" in done.item(2)["error"]["hint"]
    assert not sends(b)


@pytest.mark.long
def test_a_file_that_the_carrier_does_not_take_is_told(bench: Bencher) -> None:
    b = bench(mixed())
    webp = b"RIFF" + (12).to_bytes(4, "little") + b"WEBPVP8 " + bytes(4)
    done = b.upload(
        b.manifest(["uuid,attribute,file", f"{U.format(1)},picture,{b.file('a.webp', webp)}"]),
        "--carrier",
        "p-5:front",
    )
    assert done.kinds() == {2: "no_carrier"}
    assert "--carrier IDENTIFIER:ATTRIBUTE" in done.item(2)["error"]["hint"]
    assert b.upload(carried(b, 2), "--carrier", "nonsense").status == 2


@pytest.mark.long
def test_validate_knows_carriers_too(bench: Bencher) -> None:
    b = bench(mixed())
    manifest = carried(b, 2)
    assert b.run("validate", manifest, "--online").status == 1
    assert b.run("validate", manifest, "--online", "--carrier", "p-5:picture").status == 0


@pytest.mark.long
def test_shards_refuse_products_named_in_both_ways(bench: Bencher) -> None:
    b = bench(mixed())
    lines = ["product,uuid,attribute,file", f"q-11,,picture,{b.file('1.jpg', jpeg(1))}"]
    lines.append(f",{U.format(11)},picture_1,{b.file('2.jpg', jpeg(2))}")
    manifest = b.manifest(lines)
    for part in ("1/3", "2/3", "3/3"):
        for command in ("upload", "validate"):
            done = b.run(command, manifest, "--shard", part)
            assert done.status == 2
            assert f"{manifest}:2" in done.err
            assert f"{manifest}:3" in done.err
    assert not sends(b)
    assert b.upload(manifest, "--shard", "1/1").statuses() == {"total": 2, "uploaded": 2}


def test_shards_do_not_lend_one_carrier_to_one_another(bench: Bencher) -> None:
    b = bench(mixed())
    manifest = carried(b, 2)
    done = b.upload(manifest, "--shard", "1/2", "--carrier", "p-5:picture")
    assert done.status == 2
    assert "--carrier and --shard" in done.err
    assert b.run("validate", manifest, "--shard", "1/2", "--carrier", "p-5:picture").status == 2
    assert not log(b)
    assert b.upload(manifest, "--shard", "1/1", "--carrier", "p-5:picture").status == 0
