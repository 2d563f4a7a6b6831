"""Files that values held before a run, downloaded for a report's pictures: so many, and no more bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from akeneo_media_cli.jobs import previews
from akeneo_media_cli.jobs.previews import Previews

from .desk import Desk

FETCH = "GET /media-files/{code}/download"
New = Callable[[], str]
Made = Callable[[int], Previews]
ITEM = {"target": {"type": "product", "identifier": "p-1"}}


@pytest.fixture
def codes(desk: Desk, new: New) -> list[str]:
    """Media codes of three files."""
    products = [new() for _ in range(3)]
    manifest = desk.manifest("product,attribute,file", *(f"{p},picture,{desk.file(p)}" for p in products))
    return [str(row.media_code) for row in desk.upload(manifest).rows]


@pytest.fixture
def made(desk: Desk) -> Iterator[Made]:
    opened: list[Previews] = []

    def make(most: int) -> Previews:
        opened.append(Previews(desk.connection, timeout=5.0, most=most))
        return opened[-1]

    yield make
    for each in opened:
        each.close()


def test_so_many_files_come_and_no_more(desk: Desk, codes: list[str], made: Made) -> None:
    fetch = made(2)
    with desk.counted() as calls:
        found = [fetch(ITEM, code) for code in codes]
    stored = [desk.sandbox.store.media.path(code).read_bytes() for code in codes]
    assert found == [*stored[:2], None]
    assert calls == {FETCH: 2}
    with desk.counted() as calls:
        assert made(0)(ITEM, codes[0]) is None
    assert not calls


def test_a_file_that_is_too_large_is_left_out_and_the_next_comes(
    desk: Desk, codes: list[str], made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetch = made(9)
    size = desk.sandbox.store.media.path(codes[0]).stat().st_size
    monkeypatch.setattr(previews, "LARGEST", size - 1)
    assert fetch(ITEM, codes[0]) is None
    monkeypatch.setattr(previews, "LARGEST", size)
    assert fetch(ITEM, codes[1]) is not None


def test_all_together_have_so_many_bytes(
    codes: list[str], made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(previews, "MOST", 1)
    fetch = made(9)
    assert fetch(ITEM, codes[0]) is not None
    assert fetch(ITEM, codes[1]) is None


def test_a_pim_that_does_not_answer_is_not_asked_for_long(desk: Desk, codes: list[str], made: Made) -> None:
    fetch = made(11)
    desk.order("503@media-files")
    assert fetch(ITEM, codes[0]) is None
    desk.order()
    with desk.counted() as calls:
        assert fetch(ITEM, codes[0]) is None
    assert not calls


@pytest.mark.parametrize("kind", ["asset", "record", "category"])
def test_each_kind_has_a_place_of_its_own(desk: Desk, codes: list[str], made: Made, kind: str) -> None:
    with desk.counted() as calls:
        assert made(9)({"target": {"type": kind}}, codes[0]) is None
    assert FETCH not in calls
