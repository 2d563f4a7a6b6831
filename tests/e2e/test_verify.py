"""What the PIM holds, held against the manifest: `verify`, and `upload --verify` at the end of a run."""

from __future__ import annotations

import os
import threading
from typing import Any

import pytest

from akeneo_media_cli.pim.client import PimClient
from akeneo_media_cli.pim.connection import Connection
from akeneo_media_cli.planning.readback import SENT_AGAIN
from akeneo_media_cli.sandbox import parse_faults
from akeneo_media_cli.secret import Secret

from .conftest import Bench, Bencher, Done, catalogue, jpeg, sha256


def client_of(b: Bench) -> PimClient:
    who = b.sandbox.credentials
    return PimClient(
        Connection(
            b.sandbox.url, who.client_id, Secret(who.client_secret), who.username, Secret(who.password)
        )
    )


def put(b: Bench, product: str, attribute: str, data: str | None) -> None:
    """Another writer's doing."""
    value = [{"locale": None, "scope": None, "data": data}]
    with client_of(b) as client:
        (line,) = client.patch_products([{"identifier": product, "values": {attribute: value}}])
    assert line.status == 204


def words(done: Done) -> dict[int, tuple[str, str | None]]:
    return {
        item["line"]: (item["status"], item["error"]["kind"] if item["error"] else None)
        for item in done.report["items"]
    }


def calls(b: Bench) -> dict[str, int]:
    return {call: sum(answers.values()) for call, answers in b.sandbox.stats()["calls"].items()}


def order(b: Bench, fault: str) -> None:
    """From now on the PIM answers so."""
    b.sandbox.store.options.faults.faults.extend(parse_faults([fault]).faults)


def twelve(b: Bench) -> str:
    lines = ["product,attribute,file"]
    lines += [f"p-{n},picture,{b.file(f'{n}.jpg', jpeg(n))}" for n in range(1, 13)]
    return b.manifest(lines)


@pytest.mark.long
def test_held_differing_and_missing_values_are_told(bench: Bencher) -> None:
    b = bench()
    manifest = twelve(b)
    assert b.run("verify", manifest).report["summary"]["missing"] == 12
    assert b.upload(manifest).status == 0
    done = b.run("verify", manifest)
    assert done.status == 0, done.err
    assert done.report["summary"]["held"] == 12
    assert "holds every row" in done.err
    codes = {k[0]: v["media_code"] for k, v in b.held().items()}
    assert {i["target"]["identifier"]: i["media_code"] for i in done.report["items"]} == codes

    put(b, "p-1", "picture", None)
    put(b, "p-2", "picture", codes["p-3"])
    b.file("4.jpg", jpeg("another"))
    b.file("5.jpg", jpeg(5, 3000))
    (b.folder / "6.jpg").unlink()
    os.utime(b.folder / "7.jpg", (1, 1))
    done = b.run("verify", manifest)
    assert done.status == 1
    told = words(done)
    assert told.pop(2) == ("missing", "value_missing")
    assert told.pop(3) == ("differs", "value_differs")
    assert "3.jpg, not 2.jpg" in done.item(3)["error"]["message"]
    # Known without a download: the ledger has the digest of what was sent.
    assert told.pop(5) == ("differs", "value_differs")
    assert "SHA-256" in done.item(5)["error"]["message"]
    assert told.pop(6) == ("differs", "value_differs")
    assert "3,000" in done.item(6)["error"]["message"]
    assert told.pop(7) == ("invalid", "file_missing")
    assert set(told.values()) == {("held", None)}
    summary = done.report["summary"]
    assert [summary[k] for k in ("total", "held", "differs", "missing", "invalid")] == [12, 7, 3, 1, 1]
    assert all(i["error"]["hint"] for i in done.report["items"] if i["error"])


@pytest.mark.long
def test_without_a_ledger_name_and_size_decide_and_deep_the_bytes(bench: Bencher) -> None:
    b = bench()
    manifest = twelve(b)
    assert b.upload(manifest, "--no-state").status == 0
    b.file("1.jpg", jpeg("same size, other bytes"))
    assert b.run("verify", manifest, "--no-state").status == 0
    before = calls(b).get("GET /media-files/{code}/download", 0)
    deep = b.run("verify", manifest, "--no-state", "--deep")
    assert deep.status == 1
    assert [i["line"] for i in deep.report["items"] if i["status"] != "held"] == [2]
    assert words(deep)[2] == ("differs", "value_differs")
    assert before == 0
    assert b.sandbox.stats()["media_files"] == 12


