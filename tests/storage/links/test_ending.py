"""What a link leads to is found cut off before its last bytes are given on."""

from __future__ import annotations

import io
import random

import pytest
from PIL import Image

from akeneo_media_cli.errors import Kind
from akeneo_media_cli.pim.errors import SourceTrouble
from akeneo_media_cli.storage.links.ending import WatchedEnd


def picture(format: str) -> bytes:
    stream = io.BytesIO()
    Image.effect_noise((700, 500), 90).convert("RGB").save(stream, format)
    return stream.getvalue()


class Stream(io.BytesIO):
    """Gives pieces of all lengths."""

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]
        return super().readinto(buffer[: random.randint(1, len(buffer))])


def read(data: bytes) -> bytes:
    watched, out = WatchedEnd(Stream(data), len(data), "https://h/a"), b""
    buffer = memoryview(bytearray(100_000))
    while count := watched.readinto(buffer):
        out += buffer[:count]
    return out


@pytest.mark.parametrize("format", ["JPEG", "PNG", "GIF", "WEBP", "PDF"])
def test_whole_files_come_through_and_cut_ones_do_not(format: str) -> None:
    data = picture(format)
    assert read(data) == data
    for part in (1000, 100_000, len(data) - 20):
        with pytest.raises(SourceTrouble) as caught:
            read(data[:part])
        assert caught.value.failure.kind is Kind.PICTURE_TRUNCATED
        assert "https://h/a" in caught.value.failure.message


def test_other_bytes_come_through() -> None:
    data = bytes(range(256)) * 2000
    assert read(data) == data
