"""Where the bytes of rows come from: files, and members of ZIPs that may change under us."""

from __future__ import annotations

import hashlib
import os
import threading
import zipfile
from contextlib import closing
from pathlib import Path

import pytest

from akeneo_media_cli.errors import Kind
from akeneo_media_cli.manifest.archive import member_path
from akeneo_media_cli.pim.errors import SourceTrouble
from akeneo_media_cli.pim.http.multipart import FileBody
from akeneo_media_cli.pim.http.source import stamp_of
from akeneo_media_cli.storage.links import Found, LinkOptions, Links
from akeneo_media_cli.storage.sources import NotAFileError, Sources

from ..ledger.ledger_rows import planned
from ..pim.server import Reply, Request, Server

CONTENT = bytes(range(256)) * 2000
SOURCES = Sources()


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    path = tmp_path / "e.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as made:
        made.writestr("files/a.bin", CONTENT)
    return path


def kind_of(trouble: pytest.ExceptionInfo[SourceTrouble]) -> Kind:
    return trouble.value.failure.kind


def test_a_member_is_sent_whole_and_as_often_as_needed(archive: Path) -> None:
    path = member_path(str(archive), "files/a.bin")
    source = SOURCES.of(path)
    assert (source.name, source.size) == ("a.bin", len(CONTENT))
    assert SOURCES.state(path) == (source.size, source.mtime_ns, None)
    body = FileBody(source)
    for _ in range(2):
        sent = b"".join(bytes(piece) for piece in body)
        assert len(sent) == len(body) and CONTENT in sent
    assert body.sha256 == SOURCES.sha256(path) == hashlib.sha256(CONTENT).hexdigest()


def test_an_archive_that_changes_while_it_is_sent_is_told(archive: Path) -> None:
    body = FileBody(SOURCES.of(member_path(str(archive), "files/a.bin")))
    pieces = iter(body)
    next(pieces)
    archive.unlink()
    with pytest.raises(SourceTrouble) as caught:
        list(pieces)
    assert kind_of(caught) is Kind.FILE_CHANGED


def test_a_damaged_member_is_told_before_its_last_byte(archive: Path) -> None:
    content = bytearray(archive.read_bytes())
    content[len(CONTENT) // 2] ^= 1
    archive.write_bytes(content)
    path = member_path(str(archive), "files/a.bin")
    body = FileBody(SOURCES.of(path))
    sent = 0
    with pytest.raises(SourceTrouble) as caught:
        for piece in body:
            sent += len(piece)
    assert kind_of(caught) is Kind.FILE_UNREADABLE
    assert sent < len(body)
    assert SOURCES.sha256(path) is None


def test_what_is_not_there(archive: Path, tmp_path: Path) -> None:
    gone = member_path(str(archive), "files/b.bin")
    with pytest.raises(SourceTrouble) as caught:
        SOURCES.of(gone)
    assert kind_of(caught) is Kind.FILE_MISSING
    with pytest.raises(FileNotFoundError):
        SOURCES.state(gone)
    with pytest.raises(FileNotFoundError):
        SOURCES.state(member_path(str(tmp_path / "none.zip"), "a"))
    (tmp_path / "no.zip").write_bytes(b"no zip")
    with pytest.raises(OSError, match="not a ZIP file"):
        SOURCES.state(member_path(str(tmp_path / "no.zip"), "a"))
    os.mkfifo(tmp_path / "pipe.zip")
    with pytest.raises(OSError, match="it is not a file"):
        SOURCES.state(member_path(str(tmp_path / "pipe.zip"), "a"))


def test_many_links_are_looked_at_together_and_each_once() -> None:
    def served(request: Request) -> Reply:
        # Nobody is answered before three have come.
        together.wait()
        return Reply(200, request.path.encode() * 9, {"ETag": request.path})

    together = threading.Barrier(3, timeout=20)
    with (
        Server(served) as server,
        closing(Sources(Links(LinkOptions(True, ["127.0.0.1"]), timeout=9, pool=9))) as s,
    ):
        batch = [
            planned(n, name="a", path=f"{server.url}/{n % 3}", size=None, mtime_ns=None) for n in range(9)
        ]
        assert s.look(batch) == {}
        assert len(server.requests) == 3
        assert {p.size for p in batch} == {18}
        assert len({p.mtime_ns for p in batch}) == 3
        again = [planned(n, name="a", path=p.path, size=None, mtime_ns=None) for n, p in enumerate(batch)]
        assert s.look([*batch, *again]) == {}
        assert [p.mtime_ns for p in again] == [p.mtime_ns for p in batch]
        assert len(server.requests) == 3
    assert Sources().look([planned(1)]) == {}


def test_a_defect_while_looking_is_heard() -> None:
    class Broken:
        def look(self, path: str) -> Found:
            raise ZeroDivisionError

    sources = Sources(Broken())  # type: ignore[arg-type]
    with pytest.raises(ZeroDivisionError):
        sources.look([planned(n, path=f"https://h/{n}", size=None, mtime_ns=None) for n in range(50)])


def test_files_are_as_they_were(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"abc")
    assert SOURCES.state(str(path)) == (3, path.stat().st_mtime_ns, stamp_of(path.stat()))
    assert SOURCES.sha256(str(path)) == hashlib.sha256(b"abc").hexdigest()
    assert SOURCES.sha256(None) is None
    with pytest.raises(NotAFileError):
        SOURCES.state(str(tmp_path))
    with pytest.raises(FileNotFoundError):
        SOURCES.state(str(tmp_path / "b"))


def test_a_member_packed_in_a_way_that_cannot_be_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "e.zip"
    with zipfile.ZipFile(path, "w") as made:
        made.writestr("a", b"x")
    content = bytearray(path.read_bytes())
    at = content.index(b"PK\x01\x02")
    content[8] = content[at + 10] = 99
    path.write_bytes(content)
    with pytest.raises(SourceTrouble) as caught:
        SOURCES.of(member_path(str(path), "a")).open()
    assert kind_of(caught) is Kind.FILE_UNREADABLE
