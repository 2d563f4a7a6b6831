"""One token for all threads, whatever becomes of it."""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from akeneo_media_cli.errors import AccessError, Kind, UsageError
from akeneo_media_cli.exits import Exit
from akeneo_media_cli.pim.client import PimClient
from akeneo_media_cli.pim.errors import Trouble
from akeneo_media_cli.pim.http.multipart import FileBody, ValueRef
from akeneo_media_cli.pim.http.source import PathSource
from akeneo_media_cli.secret import Secret

from .conftest import PASSWORD, Pim, connection_to
from .server import Reply, Request, created, page, refuses, says

PRODUCT = {"identifier": "x", "family": None, "parent": None, "values": []}
PASSWORD_GRANT = {"grant_type": "password", "username": "magento", "password": PASSWORD}


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Tokens:
    """A token endpoint with single-use refresh tokens; `valid` are the access tokens that the API takes."""

    def __init__(self, expires_in: Any = 3600) -> None:
        self.expires_in = expires_in
        self.count = 0
        self.valid: set[str] = set()
        self.grants: list[str] = []
        self.refresh = ""
        self.lock = threading.Lock()

    def __call__(self, request: Request) -> Reply:
        with self.lock:
            grant = request.json
            self.grants.append(grant["grant_type"])
            if grant["grant_type"] == "refresh_token" and grant["refresh_token"] != self.refresh:
                return refuses(422, "Refresh token is invalid or has expired")
            self.count += 1
            self.refresh = f"refresh-{self.count}"
            self.valid.add(f"access-{self.count}")
            return says(
                200,
                {
                    "access_token": f"access-{self.count}",
                    "expires_in": self.expires_in,
                    "refresh_token": self.refresh,
                },
            )

    def api(self, request: Request) -> Reply:
        if request.headers["authorization"].removeprefix("Bearer ") not in self.valid:
            return refuses(401, "The access token provided is invalid.")
        return created() if request.method == "POST" else says(200, PRODUCT)


def test_the_login_is_basic_for_the_client_and_json_for_the_user(pim: Pim) -> None:
    client, server = pim(Tokens().api)
    assert client.login() == 3600
    assert client.login() == 3600
    (login,) = server.logins
    assert login.json == PASSWORD_GRANT
    assert login.headers["authorization"].startswith("Basic ")
    assert login.headers["content-type"] == "application/json"


def test_an_expired_token_costs_one_renewal_for_all_threads(pim: Pim, tmp_path: Path) -> None:
    tokens = Tokens()
    client, server = pim(tokens.api, tokens=tokens)
    client.login()
    tokens.valid.clear()
    path = tmp_path / "a.jpg"
    path.write_bytes(b"picture" * 1000)
    made: list[str] = []
    start = threading.Barrier(8)

    def work() -> None:
        body = FileBody(PathSource(path), value=ValueRef("product", "x", "picture"))
        start.wait()
        made.append(client.upload_product(body).code)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(made) == 8
    assert tokens.grants == ["password", "refresh_token"]
    assert all(b"picture" * 1000 in request.body for request in server.requests)


def test_a_token_is_renewed_shortly_before_its_end(pim: Pim) -> None:
    clock = Clock()
    tokens = Tokens()
    client, server = pim(tokens.api, tokens=tokens, clock=clock)
    client.get_product("x")
    clock.now += 3569
    client.get_product("x")
    assert tokens.grants == ["password"]
    clock.now += 2
    client.get_product("x")
    assert tokens.grants == ["password", "refresh_token"]
    assert [r.headers["authorization"][-1] for r in server.requests] == ["1", "1", "2"]


def test_a_short_life_is_renewed_in_its_last_tenth(pim: Pim) -> None:
    clock = Clock()
    tokens = Tokens(expires_in=5)
    client, _ = pim(tokens.api, tokens=tokens, clock=clock)
    client.get_product("x")
    clock.now += 4.4
    client.get_product("x")
    assert tokens.count == 1
    clock.now += 0.2
    client.get_product("x")
    assert tokens.count == 2
    clock.now += 100
    client.get_product("x")
    assert tokens.count == 3


