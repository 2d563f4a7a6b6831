"""A pytest plugin: a test that asks for `akeneo_sandbox` gets a local PIM of its own.

It is found by its entry point where this package is installed; docs/sandbox.md, "In your own tests".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from . import RunningSandbox, SandboxOptions, parse_faults, start_sandbox

MARKER = "akeneo_sandbox(catalog=None, faults=(), **options): a test's sandbox, what it holds and does"


def pytest_configure(config: pytest.Config) -> None:
    """Makes the marker known."""
    config.addinivalue_line("markers", MARKER)


@pytest.fixture
def akeneo_catalog() -> Any:
    """What `akeneo_sandbox` holds, as `--catalog` takes it; override it for a module or a package."""
    return None


@pytest.fixture
def akeneo_sandbox(request: pytest.FixtureRequest, akeneo_catalog: Any) -> Iterator[RunningSandbox]:
    """A PIM on a free port of this machine, stopped after the test: `.url`, `.credentials`, `.values()`."""
    marker = request.node.get_closest_marker("akeneo_sandbox")
    wanted = dict(marker.kwargs) if marker else {}
    catalog, faults = wanted.pop("catalog", akeneo_catalog), wanted.pop("faults", ())
    plan = parse_faults([faults] if isinstance(faults, str) else faults)
    with start_sandbox(catalog, options=SandboxOptions(faults=plan, **wanted)) as sandbox:
        yield sandbox