@pytest.mark.long
def test_what_the_ledger_knows_saves_calls_but_never_weakens_deep(bench: Bencher) -> None:
    b = bench()
    manifest = twelve(b)
    assert b.upload(manifest).status == 0
    before = b.sandbox.stats()["total"]
    assert b.run("verify", manifest).report["summary"]["held"] == 12
    assert b.sandbox.stats()["total"] - before <= 6
    # The bytes that the PIM keeps go bad: only a download can tell.
    code = b.held()["p-3", "picture", None, None]["media_code"]
    b.sandbox.inside(lambda: spoil(b, code))
    assert b.run("verify", manifest).status == 0
    deep = b.run("verify", manifest, "--deep")
    assert [i["line"] for i in deep.report["items"] if i["status"] == "differs"] == [4]


def spoil(b: Bench, code: str) -> None:
    path = b.sandbox.store.media.path(code)
    path.write_bytes(bytes(reversed(path.read_bytes())))


@pytest.mark.long
def test_what_is_found_missing_is_sent_by_the_next_upload(bench: Bencher) -> None:
    b = bench()
    manifest = twelve(b)
    assert b.upload(manifest).status == 0
    put(b, "p-1", "picture", None)
    assert b.upload(manifest, "--skip", "ledger").report["summary"]["unchanged"] == 12  # It asks nobody.
    assert b.run("verify", manifest).status == 1
    again = b.upload(manifest)
    assert again.statuses() == {"total": 12, "uploaded": 1, "unchanged": 11}
    assert b.run("verify", manifest, "--deep").status == 0


@pytest.mark.long
def test_verify_is_a_run_like_others(bench: Bencher) -> None:
    b = bench()
    manifest = twelve(b)
    b.run("verify", manifest)
    assert "12 missing" in b.run("runs", "list", report=False).out
    assert b.run("runs", "show", "last").report["summary"]["missing"] == 12


def test_verify_rehearses_too(bench: Bencher) -> None:
    b = bench()
    done = b.run("verify", twelve(b), "--sandbox")
    assert done.report["summary"]["missing"] == 12
    assert b.sandbox.stats()["total"] == 0


@pytest.mark.parametrize(
    "fault", ["503=3x@media-files", "reset-early=1x@products", "401=2x", "429-no-retry-after=1x"]
)
@pytest.mark.long
def test_trouble_on_the_way_is_tried_again(bench: Bencher, fault: str) -> None:
    b = bench()
    manifest = twelve(b)
    assert b.upload(manifest, "--no-state").status == 0
    order(b, fault)
    done = b.run("verify", manifest, "--no-state", "--deep")
    assert done.status == 0, done.err
    assert done.report["summary"]["held"] == 12


@pytest.mark.long
def test_rows_that_nobody_could_look_up_stay_pending(bench: Bencher) -> None:
    b = bench()
    manifest = twelve(b)
    assert b.upload(manifest, "--no-state").status == 0
    order(b, "503=1@media-files")
    done = b.run("verify", manifest, "--no-state", "--retries", "0")
    assert done.status == 5, done.err
    assert done.report["summary"]["pending"] == 12
    b.sandbox.store.options.faults.faults.clear()
    assert b.run("verify", manifest, "--no-state").status == 0


@pytest.mark.long
def test_a_refused_batch_fails_its_rows_and_is_no_defect(bench: Bencher) -> None:
    b = bench()
    manifest = twelve(b)
    order(b, "403-html=1@products")
    for arguments in (("verify", manifest), ("upload", manifest)):
        done = b.run(*arguments)
        assert done.status == 1, done.err
        assert {kind for _, kind in words(done).values()} == {"blocked"}


def test_calls_in_flight_are_those_of_an_upload(bench: Bencher) -> None:
    b = bench()
    lines = ["product,attribute,file"]
    lines += [f"p-{n},picture,{b.file(f'{n}.jpg', jpeg(n))}" for n in range(1, 25)]
    manifest = b.manifest(lines)
    assert b.upload(manifest, "--no-state").status == 0
    b.sandbox.store.options.latency = 0.02
    assert b.run("verify", manifest, "--no-state", "--concurrency", "3").status == 0
    assert b.sandbox.stats()["most_in_flight"] <= 4


@pytest.mark.long
def test_models_and_variants_and_locales(bench: Bencher) -> None:
    b = bench()
    b.file("a.jpg", jpeg(1))
    rows = ["product,product_model,attribute,locale,scope,file", ",M-1,picture,,,a.jpg", "v-1,,shot,,,a.jpg",
            "P-1,,manual,fr_fr,ECOMMERCE,a.jpg"]  # fmt: skip
    manifest = b.manifest(rows)
    assert b.upload(manifest, "--verify").status == 0
    assert b.run("verify", manifest, "--no-state").report["summary"]["held"] == 3


