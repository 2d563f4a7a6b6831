"""Reports that take their place whole, and what is left of those that were not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from akeneo_media_cli.report.atomic import replacing

WRITES = """
import sys
from pathlib import Path
from akeneo_media_cli.report.atomic import replacing
with replacing(Path(sys.argv[1])) as out:
    out.write("half")
    out.flush()
    print("writing", flush=True)
    sys.stdin.read()
"""

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a lock of POSIX tells who lives")


def left_in(folder: Path) -> list[Path]:
    return sorted(folder.glob(".akeneo-media-*.tmp"))


def age(path: Path) -> None:
    os.utime(path, (0, 0))


def test_what_a_killed_process_left_is_swept_and_nothing_else(tmp_path: Path) -> None:
    place = tmp_path / "report.json"
    others = [tmp_path / name for name in (".akeneo-media-mine.tmp", ".akeneo-media-0123456789ab.part")]
    for other in others:
        other.touch()
        age(other)
    young = tmp_path / ".akeneo-media-0123456789ab.tmp"
    young.touch()
    link = tmp_path / ".akeneo-media-ffffffffffff.tmp"
    link.symlink_to(others[0])
    with subprocess.Popen(
        [sys.executable, "-c", WRITES, str(place)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as writer:
        assert writer.stdout is not None
        writer.stdout.readline()
        (written,) = set(left_in(tmp_path)) - {young, link, others[0]}
        age(written)
        with replacing(place) as out:
            out.write("whole")
        assert written.exists(), "its process lives"
        writer.send_signal(signal.SIGKILL)
        writer.wait(20)
        with replacing(place) as out:
            out.write("whole")
    assert not written.exists()
    assert place.read_text() == "whole"
    assert [each.exists() for each in (*others, young, link)] == [True] * 4
    assert left_in(tmp_path) == sorted([others[0], young, link])
