"""Killed after any of its requests, the same undo or removal completes when it is run again."""

from __future__ import annotations

import multiprocessing
import signal
import sys
from pathlib import Path

import pytest

from akeneo_media_cli.exits import Exit
from akeneo_media_cli.rows import Target, TargetType
from akeneo_media_cli.sandbox import SandboxOptions, start_sandbox

from .desk import Address, Desk, Value
from .test_setting import CATALOGUE, patched

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")

VALUES = [Value(Target(TargetType.PRODUCT, f"p-{n}"), "picture") for n in range(1, 103)]
"""Two batches of them."""


def _killed(address: Address, folder: Path, run: str, requests: int) -> None:
    """Undo a run, or remove all without one, and be killed after so many requests."""
    desk = Desk(address, folder)
    desk.kill_after(requests)
    if run:
        desk.undo(run)
    else:
        desk.remove(VALUES)
    desk.close()


@pytest.mark.parametrize(
    ("command", "step"),
    [
        ("undo", 3),
        pytest.param("undo", 1, marks=pytest.mark.slow),
        pytest.param("remove", 1, marks=pytest.mark.slow),
    ],
)
def test_killed_after_any_request_the_same_command_completes(command: str, step: int, tmp_path: Path) -> None:
    """Or, in the quick suite, after every third."""
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(["tests.jobs.test_killed"])
    with start_sandbox(CATALOGUE, options=SandboxOptions(save_time=0)) as sandbox:
        address = Address(sandbox.url, sandbox.credentials)
        desk = Desk(sandbox, tmp_path)
        desk.upload(dict.fromkeys(VALUES, "old"))
        old = desk.held()
        run = desk.upload(dict.fromkeys(VALUES, "new")).run
        new = desk.held()
        wanted = old if command == "undo" else {}
        after = killed = 0
        while True:
            desk.close()
            after += step
            process = processes.Process(
                target=_killed, args=(address, tmp_path, run if command == "undo" else "", after)
            )
            process.start()
            process.join()
            # Nothing is at work any more: every request was answered.
            desk = Desk(sandbox, tmp_path, sleep=lambda _: None)
            if process.exitcode == 0:
                break
            assert process.exitcode == -signal.SIGKILL
            killed += 1
            again = desk.undo(run) if command == "undo" else desk.remove(VALUES)
            assert again.status is Exit.OK
            assert desk.held() == wanted
            patched(desk, new)
        assert killed >= 6 // step, "logging in, the catalogue, and for two batches reads and PATCHes"
        assert desk.held() == wanted
        desk.close()
