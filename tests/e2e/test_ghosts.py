"""Calls that nobody got the answer of: what they are at work on is left alone until it has settled
(docs/pim-behaviour.md, "When the answer is lost")."""

from __future__ import annotations

import random
import re
import signal
from dataclasses import dataclass

import pytest
import requests

from akeneo_media_cli.sandbox import FaultPlan

from ..pim.server import Reply, Request, Server, says
from .conftest import Bench, Bencher, jpeg, sha256
from .many import change, in_flight, received, running, uploads, wait_for
from .test_share import sends
from .test_uuid import U, by_uuid, carried, mixed

CARRIER = ("p-5", "picture", None, None)


@dataclass
class Refusing(FaultPlan):
    """A fault for the next `left` calls that write to one endpoint, or read from it."""

    kind: str = "500"
    endpoint: str = "/products"
    left: int = 10**9
    writes: bool = True

    def pick(self, path: str, has_body: bool, rng: random.Random) -> str | None:
        if has_body is not self.writes or not path.endswith(self.endpoint) or self.left <= 0:
            return None
        self.left -= 1
        return self.kind


def none_met(b: Bench) -> None:
    """No two calls were at work on one product or file name, and no value was lost by it."""
    stats = b.sandbox.stats()
    assert (stats["most_in_flight_per_entity"], stats["most_in_flight_per_name"]) == (1, 1)
    assert stats["lost_values"] == 0


@pytest.mark.parametrize("how", ["kill", "interrupts"])
@pytest.mark.long
def test_another_manifest_waits_for_what_a_run_that_was_cut_off_left_at_work(
    bench: Bencher, how: str
) -> None:
    b = bench(save_time=2.0)
    first = b.manifest(["product,attribute,file", f"p-1,picture_1,{b.file('1.jpg', jpeg(1))}"], "1.csv")
    second = b.manifest(["product,attribute,file", f"p-1,picture_2,{b.file('2.jpg', jpeg(2))}"], "2.csv")
    with running(b, "upload", first, "--progress", "json") as process:
        wait_for(lambda: received(b) > 2000, process)
        if how == "interrupts":
            assert process.stderr is not None
            process.send_signal(signal.SIGINT)
            next(line for line in process.stderr if "Interrupted" in line)
            process.send_signal(signal.SIGINT)
            assert process.wait(60) == 130
    assert in_flight(b) == 1
    change(b, save_time=0.01)
    done = b.upload(second)
    assert done.status == 0, done.err
    none_met(b)
    assert {b.held()["p-1", f"picture_{n}", None, None]["sha256"] for n in (1, 2)} == {
        sha256(jpeg(1)),
        sha256(jpeg(2)),
    }


@pytest.mark.long
def test_a_save_that_outlasts_the_time_out_is_waited_for_in_proportion(bench: Bencher) -> None:
    b = bench(save_time=3.6)
    lines = [f"p-1,picture_{n},{b.file(f'{n}.jpg', jpeg(n))}" for n in (1, 2)]
    manifest = b.manifest(["product,attribute,file", *lines])
    with running(b, "upload", manifest, "--timeout", "1", "--report", "r.json") as process:
        wait_for(lambda: received(b) > 2000, process)
        wait_for(lambda: in_flight(b) == 1, process)
        change(b, save_time=0.01)
        assert process.wait(60) == 0
    none_met(b)
    assert {v["sha256"] for v in b.held().values()} == {sha256(jpeg(1)), sha256(jpeg(2))}


@pytest.mark.long
def test_the_carrier_of_a_run_that_was_killed_gets_its_own_value_back(bench: Bencher) -> None:
    b = bench(mixed())
    own = b.file("own.jpg", jpeg("own"))
    assert b.upload(b.manifest(["product,attribute,file", f"p-5,picture,{own}"], "own.csv")).status == 0
    change(b, save_time=1.2)
    before = received(b)
    manifest = carried(b, 2)
    with running(b, "upload", manifest, "--carrier", "p-5:picture") as process:
        wait_for(lambda: received(b) > before + 2000, process)
        wait_for(lambda: in_flight(b) == 1, process)
    change(b, save_time=0.01)
    assert b.upload(manifest, "--carrier", "p-5:picture").status == 0
    none_met(b)
    assert b.held()[CARRIER]["sha256"] == sha256(jpeg("own"))


def lending(bench: Bencher) -> tuple[Bench, str]:
    b = bench(mixed())
    own = b.file("own.jpg", jpeg("own"))
    assert b.upload(b.manifest(["product,attribute,file", f"p-5,picture,{own}"], "own.csv")).status == 0
    return b, carried(b, 2)


