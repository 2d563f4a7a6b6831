"""What is shown of a call, and what is not."""

from __future__ import annotations

import traceback
from pathlib import Path

import pytest

from akeneo_media_cli.errors import Kind
from akeneo_media_cli.pim.errors import Refusal, Trouble
from akeneo_media_cli.pim.transport import CallInfo

from .conftest import (
    CLIENT_SECRET,
    PASSWORD,
    Pim,
    body_of,
)
from .server import Reply, Request, refuses, says


def test_no_secret_in_tracebacks_reprs_and_hooks(pim: Pim, file: Path) -> None:
    heard: list[CallInfo] = []

    def handle(request: Request) -> Reply | None:
        if len(server.requests) == 1:
            return refuses(500, f"debug: {request.headers['authorization']} {PASSWORD} {CLIENT_SECRET}")
        request.reset()
        return None

    client, server = pim(
        handle,
        on_call=heard.append,
        tokens=lambda r: says(200, {"access_token": "acc3ss-token", "refresh_token": "refr3sh-token"}),
    )
    shown = []
    for _ in range(2):
        with pytest.raises(Trouble) as caught:
            client.upload_product(body_of(file))
        shown += ["".join(traceback.format_exception(caught.value))]
        shown += [repr(caught.value), repr(caught.value.failure)]
        assert caught.value.__context__ is None
    shown += [repr(heard), repr(client.__dict__), repr(client.auth._token)]
    everything = "\n".join(shown)
    for secret in ("acc3ss-token", "refr3sh-token", PASSWORD, CLIENT_SECRET):
        assert secret not in everything
    assert "debug: Bearer *** *** ***" in everything
    assert [(info.method, info.path, info.status, info.attempt) for info in heard] == [
        ("POST", "/api/oauth/v1/token", 200, 1),
        ("POST", "/api/rest/v1/media-files", 500, 1),
        ("POST", "/api/rest/v1/media-files", None, 1),
    ]
    assert isinstance(heard[2].error, Trouble)
    assert heard[1].sent > 100_000
    assert client.counts.sent == sum(info.sent for info in heard)


def test_a_refusal_longer_than_sense_is_cut(pim: Pim, file: Path) -> None:
    client, _ = pim(lambda r: Reply(403, b"<p>no</p>" * 200_000))
    with pytest.raises(Refusal) as caught:
        client.upload_product(body_of(file))
    assert caught.value.failure.kind is Kind.BLOCKED
    assert len(caught.value.failure.message) < 1000


def test_a_refusal_whose_text_breaks_off_is_still_one(pim: Pim, file: Path) -> None:
    cut = b"HTTP/1.1 413 Large\r\nContent-Length: 5000\r\n\r\n<html>too lar"
    client, _ = pim(lambda r: Reply(raw=cut, close=True))
    with pytest.raises(Refusal) as caught:
        client.upload_product(body_of(file))
    assert caught.value.failure.kind is Kind.BODY_TOO_LARGE


def test_cookies_are_not_kept(pim: Pim, file: Path) -> None:
    client, server = pim(
        lambda r: Reply(201, headers={"Location": "/api/rest/v1/media-files/a/b", "Set-Cookie": "BAPID=1"})
    )
    client.upload_product(body_of(file))
    client.upload_product(body_of(file))
    assert "cookie" not in server.requests[1].headers
