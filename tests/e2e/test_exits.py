"""The exit statuses: each number, and which one wins where several apply."""

from __future__ import annotations

import itertools
import signal

import pytest

from akeneo_media_cli.exits import Exit, worst
from akeneo_media_cli.sandbox import parse_faults

from ..pim.server import Server, refuses
from .conftest import Bencher, jpeg
from .many import change, many, running, wait_for_uploads

ORDER = [70, 6, 2, 3, 4, 130, 143, 1, 5, 0]
"""Where several apply, the first of this order is given."""


def test_every_pair_goes_by_the_contracts_order() -> None:
    assert sorted(ORDER) == sorted(map(int, Exit))
    for first, second in itertools.product(Exit, Exit):
        assert worst(first, second) is min(first, second, key=lambda status: ORDER.index(int(status)))
    assert worst() is Exit.OK


def test_0_1_2_3_and_5_in_one_pim(bench: Bencher) -> None:
    """6 and 130, 143 are in test_resume, 70 in test_surroundings."""
    b = bench()
    good = b.manifest(["product,attribute,file", f"p-1,picture,{b.file('a.jpg', jpeg(1))}"], "good.csv")
    mixed = b.manifest(["product,attribute,file", "p-1,picture,a.jpg", "nobody,picture,a.jpg"], "mixed.csv")
    headless = b.manifest(["product,attribute", "p-1,picture"], "headless.csv")
    assert b.upload(good, "--dry-run").status == 0
    assert b.upload(mixed, "--dry-run").status == 1
    assert b.upload(good).status == 0
    assert b.upload(mixed).status == 1
    assert b.upload(good, "--concurrency", "0").status == 2
    assert b.upload(good, "--no-such-option").status == 2
    assert b.upload(headless).status == 3
    assert b.upload("nowhere.csv").status == 3
    assert b.upload(mixed, "--strict").status == 3
    change(b, down=True)
    assert b.upload(good, "--force", "--retries", "0").status == 5


def test_wrong_usage_goes_before_an_unusable_manifest(bench: Bencher) -> None:
    b = bench()
    assert b.upload("nowhere.csv", env={"AKENEO_PASSWORD": ""}).status == 2
    assert b.upload("nowhere.csv", "--report", "x.doc").status == 2


@pytest.mark.parametrize("name", ["upload", "validate", "verify", "download"])
def test_standard_input_needs_a_format_where_its_beginning_tells_none(bench: Bencher, name: str) -> None:
    b = bench()
    lines = "p-1 picture a.jpg\n"
    done = b.run(name, "-", stdin=lines)
    assert done.status == 2
    assert "--format csv" in done.err
    # A file whose name does not tell is a manifest that cannot be used.
    (b.folder / "manifest").write_text(lines)
    assert b.run(name, "manifest").status == 3


def test_an_unusable_manifest_goes_before_refused_credentials(bench: Bencher) -> None:
    b = bench()
    assert b.upload("nowhere.csv", env={"AKENEO_PASSWORD": "no"}).status == 3


def test_refused_credentials_go_before_invalid_rows(bench: Bencher) -> None:
    b = bench()
    manifest = b.manifest(
        ["product,attribute,file", f"p-1,picture,{b.file('a.jpg', jpeg(1))}", "p-2,picture,gone.jpg"]
    )
    done = b.upload(manifest, env={"AKENEO_PASSWORD": "no"})
    assert done.status == 4
    assert done.statuses() == {"total": 2, "pending": 1, "invalid": 1}
    assert done.report["exit_status"] == 4


@pytest.mark.long
def test_failed_rows_go_before_pending_ones(bench: Bencher) -> None:
    b = bench(faults=parse_faults(["413-html=2x@media-files"]), down_after=40)
    done = b.upload(many(b, 80), "--retries", "0")
    assert done.statuses().keys() == {"total", "uploaded", "failed", "pending"}
    assert done.status == 1


def test_an_interruption_goes_before_invalid_rows(bench: Bencher) -> None:
    b = bench(save_time=0.1)
    manifest = many(b, 40)
    with (b.folder / manifest).open("a", encoding="utf-8") as file:
        file.write("p-100,picture_1,gone.jpg\n")
    with running(b, "upload", manifest, "--report", "r.json") as process:
        wait_for_uploads(b, 3, process)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
    assert '"invalid": 1' in (b.folder / "r.json").read_text("utf-8")


def test_a_message_of_the_pim_cannot_steer_the_terminal(bench: Bencher) -> None:
    b = bench()
    evil = refuses(422, "No user found\x1b[2J\x1b]0;owned\x07 for \u202egpj")
    with Server(lambda r: evil, tokens=lambda r: evil) as proxy:
        b.file("a.jpg", jpeg(1))
        done = b.upload(
            b.manifest(["product,attribute,file", "p-1,picture_1,a.jpg"]), env={"AKENEO_URL": proxy.url}
        )
    assert done.status == 4
    assert "No user found\\x1b[2J" in done.err
    assert not set(done.err) & set("\x1b\x07\u202e")
