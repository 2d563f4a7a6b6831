"""One sandbox for all tests that only ask what an endpoint answers; each uses entities of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager

import pytest

from akeneo_media_cli.sandbox import RunningSandbox, SandboxOptions, default_catalogue, start_sandbox

from .client import Client


def furnished() -> AbstractContextManager[RunningSandbox]:
    """A sandbox with connections of few rights and attributes of many kinds."""
    catalogue = default_catalogue()
    catalogue["connections"] = {
        "main": "may do everything",
        "readonly": "may use the API and read, not edit products",
        "blind": {"list_attributes": False, "list_products": False, "client_id": "blind", "password": "pw"},
        "noperm": "may not use the API",
    }
    catalogue["attributes"] += [
        {"code": "color", "type": "pim_catalog_multiselect"},
        {"code": "waterproof", "type": "pim_catalog_boolean"},
        {
            "code": "tiny",
            "type": "pim_catalog_image",
            "allowed_extensions": ["jpg", "png"],
            "max_file_size": "0.01",
        },
        {"code": "french", "type": "pim_catalog_image", "localizable": True, "available_locales": ["fr_FR"]},
        {"code": "stray", "type": "pim_catalog_image"},
    ]
    catalogue["products"] += [{"uuid": "11111111-1111-4111-8111-111111111111", "family": "shoes"}]
    options = SandboxOptions(save_time=0.0, upload_max_filesize=3_000_000)
    return start_sandbox(catalogue, options=options)


@pytest.fixture(scope="session")
def shared() -> Iterator[RunningSandbox]:
    with furnished() as sandbox:
        yield sandbox


@pytest.fixture
def client(shared: RunningSandbox) -> Iterator[Client]:
    with Client(shared) as client:
        yield client
