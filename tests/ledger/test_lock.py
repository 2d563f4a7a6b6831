"""One run at a time: who holds the ledger, and for how long."""

from __future__ import annotations

import errno
import os
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from akeneo_media_cli.errors import LedgerError, LedgerLockedError
from akeneo_media_cli.exits import Exit

from .ledger_rows import opened, planned, python


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "pim.sqlite"


@pytest.fixture
def holder(path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process in the middle of a run on `path`."""
    script = """
        from akeneo_media_cli.ledger import InFlightMark
        ledger = opened(path, Clock())
        run = ledger.start_run("upload", {})
        run.add([planned(1)])
        run.mark_in_flight([InFlightMark(1, "before")])
        print("ready", flush=True)
        sys.stdin.read()
    """
    with python(script, path) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process
        process.kill()


class TestLock:
    def test_a_second_run_is_told_at_once_who_holds_it(
        self, path: Path, holder: subprocess.Popen[str]
    ) -> None:
        with pytest.raises(LedgerLockedError) as caught:
            opened(path)
        assert caught.value.exit_status is Exit.LOCKED
        assert f"process {holder.pid} on " in caught.value.message
        assert "(upload) has held it since 2026-11-23 12:00:00 UTC" in caught.value.message

    def test_another_name_of_the_file_is_the_same_lock(
        self, path: Path, holder: subprocess.Popen[str], tmp_path: Path
    ) -> None:
        link = tmp_path / "link.sqlite"
        link.symlink_to(path)
        with pytest.raises(LedgerLockedError):
            opened(link)

    @pytest.mark.parametrize(
        "text", ["", "[]", "{", '{"pid": 1}', '{"since": 1e99, "pid": 1, "host": "", "command": ""}']
    )
    def test_told_without_a_name_if_the_holder_left_none(
        self, path: Path, holder: subprocess.Popen[str], text: str
    ) -> None:
        path.with_name("pim.sqlite.holder").write_text(text)
        with pytest.raises(LedgerLockedError, match="another process is using it"):
            opened(path)

    def test_reading_goes_on_beside_a_run(self, path: Path, holder: subprocess.Popen[str]) -> None:
        with opened(path, exclusive=False) as ledger:
            (info,) = ledger.runs()
            assert (info.state, info.pid) == ("running", holder.pid)
            assert [item["file"] for item in ledger.record("last").items()] == ["images/1.jpg"]
            with pytest.raises(LedgerError, match="cannot be used"):
                ledger.start_run("upload", {})

    def test_a_killed_process_holds_nobody_and_its_run_is_interrupted(
        self, path: Path, holder: subprocess.Popen[str]
    ) -> None:
        holder.kill()
        holder.wait()
        with opened(path, exclusive=False) as ledger:
            assert ledger.run("last").state == "interrupted"
        with opened(path) as ledger:
            assert ledger.run("last").state == "interrupted"
            run = ledger.start_run("upload", {})
            run.add([planned(1)])
            assert [(i.before, i.name) for i in run.interrupted()] == [("before", "1.jpg")]

    def test_an_unfinished_run_is_interrupted_later(self, path: Path) -> None:
        with opened(path) as ledger:
            ledger.start_run("upload", {})
            assert ledger.run("last").state == "running"
        with opened(path) as ledger:
            assert ledger.run("last").state == "interrupted"
        assert not path.with_name("pim.sqlite.holder").exists()

    def test_a_process_of_another_user_or_host_counts_as_alive(
        self, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with opened(path) as ledger:
            ledger.start_run("upload", {})

            def refused(pid: int, number: int) -> None:
                raise PermissionError

            monkeypatch.setattr(os, "kill", refused)
            assert ledger.run("last").state == "running"
            monkeypatch.undo()
            with sqlite3.connect(path) as connection:
                connection.execute("UPDATE run SET host = 'elsewhere', pid = 99999999")
            connection.close()
            assert ledger.run("last").state == "running"

    @pytest.mark.parametrize("number", [errno.ENOSYS, errno.EOPNOTSUPP])
    def test_a_file_system_without_locks_is_told_as_such(
        self, path: Path, monkeypatch: pytest.MonkeyPatch, number: int
    ) -> None:
        import fcntl

        def missing(fd: int, operation: int) -> None:
            raise OSError(number, os.strerror(number))

        monkeypatch.setattr(fcntl, "flock", missing)
        for _ in range(2):
            with pytest.raises(LedgerError, match=rf"cannot lock .*{os.strerror(number)}"):
                opened(path)
        monkeypatch.undo()
        opened(path).close()