@pytest.mark.long
def test_a_user_who_may_not_read_products_cannot_verify(bench: Bencher) -> None:
    b = bench(catalogue(12, connections={"main": {}, "sightless": {"list_products": False}}))
    manifest = twelve(b)
    who = b.sandbox.connections["sightless"]
    env = {f"AKENEO_{name.upper()}": value for name, value in who.as_dict().items()}
    done = b.run("verify", manifest, env=env)
    assert done.status == 4, done.err
    assert "right to list products" in done.err
    assert done.report["summary"]["pending"] == 12
    insisted = b.upload(manifest, "--verify", env=env)
    assert insisted.status == 4
    assert insisted.report["summary"]["uploaded"] == 12
    by_default = b.upload(manifest, "--force", env=env)
    assert by_default.status == 0, by_default.err
    assert "None of the 12 values sent was read back" in by_default.err


# `upload --verify`


class Careless:
    """A writer that names one product again and again, whatever others do to it meanwhile."""

    def __init__(self, b: Bench, product: str, until: int) -> None:
        """It ends once the PIM has got `until` files."""
        self._bench, self._product, self._until = b, product, until
        self._thread = threading.Thread(target=self._work)

    def __enter__(self) -> Careless:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join()

    def _work(self) -> None:
        turn = 0
        with client_of(self._bench) as client:
            while self._landed() < self._until:
                turn += 1
                name = [{"locale": None, "scope": None, "data": f"name {turn}"}]
                client.patch_products([{"identifier": self._product, "values": {"name": name}}])

    def _landed(self) -> int:
        return self._bench.sandbox.inside(lambda: len(self._bench.sandbox.store.media.on_disk))


@pytest.mark.long
def test_values_that_another_writer_took_away_are_sent_again(bench: Bencher) -> None:
    b = bench(save_time=0.05)
    lines = ["product,attribute,file"]
    lines += [f"p-1,picture_{n},{b.file(f'{n}.jpg', jpeg(n))}" for n in range(1, 9)]
    # Enough besides for the other writer to be done before the values are read.
    lines += [f"p-{n},picture,{b.file(f'{n}.jpg', jpeg(n))}" for n in range(11, 51)]
    manifest = b.manifest(lines)
    with Careless(b, "p-1", until=40):
        done = b.upload(manifest, "--progress", "none")
    again = [i for i in done.report["items"] if SENT_AGAIN in i["notes"]]
    assert again, "the other writer did no harm: the test proves nothing"
    assert done.status == 0, done.err
    assert "All 48 values were read back from the PIM." in done.err
    assert done.report["summary"]["read_back"] == 48
    held = b.held()
    assert all(held["p-1", f"picture_{n}", None, None]["sha256"] == sha256(jpeg(n)) for n in range(1, 9))
    assert all(i["attempts"] == 2 for i in again)


@pytest.mark.long
def test_reading_back_takes_few_calls(bench: Bencher) -> None:
    b = bench()
    manifest = twelve(b)
    plain = b.upload(manifest, "--force", "--no-verify").report["summary"]["requests"]
    verified = b.upload(manifest, "--force").report["summary"]["requests"]
    assert verified == plain + 1


@pytest.mark.long
def test_a_product_that_is_gone_is_not_unchanged(bench: Bencher) -> None:
    b = bench()
    manifest = twelve(b)
    assert b.upload(manifest).status == 0
    b.sandbox.inside(lambda: remove(b, "p-1"))
    done = b.upload(manifest)
    assert done.kinds() == {2: "target_unknown"}
    assert "p-1" in done.item(2)["error"]["message"]


def remove(b: Bench, product: str) -> None:
    entities = b.sandbox.store.entities
    entity: Any = entities.product(product)
    entities.remove(entity)


@pytest.mark.long
def test_values_that_cannot_be_read_back_are_not_taken_for_proven(bench: Bencher) -> None:
    b = bench()
    manifest = twelve(b)
    order(b, "503=1@products")
    # Without the preflight the only search is the one that reads back.
    done = b.upload(manifest, "--no-preflight", "--retries", "0")
    assert done.status == 5, done.err
    assert done.statuses() == {"total": 12, "uploaded": 12}
    assert "could not be" in done.err


@pytest.mark.long
def test_a_pim_that_went_down_is_not_asked_to_read_back(bench: Bencher) -> None:
    b = bench(down_after=8)
    done = b.upload(twelve(b), "--verify", "--retries", "0", "--concurrency", "1")
    assert done.status == 5, done.err
    assert done.report["summary"]["uploaded"] > 0
    assert done.report["summary"]["uploaded"] + done.report["summary"]["pending"] == 12
    assert sum(b.sandbox.stats()["calls"]["GET /products"].values()) == 1


@pytest.mark.long
def test_a_dry_run_reads_nothing_back(bench: Bencher) -> None:
    b = bench()
    done = b.upload(twelve(b), "--verify", "--dry-run")
    assert done.statuses() == {"total": 12, "planned": 12}