@pytest.mark.parametrize("life", [None, "soon", True, 0, -5])
def test_a_life_that_is_no_number_waits_for_the_401(pim: Pim, life: Any) -> None:
    clock = Clock()
    tokens = Tokens(expires_in=life)
    client, _ = pim(tokens.api, tokens=tokens, clock=clock)
    assert client.login() is None
    clock.now += 1e9
    client.get_product("x")
    assert tokens.count == 1


def test_an_early_renewal_that_is_refused_is_not_tried_again(pim: Pim) -> None:
    clock = Clock()
    tokens = Tokens()
    changed = threading.Event()

    def endpoint(request: Request) -> Reply:
        return refuses(422, "No user found") if changed.is_set() else tokens(request)

    client, server = pim(tokens.api, tokens=endpoint, clock=clock)
    client.get_product("x")
    before = len(server.logins)
    clock.now += 3575
    changed.set()
    for _ in range(3):
        with pytest.raises(AccessError):
            client.get_product("x")
    assert len(server.logins) - before == 2, "refreshed, and logged in, once"


def test_trouble_with_an_early_renewal_does_not_stop_a_good_token(pim: Pim) -> None:
    clock = Clock()
    tokens = Tokens()
    down = threading.Event()
    asked: list[float] = []

    def endpoint(request: Request) -> Reply:
        if down.is_set():
            asked.append(clock.now)
            return page(503, "maintenance")
        return tokens(request)

    client, _ = pim(tokens.api, tokens=endpoint, clock=clock)
    client.get_product("x")
    clock.now += 3575
    down.set()
    for _ in range(5):
        client.get_product("x")
    assert len(asked) == 1
    clock.now += 10
    client.get_product("x")
    assert len(asked) == 2
    clock.now += 20
    with pytest.raises(Trouble):
        client.get_product("x")
    down.clear()
    client.get_product("x")
    assert tokens.grants == ["password", "refresh_token"]


def test_a_used_refresh_token_falls_back_to_the_password(pim: Pim) -> None:
    tokens = Tokens()
    client, _ = pim(tokens.api, tokens=tokens)
    client.login()
    tokens.valid.clear()
    tokens.refresh = "used up"
    client.get_product("x")
    assert tokens.grants == ["password", "refresh_token", "password"]


def test_a_refresh_whose_answer_was_lost_is_followed_by_a_login(pim: Pim) -> None:
    tokens = Tokens()
    lose = threading.Event()

    def endpoint(request: Request) -> Reply | None:
        reply = tokens(request)
        return None if lose.is_set() else reply

    client, _ = pim(tokens.api, tokens=endpoint)  # type: ignore[arg-type]
    client.login()
    tokens.valid.clear()
    lose.set()
    with pytest.raises(Trouble) as caught:
        client.get_product("x")
    assert not caught.value.throttled
    lose.clear()
    client.get_product("x")
    # Twice as the first went out on a kept connection, which may have been dead.
    assert tokens.grants == ["password", "refresh_token", "refresh_token", "password"]


def test_a_refresh_lost_with_a_kept_connection_ends_in_a_login(pim: Pim) -> None:
    tokens = Tokens()

    def endpoint(request: Request) -> Reply | None:
        reply = tokens(request)
        return None if len(tokens.grants) == 2 else reply

    client, _ = pim(tokens.api, tokens=endpoint)
    client.login()
    tokens.valid.clear()
    client.get_product("x")
    # The first had used the token up, so the second was refused.
    assert tokens.grants == ["password", "refresh_token", "refresh_token", "password"]


