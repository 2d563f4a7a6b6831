"""The streamed body, byte by byte, against files that change under it."""

from __future__ import annotations

import hashlib
import io
import json
import os
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from akeneo_media_cli.errors import Kind
from akeneo_media_cli.pim.errors import SourceTrouble
from akeneo_media_cli.pim.http.multipart import FileBody, ValueRef
from akeneo_media_cli.pim.http.source import PathSource

VALUE = ValueRef("product", "sku-1", "picture", "en_US", "print")


class MemorySource:
    """Any source that is not a path, as later ones will be: a ZIP's member, a link."""

    name = "m.bin"

    def __init__(self, content: bytes, size: int | None = None) -> None:
        self.content = content
        self.size = len(content) if size is None else size
        self.opened = 0
        self.is_changed = False

    def open(self) -> io.BytesIO:
        self.opened += 1
        return io.BytesIO(self.content)

    def changed(self, stream: Any) -> bool:
        return self.is_changed


def parts(body: FileBody) -> list[Message]:
    wire = b"".join(bytes(piece) for piece in body)
    assert len(wire) == len(body)
    parsed = message_from_bytes(b"Content-Type: " + body.content_type.encode() + b"\r\n\r\n" + wire)
    return parsed.get_payload()  # type: ignore[return-value]


def file_of(tmp_path: Path, content: bytes, name: str = "a.jpg") -> Path:
    path = tmp_path / name
    path.write_bytes(content)
    return path


@given(
    content=st.binary(max_size=5000),
    piece=st.integers(1, 3000),
    named=st.booleans(),
)
@example(content=b"", piece=1, named=True)
@example(content=b"x" * 4096, piece=4096, named=False)
def test_the_bytes_are_exact_whatever_the_piece(content: bytes, piece: int, named: bool) -> None:
    told: list[int] = []
    paced: list[int] = []
    body = FileBody(
        MemorySource(content),
        value=VALUE if named else None,
        piece=piece,
        on_bytes=told.append,
        pace=paced.append,
    )
    wire = b"".join(bytes(p) for p in body)
    boundary = body.content_type.partition("boundary=")[2].encode()
    head, _, rest = wire.partition(b'name="file"')
    assert rest.partition(b"\r\n\r\n")[2] == content + b"\r\n--" + boundary + b"--\r\n"
    assert (b'name="product"' in head) == named
    assert len(body) == len(wire) == sum(paced) == body.sent
    assert sum(told) == len(content) == body.size
    assert body.complete
    assert body.sha256 == hashlib.sha256(content).hexdigest()


def test_the_place_comes_first_as_the_pim_names_its_keys(tmp_path: Path) -> None:
    path = file_of(tmp_path, b"\xff\xd8 picture")
    field, file = parts(FileBody(PathSource(path), value=VALUE))
    assert field["Content-Disposition"] == 'form-data; name="product"'
    assert json.loads(str(field.get_payload())) == {
        "identifier": "sku-1",
        "attribute": "picture",
        "locale": "en_US",
        "scope": "print",
    }
    assert file["Content-Disposition"] == 'form-data; name="file"; filename="a.jpg"'
    assert file["Content-Type"] == "image/jpeg"


def test_models_and_categories_have_key_names_of_their_own() -> None:
    assert json.loads(ValueRef("product_model", "m", "picture").as_json()) == {
        "code": "m",
        "attribute": "picture",
        "locale": None,
        "scope": None,
    }
    assert json.loads(ValueRef("category", "shoes", "banner", "fr_FR", "web").as_json()) == {
        "code": "shoes",
        "attribute_code": "banner",
        "channel": "web",
        "locale": "fr_FR",
    }


