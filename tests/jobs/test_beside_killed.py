"""Killed after any of its requests, the same upload of linked assets completes when it is run again."""

from __future__ import annotations

import multiprocessing
import signal
import sys
from pathlib import Path

import pytest

from akeneo_media_cli.exits import Exit
from akeneo_media_cli.sandbox import SandboxOptions, start_sandbox

from ..e2e.test_assets import shop
from .desk import Address, Desk
from .test_beside import held, put, values

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL"),
    pytest.mark.slow,
    pytest.mark.timeout(600),
]
HEADER = "asset_family,asset,attribute,file,value.label-en_US,link_product,link_product_model,link_attribute"


def _upload(desk: Desk) -> Exit:
    rows = [
        f"photos,k_{n},media,{desk.file(f'k{n}')},Label {n},{product},{model},{attribute}"
        for n, (product, model, attribute) in enumerate(
            [("p-1", "", "gallery"), ("p-2", "", "gallery"), ("", "m-1", "looks"), ("p-1", "", "gallery")]
        )
    ]
    rows.append("photos,old,,,Renamed,p-2,,gallery")
    return desk.upload(desk.manifest(HEADER, *rows), concurrency=2).status


def _killed(address: Address, folder: Path, requests: int) -> None:
    desk = Desk(address, folder)
    desk.kill_after(requests)
    _upload(desk)
    desk.close()


def test_killed_after_any_request_the_same_upload_completes(tmp_path: Path) -> None:
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(["tests.jobs.test_beside_killed"])
    killed = 0
    while True:
        catalogue = shop(assets=[{"asset_family": "photos", "code": code} for code in ("old", "theirs")])
        with start_sandbox(catalogue, options=SandboxOptions(save_time=0)) as sandbox:
            folder = tmp_path / str(killed)
            folder.mkdir()
            desk = Desk(sandbox, folder, sleep=lambda _: None)
            put(desk, "p-1", "theirs")
            desk.close()
            address = Address(sandbox.url, sandbox.credentials)
            process = processes.Process(target=_killed, args=(address, folder, killed + 1))
            process.start()
            process.join()
            # Nothing is at work any more: every request was answered.
            desk = Desk(sandbox, folder, sleep=lambda _: None)
            if process.exitcode != 0:
                assert process.exitcode == -signal.SIGKILL
                assert _upload(desk) is Exit.OK
            assert held(desk, "p-1") == ("theirs", "k_0", "k_3")
            assert held(desk, "p-2") == ("k_1", "old")
            assert [values(desk, "photos", f"k_{n}")["label-en_US"] for n in range(4)] == [
                f"Label {n}" for n in range(4)
            ]
            assert values(desk, "photos", "old")["label-en_US"] == "Renamed"
            model = desk.other.get_product_model("m-1")
            assert model is not None
            assert model.codes("looks") == ("k_2",)
            with desk.counted() as calls:
                assert _upload(desk) is Exit.OK
            assert not [call for call in calls if not call.startswith("GET ")]
            desk.close()
        if process.exitcode == 0:
            break
        killed += 1
    assert killed > 20, "the catalogue, four uploads, and reads and PATCHes of assets, products and a model"