def test_a_401_straight_after_a_renewal_ends_it(pim: Pim) -> None:
    client, server = pim(lambda r: refuses(401, "Full authentication is required"))
    with pytest.raises(AccessError) as caught:
        client.get_product("x")
    assert len(server.requests) == len(server.logins) == 4, "renewed once, then two new logins after a pause"
    assert caught.value.kind is Kind.CREDENTIALS_REFUSED
    assert caught.value.exit_status is Exit.REFUSED
    assert "SetEnvIf" in caught.value.hint
    assert "Full authentication" in caught.value.message


def test_a_token_that_others_renewed_meanwhile_is_worth_another_try(pim: Pim) -> None:
    tokens = Tokens()
    seen: list[str] = []

    def api(request: Request) -> Reply:
        seen.append(request.headers["authorization"][-1])
        if len(seen) == 2:
            # The second token is revoked too, and another thread meets that first.
            tokens.valid.clear()
            client.auth._renewed(client.auth.current())
        return tokens.api(request)

    client, _ = pim(api, tokens=tokens)
    client.login()
    tokens.valid.clear()
    client.get_product("x")
    assert seen == ["1", "2", "3"]
    assert tokens.count == 3


def test_an_app_token_is_used_as_it_stands(pim: Pim) -> None:
    tokens = Tokens()
    tokens.valid.add("app-token-1234")
    client, server = pim(tokens.api, tokens=tokens, connection={"token": Secret("app-token-1234")})
    assert client.login() is None
    client.get_product("x")
    assert server.logins == []
    tokens.valid.clear()
    with pytest.raises(AccessError) as caught:
        client.get_product("x")
    assert caught.value.kind is Kind.CREDENTIALS_REFUSED
    assert "AKENEO_TOKEN" in caught.value.hint
    assert len(server.requests) == 2
    assert server.logins == []


@pytest.mark.parametrize("token", ["two words", "line\nbreak", "ümlaut", "tab\t"])
def test_a_token_that_no_header_takes(token: str) -> None:
    with pytest.raises(UsageError) as caught:
        PimClient(connection_to("https://pim.example", token=Secret(token)))
    assert token not in str(caught.value)


@pytest.mark.parametrize(
    ("message", "named"),
    [
        (
            'Parameter "client_id" is missing or does not match any client, or secret is invalid',
            "AKENEO_CLIENT_SECRET",
        ),
        ("No user found for the given username and password", "AKENEO_PASSWORD"),
        ("Aucun utilisateur", "AKENEO_USERNAME"),
        ('Parameter "grant_type", "username" or "password" is missing, empty or invalid', "empty"),
        ("This grant type is not authorized for this client", "new connection"),
    ],
)
def test_which_of_the_four_is_wrong(pim: Pim, message: str, named: str) -> None:
    client, server = pim(created, tokens=lambda r: refuses(422, message))
    with pytest.raises(AccessError) as caught:
        client.login()
    assert named in caught.value.hint
    assert message in caught.value.message
    with pytest.raises(AccessError):
        client.get_product("x")
    assert len(server.logins) == 1, "refused credentials are tried once"


def test_all_threads_share_a_refusal(pim: Pim) -> None:
    client, server = pim(created, tokens=lambda r: refuses(422, "No user found"))
    caught: list[BaseException] = []
    start = threading.Barrier(6)

    def work() -> None:
        start.wait()
        try:
            client.login()
        except AccessError as error:
            caught.append(error)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(caught) == 6
    assert len({id(error) for error in caught}) == 6
    assert len(server.logins) == 1


def _stands_in(thread: threading.Thread, function: str) -> bool:
    frame = sys._current_frames().get(thread.ident or 0)
    return frame is not None and frame.f_code.co_name == function