@pytest.mark.parametrize(
    ("name", "on_the_wire"),
    [
        ("ünïcödé_日本_😀.jpg", "ünïcödé_日本_😀.jpg"),
        ('say "x".jpg', 'say \\"x\\".jpg'),
        ("a\\b.jpg", "a\\\\b.jpg"),
        ("a\r\nX-Evil: 1\0.jpg", "a__X-Evil: 1_.jpg"),
        ("tab\there\x7f\x85.jpg", "tab_here__.jpg"),
        (os.fsdecode(b"latin-\xe9.jpg"), "latin-_.jpg"),
        ("", "_"),
        ("folder/", "folder_"),
        ("C:\\", "C:_"),
        ("100%22.jpg", "100%22.jpg"),
    ],
)
def test_names_as_php_takes_them(name: str, on_the_wire: str) -> None:
    """Raw UTF-8 and backslash escapes, no RFC 5987 (trap 6); control characters can't forge headers."""
    body = FileBody(MemorySource(b"x"), filename=name)
    wire = b"".join(bytes(p) for p in body)
    assert f'filename="{on_the_wire}"\r\n'.encode() in wire
    assert b"filename*" not in wire


@given(st.text())
def test_no_name_breaks_the_headers(name: str) -> None:
    safe = FileBody(MemorySource(b"x"), filename=name).filename
    assert safe.replace("\\", "/").rsplit("/", 1)[-1]
    assert not any(ord(c) < 32 or 0xD800 <= ord(c) < 0xE000 for c in safe)


@pytest.mark.parametrize("piece", [1, 7, 1000])
def test_what_goes_ahead_is_in_the_first_piece_and_not_counted(tmp_path: Path, piece: int) -> None:
    (tmp_path / "a.jpg").write_bytes(bytes(1000))
    told: list[int] = []
    body = FileBody(PathSource(tmp_path / "a.jpg"), on_bytes=told.append, piece=piece)
    alone = b"".join(map(bytes, body))
    pieces = list(map(bytes, body.pieces(b"HEAD")))
    assert pieces[0].startswith(b"HEAD")
    assert b"".join(pieces) == b"HEAD" + alone
    assert body.sent == len(body) == len(alone)
    assert body.complete
    assert sum(told) == 1000


def test_each_iteration_is_a_new_try(tmp_path: Path) -> None:
    """Trap 2: a consumed body must never go out again as an empty one."""
    told: list[int] = []
    body = FileBody(PathSource(file_of(tmp_path, b"abc" * 1000)), on_bytes=told.append)
    first = b"".join(bytes(p) for p in body)
    assert b"".join(bytes(p) for p in body) == first
    assert told == [3000, -3000, 3000]


def test_a_try_that_is_given_up_is_not_complete() -> None:
    body = FileBody(MemorySource(b"x" * 10_000), piece=1000)
    pieces = iter(body)
    next(pieces)
    next(pieces)
    pieces.close()  # type: ignore[attr-defined]
    assert not body.complete
    assert body.sha256 is None
    assert 1000 <= body.sent < 10_000


@pytest.mark.parametrize("piece", [1000, 1_000_000])
@pytest.mark.parametrize("change", ["grows", "shrinks", "is touched", "is replaced", "vanishes"])
def test_a_file_that_changes_never_gets_its_closing_boundary(tmp_path: Path, change: str, piece: int) -> None:
    """docs/pim-behaviour.md, "When the answer is lost": a body without its end is dropped whole."""
    path = file_of(tmp_path, b"x" * 10_000)

    def disturb(_: int) -> None:
        if change == "grows":
            with path.open("ab") as file:
                file.write(b"more")
        elif change == "shrinks":
            os.truncate(path, 10)
        elif change == "is touched":
            os.utime(path, ns=(1, 1))
        elif change == "is replaced":
            other = file_of(tmp_path, b"y" * 10_000, "other")
            stat = path.stat()
            os.utime(other, ns=(stat.st_atime_ns, stat.st_mtime_ns))
            other.replace(path)
        elif path.exists():
            path.unlink()

    body = FileBody(PathSource(path), piece=piece, pace=disturb)
    if piece > 10_000:
        # Small files go out in one piece: the change must come between opening and that.
        source = body.source
        opened = source.open

        def open_and_disturb() -> Any:
            stream = opened()
            disturb(0)
            return stream

        source.open = open_and_disturb  # type: ignore[method-assign]
    out = bytearray()
    with pytest.raises(SourceTrouble) as caught:
        for each in body:
            out += each
    assert caught.value.failure.kind is Kind.FILE_CHANGED
    assert not bytes(out).endswith(b"--\r\n")
    assert not body.complete
    assert body.sha256 is None
    assert not isinstance(caught.value, OSError)


