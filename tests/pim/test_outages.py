"""Something else answers in the PIM's place: is it about the row, the PIM, or the address?"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from akeneo_media_cli.errors import AccessError, Kind
from akeneo_media_cli.pim.api.calls import resuming
from akeneo_media_cli.pim.errors import Refusal, Trouble
from akeneo_media_cli.secret import Secret

from .conftest import Pim, answering, asked, body_of, listing, product
from .server import Reply, Request, created, page, refuses, says

PAGES = {
    "200": page(200, "Back soon"),
    "302": page(302, "moved", Location="http://status.example/"),
    "404": page(404, "Back soon"),
}


@pytest.mark.parametrize("maintenance", PAGES.values(), ids=PAGES)
def test_a_maintenance_page_is_an_outage_once_the_pim_has_answered(
    pim: Pim, file: Path, maintenance: Reply
) -> None:
    client, _ = answering(pim, created(), says(200, product()), *[maintenance] * 3)
    client.upload_product(body_of(file))
    client.get_product("shoe_44")
    calls: list[Any] = [
        lambda: client.upload_product(body_of(file)),
        lambda: client.get_product("shoe_44"),
        lambda: client.search_products(["shoe_44"]),
    ]
    for number, call in enumerate(calls):
        with pytest.raises(Trouble) as caught:
            call()
        trouble = caught.value
        assert trouble.outage
        assert not trouble.throttled
        assert trouble.failure.kind is Kind.UNAVAILABLE
        # A proxy may show the page in place of a 504, behind which the PIM goes on.
        assert trouble.maybe_done == (number == 0)


@pytest.mark.parametrize("maintenance", PAGES.values(), ids=PAGES)
def test_without_an_answer_of_the_pim_it_may_be_the_address(pim: Pim, file: Path, maintenance: Reply) -> None:
    client, _ = pim(lambda r: maintenance)
    with pytest.raises(Refusal):
        client.upload_product(body_of(file))


def test_a_404_of_a_web_server_for_what_only_some_pims_have_is_no_outage(pim: Pim) -> None:
    client, _ = answering(pim, says(200, product()), page(404, "no such route"))
    client.get_product("shoe_44")
    with pytest.raises(Refusal) as caught:
        client.asset_family("packshots")
    assert caught.value.failure.kind is Kind.ROUTE_MISSING


def test_an_upload_whose_status_was_changed_on_the_way_is_looked_up(pim: Pim, file: Path) -> None:
    client, _ = answering(pim, says(200, product()), Reply(204))
    client.get_product("shoe_44")
    with pytest.raises(Trouble) as caught:
        client.upload_product(body_of(file))
    assert caught.value.maybe_done
    assert not caught.value.outage


class TestRateLimit:
    """nginx `limit_req` answers 503 with a page of its own, at once and without Retry-After."""

    def test_a_bare_503_between_answers_of_the_pim(self, pim: Pim, file: Path) -> None:
        clock = [0.0]
        client, _ = answering(pim, created(), page(503, "busy"), page(503, "busy"), clock=lambda: clock[0])
        client.upload_product(body_of(file))
        with pytest.raises(Trouble) as caught:
            client.upload_product(body_of(file))
        assert caught.value.throttled
        assert "limit_req" in caught.value.failure.hint
        clock[0] = 60.0
        with pytest.raises(Trouble) as caught:
            client.upload_product(body_of(file))
        assert not caught.value.throttled, "nothing got through for a minute: it is down"

    def test_a_503_of_the_pim_itself_is_maintenance(self, pim: Pim, file: Path) -> None:
        client, _ = answering(pim, created(), refuses(503, "Maintenance"))
        client.upload_product(body_of(file))
        with pytest.raises(Trouble) as caught:
            client.upload_product(body_of(file))
        assert not caught.value.throttled

    def test_a_503_that_names_a_time_is_maintenance(self, pim: Pim, file: Path) -> None:
        client, _ = answering(pim, created(), page(503, "x", Retry_After="99999999"))
        client.upload_product(body_of(file))
        with pytest.raises(Trouble) as caught:
            client.upload_product(body_of(file))
        assert not caught.value.throttled
        assert caught.value.retry_after == 300


@pytest.mark.parametrize("status", [502, 503])
def test_a_save_that_outlasts_the_proxy_is_told_as_such(pim: Pim, file: Path, status: int) -> None:
    """Apache answers 502 and Varnish 503 then, where nginx and HAProxy answer 504."""
    body, now, handed_over = body_of(file), [0.0], threading.Event()

    def clock() -> float:
        before = now[0]
        if body.complete:
            handed_over.set()
        return before

    def slow(request: Request) -> Reply:
        assert handed_over.wait(10)
        now[0] += 61
        return page(status, "gateway")

    client, _ = pim(slow, clock=clock)
    with pytest.raises(Trouble) as caught:
        client.upload_product(body)
    assert "longer than the proxy" in caught.value.failure.hint
    assert "61 s" in caught.value.failure.hint
    assert caught.value.maybe_done
    assert not caught.value.throttled


class TestTooLarge:
    """Caddy answers 502 to a body over its limit, or cuts the connection (docs/proxies.md)."""

    def test_larger_than_what_passes(self, pim: Pim, file: Path, tmp_path: Path) -> None:
        larger = tmp_path / "larger.jpg"
        larger.write_bytes(file.read_bytes() * 2)
        client, _ = answering(pim, Reply(502), created(), Reply(502), Reply(502))
        with pytest.raises(Trouble) as caught:
            client.upload_product(body_of(larger))
        assert caught.value.oversize is None, "nothing is known yet"
        client.upload_product(body_of(file))
        with pytest.raises(Trouble) as caught:
            client.upload_product(body_of(larger))
        failure = caught.value.oversize
        assert failure is not None
        assert failure.kind is Kind.BODY_TOO_LARGE
        assert "200.0 kB" in failure.message
        assert "100.0 kB" in failure.hint
        with pytest.raises(Trouble) as caught:
            client.upload_product(body_of(file))
        assert caught.value.oversize is None, "one of this size got through"

    def test_a_cut_connection(self, pim: Pim, file: Path, tmp_path: Path) -> None:
        larger = tmp_path / "larger.jpg"
        larger.write_bytes(file.read_bytes() * 2)
        replies = iter([created(), None])
        client, _ = pim(lambda r: next(replies, None))
        client.upload_product(body_of(file))
        with pytest.raises(Trouble) as caught:
            client.upload_product(body_of(larger))
        assert caught.value.oversize is not None


class TestLookUps:
    @pytest.mark.parametrize("code", [".", ".."])
    def test_dots_are_searched_for(self, pim: Pim, code: str) -> None:
        client, server = answering(pim, listing([product(identifier=code)]))
        found = client.get_product(code)
        assert found is not None
        assert asked(server.requests[0])["search"] == {"identifier": [{"operator": "IN", "value": [code]}]}

    @pytest.mark.parametrize(
        "reply",
        [
            page(400, "Bad Request"),
            page(404, "Not Found"),
            refuses(404, "No route"),
            says(200, product(identifier="another")),
        ],
        ids=["apache-400", "apache-404", "decoded-404", "decoded-other"],
    )
    @pytest.mark.parametrize("code", ["50%25", "a/b", "a;b+c", "a/../b"])
    def test_what_a_path_cannot_carry_is_searched_for(self, pim: Pim, code: str, reply: Reply) -> None:
        client, _ = answering(pim, reply, listing([product(identifier=code)]))
        found = client.get_product(code)
        assert found is not None
        assert found.identifier == code

    def test_models_too(self, pim: Pim) -> None:
        model = {"code": "m%", "family": "f", "family_variant": "v", "parent": None, "values": {}}
        client, _ = answering(pim, page(400, "Bad Request"), listing([model]))
        found = client.get_product_model("m%")
        assert found is not None
        assert found.code == "m%"

    def test_a_plain_code_that_is_not_there_costs_one_call(self, pim: Pim) -> None:
        client, server = pim(lambda r: refuses(404, "It does not exist."))
        assert client.get_product("sku-1.a b") is None
        assert len(server.requests) == 1

    def test_half_an_answer_is_asked_for_again(self, pim: Pim) -> None:
        """Caddy passes a broken chunked answer on as a whole one."""
        client, _ = pim(lambda r: Reply(200, b'{"_embedded": {"items": [{"identi'))
        with pytest.raises(Trouble) as caught:
            client.search_products(["x"])
        assert caught.value.failure.kind is Kind.CONNECTION

    def test_a_look_up_goes_on_where_it_was_stopped(self, pim: Pim) -> None:
        """Behind a limit of so many calls a second the calls that succeeded are not made again."""
        allowed = [1]

        def limited(request: Request) -> Reply:
            if not allowed[0]:
                return page(503, "busy")
            allowed[0] -= 1
            return listing([product(identifier=asked(request)["search"]["identifier"][0]["value"][0])])

        client, server = pim(limited)
        codes = [f"{n:03}" + "x" * 4000 for n in range(4)]
        answers: dict[str, Any] = {}
        found: list[str | None] = []
        for _ in range(4):
            try:
                with resuming(answers):
                    found = [each.identifier for each in client.search_products(codes)]
            except Trouble:
                allowed[0] = 1
        assert found == codes
        assert len(server.requests) == 7, "four that succeeded and three that did not"
        allowed[0] = 1
        assert client.search_products(codes[:1])
        assert len(server.requests) == 8, "outside of the block it is asked anew"


class TestTokens:
    def test_a_token_is_doubted_only_if_nothing_else_gets_through(self, pim: Pim) -> None:
        def api(request: Request) -> Reply:
            if request.path.endswith("/families/other"):
                return says(200, {"code": "other", "attributes": []})
            client.family("other")
            return refuses(401, "The access token provided is invalid.")

        client, server = pim(api)
        with pytest.raises(Trouble) as caught:
            client.get_product("x")
        assert caught.value.failure.kind is Kind.UNAVAILABLE
        assert len(server.logins) == 4

    def test_an_app_s_token_too(self, pim: Pim) -> None:
        def api(request: Request) -> Reply:
            if request.path.endswith("/families/other"):
                return says(200, {"code": "other", "attributes": []})
            client.family("other")
            return refuses(401, "The access token provided is invalid.")

        client, _ = pim(api, connection={"token": Secret("app-token-1234")})
        with pytest.raises(Trouble):
            client.get_product("x")

    def test_a_new_token_that_is_known_a_little_later(self, pim: Pim) -> None:
        waited: list[float] = []
        client, server = pim(
            lambda r: says(200, product()) if sum(waited) >= 2 else refuses(401, "invalid"),
            sleep=waited.append,
        )
        assert client.get_product("shoe_44") is not None
        assert waited == [0.5, 1.5]
        assert len(server.logins) == 4

    @pytest.mark.parametrize(
        "renewal",
        [
            page(200, "Back soon"),
            page(404, "Back soon"),
            page(302, "moved", Location="http://status.example/"),
            Reply(200),
            Reply(200, b'{"access_token":"YTI0'),
            says(200, {"access_token": None}),
        ],
        ids=["html", "404", "redirect", "nothing", "cut", "null"],
    )
    def test_a_renewal_that_something_else_answers_is_an_outage(self, pim: Pim, renewal: Reply) -> None:
        replies = iter([says(200, {"access_token": "t1", "expires_in": 3600})])
        client, _ = pim(lambda r: refuses(401, "expired"), tokens=lambda r: next(replies, renewal))
        client.login()
        with pytest.raises(Trouble) as caught:
            client.get_product("x")
        assert caught.value.outage

    @pytest.mark.parametrize("lifetime", ["9" * 400, "1e300", "Infinity", "NaN", "-5", "true", '"3600"'])
    def test_a_life_that_cannot_be_planned_with(self, pim: Pim, lifetime: str) -> None:
        body = f'{{"access_token": "t1", "expires_in": {lifetime}}}'.encode()
        client, _ = pim(lambda r: says(200, product()), tokens=lambda r: Reply(200, body))
        assert client.login() is None
        assert client.get_product("shoe_44") is not None


def test_http_basic_in_front_of_the_pim(pim: Pim) -> None:
    gate = page(401, "Authorization Required", WWW_Authenticate='Basic realm="Staging"')
    client, _ = pim(lambda r: gate, tokens=lambda r: gate)
    with pytest.raises(AccessError) as caught:
        client.login()
    assert "HTTP Basic" in caught.value.message
    assert "AKENEO_URL" not in caught.value.hint


def test_http_basic_in_front_of_all_but_the_login(pim: Pim) -> None:
    gate = page(401, "Authorization Required", WWW_Authenticate='Basic realm="Staging"')
    client, server = pim(lambda r: gate)
    with pytest.raises(AccessError) as caught:
        client.get_product("x")
    assert "HTTP Basic" in caught.value.message
    assert len(server.logins) == 1


def test_headers_that_contradict_each_other_are_passing_trouble(pim: Pim, file: Path) -> None:
    raw = b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\nContent-Length: 5\r\n\r\n"
    client, _ = pim(lambda r: Reply(raw=raw, close=True))
    with pytest.raises(Trouble) as caught:
        client.upload_product(body_of(file))
    assert caught.value.maybe_done
    assert "contradict" in caught.value.failure.message


def test_an_endless_answer_to_an_upload_is_not_read_to_its_end(pim: Pim, file: Path) -> None:
    sent = [0]

    def endless(request: Request) -> None:
        request.sock.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while sent[0] < 64_000_000:
            sent[0] += request.sock.send(b"x" * 65536)

    client, _ = pim(endless)
    with pytest.raises((Trouble, Refusal)):
        client.upload_product(body_of(file))
    assert sent[0] < 16_000_000, "more than the buffers between take"


def test_a_redirect_of_the_login_is_proposed_without_the_api_s_path(pim: Pim) -> None:
    to = "https://new.example/pim/api/oauth/v1/token"
    client, _ = pim(lambda r: None, tokens=lambda r: page(301, "moved", Location=to))
    with pytest.raises(Exception, match="redirects") as caught:
        client.login()
    assert caught.value.hint.endswith(" https://new.example/pim")  # type: ignore[attr-defined]
