"""Taking back what was done: `runs undo`, and `remove`, which can be undone too."""

from __future__ import annotations

import json
import signal
import urllib.request
from typing import Any

import pytest

from .conftest import Bench, Bencher, Done, jpeg, sha256
from .many import running, wait_for

HEADER = "product,product_model,product_uuid,attribute,file"


def rows(b: Bench, count: int, seed: str) -> list[str]:
    """A row a product, each with its own file; every tenth goes to a model's own value or a variant."""
    lines = [HEADER]
    for n in range(1, count + 1):
        file = b.file(f"{seed}/{n}.jpg", jpeg(f"{seed}{n}"))
        lines.append(f"p-{n},,,picture,{file}")
    return lines


def pictures(b: Bench) -> dict[tuple[Any, ...], str]:
    """The bytes that every value holds, as their digest."""
    return {key: value["sha256"] for key, value in b.held().items()}


def patch(b: Bench, identifier: str, code: str | None) -> None:
    """Another client sets a value."""
    who = b.sandbox.credentials
    token = json.loads(_call(b, "/api/oauth/v1/token", {"grant_type": "password", "username": who.username,
                             "password": who.password, "client_id": who.client_id,
                             "client_secret": who.client_secret}))["access_token"]  # fmt: skip
    value = [{"locale": None, "scope": None, "data": code}]
    body = {"values": {"picture": value}}
    _call(b, f"/api/rest/v1/products/{identifier}", body, method="PATCH", token=token)


def _call(b: Bench, path: str, body: Any, method: str = "POST", token: str | None = None) -> bytes:
    headers = {"Content-Type": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    request = urllib.request.Request(b.sandbox.url + path, json.dumps(body).encode(), headers, method=method)
    with urllib.request.urlopen(request) as answer:
        return bytes(answer.read())


def undo(b: Bench, *arguments: str) -> Done:
    return b.run("runs", "undo", *arguments, "--yes")


def test_a_run_is_taken_back_but_not_what_others_changed_since(bench: Bencher) -> None:
    b = bench()
    first = b.upload(b.manifest(rows(b, 40, "old")))
    assert first.statuses() == {"total": 40, "uploaded": 40}
    before = pictures(b)
    second = b.upload(b.manifest(rows(b, 60, "new")))
    assert second.statuses() == {"total": 60, "uploaded": 60}
    other = first.item(5)["media_code"]
    patch(b, "p-10", None)
    patch(b, "p-60", other)
    done = undo(b, "last")
    assert done.status == 1, done.err
    counts = done.report["summary"]
    assert (counts["total"], counts["restored"], counts["failed"]) == (60, 58, 2)
    assert set(done.kinds().values()) == {"changed_in_pim"}
    now = pictures(b)
    theirs = now.pop(("p-60", "picture", None, None))
    assert theirs == sha256(jpeg("old4"))
    del before[("p-10", "picture", None, None)]
    assert now == before, "as it was before the run, but for the two that somebody changed"
    assert b.sandbox.stats()["calls"]["PATCH /products"] == {"200": 1}
    again = undo(b, done.report["run"])
    assert again.report["summary"]["restored"] == 58
    assert pictures(b)[("p-1", "picture", None, None)] == sha256(jpeg("new1"))
    assert pictures(b)[("p-55", "picture", None, None)] == sha256(jpeg("new55"))


@pytest.mark.long
def test_only_narrows_an_undo_to_a_manifest(bench: Bencher) -> None:
    b = bench()
    b.upload(b.manifest(rows(b, 5, "new")))
    b.manifest(["sku,attribute", "P-2,picture", "p-4,picture"], "some.csv")
    done = undo(b, "last", "--only", "some.csv")
    assert done.report["summary"]["total"] == 2
    assert {key[0] for key in pictures(b)} == {"p-1", "p-3", "p-5"}


@pytest.mark.long
def test_a_dry_run_changes_nothing_and_says_what_would_be(bench: Bencher) -> None:
    b = bench()
    b.upload(b.manifest(rows(b, 3, "new")))
    held = pictures(b)
    done = b.run("runs", "undo", "last", "--dry-run")
    assert (done.status, done.statuses()) == (0, {"total": 3, "planned": 3})
    assert "dry run" in done.err
    assert pictures(b) == held
    refused = undo(b, done.report["run"])
    assert refused.status == 2
    assert "dry run" in refused.err
    assert undo(b, "last").report["summary"]["restored"] == 3, "a dry run is not the last run"


@pytest.mark.long
def test_without_a_terminal_it_asks_for_yes(bench: Bencher) -> None:
    b = bench()
    b.upload(b.manifest(rows(b, 1, "new")))
    for command in (["runs", "undo", "last"], ["remove", "manifest.csv"]):
        done = b.run(*command, report=False)
        assert done.status == 2
        assert "--yes" in done.err
    assert len(pictures(b)) == 1


@pytest.mark.slow
def test_killed_in_the_middle_of_a_patch_the_same_command_completes(bench: Bencher) -> None:
    b = bench(save_time=0.02)
    b.upload(b.manifest(rows(b, 150, "old")))
    before = pictures(b)
    b.upload(b.manifest(rows(b, 150, "new")))
    for first, last in ((1, 100), (101, 150)):

        def halfway(first: int = first, last: int = last) -> bool:
            held = pictures(b)
            back = [held[key] == before[key] for key in (_key(first), _key(last))]
            return back == [True, False]

        with running(b, "runs", "undo", "last", "--yes") as victim:
            wait_for(halfway, victim)
            assert victim.poll() is None
            victim.send_signal(signal.SIGKILL)
    done = undo(b, "last")
    assert done.status == 0, done.err
    assert pictures(b) == before


def _key(n: int) -> tuple[Any, ...]:
    return f"p-{n}", "picture", None, None


def test_values_are_removed_in_batches_and_an_undo_brings_them_back(bench: Bencher) -> None:
    b = bench()
    b.upload(b.manifest(rows(b, 110, "new")))
    held = pictures(b)
    b.manifest(["sku,attribute", *(f"p-{n},picture" for n in range(1, 112))], "gone.csv")
    done = b.run("remove", "gone.csv", "--yes")
    assert done.status == 0, done.err
    assert (done.report["summary"]["removed"], done.report["summary"]["unchanged"]) == (110, 1)
    assert pictures(b) == {}
    assert b.sandbox.stats()["calls"]["PATCH /products"]["200"] <= 3
    assert b.sandbox.stats()["products"] == 220, "a batch PATCH creates nothing"
    item = done.item(2)
    assert item["before"]["media_code"]
    assert undo(b, "last").report["summary"]["restored"] == 110
    assert pictures(b) == held


@pytest.mark.long
def test_a_run_that_changed_nothing_cannot_be_undone(bench: Bencher) -> None:
    b = bench()
    b.manifest(rows(b, 1, "new"))
    done = b.run("verify", "manifest.csv")
    refused = undo(b, done.report["run"])
    assert refused.status == 2
    assert "change" in refused.err