@pytest.mark.long
def test_a_value_that_could_not_be_put_back_is_not_taken_for_the_carriers_own(bench: Bencher) -> None:
    b, manifest = lending(bench)
    b.sandbox.store.options.faults = Refusing(left=1)
    done = b.upload(manifest, "--carrier", "p-5:picture", "--retries", "0")
    assert done.status == 0, done.err
    assert b.held()[CARRIER]["sha256"] == sha256(jpeg("own"))
    assert [by_uuid(b)[U.format(n), "picture"] for n in (1, 2)] == [sha256(jpeg(n)) for n in (1, 2)]


@pytest.mark.long
def test_a_carrier_that_was_not_given_back_keeps_the_run_from_being_done(bench: Bencher) -> None:
    b, manifest = lending(bench)
    b.sandbox.store.options.faults = Refusing()
    done = b.upload(manifest, "--carrier", "p-5:picture", "--retries", "0")
    assert done.status == 5, done.err
    assert "still holds" in done.err
    # The second row does not come in where the first one's file cannot go out.
    assert done.statuses() == {"total": 2, "uploaded": 1, "pending": 1}
    b.sandbox.store.options.faults = FaultPlan()
    again = b.upload(manifest, "--carrier", "p-5:picture")
    assert (again.status, again.statuses()) == (0, {"total": 2, "uploaded": 1, "unchanged": 1})
    assert b.held()[CARRIER]["sha256"] == sha256(jpeg("own"))
    nothing = b.upload(manifest, "--carrier", "p-5:picture", "--skip", "ledger")
    assert nothing.report["summary"]["requests"] == 0


@pytest.mark.parametrize("second", ["refused", "down"])
@pytest.mark.long
def test_a_row_that_does_not_arrive_leaves_what_is_owed_to_the_carrier(bench: Bencher, second: str) -> None:
    b, manifest = lending(bench)

    class Plan(Refusing):
        uploads = 0

        def pick(self, path: str, has_body: bool, rng: random.Random) -> str | None:
            if path.endswith("/media-files"):
                self.uploads += has_body
                return {"refused": "413-html", "down": "503"}[second] if self.uploads > 1 else None
            return super().pick(path, has_body, rng)

    b.sandbox.store.options.faults = Plan(left=1)
    b.upload(manifest, "--carrier", "p-5:picture", "--retries", "0", "--concurrency", "1")
    b.sandbox.store.options.faults = FaultPlan()
    assert b.upload(manifest, "--carrier", "p-5:picture").status == 0
    assert b.held()[CARRIER]["sha256"] == sha256(jpeg("own"))


@pytest.mark.long
def test_a_carrier_is_not_given_back_while_an_upload_may_be_at_work_there(bench: Bencher) -> None:
    b, manifest = lending(bench)
    change(b, save_time=1.8)
    before = received(b)
    arguments = ("--carrier", "p-5:picture", "--progress", "json")
    with running(b, "upload", manifest, *arguments) as process:
        wait_for(lambda: received(b) > before + 2000, process)
        wait_for(lambda: in_flight(b) == 1, process)
        assert process.stderr is not None
        process.send_signal(signal.SIGTERM)
        next(line for line in process.stderr if "Interrupted" in line)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 143
    change(b, save_time=0.01)
    assert b.upload(manifest, "--carrier", "p-5:picture").status == 0
    none_met(b)
    assert b.held()[CARRIER]["sha256"] == sha256(jpeg("own"))


@pytest.mark.long
def test_a_batch_that_is_looked_up_again_has_each_row_once(bench: Bencher) -> None:
    b = bench(mixed())
    b.file("x.jpg", jpeg("old"))
    before = b.manifest(["uuid,attribute,file", f"{U.format(2)},picture,x.jpg"], "before.csv")
    assert b.upload(before, "--carrier", "p-5:picture", "--no-state").status == 0
    b.file("x.jpg", jpeg("new"))
    lines = [f"{U.format(n)},picture,x.jpg" for n in (1, 2, 11)]
    b.sandbox.store.options.faults = Refusing(kind="503", endpoint="_x.jpg", left=2, writes=False)
    done = b.upload(b.manifest(["uuid,attribute,file", *lines]), "--skip", "remote", "--max-duration", "20s")
    assert done.status == 0, done.err
    assert done.statuses() == {"total": 3, "uploaded": 2, "unchanged": 1}
    assert by_uuid(b)[U.format(1), "picture"] == sha256(jpeg("new"))
    assert b.sandbox.stats()["calls"]["PATCH /products-uuid"] == {"200": 2}


def passed_on(b: Bench, request: Request) -> requests.Response:
    """What the sandbox says to a request that came to a proxy before it."""
    skipped = ("host", "connection", "accept-encoding")
    headers = {k: v for k, v in request.headers.items() if k not in skipped}
    url = b.sandbox.url + request.target
    return requests.request(request.method, url, data=request.body, headers=headers, timeout=60)


