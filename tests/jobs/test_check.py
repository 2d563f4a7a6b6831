"""The checkup: what it finds of a PIM that is well, of one that is not, and of what is none."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from akeneo_media_cli.errors import Kind
from akeneo_media_cli.exits import Exit
from akeneo_media_cli.jobs.check import Checkup, Finding, Health
from akeneo_media_cli.pim.client import PimClient
from akeneo_media_cli.pim.connection import Connection
from akeneo_media_cli.pim.http.transport import CallInfo
from akeneo_media_cli.sandbox import RunningSandbox, SandboxOptions, start_sandbox
from akeneo_media_cli.secret import Secret

from ..e2e.conftest import catalogue
from ..pim.server import CERTIFICATE, Handler, Reply, Request, Server, page, refuses, says, well
from .conftest import CONNECTIONS
from .desk import connection_to


@pytest.fixture(scope="module")
def pim() -> Iterator[RunningSandbox]:
    options = SandboxOptions(edition="ee", pam=True)
    with start_sandbox(catalogue(2, connections=CONNECTIONS), options=options) as sandbox:
        yield sandbox


Serve = Callable[..., Connection]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """`serve(handler, **options)`: how to connect to a PIM that answers so."""
    with ExitStack() as stack:

        def make(handle: Handler, *, token: bool = False, **options: Any) -> Connection:
            url = stack.enter_context(Server(handle, **options)).url
            if token:
                return Connection(url, token=Secret("an-app-token"), direct=True)
            return Connection(url, "1_client", Secret("s"), "magento", Secret("p"), direct=True)

        yield make


def checked(connection: Connection, timeout: float = 5.0) -> tuple[Exit, dict[str, Finding]]:
    calls: list[CallInfo] = []
    with PimClient(connection, timeout=timeout, on_call=calls.append) as client:
        checkup = Checkup(client, connection.url, wall=time.time, calls=calls)
        checkup.run()
    return checkup.exit_status, {finding.check: finding for finding in checkup.findings}


def failed(found: dict[str, Finding]) -> set[str]:
    return {name for name, finding in found.items() if finding.health is Health.FAILED}


def test_all_is_well_and_nothing_is_written(pim: RunningSandbox) -> None:
    def contents() -> list[Any]:
        return pim.inside(lambda: [(e.key, e.updated) for e in pim.store.entities.all()])

    before = contents()
    status, found = checked(connection_to(pim, pim.credentials))
    assert status is Exit.OK
    assert {finding.health for finding in found.values()} == {Health.OK}
    assert found["TLS"].details == {"tls": False}, "this machine's own address needs none"
    assert found["login"].details == {"token_seconds": 3600}
    assert found["version"].details["edition"] == "EE"
    rights = ("attributes", "channels", "locales", "products", "product models")
    assert all(found[f"may read {name}"].details == {"allowed": True} for name in rights)
    assert found["may edit products"].details == {"allowed": True}
    kinds = ("product media", "assets", "records", "categories", "products by UUID", "assets of the old PAM")
    assert all(found[f"route for {kind}"].details == {"available": True} for kind in kinds)
    assert abs(found["clock"].details["seconds"]) < 5
    assert found["latency"].details["seconds"] > 0
    assert contents() == before


@pytest.mark.parametrize(
    ("user", "missing"),
    [
        ("blind", {"may read attributes"}),
        ("sightless", {"may read products", "may read product models"}),
        ("readonly", {"may edit products"}),
        ("noperm", {"use of the API"}),
    ],
)
def test_a_missing_right_is_told_with_who_can_give_it(
    pim: RunningSandbox, user: str, missing: set[str]
) -> None:
    status, found = checked(connection_to(pim, pim.connections[user]))
    assert (status, failed(found)) == (Exit.REFUSED, missing)
    assert all("right" in found[name].hint for name in missing)
    assert ("rights" in found) is (user == "noperm"), "what makes no sense any more is skipped"


def test_wrong_credentials_make_the_rest_pointless(pim: RunningSandbox) -> None:
    who = pim.credentials
    wrong = Connection(
        pim.url, who.client_id, Secret(who.client_secret), who.username, Secret("no"), direct=True
    )
    status, found = checked(wrong)
    assert (status, failed(found)) == (Exit.REFUSED, {"login"})
    assert found["login"].details["kind"] == Kind.CREDENTIALS_REFUSED.value
    skipped = {name for name, finding in found.items() if finding.health is Health.SKIPPED}
    assert skipped == {"use of the API", "rights", "version", "clock"}


def test_an_edition_without_some_routes_is_well(serve: Serve) -> None:
    status, found = checked(serve(well(), token=True))
    assert status is Exit.OK
    assert found["login"].found.startswith("an App's token")
    assert found["route for assets"].details == {"available": False}
    assert found["route for assets"].health is Health.OK
    assert (found["version"].found, found["version"].details["version"]) == ("7.0.1 CE", "7.0.1")


@pytest.mark.parametrize(
    "reply",
    [
        page(200, "Sign in to continue"),
        page(404, "Not here"),
        says(200, {"hello": "world"}),
        says(200, ["routes"]),
        Reply(200, b""),
        Reply(200, b"\xff\xfe{"),
        says(200, {"routes": {"a": {"route": "/api/rest/v1/products", "methods": ["GET"]}}}),
    ],
)
def test_what_is_no_pim_is_a_wrong_address(serve: Serve, reply: Reply) -> None:
    status, found = checked(serve(lambda _: reply))
    assert status is Exit.USAGE
    first = min(failed(found))
    assert "AKENEO_URL" in found[first].hint


def test_a_redirect_says_where_to(serve: Serve) -> None:
    there = serve(lambda request: page(301, "Moved", Location="https://pim.example" + request.target))
    status, found = checked(there)
    assert (status, found["PIM"].details["kind"]) == (Exit.USAGE, "redirected")
    assert "https://pim.example" in found["PIM"].found + found["PIM"].hint


def test_a_page_where_the_token_should_come_and_a_header_that_gets_lost(serve: Serve) -> None:
    status, found = checked(serve(well(), tokens=lambda _: page(200, "Sign in")))
    assert (status, failed(found)) == (Exit.USAGE, {"login"})
    lost = says(401, {"error": "access_denied", "error_description": "OAuth2 authentication required"})
    status, found = checked(serve(well(media_files=lost)))
    assert (status, failed(found)) == (Exit.REFUSED, {"use of the API"})
    assert "Authorization" in found["use of the API"].hint


@pytest.mark.parametrize(
    "reply", [page(503, "Maintenance"), refuses(500, "Internal Server Error"), page(429, "Slow down"), None]
)
def test_a_pim_in_trouble_is_to_be_tried_later(serve: Serve, reply: Reply | None) -> None:
    status, found = checked(serve(lambda _: reply))
    assert (status, failed(found)) == (Exit.PENDING, {"PIM"})
    assert found["PIM"].hint


def test_one_right_may_fail_in_its_own_way(serve: Serve) -> None:
    status, found = checked(
        serve(well(channels=page(403, "Firewall"), locales=page(502, "Bad"), attributes=page(404, "?")))
    )
    kinds = {
        name: found[f"may read {name}"].details.get("kind") for name in ("channels", "locales", "attributes")
    }
    assert kinds == {"channels": "blocked", "locales": "unavailable", "attributes": "route_missing"}
    assert status is Exit.USAGE
    assert found["may read products"].health is Health.OK
    assert checked(serve(well(locales=page(502, "Bad"))))[0] is Exit.PENDING
    assert checked(serve(well(channels=refuses(401, "The token is invalid.")), token=True))[0] is Exit.REFUSED


@pytest.mark.parametrize(
    ("reply", "health", "said"),
    [
        (refuses(404, "No route found"), Health.OK, "before 6.0"),
        (page(500, "Oops"), Health.WARNING, "does not say"),
    ],
)
def test_a_version_that_is_not_told_is_no_failure(
    serve: Serve, reply: Reply, health: Health, said: str
) -> None:
    status, found = checked(serve(well(system_information=reply)))
    assert (status, found["version"].health) == (Exit.OK, health)
    assert said in found["version"].found


@pytest.mark.parametrize(("hours", "said"), [(-2, "ahead of the PIM"), (2, "behind the PIM"), (None, "")])
def test_clocks_are_compared_where_the_pim_tells_its_own(serve: Serve, hours: int | None, said: str) -> None:
    replies = well()
    date = (
        "no date"
        if hours is None
        else format_datetime(datetime.now(UTC) + timedelta(hours=hours), usegmt=True)
    )

    def handle(request: Request) -> Reply:
        reply = replies(request)
        assert reply is not None
        return Reply(reply.status, reply.body, {**reply.headers, "Date": date})

    status, found = checked(serve(handle))
    assert status is Exit.OK
    if hours is None:
        assert "clock" not in found
    else:
        assert found["clock"].health is Health.WARNING
        assert said in found["clock"].found


def test_a_certificate_that_nobody_trusts(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    there = serve(well(), tls=True)
    status, found = checked(there)
    assert (status, failed(found)) == (Exit.USAGE, {"TLS"})
    assert "REQUESTS_CA_BUNDLE" in found["TLS"].hint
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(CERTIFICATE))
    status, found = checked(replace(there, direct=False))
    assert (status, found["TLS"].details) == (Exit.OK, {"tls": True})


def test_tls_spoken_to_a_plain_port(pim: RunningSandbox) -> None:
    there = connection_to(pim, pim.credentials)
    status, found = checked(replace(there, url=there.url.replace("http:", "https:")))
    assert (status, failed(found)) == (Exit.USAGE, {"TLS"})
    assert "http://" in found["TLS"].hint


def test_nobody_is_there() -> None:
    with Server(well()) as server:
        there = Connection(server.url, token=Secret("t"), direct=True)
    status, found = checked(there)
    assert (status, failed(found)) == (Exit.PENDING, {"PIM"})
    assert {found[name].health for name in ("login", "rights", "clock")} == {Health.SKIPPED}


def test_silence_is_given_up(serve: Serve) -> None:
    silent = threading.Event()

    def handle(_: Request) -> None:
        silent.wait(20)

    try:
        status, found = checked(serve(handle), timeout=0.1)
    finally:
        silent.set()
    assert (status, found["PIM"].details["kind"]) == (Exit.PENDING, "timeout")