def test_a_file_that_changed_before_the_second_try_is_refused_at_once(tmp_path: Path) -> None:
    path = file_of(tmp_path, b"x" * 100)
    body = FileBody(PathSource(path))
    list(body)
    path.write_bytes(b"y" * 200)
    with pytest.raises(SourceTrouble) as caught:
        list(body)
    assert caught.value.failure.kind is Kind.FILE_CHANGED


@pytest.mark.parametrize(
    ("made", "kind"),
    [
        (lambda p: p / "no.jpg", Kind.FILE_MISSING),
        (lambda p: file_of(p, b"x") / "below", Kind.FILE_MISSING),
        (lambda p: p, Kind.FILE_NOT_REGULAR),
        (lambda p: p / ("n" * 300), Kind.FILE_UNREADABLE),
        (lambda p: p / "nul\0.jpg", Kind.FILE_UNREADABLE),
    ],
)
def test_what_cannot_be_a_source(tmp_path: Path, made: Any, kind: Kind) -> None:
    with pytest.raises(SourceTrouble) as caught:
        PathSource(made(tmp_path))
    assert caught.value.failure.kind is kind
    assert caught.value.failure.hint
    assert str(caught.value) == caught.value.failure.message


def test_a_file_gone_before_it_is_opened(tmp_path: Path) -> None:
    path = file_of(tmp_path, b"x")
    source = PathSource(path)
    path.unlink()
    with pytest.raises(SourceTrouble) as caught:
        source.open()
    assert caught.value.failure.kind is Kind.FILE_MISSING


def test_a_pipe_in_the_files_place_holds_nobody(tmp_path: Path) -> None:
    path = file_of(tmp_path, b"x")
    source = PathSource(path)
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(SourceTrouble) as caught:
        source.open()
    assert caught.value.failure.kind is Kind.FILE_CHANGED


def test_an_unreadable_file(tmp_path: Path) -> None:
    class Broken(io.BytesIO):
        def readinto(self, buffer: Any, /) -> int:
            raise OSError(5, "Input/output error")

    source = MemorySource(b"xyz")
    source.open = Broken  # type: ignore[method-assign]
    with pytest.raises(SourceTrouble) as caught:
        list(FileBody(source))
    assert caught.value.failure.kind is Kind.FILE_UNREADABLE
    assert "Input/output error" in caught.value.failure.message


def test_other_sources_are_bounded_and_asked_too() -> None:
    with pytest.raises(SourceTrouble):
        list(FileBody(MemorySource(b"short", size=10)))
    long = MemorySource(b"longer than told", size=6)
    assert b"longer\r\n--" in b"".join(bytes(p) for p in FileBody(long))
    long.is_changed = True
    with pytest.raises(SourceTrouble):
        list(FileBody(long))


def test_the_digest_can_be_left_out() -> None:
    body = FileBody(MemorySource(b"x"), digest=False)
    list(body)
    assert body.sha256 is None
    assert body


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    import tracemalloc

    path = tmp_path / "large.bin"
    with path.open("wb") as file:
        file.truncate(300_000_000)
    body = FileBody(PathSource(path), digest=False)
    tracemalloc.start()
    try:
        total = sum(len(piece) for piece in body)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert total == len(body)
    assert peak < 1_000_000
