"""The ledger's file: whose it is, and what is done when it is broken or cannot be written."""

from __future__ import annotations

import re
import sqlite3
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from akeneo_media_cli.errors import LedgerError
from akeneo_media_cli.exits import Exit
from akeneo_media_cli.ledger import default_path, opening, schema
from akeneo_media_cli.ledger.lock import lock_of

from .ledger_rows import PIM, Clock, Notes, opened, planned, told, uploaded


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "pim.sqlite"


class TestPlace:
    def test_each_pim_has_a_file_of_its_own_that_is_named_after_it(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
        found = default_path("https://My.Cloud.akeneo.com")
        assert re.fullmatch(r"my\.cloud\.akeneo\.com-[0-9a-f]{8}\.sqlite", found.name)
        assert default_path("https://my.cloud.akeneo.com:443/") == found
        others = {
            default_path(url)
            for url in (
                "https://my.cloud.akeneo.com",
                "http://my.cloud.akeneo.com",
                "https://my.cloud.akeneo.com/pim",
                "https://my.cloud.akeneo.com:8443",
                "https://[::1]:8080",
                "https://" + "x" * 300 + ".example",
            )
        }
        assert len(others) == 6
        assert all(len(p.name) < 100 and "/" not in p.name and ":" not in p.name for p in others)

    def test_the_folder_is_made_and_private(self, path: Path) -> None:
        opened(path).close()
        assert path.is_file()
        assert path.parent.stat().st_mode & 0o777 == 0o700

    def test_another_pims_file_is_refused_and_left_as_it_is(self, path: Path) -> None:
        opened(path).close()
        before = path.read_bytes()
        for exclusive in (True, False):
            with pytest.raises(LedgerError, match=r"belongs to the PIM at https://pim\.example\.com, not to"):
                opened(path, pim_url="https://staging.example.com", exclusive=exclusive)
        assert path.read_bytes() == before
        opened(path, pim_url="https://PIM.example.com:443/").close()

    def test_a_file_can_be_read_for_the_pim_that_it_names(self, path: Path) -> None:
        with opened(path) as ledger:
            assert ledger.pim_url == PIM
        with opened(path, pim_url=None, exclusive=False) as ledger:
            assert ledger.pim_url == PIM
        with pytest.raises(ValueError, match="one PIM"):
            opened(path, pim_url=None)

    @pytest.mark.skipif(sys.platform != "linux", reason="tells by /proc which files are open")
    def test_without_state_nothing_stays(self) -> None:
        def unnamed() -> int:
            """Open files of SQLite's that no folder has."""
            links = []
            for each in Path("/proc/self/fd").iterdir():
                with suppress(OSError):  # the one that this folder was read by
                    links.append(str(each.readlink()))
            return sum("etilqs_" in link and link.endswith("(deleted)") for link in links)

        before = unnamed()
        with opened(None) as ledger:
            run = ledger.start_run("upload", {})
            run.add(planned(n) for n in range(1, 20_001))
            assert unnamed() > before
            assert run.summary()["total"] == 20_000
        assert unnamed() == before

    def test_no_secret_is_in_it(self, path: Path) -> None:
        from akeneo_media_cli.secret import Secret

        with opened(path) as ledger:
            run = ledger.start_run("upload", {"connection": {"password": Secret("hunter2hunter2")}})
            run.add([planned(1)])
            run.finish(Exit.OK, {"password": Secret("hunter2hunter2")})
            assert all(b"hunter2" not in file.read_bytes() for file in path.parent.iterdir())


class TestVersions:
    def test_a_newer_file_is_refused_whole(self, path: Path) -> None:
        opened(path).close()
        with sqlite3.connect(path) as connection:
            connection.execute("PRAGMA user_version = 7")
        connection.close()
        for exclusive in (True, False):
            with pytest.raises(
                LedgerError, match=rf"schema version 7, this program knows {len(schema.MIGRATIONS)}"
            ) as caught:
                opened(path, exclusive=exclusive)
            assert "Upgrade" in caught.value.hint
        assert [p.name for p in path.parent.glob("*damaged*")] == []

    @pytest.mark.parametrize("statement", ["CREATE TABLE moz_places (id)", "PRAGMA application_id = 5"])
    def test_another_programs_database_is_left_alone(self, path: Path, statement: str) -> None:
        path.parent.mkdir()
        with sqlite3.connect(path) as connection:
            connection.execute(statement)
        connection.close()
        for exclusive in (True, False):
            with pytest.raises(LedgerError, match="belongs to another program"):
                opened(path, exclusive=exclusive)

    def test_an_older_file_is_brought_up_with_what_is_in_it(
        self, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with opened(path) as ledger:
            run = ledger.start_run("upload", {})
            run.add([planned(1)])
            uploaded(run, 1, "a/1.jpg")

        newest = len(schema.MIGRATIONS)

        def to_the_next(connection: sqlite3.Connection) -> None:
            connection.execute("ALTER TABLE value ADD COLUMN colour TEXT DEFAULT 'red'")
            connection.execute("INSERT INTO meta VALUES ('migrated', 'yes')")

        def broken(connection: sqlite3.Connection) -> None:
            to_the_next(connection)
            raise RuntimeError("power cut")

        def versions(*steps: schema.Migration) -> None:
            known = (*schema.MIGRATIONS[:newest], *steps)
            monkeypatch.setattr(schema, "MIGRATIONS", known)

        versions(broken)
        with pytest.raises(RuntimeError, match="power cut"):
            opened(path)
        versions(to_the_next)
        with opened(path, exclusive=False) as ledger:
            assert ledger.record("last").summary()["uploaded"] == 1
        connection = sqlite3.connect(path)
        assert connection.execute("SELECT media_code, colour FROM value").fetchall() == [("a/1.jpg", "red")]
        assert connection.execute("PRAGMA user_version").fetchone() == (newest + 1,)
        connection.close()

    def test_a_file_of_the_first_version_goes_on(self, path: Path) -> None:
        path.parent.mkdir()
        connection = sqlite3.connect(path)
        schema.MIGRATIONS[0](connection)
        connection.execute(f"PRAGMA application_id = {schema.APPLICATION_ID}")
        connection.execute("PRAGMA user_version = 1")
        connection.commit()
        connection.close()
        with opened(path) as ledger:
            run = ledger.start_run("upload", {})
            run.add(
                [
                    planned(1, path="/a.jpg", name="a.jpg", size=1),
                    planned(2, path="/a.jpg", name="a.jpg", size=1),
                ]
            )
            assert run.mark_shares() == 2
            assert run.borrowed() == []


def fill(path: Path, rows: int = 300) -> None:
    with opened(path) as ledger:
        ledger.start_run("upload", {}).add(planned(seq) for seq in range(1, rows + 1))


class TestDamage:
    """A broken file is kept under another name, and the run begins with a new one."""

    @pytest.mark.parametrize("how", ["garbage", "truncated", "page", "header", "schema"])
    def test_found_at_opening(self, path: Path, how: str) -> None:
        fill(path)
        whole = path.read_bytes()
        broken = {
            "garbage": b"not a database " * 1000,
            "truncated": whole[: len(whole) // 2],
            "page": whole[:20480] + b"\xa5" * 8192 + whole[28672:],
            "header": whole[:16] + b"\0\0\xff\xff" + whole[20:],
            "schema": whole[:100] + b"\xff" * 200 + whole[300:],
        }[how]
        path.write_bytes(broken)
        # Reading alone sets nothing aside.
        with pytest.raises(LedgerError), opened(path, exclusive=False) as ledger:
            ledger.record("last").summary()
        notes = Notes()
        clock = Clock()
        with opened(path, clock, note=notes) as ledger:
            assert ledger.runs() == []
            ledger.start_run("upload", {}).add([planned(1)])
        (note,) = notes
        kept = path.with_name("pim.sqlite.damaged-20261123T120000Z")
        assert kept.name in note
        assert kept.read_bytes() == broken
        with opened(path) as ledger:
            assert len(ledger.runs()) == 1

    def test_the_log_beside_it_is_kept_too_and_no_older_one_lost(self, path: Path) -> None:
        path.parent.mkdir()
        for number in range(3):
            path.write_bytes(b"garbage %d" % number)
            lock_of(path).touch()
            path.with_name("pim.sqlite-wal").write_bytes(b"log %d" % number)
            opened(path).close()
        for number, end in enumerate(("", "-2", "-3")):
            kept = f"pim.sqlite.damaged-20261123T120000Z{end}"
            assert path.with_name(kept).read_bytes() == b"garbage %d" % number
            assert path.with_name(f"{kept}-wal").read_bytes() == b"log %d" % number

    def test_found_in_the_middle_of_a_run(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(opening, "CHECKED_WHOLE", 0)
        fill(path, 3000)
        whole = path.read_bytes()
        middle = whole.index(b"images/1500.jpg") // 4096 * 4096
        path.write_bytes(whole[:middle] + b"\xa5" * 4096 + whole[middle + 4096 :])
        notes = Notes()
        with opened(path, note=notes) as ledger:
            with pytest.raises(LedgerError, match="is damaged"):
                list(ledger.record("last").rows())
            assert notes == []
        assert len(notes) == 1
        assert path.with_name("pim.sqlite.damaged-20261123T120000Z").stat().st_size >= len(whole)
        with opened(path) as ledger:
            assert ledger.runs() == []

    @pytest.mark.parametrize("content", [b"product,attribute,file\n", b"\x89PNG\r\n" + b"x" * 200, b"\n"])
    def test_a_file_that_was_no_ledger_is_left_alone(self, path: Path, content: bytes) -> None:
        path.parent.mkdir()
        path.write_bytes(content)
        for exclusive in (True, True, False):
            with pytest.raises(LedgerError, match="is not a ledger") as caught:
                opened(path, exclusive=exclusive)
            assert "--state" in caught.value.hint
        assert [p.name for p in path.parent.iterdir()] == [path.name]
        assert path.read_bytes() == content

    @pytest.mark.parametrize("how", ["zeros", "magic"])
    def test_one_that_lost_its_lock_file_is_known_by_its_header(self, path: Path, how: str) -> None:
        fill(path)
        whole = path.read_bytes()
        path.write_bytes({"zeros": bytes(8192) + whole[8192:], "magic": b"x" * 16 + whole[16:]}[how])
        lock_of(path).unlink()
        opened(path).close()
        assert path.with_name("pim.sqlite.damaged-20261123T120000Z").stat().st_size == len(whole)

    def test_that_cannot_be_renamed_ends_the_run(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        path.parent.mkdir()
        path.write_bytes(b"garbage")
        lock_of(path).touch()

        def refuse(self: Path, target: Path) -> Path:
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(Path, "rename", refuse)
        with pytest.raises(LedgerError, match="cannot be renamed: Permission denied"):
            opened(path)
        with monkeypatch.context() as again, pytest.raises(LedgerError):
            again.setattr(Path, "rename", refuse)
            opened(path)

    def test_an_empty_file_is_a_new_ledger(self, path: Path) -> None:
        path.parent.mkdir()
        path.touch()
        with opened(path, exclusive=False) as ledger:
            assert ledger.runs() == []
        opened(path).close()

    def test_nothing_to_read_is_no_runs(self, path: Path) -> None:
        with opened(path, exclusive=False) as ledger:
            assert ledger.runs() == []
        assert not path.exists()


class TestUnwritable:
    def test_a_folder_that_cannot_be_made(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        with pytest.raises(LedgerError, match=r"cannot be created: (Not a directory|File exists)"):
            opened(tmp_path / "file" / "state" / "pim.sqlite")
        with pytest.raises(LedgerError, match="is not a file"):
            opened(tmp_path)

    @pytest.mark.parametrize("what", ["folder", "file", "unreadable"])
    def test_a_user_who_may_not_write(self, path: Path, what: str) -> None:
        fill(path)
        for parent in path.parents[:4]:
            if parent.owner() == path.owner():
                parent.chmod(0o777 if parent == path.parent else 0o755)
        for file in path.parent.iterdir():
            file.chmod(0o666)
        if what == "folder":
            path.parent.chmod(0o555)
        else:
            path.chmod(0o444 if what == "file" else 0)
        told_by_nobody = told(
            """
            opened(Path(tempfile.mkdtemp()) / "warm").close()  # Nobody may not even import.
            if os.geteuid() == 0:
                os.setgroups([])
                os.setgid(65534)
                os.setuid(65534)
            try:
                opened(path)
            except LedgerError as error:
                print(int(error.exit_status), error.hint)
            """,
            path,
        )
        path.parent.chmod(0o700)
        assert told_by_nobody.startswith("2 ")
        assert "--state" in told_by_nobody

    def test_a_full_disk_shows_at_opening(self, path: Path) -> None:
        fill(path)
        out = told(
            """
            resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))
            try:
                opened(path)
            except LedgerError as error:
                print(int(error.exit_status), error.message, error.hint)
            """,
            path,
        )
        assert re.match(r"2 the ledger .* cannot be written: .* make room", out)

    def test_a_disk_that_fills_later_stops_the_run_and_spoils_nothing(self, path: Path) -> None:
        out = told(
            """
            ledger = opened(path)
            run = ledger.start_run("upload", {})
            run.add([planned(1)])
            uploaded(run, 1, "a/1.jpg")
            resource.setrlimit(resource.RLIMIT_FSIZE, (3_000_000, 3_000_000))
            try:
                run.add(planned(seq) for seq in range(2, 1_000_000))
            except LedgerError as error:
                print(type(error).__name__, error.hint)
            print(run.row(1).media_code)
            ledger.close()
            """,
            path,
        )
        assert out.startswith("LedgerError make room")
        assert out.endswith("a/1.jpg\n")
        notes = Notes()
        with opened(path, note=notes) as ledger:
            run = ledger.start_run("upload", {})
            run.add([planned(1)])
            assert run.mark_unchanged() == 1
        assert notes == []