def test_threads_that_waited_share_trouble(pim: Pim) -> None:
    release = threading.Event()
    asked = threading.Event()

    def endpoint(request: Request) -> Reply:
        asked.set()
        release.wait(10)
        return Reply(429, headers={"Retry-After": "3"})

    client, server = pim(created, tokens=endpoint)
    caught: list[Trouble] = []

    def work() -> None:
        try:
            client.login()
        except Trouble as error:
            caught.append(error)

    first = threading.Thread(target=work)
    first.start()
    assert asked.wait(10)
    late = [threading.Thread(target=work) for _ in range(3)]
    for thread in late:
        thread.start()
    while not all(_stands_in(thread, "_renewed") for thread in late):
        time.sleep(0.001)
    release.set()
    for thread in (first, *late):
        thread.join(20)
    assert len(server.logins) == 1
    assert [(t.throttled, t.retry_after, t.maybe_done) for t in caught] == [(True, 3.0, False)] * 4
    assert len({id(error) for error in caught}) == 4


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_trouble_at_the_token_endpoint_is_no_refusal(pim: Pim, status: int) -> None:
    client, _ = pim(created, tokens=lambda r: page(status, "busy"))
    with pytest.raises(Trouble) as caught:
        client.login()
    assert caught.value.failure.http_status == status
    assert not caught.value.maybe_done


def test_credentials_too_long_for_the_pim(pim: Pim) -> None:
    client, server = pim(
        created,
        tokens=lambda r: refuses(413, "Request content exceeded the maximum allowed size of 300 bytes"),
        connection={"password": Secret("p" * 300)},
    )
    with pytest.raises(AccessError) as caught:
        client.login()
    assert "300" in caught.value.message
    assert "shorter" in caught.value.hint
    assert len(server.logins[0].body) > 300


def test_a_body_as_small_as_can_be(pim: Pim) -> None:
    client, server = pim(created, connection={"username": "ü" * 20, "password": Secret("é" * 20)})
    client.login()
    assert len(server.logins[0].body) < 150
    assert server.logins[0].json["password"] == "é" * 20


@pytest.mark.parametrize(
    ("reply", "error", "words"),
    [
        (page(301, "moved", Location="https://pim.example/api"), UsageError, "https://pim.example/api"),
        (page(404, "Not Found"), UsageError, "AKENEO_URL"),
        (page(200, "Welcome to the hotel's wireless"), UsageError, "AKENEO_URL"),
        (says(200, {"access_token": 5.5}), UsageError, "AKENEO_URL"),
        (says(200, {"access_token": "two words"}), UsageError, "AKENEO_URL"),
        (says(200, []), UsageError, "AKENEO_URL"),
        (page(403, "Request blocked"), AccessError, "firewall"),
        (page(401, "Restricted"), UsageError, "AKENEO_URL"),
        (refuses(401, "no"), AccessError, "AKENEO_PASSWORD"),
    ],
)
def test_what_else_a_login_may_meet(pim: Pim, reply: Reply, error: type[Exception], words: str) -> None:
    client, _ = pim(created, tokens=lambda r: reply)
    with pytest.raises(error) as caught:
        client.login()
    assert words in str(caught.value)
    assert PASSWORD not in str(caught.value)


def test_a_token_that_ends_while_its_own_body_goes_out_is_renewed_again(pim: Pim) -> None:
    clock = Clock()
    tokens = Tokens(expires_in=5)
    refusals = iter([True, True, False])

    def api(request: Request) -> Reply:
        clock.now += 6
        return refuses(401, "expired") if next(refusals) else says(200, PRODUCT)

    client, _ = pim(api, tokens=tokens, clock=clock)
    assert client.get_product("x") is not None
    assert tokens.count == 3


def test_it_does_not_go_on_like_that_for_ever(pim: Pim) -> None:
    clock = Clock()
    tokens = Tokens(expires_in=5)

    def api(request: Request) -> Reply:
        clock.now += 6
        return refuses(401, "expired")

    client, server = pim(api, tokens=tokens, clock=clock)
    with pytest.raises(AccessError):
        client.get_product("x")
    assert len(server.requests) == 5
