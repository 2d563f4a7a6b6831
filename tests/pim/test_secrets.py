"""What is shown of a call, and what is not."""

from __future__ import annotations

import html
import json
import traceback
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from akeneo_media_cli.errors import AccessError, Kind, MediaError
from akeneo_media_cli.pim.errors import CallError, Refusal, Trouble
from akeneo_media_cli.pim.http.redact import Redactor
from akeneo_media_cli.pim.http.transport import CallInfo
from akeneo_media_cli.secret import Secret

from .conftest import (
    CLIENT_SECRET,
    PASSWORD,
    Pim,
    body_of,
)
from .server import Reply, Request, page, refuses, says


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


TOKEN = "ZQX" * 40
ODD = "pa\"ss\\wo/rd <b>'&  ünï-LONGSECRET"

ECHOES: list[Callable[[str], str]] = [
    str,
    json.dumps,
    lambda s: json.dumps(s, ensure_ascii=False),
    lambda s: json.dumps(s).replace("/", "\\/"),
    repr,
    html.escape,
    lambda s: html.escape(s).replace("&#x27;", "&#039;"),
    quote,
    quote_plus,
    lambda s: quote(s, safe=""),
    lambda s: json.dumps(json.dumps(s)),
    lambda s: html.escape(json.dumps(s)),
    lambda s: quote_plus(json.dumps(s, ensure_ascii=False)),
    lambda s: s.encode().decode("latin-1"),
]


@given(
    secret=st.text("XYZ\"\\/'& <+=%ü", min_size=4, max_size=12),
    echo=st.sampled_from(ECHOES),
    before=st.text("ab /", max_size=30),
    after=st.text("ab /", max_size=30),
    size=st.integers(0, 80),
)
def test_of_a_secret_nothing_shows_wherever_a_text_is_cut(
    secret: str, echo: Callable[[str], str], before: str, after: str, size: int
) -> None:
    redact = Redactor()
    redact.learn(secret, "some-other-secret")
    text = f"{before}{echo(secret)}{after}{echo(secret)}" + "a" * 2000 + echo(secret)
    for end in (len(text), len(text) - 1, len(text) - 3):
        shown = redact.beginning(text[:end] + "b" * 2000, size)
        assert len(shown) <= size
        assert not set(shown) & set("XYZ")
    assert not set(redact(text)) & set("XYZ")


def test_what_the_look_ahead_cuts_of_a_secret_does_not_move_to_the_front() -> None:
    redact = Redactor()
    redact.learn("Z" * 1000)
    assert redact.beginning("Z" * 1500, 300) == "***"
    assert redact.beginning("a" * 290 + "Z" * 1500, 300) == "a" * 290 + "***"


@pytest.mark.parametrize("at", [0, 190, 250, 280, 296])
@pytest.mark.parametrize("hidden", [0, 19_890])
def test_a_token_on_a_page_that_is_cut_shows_in_no_part(pim: Pim, file: Path, at: int, hidden: int) -> None:
    unseen = f"<script>{'y' * max(0, hidden - at)}</script>"
    client, _ = pim(
        lambda r: page(500, f"{unseen}{'x' * at} {r.headers['authorization']} y"),
        connection={"token": Secret(TOKEN)},
    )
    with pytest.raises(Trouble) as caught:
        client.upload_product(body_of(file))
    assert "Z" not in caught.value.failure.message
    assert "x" * at in caught.value.failure.message


@pytest.mark.parametrize("at", range(0, 80, 13))
def test_a_token_in_what_is_no_json_shows_in_no_part(pim: Pim, at: int) -> None:
    client, _ = pim(
        lambda r: Reply(200, b"x" * at + b" " + r.headers["authorization"].encode()),
        connection={"token": Secret(TOKEN)},
    )
    with pytest.raises(Refusal) as caught:
        client.get_product("x")
    assert "not JSON: 'x" in caught.value.failure.message or at == 0
    assert "Z" not in caught.value.failure.message


@pytest.mark.parametrize("echo", ECHOES)
@pytest.mark.parametrize("status", [200, 403, 422, 500])
@pytest.mark.parametrize("json_answer", [True, False])
def test_a_password_that_comes_back_in_another_form_is_not_shown(
    pim: Pim, echo: Callable[[str], str], status: int, json_answer: bool
) -> None:
    def tokens(request: Request) -> Reply:
        sent = echo(request.json["password"])
        both = f"{sent} {request.body.decode()}"
        return refuses(status, both) if json_answer else Reply(status, b"<p>" + both.encode())

    client, _ = pim(lambda r: Reply(), tokens=tokens, connection={"password": Secret(ODD)})
    with pytest.raises((MediaError, CallError)) as caught:
        client.login()
    for part in ("LONG", "wo/rd", "ss\\", "pa"):
        assert part not in str(caught.value).replace("password", "").replace(client.transport.url, "")


def test_a_page_in_latin_1_shows_no_password(pim: Pim) -> None:
    client, _ = pim(
        lambda r: Reply(),
        tokens=lambda r: Reply(403, b"<p>" + r.json["password"].encode("latin-1")),
        connection={"password": Secret(ODD)},
    )
    with pytest.raises(AccessError) as caught:
        client.login()
    assert "LONG" not in str(caught.value)


def test_a_hint_shows_no_secret(pim: Pim, file: Path) -> None:
    error = {"property": "values", "attribute": TOKEN, "message": "no"}
    client, _ = pim(lambda r: refuses(422, "no", error), connection={"token": Secret(TOKEN)})
    with pytest.raises(Refusal) as caught:
        client.upload_product(body_of(file))
    assert "***" in caught.value.failure.hint
    assert "Z" not in caught.value.failure.hint


TOKEN_ANSWER = json.dumps(
    {
        "access_token": "YTI0MGIyZDIxNzQ1ZWE4NDhkZjQ4ZDE4ZjM3ZjI0YWE3ZDY5OTU0OGY4MTA0ZWYjQ4ZDI4NGU4Zg",
        "expires_in": 3600,
        "token_type": "bearer",
        "scope": None,
        "refresh_token": "OTg3ZmU2NTRkYzMyMWJhMDk4N2ZlNjU0ZGMzMjFiYTA5ODdmZTY1NGRjMzIxYmEwOTg3",
    }
).encode()


@pytest.mark.parametrize("status", [200, 201, 404, 422, 502])
@pytest.mark.parametrize("front", [False, True], ids=["its end lost", "its beginning lost"])
def test_no_part_of_the_answer_to_a_login_is_shown(pim: Pim, status: int, front: bool) -> None:
    """Whatever was cut off it, and with whatever status it comes."""
    cuts = range(1, len(TOKEN_ANSWER) - 1)
    parts = iter([TOKEN_ANSWER[cut:] if front else TOKEN_ANSWER[:cut] for cut in cuts])
    client, _ = pim(lambda r: Reply(), tokens=lambda r: Reply(status, next(parts)))
    shown = []
    for _ in cuts:
        try:
            with pytest.raises((MediaError, CallError)) as caught:
                client.login()
        finally:
            client.auth._refused = None
        shown.append("".join(traceback.format_exception(caught.value)) + getattr(caught.value, "hint", ""))
    everything = "\n".join(shown)
    for secret in ("YTI0MG", "YjQ4ZDI4NGU4Zg", "OTg3ZmU2", "IxYmEwOTg3"):
        assert secret not in everything
