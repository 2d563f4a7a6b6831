"""Rehearsals need nothing but this machine: no network, no home folder."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROXIES = dict.fromkeys(
    ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"), "http://127.0.0.1:1"
)


@pytest.fixture
def work(tmp_path: Path) -> Path:
    (tmp_path / "m.csv").write_text("sku,attribute,file\na,picture,a.jpg\n")
    (tmp_path / "a.jpg").write_bytes(b"\xff\xd8\xff\xe0 a picture\xff\xd9")
    return tmp_path


@pytest.mark.parametrize("call", [["upload", "m.csv", "--sandbox"], ["demo", "--samples", "."]])
def test_a_proxy_that_nobody_reaches_is_not_asked(command: list[str], work: Path, call: list[str]) -> None:
    done = subprocess.run(
        [*command, *call],
        cwd=work,
        env={**os.environ, **PROXIES},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(shutil.which("setpriv") is None, reason="there is no setpriv to change the account with")
@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="another account needs root")
@pytest.mark.parametrize("call", [["runs", "list"], ["upload", "m.csv"]])
def test_an_account_without_a_home_folder_is_told_about_state(command: list[str], call: list[str]) -> None:
    other = ["setpriv", "--reuid=54321", "--regid=54321", "--clear-groups"]
    if subprocess.run(
        [*other, sys.executable, "-c", ""], cwd="/", check=False, capture_output=True
    ).returncode:
        pytest.skip("another account may not run this Python")
    done = subprocess.run(
        [*other, *command, *call],
        cwd="/",
        env={"PATH": os.environ["PATH"], "AKENEO_URL": "http://127.0.0.1:9", "AKENEO_TOKEN": "x"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2, done.stderr
    assert "no home folder" in done.stderr and "--state" in done.stderr
