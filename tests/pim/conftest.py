"""A client against a server of a test's own making."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from akeneo_media_cli.pim.client import PimClient
from akeneo_media_cli.pim.connection import Connection
from akeneo_media_cli.pim.http.multipart import FileBody, ValueRef
from akeneo_media_cli.pim.http.source import PathSource
from akeneo_media_cli.secret import Secret

from .server import Handler, Reply, Request, Server, says

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
            options.setdefault("sleep", lambda seconds: None)
            client = stack.enter_context(
                PimClient(connection_to(server.url, **(connection or {})), **options)
            )
            return client, server

        yield start


VALUE = ValueRef("product", "sku-1", "picture")
LARGE = 20_000_000
"""More than any socket's buffers take unread."""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "a.jpg"
    path.write_bytes(b"\xff\xd8" + os.urandom(100_000))
    return path


@pytest.fixture
def large(tmp_path: Path) -> Path:
    path = tmp_path / "large.bin"
    with path.open("wb") as out:
        out.truncate(LARGE)
    return path


def body_of(path: Path, **options: Any) -> FileBody:
    return FileBody(PathSource(path), value=VALUE, **options)


API = "/api/rest/v1"
CODE = "6/4/c/9/64c9_small.jpg"


def listing(items: list[Any], following: str | None = None) -> Reply:
    links = {"next": {"href": following}} if following else {}
    return says(200, {"_links": links, "current_page": 1, "_embedded": {"items": items}})


def asked(request: Request) -> dict[str, Any]:
    """A request's query, its search decoded."""
    found = {name: values[0] for name, values in parse_qs(urlsplit(request.target).query).items()}
    return {**found, "search": json.loads(found["search"])} if "search" in found else found


def answering(pim: Pim, *replies: Reply, **options: Any) -> Any:
    left = list(replies)
    return pim(lambda r: left.pop(0), **options)


@pytest.fixture
def body(tmp_path: Path) -> Any:
    path = tmp_path / "a.jpg"
    path.write_bytes(b"picture")
    return lambda place=None: FileBody(PathSource(path), value=place)


def product(**changes: Any) -> dict[str, Any]:
    return {
        "uuid": "170c9950-1e6a-468c-a035-d8f31e3e1eea",
        "identifier": "shoe_44",
        "enabled": True,
        "family": "shoes",
        "parent": None,
        "values": {
            "sku": [{"locale": None, "scope": None, "data": "shoe_44"}],
            "picture": [{"locale": None, "scope": None, "data": CODE}],
            "front": [{"locale": "en_US", "scope": "print", "data": CODE, "_links": {}}],
        },
        **changes,
    }
