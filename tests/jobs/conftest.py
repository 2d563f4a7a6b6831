"""One PIM for all tests of a module, each of which takes products of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from akeneo_media_cli.sandbox import RunningSandbox, SandboxOptions, start_sandbox

from ..e2e.conftest import catalogue
from .desk import Desk

CONNECTIONS = {
    "main": {},
    "blind": {"list_attributes": False},
    "sightless": {"list_products": False},
    "readonly": {"edit_products": False},
    "noperm": "may not use the API",
}
UUID = "00000000-0000-4000-8000-0000000000{:02}"


@pytest.fixture(scope="module")
def pim() -> Iterator[RunningSandbox]:
    known = catalogue(300, connections=CONNECTIONS)
    known["products"] += [{"uuid": UUID.format(n), "family": "shoes"} for n in range(100)]
    with start_sandbox(known, options=SandboxOptions(save_time=0, retry_after=0)) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def numbers() -> Iterator[int]:
    return iter(count(1))


@pytest.fixture
def desk(pim: RunningSandbox, tmp_path: Path) -> Iterator[Desk]:
    found = Desk(pim, tmp_path)
    yield found
    found.order()
    found.close()


@pytest.fixture
def new(numbers: Iterator[int]) -> Callable[[], str]:
    """Gives the identifier of a product that no other test has."""
    return lambda: f"p-{next(numbers)}"


@pytest.fixture
def unidentified(numbers: Iterator[int]) -> Callable[[], str]:
    """Gives the UUID of a product without identifier that no other test has."""
    return lambda: UUID.format(next(numbers) % 100)