@pytest.mark.long
def test_a_row_for_the_carriers_own_value_is_not_undone_by_the_next_file_through_it(bench: Bencher) -> None:
    b, _ = lending(bench)
    lines = [
        f"p-5,,picture,{b.file('new.jpg', jpeg('new'))}",
        f",{U.format(1)},picture,{b.file('1.jpg', jpeg(1))}",
    ]
    manifest = b.manifest(["product,uuid,attribute,file", *lines])
    tries: list[str] = []

    def in_turn(request: Request) -> Reply:
        if request.target.endswith("/media-files"):
            name = "new" if b"new.jpg" in request.body else "guest"
            tries.append(name)
            # The guest is let in once it has tried in vain, and the carrier's own row has got through.
            if tries.count("new") < 2:
                return says(429, {"code": 429, "message": "slow down"})
        got = passed_on(b, request)
        told = {k: got.headers[k] for k in ("Content-Type", "Location") if k in got.headers}
        return Reply(got.status_code, got.content, told)

    with Server(in_turn, tokens=in_turn) as proxy:
        arguments = ("--carrier", "p-5:picture", "--concurrency", "1", "--retries", "20")
        done = b.upload(manifest, *arguments, env={"AKENEO_URL": proxy.url})
    assert done.status == 0, done.err
    assert tries[:2] == ["new", "guest"]
    assert b.held()[CARRIER]["sha256"] == sha256(jpeg("new"))


@pytest.mark.long
def test_a_201_that_names_nothing_has_left_the_file_in_the_carrier_all_the_same(bench: Bencher) -> None:
    b, manifest = lending(bench)

    def without_location(request: Request) -> Reply:
        got = passed_on(b, request)
        return Reply(got.status_code, got.content, {"Content-Type": got.headers.get("Content-Type", "")})

    with Server(without_location, tokens=without_location) as proxy:
        done = b.upload(manifest, "--carrier", "p-5:picture", env={"AKENEO_URL": proxy.url})
    assert done.status == 0, "what it saved is found by looking"
    assert b.held()[CARRIER]["sha256"] == sha256(jpeg("own"))


@pytest.mark.long
def test_a_file_that_cannot_be_compared_is_not_believed_to_be_ours(bench: Bencher) -> None:
    """The PIM's storage is down: uploads are 500, downloads fail; what was there has our name and size."""
    b = bench()
    manifest = b.manifest(["product,attribute,file", f"p-1,picture_1,{b.file('front.jpg', jpeg('old'))}"])
    assert b.upload(manifest, "--no-state").status == 0
    b.file("front.jpg", jpeg("new"))

    class Storage(FaultPlan):
        def pick(self, path: str, has_body: bool, rng: random.Random) -> str | None:
            if path.endswith("/download"):
                return "403-html"
            return "500" if has_body and path.endswith("/media-files") else None

    b.sandbox.store.options.faults = Storage()
    done = b.upload(manifest, "--no-preflight", "--retries", "1")
    assert done.status == 5, done.err
    assert done.statuses() == {"total": 1, "pending": 1}


@pytest.mark.long
def test_what_is_like_a_file_only_by_name_and_size_is_given_to_nobody(bench: Bencher) -> None:
    b = bench()
    front = b.file("front.jpg", jpeg("old"))
    assert (
        b.upload(b.manifest(["product,attribute,file", f"p-1,picture_1,{front}"]), "--no-state").status == 0
    )
    b.file("front.jpg", jpeg("new"))
    lines = [f"p-{n},picture_1,{front}" for n in (1, 2)]
    done = b.upload(b.manifest(["product,attribute,file", *lines]), "--skip", "remote")
    assert done.statuses() == {"total": 2, "uploaded": 1, "unchanged": 1}
    assert b.held()["p-2", "picture_1", None, None]["sha256"] == sha256(jpeg("new"))
    # Nor by a later run, which knows of it from the ledger.
    with (b.folder / "manifest.csv").open("a") as file:
        file.write(f"p-3,picture_1,{front}\n")
    assert b.upload("manifest.csv").status == 0
    assert b.held()["p-3", "picture_1", None, None]["sha256"] == sha256(jpeg("new"))


@pytest.mark.long
def test_reading_back_that_is_refused_leaves_the_run_undone(bench: Bencher) -> None:
    b = bench()
    manifest = b.manifest(["product,attribute,file", f"p-1,picture_1,{b.file('1.jpg', jpeg(1))}"])
    b.sandbox.store.options.faults = Refusing(kind="403-html", endpoint="/products", writes=False)
    done = b.upload(manifest, "--no-preflight", "--verify")
    assert (done.status, done.statuses()) == (5, {"total": 1, "uploaded": 1})
    assert re.search("not every value could be read back: .*403", done.err)
    assert uploads(b) == 1
    assert sends(b) == {"201": 1}
