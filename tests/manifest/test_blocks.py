"""A CSV is read a block at a time: what stands in which block makes no difference."""

from __future__ import annotations

import io

import pytest

from akeneo_media_cli.manifest import delimited, read_batches, read_manifests
from akeneo_media_cli.rows import Row, RowBatch

ODD = [
    "",
    '"sku ""quoted""",picture,"a,b.jpg",x',
    '"sku-2",picture,"two\nlines.jpg",x',
    "sku-3,picture,  spaced.jpg ,x",
    "sku-4,picture,https://host/a.jpg?sig=secret-secret-secret,x",
    "sku-5,picture,file:///a.jpg,x",
    "=sku,picture,a.jpg,x",
    "sku-6,two words,a.jpg,x",
    "sku-7,picture,,x",
    "sku-8,picture,a.jpg",
    "sku-9,picture,a.jpg,x,too,many",
    "product,attribute,file,note",
    "\ufeffproduct,attribute,file,note",
    "sku-10,picture,a.jpg,x\ufeffproduct,attribute,file,note",
    "product_model,attribute,file",
    " , , , ",
    "sku-11,picture,a@2x.jpg,x\x1a",
]


def text(ends: str) -> bytes:
    lines = ["product,attribute,file,note"]
    for n in range(300):
        lines.append(f"sku-{n},picture_{n % 3},folder/{n}.jpg,note {n}")
        if n % 17 == 16:
            lines.append(ODD[n // 17 % len(ODD)])
    return ends.join(lines).encode()


def rows(data: bytes, *sets: str) -> list[Row]:
    found = read_manifests(["-"], format="csv", sets=sets, stdin=io.BytesIO(data), note=lambda *_: None)
    return list(found)


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_blocks_of_any_size_give_the_same_rows(monkeypatch: pytest.MonkeyPatch, ends: str) -> None:
    data = text(ends)
    whole = rows(data)
    # What fills something looks at every row by itself.
    each = rows(data, "season=1")
    for row in each:
        row.extra.pop("season", None)
    assert each == whole
    assert len(whole) > 300
    assert [row.line for row in whole] == sorted(row.line for row in whole)
    for size in (1, 7, 64, 1000):
        monkeypatch.setattr(delimited, "_BLOCK", size)
        assert rows(data) == whole, size


def test_ordinary_rows_come_by_column() -> None:
    lines = ["product,attribute,file", *(f"sku-{n},picture,{n}.jpg" for n in range(20_000))]
    data = io.BytesIO("\n".join(lines).encode())
    found = list(read_batches(["-"], format="csv", sets=(), stdin=data, note=lambda *_: None))
    batches = [each for each in found if isinstance(each, RowBatch)]
    assert sum(map(len, batches)) > 15_000
    assert batches[-1].row(len(batches[-1]) - 1).line == 20_001
