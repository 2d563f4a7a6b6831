"""A client against a server of a test's own making."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from akeneo_media_cli.pim.client import PimClient
from akeneo_media_cli.pim.connection import Connection
from akeneo_media_cli.secret import Secret

from .server import Handler, Server

PASSWORD = "pa55-word-of-magento"
CLIENT_SECRET = "s3cret-of-the-client"

_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in _PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


def connection_to(url: str, **changes: Any) -> Connection:
    settings: dict[str, Any] = {
        "client_id": "1_client",
        "client_secret": Secret(CLIENT_SECRET),
        "username": "magento",
        "password": Secret(PASSWORD),
        **changes,
    }
    return Connection(url, **settings)


Pim = Callable[..., tuple[PimClient, Server]]


@pytest.fixture
def pim() -> Iterator[Pim]:
    """`client, server = pim(handler, **options of PimClient)`; both are closed after the test."""
    with ExitStack() as stack:

        def start(
            handle: Handler,
            *,
            tls: bool = False,
            lazy: bool = False,
            tokens: Handler | None = None,
            connection: dict[str, Any] | None = None,
            **options: Any,
        ) -> tuple[PimClient, Server]:
            server = stack.enter_context(Server(handle, tls=tls, lazy=lazy, tokens=tokens))
            client = stack.enter_context(
                PimClient(connection_to(server.url, **(connection or {})), **options)
            )
            return client, server

        yield start
