"""Room on disk for files of unknown length, and the place where secrets of links are."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from akeneo_media_cli.errors import Kind
from akeneo_media_cli.pim.errors import SourceTrouble
from akeneo_media_cli.storage.links.secret_store import SecretStore
from akeneo_media_cli.storage.links.temp import Held, Room

Take = Callable[[memoryview], None]


def brings(size: int) -> Callable[[Take], None]:
    def fetch(take: Take) -> None:
        for _ in range(size):
            take(memoryview(b"x"))

    return fetch


def test_a_file_is_kept_until_it_is_closed() -> None:
    room = Room(10)
    with room.hold(brings(10), "a") as held:
        assert (held.size, held.file.read()) == (10, b"x" * 10)
    held.close()
    with room.hold(brings(10), "a"):
        pass


def test_one_that_does_not_fit_alone_is_too_large() -> None:
    room = Room(10)
    with pytest.raises(SourceTrouble) as caught:
        room.hold(brings(11), "a.jpg")
    assert (caught.value.failure.kind, caught.value.passing) == (Kind.FILE_TOO_LARGE, False)
    assert "a.jpg has an unknown length and is longer than 10 bytes" in caught.value.failure.message
    with room.hold(brings(10), "b"):
        pass


def test_one_that_finds_the_room_taken_waits_and_begins_anew() -> None:
    room = Room(10)
    first = room.hold(brings(6), "a")
    begun: list[int] = []
    done: list[Held] = []
    crowded = threading.Event()

    def fetch(take: Take) -> None:
        begun.append(1)
        try:
            brings(6)(take)
        except Exception:
            crowded.set()
            raise

    thread = threading.Thread(target=lambda: done.append(room.hold(fetch, "b")))
    thread.start()
    assert crowded.wait(10)
    assert not done
    first.close()
    thread.join(10)
    assert (len(begun), done[0].size) == (2, 6)
    done[0].close()


def test_many_at_once_all_get_their_turn() -> None:
    room = Room(100)
    sizes: list[int] = []
    now, most = [0], [0]
    lock = threading.Lock()

    def one(size: int) -> None:
        for _ in range(20):
            with room.hold(brings(size), "a") as held:
                with lock:
                    now[0] += held.size
                    most[0] = max(most[0], now[0])
                    sizes.append(held.size)
                with lock:
                    now[0] -= held.size

    threads = [threading.Thread(target=one, args=(size,)) for size in (90, 60, 40, 100, 1, 99)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    assert len(sizes) == 120
    assert most[0] <= 100


def test_what_goes_wrong_gives_the_room_back() -> None:
    room = Room(10)

    def breaks(take: Take) -> None:
        take(memoryview(b"12345"))
        raise SourceTrouble(None)  # type: ignore[arg-type]

    def full(take: Take) -> None:
        take(memoryview(b"12345"))
        raise OSError(28, "No space left on device")

    for _ in range(3):
        with pytest.raises(AttributeError):
            room.hold(breaks, "a")
        with pytest.raises(SourceTrouble, match="a could not be kept in a temporary file: No space left"):
            room.hold(full, "a")
    with room.hold(brings(10), "a"):
        pass


def test_the_file_has_no_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with Room(10).hold(brings(3), "a"):
        assert os.name != "posix" or not list(tmp_path.iterdir())


def test_links_with_secrets_are_known_by_another_name() -> None:
    secret_store = SecretStore()
    assert secret_store.get("https://h/a?sig=***#0") is None
    one = secret_store.put("https://h/a?sig=***", "https://h/a?sig=one")
    two = secret_store.put("https://h/a?sig=***", "https://h/a?sig=two")
    assert one != two
    assert one == secret_store.put("https://h/a?sig=***", "https://h/a?sig=one")
    assert (secret_store.get(one), secret_store.get(two)) == ("https://h/a?sig=one", "https://h/a?sig=two")
    assert "one" not in one
    # Nobody who guesses the link can tell by the name.
    with closing(SecretStore()) as other:
        assert one != other.put("https://h/a?sig=***", "https://h/a?sig=one")
    secret_store.close()
    secret_store.close()
    assert secret_store.get(one) is None
